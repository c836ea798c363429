"""What requests about messages, waits and tasks are answered with."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sm_cli.server.api.openapi.parts import AnswerBody


class LateAnswer(AnswerBody):
    """An execution that a message came too late for."""

    execution_id: str | None
    ended: str
    how: str


class MessageAnswer(AnswerBody):
    """A message without its data."""

    id: int
    key: str
    value: str
    type: str
    strict_type: bool
    message_id: str | None
    status: str
    sent: str
    expires: str
    received: str | None
    received_by: int
    executions: list[str | None] = Field(description="Who received it; null for one that was deleted.")
    execution_id: str | None = Field(description="The only execution that may receive it.")
    too_late_for: list[LateAnswer]


class WholeMessageAnswer(MessageAnswer):
    """A message."""

    data: Any


class ReceiptAnswer(AnswerBody):
    """What became of a message that was sent."""

    outcome: Literal["delivered", "buffered", "duplicate", "not_delivered"]
    key: str
    value: str
    id: int | None = Field(description="The number of the message that is kept; null: nothing is.")
    executions: list[str]
    until: str | None
    near: list[str] = Field(description="Sentences about what it just missed.")
    first_message: WholeMessageAnswer | None = Field(
        default=None, description="Of a duplicate: the message that came first."
    )


class DeletedMessagesAnswer(AnswerBody):
    """Numbers of messages that are gone."""

    deleted: list[int]


class OpenWaitAnswer(AnswerBody):
    """That an execution waits for a message."""

    key: str
    value: str
    type: str
    execution_id: str
    execution_name: str
    workflow: str
    state: str
    since: str
    deadline: str | None


class TaskAnswer(AnswerBody):
    """A task that waits for a callback."""

    execution_id: str
    execution_name: str
    workflow: str
    state: str
    resource: str
    token: str
