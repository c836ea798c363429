"""A handler's forked child keeps nothing of what its worker shows to others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sm_cli.store.liveness import Liveness
from sm_cli.store.marks import Marks


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_that_outlives_its_worker_keeps_no_slot(tmp_path: Path) -> None:
    """The worker is killed while it steps; its child lives on, and the next worker sees the marks all the same."""
    database = tmp_path / "sm.db"
    beacons = Liveness(database)
    marks = beacons.marks()
    assert marks is not None
    marks.one(7)
    (read, write), (ready, begun) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write)
        os.write(begun, b"!")
        os.read(read, 1)  # until the test ends
        os._exit(0)
    os.close(read)
    os.read(ready, 1)
    beacons.close()  # as the kernel does it with a killed process; what it has mapped stays in the file
    try:
        assert Marks(database).find_lost() == [(0, [7])]
    finally:
        for end in (write, ready, begun):
            os.close(end)
        os.waitpid(child, 0)
