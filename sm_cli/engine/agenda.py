"""What a tick steps next, and whose turn it is: executions take turns by the time that stepping them has taken.

A tree (an execution and those below it) that has had less than the others goes first, and what it has had is
remembered from tick to tick as long as another tree waits. Inside a tree, first come, first served. A closed agenda
steps only what this transaction has to finish; everything else stays in the store, or with the one that offered it.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias

from sm_cli.interpreter.events import Event
from sm_cli.store.locks import Lock
from sm_cli.timestamps import MICROSECONDS

#: What a frame is to be stepped with: an event, or what is to be done in its turn (which may ask for events), or None
#: for a frame of the store that is READY.
What: TypeAlias = Event | Callable[[], None] | None
#: A frame, what it is stepped with, and who keeps that when the tick ends before its turn: None when nobody does.
Entry: TypeAlias = tuple[int, What, object]

#: A tree keeps its turn for so many microseconds, if it has enough to do.
_TURN = 1000
#: How many trees of executions are remembered before their places are read again.
_MOST_PLACES = 10_000

#: Microseconds before a postponed tree is tried again, and after which what it needs is waited for.
_PAUSE, _LONGEST = MICROSECONDS // 20, 5 * MICROSECONDS
#: Kinds of locks for which a tree is left: others need them, too, but for moments.
_OF_TREES = frozenset(["part", "message"])
#: So many trees a tick leaves; with more it waits.
_MOST_POSTPONED = 8

#: Keepers: the frame is READY, or the timer is due, in the store.
STORED = object()


class Shares:
    """The time that every tree has had (`stepping_times`), in microseconds; lives as long as its engine.

    floor: the time that a new tree begins with: no more than any tree that waited has had. places: execution to tree.
    kinds: tree to the digest of its definition; costs: what a turn of such a tree took recently, so that a tree without
    a turn so far goes behind those that are known to be quick. last_tree, last_timer: the last tree, and the last due
    timer (due, frame), that a tick looked at, where there were more than it could take. alone: whether the next tick is
    a suspect's; last_suspect: the frame that had the last such tick; suspects_since: since when a suspect waits for
    such a tick, in microseconds since 1970 UTC.
    """

    def __init__(self) -> None:
        self.stepping_times: dict[int, int] = {}
        self.floor = 0
        self.places: dict[int, int] = {}
        self.kinds: dict[int, str] = {}
        self.costs: dict[str, int] = {}
        self.last_tree = 0
        self.last_timer: tuple[int, int] | None = None
        self.alone = False
        self.suspects_since: int | None = None
        self.last_suspect = 0

    def of(self, tree: int) -> int:
        """What this tree has had recently, in microseconds of stepping."""
        floor = self.floor - 1
        time = self.stepping_times.get(tree, floor)
        return time if time > floor else floor

    def place(self, tree: int) -> int:
        """What the tree will have had after its next turn, as far as one can know; the least goes first."""
        return self.of(tree) + self.costs.get(self.kinds.get(tree, ""), 0)

    def pay(self, tree: int, time: int) -> None:
        """The tree has had a turn."""
        self.stepping_times[tree] = self.of(tree) + time
        kind = self.kinds.get(tree)
        if kind is not None:
            self.costs[kind] = (3 * self.costs.get(kind, time) + time) // 4

    def settle(self, waiting: list[int]) -> None:
        """After a tick: `waiting` trees have more to do. Without any, nobody has had too much."""
        if not waiting:
            self.stepping_times.clear()
            self.floor = 0
        else:
            self.floor = min(self.of(tree) for tree in waiting)
            self.stepping_times = {tree: time for tree, time in self.stepping_times.items() if time >= self.floor}
        if len(self.places) > _MOST_PLACES:
            self.places.clear()
            self.kinds.clear()
            self.costs.clear()


class Agenda:
    """Entries by tree. What is appended belongs to the tree whose turn it is; tree 0, before any turn, goes first."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._lane: deque[Entry] = deque()
        self._tree = 0
        #: Microseconds of this turn.
        self.turn_time = 0
        self._lanes: dict[int, deque[Entry]] = {0: self._lane}
        self._order: list[tuple[int, int]] = []
        self.closed = False
        #: Trees that are left as they are by this tick: one of them needs what somebody else has.
        self.postponed_trees: frozenset[int] = frozenset()
        #: What nobody has stepped: the keepers of what this tick had no time for.
        self.keepers: list[object] = []
        self._waiting: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._lane or self._order)

    @property
    def tree(self) -> int:
        """The tree whose turn it is; 0 before any turn."""
        return self._tree

    @property
    def has_results(self) -> bool:
        """Whether somebody waits for what was offered to be done."""
        return any(keeper is not STORED for _, _, keeper in self)

    def __iter__(self) -> Iterator[Entry]:
        for lane in self._lanes.values():
            yield from lane

    def upcoming(self) -> Iterator[Entry]:
        """What waits, in the order in which it will have its turn, as far as one can know."""
        yield from self._lane
        for _, tree in sorted(self._order):
            yield from self._lanes[tree]

    def has(self, frame: int, seq: int) -> bool:
        """Whether an event for this address waits for its turn."""
        events = (what for id, what, _ in self if id == frame and what is not None and not callable(what))
        return any(event.seq == seq for event in events)

    def append(self, entry: tuple[int, Event]) -> None:
        """What this transaction has to do."""
        self._lane.append((*entry, None))

    def appendleft(self, entry: tuple[int, Event]) -> None:
        """The entry is the next one of its tree."""
        self._lane.appendleft((*entry, None))

    def wake(self, frame: int, event: Event) -> None:
        """A frame that is written as READY: stepped, if there is time."""
        if self.closed:
            self._waiting.add(self._tree)
        else:
            self._lane.append((frame, event, STORED))

    def offer(self, tree: int, frame: int, what: What, keeper: object = STORED) -> None:
        """What is stepped in its tree's turn, if there is time; else it is its keeper's."""
        if self.closed or tree in self.postponed_trees:
            self._leave(tree, keeper)
            return
        self._offer(tree, (frame, what, keeper))

    def _offer(self, tree: int, entry: Entry) -> None:
        lane = self._lanes.get(tree)
        if lane is None:
            lane = self._lanes[tree] = deque()
        if not lane and lane is not self._lane:
            heapq.heappush(self._order, (self._shares.place(tree), tree))
        lane.append(entry)

    def next(self) -> Entry | None:
        """What is stepped now; None when nothing is left."""
        if not self._lane or self.turn_time >= _TURN:
            self._turn()
        return self._lane.popleft() if self._lane else None

    def first(self, what: Callable[[], None]) -> None:
        """Do this; what it asks for comes before all that waits in its tree."""
        if not self._lane:
            what()
            return
        lane, self._lane = self._lane, deque()
        try:
            what()
        finally:
            requests, self._lane = self._lane, lane
            lane.extendleft(reversed(requests))

    def charge(self, microseconds: int) -> None:
        """The tree whose turn it is has had so much."""
        self.turn_time += microseconds

    def close(self) -> None:
        """The tick has had its time: go on only with what somebody else does not keep."""
        self.closed = True
        for tree, lane in self._lanes.items():
            must = [entry for entry in lane if entry[2] is None]
            for _, _, keeper in lane:
                if keeper is not None:
                    self._leave(tree, keeper)
            lane.clear()
            lane.extend(must)

    def settle(self) -> None:
        """The tick is over."""
        self._pay()
        self._shares.settle([tree for tree in self._waiting if tree])

    def force(self, tree: int, frame: int, what: What) -> None:
        """What is stepped although the tick is closed."""
        self._offer(tree, (frame, what, None))

    def leave(self, tree: int, keeper: object) -> None:
        """What this tick does not step."""
        self._leave(tree, keeper)

    def _leave(self, tree: int, keeper: object) -> None:
        self._waiting.add(tree)
        if keeper is not STORED:
            self.keepers.append(keeper)

    def _pay(self) -> None:
        if self._tree and self.turn_time:
            self._shares.pay(self._tree, self.turn_time)
        self.turn_time = 0

    def _turn(self) -> None:
        """The next tree that has something to do."""
        self._pay()
        if self._lane:
            heapq.heappush(self._order, (self._shares.place(self._tree), self._tree))
        while self._order:
            _, self._tree = heapq.heappop(self._order)
            self._lane = self._lanes[self._tree]
            if self._lane:  # else `close` has emptied it
                return


class Postponed:
    """Trees that a worker leaves for a moment, because stepping one of them needs what another transaction has.

    Waiting for that would hold up all that the worker has to do. So the tick goes on without the tree, and comes back
    to it; only after _LONGEST is it waited for, so that a tree that others always have has its turn, too. Times are
    microseconds that only grow, of this machine whatever clock the engine has."""

    def __init__(self) -> None:
        self._since: dict[int, int] = {}
        self._tried_at: dict[int, int] = {}

    def now(self, time: int) -> frozenset[int]:
        """Those that are not tried again yet."""
        for tree in [tree for tree, tried_at in self._tried_at.items() if time - tried_at > _LONGEST]:
            del self._tried_at[tree], self._since[tree]  # it has had its turn
        return frozenset(tree for tree, tried_at in self._tried_at.items() if time - tried_at < _PAUSE)

    def add(self, tree: int, missing: Collection[Lock], time: int) -> bool:
        """Leave this one; False when its time to be waited for has come, or it is nothing that a tree could be left
        for."""
        if (
            not tree
            or not missing
            or len(self.now(time)) >= _MOST_POSTPONED
            or any(lock.kind not in _OF_TREES for lock in missing)
        ):
            return False
        if time - self._since.setdefault(tree, time) > _LONGEST:
            del self._since[tree]
            self._tried_at.pop(tree, None)
            return False
        self._tried_at[tree] = time
        return True
