"""SQL by name: the blocks of a file, and the places that are filled in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sm_cli.errors import DatabaseError, UsageError
from sm_cli.store.sql import queries
from sm_cli.store.sql.queries import all_queries, split_blocks
from sm_cli.store.sqlite.session import SqliteSession


def test_a_query_is_its_block_without_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "-- about the file\n-- name: one\n-- why\nSELECT 1\n-- and why\nFROM t\n\n-- name: two\nSELECT 2;\n"
    (tmp_path / "all.sql").write_text(text)
    monkeypatch.setattr(queries, "SQL", tmp_path)
    assert all_queries("with comments") == {"one": "SELECT 1\nFROM t", "two": "SELECT 2;"}


@pytest.mark.parametrize("text", ["", "SELECT 1", "-- no name here\nSELECT 1"])
def test_what_stands_under_no_name_is_no_block(text: str) -> None:
    assert split_blocks(text) == {}


def test_a_name_that_is_used_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="a query name is used twice: one"):
        split_blocks("-- name: one\nSELECT 1\n-- name: two\nSELECT 2\n-- name: one\nSELECT 3\n")


def test_no_place_of_the_store_s_own_queries_is_left_open() -> None:
    found = all_queries()
    assert len(found) > 50
    assert not [name for name, text in found.items() if "{" in text]


@pytest.fixture
def session() -> Iterator[SqliteSession]:
    connection = sqlite3.connect(":memory:")
    texts = {
        "make": "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL)", "put": "INSERT INTO t VALUES (?, ?)",
        "all": "SELECT a, b FROM t ORDER BY a", "one": "SELECT b FROM t WHERE a = :a",
    }  # fmt: skip
    made = SqliteSession(connection, texts.__getitem__, lambda error: DatabaseError(f"explained: {error}"))
    made.all("make")
    yield made
    connection.close()


def test_a_query_is_asked_by_its_name(session: SqliteSession) -> None:
    session.many("put", [(2, "two"), (1, "one")])
    assert session.all("all") == [(1, "one"), (2, "two")]
    assert session.one("one", {"a": 2}) == ("two",)
    assert session.one("one", {"a": 9}) is None


def test_an_error_of_the_driver_is_told_in_our_words(session: SqliteSession) -> None:
    session.many("put", [(1, "one")])
    with pytest.raises(DatabaseError, match="explained: UNIQUE constraint failed"):
        session.many("put", [(1, "again")])
    with pytest.raises(DatabaseError, match="explained: "):
        session.all("one")


@pytest.mark.parametrize("half", ["\ud800", "a\udcffb"])
def test_text_that_utf_8_cannot_hold_is_the_caller_s_mistake(session: SqliteSession, half: str) -> None:
    with pytest.raises(UsageError, match="is not text that UTF-8 can hold"):
        session.many("put", [(1, half)])
    with pytest.raises(UsageError, match="is not text that UTF-8 can hold"):
        session.one("one", {"a": half})
