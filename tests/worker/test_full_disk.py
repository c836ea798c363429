"""A disk that is full for a while: a worker says so once, tries again, and goes on where it was."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.errors import DatabaseAway
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.worker.worker import Worker
from tests.engine.workers import one_task, soon
from tests.store.asking import asked
from tests.store.samples import apply, execution


def fill_up(store: SqliteStore) -> None:
    """As if the file could not grow any more."""
    with store.write() as tx:
        (pages,) = tx.session.connection.execute("PRAGMA page_count").fetchone()
        tx.session.connection.execute(f"PRAGMA max_page_count = {pages + 2}")


def make_room(store: SqliteStore) -> None:
    with store.write() as tx:
        tx.session.connection.execute("PRAGMA max_page_count = 1000000")


def test_a_worker_outlasts_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    calls: list[Json] = []
    go_on = threading.Event()

    def work(input: Json, _: object) -> Json:
        calls.append(input)
        assert go_on.wait(60)
        return "x" * 500_000

    store = SqliteStore(tmp_path / "sm.db", sync="normal")
    engine = Engine(store)
    started = [engine.start(one_task(), number)[0] for number in range(3)]
    worker = Worker(engine, {"work": Handler("work", work, True)}, concurrency=3)
    thread = threading.Thread(target=worker.run, args=(lambda: False,))
    thread.start()
    soon(lambda: len(calls) == 3)
    fill_up(store)
    go_on.set()
    soon(lambda: "trying again until it works" in caplog.text)
    with pytest.raises(DatabaseAway, match="there is no room left on the disk") as told:
        apply(store, new_executions=[execution(1000, input="x" * 100_000)])
    assert told.value.exit_code == 7
    make_room(store)
    soon(lambda: all((found := asked(store).execution(e.id)) is not None and found.closed for e in started))
    worker.stop()
    thread.join(30)
    worker.let_go()
    assert sorted(map(str, calls)) == ["0", "1", "2"], "a handler ran twice"
    assert caplog.text.count("trying again") == caplog.text.count("answers again") == 1
    store.close()
