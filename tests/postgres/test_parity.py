"""The same data in a file and on a server: lists, counts and statistics answer the same, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter, ExecutionPage, Order, SortKey, cursor_of
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from sm_cli.store.statistics import By
from sm_cli.testing import FakeClock
from sm_cli.views.listing import count_executions, list_executions, matching_executions
from sm_cli.views.numbers.statistics import statistics, statistics_document
from sm_cli.views.operating.copying import copy_database
from sm_cli.views.operating.workforce import queue_document, queue_report
from sm_cli.views.upkeep import database_document
from sm_cli.worker.worker import Worker
from tests.engine.workers import SECOND, workflow
from tests.postgres.server import schema

#: Names whose order and whose small letters databases see differently unless they are told not to.
NAMES = ("a", "B", "b", "Zürich", "zurich", "ÄPFEL", "äpfel", "a_b", "a+b", "a-b", "日本", "𝕏", "a.b", "É", "e", "_")
MESSAGE = {"Type": "Message", "Message": "go", "Correlation": {"id.$": "$.id"}, "End": True}


def definition(name: str, resource: str) -> Any:
    states = {
        "First": {"Type": "Pass", "Next": "Work"},
        "Work": {
            "Type": "Task", "Resource": resource, "Next": "Wait",
            "Retry": [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 2}],
        },
        "Wait": {"Type": "Wait", "SecondsPath": "$.wait", "End": True},
    }  # fmt: skip
    return workflow({"StartAt": "First", "States": states}, name)


class Refused(Exception):
    """What a handler raises: its name is the error's."""


class Again(Exception):
    """What is tried again."""


def work(input: Json, context: object) -> Json:
    assert isinstance(input, dict)
    number = input["number"]
    assert isinstance(number, int)
    if number % 5 == 0:
        raise Refused(f"no {number}")
    if number % 7 == 0:
        raise Again
    return input


def fill(url: str, clock: FakeClock) -> None:
    """Executions of every status, of two workflows, with tags, errors, retries and times of their own."""
    with closing(open_store(url)) as store:
        engine = Engine(store, clock=clock)
        worker = Worker(engine, {"work": Handler("work", work, True)}, concurrency=4)
        for number, name in enumerate([*NAMES, *(f"{name}-{number}" for number, name in enumerate(NAMES))]):
            tags = {"team": "ab"[number % 2], "Größe": str(number % 3)} if number % 4 else {}
            data: Json = {"number": number, "wait": number % 11}
            resource = "nobody" if number % 13 == 3 else "work"
            engine.start(definition("order" if number % 3 else "Bestellung", resource), data, name=name, tags=tags,
                         queue="low" if number % 6 == 0 else "default")  # fmt: skip
            clock.advance_to(clock.now() + 700 * SECOND + number)
            worker.run(lambda: not worker.jobs and not worker.tick())
        for execution in list_executions(store, ExecutionFilter(statuses=(Status.RUNNING,)))[:1]:
            engine.stop(execution)
        worker.let_go()
        worker.pool.close()


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, clock: FakeClock) -> Iterator[tuple[Store, Store]]:
    file: Path = tmp_path_factory.mktemp("parity") / "sm.db"
    fill(str(file), clock)
    with schema() as url:
        copy_database(str(file), url, now=clock.now() + 10**9, snapshot=True)
        stores = open_store(str(file)), open_store(url)
        yield stores
        for store in stores:
            store.close()


FILTERS: dict[str, tuple[Any, ...]] = {
    "statuses": ((), (Status.FAILED,), (Status.RUNNING, Status.ABORTED), (Status.SUCCEEDED,)),
    "workflow": (None, "order", "ORDER"),
    "since": (None, FakeClock().now() + 5000 * SECOND),
    "until": (None, FakeClock().now() + 15_000 * SECOND),
    "name_contains": (None, "a", "Ä", "_", "%", "𝕏"),
    "state": (None, "Wait"),
    "error": (None, "Refused", "refused"),
    "tags": ((), (("team", "a"),), (("team", "a"), ("Größe", "1")), (("team", "A"),)),
}
ALL = [ExecutionFilter(**dict(zip(FILTERS, values, strict=True))) for values in product(*FILTERS.values())]
#: Each value of each part alone, and a spread of all combinations.
SOME = [
    *(ExecutionFilter(**{part: value}) for part, values in FILTERS.items() for value in values),
    *ALL[:: len(ALL) // 60],
]


def test_the_data_has_something_of_everything(both: tuple[Store, Store]) -> None:
    file, _ = both
    statuses = {each.status for each in list_executions(file, ExecutionFilter(), ExecutionPage(1000))}
    assert statuses == {Status.SUCCEEDED, Status.FAILED, Status.RUNNING, Status.ABORTED}
    for filter in (ExecutionFilter(name_contains="Ä"), ExecutionFilter(error="Refused"), ExecutionFilter(state="Wait")):
        assert count_executions(file, filter) > 0


@pytest.mark.parametrize("by", list(By))
def test_statistics_are_equal(both: tuple[Store, Store], clock: FakeClock, by: By) -> None:
    for filter in SOME:
        documents = [statistics_document(statistics(store, filter, by, clock.now())) for store in both]
        assert documents[0] == documents[1], filter


@pytest.mark.parametrize("key", list(SortKey))
@pytest.mark.parametrize("descending", [True, False])
def test_lists_are_equal_page_by_page(both: tuple[Store, Store], key: SortKey, descending: bool) -> None:
    order = Order(key, descending)
    for filter in SOME:
        place = None
        for _ in range(3):
            pages = [list_executions(store, filter, ExecutionPage(5, order, place)) for store in both]
            assert pages[0] == pages[1], filter
            if len(pages[0]) < 5:
                break
            place = cursor_of(pages[0][-1], order)


def test_counts_and_what_matches_are_equal(both: tuple[Store, Store]) -> None:
    for filter in SOME:
        counts = [count_executions(store, filter) for store in both]
        found = [matching_executions(store, filter) for store in both]
        assert (counts[0], found[0]) == (counts[1], found[1]), filter
        assert counts[0] == len(found[0])


def test_queues_are_equal(both: tuple[Store, Store], clock: FakeClock) -> None:
    reports = [queue_report(Engine(store, clock=clock)) for store in both]
    documents = [[queue_document(report, queue) for queue in report.queues] for report in reports]
    assert documents[0] == documents[1]
    assert [document["queue"] for document in documents[0]] == ["default", "low"]


def test_what_is_said_of_the_database_is_equal_but_for_its_size(both: tuple[Store, Store]) -> None:
    documents = [database_document(store) for store in both]
    for name in ("schema", "execution_counts", "map_run_children", "oldest_open"):
        assert documents[0][name] == documents[1][name]
    tables = [document["tables"] for document in documents]
    assert all(isinstance(each, dict) for each in tables)
    rows = [{name: count for name, count in each.items() if not name.startswith("sm_")} for each in tables]  # type: ignore[union-attr]
    assert rows[0] == {**rows[1], "workers": 0}
