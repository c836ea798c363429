"""JSONata by the package jsonata-python: the engine that `jsonata_engine` offers.

Of the package only the parser, the evaluation of the syntax tree and most functions are used, and no error of its
own leaves this file. Importing it raises Python's recursion limit to 10,000; the depth of an evaluation stays below.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types
from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.signature import Signature  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.aws_functions import FUNCTIONS
from sm_cli.expr.jsonata.builtins import BUILTINS, REMOVED
from sm_cli.expr.jsonata.convert import from_engine, to_engine
from sm_cli.expr.jsonata.engine import (
    EngineError,
    FunctionError,
    HostFunction,
    LimitExceededError,
    Sequence,
    Undefined,
    UnsupportedResultError,
)
from sm_cli.expr.jsonata.evaluator import Bindings, Evaluator
from sm_cli.expr.jsonata.signature import copy_signature
from sm_cli.expr.jsonata.syntax import error_sentence, parse_expression
from sm_cli.expr.jsonata.tuples import nesting
from sm_cli.expr.scope import JsonataScope, Scope
from sm_cli.jsonvalue import Json

#: How many nodes of the syntax tree one evaluation may visit: two to five seconds.
MAX_STEPS = 1_000_000
#: How deep they may nest: five to thirteen frames of Python's for each call of a function, of which it has 10,000.
MAX_DEPTH = 2_000


class PythonEngine:
    """`functions` are visible to every expression, and replace JSONata's own of the same name."""

    def __init__(
        self, functions: Mapping[str, HostFunction], max_steps: int = MAX_STEPS, max_depth: int = MAX_DEPTH
    ) -> None:
        self.max_steps = max_steps
        self.max_depth = max_depth
        own = {name: function for name, function in Jsonata.static_frame.bindings.items() if name not in REMOVED}
        names: dict[str, Any] = {name: _builtin(name, function) for name, function in own.items()}
        names.update((name, _Native(name, function)) for name, function in functions.items())
        self.root = Bindings(None, names)

    def compile(self, source: str) -> _Compiled:
        """Raises EngineSyntaxError."""
        return _Compiled(self, parse_expression(source))


class _Compiled:
    def __init__(self, engine: PythonEngine, tree: Any) -> None:
        self.engine = engine
        self.tree = tree
        self.nesting = 0

    def evaluate(self, bindings: Mapping[str, Json], scope: Scope) -> Json | Undefined:
        engine = self.engine
        if scope.limits.nesting:
            self.check_nesting(scope.limits.nesting)
        memo = scope.memo if isinstance(scope, JsonataScope) else {}
        frame = Bindings(engine.root, {name: _engine_form(value, memo) for name, value in bindings.items()})
        evaluator = Evaluator(engine.root, scope, engine.max_steps, engine.max_depth)
        # The package's functions find the evaluator that called them in a variable of the thread.
        current = Jsonata.CURRENT
        before = getattr(current, "jsonata", None)
        current.jsonata = evaluator
        try:
            return from_engine(evaluator.eval(self.tree, None, frame))
        except JException as e:
            raise EngineError(e.error if e.error in JException.error_codes else "", error_sentence(e)) from None
        except RecursionError:
            raise LimitExceededError("nests too deeply; look for a recursion that does not end") from None
        except (EngineError, UnsupportedResultError, LimitExceededError):
            raise
        except Exception as e:
            # Not JSONata's error but the package's: it met a value of a kind that it does not expect.
            raise EngineError("", f"{type(e).__name__}: {e}".removesuffix(": ")) from e
        finally:
            current.jsonata = before

    def check_nesting(self, most: int) -> None:
        self.nesting = self.nesting or nesting(self.tree)
        if self.nesting > most:
            raise LimitExceededError(f"nests {self.nesting} levels deep; AWS takes {most}")


def _engine_form(value: Json, memo: dict[int, object]) -> Any:
    """The engine's form of a bound value. `$states` is made anew each time: it is its members that `memo` knows."""
    if isinstance(value, dict) and id(value) not in memo:
        return {name: _memoized_form(member, memo) for name, member in value.items()}
    return _memoized_form(value, memo)


def _memoized_form(value: Json, memo: dict[int, object]) -> Any:
    if not isinstance(value, (dict, list)):
        return to_engine(value)
    if id(value) not in memo:
        memo[id(value)] = to_engine(value)
    return memo[id(value)]


def _builtin(name: str, function: Any) -> Any:
    """A function of JSONata's own: a copy of the package's, put right."""
    builtin = copy.copy(function)
    builtin.signature = copy_signature(function.signature)
    if name in BUILTINS:
        builtin.method = BUILTINS[name]
    return builtin


class _Native(Jsonata.JFunction):  # type: ignore[misc]  # the package ships no types
    """A Function, as the engine calls it."""

    def __init__(self, name: str, function: HostFunction) -> None:
        super().__init__(None, None)
        self.function_name = name
        self.signature = copy_signature(Signature(function.signature, name))
        self.apply = function.apply
        self.least = self.signature.get_min_number_of_args()

    def call(self, _input: Any, arguments: list[Any]) -> Any:
        if any(argument is None for argument in arguments[: self.least]):
            return None
        plain = [None if argument is None else from_engine(argument) for argument in arguments]
        try:
            value = self.apply(Jsonata.CURRENT.jsonata.scope, *plain)
        except FunctionError as e:
            raise JException(str(e), -1) from None
        if isinstance(value, Sequence):
            Jsonata.CURRENT.jsonata.build(len(value))
            return Utils.create_sequence_from_iter(value)
        return to_engine(value)

    def get_number_of_args(self) -> int:
        return int(self.signature.get_number_of_args())


@cache
def python_engine() -> PythonEngine:
    """The engine over jsonata-python, with AWS's functions."""
    return PythonEngine(FUNCTIONS)
