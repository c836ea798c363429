"""However an execution ends, nothing of it is left behind."""

from __future__ import annotations

from typing import Any

from sm_cli.asl.text.source import from_value
from sm_cli.engine.engine import Engine, prepare
from sm_cli.engine.settings import JobTaker
from sm_cli.engine.stepping.tick import Tick
from sm_cli.interpreter.events import TaskSucceeded
from sm_cli.store.records import Status
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from tests.store.asking import asked

TASK = {"Type": "Task", "Resource": "work"}
DEFINITION: dict[str, Any] = {
    "TimeoutSeconds": 10,
    "StartAt": "First",
    "States": {
        "First": {**TASK, "Next": "Fan"},
        "Fan": {
            "Type": "Parallel",
            "End": True,
            "Branches": [
                {"StartAt": "A", "States": {"A": {**TASK, "End": True}}},
                {"StartAt": "B", "States": {"B": {"Type": "Wait", "Seconds": 99, "End": True}}},
            ],
        },
    },
}


def test_a_deadline_in_the_tick_that_forks_leaves_no_child_behind() -> None:
    document = from_value(DEFINITION).document
    assert document is not None
    store, clock = MemoryStore(), FakeClock()
    engine = Engine(store, clock=clock)
    execution, _, (job,) = engine.start(prepare(document, "w"), {}, taker=JobTaker("w", 9))
    clock.advance_to(execution.started + 10_000_000)

    def result_and_deadline(tick: Tick) -> None:
        tick.deliver(job.frame, TaskSucceeded(job.seq, {}))
        tick.run()
        tick.due()

    _, tick = engine.transact(result_and_deadline, JobTaker("w", 9))
    current = asked(store).execution(execution.id)
    assert current is not None
    assert current.status is Status.TIMED_OUT
    assert tick.taken_jobs() == []
    with store.read() as q:
        id = execution.id
        left = (q.open_frames(id), q.jobs_of(id), q.timers_of(id), q.subscriptions_of(id))
    assert left == ([], [], [], [])
