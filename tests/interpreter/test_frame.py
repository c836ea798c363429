"""A frame is data: a copy shares nothing that a step changes, and a status says whether it is over."""

from __future__ import annotations

from dataclasses import fields

import pytest

from sm_cli.interpreter.frame import Frame, FrameStatus, Join, Opens


@pytest.mark.parametrize("status", FrameStatus)
def test_a_closed_frame_is_one_that_ended(status: FrameStatus) -> None:
    assert status.closed is (status.name in ("SUCCEEDED", "FAILED", "ABORTED"))


def test_a_copy_has_every_field_and_changing_it_leaves_the_frame() -> None:
    values = {
        "id": 1, "execution": 2, "parent": 3, "activation": 4, "index": 5, "machine": "/a", "state": "S", "seq": 6,
        "status": FrameStatus.BLOCKED, "opens": Opens.JOB | Opens.TIMER, "retries": (1, 0), "join": Join(2),
        "item": {"Index": 0}, "vars": {"v": 1}, "input": [1], "output": [2], "entered": 7, "last": 8, "entered_at": 9,
        "wake": {"event": "Entered"}, "work_since": 10,
    }  # fmt: skip
    assert set(values) == {field.name for field in fields(Frame)}
    frame = Frame(**values)  # type: ignore[arg-type]  # each value is of its field's type
    copy = frame.copy()
    assert copy == frame and copy is not frame
    copy.seq, copy.state, copy.vars = 99, "T", {**copy.vars, "v": 2}
    assert (frame.seq, frame.state, frame.vars) == (6, "S", {"v": 1})


def test_what_runs_is_what_began_and_is_not_closed() -> None:
    join = Join(9, started=6, succeeded=2, failed=1)
    assert (join.closed, join.running) == (3, 3)
