"""What a handler raised reaches who simulates, also where an assertion fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import TaskError
from sm_cli.testing import simulate

FILE = str(Path(__file__).relative_to(Path.cwd()))
LAMBDA = "arn:aws:lambda:eu-west-1:123456789012:function:work"


def one(**more: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "work", "End": True} | more}}


def price(order: Any) -> Any:
    return order["price"]


def work(order: Any) -> Any:
    return price(order)


async def work_async(order: Any) -> Any:
    return price(order)


def refuse(order: Any) -> Any:
    raise TaskError("Refused", "no money")


PRICE = price.__code__.co_firstlineno + 1


@pytest.mark.parametrize("handler", [work, work_async])
@pytest.mark.parametrize("resource", ["work", LAMBDA])
def test_a_failure_has_its_places_and_its_traceback(handler: Any, resource: str) -> None:
    outcome = simulate(one(Resource=resource), {}, handlers={"work": handler})
    assert outcome.places == (
        f"{FILE}:{PRICE} in price",
        f"{FILE}:{handler.__code__.co_firstlineno + 1} in {handler.__name__}",
    )
    assert outcome.traceback is not None
    assert outcome.traceback.splitlines()[0] == "Traceback (most recent call last):"
    assert outcome.traceback.splitlines()[-1] == "KeyError: 'price'"
    with pytest.raises(AssertionError) as raised:
        outcome.result()
    said = str(raised.value).splitlines()
    assert said[:2] == ["the execution is FAILED with KeyError: 'price'", f"  at {outcome.places[0]}"]
    assert said[-1] == "KeyError: 'price'"
    assert f"places=('{outcome.places[0]}'" in repr(outcome)


def test_an_error_that_the_handler_names_has_its_place_too() -> None:
    outcome = simulate(one(), {}, handlers={"work": refuse})
    assert outcome.places[0].endswith(" in refuse")
    assert outcome.explain().startswith("the execution is FAILED with Refused: no money\n  at ")


def test_the_last_of_several_attempts_is_the_one_that_counts() -> None:
    def flaky(order: Any, context: Any) -> Any:
        return price(order) if context.attempt == 1 else refuse(order)

    outcome = simulate(one(Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]), {}, handlers={"work": flaky})
    assert outcome.places[0].endswith(" in refuse")


def test_what_no_handler_raised_has_none() -> None:
    failed = simulate({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "c"}}})
    assert (failed.traceback, failed.places, failed.explain()) == (None, (), "the execution is FAILED with E: c")
    fine = simulate(one(), {"price": 3}, handlers={"work": work})
    assert (fine.traceback, fine.places, fine.result()) == (None, (), 3)


def test_an_error_that_was_caught_is_not_how_it_ended() -> None:
    caught = one(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "F"}])
    caught["States"]["F"] = {"Type": "Fail", "Error": "KeyError"}
    assert simulate(caught, {}, handlers={"work": work}).traceback is None


def test_a_task_that_ran_out_of_time_after_a_failure_has_no_place() -> None:
    from sm_cli.testing import sleep

    def late(order: Any, context: Any) -> Any:
        if context.attempt == 1:
            return price(order)
        sleep(100)
        return None

    again = one(TimeoutSeconds=5, Retry=[{"ErrorEquals": ["KeyError"]}])
    outcome = simulate(again, {}, handlers={"work": late})
    assert (outcome.error, outcome.traceback) == ("States.Timeout", None)


def test_inside_a_map_and_a_parallel_it_is_the_one_that_failed() -> None:
    item = {"StartAt": "A", "States": one()["States"]}
    mapped = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": item, "End": True}}}
    outcome = simulate(mapped, [{"price": 1}, {}], handlers={"work": work})
    assert outcome.places[0].endswith(" in price")
    other = {"StartAt": "B", "States": {"B": {"Type": "Wait", "Seconds": 9, "End": True}}}
    both = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [other, item], "End": True}}}
    assert simulate(both, {}, handlers={"work": work}).places[0].endswith(" in price")


def test_of_an_execution_that_it_waits_for_it_is_that_ones() -> None:
    starts = one(Resource="arn:aws:states:::states:startExecution.sync:2", Parameters={
        "StateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:below", "Input": {}})  # fmt: skip
    outcome = simulate(starts, {}, handlers={"work": work}, workflows={"below": one()})
    assert (outcome.status, outcome.error) == ("FAILED", "States.TaskFailed")
    assert outcome.places[0].endswith(" in price")


def test_the_history_knows_nothing_of_it() -> None:
    outcome = simulate(one(), {}, handlers={"work": work})
    details = [event["taskFailedEventDetails"] for event in outcome.history if event["type"] == "TaskFailed"]
    assert [(each["error"], each["cause"]) for each in details] == [("KeyError", "'price'")]
    assert "test_tracebacks" not in str(outcome.history)
