"""The states as they pass, on stderr, where no picture is drawn: plain lines with `-v`, else how far it is every ten
seconds.

A watcher only reads. It is shown the history's new events and the time, whoever wrote them: this
process or a worker beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.actions import command_of, send_command
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.progress import Rates, map_words
from sm_cli.jsonvalue import scalar_text
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.actions import Action, Do
from sm_cli.views.records import HistoryEvent
from sm_cli.views.state_visits import StateVisit, StateVisits

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sm_cli.views.watch import Progress
    from sm_cli.views.why import Reason

MARKS = {"SUCCEEDED": "✓", "CAUGHT": "↷", "FAILED": "✗", "ABORTED": "⊘", "TIMED_OUT": "✗", "RUNNING": "…"}
#: Microseconds between two lines about how far it is.
_EVERY = 10 * MICROSECONDS
#: So many states are told of in one line.
_TOLD = 4


class Watcher(Protocol):
    """Who is shown what happens in an execution while a command waits for it."""

    #: Whether it wants to be shown events.
    looks: bool
    #: After so many microseconds it wants to be told again how far the execution is; None: never.
    interval: int | None

    def __enter__(self) -> Watcher: ...
    def __exit__(self, *details: object) -> None: ...
    def see(self, events: list[HistoryEvent], now: int) -> None:
        """New events of the execution, in order, perhaps none. `now` is microseconds since 1970 UTC."""

    def asks(self, now: int) -> list[int]:
        """The frames whose progress it wants to be shown, perhaps none. `now` is microseconds since 1970 UTC."""

    def learn(self, progress: dict[int, Progress], now: int) -> None:
        """How far the frames that it asked for are, by id."""

    def report(self, progress: list[Progress], now: int) -> None:
        """How far the execution is: its frames under way, parents before their children."""

    def line(self, text: str, colour: str | None = None) -> None:
        """Write a line. colour: the numbers of its escape sequence; a watcher without colours passes it over."""

    def stands_still(self, reasons: list[Reason]) -> None:
        """Nothing moves, for these reasons; none: something moves again."""


class Nobody:
    """Shows why nothing moves, each reason once, and every ten seconds how far it is (less often while that stays)."""

    looks = False
    interval: int | None = _EVERY

    def __init__(self) -> None:
        self.topics: set[Hashable] = set()
        self.rates = Rates()
        self._last_state: object = None
        self._next, self._pause = 0, _EVERY  # lines about the same come less and less often

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *details: object) -> None:
        return None

    def see(self, events: list[HistoryEvent], now: int) -> None:  # noqa: ARG002 - the protocol's
        """Nothing is shown."""
        return

    def asks(self, now: int) -> list[int]:  # noqa: ARG002 - the protocol's
        """None."""
        return []

    def learn(self, progress: dict[int, Progress], now: int) -> None:
        """Nothing was asked."""

    def report(self, progress: list[Progress], now: int) -> None:
        """One line, of Maps how far they are, of other states since when they are under way."""
        for each in progress:
            self.rates.note(each.frame.id, each.frame.join, now)
        is_new = (state := [(each.frame.id, each.frame.seq, each.frame.join) for each in progress]) != self._last_state
        if not progress or (not is_new and now < self._next):
            return
        self._pause = _EVERY if is_new else 2 * self._pause
        self._last_state, self._next = state, now + self._pause
        maps = [each for each in progress if each.frame.join is not None]
        words = [f"{each.frame.state} {_map_text(each, self.rates)}" for each in maps]
        words = words or [f"{p.frame.state} for {tables.duration(now - p.frame.entered_at)}" for p in progress]
        more = f" and {len(words) - _TOLD} more" if len(words) > _TOLD else ""
        say(f"  … {'; '.join(words[:_TOLD])}{more}")

    def line(self, text: str, colour: str | None = None) -> None:  # noqa: ARG002 - the picture's
        """Write a line."""
        say(text)

    def stands_still(self, reasons: list[Reason]) -> None:
        """One line for each reason that was not told yet."""
        for reason in reasons:
            # One that only time has changed is the same; a retry that follows another is not.
            topic = reason.kind, reason.state, reason.action, reason.until if reason.kind == "retry" else None
            if topic not in self.topics:
                self.topics.add(topic)
                say(f"  … {standstill(reason)}")


def _map_text(each: Progress, rates: Rates) -> str:
    join = each.frame.join
    assert join is not None
    return "".join(p.text for p in map_words(join, rates.of(each.frame.id, join), None, opens=each.frame.opens))


def standstill(reason: Reason) -> str:
    """The sentence, and the command that would move it."""
    action = reason.action
    if action is None or action.do is Do.START_WORKER:  # it is worked on here
        return tables.clean(reason.text)
    if action.do is Do.COMPLETE_TASK:
        action = Action(Do.LIST_TASKS)  # with the token, which is not for logs
    return tables.clean(f"{reason.text.removesuffix('.')}: {command_of(action)}")


class LiveLines(Nobody):
    """One line for each state that ends, and one for each message that is waited for."""

    looks = True

    def __init__(self) -> None:
        super().__init__()
        self.asked_for: set[tuple[str, ...]] = set()  # key and value of each message
        self.view = StateVisits()
        self.open: dict[int, StateVisit] = {}  # frame -> its visit under way

    def see(self, events: list[HistoryEvent], now: int) -> None:  # noqa: ARG002 - the protocol's
        """One line for each state that ends."""
        for event in events:
            self.view.add(event)
            if event.type == "MessageSubscribed":
                self.waits(event)
            if event.type.endswith("StateEntered"):
                self.open[event.frame] = self.view.current[event.frame]
                self.begins(self.open[event.frame])
            # The end of the execution ends whatever was under way.
            for frame in [*self.open] if event.type.startswith("Execution") else [event.frame]:
                visit = self.open.get(frame)
                if visit is not None and visit.end is not None:
                    del self.open[frame]
                    self.tell(visit)
        self.view.visits.clear()  # only what is under way is looked at

    def stands_still(self, reasons: list[Reason]) -> None:
        """One line for each reason that was not told yet."""
        super().stands_still(self.not_asked_for(reasons))

    def not_asked_for(self, reasons: list[Reason]) -> list[Reason]:
        """The reasons without messages that were asked for when the execution began to wait for them."""
        return [reason for reason in reasons if reason.action is None or reason.action.arguments not in self.asked_for]

    def waits(self, event: HistoryEvent) -> None:
        """Say how to send the message that a state waits for."""
        key, value = str(event.detail["correlationKey"]), scalar_text(event.detail["correlationValue"])
        self.asked_for.add((key, value))
        visit = self.view.current.get(event.frame)
        state = visit.name if visit else "it"
        self.line(f"  … {tables.clean(state)} waits for a message; send it with: {send_command(key, value)}")

    def begins(self, visit: StateVisit) -> None:
        """One visit that has begun; a line comes when it ends."""

    def tell(self, visit: StateVisit) -> None:
        """One visit that has ended."""
        self.line(line_of(visit))


def line_of(visit: StateVisit) -> str:
    """`  ✓ ValidatePayment  12 ms`, indented by the iterations and branches that it is in."""
    assert visit.end is not None
    place = f"{visit.where[-1].rpartition('[')[2].removesuffix(']')}: " if visit.where else ""
    retries = f", {visit.retries} {'retry' if visit.retries == 1 else 'retries'}" if visit.retries else ""
    error = f"  {tables.cut(visit.error)}" if visit.error else ""
    took = tables.duration(visit.end - visit.start)
    indent = "  " * (1 + len(visit.where))
    return tables.clean(f"{indent}{MARKS[visit.status]} {place}{visit.name}  {took}{retries}{error}")
