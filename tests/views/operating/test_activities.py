"""Tasks of an activity, which go to whoever polls it: what is said of those that nobody has taken."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from sm_cli.cli.terminal.actions import command_of
from sm_cli.handlers.handler import Handler
from sm_cli.server.pages.deeds import deed_of, sentence_of
from sm_cli.timestamps import rfc3339
from sm_cli.views.actions import Action, Do
from sm_cli.views.doctor.checks import examine
from sm_cli.views.doctor.findings import Severity
from sm_cli.views.executions import execution_document, wait_sentence
from sm_cli.views.left_over import Lack, Left, left_over
from sm_cli.views.why import why
from sm_cli.worker import passes
from tests.engine.workers import Yard, workflow
from tests.store.asking import asked

ARN = "arn:aws:states:us-east-1:111111111111:activity:approve"
NO_HANDLER = ", and no handler of that name is there"
POLL = Action(Do.POLL_ACTIVITY, (ARN,))
ASKS = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": ARN, "End": True}}}
PLAIN = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": "approve", "End": True}}}


def asking(here: Yard, definition: dict[str, Any] = ASKS) -> Any:
    """An execution whose task waits."""
    execution = here.start(workflow(definition, "order"))
    while asked(here.store).has_ready():
        here.engine.transact(lambda tick: tick.ready(100, None))
    return here.engine.find(execution.ref)


@pytest.mark.parametrize(
    ("handlers", "rest"),
    [
        (None, "."),
        ((), ", and no handler of that name is there."),
        (("other",), ", and no handler of that name is there."),
    ],
)
def test_why_says_that_nobody_polls(here: Yard, handlers: Collection[str] | None, rest: str) -> None:
    execution = asking(here)
    (reason,) = why(here.engine, execution, handlers=handlers, time_text=rfc3339)
    since = rfc3339(execution.started)
    text = f"Ask has waited since {since}: nobody polls the activity 'approve' (GetActivityTask) for its tasks{rest}"
    assert (reason.kind, reason.text, reason.action, reason.state) == ("activity", text, POLL, "Ask")
    command = f'eval "$(sm env)"; aws stepfunctions get-activity-task --activity-arn {ARN}'
    assert command_of(POLL) == command
    deed = deed_of(POLL)
    assert deed is not None and (deed.kind, deed.address) == ("command", command)
    assert sentence_of(reason).is_stuck


def test_a_handler_of_its_name_serves_it_too(here: Yard) -> None:
    (reason,) = why(here.engine, asking(here), handlers=("approve",), time_text=rfc3339)
    assert (reason.kind, "with the handler 'approve'" in reason.text) == ("job", True)


def test_a_task_of_handlers_is_none_of_an_activity(here: Yard) -> None:
    (reason,) = why(here.engine, asking(here, PLAIN), handlers=(), time_text=rfc3339)
    assert (reason.kind, "@handler('approve')" in reason.text) == ("job", True)


def test_once_it_is_polled_its_callback_is_waited_for(here: Yard) -> None:
    execution = asking(here)
    assert here.engine.poll_activity("approve") is not None
    (reason,) = why(here.engine, execution, handlers=(), time_text=rfc3339)
    assert reason.kind == "callback"


def test_its_document_says_what_it_waits_for(here: Yard) -> None:
    (wait,) = execution_document(here.engine, asking(here))[1]
    sentence = "Ask waits until somebody polls the activity 'approve' (GetActivityTask)"
    assert (wait_sentence(wait, rfc3339), wait.action) == (sentence, POLL)
    (plain,) = execution_document(here.engine, asking(here, PLAIN))[1]
    assert plain.action == Action(Do.START_WORKER)


def test_what_is_left_for_who_polls_is_left_on_purpose(here: Yard) -> None:
    asking(here)
    loop = here.worker({"work": Handler("work", lambda x: x)})
    passes.drain(loop, lambda: False)
    assert left_over(loop) == [Left(Lack.ACTIVITY, "approve", 1)]
    assert not Lack.ACTIVITY.is_stuck


@pytest.mark.parametrize(("definition", "severity", "action"), [
    (ASKS, Severity.WARNING, POLL), (PLAIN, Severity.BROKEN, Action(Do.START_WORKER)),
])  # fmt: skip
def test_a_doctor_wants_no_handler_for_it(
    here: Yard, definition: dict[str, Any], severity: Severity, action: Action
) -> None:  # fmt: skip
    asking(here, definition)
    found = examine(here.engine, time_text=rfc3339, handlers=())
    (tasks,) = [each for each in found if each.check == "tasks"]
    assert (tasks.severity, tasks.action) == (severity, action)
    assert ("nobody polls this activity" in tasks.text) == (definition is ASKS)
    (workers,) = [each for each in found if each.check == "workers"]
    assert (workers.severity is Severity.FINE) == (definition is ASKS)
