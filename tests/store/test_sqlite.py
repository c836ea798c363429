"""What only a file can get wrong: plans, versions, faults, other processes, a kill in the middle."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import DatabaseError
from sm_cli.interpreter.frame import FrameStatus, Join
from sm_cli.jsonvalue import Json
from sm_cli.store import scripts
from sm_cli.store.changes import Changes
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.sql import queries, rows
from sm_cli.store.sqlite import migrate
from sm_cli.store.sqlite.database import SqliteStore
from tests.store.asking import asked
from tests.store.samples import T0, apply, events, execution, frame, job, message, timer

ROOT = Path(__file__).resolve().parents[2]
#: Parts of other queries.
_PARTS = ("whole_executions", "some_map_runs", "current_definitions", "workflow_names")
#: Beginnings of what `choosing` puts together, which has plan tests of its own.
_BEGINNINGS = ("listed_", "measured_")
QUERIES = {
    name: text
    for name, text in queries.all_queries().items()
    if re.match(r"(SELECT|WITH|INSERT|UPDATE|DELETE)\b", text)
    and name not in _PARTS
    and not name.startswith(_BEGINNINGS)
}

#: What may be walked from end to end, and why that is short. A list handed in as JSON and a recursive
#: query's own rows are always walked.
#: Questions about the whole database, which only who looks after it asks.
OF_THE_WHOLE = {
    name for file in ("upkeep.sql", "soundness.sql") for name in queries.split_blocks((queries.SQL / file).read_text())
}
WALKED = {
    ("workflows", "SCAN c"): "one row a name of a workflow",
    ("delete_unused_definitions", "SCAN v USING INDEX versions_deleted"): "holds deleted versions only",
    ("ready_frames", "SCAN f USING INDEX frames_ready"): "holds ready frames only, in order, up to the limit",
    ("ready", "SCAN f USING INDEX frames_ready"): "as ready_frames",
    ("losses", "SCAN l"): "empty, or a handful of frames over which workers were lost",
    ("delete_losses", "SCAN losses"): "as above",
    ("has_ready", "SCAN f USING INDEX frames_ready"): "the first row is enough",
    ("has_ready", "SCAN f USING INDEX frames_ready_in_tree"): "the first row is enough",
    ("forgotten_messages", "SCAN f USING INDEX frames_ready_in_tree"): "as has_ready",
    ("free_jobs", "SCAN j USING INDEX jobs_free"): "holds free jobs only, in order, up to the limit",
    ("first_due", "SCAN t USING COVERING INDEX timers_due"): "in order, past those of jobs that other workers have",
    ("outlook", "SCAN t USING COVERING INDEX timers_due"): "as first_due",
    ("outlook", "SCAN f USING INDEX frames_ready"): "as has_ready",
    ("outlook", "SCAN f USING INDEX frames_ready_in_tree"): "as has_ready",
    ("outlook", "SCAN CONSTANT ROW"): "no table",
    ("outlook_with_jobs", "SCAN t USING COVERING INDEX timers_due"): "as first_due",
    ("outlook_with_jobs", "SCAN f USING INDEX frames_ready"): "as has_ready",
    ("outlook_with_jobs", "SCAN f USING INDEX frames_ready_in_tree"): "as has_ready",
    ("outlook_with_jobs", "SCAN CONSTANT ROW"): "no table",
    ("nested_executions", "SCAN o"): "the frames of one execution, which it finds",
    ("nested_executions", "SCAN n"): "those that states of one execution started",
    ("nested_counts", "SCAN o"): "as above",
    ("nested_counts", "SCAN n"): "as above",
    ("state_log", "SCAN l"): "a few hundred rows at most",
    ("take_state_log", "SCAN state_log"): "as above",
    ("all_states", "SCAN s"): "one row a state of each definition",
    ("executions_in_state", "SCAN f USING INDEX frames_open"): "holds open frames only; a list by state asks",
    ("workers", "SCAN w"): "one row a worker",
    ("busy_trees", "SCAN e USING INDEX executions_running"): "holds running executions only; who prunes asks",
    ("orphan_runs", "SCAN r"): "one row a map run; who prunes asks",
    ("stray_waits", "SCAN w"): "once a call of who prunes, beside who writes",
    ("stray_messages", "SCAN m"): "once a call of who prunes, beside who writes",
    (
        "unused_definitions",
        "SCAN v USING INDEX versions_deleted",
    ): "one row a version that was deleted; who prunes asks",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sm.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(path, sync="normal")
    yield opened
    opened.close()


def raw(path: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


# Plans


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_walks_a_table_from_end_to_end(store: SqliteStore, path: Path, name: str) -> None:
    text = QUERIES[name]
    named = set(re.findall(r":(\w+)", text))
    numbered = len(set(re.findall(r"\?\d+", text)))
    parameters: Any = dict.fromkeys(named) if named else [None] * (len(re.findall(r"\?(?!\d)", text)) + numbered)
    connection = sqlite3.connect(path)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]
    connection.close()
    walks = [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE" not in step and step != "SCAN b"]
    assert [step for step in walks if (name, step) not in WALKED and name not in OF_THE_WHOLE] == []


@pytest.mark.parametrize(
    "name", ["ready_frames", "pending_children", "free_jobs", "free_jobs_in_queue",
             "free_jobs_in_tree", "due_timers", "overdue", "first_due", "first_deadline", "first_lease_end",
             "buffered_message",
             "history", "ready_frames_in_tree", "overdue_in_tree", "pending_executions", "run_results", "map_runs",
             "latest_execution_of_status", "due_schedules",
             "first_schedule", "schedules_to_go_on", "first_to_go_on", "schedules"],
)  # fmt: skip
def test_a_query_with_a_limit_reads_in_order_and_sorts_nothing(store: SqliteStore, path: Path, name: str) -> None:
    named = set(re.findall(r":(\w+)", QUERIES[name]))
    parameters: Any = dict.fromkeys(named) if named else [None] * QUERIES[name].count("?")
    connection = sqlite3.connect(path)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", parameters)]
    connection.close()
    assert [step for step in plan if "TEMP B-TREE" in step] == []


def test_every_place_in_the_queries_is_filled_and_every_query_is_used() -> None:
    assert [name for name, text in queries.all_queries().items() if re.search(r"\{\w+\}", text)] == []
    code = "".join(file.read_text() for file in (ROOT / "sm_cli" / "store").rglob("*.py"))
    code += "".join(queries.all_queries().values()).replace("'", '"')  # a problem names what puts it right
    blocks = "".join(file.read_text() for file in queries.SQL.glob("**/*.sql"))  # parts of one statement
    assert [name for name in QUERIES if f'"{name}"' not in code and f"({{{name}}})" not in blocks] == []


def test_a_query_name_used_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="twice: a"):
        queries.split_blocks("-- name: a\nSELECT 1\n-- name: b\nSELECT 2\n-- name: a\nSELECT 3\n")


def test_a_dialect_replaces_single_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "all.sql").write_text(
        "-- name: columns\na, b\n-- name: q\nSELECT {columns} FROM t\n-- name: p\nSELECT 1\n"
    )
    (tmp_path / "other" / "own.sql").write_text("-- name: p\n-- why\nSELECT {columns}\n")
    monkeypatch.setattr(queries, "SQL", tmp_path)
    plain = {"columns": "a, b", "q": "SELECT a, b FROM t", "p": "SELECT 1"}
    assert queries.all_queries("none of its own") == plain
    assert queries.all_queries("other") == {**plain, "p": "SELECT a, b"}


# Files and versions


def test_the_files_and_their_directory_are_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / ".sm" / "sm.db"
    store = SqliteStore(path)
    apply(store, new_executions=[execution(1)])
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"sm.db": 0o600, "sm.db-wal": 0o600, "sm.db-shm": 0o600, "sm.db.lock": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()


def test_a_closed_store_leaves_one_whole_file(path: Path) -> None:
    store = SqliteStore(path)
    apply(store, new_executions=[execution(1)])
    store.close()
    assert not Path(f"{path}-wal").exists()
    again = SqliteStore(path, create=False)
    assert asked(again).execution(1) == execution(1)
    again.close()
    with pytest.raises(DatabaseError, match="was closed"):
        asked(again).execution(1)


def test_applying_names_the_events_that_are_long_and_no_others(store: SqliteStore) -> None:
    """Each has a row for itself, whatever stands before and after it, and is longer than the limit in bytes."""
    limit = rows.HISTORY_ROW
    sizes = {1: 10, 2: limit, 3: 10, 4: limit - 200, 5: limit // 2, 6: limit // 2}
    written = [
        event._replace(detail={"input": "ü" * (size // 2)})
        for event, size in zip(events(1, list(sizes)), sizes.values(), strict=True)
    ]
    with store.write() as tx:
        assert [event.number for event in tx.apply(Changes(history=written))] == [2]
    assert asked(store).history(1) == written


@pytest.mark.parametrize(("sync", "level"), [("full", 2), ("normal", 1)])
def test_the_writer_syncs_as_it_was_told(path: Path, sync: Any, level: int) -> None:
    store = SqliteStore(path, sync=sync)
    with store.write() as tx:
        connection = tx.session.connection
        assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_a_file_that_is_not_there_is_not_made_unless_asked(path: Path) -> None:
    with pytest.raises(DatabaseError, match=f"there is no database at {re.escape(str(path))}"):
        SqliteStore(path, create=False)
    assert not path.exists()


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    store = SqliteStore(path, create=False)
    assert asked(store).latest() is None
    store.close()
    assert raw(path, "PRAGMA user_version") == [(scripts.newest_schema(),)]


def test_a_newer_file_is_refused_and_left_alone(path: Path) -> None:
    SqliteStore(path).close()
    raw(path, "PRAGMA user_version = 77")
    sentence = f"{path} was written by a newer sm (schema 77, this one knows {scripts.newest_schema()}); upgrade sm"
    with pytest.raises(DatabaseError, match=re.escape(sentence)):
        SqliteStore(path)
    assert raw(path, "PRAGMA user_version") == [(77,)]


def test_a_file_migrated_by_a_newer_sm_while_open_is_not_written_to(store: SqliteStore, path: Path) -> None:
    apply(store, new_executions=[execution(1)])
    raw(path, "PRAGMA user_version = 77")
    with pytest.raises(DatabaseError, match="newer sm"):
        apply(store, new_executions=[execution(2)])
    assert raw(path, "SELECT id FROM executions") == [(1,)]


def test_an_older_file_is_migrated_when_it_is_opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = SqliteStore(path)
    apply(older, new_executions=[execution(1)])
    older.close()
    steps = (*scripts.migrations(), "-- A note for later.\nCREATE TABLE notes (id INTEGER PRIMARY KEY) STRICT;\n"
               "CREATE TRIGGER t AFTER DELETE ON notes BEGIN\n  SELECT 1;\n  SELECT 2;\nEND;\n")  # fmt: skip
    monkeypatch.setattr(scripts, "migrations", lambda: steps)
    monkeypatch.setattr(scripts, "newest_schema", lambda: len(steps))
    newer = SqliteStore(path)
    assert asked(newer).execution(1) == execution(1)
    newer.close()
    assert raw(path, "PRAGMA user_version") == [(len(steps),)]
    assert raw(path, "SELECT count(*) FROM notes") == [(0,)]


def test_a_migration_that_fails_leaves_the_file_at_its_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = SqliteStore(path)
    apply(older, new_executions=[execution(1)])
    older.close()
    steps = (*scripts.migrations(), "DROP TABLE history;\nCREATE TABLE frames (id INTEGER);\n")
    monkeypatch.setattr(scripts, "migrations", lambda: steps)
    monkeypatch.setattr(scripts, "newest_schema", lambda: len(steps))
    with pytest.raises(DatabaseError, match="frames already exists"):
        SqliteStore(path)
    assert raw(path, "PRAGMA user_version") == [(len(steps) - 1,)]
    assert raw(path, "SELECT count(*) FROM history") == [(0,)]


@pytest.mark.parametrize("number", range(len(scripts.migrations()) + 1))
def test_a_file_of_every_older_version_reaches_the_newest(path: Path, number: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    migrate.migrate(connection, path, scripts.migrations()[:number])
    connection.close()
    store = SqliteStore(path)
    apply(store, new_executions=[execution(1)])
    assert asked(store).execution(1) == execution(1)
    store.close()
    assert raw(path, "PRAGMA user_version") == [(scripts.newest_schema(),)]


def test_a_migration_cut_off_in_a_statement_is_an_error() -> None:
    with pytest.raises(ValueError, match="middle of a statement"):
        list(scripts.statements("SELECT 1;\nSELECT"))
    assert list(scripts.statements("SELECT 1;\n-- done\n")) == ["SELECT 1;\n"]


def test_migrations_are_numbered_without_a_hole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "migrations").mkdir()
    for number in ("0001", "0003"):
        (tmp_path / "migrations" / f"{number}_x.sql").write_text("SELECT 1;")
    monkeypatch.setattr(queries, "SQL", tmp_path)
    with pytest.raises(ValueError, match="0003"):
        scripts.migrations.__wrapped__()


# Faults


def test_a_text_file_is_not_a_database(path: Path) -> None:
    path.write_text("StartAt: A\n" * 100)
    with pytest.raises(DatabaseError, match=f"^{re.escape(str(path))} is not a database$"):
        SqliteStore(path)
    assert path.read_text().startswith("StartAt")


@pytest.mark.parametrize("mark", ["CREATE TABLE theirs (id INTEGER)", "PRAGMA user_version = 1"])
def test_a_database_of_another_program_is_refused_and_left_alone(path: Path, mark: str) -> None:
    raw(path, mark)
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="is a database of another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_directory_is_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="cannot be opened: it is a directory"):
        SqliteStore(tmp_path)


def test_a_path_below_a_file_is_refused_with_its_reason(path: Path) -> None:
    path.write_text("")
    with pytest.raises(DatabaseError, match=r"sm\.db/sub/x\.db cannot be opened: .*/sm\.db is not a directory"):
        SqliteStore(path / "sub" / "x.db")


def test_a_directory_that_cannot_be_written_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(name: str, *_: Any) -> int:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(DatabaseError, match=f"{re.escape(str(path))} cannot be opened: Permission denied"):
        SqliteStore(path)


def test_a_lock_file_that_cannot_be_made_is_named(store: SqliteStore, path: Path) -> None:
    Path(f"{path}.lock").unlink()
    Path(f"{path}.lock").mkdir()
    with pytest.raises(DatabaseError, match=r"sm\.db\.lock cannot be opened: Is a directory"):
        apply(store, new_executions=[execution(1)])


def test_a_read_only_file_can_be_read_and_says_why_it_is_not_written(store: SqliteStore, path: Path) -> None:
    apply(store, new_executions=[execution(1)])
    with store.write() as tx:
        tx.session.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(DatabaseError, match=r"sm\.db cannot be written: the file or its directory is read-only"):
        apply(store, new_executions=[execution(2)])
    assert asked(store).execution(1) == execution(1)
    assert asked(store).execution(2) is None


def test_a_full_disk_loses_the_transaction_and_nothing_else(store: SqliteStore, path: Path) -> None:
    apply(store, new_executions=[execution(1)], new_frames=[frame(1)])
    with store.write() as tx:
        connection = tx.session.connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    before = store.commits
    with pytest.raises(
        DatabaseError, match=rf"^there is no room left on the disk for {re.escape(str(path))}"
    ) as caught:
        apply(store, new_executions=[execution(2, input="x" * 100_000)], frames=[frame(1, state="B", input="y" * 9000)])
    assert caught.value.hint is not None
    assert store.commits == before
    connection.execute("PRAGMA max_page_count = 100000")
    assert asked(store).execution(2) is None
    with store.write() as tx:
        assert tx.frames([1]) == {1: frame(1)}
        id = tx.reserve("executions", 1)
        tx.apply(Changes(new_executions=[execution(id + 10)]))
    assert [e.id for e in asked(store).list_executions(ExecutionFilter())] == [id + 10, 1]


LIMITED = """
from tests.store.asking import asked
import resource, sys
from sm_cli.errors import DatabaseError
from sm_cli.store.sqlite.database import SqliteStore
from tests.store.samples import apply, execution

store = SqliteStore(sys.argv[1])
apply(store, new_executions=[execution(1)])
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
try:
    apply(store, new_executions=[execution(2, input="x" * 2_000_000)])
except DatabaseError as e:
    print(e)
print([e.id for e in (asked(store).execution(1), asked(store).execution(2)) if e])
apply(store, new_executions=[execution(3)])
store.close()
"""


def test_a_write_that_the_system_refuses_loses_the_transaction_and_nothing_else(path: Path) -> None:
    process = run(LIMITED, str(path))
    output, error = process.communicate(timeout=100)
    assert error == ""
    sentence, kept = output.splitlines()
    assert re.search(r"(reading or writing|no room left on the disk for) .*sm\.db.* so nothing was written$", sentence)
    assert kept == "[1]"
    store = SqliteStore(path)
    assert [e.id for e in asked(store).list_executions(ExecutionFilter())] == [3, 1]
    store.close()


def test_a_damaged_file_is_said_to_be_damaged(path: Path) -> None:
    store = SqliteStore(path)
    apply(store, new_executions=[execution(n) for n in range(1, 200)])
    store.close()
    content = bytearray(path.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    damaged = SqliteStore(path)
    with pytest.raises(DatabaseError, match=r"sm\.db is damaged \(.*SQLITE_CORRUPT"):
        asked(damaged).list_executions(ExecutionFilter())
    with pytest.raises(DatabaseError, match=r"sm\.db is damaged"):
        apply(damaged, new_executions=[execution(500)])
    damaged.close()


def test_a_row_that_breaks_a_rule_of_the_schema_is_refused_with_its_reason(store: SqliteStore) -> None:
    apply(store, new_jobs=[job(1)])
    with pytest.raises(
        DatabaseError, match=r"refused what was asked of it and kept its state: UNIQUE constraint failed: jobs\.id"
    ):
        apply(store, new_jobs=[job(2), job(1)])
    assert asked(store).jobs_of(1) == [job(1)]


@pytest.mark.parametrize("holder", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_waiting_too_long_for_another_writer_is_one_clear_sentence(path: Path, holder: str) -> None:
    store = SqliteStore(path, wait=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(holder)
    sentence = f"{path} is held by another process for more than 0.05 s, so nothing was written"
    with pytest.raises(DatabaseError, match=re.escape(sentence)):
        apply(store, new_executions=[execution(1)])
    other.execute("ROLLBACK")
    other.close()
    apply(store, new_executions=[execution(1)])
    assert asked(store).execution(1) == execution(1)
    store.close()


def test_a_writer_in_the_queue_before_us_counts_as_waiting_too(path: Path) -> None:
    store = SqliteStore(path, wait=0.05)
    other = SqliteStore(path)
    apply(other, new_executions=[execution(1)])
    assert other._turn is not None
    with other._turn.hold(lambda: 1), pytest.raises(DatabaseError, match="held by another process"):
        apply(store, new_executions=[execution(2)])
    apply(store, new_executions=[execution(2)])
    store.close()
    other.close()


# Large values


def test_a_large_value_is_written_once_and_removed_with_what_held_it(store: SqliteStore, path: Path) -> None:
    def kept() -> list[int]:
        return [id for (id,) in raw(path, "SELECT id FROM blobs ORDER BY id")]

    large: Json = ["x" * 5000]
    apply(store, new_frames=[frame(1, input=large, vars={"v": large})], new_jobs=[job(1, input=large), job(2, 2)])
    assert kept() == [1, 2]
    for started in (1, 2, 3):  # a parent whose children close: the same input each time
        with store.write() as tx:
            parent = tx.frames([1])[1].copy()
            assert parent.input == large
            parent.join = Join(3, started=started)
            tx.apply(Changes(frames={1: parent}))
    assert kept() == [1, 2]
    with store.write() as tx:
        parent = tx.frames([1])[1].copy()
        parent.input, parent.vars, parent.output, parent.status = None, {}, large, FrameStatus.SUCCEEDED
        tx.apply(Changes(frames={1: parent}, jobs_gone=[1, 2]))
    assert kept() == [2]
    assert raw(path, "SELECT input, vars, output FROM frames") == [(None, None, "@2")]


def test_a_large_value_of_a_lost_transaction_is_not_remembered(store: SqliteStore) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        tx.apply(Changes(new_frames={1: frame(1, input="lost" * 1000)}))
        raise ZeroDivisionError
    apply(store, new_frames=[frame(1, input="kept" * 1000)])
    with store.write() as tx:
        assert tx.frames([1])[1].input == "kept" * 1000


def test_the_writer_knows_a_bounded_number_of_rows(store: SqliteStore) -> None:
    for first in range(1, 5001, 500):
        apply(
            store, new_frames=[frame(n) for n in range(first, first + 500)],
            new_executions=[execution(n, input="x" * 3000) for n in range(first, first + 10)],
        )  # fmt: skip
    assert len(store._row_cache.frames) == 1024
    assert store._row_cache.executions == {}
    with store.write() as tx:
        assert len(tx.frames(list(range(1, 5001)))) == 5000


def test_history_is_one_row_for_each_transaction_and_execution(store: SqliteStore, path: Path) -> None:
    apply(store, history=events(1, range(1, 6)) + events(2, range(1, 6)))
    apply(store, history=events(1, range(6, 8)))
    assert raw(path, "SELECT execution, number FROM history ORDER BY id") == [(1, 1), (2, 1), (1, 6)]


def test_a_long_row_of_history_is_split(store: SqliteStore, path: Path) -> None:
    long = [event._replace(detail={"cause": "x" * 100_000}) for event in events(1, range(1, 9))]
    apply(store, history=long)
    assert raw(path, "SELECT number FROM history ORDER BY id") == [(1,), (3,), (5,), (7,)]
    assert asked(store).history(1) == long
    assert asked(store).history(1, 4, 3) == long[4:7]


# Other processes


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def opened(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line)
    process.stdin.flush()


#: Writes at least so many times as it is told, and on until its stdin is closed: so no writer ends before both write.
WRITER = """
import sys, threading
from sm_cli.store.records import HistoryEvent
from sm_cli.store.changes import Changes
from sm_cli.store.sqlite.database import SqliteStore
from tests.store.samples import execution, frame

store = SqliteStore(sys.argv[1], sync="normal")
print("open", flush=True)
sys.stdin.readline()
closing = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), closing.set()), daemon=True).start()
n = 0
while n < int(sys.argv[2]) or not closing.is_set():
    with store.write() as tx:
        id = tx.reserve("executions", 1)
        counter = tx.frames([1])[1].copy()
        counter.seq += 1
        new = execution(id, workflow=sys.argv[3], name=str(n))
        event = HistoryEvent(1, counter.seq, counter.seq - 1, id, n, sys.argv[3], {})
        tx.apply(Changes(new_executions=[new], frames={1: counter}, history=[event]))
    n += 1
    if n == int(sys.argv[2]):
        print("enough", flush=True)
store.close()
print(n, flush=True)
"""


def test_two_processes_write_to_one_file_and_nothing_is_lost(path: Path) -> None:
    first = SqliteStore(path)
    apply(first, new_frames=[frame(1)])
    first.close()
    writers = [run(WRITER, str(path), "300", name) for name in ("a", "b")]
    assert [opened(writer) for writer in writers] == ["open\n"] * 2
    for writer in writers:
        tell(writer, "go\n")
    assert [opened(writer) for writer in writers] == ["enough\n"] * 2
    output = [writer.communicate(timeout=100) for writer in writers]
    assert [(writer.returncode, error) for writer, (_, error) in zip(writers, output, strict=True)] == [
        (0, ""),
        (0, ""),
    ]
    store = SqliteStore(path)
    written = {name: int(text) for name, (text, _) in zip(("a", "b"), output, strict=True)}
    total = sum(written.values())
    assert asked(store).open_frames(1)[0].seq == total
    history = asked(store).history(1)
    assert [event.number for event in history] == list(range(1, total + 1))
    for name, count in written.items():
        assert [event.at for event in history if event.type == name] == list(range(count))
        assert len(asked(store).list_executions(ExecutionFilter(workflow=name), ExecutionPage(limit=10**6))) == count
    turns = sum(before.type != after.type for before, after in pairwise(history))
    assert turns > 2, "one process waited until the other had done everything"
    store.close()


def test_a_new_file_may_be_opened_by_several_processes_at_once(path: Path) -> None:
    script = "import sys; from sm_cli.store.sqlite.database import SqliteStore; SqliteStore(sys.argv[1]).close()"
    openers = [run(script, str(path)) for _ in range(4)]
    assert [opener.communicate(timeout=100)[1] for opener in openers] == [""] * 4
    assert raw(path, "PRAGMA user_version") == [(scripts.newest_schema(),)]


@pytest.mark.parametrize("attempt", range(3))
def test_a_killed_writer_leaves_whole_transactions_only(path: Path, attempt: int) -> None:
    store = SqliteStore(path)
    apply(store, new_frames=[frame(1)])
    writer = run(WRITER, str(path), "1000000", "a")
    assert writer.stderr is not None
    assert opened(writer) == "open\n"
    tell(writer, "go\n")
    wanted = 20 + 17 * attempt
    while asked(store).open_frames(1)[0].seq < wanted:
        assert writer.poll() is None, writer.stderr.read()
    writer.send_signal(signal.SIGKILL)
    writer.communicate(timeout=100)
    done = asked(store).open_frames(1)[0].seq
    assert done >= wanted
    assert [event.number for event in asked(store).history(1)] == list(range(1, done + 1))
    assert len(asked(store).list_executions(ExecutionFilter(), ExecutionPage(limit=1_000_000))) == done
    with store.write() as tx:  # its locks went with it
        assert tx.reserve("executions", 1) == done + 1
        assert tx.frames([1])[1].seq == done
    assert raw(path, "PRAGMA integrity_check") == [("ok",)]
    store.close()


def test_changed_reports_commits_by_others_once(store: SqliteStore, path: Path) -> None:
    assert not store.changed()
    other = SqliteStore(path)
    assert not store.changed()
    apply(other, new_messages=[message(1)])
    assert [store.changed(), store.changed()] == [True, False]
    apply(other, timers=[timer(1, T0)])
    apply(other, timers=[timer(2, T0)])
    assert [store.changed(), store.changed()] == [True, False]
    apply(store, new_executions=[execution(1)])
    assert [store.changed(), other.changed()] == [False, True]
    with other.write() as tx:
        tx.ready_frames(1)
    assert not store.changed()
    other.close()
    assert not store.changed()


def test_the_losses_that_another_process_counts_are_seen(store: SqliteStore, path: Path) -> None:
    apply(store, new_frames=[frame(1)])
    other = SqliteStore(path)
    for count in (1, 2):
        with store.write() as tx:
            assert tx.losses() == ({1: 1} if count == 2 else {})
        apply(other, losses=[(1, 1)])
        with store.write() as tx:
            assert tx.losses() == {1: count}
    other.close()


def test_what_another_process_changed_is_read_again(store: SqliteStore, path: Path) -> None:
    apply(store, new_frames=[frame(1)], new_executions=[execution(1)])
    other = SqliteStore(path)
    for n in range(1, 4):
        for writer in (other, store, store):
            with writer.write() as tx:
                found, counted = tx.frames([1])[1].copy(), tx.executions([1])[1]
                found.seq += 1
                counted.events += 1
                tx.apply(Changes(frames={1: found}, executions={1: counted}))
        assert [asked(store).open_frames(1)[0].seq, asked(other).open_frames(1)[0].seq] == [3 * n, 3 * n]
    read = asked(other).execution(1)
    assert read is not None
    assert read.events == 9
    other.close()


def test_a_value_that_is_no_json_is_damage_and_no_bug_of_ours(store: SqliteStore, path: Path) -> None:
    apply(store, new_executions=[execution(1)], new_frames=[frame(1, input={"a": 1})])
    with sqlite3.connect(path) as other:
        other.execute("UPDATE frames SET input = '{bad'")
    other.close()
    with pytest.raises(DatabaseError, match=r"sm\.db is damaged \(a value is not JSON: "):
        asked(store).open_frames(1)
    with pytest.raises(DatabaseError, match=r"sm\.db is damaged"), store.write() as tx:
        tx.frames([1])
