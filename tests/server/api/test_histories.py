"""Histories over REST: states, events, and events as they come."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.engine.workers import soon
from tests.server.serving import MESSAGE, PASS, Served

API = "/api/v1"
CHAIN = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "M"}, "M": MESSAGE["States"]["M"]}}  # type: ignore[index]


@contextmanager
def following(here: Served, ref: str, **headers: str) -> Iterator[Iterator[dict[str, str]]]:
    """The events of a stream, as they come."""
    url = f"{API}/executions/{ref}/events/stream"
    with here.http.stream("GET", url, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield events_in(response)


def events_in(response: httpx.Response) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in response.iter_lines():
        if not line and event:
            yield event
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def test_states_are_those_of_the_history(here: Served) -> None:
    execution = here.start(CHAIN, {"id": 1})
    document = here.get(f"{API}/executions/{execution.ref}/history")
    assert [(each["name"], each["status"]) for each in document["states"]] == [("A", "SUCCEEDED"), ("M", "RUNNING")]
    assert document["states"][0]["input"] == {"id": 1}
    only = here.get(f"{API}/executions/{execution.ref}/history", params={"state": "M", "data": False})["states"]
    assert [(each["name"], each["input"]) for each in only] == [("M", None)]


def test_events_come_in_pages_and_are_aws_s(here: Served) -> None:
    execution = here.start(CHAIN, {"id": 1})
    url, seen, after = f"{API}/executions/{execution.ref}/events", [], 0
    while after is not None:
        page = here.get(url, params={"after": after, "limit": 2})
        seen += page["events"]
        after = page["next"]
    assert [each["id"] for each in seen] == list(range(1, execution.events + 1))
    assert seen[0]["type"] == "ExecutionStarted"
    assert here.get(url, params={"since": "2100-01-01T00:00:00Z"})["events"] == []


def test_a_follower_gets_what_was_and_what_comes_and_the_end(here: Served) -> None:
    execution = here.start(CHAIN, {"id": 1})
    with following(here, execution.ref) as events:
        before = [next(events) for _ in range(execution.events)]
        here.engine.publish("order", 1)
        rest = [*events]
    numbers = [int(each["id"]) for each in [*before, *rest[:-1]]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert json.loads(rest[-2]["data"])["type"] == "ExecutionSucceeded"
    assert rest[-1]["event"] == "end"
    assert json.loads(rest[-1]["data"])["status"] == "SUCCEEDED"


@pytest.mark.parametrize("seen", [0, 2, 3])
def test_a_follower_that_lost_the_line_goes_on_where_it_was(here: Served, seen: int) -> None:
    execution = here.start(PASS)
    with following(here, execution.ref, **{"Last-Event-ID": str(seen)}) as events:
        numbers = [int(each["id"]) for each in events if each["event"] == "history"]
    assert numbers == list(range(seen + 1, execution.events + 1))


def test_many_followers_all_hear_everything_in_order(here: Served) -> None:
    execution = here.start(CHAIN, {"id": 1})
    heard: list[list[int]] = []

    def follow() -> None:
        with following(here, execution.ref) as events:
            heard.append([int(each["id"]) for each in events if each["event"] == "history"])

    threads = [threading.Thread(target=follow) for _ in range(20)]
    for thread in threads:
        thread.start()
    soon(lambda: here.backend.feed.followers == 20)
    here.engine.publish("order", 1)
    for thread in threads:
        thread.join()
    assert len(heard) == 20
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in heard)
    assert len({len(numbers) for numbers in heard}) == 1
    soon(lambda: here.backend.feed.followers == 0)


def test_a_follower_that_goes_away_is_forgotten(here: Served) -> None:
    execution = here.start(CHAIN, {"id": 1})
    with following(here, execution.ref) as events:
        next(events)
        soon(lambda: here.backend.feed.followers == 1)
    here.engine.publish("order", 1)
    soon(lambda: here.backend.feed.followers == 0)


@pytest.mark.parametrize("id", ["x", "-1", "9" * 20])
def test_a_last_event_id_that_is_none_is_refused(on_file: Served, id: str) -> None:
    execution = on_file.start(PASS)
    url = f"{API}/executions/{execution.ref}/events/stream"
    assert on_file.get(url, 400, headers={"Last-Event-ID": id})["code"] == "UsageError"


def test_an_unknown_execution_has_no_history(on_file: Served) -> None:
    for path in ("history", "events", "events/stream", "output", "why", "wait"):
        problem: Any = on_file.get(f"{API}/executions/nothing/{path}", 404)
        assert problem["code"] == "NotFound"
