"""Workflows over REST: registered, numbered, compared, named, gone back to, checked."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from tests.server.serving import MESSAGE, PASS, Served, served

API = "/api/v1"
OTHER = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": 1, "End": True}}}
WRONG = {"StartAt": "Q", "States": {"P": {"Type": "Pass", "Nxt": "P", "End": True}}}


def registered(here: Served, definition: Any = PASS, status: int = 201, **more: Any) -> Any:
    return here.ask("POST", f"{API}/workflows", status, json={"name": "order", "definition": definition}, **more)


def test_a_text_is_registered_once(here: Served) -> None:
    first = registered(here)
    assert first.json() == {"workflow": "order", "version": 1, "new": True, "alias": None}
    assert first.headers["location"] == f"{API}/workflows/order/versions/1"
    assert registered(here, status=200).json()["new"] is False
    assert registered(here, OTHER).json()["version"] == 2
    assert [each["version"] for each in here.get(f"{API}/workflows/order/versions")["items"]] == [2, 1]
    assert here.get(f"{API}/workflows")["items"][0]["version_count"] == 2
    assert here.get(first.headers["location"])["definition"] == PASS


def test_a_text_may_be_yaml(on_file: Served) -> None:
    registered(on_file, "StartAt: P\nStates:\n  P: {Type: Pass, End: true}\n")
    assert on_file.get(f"{API}/workflows/order")["format"] == "yaml"


def test_a_text_that_cannot_run_is_refused_with_every_problem(here: Served) -> None:
    problem = registered(here, WRONG, 400).json()
    assert problem["code"] == "InvalidDefinition"
    assert {each["severity"] for each in problem["diagnostics"]} >= {"error"}
    assert all(each["message"] and each["code"].startswith("SM") for each in problem["diagnostics"])
    text = registered(here, '{"StartAt": "Q",\n "States": {}}', 400).json()
    assert text["diagnostics"][0]["line"] in (1, 2)
    assert here.get(f"{API}/workflows")["items"] == []


def test_who_has_the_definition_is_not_sent_it_again(here: Served) -> None:
    tag = registered(here).headers["etag"]
    response = here.ask("GET", f"{API}/workflows/order", 304, headers={"If-None-Match": f'W/"x", {tag}'})
    assert (response.content, response.headers["etag"]) == (b"", tag)
    registered(here, OTHER)
    assert here.ask("GET", f"{API}/workflows/order", 200, headers={"If-None-Match": tag}).headers["etag"] != tag


def test_who_has_seen_another_version_overwrites_nothing(here: Served) -> None:
    tag = registered(here).headers["etag"]
    new = registered(here, OTHER, headers={"If-Match": tag}).headers["etag"]
    assert registered(here, MESSAGE, 412, headers={"If-Match": tag}).json()["code"] == "PreconditionFailed"
    registered(here, MESSAGE, headers={"If-Match": new})
    registered(here, OTHER, 200, headers={"If-Match": "*"})
    told = registered(here, MESSAGE, 412, headers={"If-None-Match": "*"}).json()
    assert told["code"] == "PreconditionFailed" and "If-None-Match" in told["detail"]
    registered(here, MESSAGE, 412, headers={"If-None-Match": new})
    registered(here, OTHER, 200, headers={"If-None-Match": tag})
    here.post(f"{API}/workflows", {"name": "y", "definition": PASS}, 201, headers={"If-None-Match": "*"})
    assert here.post(f"{API}/workflows", {"name": "x", "definition": PASS}, 412, headers={"If-Match": "*"})


def test_of_two_who_have_seen_the_same_version_one_overwrites_it(here: Served) -> None:
    """Each asks another server: what both have read is true of one of them only when it is written."""
    with served(here.url, here.folder) as other:
        for round in range(4):
            first = registered(here, definition_of(f"round {round}")).headers["etag"]
            barrier = threading.Barrier(4)
            statuses: list[int] = []

            def overwrite(server: Served, text: str, tag: str, barrier: threading.Barrier, statuses: list[int]) -> None:
                body = {"name": "order", "definition": definition_of(text)}
                with httpx.Client(base_url=server.address, timeout=60, trust_env=False) as http:
                    barrier.wait(30)
                    statuses.append(http.post(f"{API}/workflows", json=body, headers={"If-Match": tag}).status_code)

            threads = [
                threading.Thread(target=overwrite, args=(server, f"{round} by {n}", first, barrier, statuses))
                for n, server in enumerate((here, other, here, other))
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert sorted(statuses) == [201, 412, 412, 412]
        assert here.get(f"{API}/workflows/order")["version"] == 8


def definition_of(text: str) -> Any:
    return {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": text, "End": True}}}


def test_versions_are_compared(here: Served) -> None:
    registered(here)
    registered(here, OTHER)
    address = f"{API}/workflows/order/diff"
    change = [{"pointer": "/States/P/Result", "before": None, "after": 1}]
    assert here.get(address, params={"before": "1"})["items"] == change
    assert here.get(address) == {"version_before": 1, "version_after": 2, "items": change, "next": None}
    backwards = here.get(address, params={"before": 2, "after": 1})["items"]
    assert backwards == [{"pointer": "/States/P/Result", "before": 1, "after": None}]


def test_a_version_is_compared_with_the_one_before_it_that_there_is(here: Served) -> None:
    address = f"{API}/workflows/order"
    for text in "abcd":
        registered(here, definition_of(text))
    here.ask("PUT", f"{address}/aliases/prod", 200, json={"versions": {"4": 100}})
    here.ask("DELETE", f"{address}/versions/2", 200)
    for after, numbers in (("3", (1, 3)), ("prod", (3, 4)), (None, (3, 4))):
        found = here.get(f"{address}/diff", params={} if after is None else {"after": after})
        assert (found["version_before"], found["version_after"]) == numbers
    problem = here.get(f"{address}/diff", 404, params={"after": "1"})
    assert problem["detail"] == "the workflow order has no version before 1"
    here.get(f"{address}/diff", 404, params={"before": "9"})
    here.post(f"{address}/rollback", {"to": 3})
    assert here.get(f"{address}/diff")["version_after"] == 3, "the current version"


def test_an_alias_means_versions_and_goes_back(here: Served) -> None:
    registered(here)
    registered(here, OTHER)
    url = f"{API}/workflows/order/aliases/prod"
    shares = here.ask("PUT", url, 200, json={"versions": {"2": 90, "1": 10}}).json()
    assert shares["versions"] == {"2": 90, "1": 10}
    assert here.ask("PUT", url, 400, json={"versions": {"2": 90}}).json()["code"] == "UsageError"
    assert here.ask("PUT", url, 404, json={"versions": {"7": 100}}).json()["code"] == "NotFound"
    here.ask("PUT", url, 200, json={"versions": {"2": 100}})
    move = here.post(f"{API}/workflows/order/rollback", {"alias": "prod"})
    assert (move["before"], move["after"]) == ({"2": 100}, {"1": 100})
    assert here.get(f"{API}/workflows/order/versions/prod")["version"] == 1
    assert [each["alias"] for each in here.get(f"{API}/workflows/order/aliases")["items"]] == ["prod"]
    here.ask("DELETE", url, 200)
    assert here.get(f"{API}/workflows/order/versions/prod", 404)["code"] == "NotFound"


def test_what_is_needed_is_not_deleted(here: Served) -> None:
    registered(here, MESSAGE)
    execution = here.post(f"{API}/executions", {"workflow": "order", "input": {"id": 1}}, 201)
    assert here.ask("DELETE", f"{API}/workflows/order", 409).json()["code"] == "Conflict"
    here.post(f"{API}/executions/{execution['id']}/stop")
    assert here.ask("DELETE", f"{API}/workflows/order/versions/1", 200).json()["deleted"] == [1]
    assert here.get(f"{API}/workflows/order", 404)["code"] == "NotFound"


def test_a_definition_is_checked_without_being_kept(here: Served) -> None:
    assert here.post(f"{API}/validate", {"definition": PASS}) == {"valid": True, "diagnostics": []}
    wrong = here.post(f"{API}/validate", {"definition": WRONG})
    assert wrong["valid"] is False
    assert here.post(f"{API}/validate", {"definition": "{"})["valid"] is False
    assert here.get(f"{API}/workflows")["items"] == []


@pytest.mark.parametrize(("format", "begins"), [("mermaid", "flowchart TD"), ("dot", "digraph")])
def test_a_workflow_is_drawn(on_file: Served, format: str, begins: str) -> None:
    registered(on_file)
    drawing = on_file.ask("GET", f"{API}/workflows/order/graph", 200, params={"format": format})
    assert drawing.headers["content-type"].startswith("text/plain")
    assert begins in drawing.text
    assert on_file.get(f"{API}/workflows/order/graph", 400, params={"format": "png"})["code"] == "UsageError"


def test_editors_get_a_schema(on_file: Served) -> None:
    assert "States" in on_file.get(f"{API}/schema")["properties"]
