"""Messages and waits as documents: filters, cursors, kinds, what came too late."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sm_cli.errors import Conflict, NotFound
from sm_cli.store.messages import Late, MessageFilter, MessageStatus, OpenWait, Subscription, WaitFilter
from sm_cli.views.messages import (
    find_message,
    list_messages,
    list_waits,
    message_document,
    message_refs,
    wait_document,
)
from tests.store.samples import SECOND, T0, frame, message, subscription
from tests.views.rows import Rows

HOUR = 3600 * SECOND


@pytest.fixture
def rows() -> Rows:
    """Messages 1 to 4: buffered for A, B and A; the last one consumed. Waits of two executions."""
    made = Rows()
    made.execution(1)
    made.execution(2, workflow="billing")
    made.put(new_messages=[
        message(1, value="A", message_id="m-1"),
        message(2, value="B", message_id="m-1"),
        message(3, value="A", expires=T0 + SECOND),
        message(4, value="A", key="other", status=MessageStatus.CONSUMED, consumed=T0 + 1, count=1, receivers=(1,)),
    ])  # fmt: skip
    made.put(
        new_frames=[frame(11, state="Wait"), frame(12, state="Pay"), frame(21, execution=2, state="Wait")],
        new_subscriptions=[
            subscription(11, value="A"),
            subscription(12, T0 + 1, key="paid", value="7", kind="n"),
            subscription(21, T0 + 2, value="B", execution=2),
        ],
    )
    return made


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (MessageFilter(T0), [4, 3, 2, 1]),
        (MessageFilter(T0, limit=1), [4]),
        (MessageFilter(T0, limit=2, before_id=3), [2, 1]),
        (MessageFilter(T0, before_id=1), []),
        (MessageFilter(T0, key="other"), [4]),
        (MessageFilter(T0, key="OTHER"), []),
        (MessageFilter(T0, key="orderId", value="A"), [3, 1]),
        (MessageFilter(T0, status=MessageStatus.BUFFERED), [3, 2, 1]),
        (MessageFilter(T0, status=MessageStatus.CONSUMED), [4]),
        (MessageFilter(T0, status=MessageStatus.EXPIRED), []),
        (MessageFilter(T0 + SECOND, status=MessageStatus.EXPIRED), [3]),
        (MessageFilter(T0 + SECOND, status=MessageStatus.BUFFERED), [2, 1]),
        (MessageFilter(T0 + HOUR, status=MessageStatus.EXPIRED), [3, 2, 1]),
    ],
)
def test_messages_are_listed_newest_first_as_they_are_at_that_time(
    rows: Rows, wanted: MessageFilter, ids: list[int]
) -> None:
    found = list_messages(rows.engine, wanted)
    assert [m.id for m in found] == ids
    assert [m.body for m in found] == [None] * len(ids)


@pytest.mark.parametrize(
    ("wanted", "frames"),
    [
        (WaitFilter(), [11, 12, 21]),
        (WaitFilter("orderId"), [11, 21]),
        (WaitFilter("orderId", "B"), [21]),
        (WaitFilter("paid", "7"), [12]),
        (WaitFilter(workflow="billing"), [21]),
        (WaitFilter("paid", workflow="billing"), []),
        (WaitFilter(limit=1), [11]),
        (WaitFilter(limit=2, after=11), [12, 21]),
        (WaitFilter(after=21), []),
    ],
)
def test_open_waits_are_listed_oldest_first(rows: Rows, wanted: WaitFilter, frames: list[int]) -> None:
    assert [wait.subscription.frame for wait in list_waits(rows.store, wanted)] == frames


@pytest.mark.parametrize("text", ["1", "01"])
def test_a_number_is_a_message_s_own(rows: Rows, text: str) -> None:
    assert find_message(rows.engine, text).id == 1


def test_a_sender_s_id_that_is_a_number_is_found_where_no_message_has_that_number(rows: Rows) -> None:
    rows.put(new_messages=[message(5, message_id="99"), message(6, message_id="1")])
    assert find_message(rows.engine, "99").id == 5
    assert find_message(rows.engine, "1").id == 1, "its own number goes first"


@pytest.mark.parametrize("text", ["9", "m-9", "", "-1", "1.0", "٣", "9" * 19, "9" * 400, "m-1 "])
def test_a_message_that_there_is_not_is_not_found(rows: Rows, text: str) -> None:
    with pytest.raises(NotFound) as missing:
        find_message(rows.engine, text)
    assert (missing.value.topic, repr(text) in missing.value.message) == ("message", True)


def test_an_id_that_several_messages_have_names_them(rows: Rows) -> None:
    with pytest.raises(Conflict) as several:
        find_message(rows.engine, "m-1")
    assert "2 (orderId=B), 1 (orderId=A); name one by its number" in several.value.message


def test_of_very_many_messages_with_one_id_a_few_are_named(rows: Rows) -> None:
    rows.put(new_messages=[message(10 + n, value=f"V{n}", message_id="same") for n in range(8)])
    with pytest.raises(Conflict) as several:
        find_message(rows.engine, "same")
    assert several.value.message.count("orderId=V") == 5


def test_a_buffered_message_is_a_document(rows: Rows) -> None:
    assert message_document(rows.engine, find_message(rows.engine, "1")) == {
        "id": 1, "key": "orderId", "value": "A", "type": "string", "strict_type": False, "message_id": "m-1",
        "status": "buffered", "sent": "2026-01-01T00:00:00.000Z", "expires": "2026-01-01T01:00:00.000Z",
        "received": None, "received_by": 0, "executions": [], "execution_id": None, "too_late_for": [],
        "data": {"n": 1},
    }  # fmt: skip


def test_a_message_is_expired_as_soon_as_its_time_is_up(rows: Rows) -> None:
    def status() -> Any:
        return message_document(rows.engine, find_message(rows.engine, "3"))["status"]

    rows.clock.advance_to(T0 + SECOND - 1)
    assert status() == "buffered"
    rows.clock.advance_to(T0 + SECOND)
    assert status() == "expired"


def test_a_received_message_names_who_received_it_and_who_it_came_too_late_for(rows: Rows) -> None:
    sent = message(
        9, kind="n", strict=True, execution=2, status=MessageStatus.CONSUMED, consumed=T0 + SECOND, count=3,
        receivers=(1, 2, 77), late=(Late(2, T0, "timeout"), Late(78, T0 + SECOND, "aborted")),
    )  # fmt: skip
    document = message_document(rows.engine, sent)
    assert {name: document[name] for name in ("type", "strict_type", "status", "received", "received_by")} == {
        "type": "number", "strict_type": True, "status": "consumed", "received": "2026-01-01T00:00:01.000Z",
        "received_by": 3,
    }  # fmt: skip
    assert document["executions"] == ["ref-000001", "ref-000002", None], "one that is gone has no id any more"
    assert document["execution_id"] == "ref-000002"
    assert document["too_late_for"] == [
        {"execution_id": "ref-000002", "ended": "2026-01-01T00:00:00.000Z", "how": "timeout"},
        {"execution_id": None, "ended": "2026-01-01T00:00:01.000Z", "how": "aborted"},
    ]
    assert message_refs(rows.engine, sent) == {1: "ref-000001", 2: "ref-000002"}
    assert message_refs(rows.engine, message(10)) == {}


@pytest.mark.parametrize(("kind", "type"), [("s", "string"), ("n", "number"), ("b", "boolean")])
@pytest.mark.parametrize(("deadline", "text"), [(None, None), (T0 + 90 * SECOND, "2026-01-01T00:01:30.000Z")])
def test_a_wait_is_a_document(kind: str, type: str, deadline: int | None, text: str | None) -> None:
    open_wait = Subscription(1, 11, 1, "k", "v", T0, deadline, kind)
    assert wait_document(OpenWait(open_wait, "ref-000001", "name-1", "order", "Wait")) == {
        "key": "k", "value": "v", "type": type, "execution_id": "ref-000001", "execution_name": "name-1",
        "workflow": "order", "state": "Wait", "since": "2026-01-01T00:00:00.000Z", "deadline": text,
    }  # fmt: skip


def test_a_message_s_own_record_is_left_as_it_is(rows: Rows) -> None:
    found = find_message(rows.engine, "3")
    rows.clock.advance_to(T0 + HOUR)
    before = replace(found)
    message_document(rows.engine, found)
    assert found == before
