"""One word for one thing, in one style: in all that REST takes and gives, and in what the commands print as JSON."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.conforming import document

SNAPSHOTS = Path(__file__).parents[2] / "cli" / "snapshots"
#: How a member, a parameter and a header of ours look.
STYLE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: What another document says in its own words: an event as AWS's GetExecutionHistory has it.
FOREIGN_MODELS = {"EventAnswer"}
#: Words that mean the same, as patterns, and the one that is used.
WORDS = {
    r"(.*_)?(closed|finished|completed|exited)": "ended",
    r"(.*_)?(begun|entered)": "started",
    r".*_(date|at_time|timestamp)": "a participle, as in `started`",
    r"(.*_)?(seconds|milliseconds|ms|took|elapsed)": "duration, or a span in seconds without its unit",
    r"failure_count|errors": "failed, as a count",
    r"(num|number_of|n)_.*": "..._count",
    r"max_concurrency": "concurrency",
    r"tolerate|max_failures": "tolerated_failures",
    r"(.*_)?(ref|arn|uuid)": "id",
    r"digest_.*|sha256|hash": "digest",
    r"machine|state_machine|workflow_id": "workflow",
    r"label|labels": "tags",
    r"reference": "the id, or the name",
}
#: Where a word of above or a second kind has a reason.
TWO_KINDS = {
    "definition": "the value, or its text where one may be given instead",
    "ended": "when; among counts how many",
    "executions": "a body chooses some, a message names those that received it",
    "existing": "among counts how many; of an item whether",
    "id": "those of messages and events are numbers",
    "next": "a cursor; of events the number of the last",
    "source": "a body names it; an answer shows it",
    "status": "a body chooses several; of a problem it is HTTP's, as RFC 9457 has it",
    "to": "whom a message goes to, and which version a rollback",
    "total": "a sum among counts, and the group of all",
    "value": "a body may have a number or a boolean; an answer has its text",
}
COUNTS = re.compile(r"\w*(CountsAnswer|NumbersAnswer)|get_statistics")
#: What the commands print that is not ours: AWS's, SARIF's, a schema's, names of files, or somebody's data.
FOREIGN_SNAPSHOTS = {"history", "test-state", "validate", "schema", "output", "workflow-export", "db-export"}
DATA = {"versions", "input", "output", "data", "definition", "tables", "tags", "aliases", "rows", "before", "after"}


def models() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, schema) of every object: those with a name, and those that stand in an answer."""
    yield from document()["components"]["schemas"].items()
    for item in document()["paths"].values():
        for operation in item.values():
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    schema = content.get("schema", {})
                    yield from ((operation["operationId"], each) for each in (schema, *schema.get("anyOf", ())))


def members() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(model, member, schema of the member)."""
    for model, schema in models():
        if model not in FOREIGN_MODELS:
            yield from ((model, name, each) for name, each in schema.get("properties", {}).items())


def parameters() -> Iterator[tuple[str, str]]:
    """(request, parameter of its query or path)."""
    for item in document()["paths"].values():
        for operation in item.values():
            for each in operation.get("parameters", ()):
                if each["in"] != "header":
                    yield operation["operationId"], each["name"]


def misnamed(names: Iterator[tuple[str, str]]) -> list[str]:
    found = []
    for place, name in names:
        if not STYLE.fullmatch(name):
            found.append(f"{place}: {name} is not in snake_case")
        found += [f"{place}: {name}, where others say {word}" for word in words_for(name)]
    return sorted({*found})


def words_for(name: str) -> list[str]:
    return [word for pattern, word in WORDS.items() if re.fullmatch(pattern, name)]


def kinds(schema: dict[str, Any]) -> set[str]:
    """What JSON types a member may have, but for null; nothing where it may be anything."""
    if "$ref" in schema:
        return {"object"}
    if "anyOf" in schema:
        return set().union(*map(kinds, schema["anyOf"])) - {"null"}
    kind = schema.get("type")
    return set() if kind in (None, "null") else {"number" if kind == "integer" else kind}


def test_members_and_parameters_are_in_one_style_and_of_one_word() -> None:
    assert misnamed((model, name) for model, name, _ in members()) == []
    assert misnamed(parameters()) == []


def test_a_member_of_one_name_is_of_one_kind() -> None:
    found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for _, name, schema in members():
        if kinds(schema):
            found[name].add(tuple(sorted(kinds(schema))))
    assert {name: each for name, each in found.items() if len(each) > 1 and name not in TWO_KINDS} == {}
    assert {name for name, each in found.items() if len(each) > 1} == {*TWO_KINDS}, "a reason for nothing"


def test_a_sum_is_called_total_and_a_number_of_things_count() -> None:
    for model, name, schema in members():
        if kinds(schema) == {"number"}:
            assert not name.endswith("failures") or name == "tolerated_failures", f"{model}.{name}: failed, as a count"
        if name == "total":
            assert COUNTS.fullmatch(model), model
        if name == "count" or name.endswith("_count"):
            assert kinds(schema) == {"number"}, f"{model}.{name}"


@pytest.mark.parametrize("name", ["startDate", "closed", "queue_seconds", "Name", "max_concurrency", "errors"])
def test_another_style_or_word_is_found(name: str) -> None:
    assert misnamed(iter([("Model", name)]))


def printed_members(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            if name not in DATA:
                yield from printed_members(each)
    elif isinstance(value, list):
        for each in value:
            yield from printed_members(each)


def printed_documents(text: str) -> Iterator[Any]:
    for line in text.splitlines():
        if line.startswith(('{"', '[{"')):
            yield json.loads(re.sub(r":N([,}])", r":0\1", line))


def test_commands_print_the_same_words() -> None:
    files = [each for each in sorted(SNAPSHOTS.glob("*.txt")) if each.stem not in FOREIGN_SNAPSHOTS]
    found = [
        (each.stem, name)
        for each in files for document in printed_documents(each.read_text())
        if not isinstance(document, dict) or "orderId" not in document
        for name in printed_members(document)
        if not name.isupper()  # a status, whose number it is
    ]  # fmt: skip
    assert len({file for file, _ in found}) > 20
    assert misnamed(iter(found)) == []
