"""Engine.publish: who receives a message, what is kept of it, and what its sender is told."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.near_misses import ago
from sm_cli.engine.send_message import SendOutcome, send
from sm_cli.engine.settings import Settings
from sm_cli.engine.stepping.tick import Tick
from sm_cli.errors import Conflict, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.store.messages import (
    MESSAGES_KEPT,
    WAITS_KEPT,
    MessageFilter,
    MessageStatus,
    StoredMessage,
)
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from sm_cli.testing import FakeClock
from tests.engine.waiting import WAIT, machine, now, order, rest, start, ticked, work
from tests.store.asking import asked

SECOND = 1_000_000
T0 = FakeClock().now()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(store: Store, clock: FakeClock) -> Engine:
    return Engine(store, clock=clock)


def kept(store: Store) -> list[StoredMessage]:
    """Every stored message, newest first."""
    listed = asked(store).list_messages(MessageFilter(T0, limit=1000))
    return [m for each in listed if (m := asked(store).message(each.id)) is not None]


def later(engine: Engine, clock: FakeClock, seconds: float) -> Tick:
    clock.advance_to(clock.now() + round(seconds * SECOND))
    return ticked(engine)


# -- delivered -------------------------------------------------------------------------------------


def test_a_message_moves_the_execution_that_waits_and_closes_its_wait_and_timer(engine: Engine, store: Store) -> None:
    e = start(engine, order(), {"orderId": "ORD-1", "keep": 1})
    assert [(s.key, s.value, s.kind) for s in asked(store).subscriptions_of(e.id)] == [("orderId", "ORD-1", "s")]
    assert len(asked(store).timers_of(e.id)) == 1
    sent = engine.publish("orderId", "ORD-1", {"approved": True})
    assert (sent.outcome, sent.executions, sent.until, sent.near) == (SendOutcome.DELIVERED, (e.ref,), None, ())
    assert (asked(store).subscriptions_of(e.id), asked(store).timers_of(e.id)) == ([], [])
    assert work(engine) == 1
    assert now(store, e).output == {"orderId": "ORD-1", "keep": 1, "approved": True, "by": "paid"}
    assert rest(store, e) == []


def test_what_was_delivered_is_kept_with_its_body_and_who_received_it(engine: Engine, store: Store) -> None:
    e = start(engine, order(), {"orderId": "ORD-1"})
    sent = engine.publish("orderId", "ORD-1", {"n": [1]}, message_id="m")
    (message,) = kept(store)
    assert message.id == sent.message
    assert (message.status, message.body, message.message_id) == (MessageStatus.CONSUMED, {"n": [1]}, "m")
    assert (message.receivers, message.count, message.consumed, message.late) == ((e.id,), 1, T0, ())


def test_all_who_wait_receive_a_message_and_others_do_not(engine: Engine, store: Store) -> None:
    waiting = [start(engine, order(), {"orderId": value}) for value in ("A", "B", "A")]
    sent = engine.publish("orderId", "A", {})
    assert sent.executions == (waiting[0].ref, waiting[2].ref)
    assert [len(asked(store).subscriptions_of(e.id)) for e in waiting] == [0, 1, 0]


def test_one_who_has_waited_longest_receives_a_message_for_one(engine: Engine, store: Store, clock: FakeClock) -> None:
    waiting = []
    for _ in range(3):
        waiting.append(start(engine, order(), {"orderId": "A"}))
        clock.advance_to(clock.now() + SECOND)
    assert [engine.publish("orderId", "A", n, to="one").executions for n in range(3)] == [(e.ref,) for e in waiting]
    assert engine.publish("orderId", "A", 4, to="one").outcome is SendOutcome.BUFFERED


def test_an_execution_may_be_named_as_the_only_receiver(engine: Engine, store: Store) -> None:
    first, second = (start(engine, order(), {"orderId": "A"}) for _ in range(2))
    assert engine.publish("orderId", "A", {}, execution=second).executions == (second.ref,)
    assert len(asked(store).subscriptions_of(first.id)) == 1
    other = start(engine, machine("Pause", Pause={"Type": "Wait", "Seconds": 9, "Next": "Wait"}, Wait=WAIT,
                                  Paid={"Type": "Succeed"}, Late={"Type": "Succeed"}), {"orderId": "A"})  # fmt: skip
    kept_for_it = engine.publish("orderId", "A", {"for": "other"}, execution=other)
    assert kept_for_it.outcome is SendOutcome.BUFFERED
    assert kept_for_it.near == (
        f"execution {first.ref} waits for orderId=A, but the message was for another execution only",
        f"execution {second.ref} waited for orderId=A until a moment ago: it received a message",
    )
    late = start(engine, order(), {"orderId": "A"})
    assert len(asked(store).subscriptions_of(late.id)) == 1


def test_a_closed_execution_cannot_be_named_as_receiver(engine: Engine) -> None:
    e = start(engine, order(), {"orderId": "A"})
    engine.stop(e)
    with pytest.raises(Conflict, match="is ABORTED already"):
        engine.publish("orderId", "A", {}, execution=e)


def two_branches(**change: Any) -> Workflow:
    """Both wait for the same message."""
    wait = {name: value for name, value in WAIT.items() if name not in ("Next", "TimeoutPath")}
    branches = [{"StartAt": name, "States": {name: {**wait, **change}}} for name in ("One", "Two")]
    return machine("Both", Both={"Type": "Parallel", "Branches": branches, "End": True})


def test_each_of_two_branches_that_wait_for_one_value_receives_the_message(engine: Engine, store: Store) -> None:
    e = start(engine, two_branches(End=True), {"orderId": "A"})
    sent = engine.publish("orderId", "A", {"x": 1})
    assert sent.executions == (e.ref,)
    assert kept(store)[0].count == 2
    assert now(store, e).output == [{"orderId": "A", "x": 1}] * 2


def test_a_branch_that_the_message_itself_closed_has_not_received_it(engine: Engine, store: Store) -> None:
    e = start(engine, two_branches(ResultSelector={"x.$": "$.missing"}, End=True), {"orderId": "A"})
    engine.publish("orderId", "A", {})
    assert kept(store)[0].count == 1
    assert now(store, e).status is Status.FAILED
    assert rest(store, e) == []


def test_a_message_is_never_received_twice_by_an_execution_that_waits_again(engine: Engine, store: Store) -> None:
    again = machine(
        "W1", W1={**WAIT, "Next": "W2", "TimeoutPath": "Late", "ResultPath": "$.one"},
        W2={**WAIT, "ResultPath": "$.two"}, Paid={"Type": "Succeed"}, Late={"Type": "Succeed"},
    )  # fmt: skip
    e = start(engine, again, {"orderId": "A"})
    engine.publish("orderId", "A", 1)
    assert len(asked(store).subscriptions_of(e.id)) == 1
    engine.publish("orderId", "A", 2)
    assert now(store, e).output == {"orderId": "A", "one": 1, "two": 2}


@pytest.mark.parametrize("sent", ["7", 7, 7.0])
@pytest.mark.parametrize("waits_for", ["7", 7])
@pytest.mark.parametrize("strict", [False, True])
def test_text_and_number_match_unless_the_type_is_strict(
    engine: Engine, sent: Json, waits_for: Json, strict: bool
) -> None:
    e = start(engine, order(), {"orderId": waits_for})
    answer = engine.publish("orderId", sent, {}, strict_type=strict)
    if strict and isinstance(sent, str) != isinstance(waits_for, str):
        asked, given = ("text", "a number") if isinstance(waits_for, str) else ("a number", "text")
        assert answer.outcome is SendOutcome.BUFFERED
        assert answer.near == (
            f"execution {e.ref} waits for orderId=7 as {asked}; this was sent as {given}, to be matched strictly",
        )
    else:
        assert answer.executions == (e.ref,)


# -- buffered, not delivered, expired ----------------------------------------------------------------


def test_a_message_that_nobody_waits_for_is_kept_for_the_next_wait(engine: Engine, store: Store) -> None:
    sent = engine.publish("orderId", "A", {"early": True}, ttl=10)
    assert (sent.outcome, sent.until, sent.executions) == (SendOutcome.BUFFERED, T0 + 10 * SECOND, ())
    e = start(engine, order(), {"orderId": "A"})
    work(engine)
    assert now(store, e).output == {"orderId": "A", "early": True, "by": "paid"}
    (message,) = kept(store)
    assert (message.status, message.receivers, message.consumed) == (MessageStatus.CONSUMED, (e.id,), T0)


def test_buffered_messages_are_received_oldest_first_and_once(engine: Engine, store: Store) -> None:
    for n in range(3):
        engine.publish("orderId", "A", n)
    waiting = [start(engine, order(ResultPath="$.n"), {"orderId": "A"}) for _ in range(4)]
    work(engine)
    assert [now(store, e).output for e in waiting[:3]] == [{"orderId": "A", "n": n, "by": "paid"} for n in range(3)]
    assert len(asked(store).subscriptions_of(waiting[3].id)) == 1


@pytest.mark.parametrize("strict", [False, True])
def test_a_strict_message_waits_for_a_wait_of_its_own_type(engine: Engine, store: Store, strict: bool) -> None:
    engine.publish("orderId", 7, {}, strict_type=strict)
    text, number = (start(engine, order(), {"orderId": value}) for value in ("7", 7))
    received = number if strict else text
    assert kept(store)[0].receivers == (received.id,)


def test_an_expired_message_is_not_received_and_its_sender_is_told_of_it(
    engine: Engine, store: Store, clock: FakeClock
) -> None:
    engine.publish("orderId", "A", {}, ttl=10)
    clock.advance_to(T0 + 10 * SECOND)
    e = start(engine, order(), {"orderId": "B"})
    other = start(engine, order(), {"orderId": "A"})
    assert len(asked(store).subscriptions_of(other.id)) == 1
    engine.stop(other)
    assert now(store, e).status is Status.RUNNING
    assert kept(store)[0].status is MessageStatus.EXPIRED
    again = engine.publish("orderId", "A", {})
    assert again.near[0] == "message 1 with this key and value expired a moment ago; nobody had waited for it"


@pytest.mark.parametrize("options", [{"ttl": 0}, {"require_match": True}, {"ttl": 0, "message_id": "m"}])
def test_what_had_to_be_delivered_and_was_not_leaves_no_trace(
    engine: Engine, store: Store, options: dict[str, Any]
) -> None:
    sent = engine.publish("orderId", "A", {}, **options)
    assert (sent.outcome, sent.message, sent.until) == (SendOutcome.NOT_DELIVERED, None, None)
    assert kept(store) == []
    e = start(engine, order(), {"orderId": "A"})
    assert engine.publish("orderId", "A", {}, **options).executions == (e.ref,)


def test_a_message_in_the_very_transaction_in_which_the_wait_begins_is_received(engine: Engine, store: Store) -> None:
    pause = machine("Pause", Pause={"Type": "Wait", "Seconds": 5, "Next": "Wait"}, Wait=WAIT,
                    Paid={"Type": "Succeed"}, Late={"Type": "Succeed"})  # fmt: skip
    first, second = (start(engine, pause, {"orderId": "A"}) for _ in range(2))
    engine.clock.advance_to(T0 + 5 * SECOND)  # type: ignore[attr-defined]  # the FakeClock above

    def publish_first(tick: Tick) -> None:
        send(tick, "orderId", "A", {"n": 1}, ttl=60 * SECOND)
        tick.due()

    engine.transact(publish_first)
    assert now(store, first).output == {"orderId": "A", "n": 1}
    assert kept(store)[0].receivers == (first.id,)
    assert len(asked(store).subscriptions_of(second.id)) == 1


def test_a_wait_that_the_very_transaction_of_the_message_opened_receives_it(engine: Engine, store: Store) -> None:
    pause = machine("Pause", Pause={"Type": "Wait", "Seconds": 5, "Next": "Wait"}, Wait=WAIT,
                    Paid={"Type": "Succeed"}, Late={"Type": "Succeed"})  # fmt: skip
    e = start(engine, pause, {"orderId": "A"})
    engine.clock.advance_to(T0 + 5 * SECOND)  # type: ignore[attr-defined]  # the FakeClock above

    def due_and_publish(tick: Tick) -> None:
        tick.due()
        send(tick, "orderId", "A", {"n": 1}, ttl=60 * SECOND)

    engine.transact(due_and_publish)
    assert now(store, e).output == {"orderId": "A", "n": 1}
    assert rest(store, e) == []


# -- repeats ---------------------------------------------------------------------------------------


def test_a_repeat_is_answered_as_a_duplicate_and_changes_nothing(engine: Engine, store: Store) -> None:
    first = engine.publish("orderId", "A", {"n": 1}, message_id="m")
    again = engine.publish("orderId", "A", {"n": 1}, message_id="m", ttl=0)
    assert (again.outcome, again.message, again.until) == (SendOutcome.DUPLICATE, first.message, first.until)
    e = start(engine, order(), {"orderId": "A"})
    consumed = engine.publish("orderId", "A", {"n": 1}, message_id="m")
    assert (consumed.outcome, consumed.executions, consumed.until) == (SendOutcome.DUPLICATE, (e.ref,), None)
    assert consumed.first is not None
    assert (consumed.first.received, consumed.first.status) == (T0, MessageStatus.CONSUMED)
    work(engine)
    assert now(store, e).output == {"orderId": "A", "n": 1, "by": "paid"}
    assert len(kept(store)) == 1


@pytest.mark.parametrize("other", [{"n": 2}, {}, {"n": 1.0}, {"n": True}, {"n": "1"}, [1], None])
@pytest.mark.parametrize("received", [False, True])
def test_a_repeat_with_other_data_is_refused(engine: Engine, store: Store, other: Json, received: bool) -> None:
    e = start(engine, order(), {"orderId": "A"}) if received else None
    first = engine.publish("orderId", "A", {"n": 1, "m": 2}, message_id="m")
    with pytest.raises(Conflict, match=rf"'m' was used before for orderId=A .* no repeat of message {first.message}"):
        engine.publish("orderId", "A", other, message_id="m")
    assert engine.publish("orderId", "A", {"m": 2, "n": 1}, message_id="m").outcome is SendOutcome.DUPLICATE
    assert [m.body for m in kept(store)] == [{"n": 1, "m": 2}]
    if e is not None:
        work(engine)
        assert now(store, e).output == {"orderId": "A", "n": 1, "m": 2, "by": "paid"}


def test_the_same_id_under_another_key_or_value_is_another_message(engine: Engine) -> None:
    outcomes = [
        engine.publish(key, value, {}, message_id="m").outcome
        for key, value in (("orderId", "A"), ("orderId", "B"), ("order", "A"), ("orderId", 7), ("orderId", "7"))
    ]
    assert outcomes == [SendOutcome.BUFFERED] * 4 + [SendOutcome.DUPLICATE]


def test_repeats_are_known_for_seven_days_after_consumption(engine: Engine, store: Store, clock: FakeClock) -> None:
    start(engine, order(), {"orderId": "A"})
    engine.publish("orderId", "A", {}, message_id="m")
    later(engine, clock, MESSAGES_KEPT / SECOND - 20)
    assert engine.publish("orderId", "A", {}, message_id="m").outcome is SendOutcome.DUPLICATE
    later(engine, clock, 25)
    assert kept(store) == []
    assert engine.publish("orderId", "A", {}, message_id="m").outcome is SendOutcome.BUFFERED


def test_a_repeat_of_an_expired_message_is_a_duplicate_too(engine: Engine, clock: FakeClock) -> None:
    engine.publish("orderId", "A", {}, message_id="m", ttl=1)
    later(engine, clock, 60)
    again = engine.publish("orderId", "A", {}, message_id="m")
    assert again.outcome is SendOutcome.DUPLICATE
    assert again.first is not None
    assert (again.first.status_at(clock.now()), again.until) == (MessageStatus.EXPIRED, None)


def test_a_message_may_be_deleted_unless_it_was_received(engine: Engine, store: Store) -> None:
    engine.publish("orderId", "A", {}, message_id="m")
    engine.delete_message(kept(store)[0])
    assert kept(store) == []
    e = start(engine, order(), {"orderId": "A"})
    assert engine.publish("orderId", "A", {}, message_id="m").executions == (e.ref,)
    with pytest.raises(Conflict, match="was received already; it is kept so that a repeat is known"):
        engine.delete_message(kept(store)[0])


# -- near misses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits_for", "sent", "what"),
    [
        ("ORD-1", "ord-1", "case"),
        ("ORD-1", " ORD-1", "blanks"),
        ("ORD-1", "ord - 1", "case and blanks"),
        (1.5, "1.50", "how the number is written"),
        (1000, "1e3", "how the number is written"),
    ],
)
def test_a_sender_is_told_of_a_value_that_is_nearly_right(
    engine: Engine, waits_for: Json, sent: Json, what: str
) -> None:
    e = start(engine, order(), {"orderId": waits_for})
    value = store_text(waits_for)
    answer = engine.publish("orderId", sent, {}, require_match=True)
    assert answer.near == (f"execution {e.ref} waits for orderId={value}, which differs in {what}",)


def store_text(value: Json) -> str:
    return value if isinstance(value, str) else str(value)


def test_a_sender_is_told_of_a_wait_that_ended_and_for_how_long_that_is_known(
    engine: Engine, store: Store, clock: FakeClock
) -> None:
    received, timed_out, stopped = (start(engine, order(), {"orderId": "A"}) for _ in range(3))
    engine.publish("orderId", "A", {}, to="one")
    later(engine, clock, 30)
    engine.stop(stopped)
    later(engine, clock, 90)
    assert now(store, timed_out).status is Status.RUNNING
    sent = engine.publish("orderId", "A", {})
    assert sent.near == (
        f"execution {timed_out.ref} waited for orderId=A until a moment ago: its time was up",
        f"execution {stopped.ref} waited for orderId=A until a minute ago: it was closed",
        f"execution {received.ref} waited for orderId=A until 2 minutes ago: it received a message",
    )
    assert [(late.execution, late.how) for late in kept(store)[0].late] == [
        (timed_out.id, "timeout"), (stopped.id, "aborted"),
    ]  # fmt: skip
    later(engine, clock, WAITS_KEPT / SECOND + 100)
    assert engine.publish("orderId", "A", {}, ttl=0).near == (
        "message 2 with this key and value expired 23 hours ago; nobody had waited for it",
    )


def test_no_near_miss_is_reported_when_nothing_is_near(engine: Engine) -> None:
    start(engine, order(), {"orderId": "A"})
    assert engine.publish("orderId", "B", {}).near == ()
    assert engine.publish("other", "B", {}).near == ()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "a moment ago"), (0, "a moment ago"), (1, "a moment ago"), (2, "2 seconds ago"), (59, "59 seconds ago"),
        (60, "a minute ago"), (119, "a minute ago"), (3599, "59 minutes ago"), (3600, "an hour ago"),
        (86_399, "23 hours ago"), (86_400, "a day ago"), (10**6, "11 days ago"),
    ],
)  # fmt: skip
def test_how_long_ago_something_was_is_written_in_words(seconds: int, said: str) -> None:
    assert ago(seconds * SECOND) == said


def test_what_became_of_a_message_is_logged(engine: Engine, caplog: pytest.LogCaptureFixture, clock: FakeClock) -> None:
    caplog.set_level(logging.DEBUG, "sm.engine")
    e = start(engine, order(), {"orderId": "A"})
    later(engine, clock, 61)
    engine.publish("orderId", "A", {})
    assert [r.message for r in caplog.records] == [
        "message 1 orderId=A: buffered",
        f"message 1 orderId=A: execution {e.ref} waited for orderId=A until a moment ago: its time was up",
    ]


# -- what cannot be sent ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (("", "A", {}), {}, "a message needs a key to be sent under"),
        (("k", None, {}), {}, "the value of k has to be text, a number, true or false, not null"),
        (("k", [1], {}), {}, "not a list"),
        (("k", {}, {}), {}, "not an object"),
        (("k", "A", {1, 2}), {}, "the data of the message k is not JSON: \\$ is of type set"),
        (("k", "A", float("nan")), {}, "the data of the message k is not JSON"),
        (("k", float("inf"), {}), {}, "cannot be sent: inf"),
        (("k", "\ud800", {}), {}, "is not text that UTF-8 can hold"),
        (("k", "A", {}), {"ttl": -1}, "a message is kept for 0 to 10000000000 seconds, not for -1"),
        (("k", "A", {}), {"ttl": float("nan")}, "not for nan"),
        (("k", "A", {}), {"to": "some"}, "a message goes to all or to one, not to 'some'"),
        (("k", "A", {}), {"message_id": ""}, "a message id has 1 to 1000 characters; this one has 0"),
    ],
)
def test_what_cannot_be_sent_is_reported_in_one_sentence(
    engine: Engine, arguments: Any, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        engine.publish(*arguments, **options)


@pytest.mark.parametrize("value", ["", " ", 2**64 - 1, -(2**63), 1e300, 0.1, True, False, "ü\0\n", "x" * 5000])
def test_every_scalar_is_a_value(engine: Engine, value: Json) -> None:
    e = start(engine, order(), {"orderId": value})
    assert engine.publish("orderId", value, {}).executions == (e.ref,)


def test_the_data_of_a_message_is_the_receivers_own(engine: Engine, store: Store) -> None:
    data: Any = {"list": [1]}
    e = start(engine, order(), {"orderId": "A"})
    engine.publish("orderId", "A", data)
    data["list"].append(2)
    work(engine)
    assert now(store, e).output == {"orderId": "A", "list": [1], "by": "paid"}


# -- to very many ----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{"x": 1}, {"x": "y" * 5000}, None])
def test_beyond_the_fan_out_later_ticks_step_who_received(store: Store, clock: FakeClock, body: Json) -> None:
    engine = Engine(store, clock=clock, settings=Settings(fanout=3))
    waiting = [start(engine, order(ResultPath="$.got"), {"orderId": "A"}) for _ in range(8)]
    sent = engine.publish("orderId", "A", body, message_id="m")
    assert sent.executions == tuple(e.ref for e in waiting)
    assert (kept(store)[0].count, kept(store)[0].later) == (8, 5)
    assert [len(asked(store).jobs_of(e.id)) for e in waiting] == [1, 1, 1, 0, 0, 0, 0, 0]
    assert [[*asked(store).subscriptions_of(e.id), *asked(store).timers_of(e.id)] for e in waiting[3:]] == [[]] * 5
    assert engine.publish("orderId", "A", body, message_id="m").outcome is SendOutcome.DUPLICATE
    assert engine.publish("orderId", "A", body).outcome is SendOutcome.BUFFERED
    later(engine, clock, 61)  # their timeouts would be due
    work(engine)
    assert [now(store, e).output for e in waiting] == [{"orderId": "A", "got": body, "by": "paid"}] * 8
    assert all(rest(store, e) == [] for e in waiting)


def test_a_message_for_later_ticks_is_kept_until_all_have_it(store: Store, clock: FakeClock) -> None:
    engine = Engine(store, clock=clock, settings=Settings(fanout=1))
    waiting = [start(engine, order(ResultPath="$.got"), {"orderId": "A"}) for _ in range(3)]
    engine.publish("orderId", "A", "late")
    clock.advance_to(T0 + 3 * MESSAGES_KEPT)
    engine.publish("other", "A", {})  # a transaction that sweeps and steps nothing else
    assert [m.key for m in kept(store)] == ["other", "orderId"]
    ticked(engine)
    work(engine)
    assert {str(now(store, e).output) for e in waiting} == {str({"orderId": "A", "got": "late", "by": "paid"})}


def test_an_execution_that_is_stopped_before_it_is_stepped_stays_stopped(store: Store, clock: FakeClock) -> None:
    engine = Engine(store, clock=clock, settings=Settings(fanout=0))
    e = start(engine, order(), {"orderId": "A"})
    engine.publish("orderId", "A", {})
    engine.stop(e)
    ticked(engine)
    assert now(store, e).status is Status.ABORTED
    assert rest(store, e) == []


# -- forgetting ------------------------------------------------------------------------------------


def test_forgetting_is_a_few_rows_a_tick_until_nothing_is_left(engine: Engine, store: Store, clock: FakeClock) -> None:
    for n in range(170):
        engine.publish("orderId", f"A{n}", {})
    clock.advance_to(T0 + MESSAGES_KEPT + 3600 * SECOND)
    sizes = [170]
    while sizes[-1]:
        deleted = ticked(engine).changes.messages_gone
        assert 0 < len(deleted) <= 60
        sizes.append(len(kept(store)))
    assert sizes[-1] == 0
    assert len(sizes) >= 4


def test_a_tick_without_anything_to_forget_writes_nothing(engine: Engine, store: Store) -> None:
    engine.publish("orderId", "A", {})
    before = store.commits
    ticked(engine)
    assert store.commits == before
