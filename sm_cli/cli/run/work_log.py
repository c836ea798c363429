"""What a worker says of its work: a line for each execution that ends and each attempt at a task that fails.

Only what is committed is told, and of data only names, errors and causes. In JSON the keys of a kind of line are
always all there; docs/worker.md lists them.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from sm_cli.cli.show.places import from_root, traceback_lines
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.logs import is_told, is_verbose, tell
from sm_cli.views.failures import error_line

if TYPE_CHECKING:
    from pathlib import Path

    from sm_cli.views.endings import AttemptEnd, ExecutionEnd
    from sm_cli.views.records import Execution

_RED, _GREEN, _YELLOW = "\x1b[31m", "\x1b[32m", "\x1b[33m"
_PAINT = {"SUCCEEDED": _GREEN, "FAILED": _RED, "TIMED_OUT": _RED, "ABORTED": _YELLOW}
#: As wide as the longest first word of a line, so that what follows stands in one column.
_WORD = 9


class WorkLog:
    """Tells what it hears of `views.endings`, and counts it.

    root: the project's directory. counts_by_status: the executions that no other execution waits for, by status."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.counts_by_status: Counter[str] = Counter()

    @property
    def failures(self) -> int:
        """How many executions ended and did not succeed."""
        return sum(self.counts_by_status.values()) - self.counts_by_status["SUCCEEDED"]

    def execution(self, end: ExecutionEnd) -> None:
        """One line. A child of a map run that did not fail is only told with `-v`."""
        execution = end.execution
        status = execution.status.value
        if execution.parent is None or execution.parent.is_listed:
            self.counts_by_status[status] += 1
        parent = execution.parent
        child = parent is not None and parent.run is not None and not parent.is_listed
        level = logging.DEBUG if child and status in ("SUCCEEDED", "ABORTED") else logging.INFO
        if not is_told(level):
            return
        took = (execution.closed or execution.started) - execution.started
        where = f"in {end.state}" if end.state and status == "FAILED" else ""
        error = error_line(execution.error, execution.cause)
        text = _line(status, _execution_label(execution), tables.duration(took), where, error)
        facts = _facts(execution) | {
            "status": status,
            "state": end.state,
            "duration": _seconds(took),
            "error": execution.error,
            "cause": execution.cause,
        }
        tell("execution.ended", text, facts, level=level, paint=_PAINT[status])

    def attempt(self, end: AttemptEnd) -> None:
        """One line; for an attempt that succeeded only with `-v`."""
        attempt, execution = end.attempt, end.execution
        if not is_told(logging.DEBUG if attempt.error is None else logging.INFO):
            return
        trace = attempt.traceback
        places = [] if trace is None else [from_root(place, self.root) for place in trace.places]
        state = " in ".join([attempt.frame.state, " ".join(end.where)] if end.where else [attempt.frame.state])
        facts = _facts(execution) | {
            "state": attempt.frame.state,
            "where": list(end.where),
            "attempt": attempt.number,
            "duration": None if end.took is None else _seconds(end.took),
            "error": attempt.error,
            "cause": attempt.cause,
            "places": places,
            "traceback": None if trace is None else trace.text.splitlines(),
            "retry_in": None if attempt.again is None else _seconds(attempt.again - end.at),
            "caught": attempt.is_caught,
        }
        took = "" if end.took is None else tables.duration(end.took)
        attempt_text = f"attempt {attempt.number}"
        if attempt.error is None:
            text = _line("done", _execution_label(execution), state, attempt_text, took)
            tell("attempt.succeeded", text, facts, level=logging.DEBUG, paint=_GREEN)
            return
        then = "caught" if attempt.is_caught else ""
        if attempt.again is not None:
            then = f"tried again in {tables.duration(attempt.again - end.at)}"
        error = error_line(attempt.error, attempt.cause)
        if places:
            error += f" at {places[0]}"
        text = _line(
            "failed", _execution_label(execution), state, attempt_text, took, "; ".join(filter(None, [error, then]))
        )
        below = traceback_lines(trace.text, self.root) if trace is not None and is_verbose() else []
        tell("attempt.failed", text, facts, below=below, paint=_YELLOW if then else _RED)


def _line(word: str, *parts: str) -> str:
    return "  ".join([word.ljust(_WORD), *filter(None, parts)])


def _execution_label(execution: Execution) -> str:
    if execution.name == execution.ref:
        return f"{execution.workflow} {execution.ref}"
    return f"{execution.workflow} {execution.name} ({execution.ref})"


def _facts(execution: Execution) -> dict[str, Any]:
    return {"execution": execution.ref, "name": execution.name, "workflow": execution.workflow}


def _seconds(microseconds: int) -> float:
    return round(microseconds / 1_000_000, 3)
