"""An execution in words and as JSON: its facts, what it waits for, how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sm_cli.cli.chaining.words import origin_line, target_lines
from sm_cli.cli.show.places import child_failure_lines, failure_lines, with_places
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.actions import command_of
from sm_cli.jsonvalue import Json, dumps
from sm_cli.views.executions import PendingWait, execution_document, execution_failure, wait_sentence
from sm_cli.views.failures import readable_cause
from sm_cli.views.map_runs import child_failures
from sm_cli.views.records import Execution

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.views.failures import FailurePlace


def describe_execution(engine: Engine, execution: Execution, root: Path) -> tuple[dict[str, Json], FailurePlace | None]:
    """The facts, the data, and (while it runs) what it waits for: one sentence each, with the command that moves it;
    and where it failed. root: the project's directory."""
    document, waits, failure = execution_document(engine, execution)
    document["failure"] = with_places(document["failure"], root)
    document["waits_for"] = [wait_text(wait) for wait in waits]
    return document, failure


def wait_text(wait: PendingWait) -> str:
    """What is waited for in words, and the command that moves it."""
    sentence = wait_sentence(wait, tables.local_time)
    return sentence if wait.action is None else f"{sentence}: {command_of(wait.action)}"


def description_lines(document: dict[str, Json], failure: Sequence[str] = (), *, full: bool = False) -> Iterator[str]:
    """What `describe_execution` found, for people: of each value a screen at most, unless `full`. failure:
    lines about where it failed."""
    names = (
        "id",
        "name",
        "workflow",
        "version",
        "alias",
        "part_of",
        "status",
        "started",
        "ended",
        "deadline",
        "error",
        "cause",
        "digest",
        "tags",
    )
    for name in names:
        value = document[name]
        if name == "cause" and value is not None:
            value = readable_cause(str(value))
        if name == "digest":
            yield from (f"{'' if i else 'failed':<11} {line}".rstrip() for i, line in enumerate(failure))
        if name == "tags":
            value = _tags_text(value)
        if value is not None and (name != "name" or value != document["id"]):
            yield f"{name.replace('_', ' '):<11} {tables.screenful(tables.clean(str(value)), full=full)}"
    yield f"{'input':<11} {tables.screenful(dumps(document['input']), full=full)}"
    if document["status"] == "SUCCEEDED":
        yield f"{'output':<11} {tables.screenful(dumps(document['output']), full=full)}"
    yield from _link_lines(document)
    sentences = document["waits_for"]
    for sentence in sentences if isinstance(sentences, list) else []:
        yield f"{'now':<11} {tables.screenful(tables.clean(str(sentence)), full=full)}"


def _tags_text(tags: Json) -> str | None:
    return " ".join(f"{name}={value}" for name, value in tags.items()) if isinstance(tags, dict) and tags else None


def _link_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """What it was started from, and what it led to."""
    if document["started_from"] is not None:
        yield f"{'from':<11} {origin_line(document['started_from'])}"
    for i, line in enumerate(target_lines(document["led_to"], document["id"])):
        yield f"{'' if i else 'led to':<11} {line}"


def _version_text(execution: Execution) -> str:
    """` of order:3`; nothing where the version is not one of this database: an express execution's."""
    if execution.version is None or execution.type == "EXPRESS":
        return ""
    return f" of {tables.clean(execution.workflow)}:{execution.version}"


def ending(engine: Engine, execution: Execution, root: Path, *, whole: bool = False) -> Iterator[str]:
    """How an execution ended, for stderr: one line, and for a failed one its state, error and cause, and the place in
    its handler. root: the project's directory. whole: with the traceback."""
    assert execution.closed is not None
    took = tables.duration(execution.closed - execution.started)
    yield f"execution {execution.ref}{_version_text(execution)} {execution.status} in {took}"
    if execution.status == "SUCCEEDED":
        yield from (
            f"  {line}" for each in child_failures(engine, execution) for line in child_failure_lines(each, root)
        )
        return
    failure = execution_failure(engine, execution)
    state = None if failure is None else failure.state
    cause = None if execution.cause is None else readable_cause(execution.cause)
    for name, value in (("state", state), ("error", execution.error), ("cause", cause)):
        if value:
            yield f"  {name}: {tables.cut(tables.clean(value))}"
    if failure is not None:
        yield from (f"  {line}" for line in failure_lines(failure, root, whole=whole))
