"""Expressions as a state uses them: what they see, what they give, how they fail."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.errors import StateFailure
from sm_cli.expr.jsonata.expressions import (
    EvaluationFailure,
    JsonataError,
    compile_expression,
    compile_payload,
    inner,
    is_expression,
)
from sm_cli.expr.scope import JsonataScope, Scope
from sm_cli.jsonvalue import Json

CONTEXT: Json = {"State": {"Name": "S", "EnteredTime": "2023-11-14T22:13:20.000Z"}}
#: 2023-11-14T22:13:20.123456Z
NOW = 1_700_000_000_123_456


def scope(
    input: Json = None,
    variables: Mapping[str, Json] | None = None,
    members: Mapping[str, Json] | None = None,
    context: Json = CONTEXT,
) -> JsonataScope:
    return JsonataScope(input, lambda: context, variables or {}, lambda: Random(7), members or {}, NOW)


def value_of(expression: str, where: Scope | None = None) -> Json:
    return compile_expression("{% " + expression + " %}", "Output")(where or scope())


def cause_of(expression: str, where: Scope | None = None, field: str = "Output/result") -> str:
    with pytest.raises(EvaluationFailure) as raised:
        compile_expression("{% " + expression + " %}", field)(where or scope())
    assert raised.value.error == "States.QueryEvaluationError"
    assert raised.value.location == field
    assert raised.value.located
    return str(raised.value.cause)


# -- what is an expression -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["{%1%}", "{% $x %}", "{%%}", "{% {% %}", "{%\n$x\n%}"])
def test_text_between_the_delimiters_is_an_expression(text: str) -> None:
    assert is_expression(text)


@pytest.mark.parametrize(
    "value", [" {% $x %}", "{% $x %} ", "{% $x", "$x %}", "{%}", "x", "", "{$x}", 1, None, True, ["{% 1 %}"], {"a": 1}]
)
def test_anything_else_is_literal(value: Json) -> None:
    assert not is_expression(value)
    assert compile_payload(value if not isinstance(value, list) else [], "Output")(scope()) == (
        value if not isinstance(value, list) else []
    )


def test_the_inner_text_is_quoted_without_the_blanks_around_it() -> None:
    assert inner("{%   $a  +  1\n%}") == "$a  +  1"


# -- what an expression sees -----------------------------------------------------------------------------------------


def test_states_has_the_input_and_the_context() -> None:
    assert value_of("$states", scope({"a": 1})) == {"input": {"a": 1}, "context": CONTEXT}


@pytest.mark.parametrize("name", ["result", "errorOutput"])
def test_states_has_the_members_of_the_place_and_no_others(name: str) -> None:
    where = scope({"a": 1}, members={name: {"r": 2}})
    assert value_of("$states", where) == {"input": {"a": 1}, name: {"r": 2}, "context": CONTEXT}
    assert value_of(f"$states.{name}.r", where) == 2
    other = "errorOutput" if name == "result" else "result"
    assert value_of(f"$exists($states.{other})", where) is False


@pytest.mark.parametrize(
    "expression",
    [
        "$states.input.a",
        "$states.input.a + 0",
        "$states . input . a + 0",
        "$lookup($states, 'input').a",
        "$states.`input`.a + 0",
    ],
)
def test_the_input_is_read_however_the_path_is_written(expression: str) -> None:
    assert value_of(expression, scope({"a": 5})) == 5


def test_the_context_is_made_only_for_an_expression_that_reads_it() -> None:
    def unwanted() -> Json:
        raise AssertionError("nobody asked for the context")

    where = JsonataScope({"a": [1]}, unwanted, {"v": 1}, lambda: Random(1))
    assert value_of("$states.input.a[0] + $v", where) == 2
    assert value_of("$states.input.a", where) == [1]


def test_variables_are_seen_by_their_names() -> None:
    where = scope(variables={"x": 2, "größe": 3, "sum": 4, "nothing": None})
    assert value_of("$x * $größe", where) == 6
    assert value_of("$sum", where) == 4
    assert value_of("$nothing", where) is None


@pytest.mark.parametrize(
    "expression", ["$", "$$", "foo", "foo.bar", "*", "**", "$.a", "$$.a", "$unknown", "$unknown.a"]
)
def test_there_is_no_context_item_at_the_top_and_an_unknown_name_is_undefined(expression: str) -> None:
    assert cause_of(expression, scope({"foo": 1, "a": 1})) == (
        f"The JSONata expression '{expression}' specified for the field 'Output/result' returned nothing (undefined)."
    )


def test_inside_a_path_the_context_item_is_what_is_looked_at() -> None:
    assert value_of("$states.input.rows[$.n > 1].(n * 10)", scope({"rows": [{"n": 1}, {"n": 2}, {"n": 3}]})) == [20, 30]


def test_a_binding_of_an_expression_is_its_own() -> None:
    assert value_of("($x := 5; $x + 1)", scope(variables={"x": 1})) == 6
    where = scope(variables={"x": 1})
    assert value_of("$x := 9", where) == 9
    assert value_of("$x", where) == 1


# -- plain paths, which need no engine, give what the engine gives ---------------------------------------------------

names = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.text("xy", max_size=2),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(names, inside, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(input=values, steps=st.lists(names, max_size=3))
def test_a_plain_path_gives_what_the_same_path_in_parentheses_gives(input: Any, steps: list[str]) -> None:
    path = ".".join(["$states", "input", *steps])
    answers: list[Any] = []
    for expression in (path, f"({path})"):
        try:
            answers.append(compile_expression("{% " + expression + " %}", "f")(scope(input)))
        except EvaluationFailure as e:
            answers.append(str(e.cause).replace(expression, "…"))
    assert answers[0] == answers[1]


# -- results ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("null", None),
        ("10 / 4", 2.5),
        ("10 / 5", 2),
        ("0.5 + 0.5", 1),
        ("$states.input.float", 1),
        ("$states.input.list[$ > 2]", 3),
        ("$states.input.list[$ > 2][]", [3]),
        ("[$states.input.list[$ > 2]]", [3]),
        ('{"a": $nope, "b": 1}', {"b": 1}),
        ('{"a": null}', {"a": None}),
        ("[1, $nope, 2]", [1, 2]),
        ("$states.input.nulls[0]", None),
        ("$count($states.input.nulls)", 3),
        ("$states.input.nulls[$ != null]", 1),
        ("$type($states.input.nulls[0])", "null"),
        ("$string($states.input)", '{"float":1,"list":[1,2,3],"nulls":[null,1,null]}'),
    ],
)
def test_results_are_plain_json(expression: str, value: Json) -> None:
    got = value_of(expression, scope({"float": 1.0, "list": [1, 2, 3], "nulls": [None, 1, None]}))
    assert (got, type(got)) == (value, type(value))


def test_a_result_holds_nothing_of_the_engines() -> None:
    def plain(value: Json) -> bool:
        if type(value) is list:
            return all(map(plain, value))
        if type(value) is dict:
            return all(map(plain, value.values()))
        return value is None or type(value) in (str, int, float, bool)

    assert plain(value_of("[[1..3], $states.input.rows.{'k': v}, $states.input]", scope({"rows": [{"v": None}, {}]})))


def test_a_great_number_stays_a_number_that_json_can_hold() -> None:
    assert value_of("1e20") == 1e20
    assert isinstance(value_of("1e20"), float)
    assert value_of("$states.input[0]", scope([9007199254740993])) == 9007199254740993


@pytest.mark.parametrize(
    "expression",
    [
        '$states.input ~> |$|{"new": 1}, "a"|',
        '$states.input ~> |items|{"n": 0}|',
        "$sort($states.input.items, function($l, $r) {$l.n < $r.n})",
        "$append($states.input.items, 1)",
        "$states.input.none{'k': 1}",
        "$merge([$states.input, {'a': 2}])",
        "$reverse($states.input.items)",
        "$shuffle($states.input.items)",
        "$states.input.items^(>n)",
        "$states.input.items#$i.{'i': $i}",
        "($x := $states.input; $x ~> |**|{'z': 1}|)",
    ],
)
def test_an_expression_changes_none_of_its_input(expression: str) -> None:
    input: Json = {"a": 1, "items": [{"n": 1, "x": None}, {"n": 2}], "none": []}
    before = copy.deepcopy(input)
    value_of(expression, scope(input, members={"result": input}))
    assert input == before


def test_a_transformation_keeps_null() -> None:
    assert value_of('$states.input ~> |$|{"b": 1}|', scope({"a": None})) == {"a": None, "b": 1}


# -- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("$doesNotExist", "returned nothing (undefined)."),
        ("$states.input.nope", "returned nothing (undefined)."),
        ("$sum", "returned an unsupported result type."),
        ("$fn := function($x){$x}", "returned an unsupported result type."),
        ('{"f": $sum}', "returned an unsupported result type."),
        ("/a/", "returned an unsupported result type."),
        ("$nope(1)", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("5(1)", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("sum([1])", "threw an error during evaluation. T1005: Attempted to invoke a non-function. Did you mean $sum?"),
        (
            "'a' + 1",
            'threw an error during evaluation. T2001: The left side of the "+" operator must evaluate to a number',
        ),
        (
            "$sum('a')",
            'threw an error during evaluation. T0412: Argument 1 of function "sum" must be an array of "numbers"',
        ),
        (
            "$substring('a', 'b')",
            'threw an error during evaluation. T0410: Argument 2 of function "substring" does not match function '
            "signature",
        ),
        ("$error('boom')", "threw an error during evaluation. D3137: boom"),
        ("$number('x')", 'threw an error during evaluation. D3030: Unable to cast value to a number: "x"'),
        ("$uppercase(null)", None),
    ],
)
def test_a_failure_names_the_expression_and_the_field_in_awss_words(expression: str, said: str | None) -> None:
    cause = cause_of(expression, scope({}))
    begin = f"The JSONata expression '{expression}' specified for the field 'Output/result' "
    assert cause.startswith(begin)
    if said is not None:
        assert cause == begin + said


def test_a_failure_is_one_of_the_states() -> None:
    with pytest.raises(StateFailure):
        value_of("$nope")


# -- syntax ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("{% 1 + %}", "S0207", 6),
        ("{%%}", "S0207", 2),
        ("{% a b %}", "S0201", 5),
        ("{%   )  %}", "S0211", 5),
        ("{% $sum([1, 2] %}", "S0203", 14),
        ("{% {'a' 1} %}", "S0202", 8),
        ("{% 'abc %}", "S0101", 7),
        ("{% `abc %}", "S0105", 7),
        ("{% /abc %}", "S0302", 7),
        ("{% /(/ %}", "S0302", 6),
        ("{% /a)/ %}", "S0302", 7),
        ("{% 1 /* c %}", "S0106", 5),
        ("{% '\\q' %}", "S0103", 5),
        ("{% 5 := 1 %}", "S0212", 3),
        ("{% $x ?? 1 %}", "S0211", 6),
        ("{% $x ?: 1 %}", "S0211", 6),
        ("{% $.store.book[?(@.price < 10)].title %}", "S0211", 16),
        ("{% %.a %}", "S0217", 3),
    ],
)
def test_what_is_no_jsonata_206_is_refused_with_its_code_and_place(text: str, code: str, at: int) -> None:
    with pytest.raises(JsonataError) as raised:
        compile_expression(text, "Output")
    assert raised.value.code == code
    assert raised.value.position == at
    assert raised.value.message


@pytest.mark.parametrize("operator", ["??", "?:"])
def test_an_operator_newer_than_awss_jsonata_is_named(operator: str) -> None:
    with pytest.raises(JsonataError, match=f"no operator \\{operator[0]}\\{operator[1]}"):
        compile_expression("{% $x " + operator + " 1 %}", "Output")


@pytest.mark.parametrize("operator", ["??", "?:"])
def test_the_signs_of_a_newer_operator_are_free_in_texts_comments_and_regular_expressions(operator: str) -> None:
    assert value_of(f"'{operator}' /* {operator} */") == operator
    assert value_of("$contains('a??', /a\\?\\?/)") is True


def test_deep_nesting_is_refused_or_evaluated_but_never_breaks() -> None:
    for levels in (50, 5_000):
        try:
            assert value_of("(" * levels + "1" + ")" * levels) == 1
        except (JsonataError, EvaluationFailure):
            assert levels == 5_000
