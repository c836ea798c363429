"""The intrinsic functions: what each does, and what each refuses."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.errors import StateFailure
from sm_cli.expr.intrinsics.calls import FUNCTIONS, compile_call, literal_problems
from sm_cli.expr.intrinsics.functions import equality_key
from sm_cli.expr.scope import Scope
from sm_cli.expr.template import compile_template
from sm_cli.jsonvalue import Json

CASES = Path(__file__).resolve().parents[2] / ".." / "shared" / "conformance" / "cases.jsonl"
CONTEXT: dict[str, Any] = {"Execution": {"Id": "run:1"}}


def scope(document: Json = None, seed: int = 1) -> Scope:
    generator = random.Random(seed)
    return Scope(document, lambda: CONTEXT, {"v": 7, "list": [1, 2]}, lambda: generator)


def call(text: str, document: Json = None) -> Any:
    return compile_call(text, "x.$")(scope(document))


def refusal(text: str, document: Json = None) -> str:
    with pytest.raises(StateFailure) as caught:
        call(text, document)
    assert caught.value.error == "States.IntrinsicFailure"
    assert caught.value.cause is not None
    return caught.value.cause


# -- what each function does -----------------------------------------------------------------------------------------


def test_there_are_the_18_functions_of_the_language() -> None:
    assert len(FUNCTIONS) == 18


@pytest.mark.parametrize(
    ("text", "document", "expected"),
    [
        ("States.Format('plain')", None, "plain"),
        ("States.Format('{}', 'x')", None, "x"),
        ("States.Format('{}{}-{}', 1, 1.5, 2.0)", None, "11.5-2.0"),
        ("States.Format('{} {} {}', null, true, false)", None, "null true false"),
        (r"States.Format('\{\} {} \'{}\' \\ 100% %s', 1, 2)", None, r"{} 1 '2' \ 100% %s"),
        ("States.Format('{}', $.brace)", {"brace": "{} {"}, "{} {"),
        ("States.Format($.t, 1, 2)", {"t": r"{} \{\} {}"}, "1 {} 2"),
        ("States.Format($.t, 1)", {"t": "C:\\dir\\x {}"}, "C:\\dir\\x 1"),
        ("States.Format('{}', $.o)", {"o": {"a": 1, "b": ["x", "y"]}}, "{a=1, b=[x, y]}"),
        ("States.Format('{} {}', $.o, $.a)", {"o": {}, "a": []}, "{} []"),
        ("States.Format('{}', $.o)", {"o": {"n": None, "t": True, "s": "a={", "": ""}}, "{n=null, t=true, s=a={, =}"),
        ("States.Format('{}', $.o)", {"o": {"m": {"k": [[], {}, [None]]}}}, "{m={k=[[], {}, [null]]}}"),
        ("States.Format('{}', $)", [1, 1.0, 12345678901234567890123, -0.5], "[1, 1.0, 12345678901234567890123, -0.5]"),
        ("States.Format('{}', $)", [1e21, -1.5e10, 1e-7, 12345678.5], "[1.0E21, -1.5E10, 1.0E-7, 1.23456785E7]"),
        ("States.Format('{}', $)", [0.001, 9999999.0, 0.00099, 1e-300], "[0.001, 9999999.0, 9.9E-4, 1.0E-300]"),
        ("States.Format('{}', States.Array('a', 1, null))", None, "[a, 1, null]"),
        ("States.Format('{}', $.b)", {"b": 1e21}, "1.0E21"),
        ("States.Format('{}', States.JsonToString($.o))", {"o": {"a": [1, None]}}, '{"a":[1,null]}'),
        ("States.Format('{} {}\\'s playlist.', $.a, $.b)", {"a": "A", "b": "B"}, "A B's playlist."),
        ("States.StringToJson('')", None, None),
        ("States.StringToJson(' \n')", None, None),
        ("States.StringToJson($.s)", {"s": ' {"a": [1, 2.5, "\\u00e9"]} '}, {"a": [1, 2.5, "é"]}),
        ("States.StringToJson('9007199254740993')", None, 9007199254740993),
        ("States.JsonToString($)", {"a": [1, 1.5, None, True, "é\n"]}, '{"a":[1,1.5,null,true,"é\\n"]}'),
        ("States.JsonToString('x')", None, '"x"'),
        ("States.ArrayPartition($, 4)", [1, 2, 3, 4, 5, 6, 7, 8, 9], [[1, 2, 3, 4], [5, 6, 7, 8], [9]]),
        ("States.ArrayPartition($, 2.5)", [1, 2, 3, 4], [[1, 2, 3], [4]]),
        ("States.ArrayPartition($, 2.49)", [1, 2, 3, 4], [[1, 2], [3, 4]]),
        ("States.ArrayPartition($, 0.5)", [1, 2], [[1], [2]]),
        ("States.ArrayPartition($, 2147483647)", [1], [[1]]),
        ("States.ArrayPartition($, 3)", [], []),
        ("States.ArrayContains($, 5)", [1, 5.0], True),
        ("States.ArrayContains($, 1)", [True, "1", [1]], False),
        ("States.ArrayContains($, 0)", [False, None, "", -0.0], True),
        ("States.ArrayContains($.l, $.w)", {"l": [{"a": 1, "b": [2]}], "w": {"b": [2.0], "a": 1}}, True),
        ("States.ArrayContains($.l, $.w)", {"l": [{"a": 1}], "w": {"a": 1, "b": None}}, False),
        ("States.ArrayContains($.l, $.w)", {"l": [[1, 2]], "w": [2, 1]}, False),
        ("States.ArrayContains($.l, $.w)", {"l": [[True]], "w": [1]}, False),
        ("States.ArrayRange(1, 9, 2)", None, [1, 3, 5, 7, 9]),
        ("States.ArrayRange(0, 10, 3)", None, [0, 3, 6, 9]),
        ("States.ArrayRange(5, 1, -2)", None, [5, 3, 1]),
        ("States.ArrayRange(3, 3, 1)", None, [3]),
        ("States.ArrayRange(3, 3, -1)", None, [3]),
        ("States.ArrayRange(5, 1, 1)", None, []),
        ("States.ArrayRange(1, 5, -1)", None, []),
        ("States.ArrayRange(1.4, 5.6, 2.2)", None, [1, 3, 5]),
        ("States.ArrayRange(0.5, 3.5, 0.5)", None, [1, 2, 3, 4]),
        ("States.ArrayRange(-0.5, -2.5, -1.5)", None, [0, -1, -2]),
        ("States.ArrayRange(1, 1000, 1)", None, list(range(1, 1001))),
        ("States.ArrayGetItem($, 0)", ["a", "b"], "a"),
        ("States.ArrayGetItem($, 1.49)", ["a", "b"], "b"),
        ("States.ArrayGetItem($, 0.5)", ["a", "b"], "b"),
        ("States.ArrayGetItem($, -0.5)", ["a", "b"], "a"),
        ("States.ArrayGetItem($, 0)", [None], None),
        ("States.ArrayLength($)", [1, [2, 3]], 2),
        ("States.ArrayUnique($)", [1, True, 1.0, "1", None, None, False, 0], [1, True, "1", None, False, 0]),
        ("States.ArrayUnique($)", [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [{"a": 1, "b": 2}]),
        ("States.ArrayUnique($)", [[1, 2], [2, 1], [1, 2]], [[1, 2], [2, 1]]),
        ("States.Base64Encode('Data to encode')", None, "RGF0YSB0byBlbmNvZGU="),
        ("States.Base64Encode('')", None, ""),
        ("States.Base64Encode('✓ 🚀')", None, "4pyTIPCfmoA="),
        ("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", None, "Data to encode"),
        ("States.Base64Decode('')", None, ""),
        ("States.Base64Decode('4pyTIPCfmoA=')", None, "✓ 🚀"),
        ("States.Hash('input data', 'MD5')", None, "812f45842bc6d66ee14572ce20db8e86"),
        ("States.Hash('input data', 'SHA-1')", None, "aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ("States.Hash($, 'SHA-256')", {"a": 1}, hashlib.sha256(b'{"a":1}').hexdigest()),
        ("States.Hash('é', 'SHA-384')", None, hashlib.sha384("é".encode()).hexdigest()),
        ("States.Hash('x', 'SHA-512')", None, hashlib.sha512(b"x").hexdigest()),
        ("States.JsonMerge($.a, $.b, false)", {"a": {"x": {"p": 1}}, "b": {"x": {"q": 2}}}, {"x": {"q": 2}}),
        ("States.JsonMerge($.a, $.b, false)", {"a": {"x": 1, "y": 1}, "b": {"x": None}}, {"x": None, "y": 1}),
        ("States.MathAdd(1, -3)", None, -2),
        ("States.MathAdd(1.49, 1.5)", None, 3),
        ("States.MathAdd(-1.5, -1.51)", None, -3),
        ("States.MathAdd(-0.5, 0.5)", None, 1),
        ("States.MathAdd(-3.5, 2.5)", None, 0),
        ("States.MathAdd(0.49999999999999994, 0)", None, 0),
        ("States.MathAdd(2147483646, 1)", None, 2147483647),
        ("States.StringSplit('1,2,3', ',')", None, ["1", "2", "3"]),
        ("States.StringSplit('This.is+a,test=string', '.+,=')", None, ["This", "is", "a", "test", "string"]),
        ("States.StringSplit(',,a,,b,', ',')", None, ["a", "b"]),
        ("States.StringSplit('1a2b3ab4', 'ab')", None, ["1", "2", "3", "4"]),
        ("States.StringSplit('a]b^c', ']^')", None, ["a", "b", "c"]),
        ("States.StringSplit('', ',')", None, []),
        ("States.StringSplit('abc', '')", None, ["abc"]),
        ("States.StringSplit('Hello\nWorld', '\n')", None, ["Hello", "World"]),
    ],
)  # fmt: skip
def test_a_function_gives_what_the_language_says(text: str, document: Json, expected: Json) -> None:
    got = call(text, document)
    assert got == expected
    # Python holds 1 == True == 1.0; the text tells them apart.
    assert json.dumps(got) == json.dumps(expected)


def test_the_example_of_nine_nested_calls_works() -> None:
    part = "States.ArrayGetItem(States.StringSplit(States.ArrayGetItem(States.StringSplit($.arn, '/'), 2), '.'), {})"
    text = f"States.Format('{{}}.{{}}.{{}}', {part.format(0)}, {part.format(1)}, 'x')"
    assert call(text, {"arn": "a/b/1.2"}) == "1.2.x"


@pytest.mark.parametrize(
    ("text", "document", "says"),
    [
        ("States.Format('{} {}', 1)", None, "has 2 {}, but 1 value follows"),
        ("States.Format('{}', 1, 2)", None, "has 1 {}, but 2 values"),
        (r"States.Format('\{\}', 1)", None, "has 0 {}, but 1 value follows"),
        ("States.Format('Hello {', 1)", None, r"holds a { on its own; write it as \{"),
        ("States.Format('{{}}', 1)", None, "holds a { on its own"),
        ("States.Format('}')", None, "holds a } on its own"),
        ("States.Format($.t, 1)", {"t": "{} {}"}, "has 2 {}, but 1 value follows"),
        ("States.Format($.t, 1)", {"t": 5}, "argument 1 must be a string, not 5"),
        ("States.StringToJson('{bad')", None, "is not JSON"),
        ("States.StringToJson('1 2')", None, "is not JSON"),
        ("States.StringToJson('NaN')", None, "is not JSON"),
        ("States.StringToJson('99999999999999999999999')", None, "64 bits"),
        ("States.StringToJson(1)", None, "argument 1 must be a string, not 1"),
        ("States.ArrayPartition($, 0)", [1], "argument 2 must be at least 1, not 0"),
        ("States.ArrayPartition($, -1)", [1], "at least 1"),
        ("States.ArrayPartition($, 0.49)", [1], "must be at least 1, not 0.49"),
        ("States.ArrayPartition($, '2')", [1], 'argument 2 must be a number, not "2"'),
        ("States.ArrayPartition('a', 2)", None, 'argument 1 must be an array, not "a"'),
        ("States.ArrayContains($, 1)", {"a": 1}, "argument 1 must be an array, not an object"),
        ("States.ArrayRange(1, 1001, 1)", None, "1001 items; at most 1000"),
        ("States.ArrayRange(1001, 1, -1)", None, "1001 items; at most 1000"),
        ("States.ArrayRange(-2147483648, 2147483647, 1)", None, "4294967296 items; at most 1000"),
        ("States.ArrayRange(1, 10, 0)", None, "argument 3 must not be 0"),
        ("States.ArrayRange(1, 10, 0.49)", None, "argument 3 must not be 0"),
        ("States.ArrayRange(true, 10, 1)", None, "argument 1 must be a number, not true"),
        ("States.ArrayGetItem($, 2)", ["a", "b"], "index 2 lies outside the array, which has 2 items"),
        ("States.ArrayGetItem($, 1.5)", ["a", "b"], "index 2 lies outside"),
        ("States.ArrayGetItem($, -1)", ["a", "b"], "argument 2 must be at least 0, not -1"),
        ("States.ArrayGetItem($, null)", ["a"], "argument 2 must be a number, not null"),
        ("States.ArrayLength('abc')", None, "must be an array"),
        ("States.ArrayUnique($)", {"a": 1}, "must be an array"),
        ("States.Base64Encode(1)", None, "must be a string"),
        ("States.Base64Encode($)", "a" * 10_001, "at most 10000 characters, not 10001"),
        ("States.Base64Decode($)", "a" * 10_001, "at most 10000 characters, not 10001"),
        ("States.Base64Decode(' YWJj')", None, "the text is not base64"),
        ("States.Base64Decode('YWJj\nZA==')", None, "the text is not base64"),
        ("States.Base64Decode('YWJjZA')", None, "the text is not base64"),
        ("States.Base64Decode('YWJjZA=')", None, "the text is not base64"),
        ("States.Base64Decode('YWJjZA==YWJj')", None, "the text is not base64"),
        ("States.Base64Decode('YWJjY')", None, "the text is not base64"),
        ("States.Base64Decode('_-A=')", None, "the text is not base64"),
        ("States.Base64Decode('=')", None, "the text is not base64"),
        ("States.Base64Decode('YWJé')", None, "the text is not base64"),
        ("States.Base64Decode('gICA')", None, "the decoded bytes are not UTF-8 text"),
        ("States.Hash($, 'MD5')", "a" * 10_001, "at most 10000 characters, not 10001"),
        ("States.Hash($.a, 'MD5')", {"a": ["a" * 9_999]}, "written as JSON may have at most 10000 characters"),
        ("States.Hash('x', 'SHA256')", None, 'must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512, not "SHA256"'),
        ("States.Hash('x', 'sha-256')", None, "must be one of"),
        ("States.Hash('x', $)", ["MD5"], "must be one of"),
        ("States.JsonMerge($, $, true)", {}, "argument 3 must be false: only shallow merging is supported"),
        ("States.JsonMerge($, $, 0)", {}, "argument 3 must be false, not 0"),
        ("States.JsonMerge($, null, false)", {}, "argument 2 must be an object, not null"),
        ("States.MathAdd('1', 2)", None, 'argument 1 must be a number, not "1"'),
        ("States.MathAdd(true, 2)", None, "argument 1 must be a number, not true"),
        ("States.MathAdd(2147483647, 1)", None, "the sum must lie between"),
        ("States.MathAdd(3000000000, -3000000000)", None, "argument 1 must lie between"),
        ("States.MathRandom(5, 5)", None, "the end 5 must be greater than the start 5"),
        ("States.MathRandom(1.5, 2.4)", None, "the end 2 must be greater than the start 2"),
        ("States.MathRandom(1, 10, 'seed')", None, "argument 3 must be a number"),
        ("States.MathRandom(1, 10, null)", None, "argument 3 must be a number"),
        ("States.StringSplit(1, ',')", None, "argument 1 must be a string, not 1"),
        ("States.StringSplit('a', null)", None, "argument 2 must be a string, not null"),
    ],
)  # fmt: skip
def test_a_function_refuses_what_it_cannot_do_and_says_which_and_why(text: str, document: Json, says: str) -> None:
    cause = refusal(text, document)
    name = text.partition("(")[0]
    assert cause.startswith(f"The function '{text}' had the following error: Invalid arguments in {name}: ")
    assert says in cause


def test_a_refusal_quotes_the_whole_field_and_names_the_function_inside() -> None:
    text = "States.Format('{}', States.ArrayGetItem($, 9))"
    assert refusal(text, []) == (
        f"The function '{text}' had the following error: "
        "Invalid arguments in States.ArrayGetItem: the index 9 lies outside the array, which has 0 items"
    )


def test_long_values_are_shortened_in_a_refusal() -> None:
    assert len(refusal("States.ArrayLength($)", "y" * 5_000)) < 200


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("States.Format('{}',$.nope)", "$.nope"),
        ("States.Format('{} {}', $.other, $.a.b)", "$.a.b"),
        ("States.Format('{}', States.Format('{}', $.nope))", "$.nope"),
        ("States.ArrayLength($.items[5])", "$.items[5]"),
        ("States.Array($nobody)", "$nobody"),
        ("States.Array($$.Nope.Deep)", "$$.Nope.Deep"),
    ],
)
def test_an_argument_that_finds_nothing_fails_as_a_path_alone_does_and_shows_the_input(text: str, path: str) -> None:
    with pytest.raises(StateFailure) as caught:
        call(text, {"other": 1, "items": []})
    assert caught.value.error == "States.Runtime"
    assert caught.value.cause == (
        f"The JSONPath '{path}' specified for the field 'x.$' "
        """could not be found in the input '{"other":1,"items":[]}'"""
    )


def test_values_nested_beyond_reason_are_refused_rather_than_overflowing() -> None:
    deep: Json = []
    for _ in range(5_000):
        deep = [deep]
    assert "nested deeper" in refusal("States.ArrayUnique($.a)", {"a": [deep]})
    assert "cannot be written" in refusal("States.JsonToString($.a)", {"a": deep})
    assert "cannot be written" in refusal("States.Hash($.a, 'MD5')", {"a": deep})


def test_equal_numbers_are_one_item_however_they_are_written() -> None:
    items: list[Json] = [
        1,
        1.0,
        "1.0",
        True,
        {"a": 2.0, "b": 1},
        {"b": 1, "a": 2},
        [1.5],
        [1.50],
        -0.0,
        0,
        "x1e5",
        "x1e5",
    ]
    expected: list[Json] = [1, "1.0", True, {"a": 2.0, "b": 1}, [1.5], -0.0, "x1e5"]
    assert call("States.ArrayUnique($)", items) == expected
    assert call("States.ArrayUnique($)", [*items, 10**30, 1e30, "\ud800", "\ud800"]) == [
        *expected,
        10**30,
        1e30,
        "\ud800",
    ]
    assert [call("States.ArrayContains($, true)", [wanted, 1]) for wanted in (1, True)] == [False, True]
    assert call("States.ArrayContains($.a, $.b)", {"a": [{"x": True}, {"x": 1}], "b": {"x": 1.0}}) is True
    assert call("States.ArrayContains($.a, $.b)", {"a": [{"x": True}], "b": {"x": 1.0}}) is False


#: The limit on the processor time of each call; a mebibyte or more of arguments took many seconds before.
SECONDS = 3
LETTERS = "".join(map(chr, range(0x100, 0xD000)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("States.StringSplit($.t, $.d)", {"t": LETTERS * 20, "d": LETTERS}),
        ("States.ArrayUnique($.a)", {"a": [{"a": i} for i in range(300_000)]}),
        ("States.ArrayContains($.a, $.b)", {"a": [{"a": i} for i in range(300_000)], "b": {"a": -1}}),
        ("States.ArrayContains($.b, $.a)", {"a": [{"a": i} for i in range(300_000)], "b": [1, 2]}),
        ("States.ArrayPartition($.a, 1)", {"a": [1] * 1_000_000}),
        ("States.Format($.t, 1)", {"t": "{}" + "x\\{" * 300_000}),
    ],
)
def test_a_call_with_large_arguments_takes_no_longer_than_they_are(text: str, value: dict[str, Any]) -> None:
    begun = time.process_time()
    call(text, value)
    assert time.process_time() - begun < SECONDS


def test_a_partition_into_too_many_arrays_is_refused_before_they_are_made() -> None:
    begun = time.process_time()
    assert "it would make 3,000,000 arrays; at most 2,000,000 are allowed" in refusal(
        "States.ArrayPartition($, 1)", [1] * 3_000_000
    )
    assert call("States.ArrayLength(States.ArrayPartition($, 2))", [1] * 3_000_000) == 1_500_000
    assert "at most 2,000,000 are compared" in refusal("States.ArrayUnique($)", [1] * 3_000_000)
    assert time.process_time() - begun < SECONDS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3, width=16) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def equal(one: Json, other: Json) -> bool:
    """JSON equality, written out."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return one == other


@given(json_values, json_values)
def test_the_key_of_two_values_is_the_same_exactly_when_they_are_equal(one: Json, other: Json) -> None:
    assert (equality_key(one) == equality_key(other)) is equal(one, other)
    assert equality_key(one) == equality_key(json.loads(json.dumps(one)))


@given(st.lists(json_values, max_size=6))
def test_array_unique_keeps_the_first_of_each(items: list[Json]) -> None:
    expected: list[Json] = []
    for item in items:
        if not any(equal(item, kept) for kept in expected):
            expected.append(item)
    assert json.dumps(call("States.ArrayUnique($)", items)) == json.dumps(expected)


@given(st.text(max_size=200))
def test_base64_there_and_back_gives_the_text(text: str) -> None:
    encoded = call("States.Base64Encode($)", text)
    assert encoded == base64.b64encode(text.encode()).decode()
    assert call("States.Base64Decode($)", encoded) == text


@given(json_values)
def test_json_there_and_back_gives_the_value(value: Json) -> None:
    assert call("States.StringToJson(States.JsonToString($.v))", {"v": value}) == value


# -- randomness ------------------------------------------------------------------------------------------------------


def test_a_random_number_lies_between_its_bounds_the_end_excluded() -> None:
    evaluate, where = compile_call("States.MathRandom(-2, 3)", "x"), scope()
    assert {evaluate(where) for _ in range(300)} == {-2, -1, 0, 1, 2}


def test_the_bounds_are_rounded_half_up() -> None:
    evaluate, where = compile_call("States.MathRandom(1.5, 3.5)", "x"), scope()
    assert {evaluate(where) for _ in range(100)} == {2, 3}
    evaluate = compile_call("States.MathRandom(1.49, 3.49)", "x")
    assert {evaluate(where) for _ in range(100)} == {1, 2}


def test_the_seed_is_rounded_half_up() -> None:
    evaluate = compile_call("States.MathRandom(0, 1000000, $.seed)", "x")
    assert evaluate(scope({"seed": 41.5})) == evaluate(scope({"seed": 42})) != evaluate(scope({"seed": 41.49}))


def test_the_same_seed_gives_the_same_number_whatever_the_scope() -> None:
    evaluate = compile_call("States.MathRandom(0, 1000000, $.seed)", "x")
    assert evaluate(scope({"seed": 42}, seed=1)) == evaluate(scope({"seed": 42}, seed=2))
    assert evaluate(scope({"seed": 42})) != evaluate(scope({"seed": 43}))


def test_without_a_seed_the_number_comes_from_the_scope() -> None:
    evaluate = compile_call("States.MathRandom(0, 1000000)", "x")
    assert evaluate(scope(seed=1)) == evaluate(scope(seed=1)) != evaluate(scope(seed=2))


def test_a_uuid_is_version_4_comes_from_the_scope_and_is_new_each_time() -> None:
    form = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    evaluate, where = compile_call("States.UUID()", "x"), scope()
    drawn = [str(evaluate(where)) for _ in range(50)]
    assert all(form.fullmatch(uuid) for uuid in drawn)
    assert len(set(drawn)) == 50
    assert evaluate(scope(seed=9)) == evaluate(scope(seed=9))


# -- for the validator -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("States.Format('{}', $.a)", []),
        ("States.Format($.t, 1, 2, 3)", []),
        ("States.Format('{} {}', $.a)", [(14, "has 2 {}, but 1 value follows")]),
        ("States.Hash($.a, 'SHA-3')", [(17, "argument 2 of States.Hash must be one of")]),
        ("States.JsonMerge($.a, $.b, true)", [(27, "argument 3 of States.JsonMerge must be false")]),
        ("States.MathAdd('1', null)", [(15, 'must be a number, not "1"'), (20, "must be a number, not null")]),
        ("States.Array(States.ArrayPartition($, 0))", [(38, "must be at least 1")]),
        ("States.ArrayGetItem($.a, -1)", [(25, "must be at least 0")]),
        ("States.ArrayRange(1, 5000, 1)", [(18, "at most 1000")]),
        ("States.Array(States.MathRandom(5, 1))", [(31, "must be greater than the start")]),
        ("States.StringToJson('[1')", [(20, "")]),
        ("States.Base64Decode('*')", [(20, "not base64")]),
        ("States.MathRandom(1, 5)", []),
        ("States.ArrayRange(1, $.n, 1)", []),
        ("States.Format(States.UUID(), States.MathAdd(true, 1))", [(44, "must be a number, not true")]),
    ],
)
def test_what_constants_alone_show_to_fail_is_told_beforehand(text: str, problems: list[tuple[int, str]]) -> None:
    found = literal_problems(text)
    assert [problem.position for problem in found] == [position for position, _ in problems]
    for problem, (_, says) in zip(found, problems, strict=True):
        assert says in problem.message


def test_every_recorded_call_gives_the_recorded_value() -> None:
    if not CASES.exists():
        pytest.skip("the recorded answers are not beside this checkout")
    wrong = []
    for line in CASES.read_text().splitlines():
        case = json.loads(line)
        # What is drawn at random, or was given a name by the account, has no recorded value.
        if case["group"] != "intrinsics" or case["nondeterministic"] or re.search(r"uuid|random", case["id"]):
            continue
        state = next(iter(case["definition"]["States"].values()))
        context: Json = {"Execution": {"Input": case["input"]}}
        where = Scope(case["input"], lambda c=context: c, {}, lambda: random.Random(1))  # type: ignore[misc]  # mypy cannot type a default
        got: Any = compile_template(state["Parameters"])(where)
        expected = case["expect"]["output"]
        if "ResultPath" in state:  # and an OutputPath that undoes it, except for the member's name
            (got,) = got.values()
        if json.dumps(got, sort_keys=True) != json.dumps(expected, sort_keys=True):
            wrong.append((case["id"], got, expected))
    assert wrong == []
