"""An execution that goes round in a circle for ever: warned of where AWS ends it, ended at a bound of ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from sm_cli.engine.settings import Settings
from sm_cli.store.records import Execution, Status
from sm_cli.views.why import why
from tests.engine.workers import Yard, workflow, yard
from tests.store.asking import asked

LOOP = workflow(
    {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Next": "B"},
            "B": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.stop", "BooleanEquals": True, "Next": "C"}],
                "Default": "A",
            },
            "C": {"Type": "Succeed"},
        },
    },
    "loop",
)


@pytest.fixture
def here() -> Iterator[Yard]:
    with yard() as made:
        yield made


def run_to_the_end(here: Yard, *, limits: bool = False) -> Execution:
    execution, _, _ = here.engine.start(LOOP, {"stop": False}, limits=limits)
    worker = here.worker({})
    for _ in range(1000):
        if here.now(execution).closed is not None:
            return here.now(execution)
        worker.tick()
    raise AssertionError("it never ends")


def test_it_fails_at_the_bound_and_its_end_is_the_last_event(here: Yard) -> None:
    here.engine.settings.max_events = 2000
    execution = run_to_the_end(here)
    assert (execution.status, execution.error, execution.events) == (Status.FAILED, "States.Runtime", 2000)
    assert execution.cause == "The execution reached the maximum number of history events (2000)."
    history = asked(here.store).history(execution.id)
    assert (len(history), history[-1].type, history[-1].number) == (2000, "ExecutionFailed", 2000)


def test_the_bound_is_forty_times_that_of_aws_unless_it_is_set() -> None:
    assert Settings().max_events == 1_000_000


@pytest.mark.parametrize("of_the_execution", [False, True])
def test_the_limits_of_aws_end_it_earlier(here: Yard, caplog: pytest.LogCaptureFixture, of_the_execution: bool) -> None:
    with caplog.at_level(logging.WARNING, "sm.engine"):
        here.engine.settings.limits = not of_the_execution
        execution = run_to_the_end(here, limits=of_the_execution)
    assert (execution.events, execution.cause) == (
        25_000, "The execution reached the maximum number of history events (25000).",
    )  # fmt: skip
    assert caplog.messages == []


def test_it_is_warned_of_once_where_aws_would_end_it(here: Yard, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "sm.engine"):
        here.engine.settings.max_events = 60_000
        execution = run_to_the_end(here)
    (sentence,) = caplog.messages
    assert sentence.startswith(f"execution {execution.ref} of 'loop' has ")
    assert sentence.endswith("events; AWS ends an execution at 25,000, and here it fails at 60,000 (max_events)")


def test_why_says_how_far_it_is(here: Yard) -> None:
    here.engine.settings.max_events = 60_000
    execution = here.start(LOOP, {"stop": False})
    assert "events" not in [reason.kind for reason in why(here.engine, execution, time_text=str)]
    worker = here.worker({})
    while here.now(execution).events < 25_000:
        worker.tick()
    execution = here.now(execution)
    (reason,) = [reason for reason in why(here.engine, execution, time_text=str) if reason.kind == "events"]
    assert reason.text == f"It has {execution.events:,} events already; at 60,000 it fails (max_events)."
