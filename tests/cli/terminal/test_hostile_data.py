"""What a terminal, a log or GitHub would obey reaches none of them, whatever data, names and paths hold."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from sm_cli.cli.escaping import escape, escape_painted, escaped_lines
from tests.cli.conftest import Project, Result

HOSTILE = "a\x1b]0;owned\x07b\x1b[2Jc\r\nd\u009b31me\u202ef\u2066g\x08h\u2028i\u0085j\x7f\n::error::k"
#: The same where a name may have no line ends in it.
NAMED = "x\u009b2Jy\u202ez"
#: Nothing but line ends may be there, and these only between lines of ours.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

WORKFLOW: dict[str, Any] = {
    "Comment": HOSTILE,
    "StartAt": NAMED,
    "States": {
        NAMED: {"Type": "Pass", "Parameters": {"k": HOSTILE, HOSTILE: 1, "order.$": "$.order"},
                "Next": f"work {NAMED}"},
        f"work {NAMED}": {"Type": "Task", "Resource": "work", "Next": "waits",
                          "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "waits"}]},
        "waits": {"Type": "Message", "CorrelationKey": HOSTILE, "CorrelationValuePath": "$.order",
                  "TimeoutSeconds": 600, "Next": "fails"},
        "fails": {"Type": "Fail", "Error": HOSTILE, "Cause": HOSTILE},
    },
}  # fmt: skip
HANDLERS = """
import logging

HOSTILE = {text!r}

@handler("work")
def work(input, context):
    context.logger.warning("%s", HOSTILE)
    raise TaskError(HOSTILE, HOSTILE)
"""


def harmless(result: Result) -> Result:
    for stream in (result.out, result.err):
        assert not OBEYED.search(stream), repr(stream)
        assert not re.search(r"(?m)^\s*::error::", stream), repr(stream)
    assert result.code != 70, result.err
    return result


@pytest.fixture
def hostile(project: Project) -> Project:
    project.write(f"workflows/shop {NAMED}.json", json.dumps(WORKFLOW))
    project.handlers(HANDLERS.format(text=HOSTILE))
    ran = harmless(project.sm("run", "--detach-on-wait", "--input", json.dumps({"order": HOSTILE}), "-v"))
    assert ran.code == 6, ran.err
    return project


@pytest.mark.parametrize("command", [
    ("list",), ("list", "--json"), ("list", "-o", "yaml"), ("list", "-o", "jsonl"),
    ("show", "@last"), ("show", "@last", "--json"), ("show", "@last", "-o", "yaml"),
    ("history", "@last"), ("history", "@last", "--events", "--payloads"), ("history", "@last", "--payloads"),
    ("history", "@last", "--json"), ("history", "@last", "-o", "yaml"),
    ("why", "@last"), ("why", "@last", "--json"), ("waits",), ("waits", "--json"),
    ("run", "--from-execution", f"@last:{HOSTILE}"), ("run", "--from-execution", HOSTILE), ("links", HOSTILE),
    ("run", "--from-execution", "@last", "--transform", HOSTILE),
    ("run", "--from-execution", "@last", "--transform", f"name:{HOSTILE}"), ("links", "--since", HOSTILE),
    ("messages",), ("messages", "list"), ("map-runs",), ("graph",), ("graph", "--format", "mermaid"),
    ("graph", "--format", "dot"), ("graph", "--execution", "@last"), ("validate",), ("output", "@last"),
    ("worker", "--once", "-v"), ("worker", "--once", "-v", "--log-format", "json"),
    ("redrive", "@last", "--dry-run"), ("task", "list"),
    ("send-message", "--key", HOSTILE, "--value", HOSTILE), ("send-message", f"{HOSTILE}=z{NAMED}"),
    ("test-state", f"work {NAMED}"), ("test-state", NAMED, "--trace"), ("stop", "@last", "--cause", HOSTILE),
    ("show", HOSTILE), ("why", HOSTILE), ("history", HOSTILE), ("output", HOSTILE), ("stop", HOSTILE),
    ("redrive", HOSTILE), ("graph", HOSTILE), ("validate", HOSTILE), ("run", HOSTILE), ("explain", HOSTILE),
    (HOSTILE,), ("run", f"--{HOSTILE}"), ("list", "--status", HOSTILE), ("list", "--db", HOSTILE),
    ("run", "--handlers", HOSTILE), ("run", "--input", HOSTILE), ("run", "--priority", HOSTILE),
    ("worker", "--queues", HOSTILE), ("worker", "--name", HOSTILE, "--once"), ("task", "succeed", HOSTILE),
    ("init", f"dir {NAMED}"), ("validate", "--substitutions", HOSTILE), ("validate", "--ignore", HOSTILE),
    ("run", "--buckets", HOSTILE, "--detach-on-wait"), ("schema",),
])  # fmt: skip
def test_no_command_shows_what_a_terminal_obeys(hostile: Project, command: tuple[str, ...]) -> None:
    harmless(hostile.sm(*command))


def test_an_execution_that_fails_with_hostile_texts_is_told_and_followed(hostile: Project) -> None:
    harmless(hostile.sm("send-message", f"{HOSTILE}={HOSTILE}", "-v"))
    harmless(hostile.sm("worker", "--drain", "-v"))
    for command in (("history", "@last", "--follow"), ("history", "@last", "--follow", "--payloads"), ("show", "@last"),
                    ("history", "@last", "--follow", "-o", "yaml"), ("history", "@last", "--follow", "--json"),
                    ("output", "@last"), ("why", "@last"), ("list",), ("redrive", "@last")):  # fmt: skip
        harmless(hostile.sm(*command))


@pytest.mark.parametrize("format", ["text", "json", "sarif", "github", "junit"])
def test_diagnostics_of_a_hostile_definition(project: Project, format: str) -> None:
    spoilt = {**WORKFLOW, HOSTILE: 1, "States": {**WORKFLOW["States"], HOSTILE: {"Type": HOSTILE, "Next": HOSTILE}}}
    project.write(f"workflows/w {NAMED}.json", json.dumps(spoilt, ensure_ascii=False))
    told = harmless(project.sm("validate", "--format", format))
    assert told.code == 1
    assert "u202e" in told.out


LOGGING = """
import logging

HOSTILE = {text!r}
logging.getLogger("shop").error("%s", HOSTILE)

@handler("work")
def work(input, context):
    context.logger.warning("%s", HOSTILE)
    logging.getLogger("shop").error("%s", HOSTILE)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logging.getLogger("shop").exception("%s", HOSTILE)
"""


@pytest.mark.parametrize("command", [
    ("run",), ("run", "-v"), ("run", "--express"), ("test-state", "order", "W"), ("worker", "--once"),
    ("worker", "--once", "-v"),
])  # fmt: skip
def test_what_handlers_log_by_loggers_of_their_own_is_harmless(project: Project, command: tuple[str, ...]) -> None:
    project.workflow("StartAt: W\nStates: {W: {Type: Task, Resource: work, End: true}}\n")
    project.handlers(LOGGING.format(text=HOSTILE))
    if command[0] == "worker":
        assert project.sm("run", "--detach").code == 0
    ran = harmless(project.process(*command))  # in a process of its own: here pytest handles what is logged
    assert ran.code == 0, ran.err
    assert "ValueError" in ran.err


def test_json_stays_the_same_value(hostile: Project) -> None:
    waits = harmless(hostile.sm("waits", "--json")).json
    assert waits[0]["key"] == HOSTILE
    shown = harmless(hostile.sm("show", "@last", "--json")).json
    assert shown["input"] == {"order": HOSTILE}


def test_what_is_escaped_is_what_json_would_write() -> None:
    assert escape("é 日本\u3000\xa0👩‍👩‍👧") == "é 日本\u3000\xa0👩‍👩‍👧"
    assert json.loads(f'"{escape(HOSTILE)}"') == HOSTILE
    assert json.loads(f'"{escape(chr(0xE0041))}"') == chr(0xE0041)
    assert escaped_lines("a\nb\r") == "a\nb\\r"
    assert escape_painted("\x1b[31ma\x1b[0m\x1b[2J") == "\x1b[31ma\x1b[0m\\u001b[2J"
