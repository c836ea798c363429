"""What tests of carriers start from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sm_cli.carriers.procrastinate import install
from sm_cli.store.open import open_store
from tests.postgres.server import own_schema


@pytest.fixture
def url() -> Iterator[str]:
    """A database of ours with Procrastinate's tables in it."""
    with own_schema() as made:
        open_store(made).close()
        assert install(made)
        yield made
