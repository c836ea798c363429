"""Opening the database and the engine for a command."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sm_cli.cli.project.config import Project, find_project

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.views.records import Store


@contextmanager
def opened_store(db: str | None, project: Project | None = None, *, create: bool = False) -> Iterator[Store]:
    """The store that `--db`, SM_DATABASE_URL or the configuration names. Raises DatabaseError."""
    from sm_cli.views.database import open_store

    url, _ = (project or find_project()).database(db)
    store = open_store(url, create=create)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def opened_engine(
    db: str | None, project: Project | None = None, *, create: bool = False, buckets: str | None = None
) -> Iterator[Engine]:
    """An engine over that store, with the project's workflows for those that others start, and its buckets."""
    from sm_cli.cli.project.workflows import Library
    from sm_cli.engine.engine import Engine
    from sm_cli.engine.settings import Settings

    gc.enable()  # `main` has disabled it for the short commands
    project = project or find_project()
    limit = project.max_payload
    settings = Settings() if limit is None else Settings(max_payload=limit)
    with opened_store(db, project, create=create) as store:
        library = Library(project.workflows)
        yield Engine(store, settings=settings, library=library, buckets=project.buckets(buckets))
