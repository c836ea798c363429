"""A server and boto3's client for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.aws.calling import client
from tests.server.serving import Served, served
from tests.stores import database


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests of a module, which leave each other's things alone."""
    folder: Path = tmp_path_factory.mktemp("shared")
    with database("sqlite", folder) as url, served(url, folder) as made:
        yield made


@pytest.fixture
def aws(on_file: Served) -> Any:
    """boto3's client of a server over an empty SQLite database."""
    return client(on_file.address)


@pytest.fixture
def aws_here(here: Served) -> Any:
    """boto3's client of a server over an empty database of each kind."""
    return client(here.address)
