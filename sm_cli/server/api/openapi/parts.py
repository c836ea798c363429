"""What several answers have in common.

These models document answers and are asked by nobody at run time: views make the documents, and tests hold every answer
against the schema. All members are there in each answer; times are RFC 3339, UTC.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")

#: AWS's words, and PENDING for a child of a map run that has not begun.
StatusName: TypeAlias = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class AnswerBody(BaseModel):
    """An answer, or a part of one: it has these members and no others."""

    model_config = ConfigDict(extra="forbid")


class PageAnswer(AnswerBody, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: str | None = Field(description="The `cursor` of the page after it; null on the last page.")


class WholeAnswer(AnswerBody, Generic[T]):
    """A list that has one page."""

    items: list[T]
    next: None


class ExecutionAnswer(AnswerBody):
    """The facts of an execution, without its data."""

    id: str
    name: str
    workflow: str
    version: int | None = Field(description="Of its workflow; null for one of a text that has none.")
    alias: str | None = Field(description="The alias that it was started by.")
    status: StatusName
    started: str
    ended: str | None = Field(description="null while it runs.")
    error: str | None
    cause: str | None
    tags: dict[str, str]


class ActionAnswer(AnswerBody):
    """What can be done about something."""

    do: str
    arguments: list[str | None]
    method: str | None = Field(description="Of the request that does it; null for what no request does.")
    href: str | None
    body: Any = Field(description="Of that request; null: none, or what the person has to say.")


class FailureAnswer(AnswerBody):
    """Where an execution failed."""

    state: str | None
    places: list[str] = Field(description="Lines of code, innermost first.")
    traceback: str | None
    failed_execution: FailedChildAnswer | None = Field(description="The execution below that failed first.")


class FailedChildAnswer(AnswerBody):
    """An execution that failed, and took the one above with it."""

    id: str
    name: str
    workflow: str
    error: str | None
    cause: str | None
    failure: FailureAnswer | None


class ProblemAnswer(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="urn:sm:problem: and the code.")
    title: str
    status: int
    detail: str = Field(description="One sentence.")
    code: str = Field(description="The name of an error of `sm_cli.errors`, or of a refusal.")
    hint: str | None = Field(default=None, description="What to do about it.")
    line: int | None = None
    column: int | None = None
    diagnostics: list[Any] | None = None
