"""`sm map-runs`, and what the other commands say of distributed Maps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Project, ended
from tests.engine.workers import soon

ORDERS = """
    StartAt: Orders
    States:
      Orders:
        Type: Map
        ItemReader:
          Resource: arn:aws:states:::s3:getObject
          ReaderConfig: {InputType: CSV, CSVHeaderLocation: FIRST_ROW}
          Parameters: {Bucket: orders, Key: all.csv}
        MaxConcurrency: 2
        ToleratedFailurePercentage: 50
        ItemProcessor:
          ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
          StartAt: Charge
          States:
            Charge: {Type: Task, Resource: charge, End: true}
        ResultWriter:
          Resource: arn:aws:states:::s3:putObject
          Parameters: {Bucket: results, Prefix: out}
        End: true
"""
CHARGE = """
    @handler
    def charge(input, context):
        if input["id"] == "3":
            raise ValueError("no money")
        return input["id"]
"""
#: Each child waits for its own message.
WAITING = """
    StartAt: Orders
    States:
      Orders:
        Type: Map
        MaxConcurrency: 2
        ItemProcessor:
          ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
          StartAt: Paid
          States:
            Paid: {Type: Message, CorrelationKey: id, CorrelationValuePath: $, End: true}
        End: true
"""


def rows(count: int) -> str:
    return "id,amount\n" + "".join(f"{n},{n * 10}\n" for n in range(1, count + 1))


@pytest.fixture
def orders(project: Project) -> Project:
    project.workflow(ORDERS, "orders.yaml")
    project.handlers(CHARGE)
    project.write("buckets/orders/all.csv", rows(6))
    return project


def waiting(project: Project) -> tuple[str, str]:
    """An execution of three items, two of them under way; its id and its map run's."""
    project.workflow(WAITING, "waiting.yaml")
    ref = project.sm("run", "waiting", "--input", "[1, 2, 3]", "--detach").out.strip()
    return ref, only(project)["id"]


def only(project: Project) -> Any:
    (run,) = project.sm("map-runs", "--json").json
    return run


def children(project: Project, run: str, *more: str) -> list[Any]:
    found: list[Any] = project.sm("list", "--map-run", run, *more, "--json").json
    return found


def test_map_runs_are_listed_and_their_children_too(orders: Project) -> None:
    assert orders.sm("run", "orders").code == 0
    listed = orders.sm("map-runs")
    head, line = listed.out.splitlines()
    assert head.split()[:4] == ["MAP", "RUN", "WORKFLOW", "STATUS"]
    assert line.split()[1:8] == ["orders/Orders", "SUCCEEDED", "6", "5", "1", "0", "0"]
    run = only(orders)
    (root,) = orders.sm("list", "--json").json
    assert (run["execution_id"], run["state"], run["type"]) == (root["id"], "Orders", "STANDARD")
    assert run["item_counts"] == {"total": 6, "succeeded": 5, "failed": 1, "pending": 0}
    assert run["execution_counts"] == {"total": 6, "running": 0, "pending": 0, "succeeded": 5, "failed": 1}
    assert len(children(orders, run["id"])) == 6
    (failed,) = children(orders, run["id"], "--status", "failed")
    assert (failed["workflow"], failed["error"]) == ("orders/Orders", "ValueError")
    assert f"part of     {root['id']}" in orders.sm("show", failed["id"]).out
    assert orders.sm("show", failed["id"], "--json").json["part_of"] == root["id"]
    assert "part of" not in orders.sm("show", root["id"]).out


def test_map_runs_are_printed_in_every_format(orders: Project) -> None:
    orders.sm("run", "orders")
    run = only(orders)
    assert [json.loads(line) for line in orders.sm("map-runs", "-o", "jsonl").out.splitlines()] == [run]
    assert orders.sm("map-runs", "-o", "json").json == [run]
    assert f"- id: {run['id']}\n" in orders.sm("map-runs", "-o", "yaml").out
    assert orders.sm("map-runs", "-o", "xml").code == 2


def test_one_map_run_is_named_by_its_id_its_beginning_or_its_execution(orders: Project) -> None:
    orders.sm("run", "orders", "--name", "monday")
    run = only(orders)
    orders.sm("run", "orders", "--name", "tuesday")
    for which in (run["id"], run["id"][:-1], run["execution_id"], "monday"):
        assert orders.sm("map-runs", which, "--json").json == [run]
    (latest,) = orders.sm("map-runs", "@last", "--json").json
    assert latest["id"] != run["id"]
    assert [each["id"] for each in orders.sm("map-runs", "--json").json] == [latest["id"], run["id"]]
    assert len(orders.sm("map-runs", "--limit", "1", "--json").json) == 1


def test_what_is_no_map_run_is_reported(orders: Project) -> None:
    before = orders.sm("map-runs")
    assert (before.code, "there is no database" in before.err) == (7, True)
    orders.workflow("StartAt: P\nStates:\n  P: {Type: Pass, End: true}\n", "plain.yaml")
    orders.sm("run", "plain")
    none = orders.sm("map-runs", "@last")
    assert (none.code, none.out) == (0, "")
    assert "there is no map run" in none.err
    assert orders.sm("map-runs", "--json").json == []
    unknown = orders.sm("map-runs", "nothing")
    assert unknown.code == 3
    assert "no map run and no execution is named 'nothing'" in unknown.err
    assert orders.sm("list", "--map-run", "nothing").code == 3


def test_a_map_run_is_followed_until_it_ends(project: Project) -> None:
    _, run = waiting(project)
    following = project.start("map-runs", run, "--follow")
    assert following.stderr is not None
    assert following.stderr.readline().strip() == "Orders: 0 of 3 items done, 2 under way"
    for value in ("1", "2", "3"):
        project.sm("send-message", f"id={value}")
    assert project.sm("worker", "--drain").code == 0
    found = ended(following)
    assert found.code == 0
    assert found.err.splitlines()[-1] == "Orders: 3 of 3 items done, SUCCEEDED"
    assert run in found.out


def test_show_and_why_tell_where_a_map_run_stands(project: Project) -> None:
    ref, run = waiting(project)
    assert f"now         Orders: 0 of 3 items are done: sm map-runs {run}" in project.sm("show", ref).out
    said = project.sm("why", ref).out
    assert "Orders waits for its 3 items: 0 ended, 2 under way." in said
    assert f"  sm map-runs {run}\n" in said
    (pending,) = children(project, run, "--status", "pending")
    assert "has been PENDING since" in project.sm("why", pending["id"]).out
    assert "It waits for its turn" in project.sm("why", pending["id"]).out
    stopped = project.sm("stop", pending["id"])
    assert (stopped.code, "has not begun" in stopped.err) == (4, True)


def test_show_and_why_tell_that_items_are_read(orders: Project) -> None:
    ref = orders.sm("run", "orders", "--detach").out.strip()
    assert "Orders waits for its items to be read." in orders.sm("why", ref).out
    assert "Orders waits for a worker to read its items: sm worker" in orders.sm("show", ref).out
    orders.write("handlers/orders.py", "")
    assert orders.sm("worker", "--once", "--ok-to-leave").code == 0
    assert "2 under way" in orders.sm("why", ref).out
    orders.handlers(CHARGE)
    assert orders.sm("worker", "--drain").code == 0
    assert orders.sm("output", ref).json["ResultWriterDetails"]["Bucket"] == "results"


@pytest.mark.parametrize("how", ["option", "variable", "configuration"])
@pytest.mark.parametrize("command", ["run", "worker"])
def test_the_buckets_are_where_somebody_says(
    orders: Project, command: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (orders.path / "buckets").rename(orders.path / "s3")
    option = ["--buckets", "s3"] if how == "option" else []
    if how == "variable":
        monkeypatch.setenv("SM_BUCKETS", "s3")
    if how == "configuration":
        orders.write("sm.toml", 'buckets = "s3"\n')
    if command == "run":
        assert orders.sm("run", "orders", *option).code == 0
    else:
        orders.sm("run", "orders", "--detach")
        assert orders.sm("worker", "--drain", *option).code == 0
    assert only(orders)["status"] == "SUCCEEDED"
    assert list((orders.path / "s3" / "results").rglob("manifest.json"))
    assert not (orders.path / "buckets").exists()


def test_a_failed_map_is_redriven_with_the_children_that_failed(orders: Project) -> None:
    orders.workflow(ORDERS.replace("50", "0"), "orders.yaml")
    failed = orders.sm("run", "orders")
    assert (failed.code, "States.ExceedToleratedFailureThreshold" in failed.err) == (1, True)
    run = only(orders)
    again = orders.sm("redrive", "@last", "--dry-run")
    assert "Orders[2] / Charge (Task)\n" in again.out
    assert only(orders) == run
    (child,) = children(orders, run["id"], "--status", "failed")
    refused = orders.sm("redrive", child["id"])
    assert (refused.code, "belongs to a map run" in refused.err) == (4, True)
    orders.handlers("@handler\ndef charge(input, context):\n    return input['id']\n")
    assert orders.sm("redrive", "@last").code == 0
    assert orders.sm("worker", "--drain").code == 0
    done = only(orders)
    assert (done["status"], done["redrive_count"]) == ("SUCCEEDED", 1)
    assert done["item_counts"] == {"total": 6, "succeeded": 6, "failed": 0, "pending": 0}


def test_stopping_the_parent_stops_everything_below(project: Project) -> None:
    ref, run = waiting(project)
    assert project.sm("stop", ref).code == 0
    assert {child["status"] for child in children(project, run)} == {"ABORTED"}
    assert only(project)["status"] == "ABORTED"
    assert project.sm("waits", "--json").json == []


def test_a_killed_worker_loses_no_item(orders: Project) -> None:
    orders.write("buckets/orders/all.csv", rows(30))
    orders.handlers(
        """
        import time
        from pathlib import Path
        @handler
        def charge(input, context):
            with open("calls", "a") as calls:
                calls.write(input["id"] + "\\n")
            while Path("hold").exists() and int(input["id"]) > 8:
                time.sleep(0.01)
            return input["id"]
        """
    )
    hold = orders.write("hold", "")
    ref = orders.sm("run", "orders", "--detach").out.strip()
    doomed = orders.start("worker")
    calls = orders.path / "calls"
    soon(lambda: calls.exists() and len(calls.read_text().split()) >= 9)
    doomed.kill()
    doomed.wait()
    hold.unlink()
    assert orders.process("worker", "--drain").code == 0
    assert orders.sm("list", "--json").json[0]["status"] == "SUCCEEDED"
    assert only(orders)["item_counts"] == {"total": 30, "succeeded": 30, "failed": 0, "pending": 0}
    assert set(calls.read_text().split()) == {str(n) for n in range(1, 31)}
    (file,) = (orders.path / "buckets" / "results").rglob("SUCCEEDED_0.json")
    assert [json.loads(child["Output"]) for child in json.loads(file.read_text())] == [str(n) for n in range(1, 31)]
    assert orders.sm("output", ref).code == 0


def test_two_workers_share_a_map_run(orders: Project) -> None:
    orders.write("buckets/orders/all.csv", rows(300))
    orders.sm("run", "orders", "--detach")
    for worker in [orders.start("worker", "--drain", "--ok-to-leave") for _ in range(2)]:
        assert ended(worker).code == 0
    run = only(orders)
    assert (run["status"], run["item_counts"]["succeeded"], run["item_counts"]["failed"]) == ("SUCCEEDED", 299, 1)
    (file,) = (orders.path / "buckets" / "results").rglob("SUCCEEDED_0.json")
    written = [json.loads(child["Output"]) for child in json.loads(file.read_text())]
    assert written == [str(n) for n in range(1, 301) if n != 3]


def test_a_graph_shows_a_distributed_map(orders: Project) -> None:
    title = "each item of s3://orders/all.csv, 2 at once, distributed, results to s3://results/out"
    assert title in orders.sm("graph", "orders", "--format", "mermaid").out
    assert "each item of s3://orders/all.csv, 2 at once" in orders.sm("graph", "orders").out
