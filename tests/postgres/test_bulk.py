"""Many rows in one statement leave what the same rows leave one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from sm_cli.interpreter.frame import FrameStatus
from sm_cli.store.open import open_store
from sm_cli.store.postgres import dialect
from sm_cli.store.postgres.bulk import COLUMN_TYPES, Bulk, Types, bulk
from sm_cli.store.protocol import Store
from sm_cli.store.sql import queries
from tests.postgres.server import schema
from tests.store.asking import asked
from tests.store.samples import T0, apply, definition, events, execution, frame, job, message, subscription, timer


@pytest.fixture(scope="module")
def postgres() -> Iterator[Store]:
    with schema() as url, closing(open_store(url)) as store:
        yield store


@pytest.fixture(scope="module")
def types(postgres: Store) -> Types:
    with postgres.read() as questions:
        rows = questions.session.connection.execute(COLUMN_TYPES).fetchall()
    return {(table, column): kind for table, column, kind in rows}


#: What a busy worker writes; each has to take all its rows at once.
HOT = [
    "insert_execution", "insert_execution_data", "update_execution", "count_events", "set_output", "insert_frame",
    "update_frame", "step_frame", "insert_job", "lease_job", "insert_history", "insert_message", "consume_message",
    "insert_subscription", "delete_timers", "delete_subscriptions", "use_blob",
]  # fmt: skip


@pytest.mark.parametrize("name", HOT)
def test_what_a_busy_worker_writes_goes_at_once(postgres: Store, types: Types, name: str) -> None:
    at_once = bulk(dialect.statement_of(name).text, types)
    assert at_once is not None
    with postgres.read() as questions:
        connection: psycopg.Connection = questions.session.connection
        connection.execute(f"PREPARE a AS {at_once.text}".encode())
        connection.execute("DEALLOCATE a")


def test_only_forms_whose_rows_cannot_meet_go_at_once(types: Types) -> None:
    for name, text in queries.all_queries("postgres").items():
        at_once = bulk(dialect.statement(text).text, types)
        if at_once is not None:
            assert "DO UPDATE" not in text, f"{name}: a row may be met twice"
            assert "RETURNING" not in text, f"{name}: its answer would be lost"


def test_two_changes_of_one_row_and_what_json_cannot_carry_go_one_by_one() -> None:
    at_once = Bulk("", ("p1", "p2"), 1)
    assert at_once.argument([("a", 1), ("b", 2)]) == '[{"p1":"a","p2":1},{"p1":"b","p2":2}]'
    assert at_once.argument([("a", 1), ("b", 1)]) is None
    assert at_once.argument([("a", 1), ("\ud800", 2)]) is None
    assert Bulk("", ("p1",), None).argument([(True,), (False,), (None,), (True,)]) == (
        '[{"p1":1},{"p1":0},{"p1":null},{"p1":1}]'
    )


TEXTS = ["plain", "üñ漢😀", 'quo"te\\', "a\nb\tc", "@1", "\u2028", "", "null", "{}"]


def test_rows_of_every_kind_come_back_as_they_were(store: Store) -> None:
    numbered = list(enumerate(TEXTS, 1))
    numbers = [n for n, _ in numbered]
    new = [execution(n, input={"t": text}, cause=text, limits=bool(n % 2)) for n, text in numbered]
    frames = [frame(n, execution=n, input=text) for n, text in numbered]
    jobs = [job(n, frame=n, execution=n, input=text, timeout=n / 3 if n % 2 else None) for n, text in numbered]
    messages = [message(n, value=f'"{n}"', body=text) for n, text in numbered]
    apply(
        store, new_definitions=[definition()], new_executions=new, new_frames=frames, new_jobs=jobs,
        new_messages=messages, timers=[timer(n, T0 + n) for n in numbers],
        new_subscriptions=[subscription(n) for n in numbers],
        history=[event for n in numbers for event in events(n, [1, 2])],
    )  # fmt: skip
    assert [asked(store).execution(n) for n in numbers] == new
    with store.write() as tx:
        assert tx.frames(numbers) == {f.id: f for f in frames}
        assert tx.jobs(numbers) == {j.id: j for j in jobs}
        assert [tx.message(n) for n in numbers] == messages
    changed = [replace(one, cause=None, output=text, events=7) for one, text in zip(new, TEXTS, strict=True)]
    stepped = [frame(n, execution=n, state="Z", seq=5, output=text, status=FrameStatus.READY) for n, text in numbered]
    apply(store, executions=changed, frames=stepped, timers_gone=numbers, subscriptions_gone=numbers)
    assert [asked(store).execution(n) for n in numbers] == changed
    assert [asked(store).timers_of(n) for n in numbers] == [[] for _ in numbers]
    assert [asked(store).subscriptions_of(n) for n in numbers] == [[] for _ in numbers]
    with store.write() as tx:
        assert tx.frames(numbers) == {f.id: f for f in stepped}
