"""What can go wrong with Postgres, said in sm's words. No sentence shows a password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors as pg

from sm_cli.errors import ConfigurationError, Conflict, DatabaseAway, DatabaseBusy, DatabaseError, SmError
from sm_cli.store.scripts import UNFINISHED
from sm_cli.store.waiting import Holder

if TYPE_CHECKING:
    from sm_cli.store.sql.rows import Row

#: Before there is a session the driver knows no codes, only what the server says. Where it says it in another language,
#: it is a server that cannot be reached, which is true as well.
_REFUSAL = re.compile(
    r"(password authentication failed|role .* does not exist|no pg_hba|permission denied|no password supplied)"
)
_NO_DATABASE = re.compile(r"database .* does not exist")
#: What is wrong with the URL, or with a file that it names, and no server was asked: that will not pass.
_SETTING = re.compile(
    r"^(bad value for |invalid [a-z_ ]+(value|number)|definition of service|service file|(root )?certificate file"
    r"|private key file|.* is not supported)"
)
_TOO_MANY = re.compile(r"too many (clients|connections)|remaining connection slots")
#: What the driver says before the reason.
_WHERE = re.compile(r"^(connection [a-z ]+: )?(connection to server .*? failed: )?((FATAL|ERROR): +)?")
_SAFE = "What was committed before is safe; the work goes on when the server does."


def explain_error(error: psycopg.Error, place: str, seconds: float | None = None) -> SmError:
    """The exception that a user sees instead of `error`. place: the database, without password.
    seconds: how long was waited."""
    text = _first_line(error)
    if isinstance(error, (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure)):
        return busy(place, seconds)
    if isinstance(error, pg.UniqueViolation) and (error.diag.table_name or "") == "executions":
        return Conflict("an execution of this name or reference exists already, and nothing was written")
    if isinstance(error, (pg.ReadOnlySqlTransaction,)):
        return DatabaseAway(
            f"{place} is read-only (a standby?), so nothing was written",
            hint="Name the primary; `target_session_attrs=read-write` in the URL finds it among several hosts.",
        )
    if isinstance(error, pg.DiskFull):
        return DatabaseAway(f"there is no room left on the disk of {place}, so nothing was written", hint=_SAFE)
    if isinstance(error, pg.QueryCanceled):
        return DatabaseAway(
            f"{place} ended a statement before it was done ({text}), so nothing was written",
            hint="`options=-c%20statement_timeout%3D60s` in the URL gives statements more time.",
        )
    if isinstance(error, pg.InsufficientPrivilege):
        return DatabaseError(f"{place} does not let this role do what is needed: {text}")
    if error.sqlstate is None and _SETTING.search(text):
        return ConfigurationError(f"the driver of Postgres does not take what the URL of {place} says: {text}")
    if isinstance(error, psycopg.OperationalError):
        return _refusal(place, text) or DatabaseAway(f"{place} cannot be reached: {text}", hint=_SAFE)
    return DatabaseError(f"{place} refused what was asked of it and kept its state: {text}")


def _refusal(place: str, text: str) -> DatabaseError | None:
    """Why the server lets nobody in; None when it would."""
    if _NO_DATABASE.search(text):
        return DatabaseError(
            f"there is no database at {place}: {text}",
            hint="The server's `createdb` makes one; `sm` makes its tables in a schema of it.",
        )
    if _REFUSAL.search(text):
        return DatabaseError(
            f"{place} refuses to let this user in: {text}",
            hint="User and password stand in the URL, in PGUSER and PGPASSWORD, or in ~/.pgpass.",
        )
    if _TOO_MANY.search(text):
        return DatabaseAway(
            f"{place} has no connection left: {text}",
            hint="Fewer processes, a smaller `pool=N` in their URLs, or a higher max_connections leave some.",
        )
    return None


def check_encoding(connection: psycopg.Connection[Row], place: str) -> None:
    """Raises DatabaseError for a database that cannot keep every character. The server has said so when it let us in;
    this asks it nothing."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in ("UTF8", None):  # None: a pooler does not say it
        raise DatabaseError(
            f"{place} keeps texts as {encoding}, which cannot hold every character; sm needs UTF8",
            hint="`CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0` makes such a database on the same server.",
        )


def busy(place: str, seconds: float | None, holder: Holder | None = None, *, reads: bool = False) -> DatabaseBusy:
    """Somebody else had what is needed for too long. reads: it was only to be read."""
    long = "" if seconds is None else f" for more than {round(seconds, 2):g} s"
    so = "it could not be read" if reads else "nothing was written"
    hint = None
    if holder is not None and holder.is_session:
        hint = f"`SELECT pg_terminate_backend({holder.pid})` ends that session, and undoes what it has not committed."
    return DatabaseBusy(f"{place} is held by {holder or 'another process'}{long}, so {so}", hint=hint)


def no_reader(place: str, readers: int, seconds: float | None) -> DatabaseBusy:
    """As many threads of this process read as may at once, and none of them came to an end."""
    long = "" if seconds is None else f" for {seconds:g} s"
    return DatabaseBusy(
        f"all {readers} connections that read {place} were in use{long}", hint="`pool=N` in the URL allows more."
    )


def unknown_commit(place: str) -> DatabaseAway:
    """The connection broke in a commit, and the server did not come back to say whether it was done."""
    return DatabaseAway(
        f"{place} went away during a commit, and whether it was written is not known",
        hint="Look before you do it again.",
    )


def not_committed(place: str) -> DatabaseError:
    """The server undid a transaction that was to be committed, as it does with one in which something has failed."""
    return DatabaseError(f"{place} undid what was to be written, because a statement before had failed")


def too_new(place: str, schema_number: int, newest: int) -> DatabaseError:
    """A schema that a later version wrote, or that a copy is under way into."""
    if schema_number >= UNFINISHED:
        return DatabaseError(f"{place} is an unfinished copy of another database", topic="unfinished copy")
    return DatabaseError(
        f"{place} was written by a newer sm (schema {schema_number}, this one knows {newest}); upgrade sm"
    )


def no_schema(place: str) -> DatabaseError:
    """Nothing of ours is there, and the caller did not ask to make it."""
    return DatabaseError(f"there is no database of sm at {place}", topic="no database")


def may_not_migrate(place: str, schema_number: int, newest: int, why: str) -> DatabaseError:
    """The schema has to be made or migrated, and this role may not."""
    return DatabaseError(
        f"{place} has schema {schema_number}, {newest} is needed, and this role may not make it: {why}",
        topic="migrate",
    )


def _first_line(error: psycopg.Error) -> str:
    lines = (error.diag.message_primary or str(error)).strip().splitlines()
    text = " ".join(lines[0].split()) if lines else ""
    return _WHERE.sub("", text).removeprefix("fe_sendauth: ")[:300] or "the connection broke"
