"""Rules about retriers and catchers. States Language, "Errors".

The names that begin with States. are the language's own; every other error name is the user's.
"""

from __future__ import annotations

from collections.abc import Iterator

from sm_cli.asl.outline import StateAt
from sm_cli.asl.validation.nearest import enumeration, nearest
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, state_rule
from sm_cli.jsonvalue import Json, is_number

DOING = ("Task", "Parallel", "Map", "Message")

#: States Language, Appendix A, and Step Functions' "Handling errors".
ERROR_NAMES = (
    "States.ALL",
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.Http.Socket",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ResultPathMatchFailure",
    "States.ResultWriterFailed",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
)


def handlers(state: StateAt, field: str) -> Iterator[tuple[str, dict[str, Json], list[str]]]:
    """(pointer, object, its error names) of each retrier or catcher."""
    for pointer, item in state.items(field):
        names = item.get("ErrorEquals")
        if isinstance(names, list):
            yield pointer, item, [name for name in names if isinstance(name, str)]


def _both(state: StateAt) -> Iterator[tuple[str, str, list[str]]]:
    for field in ("Retry", "Catch"):
        for pointer, _, names in handlers(state, field):
            yield field, f"{pointer}/ErrorEquals", names


@state_rule("SM501", "error", "States.ALL stands alone", *DOING, aws=SCHEMA, harmless=True)
def all_stands_alone(state: StateAt) -> Iterator[Finding]:
    for _, pointer, names in _both(state):
        if "States.ALL" in names and len(names) > 1:
            yield Finding(pointer, "States.ALL must stand alone: it matches the other names too")


@state_rule(
    "SM502",
    "error",
    "States.ALL stands in the last retrier or catcher",
    *DOING,
    aws=SCHEMA,
    harmless=True,
)
def all_stands_last(state: StateAt) -> Iterator[Finding]:
    for field in ("Retry", "Catch"):
        entries = list(handlers(state, field))
        for pointer, _, names in entries[:-1]:
            if "States.ALL" in names:
                what = "retrier" if field == "Retry" else "catcher"
                message = f"States.ALL must stand in the last {what}: those after it could never be used"
                yield Finding(f"{pointer}/ErrorEquals", message)


@state_rule("SM503", "warning", "An error name that begins with States. is one of the language", *DOING)
def names_are_known(state: StateAt) -> Iterator[Finding]:
    for _, pointer, names in _both(state):
        for i, name in enumerate(names):
            if not name.startswith(("States.", "State.")) or name in ERROR_NAMES or name.startswith("States.Http."):
                continue
            close = nearest(name, ERROR_NAMES, 0.75)
            hint = f"did you mean {close}?" if close else None
            yield Finding(f"{pointer}/{i}", f"The language has no error {name}", hint)


@state_rule("SM504", "warning", "States.Runtime is neither caught nor retried", *DOING)
def runtime_cannot_be_handled(state: StateAt) -> Iterator[Finding]:
    for field, pointer, names in _both(state):
        if "States.Runtime" in names:
            what = "retried" if field == "Retry" else "caught"
            yield Finding(f"{pointer}/{names.index('States.Runtime')}", f"States.Runtime can never be {what}")


@state_rule("SM505", "warning", "MaxDelaySeconds is longer than IntervalSeconds", *DOING)
def the_longest_delay_is_longer(state: StateAt) -> Iterator[Finding]:
    for pointer, retrier, _ in handlers(state, "Retry"):
        longest, first = retrier.get("MaxDelaySeconds"), retrier.get("IntervalSeconds", 1)
        if is_number(longest) and is_number(first) and first > 0 and float(str(longest)) <= float(str(first)):
            message = f"MaxDelaySeconds must be more than IntervalSeconds, which is {first}"
            yield Finding(f"{pointer}/MaxDelaySeconds", message)


@state_rule("SM508", "warning", "A retrier lets time pass before it tries again", *DOING)
def retries_take_time(state: StateAt) -> Iterator[Finding]:
    for pointer, retrier, _ in handlers(state, "Retry"):
        if is_number(seconds := retrier.get("IntervalSeconds")) and seconds == 0:
            message = "IntervalSeconds is 0: the attempts follow each other at once"
            yield Finding(f"{pointer}/IntervalSeconds", message, "the language asks for 1 at least")


@state_rule("SM506", "warning", "An error name stands where no earlier retrier or catcher takes it", *DOING)
def names_are_used(state: StateAt) -> Iterator[Finding]:
    for field in ("Retry", "Catch"):
        what = "retrier" if field == "Retry" else "catcher"
        names_so_far: set[str] = set()
        for pointer, _, names in handlers(state, field):
            useless = {i: taker for i, name in enumerate(names) if (taker := _taker(name, names[:i], names_so_far))}
            if useless:
                at = f"{pointer}/ErrorEquals"
                yield Finding(
                    f"{at}/{min(useless)}" if len(useless) == 1 else at, _without_effect(names, useless, what)
                )
            names_so_far.update(names)


#: In place of a name: the list itself has it already.
_REPEATED = "this list"


def _taker(name: str, before: list[str], names_so_far: set[str]) -> str:
    """What takes an error name before its place in a list: a name of an earlier entry, or _REPEATED; "" for nothing."""
    if name in before:
        return _REPEATED
    if name == "States.ALL":
        return ""  # of which SM502 tells
    return name if name in names_so_far else "States.TaskFailed" if _is_task_failure(name, names_so_far) else ""


def _without_effect(names: list[str], useless: dict[int, str], what: str) -> str:
    """One sentence about all names of a retrier or catcher that are of no use there."""
    repeats = list(dict.fromkeys(names[i] for i, taker in useless.items() if taker == _REPEATED))
    takers = {names[i]: taker for i, taker in useless.items() if taker != _REPEATED}
    sentences = []
    if takers:
        verb, them = ("has", "it") if len(takers) == 1 else ("have", "them")
        by = ", by States.TaskFailed" if all(taker != name for name, taker in takers.items()) else ""
        sentences.append(f"{enumeration(list(takers))} {verb} no effect here: an earlier {what} takes {them}{by}")
    if repeats:
        sentences.append(f"{enumeration(repeats)} {'stands' if len(repeats) == 1 else 'stand'} in this list already")
    return "; ".join(sentences)


def _is_task_failure(name: str, names_so_far: set[str]) -> bool:
    return "States.TaskFailed" in names_so_far and not name.startswith("States.")


#: What only a Map or a Parallel, or a state inside one, can fail with.
_OF_OTHERS = {
    "States.BranchFailed": "Parallel",
    "States.ExceedToleratedFailureThreshold": "Map",
    "States.ItemReaderFailed": "Map",
    "States.NoChoiceMatched": "Choice",
    "States.ResultWriterFailed": "Map",
}


@state_rule("SM507", "warning", "A state can fail with the errors that it handles", *DOING)
def errors_can_happen(state: StateAt) -> Iterator[Finding]:
    if state.type not in ("Task", "Message"):
        return
    beats = any(name in state.value for name in ("HeartbeatSeconds", "HeartbeatSecondsPath"))
    for _, pointer, names in _both(state):
        for i, name in enumerate(names):
            if name in _OF_OTHERS:
                message = f"A {state.type} state never fails with {name}: only a {_OF_OTHERS[name]} state does"
                yield Finding(f"{pointer}/{i}", message)
            elif name == "States.HeartbeatTimeout" and not beats:
                message = f"'{state.name}' never fails with States.HeartbeatTimeout: it has no HeartbeatSeconds"
                yield Finding(f"{pointer}/{i}", message)
