"""What tests of Postgres begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres.server import schema


@pytest.fixture
def url() -> Iterator[str]:
    """An empty schema."""
    with schema() as made:
        yield made
