"""Numbers for Prometheus: what a process has done, and what the database holds."""

from __future__ import annotations

import itertools
import re
import socket
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sm_cli.engine.clock import SystemClock
from sm_cli.errors import ConfigurationError
from sm_cli.handlers.handler import Handler
from sm_cli.server.metrics.exporting import exported
from sm_cli.server.metrics.labels import OTHERS, BoundedLabel, bounded_counts
from sm_cli.server.metrics.sparing import Sparing
from tests.engine.workers import soon
from tests.server.conftest import Serve
from tests.server.serving import MESSAGE, TASK, Served

API = "/api/v1"


def _fail(_input: object) -> None:
    raise ValueError("no")


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
    assert before["sm_executions", "RUNNING", "order"] == 1
    assert before["sm_messages_total", "buffered"] == 1
    assert before["sm_steps_total",] == 1
    assert before["sm_commits_total",] == before["sm_tick_seconds_count",] == 2
    here.post(f"{API}/executions/{ref}/stop")
    soon(lambda: ("sm_executions", "RUNNING", "order") not in numbers(here))  # a count that was dear holds for a while
    after = numbers(here)
    assert after["sm_executions_ended_total", "ABORTED", "order"] == 1
    assert after["sm_execution_seconds_count", "order"] == 1
    assert after["sm_executions", "ABORTED", "order"] == 1


def test_attempts_are_counted_by_what_they_were_for(here: Served) -> None:
    with here.worker({"work": Handler("work", _fail)}) as worker:
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


def test_a_timer_is_counted_by_how_late_it_was_stepped(here: Served) -> None:
    here.backend.metrics.watch(here.engine)
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}
    here.start(wait)
    here.start({**MESSAGE, "TimeoutSeconds": 1}, {"id": 1}, "limited")
    begin = SystemClock().now()
    soon(lambda: SystemClock().now() - begin > 1_200_000)
    assert numbers(here)["sm_timer_stepped_late_seconds_count",] == 0  # nobody has stepped it
    here.engine.transact(lambda tick: tick.due())
    found = numbers(here)
    assert found["sm_timer_stepped_late_seconds_count",] == 2
    assert found["sm_timer_stepped_late_seconds_bucket", "0.1"] == 0
    assert 0.2 < found["sm_timer_stepped_late_seconds_sum",] < 120


def test_messages_are_counted_as_they_stand_in_the_database(here: Served) -> None:
    for value, ttl in ((1, 3600), (2, 3600), (3, 0.001)):
        here.post(f"{API}/messages", {"key": "order", "value": value, "ttl": ttl})
    here.start(MESSAGE, {"id": 1})
    soon(lambda: numbers(here)["sm_messages_kept", "expired"] == 1)
    found = numbers(here)
    assert (found["sm_messages_kept", "buffered"], found["sm_messages_kept", "consumed"]) == (1, 1)


def test_names_beyond_the_bound_share_one_series() -> None:
    label = BoundedLabel(2)
    assert [label.of(name) for name in ("a", "b", "c", "a", "d")] == ["a", "b", OTHERS, "a", OTHERS]
    counts = {("a", "X"): 1, ("b", "X"): 5, ("c", "X"): 2, ("c", "Y"): 2, ("d", "X"): 1}
    assert bounded_counts(counts, 2) == {("b", "X"): 5, ("c", "X"): 2, ("c", "Y"): 2, (OTHERS, "X"): 2}


def test_errors_that_a_callback_makes_up_do_not_make_series_without_bound(on_file: Served) -> None:
    def fail(_input: object) -> None:
        raise type(f"Made{next(number)}", (Exception,), {})()

    number = itertools.count()
    on_file.backend.metrics._counters._errors = BoundedLabel(1)
    with on_file.worker({"work": Handler("work", fail)}) as worker:
        on_file.backend.metrics.watch(worker.engine)
        for _ in range(3):
            on_file.start(TASK, called="w")
        soon(lambda: numbers(on_file).get(("sm_handler_failures_total", OTHERS, "work")) == 2)
    errors = [key[1] for key in numbers(on_file) if key[0] == "sm_handler_failures_total"]
    assert len(errors) == 2
    assert errors[0] in ("Made0", "Made1", "Made2")  # handlers run side by side: any of them may end first
    assert errors[1] == OTHERS


def test_a_count_that_is_dear_is_not_taken_at_each_scrape() -> None:
    now = [0.0]
    asked: list[float] = []

    def ask(took: float) -> int:
        asked.append(now[0])
        now[0] += took
        return len(asked)

    dear = Sparing(lambda: ask(2), lambda: now[0])
    assert dear.answer() == (1, 0)
    now[0] += 99
    assert dear.answer() == (1, 99)
    now[0] += 2
    assert dear.answer() == (2, 0)
    cheap = Sparing(lambda: ask(0.01), lambda: now[0])
    assert [cheap.answer(), cheap.answer()] == [(3, 0), (4, 0)]


def test_a_count_that_failed_is_taken_anew() -> None:
    answers: list[int | Exception] = [ValueError("away"), 7]

    def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    question = Sparing(ask)
    with pytest.raises(ValueError, match="away"):
        question.answer()
    assert question.answer() == (7, 0)


def test_the_page_has_each_number_and_no_other(on_file: Served) -> None:
    page = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(sm_\w+)` \| (\w+) \|([^|]*)\| [^|]+ \|$", page, re.MULTILINE)
    documented = {name: (kind, {*re.findall(r"`(\w+)`", labels)}) for name, kind, labels in rows}
    assert len(documented) == len(rows)
    with on_file.worker({"work": Handler("work", _fail)}) as worker:
        on_file.backend.metrics.watch(worker.engine)
        ref = on_file.post(f"{API}/executions", {"definition": TASK}, 201)["id"]
        soon(lambda: on_file.get(f"{API}/executions/{ref}")["status"] == "FAILED")
        on_file.start({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "nobody", "End": True}}})
        text = on_file.ask("GET", "/metrics", 200).text
    found: dict[str, tuple[str, set[str]]] = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        if not name.endswith("_created"):
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            found[name] = family.type, labels
    assert found == documented


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
