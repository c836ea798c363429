"""From a URL to a store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sm_cli.errors import ConfigurationError, DatabaseError
from sm_cli.store.open import open_store
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
    store = open_store(f"sqlite:{tmp_path}/x.db{options}")
    assert isinstance(store, SqliteStore)
    with store.write() as tx:
        assert tx.session.connection.execute("PRAGMA synchronous").fetchone() == (level,)
    store.close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgres://host/db", "Postgres comes with a later version"),
        ("postgresql://host/db", "Postgres comes with a later version"),
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


def test_what_a_killed_process_left_of_a_key_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / f"sm.db.key.{os.getpid()}").touch()
    store = open_store(str(tmp_path / "sm.db"))
    assert len(store.token_key()) == 32
    store.close()


def test_a_key_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "sm.db.key").write_bytes(b"")
    store = open_store(str(tmp_path / "sm.db"))
    with pytest.raises(DatabaseError, match="is not a key of 32 bytes") as caught:
        store.token_key()
    assert "delete it" in (caught.value.hint or "")
    store.close()
