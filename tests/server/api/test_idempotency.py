"""A request with an Idempotency-Key is done once, from however many clients and servers it comes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx
import pytest

from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.store.messages import ANSWERS_KEPT
from sm_cli.testing.clock import FakeClock
from tests.engine.workers import soon
from tests.server.api.test_messages import asked
from tests.server.serving import MESSAGE, PASS, TASK, Served, served
from tests.store import asking

API = "/api/v1"
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
Act: TypeAlias = Callable[[Served], tuple[str, str, Any]]
START = {"definition": MESSAGE, "input": {"id": 1}}
OTHER = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": 1, "End": True}}}


def send(here: Served, method: str, path: str, body: Any = None, key: str = "k", **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key, **more.pop("headers", {})}
    return here.http.request(method, API + path, json=body, headers=headers, **more)


def facts(response: httpx.Response) -> tuple[int, bytes, str | None, str | None]:
    """What of an answer is the same each time."""
    return response.status_code, response.content, response.headers.get("location"), response.headers.get("etag")


def test_a_start_that_is_repeated_starts_one_and_is_answered_the_same(here: Served) -> None:
    first = here.ask("POST", f"{API}/executions", 201, json=START, headers=KEY)
    assert "idempotency-replayed" not in first.headers
    here.engine.stop(here.engine.find(first.json()["id"]))
    again = here.ask("POST", f"{API}/executions", 201, json=START, headers=KEY)
    assert facts(again) == facts(first)
    assert again.json()["status"] == "RUNNING"  # as it was answered then
    assert again.headers["idempotency-replayed"] == "true"
    assert here.get(f"{API}/executions/count") == {"count": 1}
    here.post(f"{API}/executions", START, 201)
    assert here.get(f"{API}/executions/count") == {"count": 2}


def messages(here: Served) -> tuple[str, str, Any]:
    here.start(MESSAGE, {"id": 1})
    return "POST", "/messages", {"key": "order", "value": 1}


def stop(here: Served) -> tuple[str, str, Any]:
    return "POST", f"/executions/{here.start(MESSAGE, {'id': 1}).ref}/stop", {}


def stops(here: Served) -> tuple[str, str, Any]:
    for n in range(3):
        here.start(MESSAGE, {"id": n}, "many")
    return "POST", "/executions/stop?workflow=many", {}


def redrive(here: Served) -> tuple[str, str, Any]:
    execution = here.start(MESSAGE, {"id": 1})
    here.engine.stop(execution)
    return "POST", f"/executions/{execution.ref}/redrive", {}


def redrives(here: Served) -> tuple[str, str, Any]:
    for n in range(3):
        here.engine.stop(here.start(MESSAGE, {"id": n}, "many"))
    return "POST", "/executions/redrive?workflow=many", {}


def deletion(here: Served) -> tuple[str, str, Any]:
    return "DELETE", f"/executions/{here.start(PASS).ref}", None


def success(here: Served) -> tuple[str, str, Any]:
    return "POST", "/tasks/success", {"token": asked(here)[1]}


def failure(here: Served) -> tuple[str, str, Any]:
    return "POST", "/tasks/failure", {"token": asked(here)[1]}


def heartbeat(here: Served) -> tuple[str, str, Any]:
    return "POST", "/tasks/heartbeat", {"token": asked(here)[1]}


def registration(_: Served) -> tuple[str, str, Any]:
    return "POST", "/workflows", {"name": "w", "definition": PASS}


def registered(here: Served, *definitions: Any) -> None:
    for each in definitions:
        here.post(f"{API}/workflows", {"name": "w", "definition": each}, 201)


def alias(here: Served) -> tuple[str, str, Any]:
    registered(here, PASS)
    return "PUT", "/workflows/w/aliases/prod", {"versions": {"1": 100}}


def no_alias(here: Served) -> tuple[str, str, Any]:
    _, path, body = alias(here)
    here.ask("PUT", API + path, 200, json=body)
    return "DELETE", path, None


def rollback(here: Served) -> tuple[str, str, Any]:
    registered(here, PASS, OTHER)
    return "POST", "/workflows/w/rollback", {}


def no_version(here: Served) -> tuple[str, str, Any]:
    registered(here, PASS, OTHER)
    return "DELETE", "/workflows/w/versions/1", None


def no_workflow(here: Served) -> tuple[str, str, Any]:
    registered(here, PASS)
    return "DELETE", "/workflows/w", None


def no_message(here: Served) -> tuple[str, str, Any]:
    here.post(f"{API}/messages", {"key": "k", "value": 1})
    return "DELETE", f"/messages/{here.get(f'{API}/messages')['items'][0]['id']}", None


def batch(here: Served) -> tuple[str, str, Any]:
    registered(here, TASK)
    return "POST", "/batches", {"workflow": "w", "items": [1, 2]}


def batch_limits(here: Served) -> tuple[str, str, Any]:
    _, path, body = batch(here)
    ref = here.post(API + path, body, 201)["id"]
    with here.worker({"other": Handler("other", str)}):
        soon(lambda: here.get(f"{API}/batches/{ref}")["item_counts"]["running"] > 0)
    return "PATCH", f"/batches/{ref}", {"concurrency": 2}


def pause(here: Served) -> tuple[str, str, Any]:
    return "POST", batch_limits(here)[1] + "/pause", {}


def schedule(here: Served) -> tuple[str, str, Any]:
    registered(here, PASS)
    return "POST", "/schedules", {"name": "s", "workflow": "w", "cron": "0 2 * * *"}


def scheduled(here: Served) -> str:
    _, path, body = schedule(here)
    here.post(API + path, body, 201)
    return f"{path}/s"


def schedule_pause(here: Served) -> tuple[str, str, Any]:
    return "POST", scheduled(here) + "/pause", {}


def schedule_run(here: Served) -> tuple[str, str, Any]:
    return "POST", scheduled(here) + "/run", {}


def no_schedule(here: Served) -> tuple[str, str, Any]:
    return "DELETE", scheduled(here), None


ACTS = (
    messages, stop, stops, redrive, redrives, deletion, success, failure, heartbeat, registration, alias, no_alias,
    rollback, no_version, no_workflow, no_message, batch, batch_limits, pause, schedule, schedule_pause, schedule_run,
    no_schedule,
)  # fmt: skip


#: Those that take several transactions, or have the database for themselves.
MANY_LOCKS = (stops, redrives, deletion, registration, batch_limits, schedule)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_whatever_changes_something_is_done_once(on_file: Served, act: Act) -> None:
    check_once(on_file, act)


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
@pytest.mark.parametrize("act", MANY_LOCKS, ids=lambda act: act.__name__)
def test_and_beside_other_writers(here: Served, act: Act) -> None:
    check_once(here, act)


def check_once(here: Served, act: Act) -> None:
    method, path, body = act(here)
    first = send(here, method, path, body)
    assert first.is_success, first.text
    commits = here.store.commits, counts(here)
    again = send(here, method, path, body)
    assert facts(again) == facts(first)
    assert again.headers["idempotency-replayed"] == "true"
    assert commits == (here.store.commits, counts(here))


def counts(here: Served) -> Any:
    return [here.get(f"{API}/{each}")["items"] for each in ("executions", "messages", "workflows", "schedules")]


def test_the_key_of_another_request_is_refused(here: Served) -> None:
    assert send(here, "POST", "/executions", START).status_code == 201
    others = [
        ("POST", "/executions", {**START, "input": {"id": 2}}),
        ("POST", "/messages", {"key": "order", "value": 1}),
        ("POST", "/executions/stop?workflow=inline", {}),
    ]
    for method, path, body in others:
        problem = send(here, method, path, body)
        assert problem.status_code == 422, problem.text
        assert problem.headers["content-type"] == "application/problem+json"
        assert problem.json()["code"] == "KeyReused"
    assert "another body" in send(here, *others[0]).json()["detail"]
    assert "POST /api/v1/executions" in send(here, *others[1]).json()["detail"]
    assert here.get(f"{API}/executions/count", params={"status": "RUNNING"}) == {"count": 1}


def test_the_order_of_members_and_how_long_one_waits_make_no_other_request(on_file: Served) -> None:
    first = send(on_file, "POST", "/executions", START).json()["id"]
    text = json.dumps({"input": {"id": 1}, "definition": MESSAGE}, indent=2)
    headers = {"Idempotency-Key": '"k"', "Content-Type": "application/json"}
    again = on_file.http.post(f"{API}/executions", content=text, headers=headers, params={"wait": "0.01"})
    assert (again.status_code, again.json()["id"]) == (202, first)


@pytest.mark.parametrize("key", ["", '""', "k" * 256, "a\tb", "clé", '"' + "k" * 256 + '"'])
def test_a_key_that_is_none_is_refused(on_file: Served, key: str) -> None:
    response = on_file.http.post(f"{API}/executions", json=START, headers={b"Idempotency-Key": key.encode("latin-1")})
    assert (response.status_code, response.json()["code"]) == (400, "UsageError")
    assert on_file.get(f"{API}/executions/count") == {"count": 0}


def test_two_keys_are_one_too_many(on_file: Served) -> None:
    response = on_file.http.post(
        f"{API}/executions", json=START, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    )
    assert response.status_code == 400


def test_the_longest_key_is_taken(on_file: Served) -> None:
    assert send(on_file, "POST", "/executions", START, "k" * 255).status_code == 201


def test_what_was_refused_is_not_kept(here: Served) -> None:
    wrong = {"workflow": "nothing"}
    assert send(here, "POST", "/executions", wrong).status_code == 404
    assert send(here, "POST", "/executions", {"definition": {"StartAt": "x"}}).status_code == 400
    registered(here, PASS)
    assert send(here, "POST", "/executions", {"workflow": "w"}).status_code == 201
    execution = here.start(MESSAGE, {"id": 1})
    here.engine.stop(execution)
    assert send(here, "POST", f"/executions/{execution.ref}/stop", {}, "k2").status_code == 409
    here.engine.redrive(execution)
    assert send(here, "POST", f"/executions/{execution.ref}/stop", {}, "k2").status_code == 200


def test_who_repeats_a_start_that_waits_waits_for_the_same_execution(here: Served) -> None:
    first = send(here, "POST", "/executions", {"definition": TASK, "input": {"n": 1}}, params={"wait": "0.01"})
    assert first.status_code == 202
    with here.worker({"work": Handler("work", lambda input: {"seen": input})}):
        again = send(here, "POST", "/executions", {"definition": TASK, "input": {"n": 1}}, params={"wait": "30s"})
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert again.json()["output"] == {"seen": {"n": 1}}


def test_many_at_once_start_one(here: Served) -> None:
    with served(here.url, here.folder) as other:
        answers: list[tuple[int, bytes, str | None, str | None]] = []
        barrier = threading.Barrier(8)

        def start(server: Served) -> None:
            with httpx.Client(base_url=server.address, timeout=60, trust_env=False) as http:
                barrier.wait(30)
                answers.append(facts(http.post(f"{API}/executions", json=START, headers=KEY)))

        threads = [threading.Thread(target=start, args=(each,)) for each in (here, other) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(answers) == 8
        assert len(set(answers)) == 1
        assert answers[0][0] == 201
        assert here.get(f"{API}/executions/count") == {"count": 1}


def test_another_server_knows_it_and_so_does_one_that_comes_later(here: Served) -> None:
    first = send(here, "POST", "/messages", {"key": "k", "value": 1})
    for _ in range(2):
        with served(here.url, here.folder) as other:
            assert facts(send(other, "POST", "/messages", {"key": "k", "value": 1})) == facts(first)


def test_an_answer_is_forgotten_after_a_day(here: Served) -> None:
    send(here, "POST", "/messages", {"key": "k", "value": 1, "ttl": 1_000_000})
    now = here.engine.clock.now()
    assert asking.asked(here.store).keyed_answer("k", now) is not None
    Engine(here.store, clock=FakeClock(now + ANSWERS_KEPT)).transact(lambda _: None)
    assert asking.asked(here.store).keyed_answer("k", now) is None


@pytest.mark.parametrize("text", ["<b>", "\u0000", "é" * 1000])
def test_an_answer_comes_again_byte_by_byte(here: Served, text: str) -> None:
    execution = here.start(MESSAGE, {"id": 1})
    body = {"error": "E", "cause": text}
    first = send(here, "POST", f"/executions/{execution.ref}/stop", body)
    assert facts(send(here, "POST", f"/executions/{execution.ref}/stop", body)) == facts(first)
    assert first.json()["cause"] == text
