"""The RemoteClient does over HTTP what a Client does beside the database."""

from __future__ import annotations

import inspect
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
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
        assert known.tasks() == []


def test_a_server_that_is_away_is_one_sentence() -> None:
    with RemoteClient("http://127.0.0.1:9") as sm, pytest.raises(errors.DatabaseAway, match="does not answer"):
        sm.list()


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}

    assert methods(RemoteClient) == methods(Client)


def test_both_clients_have_the_same_parameters() -> None:
    for name, _ in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_"):
            assert name in vars(RemoteClient), f"{name} is not asked of the server"
            here, there = (inspect.signature(getattr(kind, name)) for kind in (Client, RemoteClient))
            assert here == there, name


@pytest.mark.parametrize("kind", ["beside", "remote"])
def test_a_key_makes_each_of_both_do_it_once(here: Served, kind: str) -> None:
    with Client(here.url) if kind == "beside" else RemoteClient(here.address) as sm:
        order = sm.start(MESSAGE, {"id": 1}, workflow_name="w", idempotency_key="k1")
        assert sm.start(MESSAGE, {"id": 1}, workflow_name="w", idempotency_key="k1").id == order.id
        with pytest.raises(errors.KeyReused, match="k1"):
            sm.start(MESSAGE, {"id": 2}, workflow_name="w", idempotency_key="k1")
        first = sm.send("order", 1, {"ok": True}, idempotency_key="k2")
        assert first.executions == (order.id,)
        assert sm.send("order", 1, {"ok": True}, idempotency_key="k2") == first
        assert sm.start(MESSAGE, {"id": 1}, workflow_name="w", idempotency_key="k1").status == "SUCCEEDED"
        other = sm.start(MESSAGE, {"id": 2}, workflow_name="w")
        for _ in range(2):
            assert sm.stop(other.id, error="E", idempotency_key="k3").error == "E"
        for _ in range(2):
            assert sm.redrive(other.id, idempotency_key="k4").id == other.id
        with pytest.raises(errors.UsageError, match="idempotency key"):
            sm.stop(other.id, idempotency_key="é")
        assert len(sm.list()) == 2


class Stumbling(BaseHTTPRequestHandler):
    """A server in front of one: it hands the first requests on and never answers them."""

    address: str
    lost = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name: self.headers[name] for name in ("content-type", "idempotency-key") if name in self.headers}
        answer = httpx.post(self.address + self.path, content=body, headers=headers, trust_env=False)
        cls = type(self)
        if cls.lost > 0:
            cls.lost -= 1
            self.close_connection = True
            return
        self.send_response(answer.status_code)
        self.end_headers()
        self.wfile.write(answer.content)

    def do_GET(self) -> None:
        answer = httpx.get(self.address + self.path, trust_env=False)
        self.send_response(answer.status_code)
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(("lost", "retries"), [(2, 2), (1, 0), (3, 2)])
def test_a_start_whose_answer_was_lost_is_sent_again_and_started_once(
    on_file: Served, lost: int, retries: int
) -> None:  # fmt: skip
    stumbling = type("Front", (Stumbling,), {"address": on_file.address, "lost": lost})
    with ThreadingHTTPServer(("127.0.0.1", 0), stumbling) as front:
        thread = threading.Thread(target=front.serve_forever)
        thread.start()
        try:
            with RemoteClient(f"http://127.0.0.1:{front.server_port}", retries=retries) as sm:
                if lost <= retries:
                    assert sm.start(MESSAGE, {"id": 1}).status == "RUNNING"
                else:
                    with pytest.raises(errors.DatabaseAway):
                        sm.start(MESSAGE, {"id": 1})
        finally:
            front.shutdown()
            thread.join()
    assert on_file.get("/api/v1/executions/count") == {"count": 1}


def test_a_url_of_a_server_makes_a_client_of_it(here: Served, serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "greet.yaml"
    file.write_text("StartAt: P\nStates:\n  P: {Type: Pass, End: true}\n", encoding="utf-8")
    with Client(here.address) as sm, Client(here.url) as beside:
        assert (type(sm), type(beside)) == (RemoteClient, Client)
        first = sm.start(file, {"n": 1})
        assert (first.workflow, beside.get(first.id).output) == ("greet", {"n": 1})
        transform = tmp_path / "t.jsonata"
        transform.write_text("{'m': $states.input.n}", encoding="utf-8")
        last = sm.start("greet", source=first.id, transform=transform)
        assert last.input == {"m": 1}
        for one in (sm, beside):  # times have milliseconds over HTTP
            assert [each.target for each in one.links(target_workflow="greet")] == [last.id]
            assert one.links(source_workflow="other") == []
        assert [each.target for each in sm.links(since=last.started - timedelta(hours=1))] == [last.id]
        assert [each.id for each in sm.list()] == [each.id for each in beside.list()] == [last.id, first.id]
        with pytest.raises(errors.UsageError, match="function"):
            sm.start("greet", source=first.id, transform=lambda output: output)
        with pytest.raises(errors.UsageError, match="server"):
            _ = sm.engine
        for one in (sm, beside):
            with pytest.raises(errors.UsageError, match="limit"):
                one.list(limit=0)
        sm.close()
    known = serve(token=TOKEN)
    with Client(known.address.replace("http", "HTTP", 1), token=TOKEN) as sm:
        assert sm.tasks() == []
    with pytest.raises(errors.UsageError, match="token"):
        Client(here.url, token=TOKEN)
