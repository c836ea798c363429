"""Messages, waits and callbacks over REST."""

from __future__ import annotations

from typing import Any

from tests.server.serving import MESSAGE, Served

API = "/api/v1"
ASK = {
    "StartAt": "T",
    "States": {
        "T": {
            "Type": "Task", "Resource": "ask.waitForTaskToken", "Parameters": {"token.$": "$$.Task.Token"},
            "HeartbeatSeconds": 600, "End": True,
        }
    },
}  # fmt: skip


def test_the_answer_to_a_message_is_what_became_of_it(here: Served) -> None:
    execution = here.start(MESSAGE, {"id": "ORD-1"})
    wrong_case = here.post(f"{API}/messages", {"key": "order", "value": "ord-1", "require_match": True})
    assert wrong_case["outcome"] == "not_delivered"
    assert wrong_case["near"]
    early = here.post(f"{API}/messages", {"key": "order", "value": "ORD-2", "ttl": 60})
    assert early["outcome"] == "buffered"
    assert early["until"] is not None
    sent = {"key": "order", "value": "ORD-1", "data": {"ok": True}, "message_id": "m1"}
    assert here.post(f"{API}/messages", sent)["executions"] == [execution.ref]
    assert here.get(f"{API}/executions/{execution.ref}/output") == {"id": "ORD-1", "ok": True}
    again = here.post(f"{API}/messages", sent)
    assert (again["outcome"], again["first_message"]["received_by"]) == ("duplicate", 1)
    assert here.post(f"{API}/messages", {**sent, "data": {"ok": False}}, 409)["code"] == "Conflict"


def test_messages_are_listed_in_pages_shown_and_deleted(here: Served) -> None:
    for n in range(5):
        here.post(f"{API}/messages", {"key": "k", "value": n, "data": {"n": n}})
    first = here.get(f"{API}/messages", params={"limit": 3})
    rest = here.get(f"{API}/messages", params={"limit": 3, "cursor": first["next"]})
    assert [each["value"] for each in [*first["items"], *rest["items"]]] == ["4", "3", "2", "1", "0"]
    assert rest["next"] is None
    assert "data" not in first["items"][0]
    url = f"{API}/messages/{first['items'][0]['id']}"
    assert here.get(url)["data"] == {"n": 4}
    here.ask("DELETE", url, 200)
    assert here.get(url, 404)["code"] == "NotFound"
    assert here.get(f"{API}/messages", params={"status": "consumed"})["items"] == []


def test_waits_are_listed_in_pages(here: Served) -> None:
    refs = [here.start(MESSAGE, {"id": n}).ref for n in range(5)]
    first = here.get(f"{API}/waits", params={"limit": 3})
    rest = here.get(f"{API}/waits", params={"limit": 3, "cursor": first["next"]})
    assert [each["execution_id"] for each in [*first["items"], *rest["items"]]] == refs
    one = here.get(f"{API}/waits", params={"key": "order", "value": "3"})["items"]
    assert [each["execution_id"] for each in one] == refs[3:4]
    assert here.get(f"{API}/waits", 400, params={"value": "3"})["code"] == "UsageError"


def asked(here: Served) -> tuple[str, str]:
    """(the id of an execution, the token that it waits for)."""
    execution = here.start(ASK)
    assert here.engine.poll_activity("ask") is not None
    (task,) = here.get(f"{API}/tasks")["items"]
    assert (task["execution_id"], task["state"]) == (execution.ref, "T")
    return execution.ref, task["token"]


def test_a_task_is_ended_with_its_token_once(here: Served) -> None:
    ref, token = asked(here)
    assert here.post(f"{API}/tasks/heartbeat", {"token": token})["id"] == ref
    assert here.post(f"{API}/tasks/success", {"token": token, "output": {"yes": 1}})["status"] == "SUCCEEDED"
    assert here.get(f"{API}/executions/{ref}/output") == {"yes": 1}
    again: Any = here.post(f"{API}/tasks/success", {"token": token}, 409)
    assert again["code"] == "TaskTimedOut"


def test_a_task_fails_with_its_token(here: Served) -> None:
    ref, token = asked(here)
    here.post(f"{API}/tasks/failure", {"token": token, "error": "No", "cause": "said no"})
    assert here.get(f"{API}/executions/{ref}")["error"] == "No"


def test_a_token_that_is_none_is_refused(here: Served) -> None:
    for way in ("success", "failure", "heartbeat"):
        assert here.post(f"{API}/tasks/{way}", {"token": "x"}, 400)["code"] == "UsageError"
