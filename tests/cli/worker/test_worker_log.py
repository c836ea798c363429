"""What a worker says of its work: a line for what is committed, in text and in JSON."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.cli.conftest import Project

RETRIED = """
StartAt: A
States:
  A: {Type: Task, Resource: work, Next: B}
  B: {Type: Task, Resource: flaky, Retry: [{ErrorEquals: [States.ALL], IntervalSeconds: 1}], End: true}
"""
CAUGHT = """
StartAt: A
States:
  A: {Type: Task, Resource: broken, Catch: [{ErrorEquals: [States.ALL], Next: Z}], End: true}
  Z: {Type: Pass, End: true}
"""
MAPPED = """
StartAt: M
States:
  M:
    Type: Map
    ItemsPath: $.items
    ItemProcessor: {StartAt: Charge, States: {Charge: {Type: Task, Resource: charge, End: true}}}
    End: true
"""
CHILDREN = MAPPED.replace(
    "ItemProcessor: {", "ItemProcessor: {ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: TYPE}, "
)
HANDLERS = """
@handler
def work(x): return x
@handler
def flaky(x, context):
    if context.attempt == 1:
        raise ConnectionError("refused\\nand more")
    return x
@handler
def broken(x): raise TaskError("Refused", "\\x1b[2Jno\\u202e")
@handler
def charge(x): return x["price"]
"""
#: One line of text: time, word, execution and the rest.
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (\w+) +(.*)")


@pytest.fixture
def shop(project: Project) -> Project:
    project.handlers(HANDLERS)
    for name, text in (("retried", RETRIED), ("caught", CAUGHT), ("mapped", MAPPED)):
        project.workflow(text, f"{name}.yaml")
    return project


def told(text: str) -> list[tuple[str, str]]:
    """(word, rest) of the lines about work, without what varies."""
    found = [LINE.fullmatch(line) for line in text.splitlines()]
    return [(m[1], re.sub(r"\b\d+(\.\d)? m?s\b", "SPAN", m[2])) for m in found if m is not None]


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def started(project: Project, *arguments: str) -> str:
    return project.sm("run", *arguments, "--detach").out.strip()


def test_an_execution_that_ends_and_an_attempt_that_fails_are_a_line_each(shop: Project) -> None:
    ref = started(shop, "retried", "--name", "n1")
    first = shop.sm("worker", "--once")
    assert told(first.err) == [
        (
            "failed",
            f"retried n1 ({ref})  B  attempt 1  SPAN  "
            "ConnectionError: refused … at handlers/orders.py:8 in flaky; "
            "tried again in SPAN",
        )
    ]
    assert first.err.splitlines()[-1].startswith("nothing ended; 1 still waits: for a retry (at ")
    assert first.code == 0
    shop.sm("history", "n1")  # looks, and does nothing
    while "nothing ended" in (later := shop.sm("worker", "--once").err):
        pass
    assert told(later) == [("SUCCEEDED", f"retried n1 ({ref})  SPAN")]


def test_the_place_of_a_failure_is_told_and_the_state_that_the_execution_failed_in(shop: Project) -> None:
    ref = started(shop, "mapped", "-i", '{"items":[{"price":1},{}]}')
    result = shop.sm("worker", "--drain")
    assert result.code == 1
    assert told(result.err) == [
        (
            "failed",
            f"mapped {ref}  Charge in M[1]  attempt 1  SPAN  KeyError: 'price' at handlers/orders.py:13 in charge",
        ),
        ("FAILED", f"mapped {ref}  SPAN  in M  KeyError: 'price'"),
    ]


def test_data_is_escaped_and_a_caught_error_is_called_so(shop: Project) -> None:
    ref = started(shop, "caught", "--name", "n1")
    result = shop.sm("worker", "--drain")
    assert (result.code, "\x1b" in result.err, "\u202e" in result.err) == (0, False, False)
    assert told(result.err) == [
        (
            "failed",
            f"caught n1 ({ref})  A  attempt 1  SPAN  Refused: \\u001b[2Jno\\u202e "
            "at handlers/orders.py:11 in broken; caught",
        ),
        ("SUCCEEDED", f"caught n1 ({ref})  SPAN"),
    ]


def test_v_tells_each_attempt_and_q_tells_nothing(shop: Project) -> None:
    for name in ("n1", "n2"):
        started(shop, "mapped", "--name", name, "-i", '{"items":[{"price":1}]}')
    assert shop.sm("worker", "--drain", "-q").err == ""
    ref = started(shop, "mapped", "-i", '{"items":[{"price":1},{"price":2}]}')
    words = told(shop.sm("worker", "--drain", "-v", "--concurrency", "1").err)
    assert words == [
        ("done", f"mapped {ref}  Charge  attempt 1  SPAN"),
        ("done", f"mapped {ref}  Charge  attempt 1  SPAN"),
        ("SUCCEEDED", f"mapped {ref}  SPAN"),
    ]
    assert shop.sm("worker", "-q", "-v").code == 2


def test_a_quiet_worker_says_how_it_ended_when_that_was_not_well(shop: Project) -> None:
    started(shop, "mapped", "-i", '{"items":[{}]}')
    result = shop.sm("worker", "--drain", "-q")
    assert (result.code, result.err) == (1, "1 ended: 1 FAILED; nothing is left\n")


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_of_the_children_of_a_map_run_those_that_fail_are_told_and_all_with_v(shop: Project, type: str) -> None:
    shop.workflow(CHILDREN.replace("TYPE", type), "children.yaml")
    ref = started(shop, "children", "-i", '{"items":[{"price":1},{}]}')
    result = shop.sm("worker", "--drain", "--concurrency", "1")
    words = told(result.err)
    assert [word for word, _ in words] == ["failed", "FAILED", "FAILED"]
    assert "Charge  attempt 1" in words[0][1]
    assert words[2][1].startswith(f"children {ref}  SPAN  in M")
    assert result.err.splitlines()[-1] == "1 ended: 1 FAILED; nothing is left"
    started(shop, "children", "-i", '{"items":[{"price":1},{"price":1}]}')
    words = told(shop.sm("worker", "--drain", "-v", "--concurrency", "1").err)
    assert [word for word, _ in words].count("SUCCEEDED") == 3


def test_json_is_an_object_a_line_the_first_and_the_last_too_with_the_same_keys(shop: Project) -> None:
    ref = started(shop, "mapped", "-i", '{"items":[{}]}')
    started(shop, "retried", "--name", "n1")
    (shop.path / "handlers").rename(shop.path / "mine")
    result = shop.sm("worker", "--once", "--log-format", "json", "--handlers", "mine", "--name", "w")
    found = objects(result.err)
    kinds = [line["event"] for line in found]
    assert kinds[0] == "worker.started"
    assert sorted(kinds[1:-1]) == ["attempt.failed", "attempt.failed", "execution.ended"]
    assert kinds[-1] == "worker.summary"
    common = {"time", "level", "logger", "message", "event"}
    assert {frozenset(line) - common for line in found if line["event"] == "attempt.failed"} == {
        frozenset(
            ("execution", "name", "workflow", "state", "where", "attempt", "duration", "error", "cause", "places",
             "traceback", "retry_in", "caught")
        )
    }  # fmt: skip
    failed = {line["workflow"]: line for line in found if line["event"] == "attempt.failed"}
    assert (failed["mapped"]["where"], failed["mapped"]["retry_in"], failed["mapped"]["error"]) == (
        ["M[0]"], None, "KeyError",
    )  # fmt: skip
    assert failed["mapped"]["places"] == ["mine/orders.py:13 in charge"]
    assert failed["mapped"]["traceback"][-1] == "KeyError: 'price'"
    assert 0.9 <= failed["retried"]["retry_in"] <= 1
    assert failed["retried"]["cause"] == "refused\nand more"
    ended = next(line for line in found if line["event"] == "execution.ended")
    assert frozenset(ended) - common == {
        "execution", "name", "workflow", "status", "state", "duration", "error", "cause",
    }  # fmt: skip
    assert (ended["execution"], ended["status"], ended["state"]) == (ref, "FAILED", "M")
    assert isinstance(ended["duration"], float)
    assert found[0] | {"time": ""} == {
        "time": "", "level": "info", "logger": "sm.worker", "event": "worker.started", "worker": "w", "handlers": 4,
        "concurrency": 8, "processes": 0, "database": ".sm/sm.db",
        "message": "worker w: 4 handlers from mine/, 8 at once, on .sm/sm.db",
    }  # fmt: skip
    assert found[-1]["ended"] == {"SUCCEEDED": 0, "FAILED": 1, "TIMED_OUT": 0, "ABORTED": 0}
    assert found[-1]["exit_code"] == result.code == 1
    assert [(each["reason"], each["executions"]) for each in found[-1]["left"]] == [("retry", 1)]


def test_whatever_else_a_worker_says_of_itself_is_json_too(shop: Project) -> None:
    started(shop, "retried", "--name", "n1")
    (shop.path / "handlers").rename(shop.path / "mine")
    lines = objects(shop.sm("worker", "--drain", "--log-format", "json", "--stub").err)
    assert [line["event"] for line in lines if line["level"] == "warning"] == ["handler.stubbed", "handler.stubbed"]
    lines = objects(shop.sm("worker", "--drain", "--log-format", "json").err)
    assert [line["event"] for line in lines if line["level"] == "warning"] == ["worker.warning"]


def test_what_another_process_committed_is_not_told_again(shop: Project) -> None:
    assert shop.sm("run", "retried", "--name", "n1").code == 0
    assert told(shop.sm("worker", "--drain").err) == []


def test_a_terminal_gets_colours_and_no_date(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    started(shop, "caught", "--name", "n1")
    err = shop.sm("worker", "--drain").err
    assert re.search(r"^\d\d:\d\d:\d\d \x1b\[33mfailed\x1b\[0m     caught n1 ", err, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d \x1b\[32mSUCCEEDED\x1b\[0m  caught n1 ", err, re.MULTILINE)
