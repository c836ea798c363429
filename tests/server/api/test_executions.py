"""Executions over REST: started, listed, shown, waited for, stopped, gone on with."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.routing import APIRoute

from sm_cli.engine.workflows.new_executions import NewExecution
from sm_cli.handlers.handler import Handler
from sm_cli.server.api.routes import api_routes
from sm_cli.server.api.routing import backend_alone
from tests.engine.workers import Gate, soon
from tests.server.serving import MESSAGE, PASS, TASK, Served

API = "/api/v1"
FAILS = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "because"}}}
FLAKY = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}


def double(input: Any) -> Any:
    return {"double": input["n"] * 2}


def started(here: Served, definition: dict[str, Any], status: int = 201, **body: Any) -> Any:
    return here.post(f"{API}/executions", {"definition": definition, **body}, status)


def test_a_start_says_where_the_execution_is(here: Served) -> None:
    body = {"definition": PASS, "workflow_name": "order", "input": {"a": 1}, "name": "n1", "tags": {"team": "blue"}}
    response = here.ask("POST", f"{API}/executions", 201, json=body)
    document = response.json()
    assert response.headers["location"] == f"{API}/executions/{document['id']}"
    assert (document["name"], document["workflow"], document["status"]) == ("n1", "order", "SUCCEEDED")
    shown = here.get(response.headers["location"])
    assert (shown["input"], shown["tags"]) == ({"a": 1}, {"team": "blue"})


def test_the_same_start_again_is_the_same_execution(here: Served) -> None:
    first = started(here, MESSAGE, name="n1", input={"id": 1})
    assert started(here, MESSAGE, 200, name="n1", input={"id": 1})["id"] == first["id"]
    assert started(here, MESSAGE, 409, name="n1", input={"id": 2})["code"] == "Conflict"


def test_a_workflow_of_the_project_and_a_version_are_started_by_name(here: Served) -> None:
    here.write("hello.json", '{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}')
    assert here.post(f"{API}/executions", {"workflow": "hello"}, 201)["version"] == 1
    assert here.post(f"{API}/executions", {"workflow": "hello:1"}, 201)["version"] == 1
    assert here.post(f"{API}/executions", {"workflow": "hello:7"}, 404)["code"] == "NotFound"
    assert here.post(f"{API}/executions", {"workflow": "nothing"}, 404)["code"] == "NotFound"


def test_a_start_that_waits_answers_with_the_output(here: Served) -> None:
    with here.worker({"work": Handler("work", double)}):
        response = here.ask("POST", f"{API}/executions", 200, json={"definition": TASK, "input": {"n": 4}},
                            params={"wait": "30s"})  # fmt: skip
    assert response.json()["output"] == {"double": 8}
    assert response.json()["status"] == "SUCCEEDED"
    assert response.headers["location"].endswith(response.json()["id"])


def test_a_start_that_has_waited_long_enough_says_that_it_goes_on(here: Served) -> None:
    response = here.ask("POST", f"{API}/executions", 202, json={"definition": MESSAGE, "input": {"id": 1}},
                        params={"wait": "0.05"})  # fmt: skip
    assert response.json()["status"] == "RUNNING"
    assert here.get(response.headers["location"])["status"] == "RUNNING"


def test_an_execution_goes_on_when_the_client_that_waits_for_it_goes_away(here: Served) -> None:
    gate = Gate()
    with here.worker(gate.handlers):
        host, port = here.address.removeprefix("http://").split(":")
        body = b'{"definition": {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": true}}}}'
        with socket.create_connection((host, int(port)), timeout=30) as gone:
            gone.sendall(
                b"POST /api/v1/executions?wait=60 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
            )
            soon(lambda: gate.calls)
        gate.open.set()
        soon(lambda: here.get(f"{API}/executions")["items"][0]["status"] == "SUCCEEDED")


def test_who_waits_for_an_end_is_answered_at_the_end(here: Served) -> None:
    execution = here.start(MESSAGE, {"id": 1})
    assert here.get(f"{API}/executions/{execution.ref}/wait", 202, params={"timeout": "0.05"})["status"] == "RUNNING"
    here.engine.stop(execution)
    assert here.get(f"{API}/executions/{execution.ref}/wait")["status"] == "ABORTED"


def test_an_output_is_had_once_there_is_one(here: Served) -> None:
    running = here.start(MESSAGE, {"id": 1}, "a")
    passing, failing = here.start(PASS, {"x": 1}, "b"), here.start(FAILS, {}, "c")
    assert here.get(f"{API}/executions/{passing.ref}/output") == {"x": 1}
    assert here.get(f"{API}/executions/{running.ref}/output", 409)["code"] == "StillRunning"
    assert here.get(f"{API}/executions/{failing.ref}/output", 409)["code"] == "Conflict"


def test_pages_show_every_execution_once_while_others_are_started(here: Served) -> None:
    refs = {here.start(PASS, {"n": n}).ref for n in range(25)}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = here.get(f"{API}/executions", params={"limit": 10, **({} if cursor is None else {"cursor": cursor})})
        seen += [each["id"] for each in page["items"]]
        here.start(PASS, {"late": len(seen)})
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 25
    assert set(seen) == refs


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["c", "b", "a"]),
        ({"status": "FAILED"}, ["c"]),
        ({"status": ["FAILED", "RUNNING"]}, ["c", "a"]),
        ({"workflow": "w1"}, ["a"]),
        ({"name": "B"}, ["b"]),
        ({"state": "M"}, ["a"]),
        ({"error": "E"}, ["c"]),
        ({"tag": "team=blue"}, ["b"]),
        ({"since": "1h"}, ["c", "b", "a"]),
        ({"until": "2020-01-01T00:00:00Z"}, []),
        ({"sort": "name"}, ["a", "b", "c"]),
        ({"sort": "-ended", "limit": 1}, ["c"]),
    ],
)
def test_filters_choose_executions(on_file: Served, query: dict[str, Any], names: list[str]) -> None:
    on_file.start(MESSAGE, {"id": 1}, "w1", name="a1")
    on_file.start(PASS, {}, "w2", name="b1", tags={"team": "blue"})
    on_file.start(FAILS, {}, "w3", name="c1")
    assert [each["name"][0] for each in on_file.get(f"{API}/executions", params=query)["items"]] == names
    if not {"sort", "limit"} & query.keys():
        assert on_file.get(f"{API}/executions/count", params=query) == {"count": len(names)}


@pytest.mark.parametrize(
    "query",
    [
        {"status": "DONE"}, {"since": "yesterday"}, {"since": "1h", "until": "2h"}, {"tag": "x"}, {"limit": "0"},
        {"limit": "1001"}, {"sort": "size"}, {"cursor": "x"}, {"cursor": "WyJuYW1lIiwxLDJd"}, {"until": "9999999999d"},
    ],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_one_sentence(on_file: Served, query: dict[str, Any]) -> None:
    problem = on_file.get(f"{API}/executions", 400, params=query)
    assert (problem["code"], problem["status"]) == ("UsageError", 400)
    assert "\n" not in problem["detail"]


def test_an_execution_that_waits_says_for_what_and_how_to_move_it(here: Served) -> None:
    execution = here.start(MESSAGE, {"id": "ORD-1"})
    wait = here.get(f"{API}/executions/{execution.ref}")["waits_for"][0]
    assert wait["text"] == "M waits for the message order=ORD-1"
    action = wait["action"]
    assert here.post(action["href"], action["body"])["executions"] == [execution.ref]
    assert here.get(f"{API}/executions/{execution.ref}")["waits_for"] == []


def test_why_tells_the_reason_and_the_request_that_helps(here: Served) -> None:
    execution = here.start(FAILS, {})
    answer = here.get(f"{API}/executions/{execution.ref}/why")
    assert (answer["status"], answer["failure"]["state"]) == ("FAILED", "F")
    waiting = here.start(MESSAGE, {"id": 1}, "other")
    reason = here.get(f"{API}/executions/{waiting.ref}/why")["reasons"][0]
    assert (reason["kind"], reason["action"]["body"]) == ("message", {"key": "order", "value": "1"})


def test_a_stop_ends_it_once(here: Served) -> None:
    execution = here.start(MESSAGE, {"id": 1})
    url = f"{API}/executions/{execution.ref}/stop"
    stopped = here.post(url, {"error": "Enough", "cause": "no more"})
    assert (stopped["status"], stopped["error"], stopped["cause"]) == ("ABORTED", "Enough", "no more")
    assert here.post(url, status=409)["code"] == "Conflict"


def test_a_redrive_goes_on_from_where_it_failed(here: Served) -> None:
    calls: list[Any] = []

    def flaky(input: Any) -> Any:
        calls.append(input)
        if len(calls) == 1:
            raise ValueError("not yet")
        return input

    with here.worker({"work": Handler("work", flaky)}):
        failed = here.post(f"{API}/executions", {"definition": FLAKY, "input": {"a": 1}}, 200, params={"wait": "30s"})
        assert failed["status"] == "FAILED"
        url = f"{API}/executions/{failed['id']}/redrive"
        dry = here.post(url, {"dry_run": True})
        assert (dry["dry_run"], dry["again"]) == (True, [{"state": "T", "type": "Task", "where": []}])
        assert here.post(url)["again"] == dry["again"]
        assert here.get(f"{API}/executions/{failed['id']}/wait")["output"] == {"a": 1}
    assert here.post(url, status=409)["code"] == "Conflict"


def test_many_are_stopped_and_one_that_cannot_holds_up_none(here: Served) -> None:
    refs = [here.start(MESSAGE, {"id": n}, "many").ref for n in range(3)]
    here.start(MESSAGE, {"id": 9}, "other")
    dry = here.post(f"{API}/executions/stop", {"dry_run": True}, params={"workflow": "many"})
    assert (dry["count"], {each["status"] for each in dry["items"]}) == (3, {"RUNNING"})
    done = here.post(f"{API}/executions/stop", params={"workflow": "many"})
    assert sorted(each["id"] for each in done["items"]) == sorted(refs)
    assert {each["status"] for each in done["items"]} == {"ABORTED"}
    assert here.get(f"{API}/executions/count", params={"status": "RUNNING"}) == {"count": 1}
    assert here.post(f"{API}/executions/stop", status=400)["code"] == "UsageError"
    again = here.post(f"{API}/executions/redrive", params={"workflow": "many"})
    assert again["count"] == 3


def test_a_closed_execution_is_deleted_with_its_history(here: Served) -> None:
    execution, running = here.start(PASS), here.start(MESSAGE, {"id": 1}, "other")
    assert here.ask("DELETE", f"{API}/executions/{execution.ref}", 200).json()["deleted"] == [execution.ref]
    assert here.get(f"{API}/executions/{execution.ref}", 404)["code"] == "NotFound"
    assert here.ask("DELETE", f"{API}/executions/{running.ref}", 409).json()["code"] == "Conflict"


def test_an_execution_starts_with_the_output_of_another(here: Served) -> None:
    source = here.start(PASS, {"n": 1}, "a")
    body = {"definition": PASS, "source": source.ref, "transform": "{'m': $states.input.n + 1}"}
    target = here.post(f"{API}/executions", body, 201)
    assert here.get(f"{API}/executions/{target['id']}")["input"] == {"m": 2}
    links = here.get(f"{API}/links", params={"execution": source.ref})["items"]
    assert [each["target"]["id"] for each in links] == [target["id"]]
    assert here.post(f"{API}/executions", {**body, "transform": "}"}, 400)["code"] == "UsageError"


def test_data_that_is_html_stays_data(here: Served) -> None:
    text = "<script>alert(1)</script>"
    document = started(here, MESSAGE, name="html", input={"id": text})
    response = here.ask("GET", f"{API}/executions/{document['id']}", 200)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.json()["input"] == {"id": text}


def together(here: Served, bodies: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    """(status, document) of starts that wait for their turn at the same time."""
    held, gate = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        gate.wait(30)

    holding = threading.Thread(target=here.backend.change_from_thread, args=(hold,))
    holding.start()
    assert held.wait(30)

    def start(body: dict[str, Any]) -> tuple[int, Any]:
        response = here.http.post(f"{API}/executions", json=body)
        return response.status_code, response.json()

    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = [pool.submit(start, body) for body in bodies]
        soon(lambda: len(here.backend._starts) == len(bodies))
        gate.set()
        found = [each.result(60) for each in answers]
    holding.join()
    return found


def test_starts_that_wait_at_the_same_time_share_a_commit(here: Served) -> None:
    before = here.backend.store.commits
    answers = together(here, [{"definition": PASS, "input": {"n": n}} for n in range(12)])
    assert [status for status, _ in answers] == [201] * 12
    assert len({document["id"] for _, document in answers}) == 12
    assert here.backend.store.commits == before + 1
    outputs = [here.get(f"{API}/executions/{document['id']}/output") for _, document in answers]
    assert outputs == [{"n": n} for n in range(12)]


def test_a_start_that_is_refused_is_no_matter_for_those_beside_it(here: Served) -> None:
    started(here, PASS, name="taken")
    bodies: list[dict[str, Any]] = [
        {"definition": PASS, "name": "a"}, {"definition": PASS, "name": "taken"}, {"workflow": "nothing"},
        {"definition": {}}, {"definition": PASS, "source": "nothing"}, {"definition": PASS, "name": "b"},
    ]  # fmt: skip
    answers = together(here, bodies)
    assert [status for status, _ in answers] == [201, 409, 404, 400, 404, 201]
    assert here.get(f"{API}/executions/count") == {"count": 3}


def test_a_bug_of_one_start_is_not_that_of_those_beside_it(on_file: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    start_in = NewExecution.start_in

    def fail(new: NewExecution, *arguments: Any) -> Any:
        if new.name == "bad":
            raise RuntimeError("a bug")
        return start_in(new, *arguments)

    monkeypatch.setattr(NewExecution, "start_in", fail)
    answers = together(on_file, [{"definition": PASS, "name": name} for name in ("a", "bad", "b")])
    assert [status for status, _ in answers] == [201, 500, 201]
    assert on_file.get(f"{API}/executions/count") == {"count": 2}


def test_what_a_request_can_hold_nothing_for_is_not_looked_for() -> None:
    routes = [route for route in api_routes() if isinstance(route, APIRoute)]
    takers = {(*sorted(route.methods or ()), route.path): backend_alone(route) for route in routes}
    assert takers["GET", f"{API}/executions/{{execution}}"] == "backend"
    assert takers["GET", f"{API}/executions"] is None  # filters
    assert takers["GET", f"{API}/executions/{{execution}}/wait"] is None  # a span
    assert takers["POST", f"{API}/executions"] is None  # a body
