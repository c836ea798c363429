"""What a JSONata engine must do, in two methods, and what may go wrong inside one.

An engine speaks JSON (None is JSON's null) and raises only the exceptions of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json


class EngineSyntaxError(ValueError):
    """The source is no JSONata 2.0.6: `code` as in "S0201", `position` the offset in the source, 0-based."""

    def __init__(self, code: str, message: str, position: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.position = position


class EngineError(Exception):
    """The evaluation failed: `code` as in "T1006", or "" for an error that JSONata has no code for."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class UnsupportedResultError(Exception):
    """The evaluation gave what is not JSON: a function, or a regular expression."""


class LimitExceededError(Exception):
    """The evaluation took more steps, or nested deeper, than any useful one; the message is a clause."""


class FunctionError(Exception):
    """Raised by a Function that cannot do what it is asked to: one plain sentence, without its full stop."""


class Undefined:
    """The result of an expression that finds nothing."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Undefined()


class Sequence(list[Json]):
    """A Function's result that JSONata treats as a sequence: one item stands for itself, none is undefined."""


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A function that expressions may call, beside JSONata's own.

    `signature` is written as JSONata writes it ("<a-n:a>"). `apply(scope, *arguments)` gets and returns plain JSON. It
    is not called when an argument is undefined (the result is undefined then); an optional one that is left out is
    None. Raises FunctionError.
    """

    signature: str
    #: Called with the scope and the arguments.
    apply: Callable[..., Json]


class Compiled(Protocol):
    """An expression, ready to be evaluated any number of times and by several threads at once."""

    def evaluate(self, bindings: Mapping[str, Json], scope: Scope) -> Json | Undefined:
        """The value, with `$name` bound to `bindings[name]`; `scope` is handed to functions.

        Raises EngineError, UnsupportedResultError, LimitExceededError. Changes none of the bound values.
        """
        ...


class JsonataEngine(Protocol):
    """What makes expressions of texts; one serves all threads."""

    def compile(self, source: str) -> Compiled:
        """The expression of this text, without `{%` and `%}`. Raises EngineSyntaxError."""
        ...
