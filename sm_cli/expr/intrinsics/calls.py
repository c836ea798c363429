"""Intrinsic function calls, compiled: text to a function of the scope.

A call is parsed and bound once; evaluating it evaluates the arguments, checks them by FUNCTIONS and applies
the function. Only the outermost call turns a refusal into a failure of the state, because AWS's cause quotes the
whole field. States Language, "Intrinsic Functions".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias

from sm_cli.errors import StateFailure
from sm_cli.expr.intrinsics.functions import FUNCTIONS, ArgumentsError, Function, format_pattern, java_text
from sm_cli.expr.intrinsics.parser import Argument, Call, Constant, IntrinsicError, Reference, parse_call
from sm_cli.expr.jsonpath.path import Path, PathNotFound
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json, dumps

__all__ = ["FUNCTIONS", "Evaluate", "Function", "IntrinsicError", "bind_call", "compile_call", "literal_problems"]

Evaluate: TypeAlias = Callable[[Scope], Json]

#: The error name of the States Language for a function that refuses its arguments.
FAILURE = "States.IntrinsicFailure"


#: What a call of constants sees: no random number of it is ever used.
_NOTHING = Scope(None, dict, {}, lambda: Random(0))


class _MissingPathError(Exception):
    """The path of an argument finds nothing."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.text)
        self.path = path


def compile_call(text: str, field: str) -> Evaluate:
    """`bind_call` for one named field: the message of its IntrinsicError begins with the field's name."""
    try:
        return bind_call(text, field)
    except IntrinsicError as e:
        raise IntrinsicError(f"field '{field}': {e.message}", e.position) from None


def bind_call(text: str, field: str) -> Evaluate:
    """One whole field, `States.Name(...)`, as a function of the scope.

    Raises IntrinsicError for what is not written as a call, an unknown function, a wrong number of arguments, a
    wrong path. Evaluating raises StateFailure: States.IntrinsicFailure when a function refuses its arguments,
    States.Runtime when the path of an argument finds nothing.
    """
    run = _compile_call(parse_call(text))
    beginning = f"The function '{text}' had the following error:"

    def evaluate(scope: Scope) -> Json:
        try:
            return run(scope)
        except ArgumentsError as e:
            cause = f"Invalid arguments in States.{e.function}: {e.reason}"
            raise StateFailure(FAILURE, f"{beginning} {cause}") from None
        except _MissingPathError as e:
            raise not_found_failure(e.path, field, scope) from None

    return evaluate


def not_found_failure(path: Path, field: str, scope: Scope) -> StateFailure:
    """The failure of a field whose path finds nothing, in AWS's words."""
    sought = f"The JSONPath '{path.text}' specified for the field '{field}'"
    return StateFailure("States.Runtime", f"{sought} could not be found in the input '{dumps(scope.input)}'")


def literal_problems(text: str) -> list[IntrinsicError]:
    """What the constants in a well-formed call already show to fail at every evaluation, in order of position.

    Such a call is accepted (AWS accepts it, and the state may never be entered): it is for a validator to tell.
    """
    return sorted(_literal_problems(parse_call(text)), key=lambda problem: problem.position)


def _literal_problems(call: Call) -> Iterator[IntrinsicError]:
    function = FUNCTIONS.get(call.name)
    has_problem = False
    for index, argument in enumerate(call.arguments):
        if isinstance(argument, Call):
            yield from _literal_problems(argument)
        elif isinstance(argument, Constant) and function and (problem := function.check(index)(argument.value)):
            has_problem = True
            yield IntrinsicError(f"argument {index + 1} of States.{call.name} {problem}", argument.position)
    try:
        if call.name == "Format" and (template := _template_text(call)) is not None:
            format_pattern(template, len(call.arguments) - 1)
        elif function and not has_problem and not function.arity_problem(len(call.arguments)):
            _try(function, call)
    except ArgumentsError as e:
        yield IntrinsicError(e.reason, call.arguments[0].position)


def _try(function: Function, call: Call) -> None:
    """Apply a function whose arguments are all constants. Raises ArgumentsError when it refuses them."""
    values = [argument.value for argument in call.arguments if isinstance(argument, Constant)]
    if values and len(values) == len(call.arguments):
        function.apply(_NOTHING, *values) if function.needs_scope else function.apply(*values)


def _template_text(call: Call) -> str | None:
    first = call.arguments[0] if call.arguments else None
    return first.source if isinstance(first, Constant) else None


def _compile_argument(argument: Argument) -> Evaluate:
    if isinstance(argument, Call):
        return _compile_call(argument)
    if isinstance(argument, Constant):
        value = argument.value
        return lambda _scope: value
    return _compile_reference(argument)


def _compile_reference(reference: Reference) -> Evaluate:
    path, resolve = reference.path, reference.path.resolve

    def evaluate(scope: Scope) -> Json:
        try:
            return resolve(scope)
        except PathNotFound:
            raise _MissingPathError(path) from None

    return evaluate


def _compile_call(call: Call) -> Evaluate:
    function = FUNCTIONS.get(call.name)
    if function is None:
        raise IntrinsicError(f"there is no intrinsic function States.{call.name}", call.position)
    if problem := function.arity_problem(len(call.arguments)):
        raise IntrinsicError(f"States.{call.name} {problem}", call.position)
    name, apply, needs_scope = call.name, function.apply, function.needs_scope
    if name == "Format" and (template := _template_text(call)) is not None:
        apply = _prepared_format(template, len(call.arguments) - 1)
    arguments = [(_compile_argument(a), function.check(i), i + 1) for i, a in enumerate(call.arguments)]

    def evaluate(scope: Scope) -> Json:
        values: list[Any] = []
        for argument, check, number in arguments:
            value = argument(scope)
            if problem := check(value):
                raise ArgumentsError(f"argument {number} {problem}", name)
            values.append(value)
        try:
            return apply(scope, *values) if needs_scope else apply(*values)
        except ArgumentsError as e:
            raise ArgumentsError(e.reason, e.function or name) from None

    return evaluate


def _prepared_format(template: str, arguments: int) -> Callable[..., Json]:
    """Format with a template known beforehand; one that can never work is refused at every evaluation."""
    try:
        pattern = format_pattern(template, arguments)
    except ArgumentsError as e:
        return _refusing(e.reason)

    def apply(_template: str, *values: Json) -> Json:
        return pattern % tuple([java_text(value) for value in values])

    return apply


def _refusing(reason: str) -> Callable[..., Json]:
    def apply(*_arguments: Json) -> Json:
        raise ArgumentsError(reason)

    return apply
