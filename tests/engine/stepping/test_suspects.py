"""What kills its workers is set aside, and everything else goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from sm_cli.asl.model import Pass
from sm_cli.engine.engine import Engine
from sm_cli.engine.stepping.turns.suspects import CAUSE
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.transitions import TRANSITIONS
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.marks import Marks
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, Status
from sm_cli.store.sql.transaction import Transaction
from sm_cli.worker.worker import Worker
from tests.engine.workers import soon, workflow, yard
from tests.store.asking import asked

#: A worker that goes on until nothing is left to do, and does not survive the state Poison.
WORKER = """
import os, signal, sys
from sm_cli.asl.model import Pass
from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.worker.worker import Worker
from sm_cli.worker.passes import drain
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.transitions import TRANSITIONS
from sm_cli.store.open import open_store
from sm_cli.store.sql.transaction import Transaction

path, how, where = sys.argv[1:]
END = {"kill": lambda: os.kill(os.getpid(), signal.SIGKILL), "exit": lambda: os._exit(3),
       "segv": lambda: (signal.signal(signal.SIGSEGV, signal.SIG_DFL), os.kill(os.getpid(), signal.SIGSEGV))}[how]
entered, apply = TRANSITIONS[Pass, Entered], Transaction.apply

def poisonous(turn, state, event):
    if where == "step" and state.name == "Poison":
        END()
    return entered(turn, state, event)

def writes(tx, changes):
    if where == "write" and any("ate" in str(e.detail.get("input")) for e in changes.history):
        END()
    return apply(tx, changes)

TRANSITIONS[Pass, Entered], Transaction.apply = poisonous, writes
store = open_store(path)
loop = Worker(Engine(store), {"work": Handler("work", lambda input: input)}, name="w")
drain(loop, lambda: False)
loop.let_go()
loop.pool.close()
store.close()
"""

ORDER = {"CorrelationKey": "order", "CorrelationValuePath": "$.order"}
#: One command, which does not survive the state Poison.
COMMAND = """
import os, signal, sys
from sm_cli.__main__ import main
from sm_cli.asl.model import Pass
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.transitions import TRANSITIONS

entered = TRANSITIONS[Pass, Entered]

def poisonous(turn, state, event):
    if state.name == "Poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return entered(turn, state, event)

TRANSITIONS[Pass, Entered] = poisonous
sys.exit(main(sys.argv[1:]))
"""


def waiting(then: dict[str, Any], name: str) -> Any:
    states = {"W": {"Type": "Wait", "Seconds": 1, "Next": next(iter(then))}, **then}
    return workflow({"StartAt": "W", "States": states}, name)


GOOD = {"T": {"Type": "Task", "Resource": "work", "Next": "P"}, "P": {"Type": "Pass", "End": True}}
AFTER_A_TASK = {"T": {"Type": "Task", "Resource": "work", "Next": "Poison"}, "Poison": {"Type": "Pass", "End": True}}
IN_A_MAP = {
    "M": {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {"StartAt": "Poison", "States": {"Poison": {"Type": "Pass", "End": True}}},
        "End": True,
    }
}


def worked_off(path: Path, store: Store, executions: list[Execution], how: str, where: str) -> list[int]:
    """Start one worker after another until all these executions are closed; how each ended."""
    ends: list[int] = []
    while any(now(store, e).closed is None for e in executions):
        assert len(ends) < 20, "it is not set aside"
        ended = subprocess.run([sys.executable, "-c", WORKER, str(path), how, where], capture_output=True, timeout=60)
        ends.append(ended.returncode)
        assert ended.returncode in (0, -9, -11, 3), ended.stderr.decode()
    return ends


def now(store: Store, execution: Execution) -> Execution:
    found = asked(store).execution(execution.id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("how", "where", "bad"),
    [
        ("kill", "step", {"Poison": {"Type": "Pass", "End": True}}),
        ("segv", "step", IN_A_MAP),
        ("exit", "step", AFTER_A_TASK),
        ("kill", "write", {"A": {"Type": "Pass", "Result": "ate", "Next": "B"}, "B": {"Type": "Pass", "End": True}}),
    ],
    ids=["a timer", "a Map's items", "a result", "writing"],
)
def test_what_ends_five_workers_fails_and_the_rest_goes_on(
    tmp_path: Path, how: str, where: str, bad: dict[str, Any]
) -> None:
    path = tmp_path / "sm.db"
    with closing(open_store(str(path))) as store:
        engine = Engine(store)
        good = [engine.start(waiting(GOOD, f"good{i}"), {"items": []})[0] for i in range(3)]
        poison = engine.start(waiting(bad, "bad"), {"items": [1, 2, 3]})[0]
        good += [engine.start(waiting(GOOD, f"good{i}"), {"items": []})[0] for i in range(3, 6)]
        soon(lambda: engine.clock.now() > poison.started + 1_500_000)
        ends = worked_off(path, store, [*good, poison], how, where)
        assert {now(store, e).status for e in good} == {Status.SUCCEEDED}
        failed = now(store, poison)
        assert failed.status is Status.FAILED and failed.error in ("States.Runtime", "States.TaskFailed")
        if failed.error == "States.Runtime":
            assert failed.cause == CAUSE
        assert 5 <= len([end for end in ends if end]) <= 9


@pytest.mark.parametrize(
    ("first", "arguments", "answer"),
    [
        ({"Type": "Wait", "Seconds": 1}, ["run", "bad.json", "--name", "n", "--input", "{}"], 4),
        (
            {"Type": "Message", **ORDER},
            ["send-message", "order=7"],
            0,
        ),
    ],
    ids=["run", "send-message"],
)
def test_what_ends_five_commands_fails_in_the_sixth(
    tmp_path: Path, first: dict[str, Any], arguments: list[str], answer: int
) -> None:
    definition = {"StartAt": "F", "States": {"F": {**first, "Next": "Poison"}, "Poison": {"Type": "Pass", "End": True}}}
    (tmp_path / "bad.json").write_text(json.dumps(definition))
    with closing(open_store(str(tmp_path / "sm.db"))) as store:
        if arguments[0] != "run":
            Engine(store).start(workflow(definition, "bad"), {"order": 7})
        command = [sys.executable, "-c", COMMAND, *arguments, "--db", str(tmp_path / "sm.db")]
        ends = []
        for _ in range(6):
            ended = subprocess.run(command, capture_output=True, timeout=60, cwd=tmp_path)
            ends.append(ended.returncode)
        assert ends == [-9] * 5 + [answer], ended.stderr.decode()
        (failed,) = asked(store).list_executions(ExecutionFilter())
        whole = now(store, failed)
        assert (whole.status, whole.error, whole.cause) == (Status.FAILED, "States.Runtime", CAUSE)


def test_a_worker_that_lives_or_ended_well_leaves_no_marks(tmp_path: Path) -> None:
    first, second = Marks(tmp_path / "sm.db"), Marks(tmp_path / "sm.db")
    first.one(7)
    assert second.find_lost() == []
    second.many([1, 2, 3])
    assert first.find_lost() == []
    first.close()
    ((slot, frames),) = second.find_lost()
    assert frames == [7]
    second.forget_lost(slot)
    assert second.find_lost() == []
    second.clear()
    second.close()
    third = Marks(tmp_path / "sm.db")
    assert third.find_lost() == []
    third.close()


def test_marks_in_the_slot_that_a_worker_is_given_are_counted_first(tmp_path: Path) -> None:
    first = Marks(tmp_path / "sm.db")
    first.many([4, 5])
    first.close()
    second = Marks(tmp_path / "sm.db")
    assert second.find_lost() == [(0, [4, 5])]
    second.forget_lost(0)
    assert second.find_lost() == []
    second.close()


@pytest.mark.parametrize("kind", [MemoryError, RecursionError])
def test_what_cannot_be_written_fails_alone(monkeypatch: pytest.MonkeyPatch, kind: type[Exception]) -> None:
    """Several are written at once: they become suspects, and the one that is to blame fails when it is alone."""
    apply = Transaction.apply

    def refuse(tx: Transaction, changes: Any) -> Any:
        if any(frame.input == "bad" for frame in changes.frames.values()):
            raise kind("too much")
        return apply(tx, changes)

    states = {"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": {"Type": "Pass", "Result": "bad", "Next": "Q"}}
    states["Q"] = {"Type": "Wait", "Seconds": 1, "End": True}
    good = {"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": {"Type": "Pass", "End": True}}
    with yard() as here:
        beside = [here.start(workflow({"StartAt": "W", "States": good}, f"good{i}")) for i in range(4)]
        bad = here.start(workflow({"StartAt": "W", "States": states}, "bad"))
        monkeypatch.setattr(Transaction, "apply", refuse)
        loop: Worker = here.worker({})
        here.later(1)
        soon(lambda: not loop.tick())
        assert {here.now(e).status for e in beside} == {Status.SUCCEEDED}
        failed = here.now(bad)
        assert failed.status is Status.FAILED and failed.error == "States.Runtime"
        assert failed.cause is not None and kind.__name__ in failed.cause


@pytest.mark.parametrize("kind", [MemoryError, RecursionError])
def test_what_cannot_be_stepped_fails_alone(monkeypatch: pytest.MonkeyPatch, kind: type[Exception]) -> None:
    entered = TRANSITIONS[Pass, Entered]

    def refuse(turn: Any, state: Any, event: Any) -> Any:
        if state.name == "Poison":
            raise kind("too much")
        return entered(turn, state, event)

    monkeypatch.setitem(cast("dict[Any, Any]", TRANSITIONS), (Pass, Entered), refuse)
    with yard() as here:
        good = here.start(waiting({"P": {"Type": "Pass", "End": True}}, "good"))
        bad = here.start(waiting({"Poison": {"Type": "Pass", "End": True}}, "bad"))
        loop = here.worker({})
        here.later(1)
        soon(lambda: not loop.tick())
        assert here.now(good).status is Status.SUCCEEDED
        assert (here.now(bad).status, here.now(bad).error) == (Status.FAILED, "States.Runtime")
