"""Payloads with expressions in them, and fields that want one type."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import pytest

from sm_cli.expr.jsonata.expressions import (
    EvaluationFailure,
    JsonataError,
    compile_payload,
    expect,
    expressions,
    payload_errors,
    type_name,
)
from sm_cli.expr.scope import JsonataScope
from sm_cli.jsonvalue import Json


def scope(input: Json = None, variables: Mapping[str, Json] | None = None) -> JsonataScope:
    return JsonataScope(input, dict, variables or {}, lambda: Random(7))


# -- payloads --------------------------------------------------------------------------------------------------------


def test_a_payload_has_the_values_of_its_expressions_at_any_depth() -> None:
    template: Json = {
        "id": "{% $states.input.id %}",
        "list": [1, "{% $states.input.id & '!' %}", {"deep": ["{% $v %}"]}],
        "text": " {% $v %}",
        "{% key %}": "literal key",
    }
    assert compile_payload(template, "Arguments")(scope({"id": "x"}, {"v": None})) == {
        "id": "x",
        "list": [1, "x!", {"deep": [None]}],
        "text": " {% $v %}",
        "{% key %}": "literal key",
    }


def test_a_constant_payload_is_itself_and_constant_parts_are_shared() -> None:
    constant: Json = {"a": [1, {"b": None}]}
    assert compile_payload(constant, "Output")(scope()) is constant
    template: Json = {"const": constant, "id": "{% 1 %}"}
    first, second = (compile_payload(template, "Output")(scope()) for _ in range(2))
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["const"] is constant
    assert first is not second
    assert template == {"const": constant, "id": "{% 1 %}"}


@pytest.mark.parametrize(
    ("template", "field"),
    [
        ("{% $nope %}", "Arguments"),
        ({"FunctionName": "{% $nope %}"}, "Arguments/FunctionName"),
        ({"a": {"b": ["{% 1 %}", "{% $nope %}"]}}, "Arguments/a/b/1"),
    ],
)
def test_a_failure_inside_a_payload_names_the_way_to_it(template: Json, field: str) -> None:
    with pytest.raises(EvaluationFailure) as raised:
        compile_payload(template, "Arguments")(scope({}))
    assert raised.value.location == field
    assert f"specified for the field '{field}'" in str(raised.value.cause)


def test_all_errors_of_a_payload_are_told_with_their_pointers() -> None:
    template: Json = {"a": "{% 1 + %}", "b/c": ["{% 1 %}", "{% ) %}"], "d": "1 +"}
    assert [(e.pointer, e.code) for e in payload_errors(template)] == [("/a", "S0207"), ("/b~1c/1", "S0211")]
    assert [pointer for pointer, _ in expressions(template)] == ["/a", "/b~1c/0", "/b~1c/1"]
    assert list(payload_errors({"a": "{% $states.input.x %}"})) == []


def test_a_payload_nested_without_end_is_refused() -> None:
    template: Json = "{% 1 %}"
    for _ in range(300):
        template = [template]
    with pytest.raises(JsonataError, match="nested deeper than 200 levels"):
        compile_payload(template, "Output")


# -- typed fields ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "null"), (True, "boolean"), (1, "number"), (1.5, "number"), ("", "string"), ([], "array"), ({}, "object")],
)
def test_each_json_type_is_expected_by_its_name(value: Json, kind: str) -> None:
    assert type_name(value) == kind
    assert expect(value, kind, "{% $x %}", "Items") is value


@pytest.mark.parametrize(
    ("value", "source", "said"),
    [
        (1, "1", "but was 'number' for value: 1"),
        ("string", "'string'", "but was 'string' for value: \"string\""),
        (True, "true", "but was 'boolean' for value: true"),
        ({"foo": "bar"}, "{'foo': 'bar'}", 'but was \'object\' for value: {"foo":"bar"}'),
        (None, "null", "but was 'null' for value: null"),
    ],
)
def test_an_unexpected_type_fails_in_awss_words(value: Json, source: str, said: str) -> None:
    with pytest.raises(EvaluationFailure) as raised:
        expect(value, "array", "{% " + source + " %}", "Items")
    assert raised.value.cause == (
        f"The JSONata expression '{source}' specified for the field 'Items' returned an unexpected result type. "
        f"Expected 'array', {said}"
    )
    assert raised.value.location == "Items"
