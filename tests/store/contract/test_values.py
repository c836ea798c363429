"""The contract of `sm_cli.store.protocol`: every value comes back exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.jsonvalue import Json
from sm_cli.store.changes import Changes
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from tests.store.asking import asked, listed_ids
from tests.store.samples import T0, apply, events, execution, frame, job, message, subscription, timer


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -(2**63), 2**63, 2**64 - 1, 0.1, -0.0, 1e308, 5e-324, 1.0, 123456789.123456789, "", "@1",
        "ü😀\u2028\x00\x7f",
        "x" * 3000, "ü" * 3000, [], {}, [None], {"": None}, {"@": "@"}, [[[{"a": [1, 2.5, "x"]}]]], {"a.b": 1, "$": 2},
        {"z": 1, "a": 2}, ["y" * 1999], ["y" * 1994], ["y" * 1996],
    ],
    ids=repr,
)  # fmt: skip
def test_every_json_value_comes_back_exactly(store: Store, value: Json) -> None:
    def same(found: Json) -> bool:
        return repr(found) == repr(value)

    apply(
        store, new_executions=[execution(1, input=value, output=value)], new_jobs=[job(1, input=value)],
        new_frames=[frame(1, input=value, output=value, item=value, wake=value, vars={"v": value})],
        new_messages=[message(1, body=value)], history=[events(1, [1])[0]._replace(detail={"input": value})],
    )  # fmt: skip
    read = asked(store).execution(1)
    assert read is not None
    assert same(read.input)
    assert same(read.output)
    _check_frame(asked(store).open_frames(1)[0], same)
    assert same(asked(store).jobs_of(1)[0].input)
    assert same(asked(store).history(1)[0].detail["input"])
    with store.write() as tx:
        body = tx.buffered_message("orderId", '"A"', T0)
        _check_frame(tx.frames([1])[1], same)
    assert body is not None
    assert same(body.body)


def _check_frame(found: Frame, same: Callable[[Json], bool]) -> None:
    assert all(map(same, (found.input, found.output, found.item, found.wake, found.vars["v"])))


@pytest.mark.parametrize(
    "wanted",
    [
        {"name_contains": "\0"}, {"name_contains": "na\0me"}, {"state": "\0"}, {"error": "\0"}, {"workflow": "\0"},
        {"tags": (("a\0", "b"),)}, {"tags": (("a", "\0"),)},
    ],
    ids=repr,
)  # fmt: skip
def test_nothing_is_found_by_a_name_that_none_can_have(store: Store, wanted: dict[str, Any]) -> None:
    apply(store, new_executions=[execution(1, tags={"a": "b"})], new_frames=[frame(1)], new_jobs=[job(1)])
    assert listed_ids(store, **wanted) == []


def test_work_is_found_beside_a_name_that_none_can_have(store: Store) -> None:
    apply(store, new_executions=[execution(1)], new_frames=[frame(1)], new_jobs=[job(1)])
    resources = frozenset([job(1).resource, "a\0b"])
    assert [each.id for each in asked(store).claimable(T0, 10, resources=resources)] == [1]
    assert asked(store).has_free(T0, resources, queues=frozenset([job(1).queue, "a\0b"]))


def test_a_payload_of_ten_megabytes_is_kept_moved_and_released(store: Store) -> None:
    big: Json = {"blob": "é" * 5_000_000}
    apply(
        store, new_executions=[execution(1, input=big)], new_frames=[frame(1, input=big)], new_jobs=[job(1, input=big)],
        history=[events(1, [1])[0]._replace(detail={"input": big})],
    )  # fmt: skip
    assert asked(store).jobs_of(1)[0].input == big
    with store.write() as tx:
        moved = tx.frames([1])[1].copy()
        moved.output, moved.input, moved.status = moved.input, None, FrameStatus.SUCCEEDED
        closed = tx.executions([1])[1]
        closed.output, closed.status = big, Status.SUCCEEDED
        tx.apply(Changes(frames={1: moved}, executions={1: closed}, jobs_gone=[1]))
    with store.write() as tx:
        found = tx.frames([1])[1]
    assert found.input is None
    assert found.output == big
    read = asked(store).execution(1)
    assert read is not None
    assert read.output == read.input == big
    assert asked(store).history(1)[0].detail["input"] == big


@pytest.mark.parametrize("at", [-(2**63), -1, 2**63 - 1])
def test_times_and_numbers_hold_64_bits(store: Store, at: int) -> None:
    apply(
        store, new_executions=[execution(1, started=at, deadline=at, closed=at, events=at, priority=at)],
        new_frames=[frame(1, seq=at, entered=at, entered_at=at)], timers=[timer(1, at)],
        history=[events(1, [1])[0]._replace(at=at)],
    )  # fmt: skip
    assert asked(store).execution(1) == execution(1, started=at, deadline=at, closed=at, events=at, priority=at)
    assert asked(store).open_frames(1) == [frame(1, seq=at, entered=at, entered_at=at)]
    assert asked(store).timers_of(1) == [timer(1, at)]
    assert asked(store).next_due() == at
    assert asked(store).history(1)[0].at == at


def test_names_and_keys_may_be_of_any_script(store: Store) -> None:
    apply(
        store, new_executions=[execution(1, name="名前-😀", workflow="ünïcode")],
        new_subscriptions=[subscription(1, key="ключ", value='"значение"')],
    )  # fmt: skip
    assert [e.id for e in asked(store).find("名前-😀")] == [1]
    assert listed_ids(store, workflow="ünïcode", name_contains="前") == [1]
    with store.write() as tx:
        assert [s.frame for s in tx.subscriptions("ключ", '"значение"')] == [1]


def test_a_list_asked_inside_a_transaction_leaves_what_it_listed_whole(store: Store) -> None:
    apply(store, new_executions=[execution(1, output={"total": 7}), execution(2)])
    with store.write() as tx:
        assert [e.input for e in tx.list_executions(ExecutionFilter())] == [None, None]
        changed = tx.executions([1, 2])[1]
        assert (changed.input, changed.output) == ({"n": 1}, {"total": 7})
        changed.status, changed.output = Status.FAILED, None
        tx.apply(Changes(executions={1: changed}))
    assert asked(store).executions([1, 2]) == {1: execution(1, status=Status.FAILED), 2: execution(2)}
