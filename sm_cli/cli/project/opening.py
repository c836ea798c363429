"""Opening the database and the engine for a command."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.cli.project.config import Project, blamed_on, find_project, relative_path
from sm_cli.cli.project.trust import check_database
from sm_cli.cli.terminal.failures import shorten_path
from sm_cli.errors import DatabaseError
from sm_cli.project.owners import owner_who_denies

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine, Workflow
    from sm_cli.views.database import Holder, Patience
    from sm_cli.views.records import Store

#: A tick makes some thousand short-lived objects, and few in circles: collecting as often as Python does unless told
#: otherwise costs a step a tenth of its time.
_COLLECT = (20_000, 10, 10)
#: Seconds that a command waits for another program that writes, unless it is told otherwise.
_LOCK_TIMEOUT = 30.0


def _patience(project: Project, url: str) -> Patience:
    """How a command waits for who writes. Raises UsageError for a span in the configuration that is none."""
    from sm_cli.cli.terminal.options import lock_timeout
    from sm_cli.views.database import Patience

    limit = _LOCK_TIMEOUT
    if (timeout := lock_timeout()) is not None:
        limit = timeout
    elif project.setting("lock_timeout") is not None:
        from sm_cli.cli.project.values import lock_timeout_of

        limit = lock_timeout_of(project) or limit

    def tell(holder: Holder) -> None:
        import logging  # who does not wait does not wait for it either

        from sm_cli.cli.terminal.logs import tell_state
        from sm_cli.cli.terminal.tables import local_time

        since = local_time(holder.since)
        text = (
            f"sm: waiting for {url}: {holder} has held it since {since}; giving up after {limit:g} s (--lock-timeout)"
        )
        tell_state("database.waiting", text, {"database": url, "holder": str(holder)}, level=logging.WARNING)

    return Patience(lambda: limit, tell)


@contextmanager
def opened_store(db: str | None, project: Project | None = None, *, create: bool = False) -> Iterator[Store]:
    """The store that `--db`, SM_DATABASE_URL or the configuration names. Raises DatabaseError.

    create: make it where there is none. A command that only finds work or hands in a message says no: in the wrong
    directory it would begin a database that nobody else looks at, and the message would be lost."""
    from sm_cli.views.database import open_store, url_for_people

    project = project or find_project()
    url, is_named, file = _named_database(db, project)
    try:
        store = open_store(url, create=create, patience=_patience(project, url_for_people(url)))
        try:
            yield store
        finally:
            store.close()
    except DatabaseError as e:
        if e.topic == "no database":
            e.hint = _where_looked(project, is_named=is_named, by_option=db is not None)
        elif e.hint is None and file is not None:
            e.hint = owner_who_denies(file, shorten_path)
        raise


def database_url(db: str | None) -> str:
    """The URL of the database that a command means, which need not be there. Raises ConfigurationError."""
    return _named_database(db, find_project())[0]


def url_and_patience(db: str | None) -> tuple[str, Patience]:
    """The same, and how to wait for who writes there. Raises ConfigurationError, UsageError."""
    from sm_cli.views.database import url_for_people

    project = find_project()
    url = _named_database(db, project)[0]
    return url, _patience(project, url_for_people(url))


def _named_database(db: str | None, project: Project) -> tuple[str, bool, Path | None]:
    """(the URL, whether anything names it, its file if it has one). Raises ConfigurationError for a file of another
    user."""
    from sm_cli.views.database import file_of

    url, is_named = project.database(db)
    with blamed_on(_origin(project, db) if is_named else None):
        file = file_of(url)
    if file is not None:
        check_database(file)
    return url, is_named, file


def _origin(project: Project, option: str | None) -> str | None:
    """What named the database, unless it was the command line."""
    from sm_cli.cli.terminal.options import source

    if option is None:
        return project.place("database")
    return None if source("--db") == "--db" else source("--db")


def _where_looked(project: Project, *, is_named: bool, by_option: bool) -> str | None:
    """Why it is looked for there; None when the command line or the environment names it."""
    if by_option:
        return None
    if project.file is None:
        return f"Neither {Path.cwd()} nor a folder above it has an sm.toml."
    file = relative_path(project.file)
    return f"{file} names it." if is_named else f"It would belong to the project of {file}."


@contextmanager
def opened_engine(
    db: str | None, project: Project | None = None, workflow: Workflow | None = None, *, create: bool = False,
    buckets: str | None = None, stub: bool = False,
) -> Iterator[Engine]:  # fmt: skip
    """An engine over that store, with the project's workflows for those that others start, and its buckets. workflow:
    what is about to be started; the machines of its template that it starts are registered. stub: a task that starts a
    workflow which is not there is left to a stub."""
    from sm_cli.cli.terminal.logs import escape_the_rest
    from sm_cli.engine.engine import Engine
    from sm_cli.project.project import engine_settings

    gc.enable()  # `main` has disabled it for the short commands
    gc.set_threshold(*_COLLECT)
    escape_the_rest()
    project = project or find_project()
    engine_settings(project)  # a setting that is wrong makes no database
    with opened_store(db, project, create=create) as store:
        settings = engine_settings(project, store, has_stub=stub)
        library = project.library()
        engine = Engine(store, settings=settings, library=library, buckets=project.buckets(buckets))
        if workflow is not None:
            library.register_nested(engine, workflow)
        yield engine


@contextmanager
def lasting_engine(db: str | None, project: Project, *, create: bool, buckets: str | None) -> Iterator[Engine]:
    """As `opened_engine`, for a service: one that is started before the database's server, or while that is away, waits
    for it as a worker does that loses it."""
    import time

    from sm_cli.errors import DatabaseAway
    from sm_cli.worker.outlasting import Away

    away = Away()
    with ExitStack() as stack:
        while True:
            try:
                engine = stack.enter_context(opened_engine(db, project, create=create, buckets=buckets))
                break
            except DatabaseAway as e:
                time.sleep(away.pause(e))
        away.over()
        yield engine
