"""Handlers: a directory of Python files becomes a registry of functions, and one of them runs.

A handler gets its own copy of its input and can only return JSON. Whatever it raises becomes the error
name and cause of its task; nothing that it does can take the engine down with it.
"""

from __future__ import annotations

import inspect
import logging
import os
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, overload

from sm_cli.errors import TaskError, UsageError
from sm_cli.handlers.starts import StartRequest
from sm_cli.handlers.tracebacks import home_of, traceback_of
from sm_cli.immutable import immutable
from sm_cli.interpreter.traceback import Traceback
from sm_cli.jsonvalue import Json, as_json, copy, dumps

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__sm_handler__"


class Cancelled(BaseException):
    """Raised inside a handler by `context.check()`, when nobody waits for its result any more."""


@dataclass
class Context:
    """What a handler is told about its task.

    execution_id: the public id. execution_name, workflow, state: as in the definition. attempt: 1 for the
    first try. idempotency_key: the same for every run of the same attempt, also after a crash; another one for
    a retry. task_token: what a callback for this attempt has to carry. resource: the name that it was called under,
    `dynamodb:putItem` also when it is registered as `dynamodb:*`. cancelled: set when the task timed out, was
    stopped, or a sibling failed: whoever works long looks at it.
    """

    execution_id: str
    execution_name: str
    workflow: str
    state: str
    attempt: int
    idempotency_key: str
    task_token: str | None = None
    resource: str = ""
    cancelled: threading.Event = field(default_factory=threading.Event)
    #: Called by `heartbeat`; None where no heartbeat is counted.
    beat: Callable[[], None] | None = None
    #: Called by `cancel`, from any thread; None when nobody has to be woken.
    on_cancel: Callable[[], None] | None = None
    #: Called by `start`; None where nothing can be started.
    starter: Callable[[StartRequest], str] | None = None
    _starts: int = 0

    def heartbeat(self) -> None:
        """Tell that the work goes on: HeartbeatSeconds start anew."""
        if self.beat is not None:
            self.beat()

    def start(
        self, workflow: str, input: Json = None, *, name: str | None = None, source: str | None = None,
        transform: str | None = None, allow_failed: bool = False, unique: bool = False,
    ) -> str:  # fmt: skip
        """Start an execution that goes on by itself, and return its id. With a `source`, `EXECUTION` or
        `EXECUTION:STATE`, the output of that is the input, made by the JSONata expression `transform` where there is
        one, and the two are linked; allow_failed, unique: as `Engine.start` has them.

        Without a name it is started once for each attempt: when the attempt runs again after a crash, its first call
        gives what its first call gave. Raises errors of `sm_cli.errors`, among them NotFound, Conflict, UsageError."""
        if self.starter is None:
            raise UsageError("nothing can be started here")
        self._starts += 1
        own = name if name is not None else f"{self.idempotency_key}-{self._starts}"
        return self.starter(
            StartRequest(workflow, input, own, name is not None, source, transform, allow_failed, unique)
        )

    def cancel(self) -> None:
        """Say that nobody waits for the result any more; from any thread, and the engine's to call."""
        self.cancelled.set()
        wake = self.on_cancel
        if wake is not None:
            wake()

    def check(self) -> None:
        """Raise Cancelled when nobody waits for the result any more."""
        if self.cancelled.is_set():
            raise Cancelled

    @property
    def logger(self) -> logging.Logger:
        """The logger named after the state."""
        return logging.getLogger(f"sm.handler.{self.state}")


class Elsewhere(Protocol):
    """Where handlers run whose functions this process does not have."""

    def run(self, handler: Handler, input: Json, context: Context) -> Success | Failure:
        """Run it there and wait for its end, from any thread. `context.cancel` makes that soon."""

    def kill(self, context: Context) -> None:
        """End at once what runs there for this context; from any thread."""


@dataclass(frozen=True, slots=True)
class Handler:
    """`is_async` and `wants_context` are read off the function, once. final: what it returns ends its task also where
    a callback would be waited for.

    Raises TypeError for a function that cannot be called with an input, or with an input and a Context."""

    #: The resource that it serves; with a * at its end all that begin so.
    name: str
    #: The person's function.
    function: Callable[..., Any]
    #: Whether it may run again after a worker was lost.
    repeatable: bool = True
    final: bool = False
    #: Where it runs; None: in this process, by its function.
    elsewhere: Elsewhere | None = None
    is_async: bool = field(init=False)
    wants_context: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_async", inspect.iscoroutinefunction(self.function))
        object.__setattr__(self, "wants_context", _takes_two(self.name, self.function))


@immutable
class Success:
    """`final` as in the Handler."""

    #: What the handler returned, as JSON.
    result: Json
    final: bool = False


@immutable
class Failure:
    """`stack` is None when the handler named error and cause itself."""

    #: The error name.
    error: str
    #: Text for people.
    cause: str
    #: The lines that Lambda's cause has as its stackTrace.
    stack: list[str] | None = None
    #: Where it failed; None when it raised nothing.
    traceback: Traceback | None = None


@overload
def handler(name: F) -> F: ...
@overload
def handler(name: str | None = None, *, repeatable: bool = True) -> Callable[[F], F]: ...
def handler(name: Any = None, *, repeatable: bool = True) -> Any:
    """Register a function as the handler of a resource: `@handler("process:order")`, or `@handler` alone for
    the function's own name. `@handler("dynamodb:*")` takes every action of a service that no other handler is
    registered for, `@handler("*")` every task. `repeatable=False`: never run again after its worker was lost.

    Raises TypeError and ValueError for a name that is none and for what cannot be called as a handler."""
    if callable(name):
        return handler(None)(name)
    if name is not None and not isinstance(name, str):
        raise TypeError(f"@handler takes the name of a resource as text, not {name!r:.60}")
    if name is not None and not name.strip():
        raise ValueError("@handler takes the name of a resource, and an empty text names none")
    if name is not None and "\0" in name:
        raise ValueError(f"@handler takes the name of a resource, and {name!r:.60} holds the character U+0000")

    def mark(function: F) -> F:
        own_name = str(name or getattr(function, "__name__", "handler"))
        if not hasattr(function, "__dict__"):
            raise TypeError(f"@handler({own_name!r}) stands above a function, not above {function!r:.60}")
        setattr(function, _MARK, [*getattr(function, _MARK, []), Handler(own_name, function, repeatable)])
        return function

    return mark


def handlers_in(namespace: Mapping[str, Any]) -> list[Handler]:
    """The handlers that a module's global names hold, in the order in which they stand there."""
    handlers: dict[int, Handler] = {}
    for value in list(namespace.values()):
        marks = getattr(value, _MARK, None) if callable(value) else None
        for mark in marks or ():
            handlers.setdefault(id(mark), mark)
    return list(handlers.values())


def _takes_two(name: str, function: Callable[..., Any]) -> bool:
    """Whether it takes a second positional argument. Raises TypeError when it takes neither one nor two."""
    if not callable(function):
        raise TypeError(f"the handler {name!r} is no function: {function!r:.60}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"the handler {name!r} yields; a handler returns its result")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    parameters = signature.parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    two = len(positional) >= 2 or any(p.kind is p.VAR_POSITIONAL for p in parameters)
    try:
        signature.bind(*(None,) * (1 + two))
    except TypeError:
        label = getattr(function, "__name__", name)
        raise TypeError(
            f"the handler {name!r} takes (input) or (input, context), and {label} is written as {label}{signature}"
        ) from None
    return two


def arguments_for(handler: Handler, input: Json, context: Context | None) -> tuple[Any, ...]:
    """What the function is called with: a copy of the input, which is its own, and the context when it wants one (for
    one that does not, `context` may be None)."""
    own = copy(input)
    return (own, context) if handler.wants_context else (own,)


def run_handler(handler: Handler, input: Json, context: Context | None) -> Success | Failure:
    """Call a sync handler, or have it called where it is."""
    if handler.elsewhere is not None:
        assert context is not None, "who hands a task on describes it"
        return handler.elsewhere.run(handler, input, context)
    process = os.getpid()
    try:
        result = outcome(handler, handler.function(*arguments_for(handler, input, context)))
    except BaseException as e:
        result = failure_of(e, handler)
    return in_process(process, result)


async def run_async(handler: Handler, input: Json, context: Context | None) -> Success | Failure:
    """Call an async handler and await it; whatever it raises becomes a Failure."""
    process = os.getpid()
    try:
        result = outcome(handler, await handler.function(*arguments_for(handler, input, context)))
    except BaseException as e:
        result = failure_of(e, handler)
    return in_process(process, result)


def in_process(process: int, result: Success | Failure) -> Success | Failure:
    """What a handler ended with. A child that it forked ends here: it is no second worker, and nobody waits for it."""
    if os.getpid() != process:
        os._exit(isinstance(result, Failure))
    return result


def outcome(handler: Handler, value: object) -> Success | Failure:
    """What a handler returned, as JSON; a Failure when it is none."""
    result, problem = as_json(value)
    if problem is None:
        return Success(result, handler.final)
    return Failure("States.TaskFailed", f"The handler {handler.name!r} returned what is not JSON: {problem}.", [])


def failure_of(error: BaseException, handler: Handler) -> Failure:
    """An exception's class name is the error name, its text the cause; TaskError sets both."""
    name = type(error).__name__
    code = getattr(inspect.unwrap(handler.function), "__code__", None)
    trace = traceback_of(error, home_of(getattr(code, "co_filename", None)))
    if isinstance(error, TaskError):
        # A subclass may have set neither, and a caller both to anything.
        return Failure(
            error_text(getattr(error, "error", name)), error_text(getattr(error, "cause", "")), traceback=trace
        )
    frames = traceback.extract_tb(error.__traceback__)[1:]
    return Failure(name, error_text(error), [error_text(line) for line in traceback.format_list(frames)], trace)


def error_text(value: object) -> str:
    """The text of what a handler gives as one: it may hold what cannot be encoded, and a history must be able to hold
    it; it may be data, which is told as JSON; and an exception may be unable to tell its text."""
    if isinstance(value, (dict, list)) and (data := as_json(value))[1] is None:
        return dumps(data[0])
    try:
        text = "" if value is None else str(value)
    except BaseException as e:  # SystemExit, too: it would end the thread that waits for the next task
        text = f"(its text cannot be read: {type(e).__name__})"
    return text.encode("utf-8", "replace").decode()
