"""`sm schema`: editors take it, no valid definition is refused, and common mistakes are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from sm_cli.asl.editor.descriptions import DESCRIPTIONS, description
from sm_cli.asl.editor.json_schema import editor_schema
from sm_cli.asl.fields import OPERATORS, ROWS
from sm_cli.asl.text.source import parse
from sm_cli.asl.validation.validate import check
from tests.cli.conftest import Project

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "validation"
GATE = ("swc", "localstack", "devguide", "agent-toolkit")
SCHEMA = Draft7Validator(json.loads(json.dumps(editor_schema())))


def refused(text: str) -> list[str]:
    document = parse(text).document
    assert document is not None
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in SCHEMA.iter_errors(document.value)
    ]


def test_it_is_a_schema_and_the_same_each_time(project: Project) -> None:
    first, second = project.sm("schema"), project.sm("schema")
    assert (first.code, first.err) == (0, "")
    assert first.out == second.out
    assert first.json["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(first.json)


def every(schema: Any, keyword: str) -> list[Any]:
    """What stands under a keyword, anywhere in a schema."""
    if isinstance(schema, list):
        return [found for inner in schema for found in every(inner, keyword)]
    if not isinstance(schema, dict):
        return []
    here = [schema[keyword]] if keyword in schema else []
    return here + [found for inner in schema.values() for found in every(inner, keyword)]


def test_every_reference_leads_to_a_definition_that_is_used() -> None:
    schema = editor_schema()
    names = {reference.removeprefix("#/definitions/") for reference in every(schema, "$ref")}
    assert names == set(schema["definitions"])
    assert "oneOf" not in json.dumps(schema)


def test_every_field_has_a_description_and_every_description_a_field() -> None:
    assert all(description(shape, row.field) for row in ROWS for shape in row.shapes)
    known = {row.field for row in ROWS} | {f"{shape}.{row.field}" for row in ROWS for shape in row.shapes}
    assert set(DESCRIPTIONS) <= known
    assert not set(DESCRIPTIONS) & OPERATORS
    properties = every(editor_schema(), "properties")
    described = [field for fields in properties for field in fields.values() if "description" in field]
    assert len(described) > 400
    assert all(field["description"].endswith(".") and ".." not in field["description"] for field in described)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the definitions are not beside this checkout")
def test_no_valid_definition_is_refused() -> None:
    rows = [json.loads(line) for line in (SHARED / "valid.jsonl").read_text(encoding="utf-8").splitlines()]
    gate = [row for row in rows if row["id"].startswith(GATE)]
    alarms = {row["id"]: found for row in gate if (found := refused(row["text"]))}
    assert len(gate) > 300
    assert alarms == {}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the definitions are not beside this checkout")
def test_what_is_refused_is_refused_by_validate_too() -> None:
    for name in ("invalid.jsonl", "probes.jsonl"):
        for line in (SHARED / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            text = row.get("text") or json.dumps(row["definition"])
            if parse(text).document is not None and refused(text):
                assert any(found.severity == "error" for found in check(text)[1]), row["id"]


@pytest.mark.parametrize(
    "state",
    [
        "{Type: Pass, End: true, Result: {a.$: 1}}",
        "{Type: Wait, Seconds: '${Pause}', Next: A}",
        "{Type: Fail, Error: 404}",
        "{Type: Wait, QueryLanguage: JSONata, Seconds: '{% 1 %}', End: true}",
        "{Type: Message, CorrelationKey: id, CorrelationValuePath: $.id, TimeoutSeconds: 5, TimeoutPath: A, Next: A}",
        "{Type: Task, Resource: x, Retry: [{ErrorEquals: [404, A]}], End: true}",
        "{Type: Map, QueryLanguage: JSONata, Items: '{% [1] %}', End: true, "
        "ItemProcessor: {StartAt: B, States: {B: {Type: Pass, Parameters: {}, End: true}}}}",
        "{Type: Task, Resource: x, QueryLanguage: JSONata, Credentials: '{% $c %}', End: true}",
    ],
)
def test_what_is_right_is_taken(state: str) -> None:
    assert refused(f"{{StartAt: A, States: {{A: {state}}}}}") == []


@pytest.mark.parametrize(
    ("state", "where"),
    [
        ("{Type: Pass}", "States/A"),
        ("{Type: Pas, End: true}", "States/A/Type"),
        ("{End: true}", "States/A"),
        ("{Type: Pass, End: true, Resource: x}", "States/A"),
        ("{Type: Wait, Seconds: 1, SecondsPath: $.a, Next: B}", "States/A"),
        ("{Type: Wait, Seconds: soon, Next: B}", "States/A/Seconds"),
        ("{Type: Wait, Seconds: '{% 1 %}', Next: B}", "States/A/Seconds"),
        ("{Type: Pass, Arguments: {}, QueryLanguage: JSONata, End: true}", "States/A"),
        ("{Type: Pass, Parameters: {}, QueryLanguage: JSONata, End: true}", "States/A"),
        ("{Type: Choice, Choices: []}", "States/A/Choices"),
        ("{Type: Choice, Choices: [{Variable: $.a, IsNul: true, Next: B}]}", "States/A/Choices/0"),
        ("{Type: Task, Resource: x, End: true, Catch: [{ErrorEquals: [A]}]}", "States/A/Catch/0"),
        ("{Type: Parallel, End: true, Branches: [{StartAt: B, States: {B: {Type: Pass}}}]}",
         "States/A/Branches/0/States/B"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_at_its_place(state: str, where: str) -> None:
    found = refused(f"{{StartAt: A, States: {{A: {state}}}}}")
    assert found
    assert {problem.partition(": ")[0] for problem in found} == {where}


def test_a_machine_in_jsonata_has_states_in_jsonata() -> None:
    text = "{QueryLanguage: JSONata, StartAt: A, States: {A: {Type: Pass, %s: {}, End: true}}}"
    assert refused(text % "Output") == []
    assert refused(text % "Parameters") != []
