"""The schemas made from the field table, and the quick answer against jsonschema's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sm_cli.asl.fields import GROUPS, LANGUAGES, OPERATORS, ROWS, Language, fields_of, state_types_with
from sm_cli.asl.validation.schema import breaches, fits, is_substitution, is_unknown, schema_of
from sm_cli.jsonvalue import Json

SHAPES = sorted({shape for row in ROWS for shape in row.shapes} | set(GROUPS))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_a_small_schema_of_draft_2020_12(shape: str, language: Language) -> None:
    schema = dict(schema_of(shape, language))
    Draft202012Validator.check_schema(schema)
    assert "oneOf" not in str(schema)
    assert "$ref" not in str(schema)


def test_the_language_has_39_comparison_operators() -> None:
    assert len(OPERATORS) == 39


def test_a_field_stands_once_for_each_shape_and_language() -> None:
    for language in LANGUAGES:
        for shape in SHAPES:
            names = [row.field for row in ROWS if shape in row.shapes and row.language in ("both", language)]
            assert len(names) == len(set(names)), (shape, language)


def test_the_groups_name_fields_that_their_shape_has() -> None:
    for shape, groups in GROUPS.items():
        known = {name for language in LANGUAGES for name in fields_of(shape, language)}
        together = groups.at_most_one + groups.at_least_one
        named = {*groups.required, *(name for fields in together for name in fields)}
        assert named <= known or shape == "Credentials", shape


def test_retry_and_catch_are_for_the_states_that_do_something() -> None:
    assert state_types_with("Retry") == state_types_with("Catch") == ("Task", "Parallel", "Map", "Message")


FRAGMENTS: list[Json] = [
    None, True, False, 0, 1, -1, 1.0, 1.5, 40, 262_145, 10**8, 1e300,
    "", "x", "1.0", "Task", "INLINE", "FULL", "a" * 41,
    "{% 1 %}", "{% 1", "{%%}", " {% 1 %}", "JSON", [], [1], ["a"], ["a", 1], [{}], [[]], {}, {"a": 1},
]  # fmt: skip
ALL_FIELDS = sorted({row.field for row in ROWS} | {"RoleArn", "RoleArn.$", "Unknown"})


@st.composite
def objects(draw: st.DrawFn) -> tuple[str, Language, dict[str, Json]]:
    shape, language = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(LANGUAGES))
    known = list(fields_of(shape, language)) or ALL_FIELDS
    names = st.sampled_from(known) | st.sampled_from(ALL_FIELDS)
    value = draw(st.dictionaries(names, st.sampled_from(FRAGMENTS), max_size=8))
    for name in GROUPS[shape].required if shape in GROUPS else ():
        value.setdefault(name, draw(st.sampled_from(FRAGMENTS)))
    return shape, language, value


@settings(deadline=None)
@given(objects())
def test_the_quick_answer_is_jsonschema_s(drawn: tuple[str, Language, dict[str, Json]]) -> None:
    shape, language, value = drawn
    schema = schema_of(shape, language)
    assert fits(schema, value) == Draft202012Validator(schema).is_valid(value)
    assert fits(schema, value) == (not breaches(shape, language, value))


@settings(deadline=None)
@given(objects(), st.sampled_from(["${Name}", "a-${B}", "%NAME%", "__NAME__"]))
def test_a_value_that_is_not_known_yet_fits_everywhere(
    drawn: tuple[str, Language, dict[str, Json]], unknown: str
) -> None:
    shape, language, value = drawn
    replaced: dict[str, Any] = dict.fromkeys(value, unknown)
    about_values = [breach for breach in breaches(shape, language, replaced) if breach.path]
    assert about_values == []
    assert fits(schema_of(shape, language), replaced) == (not breaches(shape, language, replaced))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${Name}", True),
        ("arn:aws:lambda:${AWS::Region}:x", True),
        ("$.${Attribute}", True),
        ("States.Format('Total: ${}', $.total)", False),
        ("$.a", False),
        ("{Name}", False),
    ],
)
def test_a_substitution_has_a_name_in_its_braces(text: str, expected: bool) -> None:
    assert is_substitution(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("%NAME%", True), ("__tbd__", True), ("100%", False), ("a__b__c", False)]
)
def test_a_placeholder_is_the_whole_value(text: str, expected: bool) -> None:
    assert is_unknown(text) is expected


def test_each_missing_field_is_named() -> None:
    missing = [breach.missing for breach in breaches("Machine", "JSONPath", {})]
    assert missing == ["StartAt", "States"]
