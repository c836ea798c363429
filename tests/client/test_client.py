"""`Client`: what a program does with executions, while a worker beside it does the work."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sm_cli import Client, ExecutionDescription, errors
from sm_cli.handlers.registry import Registry
from sm_cli.project import owners
from tests.client.working import working

ROOT = Path(__file__).resolve().parents[2]
ORDER = """
StartAt: Charge
States:
  Charge: {Type: Task, Resource: charge, End: true}
"""
ASK = """
StartAt: Ask
States:
  Ask: {Type: Task, Resource: ask.waitForTaskToken, End: true}
"""
PAID = """
StartAt: Paid
States:
  Paid: {Type: Message, CorrelationKey: orderId, CorrelationValuePath: $.orderId, ResultPath: $.payment, End: true}
"""
PASS: dict[str, Any] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "workflows").mkdir()
    for name, text in {"order": ORDER, "ask": ASK, "paid": PAID}.items():
        (tmp_path / "workflows" / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.fixture
def sm(shop: Path) -> Iterator[Client]:
    with Client(shop, create=True) as client:
        yield client


def test_an_execution_is_started_waited_for_and_told(shop: Path, sm: Client) -> None:
    begun = sm.start("order", {"amount": 5}, name="ORD-1")
    assert (begun.status, begun.is_running, begun.ended, begun.duration) == ("RUNNING", True, None, None)
    with working(shop, Registry.of({"charge": lambda order: {"paid": order["amount"]}})):
        ended = sm.wait(begun.id, timeout=30)
    assert isinstance(ended, ExecutionDescription)
    assert (ended.id, ended.name, ended.workflow, ended.status) == (begun.id, "ORD-1", "order", "SUCCEEDED")
    assert (ended.input, ended.output, ended.error) == ({"amount": 5}, {"paid": 5}, None)
    assert ended.started.tzinfo is UTC
    assert ended.duration is not None
    assert timedelta() <= ended.duration < timedelta(minutes=1)
    assert sm.get("ORD-1") == sm.get(begun.id) == ended
    assert [event["type"] for event in sm.history(begun.id)][-1] == "ExecutionSucceeded"


def test_the_same_name_and_input_is_the_same_execution_and_another_input_is_a_conflict(sm: Client) -> None:
    first = sm.start("order", {"amount": 5}, name="ORD-1")
    assert sm.start("order", {"amount": 5}, name="ORD-1").id == first.id
    with pytest.raises(errors.Conflict):
        sm.start("order", {"amount": 6}, name="ORD-1")


def test_a_workflow_is_a_name_a_path_or_a_dict(shop: Path, sm: Client) -> None:
    assert sm.start("order").workflow == "order"
    assert sm.start(shop / "workflows" / "paid.yaml", {"orderId": "1"}).workflow == "paid"
    assert sm.start(PASS).workflow == "inline"
    assert sm.start(PASS, workflow_name="own").workflow == "own"
    assert sm.get("@last").input == {}
    with pytest.raises(errors.NotFound, match="has no workflow 'ordr'; did you mean 'order'"):
        sm.start("ordr")
    with pytest.raises(errors.InvalidDefinition, match=r"^SM\d+ at "):
        sm.start({"StartAt": "A", "States": {}})
    with pytest.raises(errors.UsageError, match="the input is not JSON"):
        sm.start("order", {1, 2})  # type: ignore[arg-type]


def test_waiting_ends_with_its_time(sm: Client) -> None:
    begun = sm.start("order", {})
    with pytest.raises(errors.StillRunning, match=r"is still running after 0\.01 s"):
        sm.wait(begun.id, timeout=0.01)


def test_a_failure_is_a_status_and_not_an_exception_and_is_redriven(shop: Path, sm: Client) -> None:
    down = [True]

    def charge(order: Any) -> Any:
        if down[0]:
            raise errors.TaskError("Busy", "the bank is closed")
        return order

    begun = sm.start("order", {"n": 1})
    with working(shop, Registry.of({"charge": charge})):
        failed = sm.wait(begun.id, 30)
        assert (failed.status, failed.error, failed.cause, failed.output) == (
            "FAILED", "Busy", "the bank is closed", None,
        )  # fmt: skip
        down[0] = False
        assert sm.redrive(begun.id).status in ("RUNNING", "SUCCEEDED")
        assert sm.wait(begun.id, 30).output == {"n": 1}
    with pytest.raises(errors.Conflict):
        sm.redrive(begun.id)
    with pytest.raises(errors.UsageError, match="an input belongs to a state"):
        sm.redrive(begun.id, input={})


def test_an_execution_is_stopped_once(sm: Client) -> None:
    begun = sm.start("order", {})
    stopped = sm.stop(begun.id, error="Cancelled", cause="by the customer")
    assert (stopped.status, stopped.error, stopped.cause) == ("ABORTED", "Cancelled", "by the customer")
    with pytest.raises(errors.Conflict):
        sm.stop(begun.id)


def test_a_list_is_filtered_as_the_command_s_is(sm: Client) -> None:
    first, second = sm.start("order", {}), sm.start("paid", {"orderId": "1"})
    sm.stop(first.id)
    assert [e.id for e in sm.list()] == [second.id, first.id]
    assert [e.id for e in sm.list(status="ABORTED")] == [first.id]
    assert [e.id for e in sm.list(workflow="paid")] == [second.id]
    assert len(sm.list(limit=1)) == 1
    ahead = datetime.now(UTC) + timedelta(hours=1)
    assert sm.list(since=ahead) == sm.list(since=ahead.replace(tzinfo=None)) == []
    assert len(sm.list(since=ahead - timedelta(hours=2))) == 2
    assert sm.list(until=ahead - timedelta(hours=2)) == sm.list(error="E") == sm.list(state="Nowhere") == []
    third = sm.start("paid", {"orderId": "2"}, name="third", tags={"team": "a"})
    assert [e.id for e in sm.list(tags={"team": "a"})] == [e.id for e in sm.list(name="THIRD")] == [third.id]
    assert sm.list(tags={"team": "b"}) == []
    assert sm.get(third.id).tags == {"team": "a"}
    with pytest.raises(errors.UsageError, match="the tag 'aws:x' begins with aws:"):
        sm.start("order", {}, tags={"aws:x": "1"})
    with pytest.raises(errors.UsageError, match="'DONE' is not a status; there are PENDING, RUNNING"):
        sm.list(status="DONE")  # type: ignore[arg-type]
    with pytest.raises(errors.UsageError, match="limit is a number from 1 on"):
        sm.list(limit=0)


def test_a_message_is_delivered_buffered_or_a_duplicate(shop: Path, sm: Client) -> None:
    waiting = sm.start("paid", {"orderId": "ORD-1"})
    sent = sm.send("orderId", "ORD-1", {"approved": True}, message_id="m1")
    assert (sent.outcome, sent.executions, sent.until) == ("delivered", (waiting.id,), None)
    assert sm.send("orderId", "ORD-1", {"approved": True}, message_id="m1").outcome == "duplicate"
    with working(shop, Registry.of({})):
        assert sm.wait(waiting.id, 30).output == {"orderId": "ORD-1", "payment": {"approved": True}}
    kept = sm.send("orderId", "ORD-2", 1, ttl=60)
    assert kept.outcome == "buffered"
    assert kept.until is not None
    assert kept.until > datetime.now(UTC)
    assert sm.send("orderId", "ORD-3", 1, require_match=True).outcome == "not delivered"
    with pytest.raises(errors.Conflict):
        sm.send("orderId", "ORD-1", 1, execution=waiting.id)


def test_tasks_that_wait_for_a_token_are_listed_and_ended(shop: Path, sm: Client) -> None:
    with working(shop, Registry.of({"ask": lambda _: None})):
        good, bad = sm.start("ask", {"n": 1}), sm.start("ask", {"n": 2})
        eventually(lambda: len(sm.tasks()) == 2)
        tokens = {task.execution: task for task in sm.tasks()}
        assert (tokens[good.id].workflow, tokens[good.id].state, tokens[good.id].resource) == ("ask", "Ask", "ask")
        sm.task_heartbeat(tokens[good.id].token)
        sm.task_succeeded(tokens[good.id].token, {"yes": True})
        sm.task_failed(tokens[bad.id].token, "Rejected", "too dear")
        assert sm.wait(good.id, 30).output == {"yes": True}
        assert sm.wait(bad.id, 30).error == "Rejected"
    with pytest.raises(errors.TaskTimedOut):
        sm.task_succeeded(tokens[good.id].token)
    with pytest.raises(errors.UsageError):
        sm.task_succeeded("no token")


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds; the worker of the test makes it so."""
    changed, left = threading.Event(), 3000
    while not holds():
        left -= 1
        assert left > 0, "it never came"
        changed.wait(0.01)


# -- where the database is ---------------------------------------------------------------------------------------------


def test_a_database_is_only_made_when_that_is_asked_for(shop: Path) -> None:
    with pytest.raises(errors.DatabaseError):
        Client(shop)
    assert not (shop / ".sm").exists()
    Client(shop, create=True).close()
    assert (shop / ".sm" / "sm.db").exists()
    Client(shop).close()


def test_the_database_is_that_of_the_settings_or_named_by_path_or_url(shop: Path) -> None:
    (shop / "sm.toml").write_text('database = "data/own.db"\n[priority]\norder = "critical"\n')
    (shop / "data").mkdir()
    with Client(shop, create=True) as sm:
        begun = sm.start("order", {})
        assert sm.engine.find(begun.id).queue == "critical"
        assert sm.engine.find(sm.start("order", {}, queue="low").id).queue == "low"
    file = shop / "data" / "own.db"
    for given in (file, str(file), f"sqlite://{file}", os.path.relpath(file)):
        with Client(given, project=shop) as sm:
            assert sm.get(begun.id).workflow == "order"
            sm.start("paid", {"orderId": "1"})
    with Client(file) as sm:  # sm.toml is found above it, and the workflows beside that
        sm.start("ask", {})


def test_the_limits_of_the_settings_hold(shop: Path) -> None:
    (shop / "sm.toml").write_text("aws_limits = true\nmax_payload = 400000\n")
    with Client(shop, create=True) as sm:
        with pytest.raises(errors.UsageError, match="AWS takes at most 262,144"):
            sm.start("order", "x" * 300_000)
        assert sm.engine.settings.max_payload == 400_000
    (shop / "sm.toml").write_text("max_paylod = 1\n")
    with pytest.raises(errors.ConfigurationError, match="sets 'max_paylod', which sm does not know"):
        Client(shop)


@pytest.mark.parametrize("name", ["sm.toml", "sm.db"])
def test_the_files_of_another_user_are_not_obeyed_unless_trusted(
    shop: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    Client(shop, create=True).close()
    (shop / "sm.toml").write_text("")
    seen = owners.owners_of
    monkeypatch.setattr(owners, "owners_of", lambda path: (54_321,) if path.name == name else seen(path))
    with pytest.raises(errors.ConfigurationError, match="to obey it all the same give trust=True"):
        Client(shop)
    Client(shop, trust=True).close()


# -- many threads, other processes -------------------------------------------------------------------------------------


def test_many_threads_share_one_client(shop: Path, sm: Client) -> None:
    def one(n: int) -> Any:
        begun = sm.start("order", {"n": n})
        sm.list(limit=5)
        return sm.wait(begun.id, 60).output

    with working(shop, Registry.of({"charge": lambda order: order["n"]})), ThreadPoolExecutor(16) as pool:
        assert list(pool.map(one, range(64))) == list(range(64))
    assert len(sm.list(limit=100, status="SUCCEEDED")) == 64


def test_a_closed_client_says_so_also_to_who_waits(sm: Client) -> None:
    begun = sm.start("order", {})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sm.wait, begun.id)
        sm.close()
        with pytest.raises(errors.UsageError, match="this Client is closed"):
            waiting.result(timeout=30)
    sm.close()
    with pytest.raises(errors.UsageError, match="this Client is closed"):
        sm.list()


def test_a_forked_process_opens_the_database_anew(shop: Path) -> None:
    script = """
import os, sys
from sm_cli import Client
sm = Client(sys.argv[1], create=True)
first = sm.start("order", {})
child = os.fork()
if child == 0:
    sm.start("order", {})
    os._exit(0 if len(sm.list()) == 2 else 1)
code = os.waitpid(child, 0)[1]
sm.start("order", {})
print(code, len(sm.list()))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(shop)], env={"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0 3\n", "")


def test_importing_sm_cli_imports_nothing_of_the_client() -> None:
    code = "import sys, sm_cli; print([m for m in sys.modules if m.startswith('sm_cli.')]); sm_cli.Client"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "['sm_cli._version']\n"


def test_a_client_imports_no_handler_and_no_command_line(shop: Path) -> None:
    (shop / "handlers").mkdir()
    (shop / "handlers" / "boom.py").write_text("raise SystemExit('imported')\n")
    code = (
        "import sys; from sm_cli import Client\n"
        "with Client(sys.argv[1], create=True) as sm: sm.start('order', {})\n"
        "print([m for m in sys.modules if m.startswith(('sm_cli.cli.', 'typer', 'rich'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(shop)], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[]\n", "")
