"""`Engine.batch`: from a program, over an iterable or a file, with callbacks."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.batches.options import BatchOptions
from sm_cli.engine.batches.starting import ObjectKey
from sm_cli.errors import UsageError
from sm_cli.jsonvalue import Json
from sm_cli.store.open import open_store
from sm_cli.store.records import Execution
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
    (spool,) = (tmp_path / "sm.db.batches").iterdir()
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600
    batches.simulation.store.close()
    later = Batching(tmp_path, work, store=open_store(str(file)), clock=batches.simulation.clock)
    assert later.go_on(batch).status == "SUCCEEDED"
    assert sorted(call["n"] for call in work.calls) == list(range(2500))
    later.engine.batch(later.target, numbers(1))
    assert not spool.exists()
    later.simulation.store.close()


def test_what_a_killed_starter_left_is_deleted_after_a_day(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "sm.db"))
    batches = Batching(tmp_path, store=store)
    left_over = store.spool() / "01HZZZZZZZZZZZZZZZZZZZZZZZ"
    left_over.write_text("{}\n")
    seconds = batches.simulation.clock.now() // 1_000_000
    for age, is_there in ((86_000, True), (87_000, False)):
        os.utime(left_over, (seconds - age, seconds - age))
        batches.engine.batch(batches.target, numbers(1))
        assert left_over.exists() is is_there
    store.close()


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


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ([], "what the iterable gave has no items"),
        ([{"n": 1}, {"n": {1, 2}}], "item 1 is not JSON"),
        (["x" * (9 << 20)], "line 1 of what the iterable gave is larger than 8 MiB"),
    ],
)
def test_an_iterable_that_cannot_be_worked_through_is_refused(tmp_path: Path, inputs: Any, sentence: str) -> None:
    batches = Batching(tmp_path)
    with pytest.raises(UsageError, match=sentence):
        batches.engine.batch(batches.target, inputs)
    assert [*batches.simulation.store.spool().iterdir()] == []
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
