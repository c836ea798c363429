"""JSONata expressions and calls: what is found in them, and the very characters that are marked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sm_cli.asl.validation.validate import check
from sm_cli.diagnostics import Diagnostic

State = dict[str, Any]


def marked(text: str, found: Diagnostic) -> str:
    """The characters of a one-line stretch that a diagnostic points at."""
    place = found.position
    assert place is not None
    assert place.line == place.end_line
    return text.splitlines()[place.line - 1][place.column - 1 : place.end_column - 1]


def output(expression: Any, **fields: Any) -> str:
    state = {"Type": "Pass", "Output": expression, "End": True, **fields}
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}}, ensure_ascii=False)


def only(text: str) -> Diagnostic:
    [found] = check(text)[1]
    return found


#: (expression, code, marked, a piece of the message or of the hint)
FOUND: list[tuple[str, str, str, str]] = [
    ("{% 1 + %}", "SM810", "%}", "Unexpected end of expression"),
    ("{% %}", "SM810", "%}", "no expression between"),
    ("{% $sum($states.input.a %}", "SM810", "%}", 'Expected ")"'),
    ("{% [1, 2) %}", "SM810", ")", 'Expected "]", got ")"'),
    ("{% $.a[?(@.b < 1)] %}", "SM810", "?", "looks like JSONPath"),
    ("{% 1 && 2 %}", "SM810", "&&", "JSONata writes and"),
    ("{% 1 || 2 %}", "SM810", "||", "JSONata writes or"),
    ("{% 1 == 2 %}", "SM810", "==", "JSONata writes ="),
    ("{% 1 !== 2 %}", "SM810", "!==", "JSONata writes !="),
    ("{% !true %}", "SM810", "!", "JSONata writes $not"),
    ("{% 1; 2 %}", "SM810", ";", "in parentheses"),
    ("{% $states.input.a ?? 1 %}", "SM811", "??", "2.0.6"),
    ("{% $states.input.a ?: 1 %}", "SM811", "?:", "2.0.6"),
    ("{% $upperCase('a') %}", "SM812", "$upperCase", "did you mean $uppercase?"),
    ("{% $states.input.a ~> $sums %}", "SM812", "$sums", "did you mean $sum?"),
    ("{% $randomSeeded(1) %}", "SM812", "$randomSeeded", "did you mean $random?"),
    ("{% $eval('1') %}", "SM813", "$eval", "$parse"),
    ("{% $states.result %}", "SM814", "$states.result", "A Pass state has no $states.result"),
    ("{% {'a': $states.errorOutput.Cause} %}", "SM814", "$states.errorOutput", "only in the Output and Assign"),
    ("{% $states.inputs.a %}", "SM815", "inputs", "did you mean input?"),
    ("{% $.a %}", "SM816", "$", "write $states.input.a"),
    ("{% $$ %}", "SM816", "$$", "write $states.context"),
    ("{% $sum(prices) %}", "SM816", "prices", "'prices' for text"),
    ("{% $map([1], function($v){ $v + n }) %}", "SM816", "n", "names nothing"),
    ("{% $name %}", "SM817", "$name", "no state assigns it"),
    ("{% $states.context.Execution.ID %}", "SM320", "$states.context.Execution.ID", "no Execution.ID did you mean Id?"),
    ("{% $states.context.Task.Token %}", "SM321", "$states.context.Task.Token", "waits for no token"),
    ("{% 1", "SM804", "{%", "not closed"),
    ("{% 1 %} ", "SM804", "%}", "nothing may follow %}"),
    ("Hello {% 1 %}", "SM804", "%}", "join text inside it"),
    ("1 %}", "SM804", "%}", "not opened"),
    ("{%10%}", "SM807", '"{%10%}"', "write {% 10 %}"),
    ("$.a", "SM809", '"$.a"', "write {% $states.input.a %}"),
]


@pytest.mark.parametrize(("expression", "code", "word", "words"), FOUND, ids=[f"{c} {e}" for e, c, *_ in FOUND])
def test_a_mistake_in_an_expression_is_marked_at_its_word(expression: str, code: str, word: str, words: str) -> None:
    text = output({"a": expression})
    found = only(text)
    assert (found.code, found.pointer) == (code, "/States/A/Output/a")
    assert marked(text, found) == word
    assert words in f"{found.message} {found.hint}"


RIGHT = [
    "{% $states.input.items[price > 10].(name & $string(count)) %}",
    "{% $states.input.items^(>price)[0].name %}",
    "{% $states.input.items{kind: $sum(price)} %}",
    "{% ($a := 1; $f := function($n) { $n < 1 ? 0 : $f($n - $a) }; $f(3)) %}",
    "{% $map($states.input.l, function($v, $i, $all) { {'v': $v, 'i': $i, 'n': $count($all)} }) %}",
    "{% $reduce($states.input.l, function($s, $v) { $s + $v }, 0) %}",
    "{% $states.input ~> |items|{'seen': true}, ['x']| %}",
    "{% $states.input.orders@$o.lines@$l[$l.id = $o.id].{'o': $o.id, 'l': $l.n} %}",
    "{% $states.input.l#$i[$i < 2] %}",
    "{% $states.input.a.%.b %}",
    "{% $exists($missing) ? 1 : 2 %}",
    "{% $sum(?, 1) %}",
    "{% $contains($states.input.t, /a(b)?/i) %}",
    "{% $partition([1..5], 2) ~> $count %}",
    "{% $uuid() & $hash('a', 'MD5') & $parse('1') & $random() %}",
    "{% /* nothing */ $states.input %}",
    "{% $states %}",
    "{% $states.context.Execution.Input.a.b %}",
]


@pytest.mark.parametrize("expression", RIGHT)
def test_what_is_right_is_not_complained_of(expression: str) -> None:
    found = [d for d in check(output(expression))[1] if d.code != "SM817" or "$missing" not in d.message]
    assert [str(d) for d in found] == []


@pytest.mark.parametrize(
    ("state", "code", "below"),
    [
        ({"Type": "Wait", "Seconds": "{% 1 + %}", "End": True}, "SM810", "/Seconds"),
        ({"Type": "Fail", "Cause": "{% 1 + %}"}, "SM810", "/Cause"),
        ({"Type": "Task", "Resource": "r", "TimeoutSeconds": "{% a %}", "End": True}, "SM816", "/TimeoutSeconds"),
        ({"Type": "Task", "Resource": "r", "Arguments": "{% $states.result %}", "End": True}, "SM814", "/Arguments"),
        ({"Type": "Task", "Resource": "r", "Arguments": {"{% 1 %}": 1}, "End": True}, "SM808", "/Arguments/{% 1 %}"),
    ],
)
def test_expressions_are_read_in_every_field_that_may_hold_one(state: State, code: str, below: str) -> None:
    definition: State = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}}
    assert [(d.code, d.pointer) for d in check(definition)[1]] == [(code, f"/States/A{below}")]


def test_a_catcher_has_the_error_and_not_the_result() -> None:
    def caught(expression: str) -> list[str]:
        catcher = {"ErrorEquals": ["States.ALL"], "Output": expression, "Next": "B"}
        task: State = {
            "Type": "Task",
            "Resource": "r",
            "Output": "{% $states.result %}",
            "Catch": [catcher],
            "Next": "B",
        }
        states: State = {"A": task, "B": {"Type": "Succeed"}}
        return [d.code for d in check({"QueryLanguage": "JSONata", "StartAt": "A", "States": states})[1]]

    assert caught("{% $states.errorOutput.Cause %}") == []
    assert caught("{% $states.result %}") == ["SM814"]


def test_the_character_is_found_behind_escapes_of_json() -> None:
    text = (
        output('{% "\U0001f600\\n\\"" & $uper("é") %}').replace("é", "\\u00e9").replace("\U0001f600", "\\ud83d\\ude00")
    )
    assert marked(text, only(text)) == "$uper"


BLOCKS = [
    ("|-\n        {% (\n          $x := 1;\n\n          $uper($x)\n        ) %}", 9),
    (">-\n        {% $states.input.a &\n           $uper('a') %}", 7),
    ("'{% $states.input.a & ''its'' & $uper(1) %}'", 5),
    ('"{% $states.input.a & \\"\\u00e9\\" & \\\n         $uper(1) %}"', 6),
]


@pytest.mark.parametrize(("written", "line"), BLOCKS)
def test_the_character_is_found_in_every_style_of_yaml(written: str, line: int) -> None:
    text = f"QueryLanguage: JSONata\nStartAt: A\nStates:\n  A:\n    Output: {written}\n    Type: Pass\n    End: true\n"
    document, found = check(text)
    [problem] = [d for d in found if d.code == "SM812"]
    assert document is not None
    assert problem.position is not None
    assert (problem.position.line, marked(text, problem)) == (line, "$uper")


@pytest.mark.parametrize(
    ("call", "code", "word", "words"),
    [
        ("States.Array(1, States.Uuid())", "SM305", "States.Uuid", "did you mean States.UUID?"),
        ("States.Array(1, nope)", "SM305", "nope", "no argument"),
        ("States.Array(1, $.a[)", "SM305", "[", "not closed"),
        ("States.MathAdd(1)", "SM305", "States.MathAdd", "takes 2 arguments"),
        ("States.Hash($.a, 'SHA-3')", "SM306", "'SHA-3'", "fails whenever it runs"),
        ("States.Format('{} {}', $.a)", "SM306", "'{} {}'", "fails whenever it runs"),
        ("$.a.b[", "SM305", "[", "holds no path"),
        ("$name", "SM817", "$name", "no state assigns it"),
        ("States.Format('{}', $name.x)", "SM817", "$name", "no state assigns it"),
    ],
)
def test_a_mistake_in_a_call_is_marked_at_its_word(call: str, code: str, word: str, words: str) -> None:
    state = {"Type": "Pass", "Parameters": {"a.$": call}, "End": True}
    text = json.dumps({"StartAt": "A", "States": {"A": state}})
    found = only(text)
    assert (found.code, marked(text, found)) == (code, word)
    assert words in f"{found.message} {found.hint}"


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 3000 + "1" + ")" * 3000,
        "+".join(["1"] * 5000),
        "a[b" * 2000 + "]" * 2000,
        "$f(" * 1000 + "1" + ")" * 1000,
        "$x." * 3000 + "a",
        "%" * 500,
        "`" * 99,
        "/*" * 500,
    ],
    ids=["parentheses", "sum", "filters", "calls", "path", "parents", "quotes", "comments"],
)
def test_no_expression_is_too_much(expression: str) -> None:
    assert len(check(output(f"{{% {expression} %}}"))[1]) < 50
