"""What the writing connection still knows: few rows, copies of executions, nothing large."""

from __future__ import annotations

import pytest

from sm_cli.store.records import Status
from sm_cli.store.sql.row_cache import RowCache
from tests.store.samples import execution, frame

TEXTS = ("1", None, "{}", "null")


def test_a_frame_is_known_with_its_texts_until_it_is_forgotten() -> None:
    known, one = RowCache(), frame(1)
    known.learn_frame(one, TEXTS)
    known.learn_frame(frame(2), TEXTS)
    assert known.frames[1] == (one, TEXTS)
    known.forget_frames([1, 99])
    assert list(known.frames) == [2]


def test_an_execution_is_known_as_it_was_then() -> None:
    known, one = RowCache(), execution(1)
    known.learn_execution(one, ("1", None))
    one.status = Status.FAILED
    kept, texts = known.executions[1]
    assert (kept.status, texts) == (Status.RUNNING, ("1", None))


@pytest.mark.parametrize("forget", ["forget_rows", "forget_all"])
def test_after_another_s_commit_no_row_is_known(forget: str) -> None:
    known = RowCache()
    known.learn_frame(frame(1), TEXTS)
    known.learn_execution(execution(1), ("1",))
    getattr(known, forget)()
    assert (known.frames, known.executions) == ({}, {})


def test_between_two_transactions_only_the_newest_rows_stay() -> None:
    known = RowCache(limit=2)
    for id in (1, 2, 3):
        known.learn_frame(frame(id), TEXTS)
        known.learn_execution(execution(id), ("1",))
    assert len(known.frames) == 3, "within a transaction every row is needed"
    known.learn_frame(frame(1), TEXTS)
    known.trim()
    assert (list(known.frames), list(known.executions)) == ([3, 1], [2, 3])


def test_a_row_with_a_large_value_is_not_kept_alive() -> None:
    known = RowCache()
    known.learn_frame(frame(1), ("1", "@7", None, None))
    known.learn_frame(frame(2), TEXTS)
    known.learn_execution(execution(1), ("@8", None))
    known.learn_execution(execution(2), ("1", None))
    known.trim()
    assert (list(known.frames), list(known.executions)) == ([2], [2])


def test_a_row_that_is_small_by_now_is_kept_by_a_later_trim() -> None:
    known = RowCache()
    known.learn_frame(frame(1), ("@7", None, None, None))
    known.trim()
    known.learn_frame(frame(1), TEXTS)
    known.trim()
    assert list(known.frames) == [1]


def test_of_a_part_that_another_process_wrote_in_all_is_forgotten_and_of_others_nothing() -> None:
    known = RowCache()
    for id, of in ((1, 1), (2, 2), (3, 3)):
        known.learn_execution(execution(id), (None, None))
        known.learn_frame(frame(id, of), (None,) * 4)
    known.forget_parts({2}, {1: 1, 2: 2})
    assert sorted(known.executions) == [1, 3]
    assert sorted(known.frames) == [1], "the tree of frame 3 is not known, so it may be the one"
