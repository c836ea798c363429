"""What front ends are given: documents, waits with their actions, and what is new since the last look."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.errors import Conflict, NotFound
from sm_cli.handlers.handler import Handler
from sm_cli.store.messages import MessageFilter, WaitFilter
from sm_cli.views import executions, listing, map_runs, messages, tasks
from sm_cli.views.actions import Action, Do
from sm_cli.views.listing import ExecutionFilter, Status
from sm_cli.views.watch import Watch
from sm_cli.worker import passes
from tests.engine.workers import Yard, workflow

DONE = {"work": Handler("work", lambda _: "done")}
WAIT: dict[str, Any] = {"Type": "Message", "CorrelationKey": "k", "CorrelationValuePath": "$.v", "End": True}
CALLBACK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": True,
            "Parameters": {"FunctionName": "work", "Payload": {"token.$": "$$.Task.Token"}}}  # fmt: skip
EACH: dict[str, Any] = {
    "Type": "Map", "MaxConcurrency": 1, "End": True,
    "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "T",
                      "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}},
}  # fmt: skip


def one(name: str, **state: Any) -> Any:
    return workflow({"StartAt": "S", "States": {"S": state}}, name)


def work(here: Yard) -> None:
    passes.drain(here.worker(DONE), lambda: False)


def test_a_list_is_newest_first_and_has_no_data(here: Yard) -> None:
    first = here.start(one("a", Type="Succeed"), {"large": "x"})
    second = here.start(one("b", Type="Fail", Error="E", Cause="C"))
    found = listing.list_executions(here.store, ExecutionFilter())
    assert [e.ref for e in found] == [second.ref, first.ref]
    assert [e.input for e in found] == [None, None]
    failures = listing.list_executions(here.store, ExecutionFilter(statuses=(Status.FAILED,)))
    assert [e.ref for e in failures] == [second.ref]
    facts = listing.execution_facts(found[0])
    assert {key: facts[key] for key in ("id", "workflow", "status", "error", "cause")} == {
        "id": second.ref, "workflow": "b", "status": "FAILED", "error": "E", "cause": "C",
    }  # fmt: skip
    assert listing.has_name(here.store, "a", first.name)
    assert not listing.has_name(here.store, "b", first.name)


def test_an_open_execution_says_what_it_waits_for_and_what_can_be_done(here: Yard) -> None:
    waiting = here.start(one("m", **WAIT), {"v": 7})
    found, waits, _ = executions.execution_document(here.engine, here.now(waiting))
    assert (found["status"], found["input"], found["output"], found["part_of"]) == ("RUNNING", {"v": 7}, None, None)
    (wait,) = waits
    assert (wait.state, wait.action) == ("S", Action(Do.SEND_MESSAGE, ("k", "7")))

    free = here.start(one("t", Type="Task", Resource="work", End=True))
    assert executions.has_free_jobs(here.engine, free)
    (wait,) = executions.execution_document(here.engine, here.now(free))[1]
    assert wait.action == Action(Do.START_WORKER)
    work(here)
    assert not executions.has_free_jobs(here.engine, free)
    assert executions.execution_document(here.engine, here.now(free))[1] == []


def test_the_state_that_failed_is_the_innermost(here: Yard) -> None:
    inner = {"StartAt": "Bad", "States": {"Bad": {"Type": "Fail", "Error": "E"}}}
    mapped = here.start(one("x", Type="Map", ItemProcessor=inner, End=True), [1])
    failure = executions.execution_failure(here.engine, here.now(mapped))
    assert failure is not None
    assert failure.state == "Bad in S[0]"
    fine = here.start(one("y", Type="Succeed"))
    assert executions.execution_failure(here.engine, here.now(fine)) is None


def test_a_task_that_is_handed_over_is_listed_with_a_token_that_ends_it(here: Yard) -> None:
    waiting = here.start(one("c", **CALLBACK))
    assert tasks.handed_over_tasks(here.engine, 9) == []
    work(here)
    (task,) = tasks.handed_over_tasks(here.engine, 9)
    assert (task.execution.id, task.state) == (waiting.id, "S")
    here.engine.task_succeeded(task.token, {"ok": True})
    assert here.now(waiting).output == {"ok": True}
    assert tasks.handed_over_tasks(here.engine, 9) == []


def test_a_message_is_found_by_its_number_and_by_its_senders_id(here: Yard) -> None:
    sent = here.engine.publish("k", 7, {"n": 1}, message_id="m-1")
    for text in (str(sent.message), "m-1"):
        found = messages.find_message(here.engine, text)
        document = messages.message_document(here.engine, found)
        assert (document["key"], document["value"], document["type"], document["data"]) == (
            "k",
            "7",
            "number",
            {"n": 1},
        )
        assert (document["status"], document["executions"]) == ("buffered", [])
    here.engine.publish("other", 7, message_id="m-1")
    with pytest.raises(Conflict, match="several messages"):
        messages.find_message(here.engine, "m-1")
    with pytest.raises(NotFound) as missing:
        messages.find_message(here.engine, "m-2")
    assert missing.value.topic == "message"
    assert [m.body for m in messages.list_messages(here.engine, MessageFilter(here.clock.now()))] == [None, None]

    receiver = here.start(one("m", **WAIT), {"v": 7})
    document = messages.message_document(here.engine, messages.find_message(here.engine, str(sent.message)))
    assert (document["status"], document["executions"]) == ("consumed", [receiver.ref])


def test_an_open_wait_is_a_document(here: Yard) -> None:
    waiting = here.start(one("m", **WAIT), {"v": "A"})
    (wait,) = messages.list_waits(here.store, WaitFilter("k"))
    document = messages.wait_document(wait)
    assert (document["key"], document["value"], document["execution_id"]) == ("k", "A", waiting.ref)
    assert (document["state"], document["type"], document["deadline"]) == ("S", "string", None)
    assert messages.list_waits(here.store, WaitFilter("other")) == []


def test_a_map_run_is_found_by_its_execution_and_by_its_id(here: Yard) -> None:
    execution = here.start(one("d", **EACH), [1, 2, 3])
    (run,) = map_runs.find_map_runs(here.engine, execution.ref)
    assert map_runs.find_map_runs(here.engine, None) == map_runs.find_map_runs(here.engine, run.ref) == [run]
    assert listing.map_run_id(here.store, run.ref) == run.id
    assert (map_runs.running(run), map_runs.pending(run)) == (1, 2)
    for missing in ("nowhere", "x-1-1"):
        with pytest.raises(NotFound) as error:
            map_runs.find_map_runs(here.engine, missing)
        assert error.value.topic == "map run"
        with pytest.raises(NotFound):
            listing.map_run_id(here.store, missing)
    work(here)
    (run,) = map_runs.find_map_runs(here.engine, execution.ref)
    document: Any = map_runs.map_run_document(run, map_runs.refs_of(here.engine, [run])[run.execution])
    assert (document["execution_id"], document["status"]) == (execution.ref, "SUCCEEDED")
    assert document["item_counts"] == {"total": 3, "succeeded": 3, "failed": 0, "pending": 0}
    assert document["execution_counts"] == {"total": 3, "running": 0, "pending": 0, "succeeded": 3, "failed": 0}


def test_each_look_shows_what_is_new(here: Yard) -> None:
    execution = here.start(one("t", Type="Task", Resource="work", End=True))
    watch = Watch(here.engine, execution)
    first = watch.look()
    assert [event.type for event in first.events][:2] == ["ExecutionStarted", "TaskStateEntered"]
    assert watch.look().events == []
    work(here)
    last = watch.look()
    assert last.events[-1].type == "ExecutionSucceeded"
    assert [e.number for e in first.events + last.events] == list(range(1, last.events[-1].number + 1))
    assert last.execution is not None
    assert last.execution.status is Status.SUCCEEDED
    assert watch.look(events=False).events == []


def test_a_map_run_is_under_way_with_its_counts(here: Yard) -> None:
    execution = here.start(one("d", **EACH), [1])
    watch = Watch(here.engine, execution)
    [progress] = watch.under_way()
    assert (progress.frame.state, progress.frame.join and progress.frame.join.total) == ("S", 1)
    assert watch.look(frames=[progress.frame.id]).progress == {progress.frame.id: progress}
    work(here)
    assert watch.under_way() == []
