"""The options that choose executions, and the filter that they mean; the same for every command that has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.terminal.options import choice
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from sm_cli.views.listing import ExecutionFilter, Order

STATUSES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_SORT_KEYS = ("started", "ended", "duration", "name")

OfStatus = Annotated[
    list[str] | None,
    typer.Option("--status", metavar="STATUS", help="Only these: RUNNING, FAILED, …; may be given again."),
]
Since = Annotated[str | None, typer.Option("--since", metavar="WHEN", help="Started since: 1h, 2d, 2026-01-31.")]
Until = Annotated[str | None, typer.Option("--until", metavar="WHEN", help="Started before: 1h, 2d, 2026-01-31.")]
NamePart = Annotated[
    str | None, typer.Option("--name", metavar="TEXT", help="Only those with this text in their name.")
]
InState = Annotated[
    str | None, typer.Option("--state", metavar="NAME", help="Only those that are in this state, or were.")
]
WithError = Annotated[
    str | None, typer.Option("--error", metavar="NAME", help="Only those that ended with this error.")
]
WithTag = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME=VALUE", help="Only those with this tag; given again: and with that."),
]
SortBy = Annotated[
    str,
    typer.Option("--sort", metavar="KEY", help="started, ended, duration or name; - before it: the other way round."),
]


def execution_filter(
    *, statuses: Sequence[str] | None = None, workflow: str | None = None, since: str | None = None,
    until: str | None = None, name: str | None = None, state: str | None = None, error: str | None = None,
    tags: Sequence[str] | None = None,
) -> ExecutionFilter:  # fmt: skip
    """What the options mean together. Raises UsageError."""
    from sm_cli.views.listing import ExecutionFilter, Status

    names = [choice(status.upper().replace("-", "_"), "--status", STATUSES) for status in statuses or ()]
    begin, end = moment(since, "--since"), moment(until, "--until")
    if begin is not None and end is not None and begin >= end:
        raise UsageError(f"--until {until} is not after --since {since}: no execution was started between them")
    return ExecutionFilter(
        statuses=tuple(map(Status, dict.fromkeys(names))), workflow=workflow, since=begin, until=end,
        name_contains=name or None, state=state, error=error, tags=tuple(tag_pairs(tags).items()),
    )  # fmt: skip


def moment(text: str | None, option: str) -> int | None:
    """Microseconds since 1970 UTC of what a person writes; None for None. Raises UsageError."""
    if text is None:
        return None
    from sm_cli.cli.terminal.moments import microseconds_of

    return microseconds_of(text, option)


def tag_pairs(texts: Sequence[str] | None) -> dict[str, str]:
    """`name=value` of each. Raises UsageError for a text without a `=`, and for a name with two values."""
    pairs: dict[str, str] = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not name or not sign:
            raise UsageError(f"--tag takes NAME=VALUE, not {text!r}")
        if pairs.get(name, value) != value:
            raise UsageError(f"--tag {name} is given twice, as {pairs[name]!r} and as {value!r}")
        pairs[name] = value
    return pairs


def sort_order(text: str) -> Order:
    """`started` is oldest first, `-started` newest first, and so on. Raises UsageError."""
    from sm_cli.views.listing import Order, SortKey

    key = choice(text.removeprefix("-").lower(), "--sort", _SORT_KEYS)
    return Order(SortKey(key), descending=text.startswith("-"))
