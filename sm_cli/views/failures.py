"""Where an execution failed: the state, the lines of the handler, and of executions below it the one that failed first.

Read only, from one snapshot. Error and cause stay as the history has them; what is told here stands beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sm_cli.errors import InvalidJson
from sm_cli.interpreter.traceback import Traceback
from sm_cli.jsonvalue import Json, loads_exact
from sm_cli.store.records import Execution, Status
from sm_cli.store.sql.questions import Questions
from sm_cli.views.state_visits import StateVisit, state_visits

#: Of a longer history than this only the newest events are read.
_LONG = 20_000
#: So many executions below each other are looked into.
_DEPTH = 20
#: So many failed attempts of a child without history are looked through for the one that ended it.
_NEWEST = 20
#: So many places are told.
_PLACES = 5
#: Characters of a cause in a line.
_CAUSE = 200
_PYTHON = re.compile(r'\s*File "(.*)", line (\d+), in (.*)')


@dataclass(frozen=True, slots=True)
class FailurePlace:
    """Where an execution failed."""

    #: The innermost state: `Charge`, or `Charge in Orders[3]`; None when it has no history.
    state: str | None
    #: Lines of code, innermost first: of a handler here, else those that the cause names; empty when none is known.
    places: tuple[str, ...] = ()
    #: What the handler raised; None when no handler here raised.
    traceback: Traceback | None = None
    #: The execution that the state had started and that failed first, without input and output; None when the state
    #: started none that failed.
    child: Execution | None = None
    #: Where that one failed.
    below: FailurePlace | None = None

    @property
    def innermost(self) -> FailurePlace:
        """Where the failure began: here, or in an execution below."""
        return self if self.below is None else self.below.innermost


def failure_place(questions: Questions, execution: Execution, depth: int = _DEPTH) -> FailurePlace | None:
    """Where a FAILED execution failed; None for others."""
    if execution.status is not Status.FAILED:
        return None
    visits = state_visits(questions.history(execution.id, after=max(0, execution.events - _LONG)))
    failures = [visit for visit in visits if visit.status == "FAILED"]
    if not failures:
        return _without_history(questions, execution)
    visit = max(failures, key=lambda visit: (len(visit.where), visit.start))
    state = f"{visit.name} in {' '.join(visit.where)}" if visit.where else visit.name
    attempt = questions.failed_attempt(execution.id, visit.frame, visit.name)
    if attempt is not None and attempt.number == visit.failure:
        return FailurePlace(state, _places(attempt.traceback, visit.cause), attempt.traceback)
    child = questions.first_failed_execution(visit.frame) if depth and _starts_executions(visit) else None
    if child is None or child.started < visit.start:
        return FailurePlace(state, _places(None, visit.cause))
    return FailurePlace(state, child=child, below=failure_place(questions, child, depth - 1))


def _starts_executions(visit: StateVisit) -> bool:
    return visit.type in ("Task", "Map")


def _without_history(questions: Questions, execution: Execution) -> FailurePlace:
    """EXPRESS children of a map run record no events."""
    for attempt in questions.failed_attempts(execution.id, _NEWEST):
        if attempt.error == execution.error:
            return FailurePlace(attempt.state, _places(attempt.traceback, execution.cause), attempt.traceback)
    return FailurePlace(None, _places(None, execution.cause))


def _places(trace: Traceback | None, cause: str | None) -> tuple[str, ...]:
    if trace is not None and trace.places:
        return trace.places
    lambda_error = None if cause is None else raised_by_lambda(cause)
    return () if lambda_error is None else lambda_error.places


# -- causes ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LambdaError:
    """What Lambda writes as the cause of an exception, as JSON text."""

    #: The exception's own text.
    message: str
    #: The lines of the function's code that it names, innermost first, as `x.py:12 in charge`.
    places: tuple[str, ...]


def raised_by_lambda(cause: str) -> LambdaError | None:
    """None for a cause of any other form."""
    if not cause.startswith("{"):
        return None
    try:
        document = loads_exact(cause)
    except InvalidJson:
        return None
    if not isinstance(document, dict) or not isinstance(document.get("errorMessage"), str):
        return None
    return LambdaError(
        str(document["errorMessage"]), _stack_places(document.get("stackTrace") or document.get("trace"))
    )


def readable_cause(cause: str) -> str:
    """What a cause says to a person."""
    lambda_error = raised_by_lambda(cause)
    return cause if lambda_error is None else lambda_error.message


def error_line(error: str | None, cause: str | None) -> str:
    """`KeyError: 'missing'`, cut to a line: its first."""
    text = readable_cause(cause).strip() if cause else ""
    first = text.partition("\n")[0].rstrip()[:_CAUSE]
    if len(first) < len(text):
        text = f"{first} …"
    return ": ".join(filter(None, [error, text]))


def _stack_places(stack: Json) -> tuple[str, ...]:
    """Python's stackTrace has the innermost frame last; other runtimes have it first, after the error's own line."""
    lines = [line for line in stack if isinstance(line, str)] if isinstance(stack, list) else []
    matches = [_PYTHON.match(line) for line in lines]
    if any(matches):
        python = [f"{place[1]}:{place[2]} in {place[3]}" for place in matches if place]
        return tuple(python[: -_PLACES - 1 : -1])
    others = [line.strip().removeprefix("at ") for line in lines if line.lstrip().startswith("at ")]
    return tuple(others[:_PLACES])
