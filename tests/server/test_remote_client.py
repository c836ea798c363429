"""The RemoteClient does over HTTP what a Client does beside the database."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta

import pytest

from sm_cli import Client, errors
from sm_cli.client import RemoteClient
from sm_cli.handlers.handler import Handler
from tests.server.conftest import Serve
from tests.server.serving import MESSAGE, PASS, TASK, Served

TOKEN = "correct-horse-battery-staple"


def test_an_execution_is_started_waited_for_and_told(here: Served) -> None:
    with here.worker({"work": Handler("work", lambda input: input)}), RemoteClient(here.address) as sm:
        order = sm.start(TASK, {"n": 1}, name="n1", workflow_name="order", tags={"team": "blue"})
        done = sm.wait(order.id, timeout=30)
        assert (done.name, done.workflow, done.status, done.output) == ("n1", "order", "SUCCEEDED", {"n": 1})
        assert done.duration is not None
        assert done.started.tzinfo is not None
        assert [each.id for each in sm.list(status="SUCCEEDED", tags={"team": "blue"})] == [order.id]
        assert sm.list(since=datetime.now(UTC) + timedelta(hours=1)) == []
        assert sm.history(order.id)[0]["type"] == "ExecutionStarted"


def test_who_waits_too_long_and_who_asks_for_nothing_gets_the_errors_of_a_client(here: Served) -> None:
    with RemoteClient(here.address) as sm:
        order = sm.start(MESSAGE, {"id": 1})
        with pytest.raises(errors.StillRunning):
            sm.wait(order.id, timeout=0.05)
        with pytest.raises(errors.NotFound, match="nothing"):
            sm.get("nothing")
        with pytest.raises(errors.UsageError, match="SM"):
            sm.start({"StartAt": "x"})
        with pytest.raises(errors.UsageError, match="not JSON"):
            sm.start(PASS, {1, 2})  # type: ignore[arg-type]
        assert sm.stop(order.id, error="E").error == "E"
        with pytest.raises(errors.Conflict):
            sm.stop(order.id)
        assert sm.redrive(order.id).status == "RUNNING"
        receipt = sm.send("order", 1, {"ok": True})
        assert (receipt.outcome, receipt.executions) == ("delivered", (order.id,))
        assert sm.send("order", 2).until is not None
        with pytest.raises(errors.UsageError):
            sm.task_heartbeat("no token")
        target = sm.start(PASS, source=order.id)
        assert [link.target for link in sm.links(order.id)] == [target.id]


def test_a_server_with_a_token_wants_it(serve: Serve) -> None:
    here = serve(token=TOKEN)
    with RemoteClient(here.address) as stranger, pytest.raises(errors.ConfigurationError, match="token"):
        stranger.list()
    with RemoteClient(here.address, token=TOKEN) as known:
        assert known.list() == []
        assert known.tasks() == ()


def test_a_server_that_is_away_is_one_sentence() -> None:
    with RemoteClient("http://127.0.0.1:9") as sm, pytest.raises(errors.DatabaseAway, match="does not answer"):
        sm.list()


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}

    assert methods(RemoteClient) == methods(Client)
