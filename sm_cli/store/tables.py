"""The in-memory store's tables: values by id, and what is ready, free, due or open kept in order.

Rule: nothing here looks at every row to find a few. Values given to `put` belong to the table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import replace
from typing import Generic, TypeVar

from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.jsonvalue import Json
from sm_cli.store.base import Job, MapRun, Status, Timer, TimerKind
from sm_cli.store.ordered import Key, Ordered

Group = TypeVar("Group", bound=Hashable)


class Grouped(Generic[Group, Key]):
    """An Ordered for each group that has members."""

    def __init__(self) -> None:
        self._groups: dict[Group, Ordered[Key]] = {}

    def add(self, group: Group, key: Key) -> None:
        ordered = self._groups.get(group)
        if ordered is None:
            ordered = self._groups[group] = Ordered()
        ordered.add(key)

    def discard(self, group: Group, key: Key) -> None:
        ordered = self._groups.get(group)
        if ordered is not None:
            ordered.discard(key)
            if not ordered:
                del self._groups[group]

    def groups(self) -> Collection[Group]:
        return self._groups.keys()

    def __getitem__(self, group: Group) -> Ordered[Key]:
        return self._groups.get(group) or Ordered()


class MapRuns:
    """Map runs, and the executions that frames started."""

    def __init__(self) -> None:
        self.rows: dict[int, MapRun] = {}
        self.of_fork: dict[tuple[int, int], int] = {}

    def put(self, run: MapRun) -> None:
        self.rows[run.id] = replace(run)
        self.of_fork[run.frame, run.activation] = run.id

    def found(self, ids: Iterable[int], frames: dict[int, Frame]) -> list[MapRun]:
        """With the counts of their frames, where they are open."""
        runs = []
        for id in ids:
            run = replace(self.rows[id])
            frame = frames.get(run.frame)
            if run.status is Status.RUNNING and frame is not None and frame.join is not None:
                run.join = frame.join
            runs.append(run)
        return runs


class Frames:
    """`tree` tells the tree of an execution."""

    def __init__(self, tree: Callable[[int], int]) -> None:
        self.tree = tree
        self.rows: dict[int, Frame] = {}
        self.roots: dict[int, int] = {}
        self.ready: Ordered[int] = Ordered()
        self.ready_in: Grouped[int, int] = Grouped()
        self.open_of: Grouped[int, int] = Grouped()
        #: Open children by parent; pending ones and all by (parent, activation).
        self.open_below: Grouped[int, int] = Grouped()
        self.pending: Grouped[tuple[int, int], tuple[int, int]] = Grouped()
        self._children: defaultdict[tuple[int, int], list[int]] = defaultdict(list)

    def put(self, frame: Frame) -> None:
        old = self.rows.get(frame.id)
        self.rows[frame.id] = frame
        if old is None:
            if frame.parent is None:
                self.roots[frame.execution] = frame.id
            else:
                self._children[frame.parent, frame.activation].append(frame.id)
        elif old.status is frame.status:
            return
        else:
            self._leave(old)
        self._enter(frame)

    def wake(self, id: int, wake: Json) -> None:
        if id in self.rows:
            frame = self.rows[id].copy()
            frame.status, frame.opens, frame.wake = FrameStatus.READY, Opens.NOTHING, wake
            self.put(frame)

    def _enter(self, frame: Frame) -> None:
        if frame.status.closed:
            return
        self.open_of.add(frame.execution, frame.id)
        if frame.status is FrameStatus.READY:
            self.ready.add(frame.id)
            self.ready_in.add(self.tree(frame.execution), frame.id)
        if frame.parent is not None:
            self.open_below.add(frame.parent, frame.id)
            if frame.status is FrameStatus.PENDING:
                self.pending.add((frame.parent, frame.activation), (frame.index, frame.id))

    def _leave(self, frame: Frame) -> None:
        self.open_of.discard(frame.execution, frame.id)
        if frame.status is FrameStatus.READY:
            self.ready.discard(frame.id)
            self.ready_in.discard(self.tree(frame.execution), frame.id)
        if frame.parent is not None:
            self.open_below.discard(frame.parent, frame.id)
            if frame.status is FrameStatus.PENDING:
                self.pending.discard((frame.parent, frame.activation), (frame.index, frame.id))

    def children(self, parent: int, activation: int) -> list[Frame]:
        """Of any status, lowest index first."""
        found = [self.rows[id] for id in self._children.get((parent, activation), ())]
        return sorted(found, key=lambda frame: frame.index)

    def below(self, frame: int) -> list[Frame]:
        """Open ones at any depth, lowest id first; an open frame's parent is open, or it is `frame`."""
        found: list[int] = []
        parents = [frame]
        while parents:
            children = self.open_below[parents.pop()].all()
            found += children
            parents += children
        return [self.rows[id] for id in sorted(found)]


class Jobs:
    """Keys are (-priority, id): highest priority first, then lowest id."""

    def __init__(self, tree: Callable[[int], int]) -> None:
        self.tree = tree
        self.rows: dict[int, Job] = {}
        self.leased: dict[int, Job] = {}
        self.free: Ordered[tuple[int, int]] = Ordered()
        self.free_in_queue: Grouped[str, tuple[int, int]] = Grouped()
        self.free_in: Grouped[int, tuple[int, int]] = Grouped()
        self.free_of_resource: Grouped[str, tuple[int, int]] = Grouped()
        self.of_execution: Grouped[int, int] = Grouped()
        self.of_frame: defaultdict[int, list[int]] = defaultdict(list)

    def put(self, job: Job) -> None:
        if job.id in self.rows:
            self._leave(self.rows[job.id])
        else:
            self.of_frame[job.frame].append(job.id)
            self.of_execution.add(job.execution, job.id)
        self.rows[job.id] = job
        if job.leased_until is not None:
            self.leased[job.id] = job
            return
        key = (-job.priority, job.id)
        self.free.add(key)
        self.free_in_queue.add(job.queue, key)
        self.free_in.add(self.tree(job.execution), key)
        self.free_of_resource.add(job.resource, key)

    def remove(self, frame: int) -> None:
        for id in self.of_frame.pop(frame, ()):
            job = self.rows.pop(id)
            self._leave(job)
            self.of_execution.discard(job.execution, id)

    def _leave(self, job: Job) -> None:
        if self.leased.pop(job.id, None) is None:
            key = (-job.priority, job.id)
            self.free.discard(key)
            self.free_in_queue.discard(job.queue, key)
            self.free_in.discard(self.tree(job.execution), key)
            self.free_of_resource.discard(job.resource, key)


class Timers:
    """Keys are (due, frame, kind)."""

    def __init__(self, tree: Callable[[int], int]) -> None:
        self.tree = tree
        self.rows: dict[tuple[int, str], Timer] = {}
        self.due: Ordered[tuple[int, int, str]] = Ordered()
        self.due_of: Grouped[int, tuple[int, int, str]] = Grouped()
        self.due_in: Grouped[int, tuple[int, int, str]] = Grouped()

    def put(self, timer: Timer) -> None:
        self._remove(timer.frame, timer.kind.value)
        key = (timer.due, timer.frame, timer.kind.value)
        self.rows[key[1:]] = timer
        self.due.add(key)
        self.due_of.add(timer.execution, key)
        self.due_in.add(self.tree(timer.execution), key)

    def remove(self, frame: int) -> None:
        for kind in TimerKind:
            self._remove(frame, kind.value)

    def _remove(self, frame: int, kind: str) -> None:
        timer = self.rows.pop((frame, kind), None)
        if timer is not None:
            key = (timer.due, frame, kind)
            self.due.discard(key)
            self.due_of.discard(timer.execution, key)
            self.due_in.discard(self.tree(timer.execution), key)

    def named(self, keys: list[tuple[int, int, str]]) -> list[Timer]:
        return [self.rows[frame, kind] for _, frame, kind in keys]
