"""The contract of `sm_cli.store.protocol`: messages, subscriptions and the events of the history."""

from __future__ import annotations

from sm_cli.store.messages import Consumed, MessageStatus
from sm_cli.store.protocol import Store
from tests.store.asking import asked
from tests.store.samples import T0, apply, events, message, subscription

# Messages and subscriptions


def test_the_oldest_buffered_message_that_has_not_expired_is_found(store: Store) -> None:
    apply(
        store,
        new_messages=[
            message(1, expires=T0 + 5), message(2), message(3), message(4, value='"B"'), message(5, key="k"),
            message(6, value="42", status=MessageStatus.CONSUMED),
        ],
    )  # fmt: skip

    def oldest(value: str = '"A"', key: str = "orderId", now: int = T0, skip: tuple[int, ...] = ()) -> int | None:
        with store.write() as tx:
            found = tx.buffered_message(key, value, now, skip)
            return None if found is None else found.id

    assert oldest() == 1
    assert oldest(now=T0 + 4) == 1
    assert oldest(now=T0 + 5) == 2
    assert oldest(skip=(1, 2)) == 3
    assert oldest('"B"') == 4
    assert oldest(key="k") == 5
    assert oldest("42") is None
    assert oldest("A") is None
    apply(store, messages_consumed=[Consumed(1, 1, T0), Consumed(2, 1, T0)])
    assert oldest() == 3
    assert oldest(skip=[3]) is None  # type: ignore[arg-type]  # any collection will do


def test_a_message_comes_back_as_it_was_also_after_it_was_consumed(store: Store) -> None:
    apply(store, new_messages=[message(1, message_id="m"), message(2, message_id="n"), message(3, message_id="m")])
    apply(store, messages_consumed=[Consumed(3, 8, T0 + 5), Consumed(99, 1, T0)])
    with store.write() as tx:
        assert tx.find_message("orderId", '"A"', "m") == message(
            3, message_id="m", status=MessageStatus.CONSUMED, consumed=T0 + 5, count=1, receivers=(8,)
        )
        assert tx.find_message("orderId", '"A"', "n") == message(2, message_id="n")
        assert tx.find_message("orderId", '"B"', "m") is None
        assert tx.find_message("other", '"A"', "m") is None
        assert tx.find_message("orderId", '"A"', "x") is None


def test_a_message_may_arrive_and_be_consumed_in_one_tick(store: Store) -> None:
    apply(store, new_messages=[message(1)], messages_consumed=[Consumed(1, 1, T0)])
    with store.write() as tx:
        assert tx.buffered_message("orderId", '"A"', T0) is None


def test_open_subscriptions_come_oldest_first(store: Store) -> None:
    apply(
        store,
        new_subscriptions=[
            subscription(1, T0 + 9), subscription(2, T0 + 3, execution=2), subscription(3, T0 + 3),
            subscription(4, value="7"),
        ],
    )  # fmt: skip
    with store.write() as tx:
        assert [s.frame for s in tx.subscriptions("orderId", '"A"')] == [2, 3, 1]
        assert [s.frame for s in tx.subscriptions("orderId", "7")] == [4]
        assert tx.subscriptions("orderId", "8") == []
    assert [s.frame for s in asked(store).subscriptions_of(1)] == [4, 3, 1]


# History


def test_history_is_read_in_order_from_any_number(store: Store) -> None:
    apply(store, history=events(1, [1, 2, 3]) + events(2, [1]))
    apply(store, history=events(2, [2]) + events(1, [4, 5]))
    assert asked(store).history(1) == events(1, [1, 2, 3, 4, 5])
    assert asked(store).history(2) == events(2, [1, 2])
    assert asked(store).history(3) == []
    for after in range(7):
        assert asked(store).history(1, after) == events(1, range(after + 1, 6))
        for limit in range(7):
            assert asked(store).history(1, after, limit) == events(1, range(after + 1, 6))[:limit]


def test_events_of_several_executions_may_alternate(store: Store) -> None:
    mixed = [event for pair in zip(events(1, range(1, 9)), events(2, range(1, 9)), strict=True) for event in pair]
    apply(store, history=mixed)
    assert asked(store).history(1) == events(1, range(1, 9))
    assert asked(store).history(2) == events(2, range(1, 9))
