"""What a front end sees of the database: the file of a URL, a store, and records by the names they are kept under."""

from __future__ import annotations

from pathlib import Path

import pytest

from sm_cli.errors import ConfigurationError, DatabaseError
from sm_cli.store import filters, messages, records, versions
from sm_cli.views import database
from sm_cli.views import records as shown


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("memory:", None),
        ("sm.db", Path("sm.db")),
        ("sqlite:a/b.db", Path("a/b.db")),
        ("sqlite:///a/b.db", Path("/a/b.db")),
        ("sqlite:a%20b.db?sync=normal", Path("a b.db")),
        ("a%20b.db", Path("a%20b.db")),
    ],
)
def test_a_url_names_a_file_or_memory(url: str, file: Path | None) -> None:
    assert database.file_of(url) == file


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://user:secret@host/db", "'mysql://[hidden]@host/db' is not a database that sm knows"),
        ("", "'' is not a database"),
        ("sqlite:", "names no file"),
        ("sqlite://host/path", "names a host"),
        ("sqlite:a?sync=off", "has the option 'sync=off'; sm knows sync=full and sync=normal"),
        ("sqlite:a?other", "has the option 'other'"),
    ],
)
def test_another_url_is_refused_and_shows_no_password(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        database.file_of(url)
    assert says in refused.value.message
    assert "secret" not in refused.value.message


def test_a_store_is_made_where_it_may_be_and_kept(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/sm.db"
    with pytest.raises(DatabaseError):
        database.open_store(url, create=False)
    assert not (tmp_path / "sm.db").exists()
    database.open_store(url).close()
    database.open_store(url, create=False).close()


@pytest.mark.parametrize("name", shown.__all__)
def test_each_record_is_the_store_s_own(name: str) -> None:
    homes = [home for home in (records, messages, versions, filters) if hasattr(home, name)]
    assert all(getattr(home, name) is getattr(shown, name) for home in homes)
    assert homes or name in ("Frame", "Join", "Opens", "Store", "TimerKind"), "from the interpreter, and the protocol"


@pytest.mark.parametrize(
    ("holder", "text"),
    [
        (database.Holder(None, "", 0), "another program"),
        (database.Holder(7, "", 0), "process 7"),
        (database.Holder(7, "sm worker", 0), "process 7 (sm worker)"),
    ],
)
def test_who_holds_the_lock_is_said_as_far_as_it_is_known(holder: database.Holder, text: str) -> None:
    assert str(holder) == text
