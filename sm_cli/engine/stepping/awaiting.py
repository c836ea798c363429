"""A frame begins to wait for a message: it takes the oldest buffered one, or subscribes.

A message and a wait meet in one transaction; which of them came first is what that transaction finds.
"""

from __future__ import annotations

from dataclasses import replace

from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.interpreter.commands import AwaitMessage
from sm_cli.interpreter.events import MessageReceived
from sm_cli.interpreter.frame import Frame, Opens
from sm_cli.jsonvalue import Json, scalar_kind, scalar_text
from sm_cli.store.messages import (
    Consumed,
    MessageStatus,
    StoredMessage,
    Subscription,
)
from sm_cli.store.records import Execution


def await_message(unit: UnitOfWork, execution: Execution, frame: Frame, command: AwaitMessage) -> bool:
    """A buffered message is received at once; else the frame subscribes."""
    key, value = command.key, command.value
    message = take_buffered(unit, execution.id, key, value)
    if message is not None:
        unit.agenda.append((frame.id, MessageReceived(frame.seq, message.body)))
        return True
    frame.opens |= Opens.SUBSCRIPTION
    unit.awaits[frame.id] = Subscription(
        execution.id, frame.id, frame.seq, key, scalar_text(value), unit.now, command.deadline, scalar_kind(value)
    )
    return False


def take_buffered(unit: UnitOfWork, execution: int, key: str, value: Json) -> StoredMessage | None:
    """The oldest buffered message for this wait, which now has received it."""
    changes, text, kind = unit.changes, scalar_text(value), scalar_kind(value)
    consumed_ids = [c.message for c in changes.messages_consumed]
    message = unit.tx.buffered_message(key, text, unit.now, consumed_ids, kind=kind, execution=execution)
    if message is not None:
        changes.messages_consumed.append(Consumed(message.id, execution, unit.now))
        return message
    for i, m in enumerate(changes.new_messages):
        if (
            (m.key, m.value) == (key, text)
            and m.status_at(unit.now) is MessageStatus.BUFFERED
            and (not m.strict or m.kind == kind)
            and m.execution in (None, execution)
        ):
            changes.new_messages[i] = replace(
                m, status=MessageStatus.CONSUMED, consumed=unit.now, count=1, receivers=(execution,)
            )
            return m
    return None
