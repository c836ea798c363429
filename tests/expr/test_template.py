"""Payload templates: what is filled in, what is shared, and what a wrong one is told."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.errors import StateFailure
from sm_cli.expr.scope import Scope
from sm_cli.expr.template import (
    TemplateError,
    compile_template,
    compile_value,
    is_constant,
    template_errors,
    template_warnings,
)
from sm_cli.jsonvalue import Json

INPUT: dict[str, Any] = {"order": {"total": 150, "id": "o-1"}, "items": [{"sku": "a"}, {"sku": "b"}], "none": None}
CONTEXT: dict[str, Any] = {"Execution": {"Id": "run-1"}}


def scope(document: Json = None) -> Scope:
    document = INPUT if document is None else document
    return Scope(document, lambda: CONTEXT, {"limit": 3, "box": {"x": [7]}}, lambda: random.Random(1))


def filled(template: Json, document: Json = None) -> Json:
    return compile_template(template)(scope(document))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ({"a.$": "$.order.total"}, {"a": 150}),
        ({"a.$": "$"}, {"a": INPUT}),
        ({"a.$": "$$.Execution.Id"}, {"a": "run-1"}),
        ({"a.$": "$limit"}, {"a": 3}),
        ({"a.$": "$box.x[0]"}, {"a": 7}),
        ({"a.$": "$.none"}, {"a": None}),
        ({"a.$": "$.items[*].sku"}, {"a": ["a", "b"]}),
        ({"a.$": "States.Format('{}/{}', $.order.id, $limit)"}, {"a": "o-1/3"}),
        ({"a": {"b": {"c.$": "$.order.id"}}}, {"a": {"b": {"c": "o-1"}}}),
        ({"a": [1, {"b.$": "$.order.id"}, [{"c.$": "$limit"}]]}, {"a": [1, {"b": "o-1"}, [{"c": 3}]]}),
        ([{"b.$": "$.order.id"}], [{"b": "o-1"}]),
        ({"a": "$.order.id"}, {"a": "$.order.id"}),  # without .$ it is only a text
        ({"a.$b": "$.order.id"}, {"a.$b": "$.order.id"}),
        ({".$": "$limit"}, {"": 3}),
        ("States.UUID()", "States.UUID()"),
        (None, None),
        (5, 5),
    ],
)
def test_what_ends_in_dollar_is_filled_in_wherever_it_stands(template: Json, expected: Json) -> None:
    assert filled(template) == expected


def test_members_keep_the_order_of_the_template() -> None:
    result = filled({"z": 1, "b.$": "$limit", "a": {"x.$": "$limit"}, "c.$": "$limit", "y": 2})
    assert isinstance(result, dict)
    assert list(result) == ["z", "b", "a", "c", "y"]


def test_constant_parts_are_shared_and_changing_parts_are_new() -> None:
    constant: Json = {"deep": [1, 2]}
    template: dict[str, Json] = {"same": constant, "list": [constant, {"n.$": "$limit"}]}
    evaluate = compile_template(template)
    one: Any = evaluate(scope())
    other: Any = evaluate(scope())
    assert one["same"] is constant
    assert one["list"][0] is constant
    assert one is not other
    assert one["list"] is not other["list"]
    assert template == {"same": constant, "list": [constant, {"n.$": "$limit"}]}


def test_a_constant_template_returns_itself() -> None:
    template: Json = {"a": [1, {"b": "c"}]}
    assert compile_template(template)(scope()) is template


@pytest.mark.parametrize(
    ("template", "constant"),
    [
        ({"a": [1, {"b": {}}]}, True),
        ("$.x", True),
        (None, True),
        ({"a.$": "$.x"}, False),
        ({"a": [[{"b.$": "$.x"}]]}, False),
    ],
)
def test_a_template_is_constant_when_no_key_ends_in_dollar(template: Json, constant: bool) -> None:
    assert is_constant(template) is constant


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=12,
)


@given(json_values)
def test_any_json_value_passes_through_a_template_unchanged(value: Json) -> None:
    assert compile_template(value)(scope()) == value
    assert filled({"in": [{"place.$": "$.value"}], "const": value}, {"value": value}) == {
        "in": [{"place": value}],
        "const": value,
    }


def failure_of(template: Json, document: Json) -> tuple[str | None, str | None]:
    with pytest.raises(StateFailure) as caught:
        filled(template, document)
    return caught.value.error, caught.value.cause


def test_a_path_that_finds_nothing_fails_in_the_words_of_aws() -> None:
    assert failure_of({"a": {"value.$": "$.x"}}, {"a": 1}) == (
        "States.Runtime",
        """The JSONPath '$.x' specified for the field 'value.$' could not be found in the input '{"a":1}'""",
    )


def test_a_context_path_that_finds_nothing_shows_the_input_as_any_other_does() -> None:
    assert failure_of({"value.$": "$$.Execution.Nope"}, {"a": 1}) == (
        "States.Runtime",
        "The JSONPath '$$.Execution.Nope' specified for the field 'value.$' could not be found in the input "
        """'{"a":1}'""",
    )


def test_a_variable_that_was_never_assigned_fails_and_shows_the_input() -> None:
    assert failure_of({"value.$": "$nobody"}, {"a": 1}) == (
        "States.Runtime",
        """The JSONPath '$nobody' specified for the field 'value.$' could not be found in the input '{"a":1}'""",
    )


def test_an_argument_of_a_call_that_finds_nothing_fails_with_the_sentence_of_a_path() -> None:
    alone = failure_of({"value.$": "$.x"}, {"a": 1})
    assert failure_of({"value.$": "States.Format('{}', States.Array($.x))"}, {"a": 1}) == alone


def test_the_first_missing_path_in_the_order_of_the_template_is_named() -> None:
    _, cause = failure_of({"ok.$": "$.a", "one.$": "$.first", "two.$": "$.second"}, {"a": 1})
    assert cause is not None
    assert "'$.first' specified for the field 'one.$'" in cause


NO_ITEM = "$.list[2] $.list[-3] $.list[5].x $.list[0][0] $.empty[0] $.gone[0] $.text[0] $box.x[1] $nobody[0] $$.No[0]"


@pytest.mark.parametrize("path", NO_ITEM.split())
def test_an_index_where_there_is_no_item_fails_as_any_missing_path_does(path: str) -> None:
    assert failure_of({"a.$": path}, {"list": [1, 2], "empty": [], "text": "abc"}) == (
        "States.Runtime",
        f"The JSONPath '{path}' specified for the field 'a.$' could not be found in the input "
        """'{"list":[1,2],"empty":[],"text":"abc"}'""",
    )


def test_one_value_is_compiled_by_itself() -> None:
    assert compile_value("$.order.id", "ErrorPath")(scope()) == "o-1"
    assert compile_value("States.Format('{}!', $.order.id)", "CausePath")(scope()) == "o-1!"
    with pytest.raises(StateFailure) as caught:
        compile_value("$.ErrorX", "ErrorPath")(scope({}))
    assert caught.value.cause == (
        "The JSONPath '$.ErrorX' specified for the field 'ErrorPath' could not be found in the input '{}'"
    )


AWS = "The value for the field 'x.$' must be a valid JSONPath or a valid intrinsic function call"


@pytest.mark.parametrize(
    "wrong", ["", "plain", " $.a", "$.a[", "States.", "States.Nope()", "States.UUID(1)", 5, None, {}]
)
def test_a_value_that_is_neither_path_nor_call_is_refused_in_the_words_of_aws(wrong: Any) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template({"list": [{"x.$": wrong}]})
    assert caught.value.message == AWS
    assert caught.value.pointer == "/list/0/x.$"
    assert caught.value.reason != AWS


@pytest.mark.parametrize(
    ("wrong", "position"),
    [("States.Array(1, oops)", 16), ("States.Format('{}' $.a)", 19), ("States.Format('a\\n')", 16), ("plain", 0)],
)
def test_the_place_inside_the_text_is_reported(wrong: str, position: int) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template({"x.$": wrong})
    assert caught.value.position == position


def test_a_field_may_not_stand_there_twice() -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template({"a": 1, "a.$": "$.b"})
    assert caught.value.message == "The fields 'a' and 'a.$' cannot both be present"
    assert caught.value.pointer == "/a.$"


def test_pointers_escape_what_json_pointer_wants_escaped() -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template({"a/b": {"c~d.$": "no"}})
    assert caught.value.pointer == "/a~1b/c~0d.$"


def test_every_error_of_a_template_is_listed_in_order() -> None:
    template: Json = {"a.$": 1, "b": [{"c.$": "no"}, {"d.$": "$.fine"}], "e": 1, "e.$": "$.x"}
    assert [e.pointer for e in template_errors(template)] == ["/a.$", "/b/0/c.$", "/e.$"]
    assert template_errors({"a.$": "$.b"}) == []


def test_calls_that_can_only_fail_are_told_to_a_validator_but_compile() -> None:
    template: Json = {"x": [{"h.$": "States.Hash('a', 'SHA-3')"}], "f.$": "States.Format('{} {}', $.order.id)"}
    assert template_errors(template) == []
    warnings = [(w.pointer, w.position) for w in template_warnings(template)]
    assert warnings == [("/x/0/h.$", 17), ("/f.$", 14)]
    assert failure_of(template, INPUT)[0] == "States.IntrinsicFailure"


def test_warnings_pass_over_what_is_no_call_at_all() -> None:
    assert list(template_warnings({"a.$": "States.Oops(", "b.$": 5, "c.$": "$.x"})) == []


def test_a_template_nested_beyond_reason_is_refused_rather_than_overflowing() -> None:
    template: Json = {"a.$": "$.b"}
    for _ in range(5_000):
        template = [template]
    assert not is_constant(template)
    with pytest.raises(TemplateError, match="nested deeper"):
        compile_template(template)
