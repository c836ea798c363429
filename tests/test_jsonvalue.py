"""JSON values: read exactly, measured before they are written, set without changing what was there."""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

import pytest

from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import (
    DEEPEST,
    CannotPlace,
    Json,
    TooDeep,
    TooLarge,
    as_json,
    canonical,
    check_bounds,
    copy,
    digest,
    dumps,
    folded_text,
    is_small,
    is_too_deep,
    loads_exact,
    not_json,
    scalar_kind,
    scalar_text,
    set_at,
    size_of,
)


def nested(depth: int, kind: str = "list") -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if kind == "list" else {"k": value}
    return value


# -- reading ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        (" [1, 2.5, -0.0]\n", [1, 2.5, -0.0]),
        (b"\xef\xbb\xbf{}", {}),
        ('"\\u00e9\\ud83d\\ude00"', "é😀"),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("0.1", 0.1),
        ("1e22", 1e22),
        ("123456789.12345679", 123456789.12345679),
        ("5e-324", 5e-324),
        ('{"": {"a": 1}, "b": {"a": 2}}', {"": {"a": 1}, "b": {"a": 2}}),
    ],
)
def test_what_can_be_kept_exactly_is_read(text: str | bytes, value: Json) -> None:
    assert loads_exact(text) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("18446744073709551616", "the integer 18446744073709551616, which does not fit in 64 bits"),
        ("-9223372036854775809", "the integer -9223372036854775809"),
        ("1" * 5000, "(5000 digits)"),
        ("0.1000000000000000055", "the number 0.1000000000000000055, which a double cannot keep exactly"),
        ("1e400", "the number 1e400"),
        ("[NaN]", "holds NaN, which is not JSON"),
        ("-Infinity", "holds -Infinity, which is not JSON"),
        ('{"a": 1, "a": 1}', "names the key 'a' twice in one object"),
        ('[{"x": {"b": 1, "c": 2, "b": 3}}]', "names the key 'b' twice"),
        ('"\\ud800"', "half of a surrogate pair"),
        ('{"\\udc00": 1}', "half of a surrogate pair"),
        (b'"\xff"', "is not UTF-8: byte 1 is 0xff"),
        ("[" * 201 + "]" * 201, "nested more than 200 levels deep"),
        ("[" * 100_000, "nested more than 200 levels deep"),
    ],
)
def test_what_could_not_be_kept_exactly_is_refused_in_a_sentence(text: str | bytes, says: str) -> None:
    with pytest.raises(InvalidJson) as refused:
        loads_exact(text, what="the thing")
    assert refused.value.message.startswith("the thing ")
    assert says in refused.value.message
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "line", "column"), [("", 1, 1), ("{\n  'a': 1}", 2, 3), ("[1,\n2,\n]", 3, 1), ("1 2", 1, 3)]
)
def test_what_is_no_json_has_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(InvalidJson, match=f"at line {line}, column {column}") as refused:
        loads_exact(text)
    assert (refused.value.line, refused.value.column) == (line, column)


# -- texts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        ("A 1", "A 1", "s"),
        ("", "", "s"),
        (42, "42", "n"),
        (42.0, "42", "n"),
        (-0.0, "0", "n"),
        (1.5, "1.5", "n"),
        (2.5e-7, "2.5e-7", "n"),
        (True, "true", "b"),
        (False, "false", "b"),
    ],
)
def test_a_correlation_value_is_a_text_and_a_kind(value: Json, text: str, kind: str) -> None:
    assert (scalar_text(value), scalar_kind(value)) == (text, kind)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ORD 1", "ord-1", False),
        ("ORD 1", " ord1\t", True),
        ("STRASSE", "straße", True),
        ("ab", "a\u00a0b", True),
        ("A", "Ä", False),
    ],
)
def test_folded_texts_differ_in_more_than_case_and_blanks(one: str, other: str, same: bool) -> None:
    assert (folded_text(one) == folded_text(other)) is same


def test_equal_values_have_one_canonical_text_whatever_the_order_of_their_keys() -> None:
    one: Json = {"b": [1, {"y": 1, "x": 2}], "a": None}
    other: Json = {"a": None, "b": [1, {"x": 2, "y": 1}]}
    assert canonical(one) == canonical(other) == b'{"a":null,"b":[1,{"x":2,"y":1}]}'
    assert digest(one) == digest(other) != digest({"a": None, "b": [{"x": 2, "y": 1}, 1]})
    assert dumps(one) != dumps(other), "what is shown keeps its own order"


@pytest.mark.parametrize(("value", "size"), [("", 2), ("é", 4), ([1, 2], 5), ({"a": None}, 10), ("\n", 4)])
def test_a_size_is_in_bytes_of_utf_8(value: Json, size: int) -> None:
    assert size_of(value) == size


# -- what is no JSON -------------------------------------------------------------------------------------


class Text(str):
    pass


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": [1, {2}]}, "$.a[1] is of type set"),
        ([math.nan], "$[0] is nan, which JSON does not have"),
        ({"a": -math.inf}, "$.a is -inf, which JSON does not have"),
        ({"a": {1: 2}}, "$.a has the key 1 of type int; JSON keys are strings"),
        (2**64, "$ is an integer beyond 64 bits"),
        (-(2**63) - 1, "$ is an integer beyond 64 bits"),
        (b"bytes", "$ is of type bytes"),
        (datetime(2026, 1, 1, tzinfo=UTC), "$ is of type datetime"),
        (print, "$ is of type builtin_function_or_method"),
    ],
)
def test_what_is_no_json_is_named_with_its_place(value: object, says: str) -> None:
    assert not_json(value) == says
    assert as_json(value) == (None, says)


@pytest.mark.parametrize(
    ("value", "same"),
    [
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        ((1, (2,)), [1, [2]]),
        (Text("x"), "x"),
        ([None, True], [None, True]),
        (2**64 - 1, 2**64 - 1),
        ({}, {}),
    ],
)
def test_what_json_can_hold_becomes_plain_json(value: object, same: Json) -> None:
    found, problem = as_json(value)
    assert (found, problem) == (same, None)
    assert type(found) is type(same)


def test_a_copy_as_json_shares_nothing() -> None:
    given: Any = {"a": [1]}
    found: Any = as_json(given)[0]
    found["a"].append(2)
    assert given == {"a": [1]}
    copied: Any = copy(given)
    copied["a"].append(2)
    assert given == {"a": [1]}


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    found, problem = as_json(endless)
    assert found is None
    assert problem is not None and "nested more than 200 levels deep or holds itself" in problem


# -- bounds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["list", "dict"])
@pytest.mark.parametrize(("depth", "deep"), [(0, False), (1, False), (DEEPEST, False), (DEEPEST + 1, True)])
def test_two_hundred_levels_are_the_deepest(kind: str, depth: int, deep: bool) -> None:
    value = nested(depth, kind)
    assert is_too_deep(value) is deep
    if deep:
        with pytest.raises(TooDeep):
            check_bounds(value, 1 << 20)
    else:
        check_bounds(value, 1 << 20)


def test_a_depth_beside_much_that_is_flat_is_seen() -> None:
    assert is_too_deep([1] * 20 + [nested(DEEPEST)])
    assert is_too_deep({**{str(n): n for n in range(20)}, "deep": nested(DEEPEST)})
    assert not is_too_deep([1] * 20 + [nested(DEEPEST - 1)])


@pytest.mark.parametrize(
    ("value", "limit", "fits"),
    [
        ("x" * 98, 100, True),
        ("x" * 99, 100, False),
        ("é" * 49, 100, True),
        ("é" * 50, 100, False),
        ([1] * 49, 99, True),
        ([1] * 50, 100, False),
        ({"k" * 90: 1}, 96, True),
        ({"k" * 90: 1}, 95, False),
        (None, 3, False),
        (None, 4, True),
        ("\n" * 49, 100, True),
        ("\n" * 50, 100, False),
    ],
)
def test_a_limit_counts_the_bytes_of_the_text(value: Json, limit: int, fits: bool) -> None:
    if fits:
        check_bounds(value, limit)
    else:
        with pytest.raises(TooLarge):
            check_bounds(value, limit)


def test_a_value_that_is_endless_as_text_is_refused_without_being_written() -> None:
    value: Json = "x" * 100
    for _ in range(60):  # 2^60 texts that share one
        value = [value, value]
    with pytest.raises(TooLarge):
        check_bounds(value, 1 << 20)


@pytest.mark.parametrize(
    ("value", "small"),
    [
        ({}, True),
        ({"a": 1, "b": "x" * 256}, True),
        ({"a": "x" * 257}, False),
        ({"k" * 257: 1}, False),
        ({str(n): n for n in range(9)}, False),
        ({"a": {}}, False),
        ([1, None, 2.5, True], True),
        ([[]], False),
        (["x" * 257], False),
        ([1] * 9, False),
        ("x" * 256, True),
        ("x" * 257, False),
        (7, True),
        (None, True),
    ],
)
def test_what_is_small_at_a_look_is_flat_and_short(value: Json, small: bool) -> None:
    assert is_small(value) is small


# -- setting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "steps", "result"),
    [
        ({"a": 1}, (), 9),
        ({"a": 1}, ("a",), {"a": 9}),
        ({}, ("a", "b"), {"a": {"b": 9}}),
        ({"a": None}, ("a", "b"), {"a": {"b": 9}}),
        (None, ("a",), {"a": 9}),
        ({"a": [1, 2]}, ("a", 1), {"a": [1, 9]}),
        ({"a": [1, 2]}, ("a", -2), {"a": [9, 2]}),
        ({"a": [{}]}, ("a", 0, "b"), {"a": [{"b": 9}]}),
    ],
)
def test_a_value_is_set_at_its_place_and_objects_are_made_on_the_way(
    document: Json, steps: tuple[str | int, ...], result: Json
) -> None:
    assert set_at(document, steps, 9) == result


@pytest.mark.parametrize(
    ("document", "steps"),
    [
        ({"a": 1}, ("a", "b")),
        ({"a": [1]}, ("a", 1)),
        ({"a": [1]}, ("a", -2)),
        ({"a": {}}, ("a", 0)),
        ([1], ("a",)),
        ("text", ("a",)),
        (False, ("a",)),
        (None, (0,)),
    ],
)
def test_a_place_that_cannot_be_made_is_refused(document: Json, steps: tuple[str | int, ...]) -> None:
    with pytest.raises(CannotPlace):
        set_at(document, steps, 9)


def test_setting_changes_nothing_and_shares_what_stays() -> None:
    document: Any = {"a": {"b": [1]}, "c": {"large": 1}}
    found: Any = set_at(document, ("a", "b", 0), 2)
    assert document == {"a": {"b": [1]}, "c": {"large": 1}}
    assert found["c"] is document["c"]
    assert found["a"] is not document["a"]
