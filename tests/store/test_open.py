"""From a URL to a store."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sm_cli.errors import ConfigurationError, DatabaseError, SmError
from sm_cli.store import scripts
from sm_cli.store.open import open_store
from sm_cli.store.records import HANDED_OVER
from sm_cli.store.sqlite import migrate
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.sqlite.memory import MemoryStore
from tests.store.asking import asked


def test_memory_is_a_store_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_store("memory:"), MemoryStore)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "file"),
    [
        (None, ".sm/sm.db"), ("x.db", "x.db"), ("a/x.db", "a/x.db"), ("{here}/x.db", "x.db"), ("sqlite:x.db", "x.db"),
        ("sqlite:a/x.db", "a/x.db"), ("sqlite://{here}/x.db", "x.db"), ("sqlite:///{here}/x.db", "x.db"),
        ("sqlite:x.db?sync=normal", "x.db"), ("sqlite:x.db?sync=full", "x.db"), ("sqlite:a%20b.db", "a b.db"),
        ("odd?name.db", "odd?name.db"), ("a%20b.db", "a%20b.db"),
    ],
)  # fmt: skip
def test_each_form_of_a_url_names_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str | None, file: str
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(None if url is None else url.replace("{here}", str(tmp_path)))
    assert isinstance(store, SqliteStore)
    store.close()
    assert (tmp_path / file).is_file()


@pytest.mark.parametrize(("options", "level"), [("", 2), ("?sync=full", 2), ("?sync=normal", 1)])
def test_sync_is_full_unless_the_url_says_otherwise(tmp_path: Path, options: str, level: int) -> None:
    with closing(open_store(f"sqlite:{tmp_path}/x.db{options}")) as store:
        assert isinstance(store, SqliteStore)
        with store.write() as tx:
            assert tx.session.connection.execute("PRAGMA synchronous").fetchone() == (level,)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://me:secret@host/db?schema=No-Name", r"^'No-Name' cannot be the schema of postgresql://host/db"),
        (
            "postgresql://me:secret@host/db?schema=pg_mine",
            r"^the schema pg_mine of postgresql://host/db\?schema=pg_mine is",
        ),
        (
            "postgresql://me:secret@host/db?schema=information_schema",
            r"^the schema information_schema of .* is the server",
        ),
        ("postgresql://me:secret@[::1/db", r"^the URL of Postgres cannot be read: its host is no name and no address$"),
        (
            "postgresql://me:secret@host/db?foo=bar",
            r"^the URL of postgresql://host/db has the option 'foo', which nobody",
        ),
        ("postgresql://me:secret@host/db%00x", r"^the URL of postgresql://host/db%00x cannot be read$"),
        ("postgresql://me:%00secret@host/db", r"^the URL of postgresql://host/db cannot be read$"),
        ("postgres://me:secret@host/db?notify=maybe", r"^notify=maybe in postgresql://host/db is neither on nor off$"),
        ("postgresql://me:secret@127.0.0.1:1/db", r"^postgresql://127.0.0.1:1/db cannot be reached: "),
        ("mysql://host/db", "not a database that sm knows"),
        ("", "not a database that sm knows"),
        ("sqlite:", "names no file"),
        ("sqlite:x.db?sync=off", "sync=full and sync=normal"),
        ("sqlite:x.db?mode=ro", "sync=full and sync=normal"),
        ("sqlite://host/x.db", "names a host"),
    ],
)
def test_what_sm_does_not_know_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        open_store(url)


@pytest.mark.parametrize("url", ["nowhere/x.db", "sqlite:nowhere/x.db"])
def test_nothing_is_made_when_it_is_not_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatabaseError, match="there is no database"):
        open_store(url, create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_database_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; from sm_cli.store.open import open_store; store = open_store(sys.argv[1]); "
        "store.read().__enter__().latest(); "
        "print(*({'asyncio', 'typer', 'rich', 'yaml', 'jsonschema', 'importlib.metadata', "
        "'sm_cli.store.sqlite.memory'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script, f"{tmp_path}/x.db"], cwd=root, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("\n", "")


def test_a_link_to_a_database_has_no_key_and_no_turn_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    link, file = tmp_path / "link.db", tmp_path / "data" / "sm.db"
    link.symlink_to(file)
    stores = [open_store(str(path)) for path in (link, file)]
    for store in stores:
        with store.write():
            pass
    assert stores[0].token_key() == stores[1].token_key()
    for store in stores:
        store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "link.db"]


def test_a_process_that_changes_its_directory_keeps_its_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    store = open_store("sm.db")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(store.token_key()) == 32
    with store.write():
        assert asked(store).workers() == []  # a reader of its own, beside the writer
    store.close()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_copy_of_the_file_alone_knows_the_key(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "sm.db"))
    key = store.token_key()
    store.close()
    (tmp_path / "sm.db").rename(tmp_path / "copy.db")
    copy = open_store(str(tmp_path / "copy.db"))
    assert (len(key), copy.token_key()) == (32, key)
    copy.close()
    assert not (tmp_path / "sm.db.key").exists()


def test_two_databases_have_two_keys(tmp_path: Path) -> None:
    stores = [open_store(str(tmp_path / name)) for name in ("a.db", "b.db")]
    assert stores[0].token_key() != stores[1].token_key()
    for store in stores:
        store.close()


def older(path: Path, *, waiting: int = 0) -> None:
    """A database of schema 1, with so many tasks that were handed over; its key was in a file beside it."""
    connection = sqlite3.connect(path, isolation_level=None)
    migrate.migrate(connection, path, scripts.migrations()[:1])
    for id in range(1, waiting + 1):
        connection.execute(
            "INSERT INTO jobs (id, execution, tree, frame, seq, leased_until, deliveries, repeatable, attempt,"
            " priority, available, queue, state, resource)"
            " VALUES (?, 1, 1, ?, 1, ?, 1, 1, 1, 0, 0, 'default', 'Ask', 'ask')",
            (id, id, HANDED_OVER),
        )
    connection.close()


def test_the_key_of_an_older_database_moves_into_it(tmp_path: Path) -> None:
    older(tmp_path / "sm.db", waiting=1)
    (tmp_path / "sm.db.key").write_bytes(bytes(range(32)))
    for _ in range(2):
        store = open_store(str(tmp_path / "sm.db"))
        assert store.token_key() == bytes(range(32))
        store.close()
        assert not (tmp_path / "sm.db.key").exists()


def test_a_key_that_was_lost_while_tasks_wait_is_an_error(tmp_path: Path) -> None:
    older(tmp_path / "sm.db", waiting=2)
    text = r"2 tasks wait for their tokens, and .*sm\.db\.key.* is not there"
    with closing(open_store(str(tmp_path / "sm.db"))) as store, pytest.raises(DatabaseError, match=text):
        store.token_key()


def test_an_older_database_that_waits_for_no_token_gets_a_new_key(tmp_path: Path) -> None:
    older(tmp_path / "sm.db")
    with closing(open_store(str(tmp_path / "sm.db"))) as store:
        assert len(store.token_key()) == 32


def test_an_old_key_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    older(tmp_path / "sm.db")
    (tmp_path / "sm.db.key").write_bytes(b"")
    with closing(open_store(str(tmp_path / "sm.db"))) as store:
        with pytest.raises(DatabaseError, match="is not a key of 32 bytes") as caught:
            store.token_key()
        assert "delete it" in (caught.value.hint or "")


def test_a_database_that_could_not_be_made_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(connection: sqlite3.Connection, path: Path) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(migrate, "migrate", refused)
        with pytest.raises(SmError, match="disk is full"):
            open_store(str(tmp_path / "sm.db"))
    assert [path.name for path in tmp_path.iterdir()] == ["sm.db.lock"]
    open_store(str(tmp_path / "sm.db")).close()
