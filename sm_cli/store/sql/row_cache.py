"""What the writing connection still knows from its last transactions.

It holds the rows exactly as they are committed, or nothing. The owner forgets the rows when another
connection has committed (`PRAGMA data_version`) and everything after a rollback. Blobs never change and
their ids are never used again, so they stay, also when another connection writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sm_cli.store.sql import rows
from sm_cli.store.sql.large_values import BlobCache
from sm_cli.store.sql.upkeep.state_log import KnownStates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sm_cli.interpreter.frame import Frame
    from sm_cli.store.records import Execution, Job
    from sm_cli.store.sql.rows import Row

#: How many frames, and how many executions, are known between two transactions.
LIMIT = 1024
#: So many jobs are known.
_MOST_JOBS = 50_000


class RowCache:
    """Frames, executions and large values that this process wrote or read last, so that it need not read them again."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self.blobs = BlobCache()
        #: The frame and the texts of its four values.
        self.frames: dict[int, tuple[Frame, Row]] = {}
        #: An execution that nobody else holds, and the texts of its input and output.
        self.executions: dict[int, tuple[Execution, Row]] = {}
        #: Whether no worker was lost over a frame that could be stepped; False as long as nobody has looked.
        self.no_losses = False
        #: Whether there is no schedule; False as long as nobody has looked.
        self.no_schedules = False
        #: Whether no child of a map run waits to be counted; False as long as nobody has looked. A store that writes
        #: alone leaves none behind.
        self.no_ended_children = False
        self.states = KnownStates()
        #: Frames whose jobs refer to no large value, to their executions.
        self._small_jobs: dict[int, int] = {}
        self._large_frames: set[int] = set()
        self._large_executions: set[int] = set()

    def forget_rows(self) -> None:
        """Another process wrote: forget frames and executions. Large values never change."""
        self.frames.clear()
        self.executions.clear()
        self._small_jobs.clear()
        self.no_losses = self.no_schedules = False
        self._large_frames.clear()
        self._large_executions.clear()

    def forget_parts(self, parts: Collection[int], part_of: Mapping[int, int]) -> None:
        """Another process wrote in these parts of trees: forget their frames and executions. part_of: the parts of
        executions; a frame of one that it lacks is forgotten too."""
        for id in [id for id, (execution, _) in self.executions.items() if execution.part in parts]:
            del self.executions[id]
        for id, (frame, _) in list(self.frames.items()):
            part = part_of.get(frame.execution)
            if part is None or part in parts:
                del self.frames[id]
        for id, execution in list(self._small_jobs.items()):
            part = part_of.get(execution)
            if part is None or part in parts:
                del self._small_jobs[id]

    def forget_all(self) -> None:
        """Forget large values too."""
        self.forget_rows()
        self.states = KnownStates()
        self.blobs.clear()

    def forget_frames(self, ids: Iterable[int]) -> None:
        """Forget these frames, so that they are read again."""
        for id in ids:
            self.frames.pop(id, None)

    def forget_executions(self, ids: Iterable[int]) -> None:
        """Forget these executions; their frames are to be forgotten, too."""
        for id in ids:
            self.executions.pop(id, None)

    def learn_frame(self, frame: Frame, texts: Row) -> None:
        """Keep a frame as it was written or read. texts: its four values as they stand in the row."""
        self.frames.pop(frame.id, None)
        self.frames[frame.id] = (frame, texts)
        for text in texts:
            if text is not None and text[0] == "@":
                self._large_frames.add(frame.id)

    def learn_execution(self, execution: Execution, texts: Row) -> None:
        """Keep a copy of an execution as it was written or read. texts: its values as they stand in the row."""
        self.executions.pop(execution.id, None)
        self.executions[execution.id] = (rows.copy_execution(execution), texts)
        for text in texts:
            if text is not None and text[0] == "@":
                self._large_executions.add(execution.id)

    def learn_jobs(self, jobs: Iterable[Job], texts: Iterable[str | None]) -> None:
        """These jobs were written. texts: their inputs as they stand in the rows."""
        for job, text in zip(jobs, texts, strict=True):
            if text is None or text[0] != "@":
                self._small_jobs[job.frame] = job.execution
            else:
                self._small_jobs.pop(job.frame, None)

    def forget_jobs(self, frames: Iterable[int]) -> bool:
        """The jobs of these frames are over. Whether it is known that none of them referred to a large value."""
        known_jobs = [self._small_jobs.pop(frame, None) for frame in frames]
        return None not in known_jobs

    def trim(self) -> None:
        """Between transactions: few rows, and none that keeps a large value alive beside the blob cache."""
        self._trim(self.frames, self._large_frames)
        self._trim(self.executions, self._large_executions)
        self.blobs.trim()
        if len(self._small_jobs) > _MOST_JOBS:
            self._small_jobs.clear()

    def _trim(self, cache: dict[int, Any], large: set[int]) -> None:
        for id in large:
            cache.pop(id, None)
        large.clear()
        while len(cache) > self._limit:
            cache.pop(next(iter(cache)))
