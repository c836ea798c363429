"""The functions that AWS adds to JSONata, and what is random or of time: the scope's, and nothing else's."""

from __future__ import annotations

import hashlib
import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.expr.jsonata.expressions import EvaluationFailure, compile_expression
from sm_cli.expr.scope import JsonataScope
from sm_cli.jsonvalue import Json, dumps

#: 2023-11-14T22:13:20.123456Z
NOW = 1_700_000_000_123_456


def value_of(expression: str, input: Json = None, seed: int = 7) -> Json:
    random = Random(seed)
    scope = JsonataScope(input, dict, {}, lambda: random, {}, NOW)
    return compile_expression("{% " + expression + " %}", "Output")(scope)


def cause_of(expression: str, input: Json = None) -> str:
    with pytest.raises(EvaluationFailure) as raised:
        value_of(expression, input)
    return str(raised.value.cause)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$partition([0], 1)", [[0]]),
        ("$partition([0], 4)", [[0]]),
        ("$partition([0, 1, 2, 3], 3)", [[0, 1, 2], [3]]),
        ("$partition([1, null, 2], 2)", [[1, None], [2]]),
        ("$partition([], 2)", []),
        ("$partition(5, 2)", [[5]]),
        ("$range(0, 9, 3)", [0, 3, 6, 9]),
        ("$range(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("$range(1, 9, 9)", 1),
        ("$range(1, 9, 9)[]", [1]),
        ("$range(5, 1, -2)", [5, 3, 1]),
        ("$range(0, 1, 0.25)", [0, 0.25, 0.5, 0.75, 1]),
        ('$parse("1")', 1),
        ('$parse("null")', None),
        ('$parse("true")', True),
        ("$parse('\"HelloWorld\"')", "HelloWorld"),
        ('$parse(\'{"Arg1": 1, "Arg2": []}\').Arg1', 1),
        ("$parse('[null]')", [None]),
        ("$exists($partition($nope, 1))", False),
        ("$exists($range(1, $nope, 1))", False),
        ("$exists($parse($nope))", False),
        ("$exists($range(5, 1, 1))", False),
    ],
)
def test_the_functions_of_aws(expression: str, value: Json) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"])
def test_hash_knows_the_algorithms_of_aws(algorithm: str) -> None:
    digest = hashlib.new(algorithm.replace("-", "").lower(), "grüße".encode(), usedforsecurity=False).hexdigest()
    assert value_of(f"$hash('grüße', '{algorithm}')") == digest


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("$partition([1], 0)", "$partition needs chunks of at least 1 item, not 0"),
        ("$range(1, 2, 0)", "$range needs a step that is not 0"),
        ("$range(1, 1e9, 1)", "at most 1000000 are allowed"),
        ("$hash('a', 'MD4')", "$hash knows MD5, SHA-1, SHA-256, SHA-384, SHA-512, but not MD4"),
        ("$parse('{')", "the text given to $parse is not JSON"),
        ("$parse(1)", 'T0410: Argument 1 of function "parse" does not match function signature'),
        ("$partition([1], null)", 'T0410: Argument 2 of function "partition" does not match function signature'),
        ("$random('x')", 'T0410: Argument 1 of function "random" does not match function signature'),
        ("$eval('1')", "T1006: Attempted to invoke a non-function"),
    ],
)
def test_what_a_function_cannot_do_it_says(expression: str, said: str) -> None:
    assert said in cause_of(expression)


def test_what_is_random_comes_from_the_scope() -> None:
    for expression in ("$random()", "$uuid()", "$shuffle([1..50])"):
        assert value_of(expression) == value_of(expression)
        assert value_of(expression, seed=8) != value_of(expression)
    assert value_of("[$random(), $random()]") == [
        Random(7).random(),
        (lambda r: (r.random(), r.random())[1])(Random(7)),
    ]


def test_a_seeded_random_number_depends_on_the_seed_alone() -> None:
    assert value_of("$random(3)") == value_of("$random(3)", seed=99)
    assert value_of("$random(3)") != value_of("$random(4)")


def test_a_random_number_lies_between_0_and_1_and_a_uuid_is_of_version_4() -> None:
    number = value_of("$random()")
    assert isinstance(number, float)
    assert 0 <= number < 1
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", str(value_of("$uuid()")))


def test_a_shuffled_array_has_the_same_items() -> None:
    assert sorted(value_of("$shuffle([1..20])")) == list(range(1, 21))  # type: ignore[arg-type, type-var]  # numbers


def test_the_time_is_the_scopes() -> None:
    assert value_of("$millis()") == 1_700_000_000_123
    assert value_of("$now()") == "2023-11-14T22:13:20.123Z"
    assert value_of("$now('[Y]-[M01]-[D01] [H01]:[m01]', '+0200')") == "2023-11-15 00:13"
    assert value_of("$toMillis($now()) = $millis()") is True


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$fromMillis($toMillis('9:30', '[H]:[m01]'))", "2023-11-14T09:30:00.000Z"),
        ("$fromMillis($toMillis('1:05 pm', '[h]:[m01] [P]'))", "2023-11-14T13:05:00.000Z"),
        ("$fromMillis($toMillis('7', '[D]'))", "2023-11-07T00:00:00.000Z"),
        ("$fromMillis($toMillis('March', '[MNn]'))", "2023-03-01T00:00:00.000Z"),
    ],
)
def test_what_a_picture_leaves_out_is_of_the_scopes_day(expression: str, value: str) -> None:
    assert value_of(expression) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=3), inside, max_size=4),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(json_values)
def test_what_string_writes_parse_reads_back(value: Json) -> None:
    input: Json = {"v": [value]}
    assert value_of("$parse($string($states.input))", input) == input
    assert value_of("$string($states.input)", input) == dumps(input)


@settings(max_examples=100, deadline=None)
@given(items=st.lists(st.integers(0, 9), min_size=1, max_size=12), size=st.integers(1, 5))
def test_chunks_together_are_what_was_partitioned(items: list[Json], size: int) -> None:
    input: Json = {"items": items, "size": size}
    chunks = value_of("$partition($states.input.items, $states.input.size)", input)
    assert isinstance(chunks, list)
    assert [item for chunk in chunks for item in chunk] == items  # type: ignore[union-attr]  # chunks are arrays
    assert all(len(chunk) == size for chunk in chunks[:-1])  # type: ignore[arg-type]  # chunks are arrays


def test_sorting_is_stable_whatever_the_comparator_says() -> None:
    rows: Json = [{"k": i % 3, "n": i} for i in range(12)]
    ordered = value_of("$sort($states.input, function($l, $r) {$l.k > $r.k}).n", rows)
    assert ordered == [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]
