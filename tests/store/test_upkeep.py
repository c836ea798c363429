"""The database as a file: backups under load, what is damaged, compacting."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import ConfigurationError, Conflict, DatabaseError, UsageError
from sm_cli.store.protocol import Store
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.store.upkeep.answers import DatabaseProblem
from sm_cli.views.upkeep import (
    answer_select,
    back_up,
    compact_database,
    database_document,
    database_problems,
    repair_database,
)
from tests.store.asking import asked
from tests.store.samples import apply, definition, events, execution, frame, message, reserve
from tests.stores import opened

LARGE = {"text": "x" * 9000}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "sm.db", sync="normal")
    apply(opened, new_definitions=[definition()])
    yield opened
    opened.close()


def put(store: Store, id: int) -> None:
    """An execution, its frame and its history; two large values each, one of them everybody's."""
    for table in ("executions", "frames"):
        reserve(store, table, id)
    frames = [frame(id, execution=id, input=LARGE)]
    new = execution(id, input=LARGE, output={"own": str(id) * 5000}, events=2)
    apply(store, new_executions=[new], new_frames=frames)
    apply(store, history=events(id, [1, 2]))


def damage(store: SqliteStore, statement: str) -> None:
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute(statement)
    connection.close()


def test_a_backup_is_the_database_with_the_key_of_its_tokens(store: SqliteStore, tmp_path: Path) -> None:
    put(store, 1)
    key = store.token_key()
    target = tmp_path / "copy.db"
    assert back_up(store, target) == target.stat().st_size
    assert target.stat().st_mode & 0o777 == 0o600
    copy = SqliteStore(target, create=False)
    assert copy.token_key() == key
    assert asked(copy).execution(1) == asked(store).execution(1)
    assert database_problems(copy) == []
    put(copy, 2)  # it opens, and goes on by itself
    assert asked(store).execution(2) is None
    copy.close()
    assert {file.name for file in tmp_path.iterdir() if file.name.startswith("copy")} <= {"copy.db", "copy.db.lock"}


def test_a_file_that_is_there_is_replaced_only_when_told_to(store: SqliteStore, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        back_up(store, target)
    assert target.read_text() == "mine"
    back_up(store, target, force=True)
    assert target.stat().st_mode & 0o777 == 0o600
    SqliteStore(target, create=False).close()


@pytest.mark.parametrize("link", [False, True])
def test_the_database_itself_is_no_target(store: SqliteStore, tmp_path: Path, link: bool) -> None:
    target = tmp_path / "link.db" if link else store.path
    if link:
        target.symlink_to(store.path)
    with pytest.raises(DatabaseError, match="is the database itself"):
        back_up(store, target, force=True)
    assert database_problems(store) == []


@pytest.mark.parametrize("target", ["missing/copy.db", "."])
def test_a_target_that_cannot_be_written_is_told(store: SqliteStore, tmp_path: Path, target: str) -> None:
    before = set(tmp_path.iterdir())
    with pytest.raises(DatabaseError, match=r"cannot be opened|is a directory"):
        back_up(store, tmp_path / target)
    assert set(tmp_path.iterdir()) == before


def test_what_is_no_file_is_not_replaced_by_one(store: SqliteStore, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(DatabaseError, match="pipe is no file, and nothing else is replaced by one"):
        back_up(store, pipe, force=True)
    assert pipe.is_fifo()


def test_a_backup_under_load_is_consistent_and_holds_up_nobody(store: SqliteStore, tmp_path: Path) -> None:
    for id in range(1, 200):
        put(store, id)
    written: list[int] = []
    done = threading.Event()

    def write() -> None:
        other = SqliteStore(store.path, sync="normal")
        id = 200
        while not done.is_set():
            put(other, id)
            written.append(id)
            id += 1
        other.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for round in range(5):
            least = len(written)
            back_up(store, tmp_path / f"{round}.db")
            copy = SqliteStore(tmp_path / f"{round}.db", create=False)
            assert database_problems(copy) == []
            assert all(asked(copy).execution(id) is not None for id in written[:least])
            put(copy, 100_000)
            copy.close()
    finally:
        done.set()
        writer.join()
    assert database_problems(store) == []


_KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.views.upkeep import back_up
store = SqliteStore(sys.argv[1])
sys.addaudithook(lambda event, _: os.kill(os.getpid(), signal.SIGKILL) if event == sys.argv[3] else None)
back_up(store, Path(sys.argv[2]), force=True)
"""


@pytest.mark.parametrize("moment", ["sqlite3.connect", "os.rename"])
def test_who_is_killed_in_the_middle_of_a_backup_loses_nothing(store: SqliteStore, tmp_path: Path, moment: str) -> None:
    put(store, 1)
    target = tmp_path / "copy.db"
    back_up(store, target)
    put(store, 2)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(store.path), str(target), moment],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}, check=False,
    )  # fmt: skip
    if killed.returncode == 0:  # this Python does not tell of that moment
        pytest.skip(f"no audit event {moment}")
    assert killed.returncode == -signal.SIGKILL
    old = SqliteStore(target, create=False)
    assert (asked(old).execution(1), asked(old).execution(2)) == (asked(store).execution(1), None)
    assert database_problems(old) == database_problems(store) == []
    old.close()
    back_up(store, target, force=True)


def test_a_sound_database_has_no_problems(store: SqliteStore) -> None:
    put(store, 1)
    put(store, 2)
    reserve(store, "messages", 1)
    apply(store, new_messages=[message(1, body=LARGE)])
    assert database_problems(store) == []


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM execution_data WHERE execution = 1", "1 executions without their data"),
        ("INSERT INTO versions VALUES ('order', 1, 1, NULL, 'gone')", "1 versions without their definition"),
        ("INSERT INTO current_versions VALUES ('order', 7)", "1 workflows whose current version is not there"),
        ("DELETE FROM frames WHERE id = 1", "1 running executions without a frame"),
        ("DELETE FROM executions WHERE id = 1", "1 frames without their execution"),
        ("UPDATE blob_uses SET uses = uses + 1 WHERE id = 1", "large value 1 is used 4 times and counted 5 times"),
        ("DELETE FROM blobs WHERE id = 1", "large value 1 is used 4 times and counted 4 times, and is gone"),
        ("DELETE FROM blob_uses WHERE id = 1", "large value 1 is used 4 times and counted nowhere"),
        ("UPDATE history SET events = '[\"@' WHERE execution = 1", "a value is not JSON"),
    ],
)
def test_what_is_missing_or_miscounted_is_found(store: SqliteStore, statement: str, sentence: str) -> None:
    put(store, 1)
    put(store, 2)
    damage(store, statement)
    assert any(sentence in problem.text for problem in database_problems(store)), database_problems(store)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("INSERT INTO timers (frame, kind, seq, execution, tree, due) VALUES (9, 'DELAY', 1, 1, 1, 5)", "timers"),
        ("UPDATE frames SET status = 3; INSERT INTO jobs (id, execution, tree, frame, seq, deliveries, repeatable,"
         " attempt, priority, available, queue, state, resource, input) VALUES (1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 'low',"
         " 'A', 'r', '@1'); UPDATE blob_uses SET uses = uses + 1 WHERE id = 1; UPDATE ids SET next = 9", "1 tasks"),
        ("UPDATE blob_uses SET uses = uses + 1 WHERE id = 1", "counted 3 times"),
        ("DELETE FROM blob_uses WHERE id = 1", "counted nowhere"),
        ("UPDATE ids SET next = 1", "given out twice"),
        ("INSERT INTO blobs (id, body) VALUES (99, '')", "nothing counts"),
        ("INSERT INTO batch_items (batch, first, item_count, created, items) VALUES ('gone', 0, 1, 5, '')",
         "1 portions of items of a batch that was never started"),
    ],
)  # fmt: skip
def test_what_loses_nothing_is_put_right(kind: str, tmp_path: Path, table: str, sentence: str) -> None:
    with opened(kind, tmp_path) as store:
        apply(store, new_definitions=[definition()])
        put(store, 1)
        assert database_problems(store) == []
        with store.write() as tx:
            for statement in table.split("; "):
                if kind == "sqlite":
                    statement = statement.replace(", '')", ", x'')")
                tx.session.connection.execute(statement)
        (problem,) = [each for each in database_problems(store) if sentence in each.text]
        assert problem.is_repairable
        before, after = repair_database(store)
        assert problem in before
        assert after == database_problems(store) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE frames SET status = 2, opens = 1", "1 frames that wait for a task that is not there"),
        ("UPDATE frames SET status = 2", "1 frames that wait for nothing that could come"),
        ("UPDATE executions SET events = 5", "1 executions with more or fewer events than they count"),
        (  # the first of two parts is missing
            "UPDATE history SET number = number + 3; UPDATE executions SET events = events + 3",
            "1 executions with more or fewer events than they count",
        ),
        (
            "INSERT INTO batch_items (batch, first, item_count, created, items)"
            " SELECT ref, 3, 1, 5, {empty} FROM executions UNION ALL SELECT ref, 5, 1, 5, {empty} FROM executions",
            "1 portions of items of a batch behind which others are missing",
        ),
    ],
)
def test_what_needs_a_guess_is_only_told(kind: str, tmp_path: Path, statement: str, sentence: str) -> None:
    with opened(kind, tmp_path) as store:
        apply(store, new_definitions=[definition()])
        put(store, 1)
        with store.write() as tx:
            empty = "x''" if kind == "sqlite" else "''::bytea"
            for part in statement.replace("{empty}", empty).split(";"):
                tx.session.connection.execute(part)
        problem = DatabaseProblem(sentence)
        assert (database_problems(store), repair_database(store)) == ([problem], ([problem], [problem]))


def test_pages_that_were_overwritten_are_found(store: SqliteStore, tmp_path: Path) -> None:
    for id in range(1, 60):
        put(store, id)
    compact_database(store)
    content = bytearray(store.path.read_bytes())
    content[40 * 4096 : 44 * 4096] = bytes(4 * 4096)
    broken = tmp_path / "broken.db"
    broken.write_bytes(content)
    opened = SqliteStore(broken, create=False)
    assert database_problems(opened)
    opened.close()


def test_compacting_gives_room_back_while_others_have_it_open(store: SqliteStore) -> None:
    for id in range(1, 200):
        put(store, id)
    damage(store, "DELETE FROM history")
    damage(store, "DELETE FROM blobs WHERE id > 1")
    other = SqliteStore(store.path)
    with other.read() as questions:
        assert questions.count_executions() == ({"RUNNING": 199}, 0)
    before, after = compact_database(store)
    assert after < before / 2
    facts = database_document(other)
    assert (facts["bytes"], facts["free_pages"], facts["wal_bytes"]) == (after, 0, 0)
    put(other, 500)
    assert asked(store).execution(500) is not None
    other.close()


def test_what_is_in_it_is_counted(store: SqliteStore) -> None:
    put(store, 1)
    facts: Any = database_document(store)
    assert facts["execution_counts"] == {"RUNNING": 1}
    assert facts["map_run_children"] == 0
    assert (facts["tables"]["frames"], facts["tables"]["blobs"], facts["tables"]["history"]) == (1, 2, 1)
    assert facts["bytes"] == store.path.stat().st_size


def test_somebody_s_own_question_is_answered_and_changes_nothing(store: SqliteStore) -> None:
    put(store, 1)
    assert [*answer_select(store, "SELECT id, status FROM executions")] == [{"id": 1, "status": "RUNNING"}]
    assert [*answer_select(store, "SELECT 1 WHERE 0")] == []
    for sql, sentence in (
        ("DELETE FROM executions", "only what returns rows|only read"),
        ("INSERT INTO ids VALUES ('x', 1) RETURNING name", "only read"),
        ("PRAGMA user_version = 77", "only what returns rows|only read"),
        ("ATTACH ':memory:' AS other", "only what returns rows|attached"),
        ("SELECT nope FROM executions", "no such column"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("", "only what returns rows|cannot answer"),
    ):
        with pytest.raises(UsageError, match=sentence):
            [*answer_select(store, sql)]
    assert asked(store).execution(1) is not None
    assert [*answer_select(store, "PRAGMA user_version")] != [{"user_version": 77}]


def test_a_database_on_a_server_answers_the_same(tmp_path: Path) -> None:
    with opened("postgres", tmp_path) as store:
        apply(store, new_definitions=[definition()])
        put(store, 1)
        store.token_key()
        facts: Any = database_document(store)
        assert (facts["execution_counts"], facts["tables"]["frames"], facts["tables"]["blobs"]) == (
            {"RUNNING": 1},
            1,
            2,
        )
        assert facts["oldest_open"]["name"] == "name-1"
        assert [*answer_select(store, "SELECT id, status FROM executions")] == [{"id": 1, "status": "RUNNING"}]
        assert [*answer_select(store, "SELECT value FROM secrets")] == [{"value": None}]
        schema = facts["url"].rpartition("=")[2]
        for sql, sentence in (
            ("DELETE FROM executions", "only read"),
            ("SELECT nope FROM executions", "nope"),
            ("SELECT 1; SELECT 2", "multiple commands"),
            ("", "only what returns rows"),
            (f"SELECT value FROM {schema}.secrets", "shown to nobody"),
        ):
            with pytest.raises(UsageError, match=sentence):
                [*answer_select(store, sql)]
        before, after = compact_database(store)
        assert before > 0 < after
        with pytest.raises(ConfigurationError, match="the server's own tools"):
            back_up(store, tmp_path / "copy.db")


def test_the_key_of_the_tokens_is_shown_to_nobody(store: SqliteStore) -> None:
    key = store.token_key()
    for sql in ("SELECT value FROM secrets", "SELECT hex(value) AS value FROM secrets", "SELECT * FROM secrets"):
        for row in answer_select(store, sql):
            assert row["value"] in (None, "")
    assert key.hex() not in str([*answer_select(store, "SELECT quote(value) FROM secrets")]).lower()


@pytest.mark.parametrize("what", [compact_database, database_problems, database_document])
def test_a_database_in_memory_has_no_file(what: Any) -> None:
    with pytest.raises(ConfigurationError, match="needs a database in a file or on a server"):
        what(MemoryStore())
