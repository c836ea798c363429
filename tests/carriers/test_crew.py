"""The steward beside Celery's main loop, on a server that goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from sm_cli.carriers.celery import CeleryCarrier
from sm_cli.celery.crew import Crew, Steward
from sm_cli.cli.project.config import find_project
from sm_cli.engine.stepping.queues import Rota
from sm_cli.store.open import open_store
from tests.engine.workers import soon
from tests.postgres.server import Server
from tests.store.asking import asked


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(quick=False)
    yield made
    made.stop()


def test_a_steward_that_is_stopped_while_the_server_is_away_ends_without_its_goodbye(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nobody = "redis://127.0.0.1:1/0"
    crew = Crew(find_project(), server.url, dict, lambda: CeleryCarrier(nobody, "sm", ()), "sm", Rota())
    steward = Steward(crew, SimpleNamespace(), serves_all=False)
    with closing(open_store(server.url)) as store:
        steward.start()
        soon(lambda: asked(store).workers())
        with server.away():
            steward.stop()
            assert not steward._thread.is_alive()
        assert len(asked(store).workers()) == 1
