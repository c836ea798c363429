"""What a page does: each a form, each one transaction, each answered with what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.engine.send_message import SendOutcome
from sm_cli.errors import UsageError
from sm_cli.jsonvalue import Json, loads_exact
from sm_cli.server.backend import TheBackend
from sm_cli.server.pages.executions.one import find_now
from sm_cli.server.pages.moments import clock_text
from sm_cli.server.pages.rendering import PageRoute, form_of, notice, segment

if TYPE_CHECKING:
    from sm_cli.engine.send_message import Sent

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/executions/{ref}/stop")
async def stop(request: Request, backend: TheBackend, ref: str) -> Response:
    """Stop an execution."""
    form = await form_of(request)
    error, cause = form.get("error", "").strip() or None, form.get("cause", "").strip() or None
    execution = await backend.read(lambda: find_now(backend, ref))
    await backend.change(lambda: backend.engine.stop(execution, error=error, cause=cause))
    return notice(request, f"{execution.name} is stopped.", link=f"/executions/{segment(execution.ref)}")


@router.post("/executions/{ref}/redrive")
async def redrive(request: Request, backend: TheBackend, ref: str) -> Response:
    """Go on with one that did not succeed."""
    form = await form_of(request)
    state = form.get("state", "").strip() or None
    execution = await backend.read(lambda: find_now(backend, ref))
    again = await backend.change(lambda: backend.engine.redrive(execution, state=state))
    which = " and ".join(each.state for each in again[:3]) + (" and more" if len(again) > 3 else "")
    text = f"{execution.name} goes on from {which}." if again else f"{execution.name} goes on."
    fails = [f"{each.state} is a Fail state, so it fails again." for each in again if each.type == "Fail"]
    return notice(request, text, details=tuple(fails), link=f"/executions/{segment(execution.ref)}")


@router.post("/messages")
async def send_from_form(request: Request, backend: TheBackend) -> Response:
    """Send a message. Raises UsageError for a time that is no number."""
    form = await form_of(request)
    data = read_field(form.get("data", ""), "the data")
    key, value = form.get("key", "").strip(), form.get("value", "")
    ttl = form.get("ttl", "").strip() or "3600"
    seconds = float(ttl) if ttl.replace(".", "", 1).isdecimal() else -1.0
    if seconds < 0:
        raise UsageError(f"a message is kept for a number of seconds, not {ttl!r}")
    message_id = form.get("message_id", "").strip() or None
    is_strict = form.get("strict") == "on"
    sent = await backend.change(
        lambda: backend.engine.publish(key, value, data, ttl=seconds, message_id=message_id, strict_type=is_strict)
    )
    kind = "good" if sent.outcome in (SendOutcome.DELIVERED, SendOutcome.DUPLICATE) else "warn"
    return notice(request, _sent_text(key, value, sent), kind=kind, details=sent.near, link="/waiting")


def _sent_text(key: str, value: str, sent: Sent) -> str:
    if sent.outcome is SendOutcome.DELIVERED:
        count = len(sent.executions)
        return f"The message {key}={value} was delivered to {'1 execution' if count == 1 else f'{count} executions'}."
    if sent.outcome is SendOutcome.DUPLICATE:
        return f"The message {key}={value} was sent before with this id; nothing has changed."
    until = "" if sent.until is None else f" until {clock_text(sent.until)}"
    return f"Nobody waits for {key}={value}; the message is kept{until}."


@router.post("/tasks")
async def answer_task(request: Request, backend: TheBackend) -> Response:
    """Answer a task that was handed over: it succeeds with an output, or fails with an error."""
    form = await form_of(request)
    token, engine = form.get("token", "").strip(), backend.engine
    if form.get("answer") == "reject":
        error, cause = form.get("error", "").strip() or "States.TaskFailed", form.get("cause", "").strip() or None
        execution = await backend.change(lambda: engine.task_failed(token, error, cause))
        text = f"The task has failed with {error}; {execution.name} goes on with its Retry and Catch."
    elif form.get("answer") == "beat":
        execution = await backend.change(lambda: engine.task_beat(token))
        text = f"Heartbeat taken for {execution.name}."
    else:
        output = read_field(form.get("output", ""), "the output")
        execution = await backend.change(lambda: engine.task_succeeded(token, output))
        text = f"The task has succeeded; {execution.name} goes on."
    return notice(request, text, link=f"/executions/{segment(execution.ref)}")


def read_field(text: str, what: str) -> Json:
    """The value that a field holds; {} for an empty one. Raises InvalidJson, which says where."""
    return loads_exact(text, what=what) if text.strip() else {}
