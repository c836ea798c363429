"""What can be done: what a page offers for it (a form, a link, a command to copy), and the doing."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sm_cli.errors import NotFound
from sm_cli.server.backend import Backend
from sm_cli.server.pages.rendering import segment
from sm_cli.views.actions import Action, Do
from sm_cli.views.why import Reason

#: By the last part of an address: what it does, and what is said of the thing then.
Acts: TypeAlias = Mapping[str, tuple[Callable[[], object], str]]


async def perform_act(backend: Backend, acts: Acts, name: str, what: str) -> str:
    """Do the act of this name to a thing, in its turn; returns what is said of it then. what: what it is called. Raises
    NotFound for a name that no act has, and what the act raises."""
    if name not in acts:
        raise NotFound(f"nothing called {name!r} can be done to {what}")
    act, text = acts[name]
    await backend.change(act)
    return text


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a page offers to do."""

    #: Which part of a template shows it: a form that sends a message, one that answers a task, a button, a link, or a
    #: command to copy.
    kind: Literal["send", "answer", "button", "link", "command"]
    #: What stands on it.
    text: str
    #: Where it leads or is sent to; for `command` the command.
    address: str
    #: Fields that the form has already.
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A reason, with what can be done about it."""

    #: Why it does not go on, or how it ended.
    reason: Reason
    #: What the page offers; None when nothing but time or a worker moves it.
    offer: Deed | None

    @property
    def is_stuck(self) -> bool:
        """Whether it goes on only when somebody does something."""
        return self.reason.action is not None and self.reason.action.do in _BY_A_PERSON


def sentence_of(reason: Reason) -> Sentence:
    """The reason with what a page offers for it."""
    return Sentence(reason, deed_of(reason.action))


#: Nobody else does this: who waits for it is stuck.
_BY_A_PERSON = frozenset({
    Do.SEND_MESSAGE, Do.COMPLETE_TASK, Do.LIST_TASKS, Do.START_WORKER, Do.POLL_ACTIVITY, Do.RESUME_BATCH,
})  # fmt: skip
_LINKS = {
    Do.SHOW_OUTPUT: ("Show the output", "/executions/{}?view=data"),
    Do.SHOW_EXECUTION: ("Open the execution", "/executions/{}"),
    Do.SHOW_REASONS: ("Open the execution", "/executions/{}"),
    Do.SHOW_MAP_RUNS: ("Open the map run", "/map-runs/{}"),
    Do.SHOW_BATCH: ("Open the batch", "/batches/{}"),
    Do.SHOW_SCHEDULE: ("Open the schedule", "/schedules/{}"),
    Do.LIST_TASKS: ("Show tasks that wait", "/waiting"),
}
_BUTTONS = {
    Do.REDRIVE: ("Redrive", "/executions/{}/redrive"),
    Do.RESUME_BATCH: ("Resume the batch", "/batches/{}/resume"),
    Do.RETRY_BATCH: ("Try again what failed", "/batches/{}/retry"),
    Do.RESUME_SCHEDULE: ("Resume the schedule", "/schedules/{}/resume"),
}
_COMMANDS = {
    Do.START_WORKER: ("Start a worker", "sm worker"),
    Do.POLL_ACTIVITY: ("Poll it", 'eval "$(sm env)"; aws stepfunctions get-activity-task --activity-arn {}'),
}


def deed_of(action: Action | None) -> Deed | None:
    """What a page offers for it; None for None."""
    if action is None:
        return None
    if action.do is Do.SEND_MESSAGE:
        key, value = action.arguments
        return Deed("send", "Send the message", "/messages", (("key", key), ("value", value)))
    if action.do is Do.COMPLETE_TASK:
        return Deed("answer", "Answer the task", "/tasks", (("token", action.arguments[0]),))
    argument = action.arguments[0] if action.arguments else ""
    if action.do in _COMMANDS:
        text, command = _COMMANDS[action.do]
        return Deed("command", text, command.format(shlex.quote(argument)))
    if action.do in _LINKS:
        text, address = _LINKS[action.do]
        return Deed("link", text, address.format(segment(argument)))
    text, address = _BUTTONS[action.do]
    return Deed("button", text, address.format(segment(argument)))
