"""The states as they pass, on stderr: a live picture on a terminal, plain lines with `-v`, else nothing.

Rule: a watcher only reads. It is shown the history's new events and the time, whoever wrote them: this
process or a worker beside it.
"""

from __future__ import annotations

import os
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.actions import command_of, send_command
from sm_cli.cli.terminal.failures import say
from sm_cli.jsonvalue import scalar_text
from sm_cli.views.actions import Action, Do
from sm_cli.views.records import HistoryEvent
from sm_cli.views.state_visits import StateVisit, StateVisits

if TYPE_CHECKING:
    from collections.abc import Hashable

    from rich.live import Live

    from sm_cli.views.why import Reason

_MARKS = {"SUCCEEDED": "✓", "CAUGHT": "↷", "FAILED": "✗", "ABORTED": "⊘", "TIMED_OUT": "✗", "RUNNING": "…"}
_COLOURS = {"SUCCEEDED": "green", "FAILED": "red", "TIMED_OUT": "red", "CAUGHT": "yellow", "ABORTED": "yellow"}
#: How many states under way the picture shows; the others are counted.
_SHOWN = 12


class Watcher(Protocol):
    """Who is shown what happens in an execution while a command waits for it."""

    #: Whether it wants to be shown events.
    looks: bool
    #: How far the map runs under way are, by the state that they belong to.
    runs: dict[str, str]

    def __enter__(self) -> Watcher: ...
    def __exit__(self, *details: object) -> None: ...
    def see(self, events: list[HistoryEvent], now: int) -> None:
        """New events of the execution, in order, perhaps none. `now` is microseconds since 1970 UTC."""

    def stands_still(self, reasons: list[Reason]) -> None:
        """Nothing moves, for these reasons; none: something moves again."""


def watcher(verbose: bool) -> Watcher:
    """The one that fits stderr: a picture in a terminal, lines when they are asked for, else nothing."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return Picture(verbose)
    return LiveLines() if verbose else Nobody()


class Nobody:
    """Shows nothing but why nothing moves: each reason once."""

    looks = False

    def __init__(self) -> None:
        self.runs: dict[str, str] = {}
        self.told: set[Hashable] = set()

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *details: object) -> None:
        return None

    def see(self, events: list[HistoryEvent], now: int) -> None:  # noqa: ARG002 - the protocol's
        """Nothing is shown."""
        return

    def stands_still(self, reasons: list[Reason]) -> None:
        """One line for each reason that was not told yet."""
        for reason in reasons:
            # One that only time has changed is the same; a retry that follows another is not.
            known = reason.kind, reason.state, reason.action, reason.until if reason.kind == "retry" else None
            if known not in self.told:
                self.told.add(known)
                say(f"  … {standstill(reason)}")


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
            # The end of the execution ends whatever was under way.
            for frame in [*self.open] if event.type.startswith("Execution") else [event.frame]:
                visit = self.open.get(frame)
                if visit is not None and visit.ended is not None:
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

    def tell(self, visit: StateVisit) -> None:
        """One visit that has ended."""
        self.line(line_of(visit))

    def line(self, text: str, colour: str | None = None) -> None:  # noqa: ARG002 - the picture's
        """Write a line."""
        say(text)


def line_of(visit: StateVisit) -> str:
    """`  ✓ ValidatePayment  12 ms`, indented by the iterations and branches that it is in."""
    assert visit.ended is not None
    place = f"{visit.where[-1].rpartition('[')[2].removesuffix(']')}: " if visit.where else ""
    retries = f", {visit.retries} {'retry' if visit.retries == 1 else 'retries'}" if visit.retries else ""
    error = f"  {tables.cut(visit.error)}" if visit.error else ""
    took = tables.duration(visit.ended - visit.started)
    indent = "  " * (1 + len(visit.where))
    return tables.clean(f"{indent}{_MARKS[visit.status]} {place}{visit.name}  {took}{retries}{error}")


class Picture(LiveLines):
    """LiveLines for what has ended; below them, alive, what is under way. Iterations of a Map are only counted
    unless `verbose`: ten thousand lines are no picture."""

    def __init__(self, verbose: bool) -> None:
        super().__init__()
        self.verbose = verbose
        self.live: Live | None = None
        self.done: dict[str, int] = {}
        self.reasons: list[Reason] = []

    def __enter__(self) -> Watcher:
        from rich.console import Console
        from rich.live import Live

        self.live = Live(console=Console(stderr=True), transient=True, refresh_per_second=12, redirect_stdout=False)
        self.live.start()
        return self

    def __exit__(self, *details: object) -> None:
        if self.live is not None:
            self.live.stop()

    def see(self, events: list[HistoryEvent], now: int) -> None:
        """Lines for what has ended, and below them what is under way."""
        super().see(events, now)
        assert self.live is not None
        self.live.update(self.under_way(now))

    def stands_still(self, reasons: list[Reason]) -> None:
        """Below the picture, as long as they hold."""
        self.reasons = self.not_asked_for(reasons)

    def tell(self, visit: StateVisit) -> None:
        """One visit that has ended; of iterations that succeeded only their number."""
        if visit.where and not self.verbose and visit.status == "SUCCEEDED":
            outermost = visit.where[0].rpartition("[")[0]
            self.done[outermost] = self.done.get(outermost, 0) + 1
            return
        self.line(line_of(visit), _COLOURS.get(visit.status))

    def line(self, text: str, colour: str | None = None) -> None:
        """Write a line above the picture."""
        from rich.text import Text

        assert self.live is not None
        self.live.console.print(Text(tables.clean(text), style=colour or ""), soft_wrap=True)

    def under_way(self, now: int) -> Any:
        """What is drawn of the states under way. now: microseconds since 1970 UTC."""
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        shown: list[Any] = []
        for visit in islice(self.open.values(), _SHOWN):
            inside = self.done.get(visit.name, 0) if not visit.where else 0
            counted = f"  {inside:,} states inside done" if inside else ""
            if visit.name in self.runs:
                counted = f"  {self.runs[visit.name].partition(': ')[2]}"
            tried = f"  attempt {visit.retries + 1}" if visit.retries else ""
            took = tables.duration(now - visit.started)
            text = tables.clean(f"{'  ' * len(visit.where)}{visit.name}  {took}{tried}{counted}")
            shown.append(Spinner("dots", Text(f" {text}"), style="cyan"))
        if len(self.open) > _SHOWN:
            shown.append(Text(f"    and {len(self.open) - _SHOWN:,} more"))
        shown += [Text(f"  … {standstill(reason)}", style="yellow") for reason in self.reasons]
        return Group(*shown)
