"""The contract of messages and waits, kept by every store: near misses, expiry, forgetting, waking."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.frame import FrameStatus, Opens
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import Json, folded_text
from sm_cli.store.messages import (
    MESSAGES_KEPT,
    WAITS_KEPT,
    Consumed,
    Late,
    MessageFilter,
    MessageStatus,
    PastWait,
    Stale,
    Subscription,
    WaitEnd,
    WaitFilter,
    WaitPlace,
)
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status, Waking
from tests.store.asking import asked
from tests.store.samples import SECOND, T0, apply, execution, frame, job, message, subscription, timer

HOUR = 3600 * SECOND


def stale(store: Store, now: int, limit: int = 10) -> Stale:
    with store.write() as tx:
        return tx.stale(now, limit)


# Open waits


def test_a_subscription_knows_the_json_type_of_its_value(store: Store) -> None:
    text, number = subscription(1, value="7"), subscription(2, T0 + 1, value="7", kind="n")
    apply(store, new_subscriptions=[text, number])
    with store.write() as tx:
        assert tx.subscriptions("orderId", "7") == [text, number]
        assert tx.subscriptions("orderId", "7", kind="n") == [number]
        assert tx.subscriptions("orderId", "7", limit=1) == [text]
        assert tx.subscriptions("orderId", "7", kind="n", limit=1) == [number]
        assert tx.subscriptions("orderId", "7", kind="b") == []
        assert tx.subscriptions_of(1) == [text, number]


def test_waits_for_nearly_the_same_value_are_found(store: Store) -> None:
    values = ["ORD-1", "ord-1", " Ord - 1", "ORD-2", "straße", "STRASSE"]
    apply(store, new_subscriptions=[subscription(i, value=value) for i, value in enumerate(values, 1)])
    apply(store, new_subscriptions=[subscription(9, key="other", value="ord-1")])

    def near(value: str, limit: int = 9) -> list[int]:
        with store.write() as tx:
            return [s.frame for s in tx.near_subscriptions("orderId", folded_text(value), limit)]

    assert near("OrD-1 ") == [1, 2, 3]
    assert near("OrD-1 ", limit=2) == [1, 2]
    assert near("Strasse") == [5, 6]
    assert near("ORD-3") == []
    apply(store, subscriptions_gone=[1, 2])
    assert near("ord-1") == [3]


def test_open_waits_come_with_the_execution_and_the_state(store: Store) -> None:
    apply(
        store,
        new_executions=[execution(1), execution(2, workflow="other"), execution(3, status=Status.FAILED)],
        new_frames=[frame(4), frame(5, 2, state="B"), frame(6, 3), frame(7, 1, parent=4)],
        new_subscriptions=[
            subscription(5, T0, execution=2), subscription(4, T0 + 9), subscription(6, value="7", execution=3),
            subscription(7, T0 + 3, key="k"),
        ],
    )  # fmt: skip

    def waits(**wanted: Any) -> list[int]:
        return [w.subscription.frame for w in asked(store).open_waits(WaitFilter(**wanted))]

    first = asked(store).open_waits(WaitFilter(limit=1))[0]
    assert first == (subscription(4, T0 + 9), "ref-000001", "name-1", "order", "A")
    assert waits() == [4, 5, 6, 7]
    assert waits(limit=2) == [4, 5]
    assert waits(limit=2, after=5) == [6, 7]
    assert waits(key="orderId") == [5, 4, 6]
    assert waits(key="orderId", value='"A"') == [5, 4]
    assert waits(key="orderId", value="8") == []
    assert waits(workflow="other") == [5]
    assert waits(workflow="order") == [4, 7]
    assert waits(workflow="order", key="k") == [7]
    assert waits(workflow="order", key="orderId", value="7") == []
    filters: list[dict[str, Any]] = [{}, {"key": "orderId"}, {"key": "orderId", "value": '"A"'}, {"workflow": "order"}]
    for filter in filters:
        assert pages(store, **filter) == waits(**filter), "page by page as at once"


def pages(store: Store, **filter: Any) -> list[int]:
    """The frames of open waits, one a page."""
    frames: list[int] = []
    place: WaitPlace | None = None
    while page := asked(store).open_waits(WaitFilter(**filter, limit=1, place=place)):
        s = page[0].subscription
        frames.append(s.frame)
        place = WaitPlace(s.execution, s.frame, s.value, s.since)
    return frames


# Waits that ended


def test_an_ended_wait_is_remembered_with_what_it_waited_for(store: Store) -> None:
    apply(store, new_subscriptions=[subscription(1, value="ORD-1"), subscription(2, value="Ord-1", execution=2)])
    apply(store, subscriptions_gone=[1], waits_ended=[WaitEnd(1, T0 + 1, "message")])
    apply(store, subscriptions_gone=[2, 3], waits_ended=[WaitEnd(2, T0 + 2, "timeout"), WaitEnd(3, T0, "aborted")])
    with store.write() as tx:
        first = PastWait(1, 1, 1, "orderId", "ORD-1", T0 + 1, "message")
        second = PastWait(2, 2, 1, "orderId", "Ord-1", T0 + 2, "timeout")
        assert tx.past_waits("orderId", "ord-1", 9) == [second, first]
        assert tx.past_waits("orderId", "ord-1", 1) == [second]
        assert tx.past_waits("orderid", "ord-1", 9) == []
        assert tx.subscriptions("orderId", "ORD-1") == []


def test_a_wait_that_goes_without_a_word_is_not_remembered(store: Store) -> None:
    apply(store, new_subscriptions=[subscription(1, value="A")])
    apply(store, subscriptions_gone=[1])
    with store.write() as tx:
        assert tx.past_waits("orderId", "a", 9) == []


def test_past_waits_are_forgotten_oldest_first_and_a_few_at_a_time(store: Store) -> None:
    apply(store, new_subscriptions=[subscription(n) for n in (1, 2, 3)])
    ends = [WaitEnd(3, T0, "timeout"), WaitEnd(1, T0 + 1, "timeout"), WaitEnd(2, T0 + 2, "timeout")]
    apply(store, subscriptions_gone=[1, 2, 3], waits_ended=ends)
    assert stale(store, T0 + WAITS_KEPT).waits == []
    assert [w.frame for w in stale(store, T0 + WAITS_KEPT + 2).waits] == [3, 1]
    assert [w.frame for w in stale(store, T0 + WAITS_KEPT + 9, limit=1).waits] == [3]
    apply(store, waits_forgotten=stale(store, T0 + WAITS_KEPT + 2).waits)
    assert [w.frame for w in stale(store, T0 + 2 * WAITS_KEPT).waits] == [2]
    with store.write() as tx:
        assert [w.frame for w in tx.past_waits("orderId", '"a"', 9)] == [2]


# Messages


def test_a_message_with_everything_comes_back_as_it_was(store: Store) -> None:
    given = message(
        1, message_id="m", kind="n", strict=True, execution=4, consumed=T0 + 3, count=700, later=200,
        status=MessageStatus.CONSUMED, receivers=(4, 5), late=(Late(7, T0, "timeout"), Late(8, T0 + 1, "aborted")),
        body=["x" * 5000, None],
    )  # fmt: skip
    apply(store, new_messages=[given])
    assert asked(store).message(1) == given
    assert asked(store).message(2) is None
    assert asked(store).find_messages("m") == [given]
    with store.write() as tx:
        assert tx.message(1) == given


def test_a_strict_message_is_for_its_own_type_and_an_addressed_one_for_its_execution(store: Store) -> None:
    apply(store, new_messages=[message(1, kind="n", strict=True), message(2, execution=7)])

    def oldest(**wanted: Any) -> int | None:
        with store.write() as tx:
            found = tx.buffered_message("orderId", '"A"', T0, **wanted)
            return None if found is None else found.id

    assert oldest(kind="n", execution=7) == 1
    assert oldest(kind="s", execution=7) == 2
    assert oldest(kind="s", execution=8) is None
    assert oldest(kind="s") is None


def test_messages_are_listed_newest_first_and_without_bodies(store: Store) -> None:
    apply(
        store,
        new_messages=[
            message(1, value="A"), message(2, value="a", expires=T0 + 5), message(3, value="A", key="k"),
            message(4, value="A", status=MessageStatus.CONSUMED), message(5, status=MessageStatus.EXPIRED),
        ],
    )  # fmt: skip

    def ids(now: int = T0, **wanted: Any) -> list[int]:
        return [m.id for m in asked(store).list_messages(MessageFilter(now, **wanted))]

    assert ids() == [5, 4, 3, 2, 1]
    assert {m.body for m in asked(store).list_messages(MessageFilter(T0))} == {None}
    assert ids(limit=2) == [5, 4]
    assert ids(limit=2, before_id=4) == [3, 2]
    assert ids(key="orderId") == [5, 4, 2, 1]
    assert ids(key="orderId", value="A") == [4, 1]
    assert ids(status=MessageStatus.BUFFERED) == [3, 2, 1]
    assert ids(T0 + 5, status=MessageStatus.BUFFERED) == [3, 1]
    assert ids(T0 + 5, status=MessageStatus.EXPIRED) == [5, 2]
    assert ids(status=MessageStatus.CONSUMED, key="orderId", value="A") == [4]
    assert [m.id for m in asked(store).near_messages("orderId", "a", 9)] == [4, 2, 1]
    assert [m.id for m in asked(store).near_messages("orderId", "a", 1)] == [4]


def test_a_message_expires_at_its_time_and_is_marked_later(store: Store) -> None:
    apply(store, new_messages=[message(1, expires=T0 + 5), message(2, expires=T0 + 9), message(3, expires=T0 + 2)])
    assert stale(store, T0 + 1).expired_messages == []
    assert stale(store, T0 + 5).expired_messages == [3, 1]
    assert stale(store, T0 + 5, limit=1).expired_messages == [3]
    seen = asked(store).message(1)
    assert seen is not None
    assert (seen.status_at(T0 + 4), seen.status_at(T0 + 5)) == (MessageStatus.BUFFERED, MessageStatus.EXPIRED)
    apply(store, messages_expired=[3, 1, 99], messages_consumed=[Consumed(2, 1, T0)])
    assert stale(store, T0 + 99).expired_messages == []
    assert [m.status.value for m in asked(store).list_messages(MessageFilter(T0))] == ["expired", "consumed", "expired"]
    apply(store, messages_expired=[2])
    assert [m.id for m in asked(store).list_messages(MessageFilter(T0, status=MessageStatus.CONSUMED))] == [2]


def test_a_message_is_remembered_for_seven_days_after_it_was_consumed_or_expired(store: Store) -> None:
    apply(store, new_messages=[message(1, expires=T0 + HOUR), message(2, expires=T0 + 30 * MESSAGES_KEPT)])
    apply(store, messages_consumed=[Consumed(2, 1, T0 + 2 * HOUR)])
    assert stale(store, T0 + HOUR + MESSAGES_KEPT - 1).messages == []
    assert stale(store, T0 + HOUR + MESSAGES_KEPT).messages == [1]
    assert stale(store, T0 + 2 * HOUR + MESSAGES_KEPT).messages == [1, 2]
    assert stale(store, T0 + 2 * HOUR + MESSAGES_KEPT, limit=1).messages == [1]
    apply(store, messages_gone=[1, 99])
    assert asked(store).message(1) is None
    assert [m.id for m in asked(store).list_messages(MessageFilter(T0))] == [2]
    with store.write() as tx:
        assert tx.near_messages("orderId", '"a"', 9)[0].id == 2


def test_a_message_that_ready_frames_may_need_is_not_forgotten(store: Store) -> None:
    apply(
        store,
        new_frames=[frame(1)],
        new_messages=[message(1, later=1, consumed=T0), message(2, consumed=T0, status=MessageStatus.CONSUMED)],
    )
    assert stale(store, T0 + MESSAGES_KEPT).messages == [2]
    apply(store, frames=[frame(1, status=FrameStatus.BLOCKED)])
    assert stale(store, T0 + MESSAGES_KEPT).messages == [1, 2]


# Waking


@pytest.mark.parametrize("known", [False, True])
def test_woken_frames_are_ready_with_their_event_and_wait_for_nothing(store: Store, known: bool) -> None:
    waiting: dict[str, Any] = {"status": FrameStatus.BLOCKED, "opens": Opens.SUBSCRIPTION | Opens.TIMER, "seq": 3}
    apply(
        store,
        new_executions=[execution(1)],
        new_frames=[frame(1, **waiting), frame(2, parent=1, **waiting), frame(3, parent=1, **waiting)],
        timers=[timer(n, T0, TimerKind.DEADLINE) for n in (1, 2, 3)],
        new_subscriptions=[subscription(n) for n in (1, 2, 3)],
        new_jobs=[job(3)],
    )
    if known:
        with store.write() as tx:
            assert len(tx.frames([1, 2, 3])) == 3
    wake: Json = {"event": "MessageReceived", "message": 5}
    apply(store, waking=[Waking([1, 3], wake)], timers_gone=[1, 3], subscriptions_gone=[1, 3])
    expected = [
        frame(1, status=FrameStatus.READY, seq=3, wake=wake),
        frame(3, parent=1, status=FrameStatus.READY, seq=3, wake=wake),
    ]
    with store.write() as tx:
        assert tx.ready_frames(9) == expected
        assert list(tx.frames([1, 3]).values()) == expected
    assert [t.frame for t in asked(store).timers_of(1)] == [2]
    assert asked(store).subscriptions_of(1) == [subscription(2)]


def test_public_ids_are_told_for_many_executions(store: Store) -> None:
    apply(store, new_executions=[execution(n) for n in (1, 2, 3)])
    assert asked(store).refs([3, 1, 99]) == {1: "ref-000001", 3: "ref-000003"}
    assert asked(store).refs([]) == {}
    with store.write() as tx:
        assert tx.refs({2}) == {2: "ref-000002"}


@pytest.mark.parametrize("key", ["ключ", "ключ\0"])
def test_texts_of_any_script_are_kept_and_folded(store: Store, key: str, request: pytest.FixtureRequest) -> None:
    shown = key.replace("\0", "\u2400") if "postgres" in request.node.name else key
    given = Subscription(1, 1, 1, key, "İstanbul ß 漢字\u00a0x", T0)
    apply(store, new_subscriptions=[given], new_messages=[message(1, key=given.key, value=given.value)])
    folded = folded_text(given.value)
    with store.write() as tx:
        assert tx.near_subscriptions(given.key, folded, 1) == [given._replace(key=shown)]
        assert [m.id for m in tx.near_messages(given.key, folded, 1)] == [1]
        assert tx.subscriptions(given.key, given.value) == [given._replace(key=shown)]
