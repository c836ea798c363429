"""Numbers for Prometheus: what a process has done, and what the database holds."""

from __future__ import annotations

import socket

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sm_cli.engine.clock import SystemClock
from sm_cli.errors import ConfigurationError
from sm_cli.handlers.handler import Handler
from sm_cli.server.metrics.exporting import exported
from tests.engine.workers import soon
from tests.server.conftest import Serve
from tests.server.serving import MESSAGE, TASK, Served

API = "/api/v1"


def numbers(here: Served) -> dict[tuple[str, ...], float]:
    """(name, values of labels in the order of their names) to number."""
    response = here.ask("GET", "/metrics", 200)
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_what_the_server_did_is_counted(here: Served) -> None:
    body = {"definition": MESSAGE, "workflow_name": "order", "input": {"id": 1}}
    ref = here.post(f"{API}/executions", body, 201)["id"]
    here.post(f"{API}/messages", {"key": "other", "value": 1})
    before = numbers(here)
    assert before["sm_executions_started_total", "order"] == 1
    assert before["sm_executions", "RUNNING"] == 1
    assert before["sm_messages_total", "buffered"] == 1
    assert before["sm_steps_total",] == 1
    assert before["sm_commits_total",] == before["sm_tick_seconds_count",] == 2
    here.post(f"{API}/executions/{ref}/stop")
    after = numbers(here)
    assert after["sm_executions_ended_total", "ABORTED", "order"] == 1
    assert after["sm_execution_seconds_count", "order"] == 1
    assert ("sm_executions", "RUNNING") not in after or after["sm_executions", "RUNNING"] == 0


def test_attempts_are_counted_by_what_they_were_for(here: Served) -> None:
    def fail(_input: object) -> None:
        raise ValueError("no")

    with here.worker({"work": Handler("work", fail)}) as worker:
        here.backend.metrics.watch(worker.engine)
        ref = here.post(f"{API}/executions", {"definition": TASK}, 201)["id"]
        soon(lambda: here.get(f"{API}/executions/{ref}")["status"] == "FAILED")
        found = numbers(here)
        assert found["sm_workers", "running"] == 1
    assert found["sm_handler_seconds_count", "work"] == 1
    assert found["sm_handler_failures_total", "ValueError", "work"] == 1


def test_queues_tell_their_depth_and_age(here: Served) -> None:
    here.start(TASK, queue="critical")
    found = numbers(here)
    assert found["sm_queue_tasks", "critical", "pending"] == 1
    assert found["sm_queue_oldest_seconds", "critical"] >= 0


def test_a_timer_that_nobody_serves_is_late(here: Served) -> None:
    past = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", "End": True}}}
    future = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    here.start(future, called="later")
    assert numbers(here)["sm_timer_lateness_seconds",] == 0
    here.start(past, called="sooner")
    here.start({**future, "TimeoutSeconds": 1}, called="limited")
    begin = SystemClock().now()
    soon(lambda: SystemClock().now() - begin > 1_100_000)
    assert numbers(here)["sm_timer_lateness_seconds",] > 0


def test_numbers_need_the_token(serve: Serve) -> None:
    assert serve(token="a-token-of-some-length").get("/metrics", 401)["code"] == "Unauthorized"


def test_a_database_that_does_not_answer_is_a_number_too(on_file: Served) -> None:
    for file in on_file.folder.glob("sm.db*"):
        file.unlink()
    soon(lambda: numbers(on_file)["sm_database_up",] == 0)
    assert ("sm_workers", "running") not in numbers(on_file)


def test_a_worker_tells_its_numbers_at_a_port_of_its_own(on_file: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port}"), exported(on_file.engine, port):
            pass
    with exported(on_file.engine, port):
        on_file.start(MESSAGE, {"id": 1}, "order")
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    assert 'sm_executions_started_total{workflow="order"} 1.0' in text
