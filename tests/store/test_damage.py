"""A database that is damaged, deleted, replaced or not to be locked is reported as that, and nothing is lost in it."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sm_cli.asl.text.source import parse
from sm_cli.engine.engine import Engine, prepare
from sm_cli.engine.stepping.turns.suspects import MOST_LOST
from sm_cli.errors import DatabaseError
from sm_cli.handlers.handler import Handler
from sm_cli.store.changes import Changes
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.open import open_store
from sm_cli.store.records import Execution, Status
from sm_cli.views.executions import definition_of, execution_now
from sm_cli.worker import passes
from sm_cli.worker.worker import Worker
from tests.engine.workers import workflow
from tests.store.asking import asked


def made(path: Path) -> Engine:
    return Engine(open_store(str(path)))


def one(name: str) -> Any:
    return workflow({"StartAt": name, "States": {name: {"Type": "Task", "Resource": "work", "End": True}}}, name)


@pytest.mark.parametrize("content", [b"", b"x", b"SQLite format 3\0" + bytes(60)])
@pytest.mark.parametrize("create", [False, True])
def test_a_short_file_beside_its_lock_is_damage(tmp_path: Path, content: bytes, create: bool) -> None:
    file = tmp_path / "sm.db"
    made(file).store.close()
    assert (tmp_path / "sm.db.lock").exists()
    file.write_bytes(content)
    with pytest.raises(DatabaseError, match="damaged"):
        open_store(str(file), create=create)
    assert file.read_bytes() == content


def test_an_empty_file_without_a_lock_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "sm.db").touch()
    open_store(str(tmp_path / "sm.db")).close()
    (tmp_path / "other.db").write_bytes(b"x")
    with pytest.raises(DatabaseError, match="is not a database"):
        open_store(str(tmp_path / "other.db"))
    assert (tmp_path / "other.db").read_bytes() == b"x"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_without_locks_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    engine = made(tmp_path / "sm.db")

    def refused(file: int, how: int) -> None:
        if how & fcntl.LOCK_EX:
            raise OSError(number, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(DatabaseError, match="cannot be locked"):
        engine.start(one("A"), {})
    with pytest.raises(DatabaseError, match="cannot be locked"):
        open_store(str(tmp_path / "new.db"))


@pytest.mark.parametrize("how", ["deleted", "replaced", "moved"])
def test_a_file_that_goes_away_is_noticed_by_who_writes_and_by_who_rests(tmp_path: Path, how: str) -> None:
    file = tmp_path / "sm.db"
    engine = made(file)
    engine.start(one("A"), {})
    assert not engine.store.changed()
    if how == "deleted":
        file.unlink()
    else:
        file.rename(tmp_path / "old.db")
    if how == "replaced":
        made(tmp_path / "sm.db").store.close()
    with pytest.raises(DatabaseError, match="replaced" if how == "replaced" else "deleted"):
        engine.start(one("B"), {})
    with pytest.raises(DatabaseError, match="while it was open"):
        while True:  # within half a second, however often it is asked
            engine.store.changed()


@pytest.mark.parametrize("how", ["deleted", "emptied", "a byte"])
def test_a_file_that_goes_away_is_noticed_by_who_only_reads_and_by_who_rests(tmp_path: Path, how: str) -> None:
    file = tmp_path / "sm.db"
    reader, sleeper = made(file), made(file)
    execution = reader.start(one("A"), {})[0]
    assert not sleeper.store.changed()
    file.unlink() if how == "deleted" else file.write_bytes(b"" if how == "emptied" else b"x")
    with pytest.raises(DatabaseError, match="deleted or moved" if how == "deleted" else "damaged|is not a database"):
        while True:  # within half a second, however often it is asked
            execution_now(reader, execution.id)
    with pytest.raises(DatabaseError, match="deleted or moved" if how == "deleted" else r"damaged: it has [01] byte"):
        while True:
            sleeper.store.changed()


@pytest.mark.parametrize("spoil", ["x", "changed"])
def test_a_damaged_definition_fails_nothing_and_stops_nobody_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: str
) -> None:
    file = tmp_path / "sm.db"
    first = made(file)
    good, bad = first.start(one("good"), {})[0], first.start(one("bad"), {})[0]
    first.store.close()
    with sqlite3.connect(file) as connection:
        text = "{" if spoil == "x" else '{"StartAt": "bad", "States": {"bad": {"Type": "Succeed"}}}'
        connection.execute("UPDATE definitions SET text = ? WHERE name = 'bad'", (text,))
    engine = made(file)
    loop = Worker(engine, {"work": Handler("work", lambda value: value)})

    def status(execution: Execution) -> Status:
        found = asked(engine.store).execution(execution.id)
        assert found is not None
        return found.status

    before = asked(engine.store).history(bad.id)
    with caplog.at_level(logging.ERROR, "sm.engine"):
        loop.run(lambda: status(good) is Status.SUCCEEDED)
        for _ in range(3):
            loop.tick()
    assert status(bad) is Status.RUNNING
    assert asked(engine.store).history(bad.id) == before
    (job,) = asked(engine.store).jobs_of(bad.id)
    assert job.worker is None
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        f"the stored definition of bad is damaged: it is not the one of digest {bad.digest[:12]}"
    ]
    loop.let_go()
    with engine.store.read() as questions, pytest.raises(DatabaseError, match="bad is damaged"):
        engine.programs.of(bad.digest, questions)
    with pytest.raises(DatabaseError, match="bad is damaged"):
        definition_of(engine, bad)


@pytest.mark.parametrize("how", ["anew", "again", "an older one"])
def test_starting_an_execution_of_the_same_definition_repairs_it(tmp_path: Path, how: str) -> None:
    """The text is at hand, and what is stored is addressed by its digest; a worker that met the damage goes on."""
    file = tmp_path / "sm.db"
    first = made(file)
    bad = first.start(one("bad"), {}, name="b")[0]
    if how == "an older one":
        newer = {"StartAt": "Newer", "States": {"Newer": {"Type": "Succeed"}}}
        first.start(workflow(newer, "bad"), {})
    first.store.close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE definitions SET text = '{' WHERE digest = ?", (bad.digest,))
    engine = made(file)
    loop = Worker(engine, {"work": Handler("work", lambda value: value)})
    for _ in range(3):
        loop.tick()
    assert engine.find(bad.ref).status is Status.RUNNING

    other = made(file)
    with other.store.read() as questions, pytest.raises(DatabaseError, match="bad is damaged"):
        other.programs.of(bad.digest, questions)
    _, new, _ = other.start(one("bad"), {}, name="b" if how == "again" else None)
    assert new is (how != "again")
    assert definition_of(engine, bad) == one("bad").document.value
    other.store.close()
    loop.run(lambda: engine.find(bad.ref).status is Status.SUCCEEDED)
    loop.let_go()


def test_the_same_definition_written_otherwise_is_no_damage(tmp_path: Path) -> None:
    engine = made(tmp_path / "sm.db")
    value = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    texts = [json.dumps(value), json.dumps(value, indent=1)]
    for text in (*texts, *texts):
        document = parse(text).document
        assert document is not None
        execution = engine.start(prepare(document, "order"), {})[0]
        stored = asked(engine.store).definition(execution.digest)
        assert stored is not None and stored.text == texts[0]


def test_a_child_that_ends_while_its_parents_definition_is_damaged_is_told_after_the_repair(tmp_path: Path) -> None:
    file = tmp_path / "sm.db"
    nest = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": True,
            "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:child"}}  # fmt: skip
    library = {"child": one("child")}.get
    parents = workflow({"StartAt": "Nest", "States": {"Nest": nest}}, "parent")
    first = made(file)
    first.programs.library = library
    parent = first.start(parents, {})[0]
    first.store.close()
    with sqlite3.connect(file) as connection:
        (text,) = connection.execute("SELECT text FROM definitions WHERE name = 'parent'").fetchone()
        connection.execute("UPDATE definitions SET text = '{' WHERE name = 'parent'")

    handlers = {"work": Handler("work", lambda value: value)}
    engine = made(file)
    loop = Worker(engine, handlers)

    def status(reference: str) -> Status:
        return engine.find(reference).status

    (child,) = [e for e in asked(engine.store).list_executions(ExecutionFilter()) if e.workflow == "child"]
    loop.run(lambda: status(child.ref) is Status.SUCCEEDED)
    for _ in range(3):
        loop.tick()
    assert status(parent.ref) is Status.RUNNING
    loop.let_go()
    engine.store.close()

    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE definitions SET text = ? WHERE name = 'parent'", (text,))
    engine = made(file)
    passes.drain(Worker(engine, handlers), lambda: False)
    assert status(parent.ref) is Status.SUCCEEDED


@pytest.mark.parametrize(
    ("more", "ended", "cause"),
    [
        ({"ToleratedFailurePercentage": 100}, Status.SUCCEEDED, None),
        ({"ToleratedFailurePercentage": 100, "MaxConcurrency": 1}, Status.SUCCEEDED, None),
        ({}, Status.FAILED, "The specified tolerated failure threshold was exceeded"),
    ],
)
def test_a_map_run_whose_children_end_while_its_definition_is_damaged_goes_on_after_the_repair(
    tmp_path: Path, more: dict[str, Any], ended: Status, cause: str | None
) -> None:
    file = tmp_path / "sm.db"
    states = {"W": {"Type": "Task", "Resource": "work", "End": True}}
    each = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "W", "States": states}
    state = {"Type": "Map", "ItemProcessor": each, "End": True, **more}
    first = made(file)
    parent = first.start(workflow({"StartAt": "M", "States": {"M": state}}, "parent"), [1, 2])[0]
    (root,) = asked(first.store).roots([parent.id])
    running = [e for e in asked(first.store).open_executions(root.id) if e.status is Status.RUNNING]
    assert len(running) == more.get("MaxConcurrency", 2)
    roots = asked(first.store).roots([child.id for child in running])
    with first.store.write() as tx:
        tx.apply(Changes(losses=[(root.id, MOST_LOST) for root in roots]))
    first.store.close()
    with sqlite3.connect(file) as connection:
        (text,) = connection.execute("SELECT text FROM definitions WHERE name = 'parent'").fetchone()
        connection.execute("UPDATE definitions SET text = '{' WHERE name = 'parent'")

    handlers = {"work": Handler("work", lambda value: value)}
    engine = made(file)
    loop = Worker(engine, handlers)
    for _ in range(3):
        loop.tick()
    for child in running:
        assert engine.find(child.ref).status is Status.FAILED
    assert engine.find(parent.ref).status is Status.RUNNING
    loop.let_go()
    engine.store.close()

    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE definitions SET text = ? WHERE name = 'parent'", (text,))
    engine = made(file)
    passes.drain(Worker(engine, handlers), lambda: False)
    found = asked(engine.store).execution(parent.id)
    assert found is not None
    assert (found.status, found.cause) == (ended, cause)
    if ended is Status.SUCCEEDED:
        assert found.output == ([2] if "MaxConcurrency" in more else [])
    assert asked(engine.store).open_frames(parent.id) == []
