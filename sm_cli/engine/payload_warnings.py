"""Payloads that AWS would refuse: a warning for each state, once, where AWS's limits are not on.

Only events that the store found to be long while it wrote them are looked at, so that small payloads cost
nothing. What a warning is about has happened and is committed; nothing is changed by it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.errors import UsageError
from sm_cli.interpreter.step import PAYLOAD_LIMIT
from sm_cli.jsonvalue import Json, size_of
from sm_cli.store.records import HistoryEvent

log = logging.getLogger("sm.engine")


class _Payload(NamedTuple):
    """`state` is "" for the execution itself."""

    state: str
    what: str
    value: Json


class PayloadWarnings:
    """The warnings so far, by workflow and state."""

    def __init__(self) -> None:
        self._warnings: set[tuple[str, str]] = set()

    def tell(self, tick: UnitOfWork) -> None:
        """Warn of the payloads beyond AWS's 256 KiB of UTF-8 JSON that this tick has written: an execution's input, the
        result of a task, the output of a state that was entered with less."""
        for event in () if tick.settings.limits else tick.long:
            workflow = tick.executions[event.execution].workflow
            for state, what, value in _payloads(tick, event):
                if (workflow, state) not in self._warnings and (size := size_of(value)) > PAYLOAD_LIMIT:
                    self._warnings.add((workflow, state))
                    of = f"the state {state!r} of {workflow!r}" if state else f"an execution of {workflow!r}"
                    log.warning("%s has %s of %s bytes; AWS allows %s", of, what, f"{size:,}", f"{PAYLOAD_LIMIT:,}")


def _payloads(tick: UnitOfWork, event: HistoryEvent) -> Iterator[_Payload]:
    type, detail = event.type, event.detail
    if type == "ExecutionStarted":
        yield _Payload("", "an input", detail["input"])
    elif type.endswith("StateExited"):
        _, input = _entry_of(tick, event)
        if size_of(input) <= PAYLOAD_LIMIT:
            yield _Payload(str(detail["name"]), "an output", detail["output"])
    elif "output" in detail and type.endswith(("Succeeded", "Submitted")) and not type.startswith("Execution"):
        state, _ = _entry_of(tick, event)
        yield _Payload(state, "a result", detail["output"])


def _entry_of(tick: UnitOfWork, later: HistoryEvent) -> tuple[str, Json]:
    """The state that the event belongs to, and its input: entered in this tick, or before the frame was loaded."""
    for event in reversed(tick.changes.history):
        if event.frame == later.frame and event.number < later.number and event.type.endswith("StateEntered"):
            return str(event.detail["name"]), event.detail["input"]
    frame = tick.stored_frames.get(later.frame) or tick.frames[later.frame]
    return frame.state, frame.input


def refuse_beyond_aws(input: Json) -> None:
    """Raises UsageError for an input that AWS would not take."""
    size = size_of(input)
    if size > PAYLOAD_LIMIT:
        raise UsageError(f"the input has {size:,} bytes; AWS takes at most {PAYLOAD_LIMIT:,}")
