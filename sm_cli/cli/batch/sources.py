"""`sm batch run --from-executions`: which executions a batch goes through, and what it takes of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sm_cli.cli.terminal.filters import execution_filter
from sm_cli.cli.terminal.options import count
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from sm_cli.engine.batches.executions import OfExecutions
    from sm_cli.handlers.transformer import Transformer

FromExecutions: TypeAlias = Annotated[
    bool, typer.Option("--from-executions", help="The items are the outputs of executions, the oldest first.")
]
SourceWorkflow: TypeAlias = Annotated[
    str | None, typer.Option("--workflow", metavar="NAME", help="Of these only those of one workflow.")
]
Reached: TypeAlias = Annotated[
    str | None, typer.Option("--reached", metavar="NAME", help="Only those that are in this state, or were.")
]
SourceLimit: TypeAlias = Annotated[
    str | None, typer.Option("--limit", metavar="N", help="At most so many of them; all unless given.")
]
SourceState: TypeAlias = Annotated[
    str | None, typer.Option("--state", metavar="NAME", help="Take what this state of them was left with last.")
]
UniqueSources: TypeAlias = Annotated[
    bool, typer.Option("--unique", help="Take none that led to an execution of this workflow already.")
]


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """What the options choose, as they were given."""

    #: Whether executions are the items.
    is_chosen: bool
    #: `--workflow`.
    workflow: str | None
    #: `--status`.
    status: list[str] | None
    #: `--since`.
    since: str | None
    #: `--until`.
    until: str | None
    #: `--name`.
    name: str | None
    #: `--reached`.
    passed_state: str | None
    #: `--limit`.
    limit: str | None
    #: `--state`.
    state: str | None
    #: `--transform`.
    transform: str | None
    #: `--unique`.
    unique: bool
    #: `--allow-failed`.
    allow_failed: bool

    def check(self, inputs: str | None) -> None:
        """Raises UsageError when there are no items, two kinds of them, or options without what they belong to."""
        if inputs is not None and self.is_chosen:
            raise UsageError("--inputs and --from-executions both give the items; one of them is too many")
        if inputs is None and not self.is_chosen:
            raise UsageError(
                "a batch needs items: give --inputs FILE, - for stdin, s3://BUCKET/KEY, or --from-executions"
            )
        options = {
            "--workflow": self.workflow, "--status": self.status, "--since": self.since, "--until": self.until,
            "--name": self.name, "--reached": self.passed_state, "--limit": self.limit, "--state": self.state,
            "--transform": self.transform, "--unique": self.unique, "--allow-failed": self.allow_failed,
        }  # fmt: skip
        for option, value in options.items():
            if value and not self.is_chosen:
                raise UsageError(f"{option} chooses executions, so it belongs to --from-executions")

    def sources(self, transformers: Callable[[], Mapping[str, Transformer]]) -> OfExecutions:
        """The executions that are meant. transformers: those of the project, asked for only when one is named. Without
        --status these are those that SUCCEEDED, and with --allow-failed all that have ended. Raises UsageError,
        NotFound, HandlerLoadError."""
        from sm_cli.engine.batches.executions import OfExecutions

        statuses = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"] if self.allow_failed else ["SUCCEEDED"]
        filter = execution_filter(
            statuses=self.status or statuses, workflow=self.workflow, since=self.since, until=self.until,
            name=self.name, state=self.passed_state,
        )  # fmt: skip
        transform = None
        if self.transform is not None:
            from sm_cli.project.transforms import read_transform

            transform = read_transform(self.transform, transformers)
        limit = None if self.limit is None else count(self.limit, "--limit")
        return OfExecutions(filter, limit, self.state, transform, self.allow_failed, self.unique)
