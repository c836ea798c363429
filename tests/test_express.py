"""Express executions from code: in memory, to the end, and nothing is left of them."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import Conflict, HandlerLoadError, InvalidDefinition, TaskError, UsageError
from sm_cli.express import Express, ExpressResult, keep, run_express
from sm_cli.handlers.handler import Context, Handler
from sm_cli.store.open import open_store
from tests.engine.workers import soon, workflow
from tests.store.asking import asked

SUM = workflow({
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemProcessor": {
                "StartAt": "Double",
                "States": {"Double": {"Type": "Task", "Resource": "double", "End": True}},
            },
            "Next": "Sum",
        },
        "Sum": {"Type": "Task", "Resource": "sum", "End": True},
    },
})  # fmt: skip


async def total(items: list[int]) -> int:
    await asyncio.sleep(0)
    return sum(items)


def doubled(item: int, context: Context) -> int:
    return 2 * item


def test_a_workflow_runs_to_its_end_in_the_call() -> None:
    result = run_express(SUM, [1, 2, 3], {"double": doubled, "sum": Handler("sum", total)})
    assert result == ExpressResult("SUCCEEDED", 12, None, None, None)


def test_the_context_object_shows_an_express_execution() -> None:
    seen = workflow({
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Parameters": {"of.$": "$$.Execution.Id", "n.$": "$$.Execution.Name"},
                         "End": True}},
    }, "shop")  # fmt: skip
    found = run_express(seen, {}, {}, name="mine").output
    assert found["n"] == "mine"
    assert found["of"].startswith("arn:aws:states:us-east-1:111111111111:express:shop:mine:")


def test_history_is_kept_only_for_who_asks() -> None:
    result = run_express(SUM, [1], {"double": doubled, "sum": total}, history=True)
    assert result.history is not None
    types = [event["type"] for event in result.history]
    assert (types[0], types[-1], types.count("TaskSucceeded")) == ("ExecutionStarted", "ExecutionSucceeded", 2)
    assert [event["id"] for event in result.history] == list(range(1, len(types) + 1))


def test_a_failure_has_its_error_and_cause() -> None:
    def broken(item: Any) -> None:
        raise TaskError("Broken", "it is")

    result = run_express(SUM, [1], {"double": broken, "sum": total})
    assert (result.status, result.output, result.error, result.cause) == ("FAILED", None, "Broken", "it is")


RETRIES = workflow({
    "StartAt": "T",
    "States": {
        "T": {
            "Type": "Task", "Resource": "work", "End": True,
            "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 2, "IntervalSeconds": 1, "MaxDelaySeconds": 1}],
        },
    },
})  # fmt: skip


def test_a_retrier_of_the_definition_is_the_only_one_who_runs_a_task_again() -> None:
    attempts: list[int] = []

    def work(input: Any, context: Context) -> str:
        attempts.append(context.attempt)
        if len(attempts) == 1:
            raise TaskError("Busy")
        return "done"

    assert run_express(RETRIES, {}, {"work": work}).output == "done"
    assert attempts == [1, 2]


@pytest.mark.parametrize("seconds", [None, 3600])
def test_time_is_up_and_the_handler_is_told(seconds: int | None) -> None:
    told = threading.Event()

    def work(input: Any, context: Context) -> None:
        if context.cancelled.wait(30):
            told.set()

    limits = {} if seconds is None else {"TimeoutSeconds": seconds}
    slow = workflow({"StartAt": "T", **limits, "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}})
    before = {thread for thread in threading.enumerate() if thread.name == "sm-handler"}
    result = run_express(slow, {}, {"work": work}, timeout=0.05)
    assert (result.status, result.error, result.output) == ("TIMED_OUT", None, None)
    assert told.wait(30)
    soon(lambda: {thread for thread in threading.enumerate() if thread.name == "sm-handler"} <= before)


def test_the_limit_is_that_of_aws() -> None:
    with Express(SUM, {}) as made:
        execution = made.start([])
        assert execution.deadline == execution.started + 300_000_000
    with Express(SUM, {}) as made, pytest.raises(UsageError, match="ends after 300 s; a timeout of 301 s is longer"):
        made.start([], timeout=301)
    hurried = workflow(
        {"StartAt": "A", "TimeoutSeconds": 7, "States": {"A": {"Type": "Wait", "Seconds": 60, "End": True}}}
    )
    with Express(hurried, {}) as made:
        execution = made.start([])
        assert execution.deadline == execution.started + 7_000_000


TASK: dict[str, Any] = {"Type": "Task", "End": True}


@pytest.mark.parametrize(
    "state",
    [
        {**TASK, "Resource": "arn:aws:states:us-east-1:111111111111:activity:a"},
        {**TASK, "Resource": "approve.waitForTaskToken"},
        {**TASK, "Resource": "arn:aws:states:::batch:submitJob.sync"},
        {"Type": "Message", "CorrelationKey": "k", "CorrelationValue": "v", "End": True},
    ],
)
def test_what_would_wait_for_something_outside_is_refused(state: dict[str, Any]) -> None:
    waiting = workflow({"StartAt": "A", "States": {"A": state}})
    with pytest.raises(InvalidDefinition) as caught:
        run_express(waiting, {}, {"approve": doubled, "batch:submitJob": doubled})
    assert [(d.code, d.severity) for d in caught.value.diagnostics] == [("SM607", "error")]


def test_a_task_without_a_handler_is_refused_before_the_first_state() -> None:
    calls: list[int] = []
    with pytest.raises(HandlerLoadError, match="no handler is given for 'sum'"):
        run_express(SUM, [1], {"double": calls.append})
    assert calls == []


def test_a_function_that_is_computed_and_not_there_fails_its_task() -> None:
    computed = workflow({
        "StartAt": "A",
        "States": {
            "A": {
                "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName.$": "$.name"}, "End": True,
                "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Instead"}],
            },
            "Instead": {"Type": "Task", "Resource": "instead", "InputPath": "$.Cause", "End": True},
        },
    })  # fmt: skip
    result = run_express(computed, {"name": "nobody"}, {"instead": str.upper})
    assert (result.status, result.output) == ("SUCCEEDED", "NO HANDLER IS REGISTERED FOR 'NOBODY'.")


def test_a_built_in_handler_is_there_and_the_callers_own_wins() -> None:
    calling = workflow({
        "StartAt": "A",
        "States": {"A": {**TASK, "Resource": "arn:aws:states:::http:invoke",
                         "Parameters": {"ApiEndpoint": "https://api.example.com", "Method": "GET"}}},
    })  # fmt: skip
    assert run_express(calling, {}, {}).error == "States.Permissions"
    assert run_express(calling, {}, {"http:invoke": lambda request: request["Method"]}).output == "GET"


def test_several_run_side_by_side() -> None:
    results: list[Any] = []
    barrier = threading.Barrier(4, timeout=30)

    def work(items: list[int]) -> int:
        barrier.wait()
        return sum(items)

    def one(n: int) -> None:
        results.append(run_express(SUM, [n], {"double": doubled, "sum": work}, name="same").output)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 2, 4, 6]


def test_a_bad_name_is_refused() -> None:
    with pytest.raises(UsageError, match="which a name may not"):
        run_express(SUM, [], {"double": doubled, "sum": total}, name="a b")


def ended(name: str) -> Express:
    made = Express(SUM, {"double": Handler("double", doubled), "sum": Handler("sum", total)}, history=True)
    with made:
        made.start([1, 2], name=name)
        made.run(lambda: made.current().closed is not None)
    return made


def test_what_is_kept_is_the_execution_with_its_history_in_one_commit(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "sm.db"))
    try:
        first, second = ended("one"), ended("two")
        keep(first, store)
        before = store.commits
        kept = keep(second, store)
        assert store.commits == before + 1
        theirs, ours = asked(second.engine.store).history(second.execution.id), asked(store).history(kept.id)
        assert [(e.number, e.previous, e.type, e.detail) for e in ours] == [
            (e.number, e.previous, e.type, e.detail) for e in theirs
        ]
        (found,) = asked(store).find("two")
        assert (found.status, found.type, found.output, found.events) == ("SUCCEEDED", "EXPRESS", 6, len(ours))
        assert asked(store).definition(found.digest) is not None
        frames = {e.frame for e in ours} - {0}
        assert len(frames) == 3
        assert frames.isdisjoint(e.frame for e in asked(store).history(asked(store).find("one")[0].id))
        with pytest.raises(Conflict, match="'two' is taken"):
            keep(ended("two"), store)
    finally:
        store.close()


def test_the_input_is_json_and_stays_the_callers_own() -> None:
    given: list[Any] = [1, 2]

    def emptied(item: int) -> int:
        given.clear()
        return item

    assert run_express(SUM, given, {"double": emptied, "sum": total}).output == 3
    with pytest.raises(UsageError, match="the input is not JSON"):
        given.append({1, 2})
        run_express(SUM, given, {"double": doubled, "sum": total})


ONE = workflow({"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "work", "End": True}}})


@pytest.mark.parametrize("history", [False, True])
def test_a_failure_has_its_traceback(history: bool) -> None:
    def work(input: object) -> object:
        raise LookupError("no price")

    result = run_express(ONE, {}, {"work": work}, history=history)
    assert result.traceback is not None
    assert result.traceback.splitlines()[-1] == "LookupError: no price"
    assert run_express(ONE, {}, {"work": lambda x: x}, history=history).traceback is None
