"""What stands in for handlers: answers given one after the other, and callbacks that come at their time.

A test that asks for more than it was given ends with a sentence about it, and is never answered with a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from sm_cli.asl.model import Program, Task
from sm_cli.asl.resources import parse_resource
from sm_cli.errors import HandlerLoadError, TaskError, UsageError
from sm_cli.handlers.handler import Handler
from sm_cli.handlers.registry import Registry
from sm_cli.handlers.stub import Stub
from sm_cli.interpreter.events import Event, TaskFailed, TaskSucceeded
from sm_cli.jsonvalue import Json, as_json
from sm_cli.store.records import Job
from sm_cli.timestamps import MICROSECONDS

#: (seconds after the start, name of the state, the output or the error of its task).
Callback: TypeAlias = "tuple[float, str, Json | TaskError]"
#: Whether every other task is answered with {}, or the answers by resource.
Stubbed: TypeAlias = "bool | Mapping[str, Any]"


class Successive:
    """Answers to one resource, one for each call; an exception among them is raised by its call."""

    def __init__(self, resource: str, answers: Iterable[Any]) -> None:
        self.resource = resource
        self.count = 0
        #: Whether it was asked for an answer that it does not have.
        self.is_used_up = False
        self._answers: Iterator[Any] = iter(answers)

    def __call__(self, _input: Json) -> Any:
        try:
            answer = next(self._answers)
        except StopIteration:
            self.is_used_up = True
            return None
        self.count += 1
        return value_or_raise(answer)


def value_or_raise(answer: Any) -> Any:
    """The answer, unless it is an exception: then that is raised."""
    if isinstance(answer, BaseException):
        raise answer
    return answer


def stub_of(resource: str, answer: Any) -> Handler:
    """The stub of one resource: a callable is called as a handler is, a list or an iterator gives an answer for each
    call, any other value answers them all. Nobody calls back for what it answers."""
    if callable(answer):
        return Handler(resource, answer, final=True)
    if isinstance(answer, (list, tuple, Iterator)):
        return Handler(resource, Successive(resource, answer), final=True)
    return Handler(resource, lambda _: value_or_raise(answer), final=True)


def stand_ins(stub: Stubbed, handlers: Mapping[str, Handler]) -> Registry:
    """The handlers, and under them what `stub` answers."""
    if isinstance(stub, Mapping):
        return Registry({**{name: stub_of(name, answer) for name, answer in stub.items()}, **handlers})
    return Stub().under(handlers) if stub else Registry(handlers)


def answers_engine(registry: Registry) -> Callable[[str], bool]:
    """Which tasks that the engine would carry out itself are left to these handlers: those that one has the name of."""
    return registry.exact.__contains__


def missing_handler(job: Job, workflow: str, handlers: Iterable[str]) -> HandlerLoadError:
    """What is said of a task that nothing answers: its state, its resource, names that are near."""
    close = get_close_matches(job.resource, sorted(handlers), 2)
    near = f"; near names: {', '.join(map(repr, close))}" if close else ""
    reason = parse_resource(f"arn:aws:states:::{job.resource}").why_refused
    why = "" if reason is None else f" ({reason})"
    return HandlerLoadError(
        f"no handler answers {job.resource!r}, which the state {job.state!r} of {workflow} calls{near}{why}",
        hint="Give one in handlers=, an answer in stub=, or stub=True for {} as the answer of all that have none.",
        topic="missing handler",
    )


def refuse_used_up(handler: Handler, job: Job) -> None:
    """Raises UsageError when the stub was asked for an answer that it does not have."""
    answers = handler.function
    if isinstance(answers, Successive) and answers.is_used_up:
        raise UsageError(
            f"the stub of {answers.resource!r} has {answers.count} answers, and {job.state!r} asks for one more"
        )


@dataclass(frozen=True, slots=True)
class DueCallback:
    """A callback that is still to come."""

    #: When, in microseconds since 1970 UTC.
    at: int
    #: Its number among those given, from 0; of two at the same time the lower comes first.
    number: int
    #: The state whose task it ends.
    state: str
    #: What the task waits for, made for the seq of its frame.
    event: Callable[[int], Event]


def callbacks_at(start: int, callbacks: Sequence[Callback]) -> list[DueCallback]:
    """The callbacks in the order in which they come. start: microseconds since 1970 UTC. Raises TypeError for an output
    that is not JSON."""
    due = [
        DueCallback(start + round(seconds * MICROSECONDS), number, state, _event_of(number, result))
        for number, (seconds, state, result) in enumerate(callbacks)
    ]
    return sorted(due, key=lambda answer: (answer.at, answer.number))


def nobody_waits(answer: DueCallback, start: int, waiting: Sequence[str], program: Program) -> UsageError:
    """What is said of a callback when no task of its state has begun. waiting: the states of the tasks that wait."""
    tasks = sorted({*task_states(program), *waiting})
    after = f"callbacks[{answer.number}] comes after {(answer.at - start) / MICROSECONDS:g} s for the state"
    waits = f"waiting are {', '.join(map(repr, waiting))}" if waiting else "no task waits"
    close = [] if answer.state in tasks else get_close_matches(answer.state, tasks, 1)
    near = f"; did you mean {close[0]!r}?" if close else ""
    return UsageError(f"{after} {answer.state!r}, of which no task has begun by then: {waits}{near}")


def task_states(program: Program) -> Iterator[str]:
    """The names of its Tasks, also of those inside of a Map or Parallel."""
    for machine in program.machines.values():
        yield from (name for name, state in machine.states.items() if isinstance(state, Task))


def _event_of(number: int, result: Json | TaskError) -> Callable[[int], Event]:
    if isinstance(result, TaskError):
        error, cause = result.error, result.cause
        return lambda seq: TaskFailed(seq, error, cause)
    output, problem = as_json(result)
    if problem is not None:
        raise TypeError(f"the output of callbacks[{number}] is not JSON: {problem}")
    return lambda seq: TaskSucceeded(seq, output)
