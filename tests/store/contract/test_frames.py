"""The contract of `sm_cli.store.protocol`: frames, and what goes and comes in one tick."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.frame import FrameStatus, Join, Opens
from sm_cli.interpreter.timers import TimerKind
from sm_cli.jsonvalue import TooLarge
from sm_cli.store.changes import Changes
from sm_cli.store.protocol import Store
from tests.store.asking import asked
from tests.store.samples import T0, apply, child, frame, job, subscription, timer

# Frames


def test_a_frame_comes_back_as_it_was(store: Store) -> None:
    whole = frame(
        1, execution=2, parent=7, activation=3, index=4, machine="/States/M/Iterator", state="Ä", seq=9,
        status=FrameStatus.BLOCKED, opens=Opens.JOB | Opens.TIMER, retries=(1, 0, 2),
        join=Join(10, 2, 1, 5, 3, 1, 4, 9, 10, 4, 1, "m"),
        item={"Index": 4, "Value": None}, vars={"v": [1]}, input={"i": 1}, output={"o": 1}, entered=11, last=12,
        entered_at=T0, wake=["TaskSucceeded", {"r": 1}],
    )  # fmt: skip
    apply(store, new_frames=[whole, frame(2, execution=2)])
    assert asked(store).open_frames(2) == [whole, frame(2, execution=2)]
    with store.write() as tx:
        found = tx.frames([2, 1, 3])
        assert found == {1: whole, 2: frame(2, execution=2)}
        assert isinstance(found[1].status, FrameStatus)
        assert tx.frames([]) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"state": "B", "seq": 1}, {"status": FrameStatus.BLOCKED, "opens": Opens.JOB}, {"retries": (2,)},
        {"retries": ()},
        {"join": None}, {"join": Join(3, 0, 0, 3, 1, 0, mark="x")}, {"item": None}, {"vars": {}}, {"vars": {"w": 1}},
        {"input": None}, {"input": "x" * 5000}, {"output": {"o": 1}}, {"entered": 4, "last": 5, "entered_at": T0 + 1},
        {"wake": None}, {"wake": {"e": 1}}, {},
    ],
)  # fmt: skip
@pytest.mark.parametrize("large", [False, True])
def test_an_update_of_a_frame_writes_what_differs(store: Store, change: dict[str, Any], large: bool) -> None:
    text = "y" * 4000 if large else "y"
    before: dict[str, Any] = {
        "retries": (1,), "join": Join(3), "item": {"t": text}, "vars": {"v": text}, "input": [text],
        "status": FrameStatus.READY, "wake": [1],
    }  # fmt: skip
    apply(store, new_frames=[frame(1, **before), frame(2, **before)])
    for _ in range(2):  # the second time over what the first one left
        with store.write() as tx:
            changed = tx.frames([1])[1].copy()
            for name, value in change.items():
                setattr(changed, name, value)
            tx.apply(Changes(frames={1: changed}))
    expected = [frame(1, **(before | change)), frame(2, **before)]
    assert asked(store).open_frames(1) == expected
    with store.write() as tx:
        assert tx.frames([1, 2]) == {1: expected[0], 2: expected[1]}


def test_a_frame_that_was_not_read_first_can_be_updated(store: Store) -> None:
    apply(store, new_frames=[frame(1, input="x" * 5000)])
    apply(store, frames=[frame(1, input={"new": 1}, status=FrameStatus.BLOCKED)])
    assert asked(store).open_frames(1) == [frame(1, input={"new": 1}, status=FrameStatus.BLOCKED)]


def test_a_frame_handed_out_keeps_its_value_when_the_stored_one_moves_on(store: Store) -> None:
    apply(store, new_frames=[frame(1)])
    with store.write() as tx:
        old = tx.frames([1])[1]
        new = old.copy()
        new.state = "B"
        tx.apply(Changes(frames={1: new}))
    assert old == frame(1)


def test_ready_frames_come_oldest_first_and_leave_when_they_are_stepped(store: Store) -> None:
    apply(
        store,
        new_frames=[
            frame(3),
            frame(1, execution=2),
            frame(2, status=FrameStatus.BLOCKED),
            frame(4),
            frame(5, execution=2),
        ],
    )

    def ready(limit: int = 10, tree: int | None = None) -> list[int]:
        with store.write() as tx:
            return [f.id for f in tx.ready_frames(limit, tree)]

    assert ready() == [1, 3, 4, 5]
    assert ready(limit=2) == [1, 3]
    assert ready(tree=2) == [1, 5]
    assert ready(tree=2, limit=1) == [1]
    assert ready(tree=9) == []
    assert [asked(store).has_ready(), asked(store).has_ready(2), asked(store).has_ready(9)] == [True, True, False]
    blocked = FrameStatus.BLOCKED
    apply(store, frames=[frame(1, execution=2, status=blocked), frame(5, execution=2, status=blocked)])
    assert ready() == [3, 4]
    assert [asked(store).has_ready(), asked(store).has_ready(2)] == [True, False]
    apply(store, frames=[frame(1, execution=2), frame(3, status=FrameStatus.FAILED), frame(4, status=blocked)])
    assert ready() == [1]
    apply(store, frames=[frame(1, execution=2, status=FrameStatus.SUCCEEDED)])
    assert not asked(store).has_ready()


def test_pending_children_come_by_index_from_the_one_asked_for(store: Store) -> None:
    pending, ready = FrameStatus.PENDING, FrameStatus.READY
    apply(
        store,
        new_frames=[
            frame(1), child(2, 1, 5, pending), child(3, 1, 2, pending), child(4, 1, 3, ready), child(5, 1, 4, pending),
            child(6, 9, 1, pending), frame(7, parent=1, activation=8, index=1, status=pending),
        ],
    )  # fmt: skip

    def found(from_index: int, limit: int = 10) -> list[int]:
        with store.write() as tx:
            return [f.id for f in tx.pending_children(1, 1, from_index, limit)]

    assert found(0) == [3, 5, 2]
    assert found(0, limit=2) == [3, 5]
    assert found(4) == [5, 2]
    assert found(6) == []
    apply(store, frames=[child(5, 1, 4, ready)])
    assert found(0) == [3, 2]


def test_outputs_are_those_of_children_that_succeeded_by_index(store: Store) -> None:
    done = FrameStatus.SUCCEEDED
    apply(
        store,
        new_frames=[
            child(2, 1, 1, done, output={"b": 1}), child(3, 1, 0, done, output="x" * 5000),
            child(4, 1, 2, FrameStatus.FAILED, output={"Error": "E"}), child(5, 1, 3, FrameStatus.BLOCKED),
            frame(6, parent=1, activation=2, status=done, output=6), child(7, 1, 4, done, output=None),
        ],
    )  # fmt: skip
    with store.write() as tx:
        assert tx.outputs(1, 1) == [(0, "x" * 5000), (1, {"b": 1}), (4, None)]
        assert tx.outputs(1, 2) == [(0, 6)]
        assert tx.outputs(9, 1) == []
        assert len(tx.outputs(1, 1, 5002 + 7)) == 3  # bytes of all three
        with pytest.raises(TooLarge):
            tx.outputs(1, 1, 5002 + 6)


def test_descendants_are_the_open_frames_below_at_any_depth(store: Store) -> None:
    blocked, closed = FrameStatus.BLOCKED, FrameStatus.SUCCEEDED
    apply(
        store,
        new_frames=[
            frame(1, status=blocked), child(9, 1, 0, blocked), child(3, 1, 1, closed), child(4, 9, 0, blocked),
            child(5, 9, 1, closed), child(6, 4, 0, FrameStatus.READY), child(7, 1, 2, FrameStatus.PENDING), frame(8),
        ],
    )  # fmt: skip
    with store.write() as tx:
        assert [f.id for f in tx.descendants(1)] == [4, 6, 7, 9]
        assert [f.id for f in tx.descendants(9)] == [4, 6]
        assert tx.descendants(6) == []
        assert [f.id for f in tx.open_frames(1)] == [1, 4, 6, 7, 8, 9]
    assert [f.id for f in asked(store).open_frames(1)] == [1, 4, 6, 7, 8, 9]
    assert asked(store).open_frames(2) == []


# What goes and what comes in one tick


def test_what_is_gone_goes_before_what_is_new_comes(store: Store) -> None:
    apply(store, new_jobs=[job(1), job(2, frame=2)], timers=[timer(1, T0), timer(2, T0)],
          new_subscriptions=[subscription(1), subscription(2)])  # fmt: skip
    apply(
        store, jobs_gone=[1], timers_gone=[1], subscriptions_gone=[1], new_jobs=[job(3, seq=2)],
        timers=[timer(1, T0 + 5, seq=2)], new_subscriptions=[subscription(1, T0 + 5)],
    )  # fmt: skip
    assert asked(store).jobs_of(1) == [job(2, frame=2), job(3, seq=2)]
    assert asked(store).timers_of(1) == [timer(2, T0), timer(1, T0 + 5, seq=2)]
    assert asked(store).subscriptions_of(1) == [subscription(2), subscription(1, T0 + 5)]


def test_gone_takes_every_kind_and_every_seq_of_the_frame(store: Store) -> None:
    apply(
        store, new_jobs=[job(1, seq=1), job(2, seq=2), job(3, frame=2)],
        timers=[timer(1, T0, kind) for kind in TimerKind] + [timer(2, T0)],
        new_subscriptions=[subscription(1), subscription(2)],
    )  # fmt: skip
    apply(store, jobs_gone=[1, 99], timers_gone=[1, 99], subscriptions_gone=[1, 99])
    assert asked(store).jobs_of(1) == [job(3, frame=2)]
    assert asked(store).timers_of(1) == [timer(2, T0)]
    assert asked(store).subscriptions_of(1) == [subscription(2)]
    with store.write() as tx:
        assert tx.claimable(T0, 10) == [job(3, frame=2)]
        assert tx.due_timers(T0, 10) == [timer(2, T0)]
        assert tx.subscriptions("orderId", '"A"') == [subscription(2)]


def test_a_lease_of_a_job_that_has_gone_changes_nothing(store: Store) -> None:
    apply(store, new_jobs=[job(1)])
    apply(store, jobs_gone=[1], leased_jobs=[job(1, leased_until=T0, worker="w")])
    assert asked(store).jobs_of(1) == []
    with store.write() as tx:
        assert tx.jobs([1]) == {}
        assert tx.lapsed_jobs(T0 + 1, 10) == []
        assert tx.leased_to("w") == []
