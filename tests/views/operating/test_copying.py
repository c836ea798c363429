"""A database into another one, of each kind: all of it, once, and what waited goes on at the other side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.batches.options import BatchOptions
from sm_cli.errors import ConfigurationError, Conflict, DatabaseError
from sm_cli.handlers.handler import Handler
from sm_cli.store.copying import copy
from sm_cli.store.copying.tables import Tables
from sm_cli.store.open import open_store, open_tables, schema_number, table_layout
from sm_cli.store.records import Status
from sm_cli.store.scripts import UNFINISHED, newest_schema
from sm_cli.testing import FakeClock
from sm_cli.views.operating import copying
from sm_cli.views.operating.copying import CopyProgress, copy_database
from sm_cli.views.upkeep import database_document, database_problems
from tests.engine.workers import Yard, soon, workflow, yard
from tests.stores import database

WAYS = [("sqlite", "postgres"), ("postgres", "sqlite"), ("sqlite", "sqlite")]
#: Waits for a token, for time and for a message at once; its input is large.
WAITING = workflow(
    {
        "StartAt": "All",
        "States": {
            "All": {
                "Type": "Parallel",
                "Branches": [
                    {
                        "StartAt": "Ask",
                        "States": {
                            "Ask": {
                                "Type": "Task",
                                "Resource": "ask.waitForTaskToken",
                                "Parameters": {"token.$": "$$.Task.Token"},
                                "End": True,
                            }
                        },
                    },
                    {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 3600, "End": True}}},
                    {
                        "StartAt": "Hear",
                        "States": {
                            "Hear": {
                                "Type": "Message",
                                "CorrelationKey": "orderId",
                                "CorrelationValuePath": "$.orderId",
                                "End": True,
                            }
                        },
                    },
                ],
                "End": True,
            }
        },
    }
)


@pytest.fixture(params=WAYS, ids=["-".join(way) for way in WAYS])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The URLs of two empty databases."""
    with ExitStack() as stack:
        urls = []
        for name, kind in zip("ab", request.param, strict=True):
            (tmp_path / name).mkdir()
            urls.append(stack.enter_context(database(kind, tmp_path / name)))
        yield urls[0], urls[1]
        if request.param[1] == "postgres" and (schema_number(urls[1]) or 0) > UNFINISHED:  # other tests get it next
            with open_tables(urls[1]) as tables:
                tables.begin_copy(newest_schema())


def fill(url: str, clock: FakeClock) -> str:
    """Executions that wait, one that is closed; returns the token that one of them waits for."""
    tokens: list[str] = []

    def ask(input: Any, _context: Any) -> Any:
        tokens.append(input["token"])

    with yard(open_store(url), clock) as here:
        for number in range(3):
            here.start(WAITING, {"orderId": f"o{number}", "text": "é" * 9000, "nul": "a\0b"})
        here.start(workflow({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}, "short"), {"n": 1})
        worker = here.worker({"ask": Handler("ask", ask)}, alive=True)
        _until(here, worker, lambda: len(tokens) == 3 and not worker.jobs)
        worker.finish(0)
    return tokens[0]


def _until(here: Yard, worker: Any, condition: Any) -> None:
    def look() -> bool:
        worker.tick()
        return bool(condition())

    soon(look)


def test_what_waits_goes_on_at_the_other_side(places: tuple[str, str]) -> None:
    source, target = places
    clock = FakeClock()
    token = fill(source, clock)
    totals = copy_database(source, target, now=clock.now(), snapshot=False)
    assert totals.rows["executions"] == 4
    assert totals.rows_before == 0
    with yard(open_store(target, create=False), clock) as there:
        assert database_problems(there.store) == []
        execution = there.engine.task_succeeded(token, {"answer": 42})
        input: Any = there.now(execution).input
        assert input["nul"] == "a\0b"
        there.engine.publish("orderId", input["orderId"], {"paid": True})
        there.later(3601)
        worker = there.worker({}, alive=True)
        _until(there, worker, lambda: there.now(execution).closed is not None)
        output: Any = there.now(execution).output
        assert (there.now(execution).status, output[0]) == (Status.SUCCEEDED, {"answer": 42})
        new = there.start(WAITING, {"orderId": "new"})  # under numbers that nobody had
        assert new.id > execution.id
        assert database_problems(there.store) == []
        worker.finish(0)


def test_a_batch_takes_the_items_that_it_has_not_read_along(places: tuple[str, str]) -> None:
    source, target = places
    clock = FakeClock()
    task = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}
    with yard(open_store(source), clock) as here:
        batch = here.engine.batch(
            workflow(task, "order"), ({"n": n, "nul": "a\0b"} for n in range(12)), options=BatchOptions(1)
        )
        here.worker({}, alive=True).finish(0)
    copy_database(source, target, now=clock.now(), snapshot=False)
    numbers: list[int] = []

    def work(input: Any, _context: Any) -> None:
        assert input["nul"] == "a\0b"
        numbers.append(input["n"])

    with yard(open_store(target, create=False), clock) as there:
        worker = there.worker({"work": Handler("work", work)}, alive=True)
        _until(there, worker, lambda: there.now(batch).closed is not None)
        assert there.now(batch).status is Status.SUCCEEDED
        assert numbers == list(range(12))
        assert database_problems(there.store) == []
        worker.finish(0)


class _Kill(BaseException):
    pass


@pytest.mark.parametrize("portions", [1, 4, 9, 13])
def test_who_was_killed_goes_on(places: tuple[str, str], monkeypatch: pytest.MonkeyPatch, portions: int) -> None:
    source, target = places
    clock = FakeClock()
    fill(source, clock)
    monkeypatch.setattr(copy, "_ROWS", 2)
    calls = 0

    def die(_progress: CopyProgress) -> None:
        nonlocal calls
        calls += 1
        if calls == portions:
            raise _Kill

    with pytest.raises(_Kill):
        copy_database(source, target, now=clock.now(), snapshot=False, tell=die)
    with pytest.raises(DatabaseError, match="is an unfinished copy of another database"):
        open_store(target, create=False)
    totals = copy_database(source, target, now=clock.now(), snapshot=False)
    assert totals.rows_before > 0
    with closing(open_store(source)) as one, closing(open_store(target)) as two:
        documents: list[Any] = [database_document(store)["tables"] for store in (one, two)]
        own = {"sm_schema", "sm_writes", "workers"}
        first, second = ({name: n for name, n in tables.items() if name not in own} for tables in documents)
        assert first == second
        assert one.token_key() == two.token_key()


class _Deadly:
    """Tables into which a copy is written, and that die at their n-th change: before or after it."""

    def __init__(self, tables: Tables, at: int, *, after: bool) -> None:
        self._tables, self._left, self._after = tables, at, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tables, name)
        if name not in ("append", "begin_copy", "finish", "settle"):
            return found

        def change(*arguments: Any) -> None:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise _Kill
            found(*arguments)
            if self._left == 0:
                raise _Kill

        return change


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=["-".join(way) for way in WAYS])
def test_a_copy_that_is_killed_at_any_step_is_whole_when_it_is_repeated_and_says_so_when_it_was(
    way: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    clock = FakeClock()
    (tmp_path / "source").mkdir()
    with database(way[0], tmp_path / "source") as source:
        fill(source, clock)
        kills, died = 0, True
        while died:
            folder = tmp_path / str(kills)
            folder.mkdir()
            with database(way[1], folder) as target:
                with monkeypatch.context() as patch:
                    patch.setattr(copying, "open_tables", partial(_open_deadly, target, kills + 1, after))
                    died = _copy_dies(source, target)
                was_whole = _is_whole(target)
                again = copy_database(source, target, now=clock.now(), snapshot=False)
                assert again.was_whole is was_whole
                once_more = copy_database(source, target, now=clock.now(), snapshot=False)
                assert (once_more.was_whole, once_more.rows) == (True, again.rows)
                with closing(open_store(target, create=False)) as store:
                    assert database_problems(store) == []
            kills += died
        assert kills > 10


@contextmanager
def _open_deadly(target: str, at: int, after: bool, url: str) -> Iterator[Any]:
    with open_tables(url) as tables:
        yield _Deadly(tables, at, after=after) if url == target else tables


def _copy_dies(source: str, target: str) -> bool:
    try:
        copy_database(source, target, now=0, snapshot=False)
    except _Kill:
        return True
    return False


def _is_whole(target: str) -> bool:
    (executions,) = (table for table in table_layout() if table.name == "executions")
    with open_tables(target) as tables:
        return tables.schema() == newest_schema() and tables.last_key(executions) is not None


def test_a_copy_that_has_gone_on_since_is_told_from_one_that_is_the_same(places: tuple[str, str]) -> None:
    source, target = places
    clock = FakeClock()
    token = fill(source, clock)
    copy_database(source, target, now=clock.now(), snapshot=False)
    assert copy_database(target, source, now=clock.now(), snapshot=False).was_whole
    with yard(open_store(target), clock) as there:
        there.engine.task_succeeded(token, {"answer": 42})
    for one, other in ((source, target), (target, source)):
        with pytest.raises(Conflict, match=r"is a copy of .* already, and one of the two has changed since"):
            copy_database(one, other, now=clock.now(), snapshot=False)


def test_a_copy_of_another_database_is_not_gone_on_with(places: tuple[str, str], tmp_path: Path) -> None:
    source, target = places
    clock = FakeClock()
    fill(source, clock)

    def die(progress: CopyProgress) -> None:
        if progress.table == "executions":
            raise _Kill

    with pytest.raises(_Kill):
        copy_database(source, target, now=clock.now(), snapshot=False, tell=die)
    other = f"sqlite:{tmp_path}/other.db"
    fill(other, clock)
    with pytest.raises(Conflict, match="unfinished copy of another database"):
        copy_database(other, target, now=clock.now(), snapshot=False)


def test_a_target_that_holds_something_is_left_alone(places: tuple[str, str]) -> None:
    source, target = places
    clock = FakeClock()
    fill(source, clock)
    fill(target, clock)
    with pytest.raises(Conflict, match="is not empty"):
        copy_database(source, target, now=clock.now(), snapshot=False)
    with closing(open_store(target)) as store:
        assert database_problems(store) == []


def test_two_do_not_copy_into_one_target_at_once(places: tuple[str, str]) -> None:
    source, target = places
    clock = FakeClock()
    fill(source, clock)
    refusals: list[str] = []

    def copy_too(_: CopyProgress) -> None:
        if refusals:
            return
        with pytest.raises(Conflict, match=r"another copy into .* is under way, so nothing was copied") as refusal:
            copy_database(source, target, now=clock.now(), snapshot=False)
        refusals.append(refusal.value.message)

    copy_database(source, target, now=clock.now(), snapshot=False, tell=copy_too)
    assert len(refusals) == 1
    with closing(open_store(target)) as store:
        assert database_problems(store) == []
    assert copy_database(source, target, now=clock.now(), snapshot=False).was_whole


def test_a_source_that_is_worked_on_is_copied_only_as_a_snapshot(places: tuple[str, str]) -> None:
    source, target = places
    clock = FakeClock()
    fill(source, clock)
    with yard(open_store(source), clock) as here:
        worker = here.worker({}, "busy", alive=True)
        worker.tick()
        with pytest.raises(Conflict, match=r"workers run on the source \(busy\)"):
            copy_database(source, target, now=clock.now(), snapshot=False)

        def write(progress: CopyProgress) -> None:
            if progress.table == "executions" and progress.step == "copy":
                here.start(WAITING, {"orderId": "late"})

        totals = copy_database(source, target, now=clock.now(), snapshot=True, tell=write)
        assert totals.was_written
        assert totals.rows["executions"] == 4
    with closing(open_store(target)) as store:
        assert database_problems(store) == []


def test_who_writes_without_being_a_worker_is_noticed(places: tuple[str, str]) -> None:
    source, target = places
    clock = FakeClock()
    fill(source, clock)
    with yard(open_store(source), clock) as here:

        def write(progress: CopyProgress) -> None:
            if progress.table == "executions":
                here.start(WAITING, {"orderId": "late"})

        with pytest.raises(Conflict, match="was written while it was copied"):
            copy_database(source, target, now=clock.now(), snapshot=False, tell=write)
    totals = copy_database(source, target, now=clock.now(), snapshot=False)
    assert totals.rows["executions"] > 4


def test_a_source_that_goes_on_between_two_attempts_is_noticed(places: tuple[str, str]) -> None:
    source, target = places
    clock = FakeClock()
    token = fill(source, clock)

    def die(progress: CopyProgress) -> None:
        if progress.table == "history":
            raise _Kill

    with pytest.raises(_Kill):
        copy_database(source, target, now=clock.now(), snapshot=False, tell=die)
    with yard(open_store(source), clock) as here:
        here.engine.task_succeeded(token, {"answer": 42})
    with pytest.raises(DatabaseError, match="has other rows in the copy than in the source"):
        copy_database(source, target, now=clock.now(), snapshot=False)


def test_what_is_no_database_to_copy_is_refused(tmp_path: Path) -> None:
    file = f"sqlite:{tmp_path}/a.db"
    with pytest.raises(ConfigurationError, match="in memory"):
        copy_database("memory:", file, now=0, snapshot=False)
    with pytest.raises(DatabaseError):
        copy_database(file, f"sqlite:{tmp_path}/b.db", now=0, snapshot=False)
    open_store(file).close()
    with pytest.raises(ConfigurationError, match="the same database"):
        copy_database(file, str(tmp_path / "a.db"), now=0, snapshot=False)
