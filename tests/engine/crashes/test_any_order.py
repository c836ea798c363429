"""Results may come in any order and any number of times: there is one outcome."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.asl.text.source import from_value
from sm_cli.engine.engine import Engine, Workflow, prepare
from sm_cli.engine.settings import JobTaker, Settings
from sm_cli.engine.stepping.tick import Tick
from sm_cli.interpreter.events import BackoffElapsed, DeadlinePassed, Event, TaskFailed, TaskSucceeded
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Job, Status
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock, simulate
from tests.store.asking import asked


def task(resource: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "End": True, **more}


RETRY = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 2}]
DEFINITION: dict[str, Any] = {
    "StartAt": "Fan",
    "States": {
        "Fan": {
            "Type": "Parallel",
            "Next": "Each",
            "ResultPath": "$.fan",
            "Branches": [
                {"StartAt": "One", "States": {"One": task("one")}},
                {"StartAt": "Two", "States": {"Two": task("again", Retry=RETRY)}},
                {"StartAt": "Three", "States": {"Three": {**task("one"), "Next": "Four"} | {}, "Four": task("four")}},
            ],
        },
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 3,
            "ResultPath": "$.each",
            "ItemProcessor": {"StartAt": "Item", "States": {"Item": task("item", Retry=RETRY)}},
            "Next": "Last",
        },
        "Last": task("four", TimeoutSeconds=5),
    },
}
del DEFINITION["States"]["Fan"]["Branches"][2]["States"]["Three"]["End"]
INPUT: Json = {"items": [1, 2, 3, 4, 5, 6]}


def answer(resource: str, input: Any, attempt: int) -> Json:
    if resource == "again" and attempt < 3:
        raise ValueError
    if resource == "item" and input % 2 == 0 and attempt < 2:
        raise ValueError
    return {"by": resource, "of": input if isinstance(input, int) else sorted(input)}


class Again(Exception):
    pass


def handler(resource: str) -> Any:
    def call(input: Any, context: Any) -> Json:
        try:
            return answer(resource, input, context.attempt)
        except ValueError:
            raise Again("not yet") from None

    return call


def workflow() -> Workflow:
    document = from_value(DEFINITION).document
    assert document is not None
    return prepare(document, "any-order")


WORKFLOW = workflow()
CALM = simulate(DEFINITION, INPUT, handlers={name: handler(name) for name in ("one", "again", "four", "item")})


def event_for(job: Job) -> Event:
    try:
        return TaskSucceeded(job.seq, answer(job.resource, job.input, job.attempt))
    except ValueError:
        return TaskFailed(job.seq, "Again", "not yet")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_shuffled_and_doubled_deliveries_have_one_outcome(data: st.DataObject) -> None:
    assert CALM.status == "SUCCEEDED"
    clock = FakeClock()
    store = MemoryStore()
    engine = Engine(store, clock=clock, settings=Settings(lease=10**15))

    def deliver(frame: int, event: Event) -> list[Job]:
        _, tick = engine.transact(lambda tick: tick.deliver(frame, event), JobTaker("w", 1000))
        return tick.taken_jobs()

    execution, _, taken = engine.start(WORKFLOW, INPUT, taker=JobTaker("w", 1000))
    waiting = list(taken)
    sent: list[tuple[int, Event]] = []
    repeats = 40
    for _ in range(500):
        current = asked(store).execution(execution.id)
        assert current is not None
        if current.status is not Status.RUNNING:
            break
        if sent and repeats and data.draw(st.integers(0, 9)) < 3:
            # An answer that came already comes again, or a timer that lost to it.
            repeats -= 1
            frame, event = data.draw(st.sampled_from(sent))
            late = data.draw(st.sampled_from([event, DeadlinePassed(event.seq), BackoffElapsed(event.seq)]))
            assert deliver(frame, late) == []
        elif waiting:
            job = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            sent.append((job.frame, event_for(job)))
            waiting += deliver(*sent[-1])
        else:
            due = asked(store).next_due()
            assert due is not None
            clock.advance_to(due)
            _, tick = engine.transact(Tick.due, JobTaker("w", 1000))
            waiting += tick.taken_jobs()
    assert current is not None
    assert (current.status, current.output) == ("SUCCEEDED", CALM.output)
    assert not asked(store).jobs_of(execution.id)
    assert not asked(store).timers_of(execution.id)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=6))
def test_a_result_and_its_own_timeout_in_one_transaction_take_one_path(order: list[bool]) -> None:
    definition = {
        "StartAt": "T",
        "States": {
            "T": task("slow", TimeoutSeconds=5, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Late"}]),
            "Late": {"Type": "Pass", "Result": "late", "End": True},
        },
    }
    document = from_value(definition).document
    assert document is not None
    store = MemoryStore()
    engine = Engine(store, clock=FakeClock())
    execution, _, (job,) = engine.start(prepare(document, "race"), {}, taker=JobTaker("w", 1))

    def race(tick: Tick) -> None:
        for result in order:
            tick.deliver(job.frame, TaskSucceeded(job.seq, "in time") if result else DeadlinePassed(job.seq))

    engine.transact(race)
    current = asked(store).execution(execution.id)
    assert current is not None
    assert current.output == ("in time" if order[0] else "late")
    exits = [e for e in asked(store).history(execution.id) if e.type == "TaskStateExited"]
    assert len(exits) == 1
