"""An engine over rows that a test writes itself: so a view meets what no workflow would make in a few lines."""

from __future__ import annotations

from typing import Any

from sm_cli.engine.engine import Engine
from sm_cli.interpreter.frame import Frame, FrameStatus, Join, Opens
from sm_cli.jsonvalue import digest
from sm_cli.store.records import Execution, MapRun, Status
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from tests.store.samples import T0, apply, definition, execution

#: The definition that all of them run.
WHOLE = definition(digest({"StartAt": "A"}))


class Rows:
    """One store in memory whose clock stands at T0."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = FakeClock(T0)
        self.engine = Engine(self.store, clock=self.clock)
        self.put(new_definitions=[WHOLE])

    def put(self, **changes: Any) -> None:
        apply(self.store, **changes)

    def execution(self, id: int = 1, **more: Any) -> Execution:
        """An execution that is kept under this id."""
        made = execution(id, **({"digest": WHOLE.digest} | more))
        self.put(new_executions=[made])
        return made

    def closed(self, id: int, status: Status = Status.SUCCEEDED, **more: Any) -> Execution:
        return self.execution(id, status=status, closed=T0 + 5, **more)


def forked(id: int, join: Join | None, opens: int = Opens.EXECUTIONS, execution: int = 1, **more: Any) -> Frame:
    """A frame that waits for what it started; without a join for one execution."""
    given: dict[str, Any] = {
        "parent": None, "activation": 0, "index": 0, "machine": "", "state": "Each", "seq": 1,
        "status": FrameStatus.BLOCKED, "opens": opens, "join": join,
    }  # fmt: skip
    return Frame(id, execution, **(given | more))


def map_run(id: int, execution: int = 1, join: Join | None = None, **more: Any) -> MapRun:
    given: dict[str, Any] = {
        "ref": f"ref-{execution:06d}-{id}-1", "frame": id, "activation": 1, "state": "Each", "workflow": "order/Each",
        "type": "STANDARD", "status": Status.RUNNING, "started": T0 + id, "join": Join(3) if join is None else join,
    }  # fmt: skip
    return MapRun(id=id, execution=execution, **(given | more))
