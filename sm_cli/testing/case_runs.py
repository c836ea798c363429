"""One test case, run: what was expected of the outcome, and what came."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sm_cli.asl.resources import is_wildcard, serving
from sm_cli.asl.validation.nearest import did_you_mean
from sm_cli.errors import SmError
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json, canonical, dumps
from sm_cli.testing.cases import TestCase
from sm_cli.testing.simulating import simulate
from sm_cli.testing.simulation import Outcome

#: A value in a sentence has at most so many characters.
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one test case."""

    #: The case.
    case: TestCase
    #: What was expected and did not come, a sentence each; none: it passed.
    failures: tuple[str, ...]
    #: Seconds of this machine that it took.
    seconds: float = 0.0
    #: How often handlers and stubs were called, by the resource that they served; None: the run was cut short.
    calls: Mapping[str, int] | None = None

    @property
    def has_passed(self) -> bool:
        """Whether everything came as expected."""
        return not self.failures


def run_case(
    case: TestCase, workflow: str, handlers: Mapping[str, Callable[..., Any]], *,
    substitutions: Mapping[str, Json] | None = None, buckets: str | os.PathLike[str] = "buckets",
) -> CaseResult:  # fmt: skip
    """Run a case in memory and in virtual time. workflow: `FILE` or `FILE#NAME`. handlers: those of the project, by
    name; a stub of the same name goes before. substitutions: values that win over those of the case."""
    answers = case.stub if isinstance(case.stub, Mapping) else {}
    try:
        outcome = simulate(
            Path(workflow), case.input, type=case.type, now=case.now, messages=case.messages, callbacks=case.callbacks,
            handlers={name: handler for name, handler in handlers.items() if name not in answers}, stub=case.stub,
            substitutions={**case.substitutions, **(substitutions or {})}, buckets=buckets,
        )  # fmt: skip
    except SmError as e:
        return CaseResult(case, (e.message,))
    idle_stubs = [name for name in case.own_stubs if not is_called(name, answers, outcome.calls)]
    sentences = [f"stub: nothing called {_unused(name, outcome.calls)}" for name in idle_stubs]
    return CaseResult(case, (*_failures(case.expect, outcome), *sentences), calls=outcome.calls)


def is_called(stub: str, stubs: Container[str], calls: Iterable[str]) -> bool:
    """Whether one of these calls came to this stub, one of those that there are. One with a wildcard is there for what
    may come, so that it counts as called."""
    return is_wildcard(stub) or any(serving(resource, stubs) == stub for resource in calls)


def unused_stubs(results: Sequence[CaseResult]) -> list[str]:
    """Sentences about stubs for all cases of a file that none of them called. results: of all cases of one file."""
    calls: set[str] = set()
    for result in results:
        if result.calls is None:
            return []  # what it would have called is not known
        calls.update(result.calls)
    file_stubs: dict[str, None] = {}
    for result in results:
        case = result.case
        names = case.stub if isinstance(case.stub, Mapping) else {}
        file_stubs.update(dict.fromkeys(name for name in names if name not in case.own_stubs))
    return [
        f"no test calls the stub {_unused(name, calls)}"
        for name in file_stubs
        if not is_called(name, file_stubs, calls)
    ]


def _unused(stub: str, calls: Collection[str]) -> str:
    """The name, and the one that may be meant."""
    hint = did_you_mean(stub, calls)
    answer = f"called were {', '.join(map(repr, sorted(calls)))}" if calls else "no task was begun"
    return f"{stub!r}; {hint or answer}"


def timed(result: CaseResult, seconds: float) -> CaseResult:
    """The result with the time that it took."""
    return replace(result, seconds=seconds)


def _failures(expect: Mapping[str, Json], outcome: Outcome) -> list[str]:
    """A sentence for everything that is not as expected. Unless it is said, an execution has to succeed, or with an
    error or a cause to fail."""
    failures: list[str] = []
    is_to_fail = any(key in expect for key in ("error", "cause", "cause_contains"))
    status = expect.get("status", outcome.status if is_to_fail and outcome.status != "SUCCEEDED" else None)
    status = status or ("FAILED" if is_to_fail else "SUCCEEDED")
    if outcome.status != status:
        because = f", with {outcome.error}: {_short(outcome.cause)}" if outcome.error is not None else ""
        failures.append(f"status: expected {status}, got {outcome.status}{because}")
    for key, value in (("error", outcome.error), ("cause", outcome.cause)):
        if key in expect and expect[key] != value:
            failures.append(f"{key}: expected {_short(expect[key])}, got {_short(value)}")
    part = expect.get("cause_contains")
    if isinstance(part, str) and part not in (outcome.cause or ""):
        failures.append(f"cause: expected a text with {_short(part)}, got {_short(outcome.cause)}")
    if "output" in expect and outcome.status == status:
        failures += _others("output", expect["output"], outcome.output, "")
    if "output_contains" in expect and outcome.status == status:
        failures += _missing("output", expect["output_contains"], outcome.output, "")
    if "states" in expect:
        failures += _other_path(expect["states"], outcome)
    return failures


def states_of(outcome: Outcome) -> list[str]:
    """The names of the states in the order in which they were entered, those of branches and iterations too."""
    entered = (event.get("stateEnteredEventDetails") for event in outcome.history)
    return [str(details["name"]) for details in entered if isinstance(details, dict)]


def _other_path(expected: Json, outcome: Outcome) -> list[str]:
    names = states_of(outcome)
    if not isinstance(expected, list) or names == expected:
        return []
    pairs = zip_longest(expected, names)
    number, pair = next((i, pair) for i, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    goal, answer = ("the end" if each is None else _short(each) for each in pair)
    return [f"states: expected {goal} as number {number}, got {answer}; the path was {' > '.join(names) or 'empty'}"]


def _others(what: str, expected: Json, value: Json, pointer: str) -> list[str]:
    """Where a value is not what is expected; a member that is not there is told from one that is null."""
    if isinstance(expected, dict) and isinstance(value, dict):
        lines: list[str] = []
        for name in [*expected, *(name for name in value if name not in expected)]:
            place = child(pointer, name)
            if name not in value:
                lines.append(f"{what}{place}: expected {_short(expected[name])}, got nothing")
            elif name not in expected:
                lines.append(f"{what}{place}: expected nothing, got {_short(value[name])}")
            else:
                lines += _others(what, expected[name], value[name], place)
        return lines
    if isinstance(expected, list) and isinstance(value, list) and len(expected) == len(value):
        pairs = enumerate(zip(expected, value, strict=True))
        return [each for i, (one, other) in pairs for each in _others(what, one, other, f"{pointer}/{i}")]
    return [] if canonical(expected) == canonical(value) else [_difference(what, pointer, expected, value)]


def _missing(what: str, expected: Json, value: Json, pointer: str) -> list[str]:
    """Where a value does not contain what is expected: members of objects, and lists item by item."""
    if isinstance(expected, dict) and isinstance(value, dict):
        lines: list[str] = []
        for name, member in expected.items():
            if name not in value:
                lines.append(f"{what}{pointer}/{name}: expected {_short(member)}, got nothing")
            else:
                lines += _missing(what, member, value[name], f"{pointer}/{name}")
        return lines
    if isinstance(expected, list) and isinstance(value, list) and len(expected) == len(value):
        pairs = enumerate(zip(expected, value, strict=True))
        return [each for i, (one, other) in pairs for each in _missing(what, one, other, f"{pointer}/{i}")]
    return _others(what, expected, value, pointer)


def _difference(what: str, pointer: str, expected: Json, got: Json) -> str:
    return f"{what}{pointer}: expected {_short(expected)}, got {_short(got)}"


def _short(value: Json) -> str:
    text = dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
