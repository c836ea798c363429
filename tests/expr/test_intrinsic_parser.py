"""The grammar of intrinsic calls: what is read, and where and why anything else is refused."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.expr.intrinsics.calls import IntrinsicError, compile_call
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json

CONTEXT: dict[str, Any] = {"Execution": {"Id": "run:1"}}


def call(text: str, document: Json = None) -> Any:
    where = Scope(document, lambda: CONTEXT, {"v": 7, "list": [1, 2]}, lambda: random.Random(1))
    return compile_call(text, "x.$")(where)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", []),
        ("  ", []),
        ("1, -2, 2.5, -0.5, 0, 1e2, 1.5E-1", [1, -2, 2.5, -0.5, 0, 100.0, 0.15]),
        ("null, true, false", [None, True, False]),
        ("'a','b'  ,  'c'", ["a", "b", "c"]),
        ("''", [""]),
        (r"'it\'s \{\} \\ ok'", [r"it's {} \ ok"]),
        ("'{\"a\": [1, 2)}'", ['{"a": [1, 2)}']),
        ("'two\nlines\tand a tab'", ["two\nlines\tand a tab"]),
        ("'$.a', 'null', '1'", ["$.a", "null", "1"]),
        ("'ünï 🚀'", ["ünï 🚀"]),
        ("\n  $.a ,\n  2\n", [{"b": 5}, 2]),
        ("$.a.b, $, $$.Execution.Id, $v, $list[1]", [5, {"a": {"b": 5}, "c,d)": 1}, "run:1", 7, 2]),
        ("$['c,d)']", [1]),
        ("$..b", [[5]]),
        ("States.Array(), States.Array(1)", [[], [1]]),
        ("States.Array(States.Array($.a.b))", [[[5]]]),
    ],
)
def test_arguments_are_read_as_they_are_written(arguments: str, expected: list[Any]) -> None:
    assert call(f"States.Array({arguments})", {"a": {"b": 5}, "c,d)": 1}) == expected


def test_the_path_of_an_argument_may_hold_commas_and_brackets_of_its_own() -> None:
    document: Json = {"items": [{"n": "x, (y]", "v": 1}, {"n": "z", "v": 2}]}
    assert call("States.ArrayLength($.items[?(@.n == 'x, (y]')])", document) == 1
    assert call("States.Array($.items[0,1].v, $.items[?(@.v > 1 && (@.n == 'z'))].n)", document) == [[1, 2], ["z"]]


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "begins with States."),
        (" States.UUID()", 0, "begins with States."),
        ("JsonToString($)", 0, "begins with States."),
        ("States.", 0, "name of a function"),
        ("States. UUID()", 0, "name of a function"),
        ("States.UUID", 11, "opening parenthesis"),
        ("States.UUID ()", 11, "opening parenthesis"),
        ("States.UUID(", 12, "missing"),
        ("States.Array(1", 14, "never closed"),
        ("States.JsonToString($", 21, "never closed"),
        ("States.UUID() x", 14, "nothing may follow"),
        ("States.UUID())", 13, "nothing may follow"),
        ("States.Nope()", 0, "no intrinsic function States.Nope"),
        ("States.uuid()", 0, "no intrinsic function States.uuid"),
        ("States.Array(States.Nope())", 13, "no intrinsic function States.Nope"),
        ("States.Array(1,)", 15, "missing"),
        ("States.Array(,1)", 13, "missing"),
        ("States.Array($.a $.b)", 17, "comma"),
        ("States.Array('a' 'b')", 17, "comma"),
        ("States.Array(oops)", 13, "oops is no argument"),
        ("States.Array(True)", 13, "True is no argument"),
        ("States.Array(01)", 13, "01 is no argument"),
        ("States.Array(1.)", 13, "1. is no argument"),
        ("States.Array(.5)", 13, ".5 is no argument"),
        ("States.Array(+1)", 13, "+1 is no argument"),
        ('States.Array("a")', 13, "single quotes"),
        ("States.Array({})", 13, "{} is no argument"),
        ("States.Array(99999999999999999999999)", 13, "64 bits"),
        ("States.Array(1e999)", 13, "cannot keep exactly"),
        ("States.Array('a)", 13, "quote is never closed"),
        ("States.Array('a\\')", 13, "quote is never closed"),
        ("States.Array('a\\n')", 15, "backslash"),
        ("States.Array('\\\"')", 14, "backslash"),
        ("States.Array('\\", 14, "backslash"),
        ("States.Array($.a[)", 16, "not closed"),
        ("States.Array($.a[0", 16, "never closed"),
        ("States.Array($['a)", 15, "quote in this path"),
        ("States.Array(1, $.)", 16, ""),
        ("States.MathAdd(1)", 0, "takes 2 arguments, not 1"),
        ("States.Array(States.UUID(1))", 13, "takes 0 arguments, not 1"),
        ("States.MathRandom(1)", 0, "takes 2 or 3 arguments, not 1"),
        ("States.ArrayLength(1, 2)", 0, "takes 1 argument, not 2"),
        ("States.Format()", 0, "takes at least 1 argument, not 0"),
    ],
)
def test_what_is_no_call_is_refused_with_the_place(text: str, position: int, says: str) -> None:
    with pytest.raises(IntrinsicError) as caught:
        compile_call(text, "x.$")
    assert says in caught.value.message
    assert caught.value.message.startswith("field 'x.$': ")
    assert position <= caught.value.position <= position + (2 if not says else 0)


def nested(depth: int) -> str:
    return "States.Array(" * depth + ")" * depth


def test_ten_calls_in_a_field_are_allowed_and_eleven_are_not() -> None:
    compile_call(nested(10), "x")
    compile_call(f"States.Array({', '.join(['States.UUID()'] * 9)})", "x")
    for text in (nested(11), f"States.Array({', '.join(['States.UUID()'] * 10)})", nested(100_000)):
        with pytest.raises(IntrinsicError, match="at most 10 intrinsic functions"):
            compile_call(text, "x")


@given(st.text())
def test_any_text_can_be_written_as_a_quoted_argument(text: str) -> None:
    written = re.sub(r"(['\\])", r"\\\1", text)
    assert call(f"States.Array('{written}')") == [text]


@given(st.text("States.Array(Format'$[]{}\\, 1", max_size=40))
def test_no_text_whatever_breaks_the_parser(rest: str) -> None:
    try:
        compile_call(f"States.Array({rest}", "x")
    except IntrinsicError as e:
        assert 0 <= e.position <= len(rest) + 13
