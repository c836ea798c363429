"""No expression holds up a worker, and one compiled expression serves many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from random import Random

import pytest

from sm_cli.expr.jsonata.aws_functions import FUNCTIONS
from sm_cli.expr.jsonata.engine import JsonataEngine
from sm_cli.expr.jsonata.expressions import EvaluationFailure, compile_expression
from sm_cli.expr.jsonata.python_engine import PythonEngine
from sm_cli.expr.limits import AWS, DEFAULT, Limits
from sm_cli.expr.scope import JsonataScope
from sm_cli.jsonvalue import Json
from sm_cli.testing import simulate

#: Small limits make the same code stop soon.
STRICT: JsonataEngine = PythonEngine(FUNCTIONS, max_steps=20_000, max_depth=200)
DOUBLING = "$reduce([1..60], function($a, $b) {[[$a], [$a]]}, 1)"
DOUBLING_OBJECTS = "$reduce([1..60], function($a, $b) {{'a': $a, 'b': $a}}, 1)"


def value_of(expression: str, input: Json = None, engine: JsonataEngine | None = None) -> Json:
    scope = JsonataScope(input, dict, {}, lambda: Random(1))
    return compile_expression("{% " + expression + " %}", "Output", engine)(scope)


def cause_of(expression: str, input: Json = None) -> str:
    with pytest.raises(EvaluationFailure) as raised:
        value_of(expression, input, STRICT)
    return str(raised.value.cause)


@pytest.mark.parametrize(
    "expression",
    [
        "($f := function($x) {$f($x)}; $f(1))",
        "($f := function($x) {$x > 0 ? $f($x + 1) : $g($x)}; $g := function($x) {$f($x)}; $f(1))",
        "$map([1..1000], function($x) {$map([1..1000], function($y) {$y})})",
        "[1..1000].([1..1000].([1..1000]))",
        DOUBLING,
        DOUBLING_OBJECTS,
        f"$string({DOUBLING})",
        f"$clone({DOUBLING_OBJECTS})",
        f"$distinct([1, {DOUBLING_OBJECTS}])",
        f"$count({DOUBLING}.**)",
        f"{DOUBLING}.*",
        f"{DOUBLING}.name",
        f"$keys({DOUBLING})",
        f"$spread({DOUBLING})",
        "$boolean($reduce([1..60], function($a, $b) {[[$a], [$a]]}, 0))",
        f"($a := {DOUBLING}; $b := {DOUBLING}; $a = $b)",
        '$states.input ~> |$|{"self": $}|',
        "$sum($map([1..1000], function($x) {$sum([1..1000])}))",
    ],
)
def test_an_expression_that_would_run_for_ever_fails_in_a_sentence(expression: str) -> None:
    assert cause_of(expression, {"a": list(range(100))}).endswith(
        ("takes more than 20,000 steps; look for a loop that does not end.",)
    )


def test_a_recursion_that_does_not_end_fails_in_a_sentence() -> None:
    assert cause_of("($f := function($x) {1 + $f($x)}; $f(1))") == (
        "The JSONata expression '($f := function($x) {1 + $f($x)}; $f(1))' specified for the field 'Output' nests "
        "deeper than 200 steps; look for a recursion that does not end."
    )


def test_pythons_own_limit_is_no_crash_either() -> None:
    deep: JsonataEngine = PythonEngine(FUNCTIONS, max_depth=10**9)
    with pytest.raises(EvaluationFailure, match="nests too deeply; look for a recursion"):
        value_of("($f := function($x) {1 + $f($x)}; $f(1))", engine=deep)


@pytest.mark.parametrize(
    "expression",
    [
        '$reduce([1..60], function($a, $b) {$a & $a}, "x")',
        '$pad("x", 1000000000)',
        '$pad("x", -1000000000)',
        "$replace($states.input, 'x', $states.input)",
        "$replace($states.input, /x/, $states.input)",
        "$join($map([1..4000], function() {$states.input}))",
        "[1..100000000]",
        "$range(1, 100000000, 1)",
    ],
)
def test_nothing_enormous_is_made(expression: str) -> None:
    with pytest.raises(EvaluationFailure, match=r"threw an error during evaluation\."):
        value_of(expression, "x" * 5_000)


def test_useful_work_is_far_from_the_limits() -> None:
    rows: Json = [{"id": i, "v": i / 7} for i in range(5_000)]
    assert value_of("$count($map($states.input, function($r) {$r.v > 1 ? $r.id : 0}))", rows) == 5_000
    assert value_of("($f := function($n) {$n = 0 ? 0 : 1 + $f($n - 1)}; $f(150))") == 150
    assert value_of("($f := function($n, $a) {$n = 0 ? $a : $f($n - 1, $a + 1)}; $f(20000, 0))") == 20_000


def test_a_limit_counts_each_evaluation_by_itself() -> None:
    evaluate = compile_expression("{% $sum([1..1000].($ * 2)) %}", "Output", STRICT)
    for _ in range(20):
        assert evaluate(JsonataScope(None, dict, {}, lambda: Random(1))) == 1_001_000


def test_one_compiled_expression_serves_many_threads_at_once() -> None:
    text = (
        "{% ($add := $append(?, [$states.input.n]); $f := function($x) {$x * $states.input.n}; "
        "$map($add([1..20]), $f) ~> $sum) & '/' & $random() %}"
    )
    evaluate = compile_expression(text, "Output")

    def run(n: int) -> Json:
        return evaluate(JsonataScope({"n": n}, dict, {}, lambda: Random(n)))

    expected = [run(n) for n in range(60)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(60))) == expected


@pytest.mark.parametrize(
    "expression",
    ["$contains($x, R)", "$match($x, R)", "$replace($x, R, 'y')", "$split($x, R)", "R($x)"],
)
def test_a_regular_expression_that_backtracks_for_ever_is_given_up(
    expression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sm_cli.expr.jsonata.regex.LONGEST", 0.05)
    cause = cause_of(f"($x := '{'x' * 60}!'; {expression.replace('R', '/(x|xx)+$/')})")
    assert "takes more than 0.05 s to match a regular expression" in cause


def bounded(expression: str, input: Json = None, limits: Limits = DEFAULT) -> Json:
    scope = JsonataScope(input, dict, {}, lambda: Random(1), limits=limits)
    return compile_expression("{% " + expression + " %}", "Output")(scope)


JOIN = "$states.input.a@$x.$states.input.b@$y[$x.id = $y.id].{'id': $x.id}"
ROWS: Json = [{"id": n} for n in range(2_000)]


@pytest.mark.parametrize(
    "expression",
    [
        JOIN,
        "$count($states.input.a@$x.$states.input.b)",
        "$states.input.a#$i.$states.input.b#$j",
        "$map([1..1000], function() {[1..5000]})",
    ],
)
def test_what_is_made_on_the_way_is_bounded(expression: str) -> None:
    with pytest.raises(EvaluationFailure, match="makes more than 2,000,000 values on the way to its result"):
        bounded(expression, {"a": ROWS, "b": ROWS})


def test_a_small_join_gives_its_rows() -> None:
    few: Json = [{"id": 1}, {"id": 2}, {"id": 3}]
    assert bounded(JOIN, {"a": few, "b": [{"id": 3}, {"id": 1}]}) == [{"id": 1}, {"id": 3}]
    indexed = "$states.input.a#$i.{'at': $i, 'id': id}"
    assert bounded(indexed, {"a": few}) == [{"at": n, "id": n + 1} for n in range(3)]
    assert bounded("$states.input.a.id.{'n': $, 'of': %.id}", {"a": few}) == [{"n": n, "of": n} for n in (1, 2, 3)]


def test_an_evaluation_is_bounded_in_seconds_of_the_processor() -> None:
    clock = count(0.0, 3.0)  # each look finds three seconds gone
    scope = JsonataScope(None, dict, {}, lambda: Random(1), clock=lambda: next(clock))
    evaluate = compile_expression("{% $sum($map([1..100000], function($x) {$x * 2})) %}", "Output")
    with pytest.raises(EvaluationFailure, match="takes more than 10 seconds"):
        evaluate(scope)
    assert next(clock) == 15.0


@pytest.mark.parametrize(
    ("fits", "too_much", "says"),
    [
        ("$count([1..873783])", "$count([1..873784])", "makes a range of 873,784 items; 873,783 are allowed"),
        ("+".join(["1"] * 200), "+".join(["1"] * 201), "nests 201 levels deep; AWS takes 200"),
        ("&".join(["'a'"] * 200), "&".join(["'a'"] * 201), "nests 201 levels deep; AWS takes 200"),
    ],
)
def test_aws_bounds_hold_where_they_are_asked_for(fits: str, too_much: str, says: str) -> None:
    bounded(fits, limits=AWS)
    bounded(too_much)
    with pytest.raises(EvaluationFailure, match=says):
        bounded(too_much, limits=AWS)


def test_a_recursion_is_no_nesting() -> None:
    assert bounded("($f := function($n) {$n = 0 ? 0 : 1 + $f($n - 1)}; $f(150))", limits=AWS) == 150


@pytest.mark.parametrize("limits", [False, True])
def test_an_execution_is_held_to_them_with_aws_limits(limits: bool) -> None:
    state = {"Type": "Pass", "Output": "{% $count([1..873784]) %}", "End": True}
    outcome = simulate({"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": state}}, aws_limits=limits)
    assert outcome.error == ("States.QueryEvaluationError" if limits else None)
    assert outcome.output == (None if limits else 873_784)


def test_a_number_that_json_has_not_is_its_name() -> None:
    assert bounded("[1/0, -1/0, 0/0]") == ["Infinity", "-Infinity", "NaN"]
    assert bounded("{'a': {'b': 1/0}}") == {"a": {"b": "Infinity"}}
    assert bounded("1/0") == "Infinity"
    with pytest.raises(EvaluationFailure, match="D1001"):
        bounded("1/0 + 1")
