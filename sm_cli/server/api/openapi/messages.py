"""What requests about messages, waits and tasks are answered with."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sm_cli.server.api.openapi.parts import AnswerBody


class LateAnswer(AnswerBody):
    """An execution that a message came too late for."""

    execution: str | None
    ended: str
    how: str


class MessageAnswer(AnswerBody):
    """A message without its data."""

    id: int
    key: str
    value: str
    type: str
    strictType: bool  # noqa: N815 - the names of members are those of the answers
    messageId: str | None  # noqa: N815
    status: str
    sent: str
    expires: str
    received: str | None
    receivedBy: int  # noqa: N815
    executions: list[str | None] = Field(description="Who received it; null for one that was deleted.")
    onlyFor: str | None  # noqa: N815
    tooLateFor: list[LateAnswer]  # noqa: N815


class WholeMessageAnswer(MessageAnswer):
    """A message."""

    data: Any


class ReceiptAnswer(AnswerBody):
    """What became of a message that was sent."""

    outcome: Literal["delivered", "buffered", "duplicate", "not_delivered"]
    key: str
    value: str
    message: int | None
    executions: list[str]
    until: str | None
    near: list[str] = Field(description="Sentences about what it just missed.")
    first: WholeMessageAnswer | None = Field(default=None, description="Of a duplicate: the message that came first.")


class DeletedMessagesAnswer(AnswerBody):
    """Numbers of messages that are gone."""

    deleted: list[int]


class OpenWaitAnswer(AnswerBody):
    """That an execution waits for a message."""

    key: str
    value: str
    type: str
    executionId: str  # noqa: N815
    execution: str
    workflow: str
    state: str
    since: str
    deadline: str | None


class TaskAnswer(AnswerBody):
    """A task that waits for a callback."""

    executionId: str  # noqa: N815
    execution: str
    workflow: str
    state: str
    resource: str
    token: str
