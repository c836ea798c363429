"""A server over an empty database of each kind that a server can have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sm_cli.server.settings import ServerSettings
from tests.server.serving import Served, served
from tests.stores import database

#: A function that starts one more server, with settings by name, over a database of its own.
Serve: TypeAlias = Callable[..., Served]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of each kind."""
    with database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def here(url: str, tmp_path: Path) -> Iterator[Served]:
    """A server that needs no token, over an empty database of each kind."""
    with served(url, tmp_path) as made:
        yield made


@pytest.fixture
def on_file(tmp_path: Path) -> Iterator[Served]:
    """A server that needs no token, over SQLite: for what does not depend on the database."""
    with database("sqlite", tmp_path) as url, served(url, tmp_path) as made:
        yield made


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers over SQLite that are told this or that."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Served:
            kind: AbstractContextManager[str] = database("sqlite", tmp_path)
            url = stack.enter_context(kind)
            return stack.enter_context(served(url, tmp_path, ServerSettings(port=0, **settings)))

        yield start
