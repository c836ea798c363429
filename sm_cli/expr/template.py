"""Payload templates: JSON in which a key that ends in `.$` holds a path or an intrinsic function call.

A template is compiled once; what is constant in it is shared by all results and never copied. States
Language, "Payload Template", with AWS's wording of the errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from sm_cli.expr.intrinsics.calls import IntrinsicError, bind_call, literal_problems, not_found_failure
from sm_cli.expr.jsonpath.path import Path, PathError, PathNotFound, compile_path
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json

Evaluate: TypeAlias = Callable[[Scope], Json]

MAX_DEPTH = 200


class TemplateError(ValueError):
    """A template that AWS would refuse.

    `message` is AWS's sentence, `reason` says plainly what is wrong, `pointer` is the JSON pointer of the member
    inside the template, `position` the offset in the member's text where it is known.
    """

    def __init__(self, message: str, pointer: str = "", position: int | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer
        self.position = position
        self.reason = reason or message


def compile_template(template: Json) -> Evaluate:
    """`template` as a function of the scope. Raises the first TemplateError that `template_errors` would list.

    Evaluating raises StateFailure: States.Runtime when a path finds nothing, States.IntrinsicFailure.
    """
    errors: list[TemplateError] = []
    evaluate = _compile(template, "", errors, 0)
    if errors:
        raise errors[0]
    return evaluate or (lambda _scope: template)


def template_errors(template: Json) -> list[TemplateError]:
    """Everything for which AWS would refuse the template, in the order of the text."""
    errors: list[TemplateError] = []
    _compile(template, "", errors, 0)
    return errors


def template_warnings(template: Json) -> Iterator[TemplateError]:
    """Calls in a valid template whose constants already show that they fail at every evaluation."""
    for pointer, key, value in _dynamic_members(template):
        if isinstance(value, str) and value.startswith("States."):
            try:
                problems = literal_problems(value)
            except IntrinsicError:
                continue  # not written as a call: `template_errors` tells that
            for problem in problems:
                yield TemplateError(f"field '{key}': {problem.message}", pointer, problem.position, problem.message)


def compile_value(text: str, field: str) -> Evaluate:
    """One value that is a path, a context path, a variable or an intrinsic call: a `.$` value, ErrorPath, CausePath.

    `field` is the field's own name, for messages. Raises TemplateError (with an empty pointer).
    """
    try:
        if text.startswith("$"):
            return _path_value(compile_path(text), field)
        if text.startswith("States."):
            return bind_call(text, field)
    except (PathError, IntrinsicError) as e:
        raise _refusal(field, e.position, e.message) from None
    raise _refusal(field, 0, "it begins neither with $ nor with States.")


def is_constant(template: Json) -> bool:
    """Whether no key anywhere in `template` ends in `.$`."""
    return next(_dynamic_members(template), None) is None


def _refusal(field: str, position: int | None, reason: str) -> TemplateError:
    message = f"The value for the field '{field}' must be a valid JSONPath or a valid intrinsic function call"
    return TemplateError(message, "", position, reason)


def _dynamic_members(template: Json) -> Iterator[tuple[str, str, Json]]:
    """(pointer, key, value) of every member whose key ends in `.$`, in the order of the text."""
    waiting: list[tuple[str, str, Json]] = [("", "", template)]
    while waiting:
        pointer, key, node = waiting.pop()
        if key.endswith(".$"):
            yield pointer, key, node
        elif isinstance(node, dict):
            waiting.extend((_below(pointer, name), name, node[name]) for name in reversed(node))
        elif isinstance(node, list):
            waiting.extend((f"{pointer}/{i}", "", node[i]) for i in reversed(range(len(node))))


def _below(pointer: str, key: str) -> str:
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"


def _compile(node: Json, pointer: str, errors: list[TemplateError], depth: int) -> Evaluate | None:
    """None for what is constant; what is wrong is added to `errors`."""
    if depth > MAX_DEPTH:
        errors.append(TemplateError(f"the template is nested deeper than {MAX_DEPTH} levels", pointer))
        return None
    if isinstance(node, dict):
        return _compile_object(node, pointer, errors, depth)
    if isinstance(node, list):
        members = [(i, _compile(item, f"{pointer}/{i}", errors, depth + 1)) for i, item in enumerate(node)]
        items = [(i, evaluate) for i, evaluate in members if evaluate is not None]
        return _fill(node, items) if items else None
    return None


def _compile_object(node: dict[str, Json], pointer: str, errors: list[TemplateError], depth: int) -> Evaluate | None:
    members: list[tuple[str, Evaluate]] = []
    base: dict[str, Json] = {}
    for key, member in node.items():
        below = _below(pointer, key)
        if not key.endswith(".$"):
            base[key] = member
            if (evaluate := _compile(member, below, errors, depth + 1)) is not None:
                members.append((key, evaluate))
            continue
        name = key[:-2]
        if name in node:
            errors.append(TemplateError(f"The fields '{name}' and '{key}' cannot both be present", below))
            continue
        base[name] = None  # keeps the member's place in the order of the template
        try:
            if not isinstance(member, str):
                raise _refusal(key, None, "it must be a string")
            members.append((name, compile_value(member, key)))
        except TemplateError as e:
            errors.append(TemplateError(e.message, below, e.position, e.reason))
    return _fill(base, members) if members else None


def _fill(base: Any, members: list[tuple[Any, Evaluate]]) -> Evaluate:
    """A copy of one level of `base`, with the members that depend on the scope put in place."""
    copy = base.copy

    def evaluate(scope: Scope) -> Json:
        result = copy()
        for key, value in members:
            result[key] = value(scope)
        return result  # type: ignore[no-any-return]  # a dict or a list, as `base` is

    return evaluate


def _path_value(path: Path, field: str) -> Evaluate:
    resolve = path.resolve

    def evaluate(scope: Scope) -> Json:
        try:
            return resolve(scope)
        except PathNotFound:
            raise not_found_failure(path, field, scope) from None

    return evaluate
