"""What requests about workflows and their texts are answered with."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sm_cli.server.api.openapi.parts import AnswerBody, WholeAnswer


class WorkflowAnswer(AnswerBody):
    """A workflow of the database, of the project's files, or of both."""

    name: str
    version: int | None = Field(description="The current one; null for a file that was never started.")
    version_count: int
    aliases: dict[str, dict[str, int]] = Field(description="By name: versions and their shares in percent.")
    registered: str | None
    has_file: bool = Field(description="Whether the project has a file of it.")


class VersionAnswer(AnswerBody):
    """A version of a workflow."""

    workflow: str
    version: int
    current: bool = Field(description="Whether the bare name means it.")
    aliases: dict[str, int] = Field(description="Those that mean it, with its share in percent.")
    registered: str
    running: int = Field(description="Executions that run it now.")
    digest: str = Field(description="Of the text of its definition.")


class VersionTextAnswer(VersionAnswer):
    """A version with its text."""

    format: str
    definition: Any


class RegistrationAnswer(AnswerBody):
    """What a text was registered as."""

    workflow: str
    version: int
    new: bool
    alias: str | None


class AliasAnswer(AnswerBody):
    """An alias."""

    workflow: str
    alias: str
    versions: dict[str, int] = Field(description="Versions and their shares in percent.")
    created: str
    updated: str


class RollbackAnswer(AnswerBody):
    """What a name or an alias meant before, and means now."""

    workflow: str
    alias: str | None
    before: dict[str, int]
    after: dict[str, int]


class DeletedVersionsAnswer(AnswerBody):
    """The numbers of versions that are gone."""

    workflow: str
    deleted: list[int]


class DifferenceAnswer(AnswerBody):
    """What two versions differ in at one place."""

    pointer: str
    before: Any
    after: Any


class DiffAnswer(WholeAnswer[DifferenceAnswer]):
    """What two versions differ in."""

    version_before: int = Field(description="The number of the version that is compared.")
    version_after: int = Field(description="That of the version that it is compared with.")


class DiagnosticAnswer(AnswerBody):
    """What is wrong with a definition; lines and columns from 1, null of a definition that was given as an object."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    hint: str | None
    pointer: str
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None


class ValidationAnswer(AnswerBody):
    """Whether a definition can run."""

    valid: bool
    diagnostics: list[DiagnosticAnswer]
