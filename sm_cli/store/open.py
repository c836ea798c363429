"""From a URL to a store; what a database needs is imported only when it is the one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

from sm_cli.errors import ConfigurationError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sm_cli.store.copying.tables import Table, Tables
    from sm_cli.store.protocol import Store
    from sm_cli.store.upkeep.answers import Upkeep
    from sm_cli.store.waiting import Patience

#: A user and a password in a URL, or whatever comes behind a ? or a #: no sentence shows them.
_SECRETS = r"(?s)//.*@|[?#].*"
#: What is meant as a server and written otherwise: `postgresql:host`, `Postgres:…`, `host=… password=…`. As the name of
#: a file it would make one, with a password in its name.
_OTHER_SERVER = r"(?i)\s*(postgres(ql)?:|(host|hostaddr|port|user|password|dbname|service)\s*=)"
_POSTGRES = ("postgres://", "postgresql://")
DEFAULT = Path(".sm") / "sm.db"


def open_store(url: str | None, *, create: bool = True, patience: Patience | None = None) -> Store:
    """`memory:`, a path, `sqlite:relative/path`, `sqlite:///absolute/path`, the last two with `?sync=normal`.

    None means `.sm/sm.db` here. patience: how to wait for other writers; 30 s unless given.
    Raises ConfigurationError for another URL, DatabaseError for a file that
    cannot be used or, when `create` is false, is not there.
    """
    if url == "memory:":
        from sm_cli.store.sqlite.memory import MemoryStore

        return MemoryStore()
    if url is not None and url.startswith(_POSTGRES):
        return _postgres(url, create, patience)
    path, sync = _sqlite(str(DEFAULT) if url is None else url)
    from sm_cli.store.sqlite.database import SqliteStore

    return SqliteStore(path, sync=sync, create=create, patience=patience)


def upkeep_of(store: Store) -> Upkeep | None:
    """What a database answers as a whole; None for one in memory, of which nobody asks that."""
    from sm_cli.store.sqlite.database import SqliteStore

    if isinstance(store, SqliteStore):
        from sm_cli.store.sqlite.upkeep import SqliteUpkeep

        return SqliteUpkeep(store)
    from sm_cli.store.sqlite.memory import MemoryStore

    if isinstance(store, MemoryStore):
        return None
    from sm_cli.store.postgres.database import PostgresStore
    from sm_cli.store.postgres.upkeep import PostgresUpkeep

    assert isinstance(store, PostgresStore), "there are three kinds"
    return PostgresUpkeep(store)


def schema_number(url: str, patience: Patience | None = None) -> int | None:
    """The number of the schema of the database that a URL names; None when it is not there yet. Nothing is made or
    migrated. patience: how a server is waited for. Raises ConfigurationError, DatabaseError."""
    if url.startswith(_POSTGRES):
        from sm_cli.store.postgres.peeking import server_schema
        from sm_cli.store.postgres.url import parse_url

        return server_schema(parse_url(url), patience)
    if url == "memory:":
        return None
    from sm_cli.store.sqlite.peeking import file_schema

    return file_schema(_sqlite(url)[0])


def open_tables(url: str) -> AbstractContextManager[Tables]:
    """The database that a URL names, as tables of rows; its schema is made. Raises ConfigurationError; inside the block
    the driver's errors become a DatabaseError."""
    if url.startswith(_POSTGRES):
        from sm_cli.store.postgres.tables import open_schema
        from sm_cli.store.postgres.url import parse_url

        return open_schema(parse_url(url))
    from sm_cli.store.sqlite.tables import open_file

    return open_file(_sqlite(url)[0])


def table_layout() -> list[Table]:
    """The tables of the newest schema, of every kind of database."""
    from sm_cli.store.sqlite.tables import read_layout

    return read_layout()


def file_of(url: str) -> Path | None:
    """The file of the database that a URL names; None for one in memory or on a server. Raises ConfigurationError."""
    return None if url == "memory:" or url.startswith(_POSTGRES) else _sqlite(url)[0]


def url_for_people(url: str) -> str:
    """What people are shown of a URL: of a server's all but user, password and what only the driver reads. Raises
    ConfigurationError."""
    if not url.startswith(_POSTGRES):
        return url
    from sm_cli.store.postgres.url import parse_url

    return parse_url(url).place


def _postgres(url: str, create: bool, patience: Patience | None) -> Store:
    try:
        from sm_cli.store.postgres.database import PostgresStore
    except ImportError as e:
        raise ConfigurationError("the driver of Postgres is not installed", hint="Install the extra `postgres`.") from e
    from sm_cli.store.postgres.url import parse_url

    return PostgresStore(parse_url(url), create=create, patience=patience)


def _sqlite(url: str) -> tuple[Path, Literal["full", "normal"]]:
    if not url.startswith("sqlite:"):
        other = re.match(_OTHER_SERVER, url)
        if other is not None or "://" in url or not url:
            raise ConfigurationError(
                f"{_for_people(url, other)!r} is not a database that sm knows",
                hint="Give a path, sqlite:PATH, postgresql://HOST/NAME or memory:.",
            )
        return Path(url), "full"
    path, _, options = url.removeprefix("sqlite:").partition("?")
    path = unquote(path)
    if path.startswith("//"):
        if not path.startswith("///"):
            raise ConfigurationError(f"{url!r} names a host; write sqlite:///PATH for an absolute path")
        path = "/" + path.lstrip("/")
    if not path:
        raise ConfigurationError(f"{url!r} names no file")
    return Path(path), _sync(url, options)


def _for_people(url: str, other: re.Match[str] | None) -> str:
    """As much of a URL as may be shown: where it is not even one, how it begins."""
    if other is not None and "://" not in url:
        return f"{other[0]}[hidden]"
    return re.sub(_SECRETS, lambda part: "//[hidden]@" if part[0].startswith("//") else f"{part[0][0]}[hidden]", url)


def _sync(url: str, options: str) -> Literal["full", "normal"]:
    if options in ("", "sync=full"):
        return "full"
    if options == "sync=normal":
        return "normal"
    raise ConfigurationError(f"{url!r} has the option {options!r}; sm knows sync=full and sync=normal")
