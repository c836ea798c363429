"""What tests of many rooms start from: an empty database of each kind, and a yard of workers over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sm_cli.store.protocol import Store
from tests.engine.workers import Yard, yard
from tests.stores import KINDS, opened

# How long an example takes says something of the machine and what else it does, nothing of what is tested.
settings.register_profile("sm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sm")


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    with opened(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def here(store: Store) -> Iterator[Yard]:
    """Workers over an empty store of each kind."""
    with yard(store) as made:
        yield made
