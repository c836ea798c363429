"""What an expression reads, found without evaluating it."""

from __future__ import annotations

import pytest

from sm_cli.expr.jsonata.expressions import JsonataError, default_engine
from sm_cli.expr.jsonata.python_engine import PythonEngine
from sm_cli.expr.jsonata.reading import FUNCTIONS, read_expression


def test_the_functions_are_those_that_the_engine_has() -> None:
    engine = default_engine()
    assert isinstance(engine, PythonEngine)
    assert frozenset(engine.root.bindings) == FUNCTIONS


@pytest.mark.parametrize(
    ("text", "variables", "context"),
    [
        ("{% $a.b %}", ["$a"], []),
        ("{%$a%}", ["$a"], []),
        ("{% ($a := $b; $a) %}", ["$b"], []),
        ("{% function($x) { $x + $y } %}", ["$y"], []),
        ("{% ($f := function($n) { $f($n) }; $f(1)) %}", [], []),
        ("{% $l[$.x > y].(z) %}", ["$l"], []),
        ("{% $l@$i#$j[$i = $j].$k %}", ["$l", "$k"], []),
        ("{% $l ~> $sum %}", ["$l", "$sum"], []),
        ("{% {'a': b, c: $d} %}", ["$d"], ["b", "c"]),
        ("{% `a b` %}", [], ["`a b`"]),
        ("{% [$$, $, *] %}", [], ["$$", "$", "*"]),
    ],
)
def test_free_names_are_told_with_their_places(text: str, variables: list[str], context: list[str]) -> None:
    reading = read_expression(text)
    assert [text[each.start : each.end] for each in reading.variables] == variables
    assert [text[each.start : each.end] for each in reading.context] == context


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("{% $a %}", False),
        ("{% $exists($a) %}", True),
        ("{% $exists($a.b) ? $a : 1 %}", True),
        ("{% $exists($a) and $a > 1 %}", True),
        ("{% $exists($b) ? $a : $b %}", False),
        ("{% $a ? $a : 0 %}", True),
        ("{% $a.b.c ? $a.b.c : $a %}", True),
        ("{% $a > 3 ? 'many' : 'few' %}", True),
        ("{% $type($a) = 'string' ? $length($a) : 0 %}", True),
        ("{% $not($a) ? 0 : $a %}", True),
        ("{% $b = 1 ? ($a ? $a : 1) : 2 %}", True),
        ("{% $b ? $a : 1 %}", False),
        ("{% $a and $a.b %}", True),
        ("{% $b or $a %}", True),
        ("{% {'n': $a ? $a : 0} %}", True),
        ("{% ($has := $exists($a); $has ? $a : 0) %}", True),
        ("{% ($c := $exists($b); $c ? $a : 0) %}", False),
        ("{% $map([1], function($v){ $a ? $a + $v : $v }) %}", True),
        ("{% $a + 1 %}", False),
    ],
)
def test_a_variable_is_guarded_where_it_has_been_asked_for(text: str, guarded: bool) -> None:
    assert {each.is_guarded for each in read_expression(text).variables if each.name == "a"} == {guarded}


def test_a_variable_that_no_longer_holds_the_answer_guards_nothing() -> None:
    reading = read_expression("{% ($has := $exists($a); $has := 1; $has ? $a.b : 0) %}")
    assert [(each.members, each.is_guarded) for each in reading.variables if each.name == "a"] == [
        ((), True),
        (("b",), False),
    ]


def test_a_mistake_has_its_place_in_the_text_with_its_delimiters() -> None:
    with pytest.raises(JsonataError) as caught:
        read_expression("{% 1 + ) %}")
    assert caught.value.position == 7
