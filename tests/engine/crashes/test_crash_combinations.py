"""Every workflow of the scenarios that waits, alone and with every other one, dies at every commit and arrives.

Each piece is a machine of its own; two of them run side by side as the branches of a Parallel, or one after the
other. Whoever sends messages repeats all of them after each crash, under the same message ids. Executions that a
piece begins (of a distributed Map, nested ones) have to come to the same ends as in the calm run, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, permutations
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.engine import Workflow
from sm_cli.engine.send_message import send
from sm_cli.handlers.handler import Context
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import Crash, FakeClock, Outcome, Simulation, crash_points, sleep
from sm_cli.timestamps import MICROSECONDS
from tests.engine.workers import workflow
from tests.store.asking import asked

START = 1_767_225_600_000_000
INPUT: Json = {"orderId": "ORD-1", "keep": 1, "w": 1, "order": {"v": 7}, "items": [1, 2, 3]}


class CustomError(Exception):
    pass


def twice_bad(input: Any, context: Context) -> Json:
    if context.attempt < 3:
        raise CustomError("c")
    return {"attempt": context.attempt}


def boom(input: Any) -> Json:
    raise CustomError("c")


def rows(input: Any, context: Context) -> Json:
    numbers = [int(item["n"]) for item in input["Items"]]
    if 5 in numbers or (2 in numbers and context.attempt == 1):
        raise CustomError("c")
    return sum(numbers)


def slow(input: Any) -> Json:
    sleep(3)
    return "too late"


HANDLERS: dict[str, Callable[..., Any]] = {
    "echo": lambda input: input,
    "seen": lambda input: {"seen": input},
    "boom": boom,
    "rows": rows,
    "slow": slow,
    "twice": twice_bad,
    "step": lambda input, context: context.state,
}


@dataclass(frozen=True)
class Piece:
    """A machine, and what is sent while it runs: (seconds after the start, key, value, data)."""

    states: dict[str, Any]
    messages: list[tuple[float, str, Json, Json]] = field(default_factory=list)

    def machine(self, prefix: str = "") -> dict[str, Any]:
        """Its states have this before their names: a name may stand only once in a definition."""
        machine: dict[str, Any] = renamed({"StartAt": next(iter(self.states)), "States": self.states}, prefix)
        return machine


def renamed(part: Any, prefix: str) -> Any:
    if isinstance(part, list):
        return [renamed(each, f"{prefix}{n}") for n, each in enumerate(part)]
    if not isinstance(part, dict):
        return part
    done: dict[str, Any] = {}
    for key, value in part.items():
        if key in ("StartAt", "Next", "Default", "TimeoutPath"):
            done[key] = prefix + value
        elif key == "States":
            done[key] = {prefix + name: renamed(state, prefix) for name, state in value.items()}
        elif key in ("Catch", "Choices"):
            done[key] = [renamed(each, prefix) for each in value]
        else:
            done[key] = renamed(value, prefix) if key in ("Branches", "ItemProcessor") else value
    return done


def message(key: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Message", "CorrelationKey": key, "CorrelationValuePath": "$.orderId", **more}


def task(resource: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "End": True, **more}


def alone(state: dict[str, Any]) -> dict[str, Any]:
    """A machine of this one state."""
    return {"StartAt": "All", "States": {"All": state}}


#: What the piece with a nested execution begins.
NESTED: dict[str, Any] = {
    "StartAt": "W",
    "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "T"}, "T": task("echo")},
}
#: What the piece with a distributed Map reads.
DATA = "n\n" + "".join(f"{n}\n" for n in range(7))
SUCCEED = {"Type": "Succeed"}
SEEN = task("seen")
WAIT = {"Type": "Wait", "Seconds": 3, "End": True}
PIECES: dict[str, Piece] = {
    "20 waits": Piece({
        "A": {"Type": "Wait", "Seconds": 1, "Next": "B"},
        "B": {"Type": "Wait", "SecondsPath": "$.w", "Next": "C"},
        "C": {"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", "End": True},
    }),
    "24 a failing branch": Piece({
        "P": {"Type": "Parallel", "End": True, "Branches": [alone(task("boom")), alone(WAIT), alone(task("slow"))],
              "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "H", "ResultPath": "$.error"}]},
        "H": SEEN,
    }),
    "27 retries": Piece({
        "T": task("twice", Retry=[{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "BackoffRate": 2}]),
    }),
    "29 a late task": Piece({
        "T": task("slow", TimeoutSeconds=1, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "H",
                                                    "ResultPath": "$.error"}]),
        "H": SEEN,
    }),
    "34 a message": Piece(
        {"M": message("paid", TimeoutSeconds=3600, TimeoutPath="H", Next="H"), "H": SEEN},
        [(2, "paid", "ORD-1", {"approved": True})],
    ),
    "35 no message": Piece(
        {"M": message("never", TimeoutSeconds=1, TimeoutPath="H", ResultPath="$.late", Next="N"), "H": SEEN,
         "N": {"Type": "Fail", "Error": "NotThisWay"}},
        [(5, "never", "ORD-1", {"after": "the timeout"})],
    ),
    "36 sent before": Piece(
        {"A": WAIT | {"Next": "M"}, "M": message("early", ResultPath="$.msg", TimeoutSeconds=9, End=True)},
        [(0, "early", "ORD-1", 7)],
    ),
    "38 paths": Piece(
        {"M": message("p", InputPath="$.order", CorrelationValuePath="$.v", ResultPath="$.msg", OutputPath="$.msg",
                      End=True)},
        [(1, "p", "7", {"text": "matches the number"})],
    ),
    "39 a loop": Piece(
        {"M": message("round", TimeoutSeconds=60, ResultPath="$.round", Next="C"),
         "C": {"Type": "Choice", "Choices": [{"Variable": "$.round", "NumericEquals": 2, "Next": "D"}], "Default": "M"},
         "D": SUCCEED},
        [(1, "round", "ORD-1", 1), (2, "round", "ORD-1", 2)],
    ),
    "39 two in a row": Piece(
        {"M1": message("row", TimeoutSeconds=5, ResultPath="$.one", Next="M2"),
         "M2": message("row", TimeoutSeconds=5, TimeoutPath="D", ResultPath="$.two", Next="D"), "D": SUCCEED},
        [(1, "row", "ORD-1", "for the first")],
    ),
    "45 three steps": Piece({
        "S1": task("step", ResultPath="$.one") | {"Next": "S2"},
        "S2": task("step", ResultPath="$.two") | {"Next": "S3"},
        "S3": task("step", ResultPath="$.three"),
    }),
    "a map of tasks": Piece({
        "E": {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 2, "End": True, "ItemProcessor": {
            "StartAt": "W", "States": {"W": {"Type": "Wait", "SecondsPath": "$", "Next": "X"}, "X": task("echo")}}},
    }),
    "a distributed map": Piece({
        "D": {"Type": "Map", "MaxConcurrency": 2, "ToleratedFailureCount": 2, "ItemBatcher": {"MaxItemsPerBatch": 2},
              "ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
                             "Parameters": {"Bucket": "data", "Key": "rows.csv"},
                             "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}},
              "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                                "StartAt": "R", "States": {"R": task("rows", Retry=[
                                    {"ErrorEquals": ["CustomError"], "IntervalSeconds": 1, "MaxAttempts": 1}])}},
              "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject",
                               "Parameters": {"Bucket": "data", "Prefix": "results"}},
              "ResultSelector": {"bucket.$": "$.ResultWriterDetails.Bucket"}, "End": True},
    }),
    "a nested execution": Piece({
        "N": task("arn:aws:states:::states:startExecution.sync:2",
                  Parameters={"StateMachineArn": "nested", "Input": {"order.$": "$.orderId"}},
                  ResultSelector={"status.$": "$.Status", "output.$": "$.Output"}),
    }),
}  # fmt: skip
for _piece in PIECES.values():
    for _state in _piece.states.values():
        if "Next" in _state:
            _state.pop("End", None)


def side_by_side(*pieces: Piece) -> tuple[Workflow, list[Any]]:
    both: dict[str, Any] = {"Type": "Parallel", "End": True}
    both["Branches"] = [piece.machine(f"{n}-") for n, piece in enumerate(pieces)]
    return workflow(alone(both)), [sent for piece in pieces for sent in piece.messages]


def in_a_row(first: Piece, second: Piece) -> tuple[Workflow, list[Any]]:
    """The second begins with the same input as the first; its messages may come before it waits for them."""
    states = {
        "First": {"Type": "Parallel", "Branches": [first.machine("1-")], "ResultPath": "$.first", "Next": "Second"},
        "Second": {"Type": "Parallel", "Branches": [second.machine("2-")], "ResultPath": "$.second", "End": True},
    }
    return workflow({"StartAt": "First", "States": states}), [*first.messages, *second.messages]


class Crashing:
    """One definition and its sender, run as often as a test likes."""

    def __init__(self, definition: Workflow, messages: list[tuple[float, str, Json, Json]]) -> None:
        self.definition = definition
        self.messages = messages
        self.commits = 0
        self.store: Store = MemoryStore()
        self.calm = self.live([])
        self.calm_below = ends(self.store)

    def live(self, deaths: list[tuple[int, bool]]) -> Outcome:
        """Run to the end, dying at each of `deaths` (commit, after it?) in turn."""
        clock = FakeClock(START)
        self.store = MemoryStore()
        for commit, after in deaths:
            try:
                self.life(crash_points(self.store).at(commit, after=after), clock)
            except Crash:
                continue
        before = self.store.commits
        outcome = self.life(self.store, clock)
        self.commits = self.store.commits - before
        return outcome

    def life(self, store: Store, clock: FakeClock) -> Outcome:
        simulation = Simulation(self.definition, HANDLERS, clock, store=store, workflows={"nested": NESTED})
        for number, (at, key, value, data) in enumerate(self.messages):
            self.post(simulation, max(clock.now(), START + round(at * MICROSECONDS)), str(number), key, value, data)
        return simulation.resume_last() if asked(store).latest() is not None else simulation.run(INPUT)

    def post(self, simulation: Simulation, at: int, id: str, key: str, value: Json, data: Json) -> None:
        ttl = 3600 * MICROSECONDS
        simulation.later(at, lambda tick: send(tick, key, value, data, ttl=ttl, message_id=id))

    def check(self, deaths: list[tuple[int, bool]]) -> None:
        outcome = self.live(deaths)
        assert shape(outcome) == shape(self.calm), deaths
        assert ends(self.store) == self.calm_below, deaths
        assert [left for execution in everything(self.store) for left in of(self.store, execution)] == [], deaths

    def dies_at_every_commit(self) -> None:
        assert self.calm.error in (None, "NotThisWay"), self.calm  # a message may come before the wait for it
        self.live([])
        for commit in range(1, self.commits + 1):
            for after in (False, True):
                self.check([(commit, after)])


def everything(store: Store) -> list[Execution]:
    """All executions that there are, also those of map runs."""
    found = asked(store).list_executions(ExecutionFilter(), ExecutionPage(limit=1000))
    return [*found, *(child for run in asked(store).map_runs() for child in asked(store).run_results(run.id, -1, 1000))]


def of(store: Store, execution: Execution) -> list[Any]:
    """Rows that belong to an execution while it is open."""
    id = execution.id
    return [
        *asked(store).jobs_of(id),
        *asked(store).timers_of(id),
        *asked(store).subscriptions_of(id),
        *asked(store).open_frames(id),
    ]


def ends(store: Store) -> list[str]:
    """How each execution ended."""
    return sorted(repr((e.workflow, e.status.value, e.input, e.output, e.error, e.cause)) for e in everything(store))


def shape(outcome: Outcome) -> Any:
    """What must not depend on crashes: the outcome, and the states passed, each as often as in the calm run."""
    ends = ("Entered", "Exited", "Succeeded", "Received", "TimedOut", "Failed")
    passed = sorted(str(event["type"]) for event in outcome.history if str(event["type"]).endswith(ends))
    return outcome.status, outcome.output, outcome.error, outcome.cause, passed


@pytest.fixture(autouse=True)
def buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory that stands for S3, where a simulation looks for it."""
    (tmp_path / "buckets" / "data").mkdir(parents=True)
    (tmp_path / "buckets" / "data" / "rows.csv").write_text(DATA)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", PIECES)
def test_each_workflow_that_waits_ends_in_the_calm_run(name: str) -> None:
    piece = PIECES[name]
    crashing = Crashing(workflow(piece.machine()), piece.messages)
    assert (crashing.calm.status, crashing.calm.error) == ("SUCCEEDED", None)
    assert crashing.commits >= 2


@pytest.mark.parametrize("name", PIECES)
def test_each_workflow_that_waits_survives_dying_again_and_again(name: str) -> None:
    piece = PIECES[name]
    crashing = Crashing(workflow(piece.machine()), piece.messages)
    crashing.dies_at_every_commit()
    for first in (1, 2, 3):
        crashing.check([(first, n % 2 == 0) for n in range(3 * crashing.commits)])


@pytest.mark.parametrize("pair", list(combinations_with_replacement(PIECES, 2)), ids=" + ".join)
def test_any_two_side_by_side_survive_dying_at_every_commit(pair: tuple[str, str]) -> None:
    Crashing(*side_by_side(*(PIECES[name] for name in pair))).dies_at_every_commit()


@pytest.mark.parametrize("pair", list(permutations(PIECES, 2)), ids=", then ".join)
def test_any_two_in_a_row_survive_dying_at_every_commit(pair: tuple[str, str]) -> None:
    Crashing(*in_a_row(*(PIECES[name] for name in pair))).dies_at_every_commit()
