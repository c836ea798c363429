"""`Engine.batch`: from a program, over an iterable or a file, with callbacks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.batches import control
from sm_cli.engine.batches.executions import OfExecutions
from sm_cli.engine.batches.options import BatchOptions
from sm_cli.engine.batches.starting import ObjectKey
from sm_cli.engine.retention import prune
from sm_cli.errors import UsageError
from sm_cli.jsonvalue import Json
from sm_cli.store.changes import Changes
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, KeptItems
from tests.engine.batches.batching import Batching, Work
from tests.store.asking import asked


def numbers(count: int) -> Iterator[Json]:
    for n in range(count):
        yield {"n": n}


@pytest.mark.parametrize("concurrency", [0, 1, 3])
def test_every_execution_is_told_when_it_begins_and_when_it_ends(tmp_path: Path, concurrency: int) -> None:
    batches = Batching(tmp_path)
    begun: list[str] = []
    ends: list[tuple[str, Any]] = []
    batch = batches.engine.batch(
        batches.target, numbers(5), name_prefix="P", options=BatchOptions(concurrency=concurrency),
        on_start=lambda execution: begun.append(execution.name),
        on_complete=lambda execution: ends.append((execution.name, execution.output)),
    )  # fmt: skip
    batches.go_on(batch)
    assert begun == [f"P-{n}" for n in range(5)]
    assert sorted(ends) == [(f"P-{n}", {"did": {"n": n}}) for n in range(5)]


def test_a_generator_is_read_before_the_batch_begins_and_survives_its_process(tmp_path: Path) -> None:
    file = tmp_path / "sm.db"
    work = Work()
    batches = Batching(tmp_path, work, store=open_store(str(file)))
    batch = batches.engine.batch(batches.target, numbers(2500), name_prefix="P")
    assert asked(batches.engine.store).first_kept(batch.ref) == 0
    batches.simulation.store.close()
    later = Batching(tmp_path, work, store=open_store(str(file)), clock=batches.simulation.clock)
    assert later.go_on(batch).status == "SUCCEEDED"
    assert sorted(call["n"] for call in work.calls) == list(range(2500))
    assert asked(later.engine.store).kept_batches() == []
    later.simulation.store.close()


def test_what_has_been_read_goes_while_the_batch_runs(tmp_path: Path) -> None:
    first_kept: list[int | None] = []
    batches = Batching(tmp_path, lambda input: first_kept.append(asked(batches.engine.store).first_kept(batch.ref)))
    batch = batches.engine.batch(batches.target, numbers(3500), options=BatchOptions(concurrency=1))
    batches.go_on(batch)
    assert list(dict.fromkeys(first_kept)) == [0, 1000, 2000, 3000]  # where each portion began


def test_items_that_a_stopped_batch_has_not_read_stay_for_another_try(tmp_path: Path) -> None:
    work = Work(fails=lambda input: input["n"] == 1)
    batches = Batching(tmp_path, work)
    options = BatchOptions(concurrency=1, stop_on_error=True)
    batch = batches.engine.batch(batches.target, numbers(2500), options=options)
    assert batches.go_on(batch).status == "FAILED"
    assert batches.statuses(batch)[-1] == "SKIPPED"
    assert batches.results(batch)[-1].input == {"n": 2499}
    work.fails = lambda _: False
    control.try_again(batches.engine, batch)
    assert batches.go_on(batch).status == "SUCCEEDED"
    assert sorted(call["n"] for call in work.calls) == [0, 1, *range(1, 2500)]
    assert asked(batches.engine.store).kept_batches() == []


def test_what_a_killed_starter_left_is_deleted_after_a_day(tmp_path: Path) -> None:
    batches = Batching(tmp_path)
    store, clock = batches.engine.store, batches.simulation.clock
    left_over = clock.new_ref()

    def killed() -> Iterator[Json]:
        yield from numbers(600)
        raise KeyboardInterrupt

    with store.write() as tx:  # what is there when the process ends after the first commit
        tx.apply(Changes(kept_items=[KeptItems(left_over, 0, 1, clock.now(), b"{}")]))
    with pytest.raises(KeyboardInterrupt):
        batches.engine.batch(batches.target, killed())
    assert [ref for ref, _ in asked(store).kept_batches()] == [left_over]
    for seconds, is_there in ((86_000, True), (1_000, False)):
        clock.advance_to(clock.now() + seconds * 1_000_000)
        batches.go_on(batches.engine.batch(batches.target, numbers(1)))
        assert [ref for ref, _ in asked(store).kept_batches()] == ([left_over] if is_there else [])


def test_a_batch_takes_what_it_kept_with_it_when_it_is_pruned(tmp_path: Path) -> None:
    batches = Batching(tmp_path)
    batches.go_on(batches.engine.batch(batches.target, numbers(3)))
    over = OfExecutions(ExecutionFilter(workflow="order"))
    batch = batches.engine.batch(batches.target, over)
    batches.go_on(batch)
    store = batches.engine.store
    assert asked(store).first_kept(batch.ref) == 0  # its results tell whose data an item was
    prune(store, batches.simulation.clock.now() + 1)
    assert asked(store).kept_batches() == []


def test_a_file_and_an_object_of_a_bucket_are_read_in_their_place(tmp_path: Path) -> None:
    batches = Batching(tmp_path)
    batches.write(numbers(2), "a.jsonl")
    (tmp_path / "orders").mkdir()
    batches.write(numbers(3), "orders/b.jsonl")
    batches.engine.buckets = tmp_path
    one = batches.engine.batch(batches.target, tmp_path / "a.jsonl")
    assert batches.now(one).total == 2
    other = batches.engine.batch(batches.target, ObjectKey("orders", "b.jsonl"))
    assert batches.now(other).total == 3


def test_on_a_server_a_file_goes_into_the_database_for_workers_of_other_machines(tmp_path: Path, store: Store) -> None:
    work = Work()
    batches = Batching(tmp_path, work, store=store)
    file = batches.write({"n": n, "pad": "x" * 3000} for n in range(1500))
    with file.open("a") as more:
        more.write("no item\n")
    batch = batches.engine.batch(batches.target, file, options=BatchOptions(concurrency=1))
    file.unlink()  # as on every machine but this one
    batches.go_on(batch)
    if store.is_on_server:
        assert sorted(call["n"] for call in work.calls) == list(range(1500))
        refused = batches.results(batch)[-1]
        assert (refused.status, refused.reason) == (
            "FAILED", f"{file} is not JSON: Expecting value at line 1501, column 1"
        )  # fmt: skip
        assert asked(store).kept_batches() == []
    else:
        assert work.calls == []


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ([], "what the iterable gave has no items"),
        ([{"n": 1}, {"n": {1, 2}}], "item 1 is not JSON"),
        (["x" * (9 << 20)], "item 0 of what the iterable gave is larger than 8 MiB"),
    ],
)
def test_an_iterable_that_cannot_be_worked_through_is_refused(tmp_path: Path, inputs: Any, sentence: str) -> None:
    batches = Batching(tmp_path)
    with pytest.raises(UsageError, match=sentence):
        batches.engine.batch(batches.target, inputs)
    assert asked(batches.simulation.store).kept_batches() == []
    assert asked(batches.simulation.store).latest() is None


def test_a_callback_that_raises_is_logged_and_the_batch_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(execution: Execution) -> None:
        raise RuntimeError(execution.name)

    batches = Batching(tmp_path)
    with caplog.at_level(logging.ERROR, "sm.engine"):
        batch = batches.engine.batch(batches.target, numbers(2), name_prefix="P", on_complete=fail)
        assert batches.go_on(batch).status == "SUCCEEDED"
    assert "a callback of the batch failed for P-1" in caplog.text
