"""What a worker's commits have ended: each attempt and each execution, once, and only what is committed."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.errors import TaskError
from sm_cli.handlers.handler import Handler
from sm_cli.views.endings import AttemptEnd, Endings, ExecutionEnd
from sm_cli.worker import passes
from tests.engine.workers import Yard, soon, workflow

TASK: dict[str, Any] = {"Type": "Task", "Resource": "work", "End": True}


def one(name: str = "order", **state: Any) -> Any:
    return workflow({"StartAt": "S", "States": {"S": state}}, name)


class Heard:
    """All that the yard's engine tells."""

    def __init__(self, here: Yard) -> None:
        self.attempts: list[AttemptEnd] = []
        self.executions: list[ExecutionEnd] = []
        here.engine.observe(Endings(here.store, self.attempts.append, self.executions.append).observe)

    def outcomes(self) -> list[tuple[str, int, str | None, bool]]:
        return [
            (end.attempt.frame.state, end.attempt.number, end.attempt.error, end.attempt.is_caught)
            for end in self.attempts
        ]


def test_attempts_with_their_numbers_errors_and_what_becomes_of_them(here: Yard) -> None:
    heard, calls = Heard(here), []

    def work(value: Any) -> Any:
        calls.append(value)
        if len(calls) == 1:
            raise KeyError("missing")
        if len(calls) == 2:
            raise TaskError("Refused", "no")
        return value

    machine = workflow({"StartAt": "A", "States": {
        "A": {"Type": "Task", "Resource": "work", "Retry": [{"ErrorEquals": ["KeyError"], "IntervalSeconds": 3}],
              "Catch": [{"ErrorEquals": ["Refused"], "Next": "B"}], "Next": "B"},
        "B": TASK,
    }})  # fmt: skip
    execution = here.start(machine, 1)
    loop = here.worker({"work": Handler("work", work)})
    passes.drain(loop, lambda: False)
    assert heard.outcomes() == [("A", 1, "KeyError", False)]
    (end,) = heard.attempts
    assert end.attempt.again == end.at + 3_000_000
    assert end.attempt.traceback is not None
    assert end.attempt.traceback.places[0].endswith(" in work")
    here.later(3)
    passes.drain(loop, lambda: False)
    assert heard.outcomes()[1:] == [("A", 2, "Refused", True), ("B", 1, None, False)]
    second = heard.attempts[1].attempt
    assert second.traceback is not None, "also of a handler that names error and cause itself"
    assert (second.cause, second.traceback.text.splitlines()[-1]) == ("no", "sm_cli.errors.TaskError: Refused: no")
    assert all(end.took is not None for end in heard.attempts)
    assert [(end.execution.ref, end.state) for end in heard.executions] == [(execution.ref, None)]


def test_a_task_that_is_late_has_failed_and_a_message_that_is_late_was_no_task(here: Yard) -> None:
    heard, gate = Heard(here), here.gate()
    here.start(one(**{**TASK, "TimeoutSeconds": 5}))
    here.start(one(Type="Message", CorrelationKey="k", CorrelationValue="v", TimeoutSeconds=5, End=True))
    loop = here.worker(gate.handlers)
    soon(lambda: loop.tick() or bool(loop.jobs))
    here.later(6)
    soon(lambda: loop.tick() or len(heard.executions) == 2)
    assert heard.outcomes() == [("S", 1, "States.Timeout", False)]
    assert heard.attempts[0].took == 6_000_000
    assert [end.state for end in heard.executions] == ["S", "S"]


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_attempts_of_children_with_and_without_a_history(here: Yard, type: str) -> None:
    heard = Heard(here)
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": type}, "StartAt": "T",
                 "States": {"T": TASK}}  # fmt: skip

    def work(_: Any) -> None:
        raise TaskError("Refused")

    here.start(one(Type="Map", ItemProcessor=processor, ToleratedFailurePercentage=100, End=True), [1, 2])
    passes.drain(here.worker({"work": Handler("work", work)}), lambda: False)
    assert heard.outcomes() == [("T", 1, "Refused", False)] * 2
    assert [end.execution.status.value for end in heard.executions] == ["FAILED", "FAILED", "SUCCEEDED"]


def test_the_place_in_nested_maps_is_told_of_a_failure(here: Yard) -> None:
    heard = Heard(here)
    inner = {"Type": "Map", "ItemProcessor": {"StartAt": "T", "States": {"T": TASK}}, "End": True}
    outer = one(Type="Map", ItemProcessor={"StartAt": "Inner", "States": {"Inner": inner}}, End=True)

    def work(value: Any) -> None:
        if value == 4:
            raise TaskError("Refused")

    here.start(outer, [[1, 2], [3, 4]])
    passes.drain(here.worker({"work": Handler("work", work)}, concurrency=1), lambda: False)
    failed = [end for end in heard.attempts if end.attempt.error is not None]
    assert [end.where for end in failed] == [("S[1]", "Inner[1]")]


def test_what_a_rolled_back_commit_ended_is_not_told(here: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard(here)
    loop = here.worker({})
    with here.store.write() as transaction:
        kind = type(transaction)

    def fails(*_: Any) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(kind, "finish", fails)
    with pytest.raises(OSError, match="the disk is gone"):
        here.start(one(Type="Succeed"))
    assert heard.executions == []
    monkeypatch.undo()
    here.start(one(Type="Succeed"))
    assert len(heard.executions) == 1
    assert loop.jobs == {}
