"""A process may die at any commit. Whoever goes on gets the outcome of the calm run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.asl.text.source import from_value
from sm_cli.engine.engine import Workflow, prepare
from sm_cli.engine.send_message import send
from sm_cli.handlers.handler import Context
from sm_cli.jsonvalue import Json
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import Crash, FakeClock, Outcome, Simulation, crash_points
from tests.store.asking import asked

START = 1_767_225_600_000_000
INPUT: Json = {"orderId": "ORD-1", "items": [1, 2, 3, 4, 5]}

DEFINITION: dict[str, Any] = {
    "StartAt": "Charge",
    "States": {
        "Charge": {
            "Type": "Task", "Resource": "flaky", "ResultPath": "$.charge", "Next": "Both",
            "Retry": [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 1, "MaxAttempts": 3}],
        },
        "Both": {
            "Type": "Parallel", "ResultPath": "$.both", "Next": "Refused",
            "Branches": [
                {"StartAt": "Pause", "States": {
                    "Pause": {"Type": "Wait", "Seconds": 3, "Next": "PausedTask"},
                    "PausedTask": {"Type": "Task", "Resource": "double", "Parameters": {"n": 4}, "End": True}}},
                {"StartAt": "Each", "States": {"Each": {
                    "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 2, "End": True,
                    "ItemProcessor": {"StartAt": "Double", "States": {
                        "Double": {"Type": "Task", "Resource": "double",
                                   "Parameters": {"n.$": "$", "i.$": "$$.Map.Item.Index"}, "End": True}}}}}},
            ],
        },
        "Refused": {
            "Type": "Task", "Resource": "refuse", "Next": "Never",
            "Catch": [{"ErrorEquals": ["Refused"], "ResultPath": "$.refused", "Next": "AwaitPayment"}],
        },
        "Never": {"Type": "Fail", "Error": "NotCaught"},
        "AwaitPayment": {
            "Type": "Message", "CorrelationKey": "orderId", "CorrelationValuePath": "$.orderId",
            "TimeoutSeconds": 3600, "ResultPath": "$.payment", "Next": "AwaitMore",
        },
        "AwaitMore": {
            "Type": "Message", "CorrelationKey": "orderId", "CorrelationValuePath": "$.orderId",
            "TimeoutSeconds": 60, "TimeoutPath": "Done", "ResultPath": "$.more", "Next": "Never",
        },
        "Done": {"Type": "Succeed"},
    },
}  # fmt: skip


class Flaky(Exception):
    pass


class Refused(Exception):
    pass


def flaky(order: Any, context: Context) -> Json:
    if context.attempt < 3:
        raise Flaky("not yet")
    return {"attempt": context.attempt}


def refuse(order: Any) -> Json:
    raise Refused("no")


HANDLERS: dict[str, Callable[..., Any]] = {
    "flaky": flaky,
    "double": lambda input: {**input, "doubled": input["n"] * 2},
    "refuse": refuse,
}


@pytest.fixture(scope="module")
def workflow() -> Workflow:
    document = from_value(DEFINITION).document
    assert document is not None
    return prepare(document, "crash")


class Databases:
    """A store that outlives its process: the same memory, or the same file opened anew."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.memory = MemoryStore()
        self.open: Store | None = None

    def store(self) -> Store:
        if self.path is None:
            return self.memory
        if self.open is not None:
            self.open.close()
        self.open = open_store(str(self.path))
        return self.open


@pytest.fixture(params=["memory", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    database = Databases(tmp_path / "sm.db" if request.param == "sqlite" else None)
    yield database
    if database.open is not None:
        database.open.close()


def live(workflow: Workflow, database: Databases, deaths: list[tuple[int, bool]]) -> tuple[Outcome, int]:
    """Run to the end, dying at each of `deaths` (commit, after it?) in turn: (outcome, commits of the last life)."""
    clock = FakeClock(START)
    store = database.store()
    sender = Simulation(workflow, HANDLERS, clock, store=store)
    sender.engine.transact(lambda tick: send(tick, "orderId", "ORD-1", {"paid": True}, ttl=10**12))
    started = False
    for commit, after in deaths:
        doomed = crash_points(store).at(commit, after=after)
        simulation = Simulation(workflow, HANDLERS, clock, store=doomed)
        try:
            if started:
                simulation.resume_last()
            else:
                simulation.run(INPUT)
        except Crash:
            store = database.store()
            started = asked(store).latest() is not None
    before = store.commits
    simulation = Simulation(workflow, HANDLERS, clock, store=store)
    outcome = simulation.resume_last() if started else simulation.run(INPUT)
    return outcome, store.commits - before


def shape(outcome: Outcome) -> Any:
    """What must not depend on crashes: the outcome, and the states passed."""
    passed = sorted(
        str(e["type"]) for e in outcome.history if str(e["type"]).endswith(("Entered", "Exited", "Succeeded"))
    )
    return outcome.status, outcome.output, outcome.error, outcome.cause, passed


def state_numbers(store: Store) -> dict[str, list[int]]:
    """State to its visits, failures and retries, and the whole of its visits in virtual time: each counted once."""
    execution = asked(store).latest()
    assert execution is not None
    numbers: dict[str, list[int]] = {}
    for (state, _, _), (_, _, *counts) in asked(store).state_times(execution.id):
        numbers[state] = [a + b for a, b in zip(numbers.get(state, [0] * 4), counts[:4], strict=True)]
    return numbers


def leftovers(store: Store) -> list[Any]:
    execution = asked(store).latest()
    assert execution is not None
    id = execution.id
    return [
        *asked(store).jobs_of(id),
        *asked(store).timers_of(id),
        *asked(store).subscriptions_of(id),
        *asked(store).open_frames(id),
    ]


def test_a_crash_at_any_commit_changes_nothing_of_the_outcome(workflow: Workflow, tmp_path: Path) -> None:
    for kind in ("memory", "sqlite"):
        calm_database = Databases(tmp_path / "calm.db" if kind == "sqlite" else None)
        calm, commits = live(workflow, calm_database, [])
        assert calm.status == "SUCCEEDED", calm
        assert commits > 12
        expected = state_numbers(calm_database.store())
        assert expected["Charge"][:3] == [1, 0, 2] and expected["Refused"][:2] == [1, 1] and expected["Double"][0] == 5
        for commit in range(1, commits + 1):
            for after in (False, True):
                database = Databases(tmp_path / f"{commit}{after}.db" if kind == "sqlite" else None)
                outcome, _ = live(workflow, database, [(commit, after)])
                assert shape(outcome) == shape(calm), f"{kind}: commit {commit}, {'after' if after else 'before'}"
                store = database.store()
                assert leftovers(store) == []
                assert state_numbers(store) == expected, f"{kind}: commit {commit}, {'after' if after else 'before'}"
                if database.open is not None:
                    database.open.close()


def test_dying_at_every_commit_in_turn_still_arrives(workflow: Workflow, database: Databases) -> None:
    calm, commits = live(workflow, Databases(None), [])
    outcome, _ = live(workflow, database, [(2, i % 2 == 0) for i in range(commits * 2)])
    assert shape(outcome) == shape(calm)
    assert leftovers(database.store()) == []
