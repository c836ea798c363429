"""Large values: one text is stored once, whoever refers to it, and goes with the last who does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import DatabaseError
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json, dumps
from sm_cli.store.changes import Changes
from sm_cli.store.records import HistoryEvent
from sm_cli.store.sqlite.database import SqliteStore
from tests.engine.workers import workflow, yard
from tests.store.asking import asked
from tests.store.samples import T0, execution, frame, job, message

LARGE: Json = {"rows": [{"n": n, "text": "é" * 20} for n in range(500)]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sm.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(path)
    yield made
    made.close()


def rows_of(path: Path, sql: str) -> list[Any]:
    with sqlite3.connect(path) as connection:
        return connection.execute(sql).fetchall()


def apply(store: SqliteStore, **changes: Any) -> list[HistoryEvent]:
    with store.write() as tx:
        return tx.apply(Changes(**changes))


def event(number: int, detail: dict[str, Json]) -> HistoryEvent:
    return HistoryEvent(1, number, number - 1, 1, T0, "PassStateExited", detail)


def equal_but_another() -> Json:
    return {"rows": [{"n": n, "text": "é" * 20} for n in range(500)]}


def test_all_who_hold_a_value_refer_to_one_text(store: SqliteStore, path: Path) -> None:
    happened = [event(1, {"input": LARGE}), event(2, {"name": "P", "output": equal_but_another()})]
    apply(
        store,
        new_executions=[execution(1, input=LARGE, output=LARGE)],
        new_frames={1: frame(1, input=LARGE, output=equal_but_another())},
        new_jobs=[job(1, input=LARGE)],
        new_messages=[message(1, body=LARGE)],
        history=happened,
    )
    assert rows_of(path, "SELECT uses FROM blob_uses") == [(8,)]
    assert rows_of(path, "SELECT length(body) FROM blobs") == [(len(dumps(LARGE).encode()),)]
    assert asked(store).history(1) == happened
    found = asked(store).execution(1)
    assert found is not None
    assert (found.input, found.output, asked(store).jobs_of(1)[0].input) == (LARGE, LARGE, LARGE)
    stored = asked(store).message(1)
    assert stored is not None
    assert stored.body == LARGE


def test_a_later_transaction_finds_the_text_by_its_digest(store: SqliteStore, path: Path) -> None:
    apply(store, new_jobs=[job(1, input=LARGE)])
    apply(store, new_jobs=[job(2, 2, input=equal_but_another())])
    assert rows_of(path, "SELECT uses FROM blob_uses") == [(2,)]
    apply(store, jobs_gone=[1])
    assert rows_of(path, "SELECT uses FROM blob_uses") == [(1,)]
    apply(store, jobs_gone=[2])
    assert rows_of(path, "SELECT id FROM blobs") == rows_of(path, "SELECT id FROM blob_uses") == []
    apply(store, new_jobs=[job(3, 3, input=LARGE)])
    assert asked(store).jobs_of(1)[0].input == LARGE


def test_a_value_that_goes_and_comes_in_one_transaction_stays(store: SqliteStore, path: Path) -> None:
    apply(store, new_jobs=[job(1, input=LARGE)])
    apply(store, jobs_gone=[1], new_jobs=[job(2, 2, input=equal_but_another())])
    assert asked(store).jobs_of(1)[0].input == LARGE
    assert rows_of(path, "SELECT uses FROM blob_uses") == [(1,)]


def test_a_message_takes_its_body_with_it(store: SqliteStore, path: Path) -> None:
    apply(store, new_messages=[message(1, body=LARGE)])
    apply(store, messages_gone=[1])
    assert rows_of(path, "SELECT id FROM blobs") == []


@pytest.mark.parametrize("member", ["input", "output", "parameters", "assignedVariables"])
def test_events_are_read_as_they_were_written(store: SqliteStore, member: str) -> None:
    details: list[dict[str, Json]] = [
        {"name": "before", member: LARGE, "after": 1},
        {member: {"few": "words"}},
        {member: list(range(50)), "last": None},
        {member: None},
        {"error": "E", "cause": "c" * 5000},
    ]
    happened = [event(n, detail) for n, detail in enumerate(details, 1)]
    apply(store, history=happened)
    found = asked(store).history(1)
    assert [dumps(e.detail) for e in found] == [dumps(e.detail) for e in happened]
    assert asked(store).history(1, after=1, limit=2) == happened[1:3]


def test_long_events_are_reported_once(store: SqliteStore) -> None:
    long: Json = ["x" * 300_000]
    happened = [event(1, {"input": long}), event(2, {"input": LARGE}), event(3, {"cause": "c" * 300_000})]
    assert apply(store, history=happened) == [happened[0], happened[2]]


def test_states_that_hand_on_one_payload_add_it_once(store: SqliteStore, path: Path) -> None:
    payload: Json = [{"n": n, "text": "x" * 100} for n in range(10_000)]
    size = len(dumps(payload))
    states = {name: {"Type": "Pass", "Next": next} for name, next in (("A", "B"), ("B", "C"), ("C", "T"))}
    task = {"Type": "Task", "Resource": "echo", "End": True}
    definition = workflow({"StartAt": "A", "States": {**states, "T": task}})
    with yard(store) as here:
        started = here.start(definition, payload)
        loop = here.worker({"echo": Handler("echo", lambda input: input)})
        loop.run(lambda: here.now(started).closed is not None)
        assert here.now(started).output == payload
        inputs = [e.detail["input"] for e in asked(here.store).history(started.id) if "input" in e.detail]
        assert inputs == [payload] * 5
    assert rows_of(path, "SELECT sum(length(body)) FROM blobs") == [(size,)]
    assert rows_of(path, "SELECT sum(length(events)) FROM history")[0][0] < 10_000


@pytest.mark.parametrize("text", ["x" * 1000, "é€" * 500], ids=["ascii", "other"])
def test_a_long_value_is_read_in_place_as_it_was_written(store: SqliteStore, text: str) -> None:
    # Beyond 16 MiB it is read by another reader, which must read all that the writer writes.
    odd: list[Json] = [1, -1, 2**64 - 1, -(2**63), 0.1, 1e300, -0.0, 5e-324, True, None, '\u0000\u007f\\"/', {}, []]
    long: Json = [*odd, *([text] * (18 << 10)), {"é": {"": odd}}]
    apply(store, new_executions=[execution(1, input=long)], new_frames={1: frame(1, input=long)})
    with store.read() as questions:
        found = questions.execution(1)
    assert found is not None
    assert dumps(found.input) == dumps(long)
    with store.write() as tx:
        tx.apply(Changes(frames={1: frame(1, seq=1, input=["another"])}))
    with store.write() as tx:
        assert dumps(tx.executions([1])[1].input) == dumps(long)


def test_a_long_value_that_is_damaged_is_damage(store: SqliteStore, path: Path) -> None:
    apply(store, new_executions=[execution(1, input=["x" * 1000] * (18 << 10))])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE blobs SET body = CAST(replace(CAST(body AS TEXT), ']', ' ') AS BLOB)")
    with pytest.raises(DatabaseError, match="damaged"), store.read() as questions:
        questions.execution(1)


@pytest.mark.parametrize("rows", [10, 40_000])
def test_those_of_a_transaction_who_refer_to_a_value_share_it(store: SqliteStore, rows: int) -> None:
    value: Json = ["x" * 1000] * rows
    apply(store, new_executions=[execution(1, input=value)], new_frames={1: frame(1, input=value)})
    with store.write() as tx:
        held = tx.executions([1])[1].input
        assert tx.frames([1])[1].input is held
