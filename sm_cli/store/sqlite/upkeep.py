"""What is asked and done of the file as a whole: its size, whether it is sound, making it smaller."""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from sm_cli.store import scripts
from sm_cli.store.sql import queries
from sm_cli.store.sql.large_values import blob_id
from sm_cli.store.sqlite import errors
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.sqlite.write_lock import WriteLock
from sm_cli.store.waiting import LockWait, poll

#: Problems of one kind that are listed; the others are counted.
MOST = 20


class FileFacts(NamedTuple):
    """The database as a file."""

    #: The path without links.
    path: str
    #: Bytes of the file, and of what was committed and is not in it yet.
    size: int
    #: Bytes of the log of what was committed last.
    wal_size: int
    #: The number of its schema.
    schema: int
    #: Bytes of a page.
    page_size: int
    #: Pages of the file.
    pages: int
    #: Pages that hold nothing: compacting gives them back.
    free_pages: int


def file_facts(store: SqliteStore) -> FileFacts:
    """Size, schema and free pages. Raises DatabaseError."""
    real = Path(os.path.realpath(store.path))
    log = real.with_name(f"{real.name}-wal")
    with store.read() as questions:
        connection = questions.session.connection
        schema, page_size, pages, free = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("user_version", "page_size", "page_count", "freelist_count")
        )
    size = log.stat().st_size if log.exists() else 0
    return FileFacts(str(real), real.stat().st_size, size, schema, page_size, pages, free)


def vacuum(store: SqliteStore) -> tuple[int, int]:
    """Rewrite the file without what is free, while nobody else writes: (bytes before, bytes after).

    Raises DatabaseError, also when the disk has no room for a second copy. Nothing is lost when it is killed."""
    before = _bytes(store)
    real = Path(os.path.realpath(store.path))
    turn = WriteLock(real)
    connection = sqlite3.connect(real, timeout=0, isolation_level=None)
    try:
        wait = LockWait(store.patience, turn.holder)
        with turn.hold(wait.time_left):
            poll(lambda: _succeeds(connection, "VACUUM"), wait.time_left)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except TimeoutError:
        raise errors.busy(store.path, store.patience.limit()) from None
    except sqlite3.Error as e:
        raise errors.explain_error(e, store.path) from e
    finally:
        connection.close()
        turn.close()
    return before, _bytes(store)


def _succeeds(connection: sqlite3.Connection, statement: str) -> bool:
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as e:
        if errors.is_busy(e):
            return False
        raise
    return True


def _bytes(store: SqliteStore) -> int:
    facts = file_facts(store)
    return facts.size + facts.wal_size


def find_problems(store: SqliteStore) -> list[str]:
    """What is wrong in the file, a sentence each: by SQLite's own check, and by ours, whether every row has what it
    refers to and every large value is counted as often as it is used. Empty when it is sound."""
    with store.read() as questions:
        connection = questions.session.connection
        try:
            problems = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({MOST})")]
            if problems != ["ok"]:
                return problems
            return [*_dangling(connection), *_miscounts(connection)]
        except sqlite3.DatabaseError as e:
            return [str(e)]
        except orjson.JSONDecodeError as e:
            return [f"a value is not JSON: {e}"]


def _dangling(connection: sqlite3.Connection) -> Iterator[str]:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != scripts.newest_schema():
        yield f"its schema is {version}, and this program knows {scripts.newest_schema()}"
    for sentence, count in connection.execute(queries.query_text("dangling_rows")):
        if count:
            yield f"{count:,} {sentence}"


def _miscounts(connection: sqlite3.Connection) -> Iterator[str]:
    uses: dict[int, int] = {}
    for (text,) in connection.execute(queries.query_text("references_of_columns")):
        _count(uses, text)
    for (text,) in connection.execute(queries.query_text("history_with_references")):
        for event in orjson.loads(text):
            for reference in event[5].values() if len(event) > 5 else ():
                _count(uses, reference)
    wrong = 0
    for id, use_count, there in connection.execute(queries.query_text("counted_blobs")):
        count = uses.pop(id, 0)
        if count == use_count and there:
            continue
        wrong += 1
        if wrong <= MOST:
            yield f"large value {id} is used {count} times and counted {use_count} times" + (
                "" if there else ", and is gone"
            )
    for id in list(uses)[:MOST]:
        yield f"large value {id} is used {uses[id]} times and is not there"
    if wrong > MOST or len(uses) > MOST:
        yield f"{max(0, wrong - MOST) + max(0, len(uses) - MOST):,} more large values are wrong"


def _count(uses: dict[int, int], text: str) -> None:
    id = blob_id(text)
    assert id is not None, "the query answers with references only"
    uses[id] = uses.get(id, 0) + 1
