"""`sm db copy`: a database into another one, SQLite or Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.opening import database_url
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.counting import Counter
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Trust

if TYPE_CHECKING:
    from sm_cli.views.operating.copying import CopyProgress

_WORDS = {"copy": "rows are copied", "check": "rows are checked", "compare": "rows are compared"}


def copy_to_database(
    source: Annotated[str, typer.Argument(metavar="FROM", show_default=False, help="The database that is copied.")],
    target: Annotated[str, typer.Argument(metavar="TO", show_default=False, help="An empty one, or a name for it.")],
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="Copy one moment though others write; what comes later is not copied.")
    ] = False,
    json: AsJson = False,
    _trust: Trust = False,
) -> None:
    """Copy a database into another one, between files and servers. Who was killed goes on when called again."""
    from sm_cli.engine.clock import SystemClock
    from sm_cli.views.operating.copying import copy_database

    counters: dict[str, Counter] = {}

    def tell(progress: CopyProgress) -> None:
        step = progress.step
        if step not in counters:
            counters[step] = Counter(_WORDS[step], progress.total)
        counters[step].show(progress.rows)

    now = SystemClock().now()
    try:
        totals = copy_database(database_url(source), database_url(target), now=now, snapshot=snapshot, tell=tell)
    finally:
        for counter in counters.values():
            counter.__exit__()
    count = sum(totals.rows.values())
    if json:
        out.value(
            {
                "rows": dict(totals.rows), "resumed_rows": totals.rows_before, "source_written": totals.was_written,
                "already_copied": totals.was_whole,
            }
        )  # fmt: skip
    if totals.was_whole:
        say(f"{count:,} rows are copied already, and checked; nothing was done")
        return
    before = f", {totals.rows_before:,} of them by an earlier attempt" if totals.rows_before else ""
    say(f"{count:,} rows copied{before} and checked; task tokens are good with the copy too")
    if totals.was_written:
        say("the source was written meanwhile: what came after the beginning is not in the copy")
