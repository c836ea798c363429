"""An execution's history as people and AWS's clients read it.

Read only; the events are what was recorded, shaped.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sm_cli.jsonvalue import Json
from sm_cli.store.records import HistoryEvent


@dataclass(slots=True)
class StateVisit:
    """One visit of a state. Times are microseconds since 1970 UTC; `end` is None while it is under way.

    status: RUNNING, SUCCEEDED, FAILED, CAUGHT (left by a catcher) or ABORTED. where: the Map iterations and
    Parallel branches it is in, as "Name[3]", outermost first. retries: attempts after the first.
    """

    #: The state's name.
    name: str
    #: The state's type, such as Task.
    type: str
    #: When the state was entered.
    start: int
    end: int | None = None
    status: str = "RUNNING"
    retries: int = 0
    where: tuple[str, ...] = ()
    #: The state's raw input.
    input: Json = None
    #: What the state was left with; None while it is under way.
    output: Json = None
    #: The error name of a visit that failed; None otherwise.
    error: str | None = None
    #: Text for people; None when there is none.
    cause: str | None = None
    #: The id of the frame that visited it.
    frame: int = 0
    #: The number of the newest event that says that its work failed; 0 when none does.
    failure: int = 0
    #: Microseconds that its tasks were in the queue, before a worker took them.
    queue_time: int = 0
    #: Since when one is in the queue; None when none is.
    queued_since: int | None = None

    def queue_time_until(self, now: int) -> int:
        """Microseconds that its tasks were in the queue up to this moment, microseconds since 1970 UTC."""
        return self.queue_time if self.queued_since is None else self.queue_time + max(0, now - self.queued_since)


_ATTEMPT = ("Scheduled", "ParallelStateStarted", "MapStateStarted", "MessageSubscribed")
_FAILED = ("Failed", "TimedOut")
_OVER = (*_FAILED, "StateExited", "Aborted")
#: What ends the branches of a Parallel before they have come to their end.
_FORK_OVER = ("ParallelStateFailed", "ParallelStateAborted")
_LEFT = ("SUCCEEDED", "CAUGHT")
_CLOSED = ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted", "ExecutionSucceeded")


def state_visits(events: Iterable[HistoryEvent]) -> list[StateVisit]:
    """The per-state view: one row for each state that was entered, in order of entering."""
    view = StateVisits()
    for event in events:
        view.add(event)
    return list(view.visits)


class StateVisits:
    """The per-state view as it grows: `add` takes the events of one execution, in order.

    visits: every visit so far that was not taken, in order of entering. current: frame to its newest visit. data: keep
    inputs and outputs; without it they are None.
    """

    def __init__(self, *, data: bool = True) -> None:
        self.visits: deque[StateVisit] = deque()
        self._data = data
        self.current: dict[int, StateVisit] = {}
        self._attempts: dict[int, int] = {}
        self._place: dict[int, tuple[str, ...]] = {}
        self._parent: dict[int, int] = {}  # frame of an iteration or a branch -> frame of its Map or Parallel
        self._frame_of = _FrameOfEvent()
        self._branches: dict[int, list[int]] = {}  # frame of a Parallel -> frames of its newest attempt's branches

    def add(self, event: HistoryEvent) -> None:
        """Take in the next event; events come in the order of their numbers."""
        self._frame_of.add(event.number, event.frame)
        if event.type == "MapIterationStarted":
            owner = self._parent[event.frame] = self._owner(event)
            outer = self._place.get(owner, ())
            self._place[event.frame] = (*outer, f"{event.detail['name']}[{event.detail['index']}]")
        elif event.type.endswith("StateEntered"):
            visit = _visit_of(event, data=self._data)
            if event.frame not in self._place:
                self._place[event.frame] = self._branch(event)
            visit.where = self._place[event.frame]
            self._go_on_around(event.frame)
            self.visits.append(visit)
            self.current[event.frame] = visit
            self._attempts[event.frame] = 0
        elif (current := self.current.get(event.frame)) is not None:
            _follow(event, current, self._attempts)
            if not self._data:
                current.output = None
        if event.type == "ParallelStateStarted":
            self._branches[event.frame] = []
        elif event.type in _FORK_OVER:
            self._end_branches(event)
        if event.type in _CLOSED:
            _close_all(event, self.current.values(), self._frame_of.get(event.previous))

    def take_ended(self, *, redriven: bool) -> Iterator[StateVisit]:
        """Take the first visits as far as nothing that comes can change them. redriven: whether the execution ever was:
        then a visit that failed goes on."""
        while self.visits:
            first = self.visits[0]
            if first.end is None:
                return
            if redriven and first.status not in _LEFT and self.current.get(first.frame) is first:
                return
            yield self.visits.popleft()

    def _branch(self, event: HistoryEvent) -> tuple[str, ...]:
        """The place of a frame that is seen for the first time: the root's, or that of a Parallel's branch."""
        parent = self.current.get(self._frame_of.get(event.previous))
        if parent is None:
            return ()
        branches = self._branches.setdefault(parent.frame, [])
        branches.append(event.frame)
        self._parent[event.frame] = parent.frame
        return (*parent.where, f"{parent.name}[{len(branches) - 1}]")

    def _owner(self, event: HistoryEvent) -> int:
        """The frame whose Map this iteration belongs to: that of the event it follows, or of a sibling before."""
        before = self._frame_of.get(event.previous)
        steps = self._place.get(before, ())
        is_sibling = bool(steps) and steps[-1].rpartition("[")[0] == str(event.detail["name"])
        return self._parent[before] if is_sibling else before

    def _go_on_around(self, frame: int) -> None:
        """A state is entered in a Map or Parallel that had failed: the execution was redriven, and they go on."""
        around = self.current.get(self._parent.get(frame, -1))
        while around is not None and around.end is not None:
            around.end, around.status, around.error, around.cause = None, "RUNNING", None, None
            around = self.current.get(self._parent.get(around.frame, -1))

    def _end_branches(self, event: HistoryEvent) -> None:
        """A Parallel has failed, or is aborted, and its branches with it. AWS's histories tell of it for some types of
        states only: of a Fail, a Map or a Message in a branch there is no event."""
        failing = self._frame_of.get(event.previous)
        for frame in self._branches.get(event.frame, ()):
            visit = self.current.get(frame)
            if visit is not None and visit.end is None:
                _end_branch(visit, event, has_failed=frame == failing and event.type == "ParallelStateFailed")


class _FrameOfEvent:
    """The frame of each event, by its number: an entry where the frame changes, for a loop of a million events stays in
    one frame."""

    def __init__(self) -> None:
        self._first = array("q")
        self._frame = array("q")

    def add(self, number: int, frame: int) -> None:
        """The next event's."""
        if not self._frame or self._frame[-1] != frame:
            self._first.append(number)
            self._frame.append(frame)

    def get(self, number: int) -> int:
        """-1 for an event before the first one."""
        place = bisect_right(self._first, number)
        return self._frame[place - 1] if place else -1


def _visit_of(event: HistoryEvent, *, data: bool) -> StateVisit:
    return StateVisit(
        name=str(event.detail["name"]),
        type=event.type.removesuffix("StateEntered"),
        start=event.at,
        input=event.detail.get("input") if data else None,
        frame=event.frame,
    )


def _follow(event: HistoryEvent, visit: StateVisit, attempts: dict[int, int]) -> None:
    if visit.queued_since is not None:
        if event.type.endswith(("Started", "Submitted")) or event.type.endswith(_OVER):
            visit.queue_time, visit.queued_since = visit.queue_time_until(event.at), None
    elif event.type.endswith("Scheduled"):
        visit.queued_since = event.at
    if event.type.endswith(_ATTEMPT):
        attempts[event.frame] += 1
        visit.retries = attempts[event.frame] - 1
        visit.error = visit.cause = None
    elif event.type.endswith("StateExited"):
        visit.end, visit.output = event.at, event.detail.get("output")
        visit.status = "CAUGHT" if visit.error is not None else "SUCCEEDED"
    elif event.type.endswith("StateAborted") or event.type == "MapIterationAborted":
        _end(visit, event, "FAILED" if visit.error is not None else "ABORTED")
    elif event.type == "MapIterationFailed":
        _end(visit, event, "FAILED")
    elif event.type.endswith(_FAILED) and not event.type.startswith("Execution"):
        visit.failure, visit.error = event.number, str(event.detail.get("error", ""))
        cause = event.detail.get("cause")
        visit.cause = None if cause is None else str(cause)


def _end(visit: StateVisit, event: HistoryEvent, status: str) -> None:
    if visit.end is None:
        visit.end, visit.status = event.at, status


def _end_branch(visit: StateVisit, event: HistoryEvent, *, has_failed: bool) -> None:
    """The visit that a branch ended in: that whose error its Parallel fails with carries that error."""
    if has_failed:
        _take_error(visit, event)
    visit.queue_time, visit.queued_since = visit.queue_time_until(event.at), None
    _end(visit, event, "FAILED" if has_failed or visit.error is not None else "ABORTED")


def _take_error(visit: StateVisit, event: HistoryEvent) -> None:
    error, cause = event.detail.get("error"), event.detail.get("cause")
    visit.error = visit.error if error is None else str(error)
    visit.cause = visit.cause if cause is None else str(cause)


def _close_all(event: HistoryEvent, visits: Iterable[StateVisit], failing: int | None) -> None:
    """The execution is closed: so is everything in it. The state that it failed in carries its error, also one of a
    branch (`failing`: the frame of the event before), whose error ends the execution at once."""
    for visit in visits:
        if visit.end is not None:
            continue
        has_failed = event.type == "ExecutionFailed" and visit.frame in (event.frame, failing)
        visit.end = event.at
        visit.queue_time, visit.queued_since = visit.queue_time_until(event.at), None
        visit.status = {
            "ExecutionSucceeded": "SUCCEEDED",
            "ExecutionFailed": "FAILED" if has_failed else "ABORTED",
        }.get(event.type, "TIMED_OUT" if event.type == "ExecutionTimedOut" else "ABORTED")
        if has_failed:
            _take_error(visit, event)
