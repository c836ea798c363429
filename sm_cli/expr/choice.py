"""Choice rules: a rule compiled to a predicate on the scope, its operators taken from one table.

A value of another type than the operator compares is no match, never an error; a path that finds nothing is
one, except under IsPresent. And, Or and Not go from left to right and stop as soon as the answer is known, so that
a guard may stand before what it guards. States Language, "Choice State".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sm_cli.errors import StateFailure
from sm_cli.expr.jsonpath.path import Path, PathError, PathNotFound, compile_path
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json
from sm_cli.timestamps import parse_timestamp, why_not_a_timestamp

Predicate: TypeAlias = Callable[[Scope], bool]
#: A value as the thing to compare it by, or None when it is of another type.
Prepare: TypeAlias = Callable[[Json], Any]
Relation: TypeAlias = Callable[[Any, Any], bool]

MAX_DEPTH = 100
COMBINATORS: Final = ("And", "Or", "Not")


class ChoiceError(ValueError):
    """A rule that AWS would refuse. `pointer` is the JSON pointer of what is wrong, below the rule's own."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Operator:
    """One row of the table.

    `operand` is what must be written behind the operator: string, number, boolean, timestamp, pattern or path.
    `build` makes the predicate from the rule's Variable and the operand.
    """

    #: As a definition spells it, such as NumericLessThan.
    name: str
    operand: str
    build: Callable[[Path, Any], Predicate]


# -- values ----------------------------------------------------------------------------------------------------------


def _string(value: Json) -> str | None:
    return value if type(value) is str else None


def _number(value: Json) -> float | None:
    return value if type(value) is int or type(value) is float else None


def _boolean(value: Json) -> bool | None:
    return value if type(value) is bool else None


def _timestamp(value: Json) -> int | None:
    moment = parse_timestamp(value) if type(value) is str else None
    return None if moment is None else moment.nanoseconds


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """StringMatches: * stands for any run of characters, also an empty one; `\\*` and `\\\\` are those characters.

    Raises ValueError for any other backslash (States Language: "an open escape backslash"). Matching takes the
    leftmost place for each piece between two stars, which is right because a star takes whatever lies between;
    so it never goes back.
    """
    pieces = _pieces(pattern)
    if len(pieces) == 1:
        whole = pieces[0]
        return lambda text: text == whole
    first, *middle, last = pieces
    shortest = len(first) + len(last)

    def matches(text: str) -> bool:
        if len(text) < shortest or not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for piece in middle:
            start = text.find(piece, at, end)
            if start < 0:
                return False
            at = start + len(piece)
        return True

    return matches


def _pieces(pattern: str) -> list[str]:
    """The literal texts between the stars."""
    pieces = [""]
    characters = iter(pattern)
    for character in characters:
        if character == "*":
            pieces.append("")
            continue
        if character == "\\":
            character = next(characters, "")
            if character not in ("*", "\\"):
                raise ValueError(r"a backslash in it may stand only before * and \ ")
        pieces[-1] += character
    return pieces


# -- predicates ------------------------------------------------------------------------------------------------------


def _not_found(path: Path) -> StateFailure:
    cause = f"Invalid path '{path.text}': The choice state's condition path references an invalid value."
    return StateFailure("States.Runtime", cause)


def _tests(path: Path, holds: Callable[[Json], bool]) -> Predicate:
    resolve = path.resolve

    def test(scope: Scope) -> bool:
        try:
            return holds(resolve(scope))
        except PathNotFound:
            raise _not_found(path) from None

    return test


def _compares(prepare: Prepare, relation: Relation) -> Callable[[Path, Any], Predicate]:
    def build(path: Path, operand: Any) -> Predicate:
        resolve, constant = path.resolve, prepare(operand)

        def test(scope: Scope) -> bool:
            try:
                value = prepare(resolve(scope))
            except PathNotFound:
                raise _not_found(path) from None
            return value is not None and relation(value, constant)

        return test

    return build


def _compares_path(prepare: Prepare, relation: Relation) -> Callable[[Path, Any], Predicate]:
    def build(path: Path, operand: Any) -> Predicate:
        other = compile_path(operand)

        def test(scope: Scope) -> bool:
            try:
                value = prepare(path.resolve(scope))
            except PathNotFound:
                raise _not_found(path) from None
            try:
                other_value = prepare(other.resolve(scope))
            except PathNotFound:
                raise _not_found(other) from None
            return value is not None and other_value is not None and relation(value, other_value)

        return test

    return build


def _is(accepts: Callable[[Json], bool]) -> Callable[[Path, Any], Predicate]:
    return lambda path, answer: _tests(path, lambda value: accepts(value) is answer)


def _is_present(path: Path, answer: Any) -> Predicate:
    exists = path.exists
    return lambda scope: exists(scope) is answer


def _string_matches(path: Path, pattern: Any) -> Predicate:
    matches = compile_pattern(pattern)
    return _tests(path, lambda value: type(value) is str and matches(value))


def _table() -> dict[str, Operator]:
    order: dict[str, Relation] = {
        "Equals": operator.eq,
        "LessThan": operator.lt,
        "GreaterThan": operator.gt,
        "LessThanEquals": operator.le,
        "GreaterThanEquals": operator.ge,
    }
    families: list[tuple[str, str, Prepare, list[str]]] = [
        ("String", "string", _string, list(order)),
        ("Numeric", "number", _number, list(order)),
        ("Boolean", "boolean", _boolean, ["Equals"]),
        ("Timestamp", "timestamp", _timestamp, list(order)),
    ]
    rows: list[Operator] = []
    for family, operand, prepare, relations in families:
        for relation in relations:
            name = family + relation
            rows.append(Operator(name, operand, _compares(prepare, order[relation])))
            rows.append(Operator(f"{name}Path", "path", _compares_path(prepare, order[relation])))
    rows += [
        Operator("StringMatches", "pattern", _string_matches),
        Operator("IsNull", "boolean", _is(lambda value: value is None)),
        Operator("IsPresent", "boolean", _is_present),
        Operator("IsNumeric", "boolean", _is(lambda value: _number(value) is not None)),
        Operator("IsString", "boolean", _is(lambda value: type(value) is str)),
        Operator("IsBoolean", "boolean", _is(lambda value: type(value) is bool)),
        Operator("IsTimestamp", "boolean", _is(lambda value: _timestamp(value) is not None)),
    ]
    return {row.name: row for row in rows}


#: The 39 comparison operators of the States Language.
OPERATORS: Final[Mapping[str, Operator]] = _table()

# -- rules -----------------------------------------------------------------------------------------------------------


def compile_rule(rule: dict[str, Json], pointer: str = "") -> Predicate:
    """A data test, or And, Or, Not over rules, as a predicate on the scope. `pointer` is where the rule stands.

    Raises ChoiceError. Evaluating raises StateFailure (States.Runtime) when a path finds nothing. Next, Assign and
    the other fields of a rule are the caller's.
    """
    return _compile(rule, pointer, 0)


def operand_problem(row: Operator, operand: Json) -> str | None:
    """What is wrong with what is written behind an operator, as a sentence; None when nothing is."""
    if row.operand == "boolean":
        return None if type(operand) is bool else f"{row.name} must be true or false"
    if row.operand == "number":
        return None if _number(operand) is not None else f"{row.name} must be a number"
    if type(operand) is not str:
        return f"{row.name} must be a {'path' if row.operand == 'path' else 'string'}"
    if row.operand == "timestamp" and (reason := why_not_a_timestamp(operand)):
        return f"{row.name} must be an RFC3339 timestamp: {reason}"
    try:
        if row.operand == "path":
            compile_path(operand)
        elif row.operand == "pattern":
            compile_pattern(operand)
    except PathError as e:
        return f"{row.name} must be a path: {e.message}"
    except ValueError as e:
        return f"{row.name} must be a pattern: {e}"
    return None


def _compile(rule: Json, pointer: str, depth: int) -> Predicate:
    if not isinstance(rule, dict):
        raise ChoiceError("A Choice rule must be an object", pointer)
    if depth > MAX_DEPTH:
        raise ChoiceError(f"Choice rules are nested deeper than {MAX_DEPTH} levels", pointer)
    tests = [name for name in rule if name in OPERATORS or name in COMBINATORS]
    if not tests:
        raise ChoiceError("A Choice rule needs a comparison operator, or And, Or or Not", pointer)
    if len(tests) > 1:
        raise ChoiceError(f"A Choice rule has one operator only, not {' and '.join(tests)}", f"{pointer}/{tests[1]}")
    name = tests[0]
    if name in COMBINATORS:
        return _compile_combinator(name, rule, pointer, depth)
    row, operand = OPERATORS[name], rule[name]
    variable = _compile_variable(rule, pointer)
    if problem := operand_problem(row, operand):
        raise ChoiceError(problem, f"{pointer}/{name}")
    return row.build(variable, operand)


def _compile_variable(rule: dict[str, Json], pointer: str) -> Path:
    variable = rule.get("Variable")
    if "Variable" not in rule:
        raise ChoiceError("A comparison needs a Variable", pointer)
    if not isinstance(variable, str):
        raise ChoiceError("Variable must be a path", f"{pointer}/Variable")
    try:
        return compile_path(variable)
    except PathError as e:
        raise ChoiceError(f"Variable must be a path: {e.message}", f"{pointer}/Variable") from None


def _compile_combinator(name: str, rule: dict[str, Json], pointer: str, depth: int) -> Predicate:
    if "Variable" in rule:
        raise ChoiceError(f"{name} stands without a Variable", f"{pointer}/Variable")
    operand, below = rule[name], f"{pointer}/{name}"
    if name == "Not":
        predicate = _compile(operand, below, depth + 1)
        return lambda scope: not predicate(scope)
    if not isinstance(operand, list) or not operand:
        raise ChoiceError(f"{name} must be a non-empty array of Choice rules", below)
    rules = [_compile(inner, f"{below}/{i}", depth + 1) for i, inner in enumerate(operand)]
    # The answer that decides is the one at which a combinator stops: false for And, true for Or.
    decisive = name == "Or"

    def combination(scope: Scope) -> bool:
        for inner in rules:
            if inner(scope) is decisive:
                return decisive
        return not decisive

    return combination
