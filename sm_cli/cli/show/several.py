"""What `sm stop` and `sm redrive` share when filters choose the executions: choosing, counting, asking, telling.

Nothing happens before the count was shown and agreed to, and each execution has a transaction of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import choice
from sm_cli.errors import Conflict, NotFound, UsageError

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.jsonvalue import Json
    from sm_cli.views.listing import Execution, ExecutionFilter

Chosen = Annotated[
    str | None,
    typer.Argument(metavar="EXECUTION", show_default=False, help="As everywhere; leave it out to choose with filters."),
]
Since = Annotated[str | None, typer.Option("--since", metavar="WHEN", help="Started since: 1h, 2d, 2026-01-31.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With filters: do it without a question.")]
#: What is done to one execution, and what JSON tells of it. Raises Conflict, NotFound.
Act: TypeAlias = "Callable[[Execution], dict[str, Json]]"

#: Executions that could not be worked on and are told one by one; the others are counted.
_TOLD = 20


def selection(
    execution: str | None, choices: tuple[str, ...], *, workflow: str | None, status: str | None, since: str | None,
    error: str | None = None,
) -> ExecutionFilter | None:  # fmt: skip
    """What the filters choose; None when an execution is named. choices: statuses that one may have.

    Raises UsageError when it is neither or both."""
    some = any(value is not None for value in (workflow, status, since, error))
    if execution is not None and some:
        raise UsageError("name one execution, or choose with filters: not both")
    if execution is not None:
        return None
    if not some:
        raise UsageError("name an execution, or choose several with --workflow, --status or --since")
    from sm_cli.views.listing import ExecutionFilter, Status

    statuses = choices
    if status is not None:
        name = status.upper().replace("-", "_")
        if len(choices) == 1 and name != choices[0]:
            raise UsageError(f"--status takes {choices[0]} here, not {status!r}: no other execution can be stopped")
        statuses = (choice(name, "--status", choices) if len(choices) > 1 else name,)
    moment = None
    if since is not None:
        from sm_cli.cli.terminal.moments import microseconds_of

        moment = microseconds_of(since, "--since")
    return ExecutionFilter(tuple(map(Status, statuses)), workflow, since=moment, error=error)


@dataclass
class Several:
    """One command on many executions."""

    #: Over the database that they are in.
    engine: Engine
    #: What is asked: "stop".
    verb: str
    #: What was done: "stopped".
    past: str
    #: Only tell what would be done.
    dry_run: bool
    #: Written instead of lines for people.
    json: bool
    #: Those that were worked on.
    successes: list[Json] = field(default_factory=list)
    #: Those that could not be worked on.
    refusals: list[Json] = field(default_factory=list)

    def carry_out(self, filter: ExecutionFilter, act: Act, *, yes: bool) -> None:
        """Count, ask, do. Ends the command with exit code 1 when the answer was no, 4 when one or more were refused.
        Raises UsageError without a terminal to ask on, unless `yes`."""
        from sm_cli.views.listing import matching_executions

        ids = matching_executions(self.engine.store, filter)
        if ids and not self.dry_run and not yes and not ask(f"{self.verb} {_count_text(ids)}{_filter_text(filter)}?"):
            say(f"nothing was {self.past}")
            raise typer.Exit(1)
        try:
            for id in ids:
                self._one(id, act)
        finally:  # also of what Ctrl-C cuts short is told how far it went
            self._tell(len(ids), filter)
        if self.refusals:
            raise typer.Exit(Conflict.exit_code)

    def _one(self, id: int, act: Act) -> None:
        from sm_cli.views.listing import short_execution

        execution = short_execution(self.engine.store, id)
        if execution is None:
            self._refuse(f"#{id}", "", "it is not there any more")
            return
        try:
            facts = act(execution)
        except (Conflict, NotFound) as e:
            self._refuse(execution.ref, execution.name, e.message)
            return
        self.successes.append({"id": execution.ref, "name": execution.name, "workflow": execution.workflow, **facts})

    def _refuse(self, ref: str, name: str, reason: str) -> None:
        self.refusals.append({"id": ref, "name": name, "reason": reason})
        if len(self.refusals) <= _TOLD:
            say(f"not {self.past}: {reason}")

    def _tell(self, matching: int, filter: ExecutionFilter) -> None:
        if self.json:
            out.value(
                {"dry_run": self.dry_run, "matching": matching, self.past: self.successes, "refused": self.refusals}
            )
        if not matching:
            statuses = " or ".join(status.value for status in filter.statuses)
            say(f"no execution{_filter_text(filter)} is {statuses}: there is nothing to {self.verb}")
            return
        would = f"would be {self.past}" if self.dry_run else self.past
        rest = f", {len(self.refusals)} could not be" if self.refusals else ""
        remaining = matching - len(self.successes) - len(self.refusals)
        say(
            f"{_count_text(self.successes)}{_filter_text(filter)} {would}{rest}"
            + (f", {remaining} not looked at" if remaining else "")
        )


def _count_text(executions: list[int] | list[Json]) -> str:
    return "1 execution" if len(executions) == 1 else f"{len(executions):,} executions"


def _filter_text(filter: ExecutionFilter) -> str:
    workflow = "" if filter.workflow is None else f" of {filter.workflow!r}"
    return workflow if filter.error is None else f"{workflow} with the error {filter.error!r}"


def ask(question: str, options: str = "--yes does it, --dry-run only shows it") -> bool:
    """Ask, and return whether the answer was yes. options: what does without an answer. Raises UsageError where there
    is no terminal to ask on."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{question} Nobody can answer here: {options}")
    from sm_cli.cli.escaping import escape

    sys.stderr.write(f"{escape(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
