"""What JSONata's own implementation, 2.0.6, answered to expressions of ours, and where we differ on purpose.

`jsonata_reference.jsonl`: in the first line the names that are bound, then an expression a line with its `value`, or
`undefined`, `function` (the result is one), or the code of its `error`.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sm_cli.expr.jsonata.engine import EngineError, EngineSyntaxError, Undefined, UnsupportedResultError
from sm_cli.expr.jsonata.expressions import default_engine
from sm_cli.expr.jsonata.python_engine import PythonEngine
from sm_cli.expr.scope import JsonataScope

LINES = [json.loads(line) for line in (Path(__file__).parent / "jsonata_reference.jsonl").read_text().splitlines()]
BINDINGS: dict[str, Any] = LINES[0]["bindings"]
#: 2023-11-14T22:13:20Z
NOW = 1_700_000_000_000_000


def answer(expression: str) -> dict[str, Any]:
    scope = JsonataScope(None, dict, {}, lambda: Random(1), {}, NOW)
    try:
        value = default_engine().compile(expression).evaluate(BINDINGS, scope)
    except (EngineError, EngineSyntaxError) as e:
        return {"error": e.code}
    except UnsupportedResultError:
        return {"function": True}
    return {"undefined": True} if isinstance(value, Undefined) else {"value": value}


def exact(value: Any) -> str:
    """JSON text in which 1 and 1.0 are the same, and 1 and true are not."""
    return json.dumps(json.loads(json.dumps(value), parse_float=lambda text: normal(float(text))), sort_keys=True)


def normal(number: float) -> float:
    return int(number) if number.is_integer() else number


# The package asks for the time in a way that newer Pythons warn of; what it gets is not used.
@pytest.mark.filterwarnings("ignore:.*utcnow.*:DeprecationWarning")
@pytest.mark.parametrize("case", LINES[1:], ids=lambda case: case["expression"][:60])
def test_an_expression_answers_what_the_reference_answers(case: dict[str, Any]) -> None:
    before = json.dumps(BINDINGS)
    expected = {key: value for key, value in case.items() if key != "expression"}
    assert exact(answer(case["expression"])) == exact(expected)
    assert json.dumps(BINDINGS) == before


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # The reference answers Infinity or NaN, which JSON does not have; AWS writes their names.
        ("1 / 0", {"value": "Infinity"}),
        ("-1 / 0", {"value": "-Infinity"}),
        ("5 % 0", {"value": "NaN"}),
        ("1e300 * 1e10", {"value": "Infinity"}),
        ("$sum([1e308, 1e308])", {"error": "D1001"}),
        # It loses what is beyond its letters' 8 bits; here text is UTF-8 both ways.
        ('$base64encode("é")', {"value": "w6k="}),
        ('$base64decode($base64encode("żółw"))', {"value": "żółw"}),
        # It rounds an integer of the input that a double cannot hold, although nothing was computed.
        ("$big", {"value": 9007199254740993}),
        # It gives null for a date that does not exist.
        ('$toMillis("2024-13-01T00:00:00Z")', {"error": "D3110"}),
        # AWS has no $eval.
        ('$eval("1")', {"error": "T1006"}),
        ("$eval", {"undefined": True}),
        # It fails in JavaScript's own words where a number is to be given a member.
        ('($o ~> |b.c|{"x": 1}|).b.c', {"value": [1, 2, {"d": "deep", "x": 1}]}),
        # It shows how it is made inside.
        ("[function($x){$x}]", {"function": True}),
    ],
)
def test_where_we_differ_from_the_reference_it_is_on_purpose(expression: str, expected: dict[str, Any]) -> None:
    assert answer(expression) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        # A function that is handed over or called by a name, and one whose context item does not fit.
        (
            "($f := function($x)<n:n>{ $x + 1 }; $f('a'))",
            'Argument 1 of function "f" does not match function signature',
        ),
        # What fails to the right of `and` and `or` is said of the operator, and `~>` leaves a function unnamed.
        ("$t and $length(5)", 'Argument 1 of function "and" does not match function signature'),
        ("$f or 1 < 'a'", 'The values 1 and "a" either side of operator "or" must be of the same data type'),
        ("$append(5 ~> |$|{}|, 1)", "Argument 1 of function undefined does not match function signature"),
        (
            "$power(2, $nothing)",
            "The power function has resulted in a value that cannot be represented as a JSON number: "
            "base=2, exponent=undefined",
        ),
        ("$arr.$uppercase()", 'Context value is not a compatible type with argument 1 of function "uppercase"'),
        (
            "$formatNumber(1, '0..0')",
            "The sub-picture must not contain more than one instance of the 'decimal-separator' character",
        ),
        (
            "$formatInteger(1, 's')",
            'Formatting or parsing an integer as a sequence starting with "s" is not supported by this implementation',
        ),
        ("$fromMillis($ms, '[Q]')", 'Unknown component specifier "Q" in date/time picture string'),
        (
            "$fromMillis($ms, '[YN]')",
            "The 'name' modifier can only be applied to months and days in the date/time picture string, not \"Y\"",
        ),
        ("$error('')", "$error() function evaluated"),
        ("[{'a': 1}, {'a': 'x'}]^(a)", 'Type mismatch when comparing values 1 and "x" in order-by clause'),
    ],
)
def test_an_error_is_said_in_the_words_of_the_reference(expression: str, message: str) -> None:
    scope = JsonataScope(None, dict, {}, lambda: Random(1), {}, NOW)
    with pytest.raises((EngineError, EngineSyntaxError)) as failure:
        default_engine().compile(expression).evaluate(BINDINGS, scope)
    assert str(failure.value) == message


def test_a_sort_term_is_evaluated_once_for_each_item() -> None:
    items: list[Any] = [{"k": i * 7919 % 1009} for i in range(1000)]
    scope = JsonataScope(None, dict, {}, lambda: Random(1), {}, NOW)
    found = PythonEngine({}, max_steps=5_000).compile("$items^(>k).k").evaluate({"items": items}, scope)
    assert found == sorted((item["k"] for item in items), reverse=True)
