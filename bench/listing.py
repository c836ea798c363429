"""`sm list` on 1,000,000 executions: pages by every filter and order, and counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.million import DAY, END, WORKFLOWS, build
from bench.report import Figure
from sm_cli.store.filters import ExecutionFilter, ExecutionPage, Order, SortKey, cursor_of
from sm_cli.store.records import Status
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.views.listing import count_executions, list_executions

COUNT = 1_000_000
FILTERS = {
    "all": ExecutionFilter(),
    "RUNNING": ExecutionFilter((Status.RUNNING,)),
    "FAILED or TIMED_OUT": ExecutionFilter((Status.FAILED, Status.TIMED_OUT)),
    "a rare workflow": ExecutionFilter(workflow=WORKFLOWS[-2]),
    "FAILED of a workflow": ExecutionFilter((Status.FAILED,), WORKFLOWS[0]),
    "a day, long ago": ExecutionFilter(since=END - 20 * DAY, until=END - 19 * DAY),
    "an error": ExecutionFilter(error="OutOfStock"),
    "a rare tag": ExecutionFilter(tags=(("rare", "yes"),)),
    "a frequent tag": ExecutionFilter(tags=(("team", "t3"),)),
    "a frequent tag, FAILED": ExecutionFilter((Status.FAILED,), tags=(("team", "t3"),)),
    "a frequent state": ExecutionFilter(state="Charge"),
    "a rare state": ExecutionFilter(state="Apologize"),
    "a state that none was in": ExecutionFilter(state="Nowhere"),
    "a name that none has": ExecutionFilter(name_contains="no such name"),
}


def run(folder: Path) -> Iterator[Figure]:
    path = folder / "million.db"
    build(path, COUNT)
    store = SqliteStore(path)
    for name, filter in FILTERS.items():
        span = best(lambda filter=filter: list_executions(store, filter))  # type: ignore[misc]
        target = "<= 50" if "name" not in name else None
        yield Figure(f"a page of {name}", span, "ms", target)
    for name in ("all", "RUNNING", "a day, long ago", "an error", "a frequent tag"):
        span = best(lambda name=name: count_executions(store, FILTERS[name]))  # type: ignore[misc]
        yield Figure(f"a count of {name}", span, "ms")
    for key in SortKey:
        for descending in (True, False):
            order = Order(key, descending)
            first = list_executions(store, ExecutionFilter(), ExecutionPage(50, order))
            page = ExecutionPage(50, order, cursor_of(first[-1], order))
            span = best(lambda page=page: list_executions(store, ExecutionFilter(), page))  # type: ignore[misc]
            yield Figure(f"the second page by {'-' if descending else ''}{key}", span, "ms")
    deep = ExecutionPage(50, Order(SortKey.STARTED), (END - 29 * DAY, 0))
    yield Figure(
        "a page after 960,000 others", best(lambda: list_executions(store, ExecutionFilter(), deep)), "ms", "<= 50"
    )
    store.close()


def best(ask: Callable[[], object]) -> float:
    """Milliseconds of the quickest of three."""
    spans = []
    for _ in range(3):
        begun = time.perf_counter()
        ask()
        spans.append(time.perf_counter() - begun)
    return min(spans) * 1000
