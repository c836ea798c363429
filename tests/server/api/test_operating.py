"""Batches, map runs, schedules, numbers, queues, workers over REST."""

from __future__ import annotations

from typing import Any

from sm_cli.handlers.handler import Handler
from tests.engine.workers import soon
from tests.server.serving import MESSAGE, PASS, TASK, Served

API = "/api/v1"


def odd_fails(input: Any) -> Any:
    if input["n"] % 2:
        raise ValueError("odd")
    return input


def started_batch(here: Served, **more: Any) -> str:
    here.post(f"{API}/workflows", {"name": "work", "definition": TASK}, 201)
    body = {"workflow": "work", "items": [{"n": n} for n in range(4)], "name_prefix": "p", **more}
    response = here.ask("POST", f"{API}/batches", 201, json=body)
    assert response.headers["location"] == f"{API}/batches/{response.json()['id']}"
    ref: str = response.json()["id"]
    return ref


def test_a_batch_is_paused_gone_on_with_and_told_item_by_item(here: Served) -> None:
    ref = started_batch(here)
    url = f"{API}/batches/{ref}"
    with here.worker({"work": Handler("work", odd_fails)}):
        soon(lambda: here.get(url)["status"] != "RUNNING")
        assert [each["id"] for each in here.get(f"{API}/batches")["items"]] == [ref]
        rows = here.get(f"{url}/results", params={"limit": 3})
        assert [each["index"] for each in rows["items"]] == [0, 1, 2]
        rest = here.get(f"{url}/results", params={"limit": 3, "cursor": rows["next"]})
        assert ([each["index"] for each in rest["items"]], rest["next"]) == ([3], None)
        failures = here.get(f"{url}/results", params={"status": "FAILED"})["items"]
        assert [each["index"] for each in failures] == [1, 3]
        assert here.post(f"{url}/pause", status=409)["code"] == "Conflict"
        here.post(f"{url}/retry")
        soon(lambda: here.get(url)["status"] != "RUNNING")


def test_a_batch_that_runs_gets_other_limits_and_is_ended(here: Served) -> None:
    ref = started_batch(here)
    url = f"{API}/batches/{ref}"
    gone: list[Any] = []
    with here.worker({"other": Handler("other", gone.append)}):
        soon(lambda: here.get(url)["item_counts"]["running"] > 0)
        assert here.post(f"{url}/pause")["paused_by"] == "person"
        assert here.post(f"{url}/pause", status=409)["code"] == "Conflict"
        here.post(f"{url}/resume")
        here.ask("PATCH", url, 200, json={"concurrency": 2})
        assert here.ask("PATCH", url, 400, json={}).json()["code"] == "UsageError"
        assert here.post(f"{url}/cancel")["ended"] is not None


def test_a_batch_of_nothing_or_of_two_things_is_refused(here: Served) -> None:
    here.post(f"{API}/workflows", {"name": "work", "definition": TASK}, 201)
    for more in ({}, {"items": [1], "object": {"bucket": "b", "key": "k.json"}}):
        assert here.post(f"{API}/batches", {"workflow": "work", **more}, 400)["code"] == "UsageError"
    assert here.get(f"{API}/batches")["items"] == []


def test_a_batch_goes_through_executions(here: Served) -> None:
    here.start(PASS, {"n": 1}, "source")
    here.post(f"{API}/workflows", {"name": "target", "definition": PASS}, 201)
    body = {"workflow": "target", "executions": {"workflow": "source", "transform": "{'m': $states.input.n}"}}
    ref = here.post(f"{API}/batches", body, 201)["id"]
    with here.worker():
        soon(lambda: here.get(f"{API}/batches/{ref}")["status"] == "SUCCEEDED")
    (item,) = here.get(f"{API}/executions", params={"workflow": "target"})["items"]
    assert here.get(f"{API}/executions/{item['id']}")["input"] == {"m": 1}


def test_map_runs_are_listed_and_their_children(here: Served) -> None:
    each = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASS}
    execution = here.start(
        {"StartAt": "E", "States": {"E": {"Type": "Map", "ItemProcessor": each, "End": True}}}, [1, 2]
    )
    with here.worker():
        soon(lambda: here.get(f"{API}/executions/{execution.ref}")["status"] == "SUCCEEDED")
    (run,) = here.get(f"{API}/map-runs", params={"execution": execution.ref})["items"]
    assert here.get(f"{API}/map-runs/{run['id']}") == run
    assert len(here.get(f"{API}/executions", params={"map_run": run["id"]})["items"]) == 2
    assert here.get(f"{API}/map-runs/nothing", 404)["code"] == "NotFound"


def test_a_schedule_is_added_paused_run_and_forgotten(here: Served) -> None:
    here.post(f"{API}/workflows", {"name": "order", "definition": PASS}, 201)
    body = {"name": "nightly", "workflow": "order", "cron": "0 2 * * *", "input": {"a": 1}}
    response = here.ask("POST", f"{API}/schedules", 201, json=body)
    url = response.headers["location"]
    assert here.post(f"{API}/schedules", body)["name"] == "nightly"
    assert here.post(f"{API}/schedules", {**body, "cron": "0 3 * * *"}, 409)["code"] == "Conflict"
    assert here.post(f"{API}/schedules", {**body, "name": "x", "cron": "often"}, 400)["code"] == "UsageError"
    here.post(f"{url}/pause")
    assert here.get(f"{url}/why")["reasons"][0]["action"]["href"] == f"{url}/resume"
    here.post(f"{url}/resume")
    assert here.post(f"{url}/run")["outcome"] == "started"
    assert [each["name"] for each in here.get(f"{API}/schedules")["items"]] == ["nightly"]
    here.ask("DELETE", url, 200)
    assert here.get(url, 404)["code"] == "NotFound"


def test_numbers_queues_and_workers_are_those_of_the_database(here: Served) -> None:
    here.start(PASS)
    here.start(TASK, {}, "waits", queue="critical")
    total = here.get(f"{API}/statistics")["total"]
    assert total["count"] == 2
    groups = here.get(f"{API}/statistics", params={"by": "workflow"})["groups"]
    assert sorted(each["workflow"] for each in groups) == ["w", "waits"]
    (queue,) = (each for each in here.get(f"{API}/queues")["items"] if each["queue"] == "critical")
    assert queue["pending"] == 1
    assert here.get(f"{API}/workers")["items"] == []
    with here.worker({"work": Handler("work", odd_fails)}):
        soon(lambda: here.get(f"{API}/workers")["items"])
    assert here.get(f"{API}/doctor")["findings"]


def test_the_database_says_how_large_it_is(on_file: Served) -> None:
    on_file.start(MESSAGE, {"id": 1})
    assert on_file.get(f"{API}/database")
