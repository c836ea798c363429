"""`sm send-message`, `sm messages`, `sm waits`, and `sm run` that meets a Message."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Project, Result, ended

ORDER = """\
StartAt: WaitForPayment
States:
  WaitForPayment:
    Type: Message
    CorrelationKey: orderId
    CorrelationValuePath: $.orderId
    TimeoutSeconds: 3600
    Next: Ship
  Ship: {Type: Task, Resource: ship, ResultPath: $.shipped, End: true}
"""
TWICE = """\
StartAt: First
States:
  First: {Type: Message, CorrelationKey: k, CorrelationValuePath: $.v, Next: Second}
  Second: {Type: Message, CorrelationKey: k, CorrelationValuePath: $.v, End: true}
"""
SHIP = """\
@handler("ship")
def ship(order):
    if order.get("lost"):
        raise TaskError("Lost", "at sea")
    return True
"""
REF = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@pytest.fixture
def order(project: Project) -> Project:
    project.workflow(ORDER)
    project.handlers(SHIP)
    return project


def begun(project: Project, value: str = "ORD-1", name: str | None = None, workflow: str = "order") -> str:
    """A detached execution; its id."""
    named = [] if name is None else ["--name", name]
    result = project.sm("run", workflow, f"{'orderId' if workflow == 'order' else 'v'}={value}", "--detach", *named)
    assert result.code == 0, result.err
    return result.out.strip()


def plain(text: str) -> str:
    return re.sub(r"until [\w ]+ ago", "until THEN", TIME.sub("TIME", REF.sub("ID", text)))


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


# -- send-message ----------------------------------------------------------------------------------


def test_a_message_says_whom_it_was_delivered_to(order: Project) -> None:
    ref = begun(order)
    sent = order.sm("send-message", "orderId=ORD-1", "--data", '{"paid": true}')
    assert (sent.code, sent.out, sent.err) == (0, f"orderId=ORD-1 was delivered to 1 execution: {ref}\n", "")
    assert order.sm("worker", "--once").code == 0
    assert order.sm("output", ref).json == {"orderId": "ORD-1", "paid": True, "shipped": True}


def test_many_receivers_are_counted_and_json_names_them_all(order: Project) -> None:
    refs = [begun(order) for _ in range(7)]
    sent = order.sm("send-message", "orderId=ORD-1")
    assert sent.out == f"orderId=ORD-1 was delivered to 7 executions: {', '.join(refs[:5])} and 2 more\n"
    more = [begun(order) for _ in range(7)]
    answer = order.sm("send-message", "orderId=ORD-1", "--json").json
    assert answer == {
        "outcome": "delivered", "key": "orderId", "value": "ORD-1", "id": 2, "executions": more, "until": None,
        "near": [],
    }  # fmt: skip


def test_a_message_that_nobody_waits_for_is_kept_and_a_near_miss_is_reported(order: Project) -> None:
    begun(order)
    sent = order.sm("send-message", "orderId=ord-1")
    assert (sent.code, plain(sent.out)) == (0, "nobody waits for orderId=ord-1 now; it is kept until TIME\n")
    assert plain(sent.err) == "  execution ID waits for orderId=ORD-1, which differs in case\n"
    answer = order.sm("send-message", "orderId=ORD-2", "--json").json
    assert (answer["outcome"], answer["near"], answer["id"]) == ("buffered", [], 2)
    assert answer["until"].endswith("Z")


@pytest.mark.parametrize("option", [["--require-match"], ["--ttl", "0"], ["--ttl", "0s", "--to", "one"]])
def test_a_message_that_has_to_be_delivered_and_is_not_is_exit_5(order: Project, option: list[str]) -> None:
    begun(order)
    sent = order.sm("send-message", "orderId=Ord-1", *option)
    assert (sent.code, sent.out) == (5, "")
    assert plain(sent.err) == (
        "sm: error: nobody waits for orderId=Ord-1, so nothing was sent\n"
        "  hint: execution ID waits for orderId=ORD-1, which differs in case\n"
    )
    answer = order.sm("send-message", "orderId=Ord-1", *option, "--json")
    assert (answer.code, answer.json["outcome"], answer.json["id"]) == (5, "not_delivered", None)
    assert order.sm("messages", "list", "--json").json == []
    assert order.sm("send-message", "orderId=ORD-1", *option).code == 0


def test_fewer_receivers_than_expected_is_exit_5(order: Project) -> None:
    begun(order)
    sent = order.sm("send-message", "orderId=ORD-1", "--expect", "2", "--message-id", "m")
    assert sent.code == 5
    assert sent.out.startswith("orderId=ORD-1 was delivered to 1 execution")
    assert sent.err == "sm: error: 1 of the 2 executions that were expected received orderId=ORD-1\n"
    again = order.sm("send-message", "orderId=ORD-1", "--expect", "1", "--message-id", "m", "--require-match")
    assert (again.code, again.err) == (0, "")
    assert order.sm("send-message", "orderId=ORD-2", "--expect", "1").code == 5


def test_a_repeat_is_told_what_became_of_the_first(order: Project) -> None:
    ref = begun(order)
    assert order.sm("send-message", "orderId=ORD-1", "--message-id", "m-1").code == 0
    again = order.sm("send-message", "orderId=ORD-1", "--message-id", "m-1")
    assert again.code == 0
    assert plain(again.out) == ("orderId=ORD-1 repeats message 1, which was sent TIME and was received by ID at TIME\n")
    answer = order.sm("send-message", "orderId=ORD-1", "--message-id", "m-1", "--json").json
    assert (answer["outcome"], answer["executions"], answer["first_message"]["status"]) == (
        "duplicate",
        [ref],
        "consumed",
    )
    order.sm("send-message", "orderId=ORD-2", "--message-id", "m-2")
    kept = order.sm("send-message", "orderId=ORD-2", "--message-id", "m-2")
    assert plain(kept.out) == "orderId=ORD-2 repeats message 2, which was sent TIME and is kept until TIME\n"
    required = order.sm("send-message", "orderId=ORD-2", "--message-id", "m-2", "--require-match")
    assert required.code == 5
    assert required.err == "sm: error: nobody has received message 2, which orderId=ORD-2 repeats\n"


@pytest.mark.parametrize(
    ("waits_for", "sent", "strict", "matches"),
    [
        ("7", "7", True, True), ("7", '"7"', False, True), ("7", '"7"', True, False), ('"7"', "7", True, False),
        ('"7"', "7", False, True), ("true", "true", True, True), ("1.50", "1.5", True, True),
        ('"12e45"', "12e45", True, True), ('"007"', "007", True, True), ('"null"', "null", True, True),
        ('"1234567890123456789012345"', "1234567890123456789012345", True, True), ('"[1]"', "[1]", True, True),
        ('"a=b c"', "a=b c", True, True), ('""', "", True, True),
    ],
)  # fmt: skip
def test_a_value_is_text_unless_it_is_how_json_writes_a_scalar(
    order: Project, waits_for: str, sent: str, strict: bool, matches: bool
) -> None:
    begun(order, waits_for)
    options = ["--strict-type"] if strict else []
    assert order.sm("send-message", f"orderId={sent}", "--require-match", *options).code == (0 if matches else 5)


def test_only_one_or_a_named_execution_may_receive_a_message(order: Project) -> None:
    refs = [begun(order, name=f"o{n}") for n in range(3)]
    assert refs[0] in order.sm("send-message", "orderId=ORD-1", "--to", "one").out
    assert refs[2] in order.sm("send-message", "orderId=ORD-1", "--execution", "o2").out
    assert order.sm("send-message", "orderId=ORD-1", "--execution", "o9").code == 3
    order.sm("stop", "o1")
    stopped = order.sm("send-message", "orderId=ORD-1", "--execution", "o1")
    assert (stopped.code, stopped.err) == (4, "sm: error: execution o1 is ABORTED already\n")


def test_wait_shows_how_those_who_received_it_ended(order: Project) -> None:
    order.workflow(TWICE, "twice.yaml")
    refs = [begun(order, name="good"), begun(order, name="bad")]
    again = begun(order, "x", "again", "twice")
    worker = order.start("worker")
    done = order.process("send-message", "orderId=ORD-1", "--data", '{"lost": false}', "--to", "one", "--wait")
    assert done.code == 0, done.err
    assert re.sub(" {2,}", "  ", plain(done.out)) == (
        "orderId=ORD-1 was delivered to 1 execution: ID\nID  NAME  WORKFLOW  STATUS\nID  good  order  SUCCEEDED\n"
    )
    lost = order.process("send-message", "orderId=ORD-1", "--data", '{"lost": true}', "--wait", "--json")
    assert lost.code == 1
    assert [(end["id"], end["status"], end["error"]) for end in lost.json["ends"]] == [(refs[1], "FAILED", "Lost")]
    waits = order.process("send-message", "k=x", "--wait")
    assert waits.code == 0
    assert "RUNNING  waits for k=x" in re.sub(" {2,}", "  ", waits.out)
    assert again in waits.out
    worker.terminate()
    ended(worker)


def test_who_waits_for_a_worker_that_is_not_there_is_reported(order: Project) -> None:
    begun(order, name="one")
    waiting = order.start("send-message", "orderId=ORD-1", "--wait")
    assert waiting.stderr is not None
    assert waiting.stderr.readline() == "execution one needs a worker to go on, and none is running: sm worker\n"
    assert order.process("worker", "--once").code == 0
    assert ended(waiting).code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["orderId"], "'orderId' is not KEY=VALUE"),
        (["=x"], "'=x' is not KEY=VALUE"),
        (["k=v", "--ttl", "soon"], "--ttl takes seconds or a span like"),
        (["k=v", "--ttl", "999999999d"], "--ttl takes at most 10000000000 seconds"),
        (["k=v", "--to", "some"], "--to takes all or one, not 'some'"),
        (["k=v", "--expect", "0"], "--expect takes a whole number from 1 on, not '0'"),
        (["k=v", "--message-id", ""], "a message id has 1 to 1000 characters"),
        (["k=v", "--data", "{"], "--data is not JSON"),
        (["k=\udc80"], "is not text that UTF-8 can hold"),
    ],
)
def test_a_message_that_cannot_be_sent_is_a_sentence(project: Project, arguments: list[str], sentence: str) -> None:
    project.database()
    result = project.sm("send-message", *arguments)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err


def test_a_large_message_gets_a_warning(order: Project) -> None:
    order.database()
    sent = order.sm("send-message", "orderId=ORD-1", "--data", "-", stdin='"' + "x" * 262_144 + '"')
    assert sent.code == 0
    assert sent.err == "sm: warning: the message has 262,146 bytes; AWS takes at most 262,144\n"


def test_verbose_logs_what_became_of_the_message(order: Project) -> None:
    begun(order)
    sent = order.sm("send-message", "orderId=ord-1", "-v", "--log-format", "json")
    assert '"message": "message 1 orderId=ord-1: buffered"' in sent.err


# -- messages --------------------------------------------------------------------------------------


@pytest.fixture
def mail(order: Project) -> Project:
    """A consumed message, a buffered one, an expired one."""
    begun(order, name="one")
    order.sm("send-message", "orderId=ORD-1", "--message-id", "paid-1", "--data", '{"paid": true}')
    order.sm("send-message", "orderId=42", "--strict-type", "--message-id", "7")
    order.sm("send-message", "other=ORD-1", "--ttl", "0.001")
    until(lambda: order.sm("messages", "show", "3", "--json").json["status"] == "expired")
    return order


def test_messages_are_listed_newest_first_with_what_became_of_them(mail: Project) -> None:
    listed = mail.sm("messages", "list")
    assert [re.split(" {2,}", line) for line in plain(listed.out).splitlines()] == [
        ["ID", "KEY", "VALUE", "STATUS", "SENT", "EXPIRES", "RECEIVED BY", "MESSAGE ID"],
        ["3", "other", "ORD-1", "expired", "TIME", "TIME"],
        ["2", "orderId", "42", "buffered", "TIME", "TIME", "7"],
        ["1", "orderId", "ORD-1", "consumed", "TIME", "1", "paid-1"],
    ]

    def ids(*options: str) -> list[int]:
        return [row["id"] for row in mail.sm("messages", "list", "--json", *options).json]

    assert ids("--key", "orderId") == [2, 1]
    assert ids("--key", "orderId", "--value", "42") == [2]
    assert ids("--status", "EXPIRED") == [3]
    assert ids("--limit", "2") == [3, 2]
    assert mail.sm("messages", "list", "--key", "none").err == "there is no such message\n"
    assert mail.sm("messages", "list", "--value", "42").code == 2
    assert "--status takes buffered, consumed or expired" in mail.sm("messages", "list", "--status", "x").err


def test_a_message_is_shown_with_its_data_and_its_receivers(mail: Project) -> None:
    shown = mail.sm("messages", "show", "paid-1")
    assert plain(shown.out) == (
        "id          1\nkey         orderId\nvalue       ORD-1\nmessage id  paid-1\nsent        TIME\n"
        'status      consumed\n            was received by ID at TIME\ndata        {"paid":true}\n'
    )
    document = mail.sm("messages", "show", "2", "-o", "json").json
    assert {name: document[name] for name in ("type", "strict_type", "status", "received_by", "executions")} == {
        "type": "number", "strict_type": True, "status": "buffered", "received_by": 0, "executions": [],
    }  # fmt: skip
    assert "strict      only for a wait whose value is a number\n" in mail.sm("messages", "show", "2").out
    assert "expired at TIME and was received by nobody" in plain(mail.sm("messages", "show", "3").out)
    assert mail.sm("messages", "show", "7").out.startswith("id          2\n")
    missing = mail.sm("messages", "show", "99")
    assert (missing.code, missing.err.splitlines()[0]) == (3, "sm: error: there is no message '99'")


def test_an_id_of_several_messages_has_to_be_told_apart(mail: Project) -> None:
    mail.sm("send-message", "orderId=ORD-9", "--message-id", "paid-1")
    result = mail.sm("messages", "show", "paid-1")
    assert result.code == 4
    assert "4 (orderId=ORD-9), 1 (orderId=ORD-1); name one by its number" in result.err


def test_a_message_can_be_deleted_until_somebody_has_received_it(mail: Project) -> None:
    assert mail.sm("messages", "delete", "2").err == "message 2 orderId=42 is deleted\n"
    assert mail.sm("messages", "delete", "2").code == 3
    refused = mail.sm("messages", "delete", "paid-1")
    assert (refused.code, refused.err) == (
        4, "sm: error: message 1 was received already; it is kept so that a repeat is known\n",
    )  # fmt: skip


def test_a_message_says_what_it_came_too_late_for(order: Project) -> None:
    begun(order, name="one")
    order.sm("stop", "one")
    sent = order.sm("send-message", "orderId=ORD-1")
    assert plain(sent.err) == "  execution ID waited for orderId=ORD-1 until THEN: it was closed\n"
    assert "too late    it came too late for execution ID, whose wait ended at TIME: it was closed" in plain(
        order.sm("messages", "show", "1").out
    )
    (late,) = order.sm("messages", "show", "1", "--json").json["too_late_for"]
    assert late["how"] == "aborted"


# -- waits -----------------------------------------------------------------------------------------


def test_waits_are_listed_with_their_execution_and_deadline(order: Project) -> None:
    order.workflow(TWICE, "twice.yaml")
    assert order.sm("waits").code == 7
    first, second = begun(order, name="one"), begun(order, "7", workflow="order")
    third = begun(order, "x", workflow="twice")
    table = plain(order.sm("waits").out).splitlines()
    assert [re.split(" {2,}", line) for line in table] == [
        ["KEY", "VALUE", "ID", "NAME", "WORKFLOW", "STATE", "SINCE", "UNTIL"],
        ["orderId", "ORD-1", "ID", "one", "order", "WaitForPayment", "TIME", "TIME"],
        ["orderId", "7", "ID", "order", "WaitForPayment", "TIME", "TIME"],
        ["k", "x", "ID", "twice", "First", "TIME"],
    ]

    def refs(*options: str) -> list[str]:
        return [row["execution_id"] for row in order.sm("waits", "--json", *options).json]

    assert refs() == [first, second, third]
    assert refs("--limit", "2") == [first, second]
    assert refs("--key", "orderId", "--value", "7") == [second]
    assert refs("--workflow", "twice") == [third]
    wait: dict[str, Any] = order.sm("waits", "--json", "--key", "k").json[0]
    assert (wait["type"], wait["deadline"], wait["state"]) == ("string", None, "First")
    assert order.sm("waits", "--key", "none").err == "no execution waits for that\n"
    assert order.sm("waits", "--value", "7").code == 2


# -- run -------------------------------------------------------------------------------------------


def test_run_leaves_an_execution_that_only_a_message_can_move(order: Project) -> None:
    left = order.sm("run", "order", "orderId=ORD 1", "--name", "one", "--detach-on-wait")
    assert left.code == 6
    assert plain(left.out) == "ID\n"
    assert plain(left.err) == (
        "execution one waits for the message orderId=ORD 1 until TIME: sm send-message 'orderId=ORD 1'\n"
    )
    assert order.sm("send-message", "orderId=ORD 1").code == 0
    assert order.sm("worker", "--once").code == 0
    assert order.sm("output", "one").json == {"orderId": "ORD 1", "shipped": True}


def test_run_does_not_leave_an_execution_that_needs_no_message(order: Project) -> None:
    order.workflow(
        "StartAt: A\nStates:\n  A: {Type: Wait, Seconds: 1, Next: B}\n  B: {Type: Task, Resource: ship, End: true}\n",
        "other.yaml",
    )
    done = order.sm("run", "other", "--detach-on-wait")
    assert (done.code, done.json) == (0, True)


def test_run_goes_on_when_another_process_sends_the_message(order: Project) -> None:
    running = order.start("run", "order", "orderId=ORD-1", "-v")
    assert running.stderr is not None
    line = running.stderr.readline()
    while "waits for a message" not in line:
        line = running.stderr.readline()
    assert "send it with: sm send-message orderId=ORD-1" in line
    assert order.process("send-message", "orderId=ORD-1", "--require-match").code == 0
    done: Result = ended(running)
    assert (done.code, done.json) == (0, {"orderId": "ORD-1", "shipped": True})
