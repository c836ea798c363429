"""`sm stats` on 1,000,000 executions: the last day of a month, and a million in one day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.listing import COUNT, best
from bench.million import DAY, END, WORKFLOWS, build
from bench.report import Figure
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.views.numbers.statistics import By, statistics


def run(folder: Path) -> Iterator[Figure]:
    last_day = ExecutionFilter(since=END - DAY)
    for days in (30, 1):
        path = folder / f"{days}.db"
        build(path, COUNT, span=days * DAY)
        store = SqliteStore(path)
        where = "the last of 30 days" if days > 1 else "a million in one day"
        for by in By:
            span = best(lambda by=by, store=store: statistics(store, last_day, by, END))  # type: ignore[misc]
            yield Figure(f"{where}, by {by.value}", span, "ms", "<= 1000")
        one = last_day._replace(workflow=WORKFLOWS[0])
        span = best(lambda store=store, one=one: statistics(store, one, By.HOUR, END))  # type: ignore[misc]
        yield Figure(f"{where}, one workflow, by hour", span, "ms", "<= 1000")
        store.close()
        path.unlink()
