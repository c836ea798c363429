"""How many recorded executions use a part of the language and end here as they did on AWS.

A case counts once for whatever its definition uses, and only if the judge accepts its status, output, error and
cause. Where the recorded cases are not beside the checkout, nothing is counted: the cells of the docs stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from sm_cli.asl.fields import OPERATORS, STATE_TYPES, Language, Row, fields_of
from sm_cli.asl.outline import StateAt, outline, parts
from sm_cli.asl.resources import parse_resource
from sm_cli.asl.validation.rules.failures import ERROR_NAMES
from sm_cli.expr.jsonata.expressions import JsonataError, is_expression
from sm_cli.expr.jsonata.reading import FUNCTIONS, read_expression
from sm_cli.jsonvalue import Json
from tests.conformance import cases

#: What a case can use: ("field", name, shape, language), or ("operator", name) and the like.
Use = tuple[str, ...]
#: The head of a column of counts.
HEAD = "Cases"
#: The row of the error names that no specification reserves.
OTHER = "any other name"
_INTRINSIC = re.compile(r"\bStates\.([A-Z]\w*)\s*\(")


def times(*uses: Use) -> str:
    """A cell: in how many of the cases at least one of these is used."""
    if not cases.HERE:
        return ""
    together: set[str] = set()
    for use in uses:
        together |= _cases().get(use, set())
    return str(len(together))


def field(row: Row, language: Language) -> str:
    """The cell of a field in states of a query language; "–" where it does not exist."""
    if row.language not in ("both", language):
        return "–"
    return times(*(("field", row.field, shape, language) for shape in row.shapes))


def ended() -> tuple[int, int]:
    """(cases that end as on AWS, all)."""
    return len(_passing()), len(cases.executions())


@cache
def _passing() -> tuple[dict[str, Any], ...]:
    return tuple(case for case in cases.executions() if cases.same(case))


@cache
def _cases() -> dict[Use, set[str]]:
    found: dict[Use, set[str]] = {}
    for case in _passing():
        for use in {*uses(case["definition"]), *errors(case)}:
            found.setdefault(use, set()).add(case["id"])
    return found


# -- what a definition uses --------------------------------------------------------------------------------------------


def uses(definition: dict[str, Json]) -> Iterator[Use]:
    for machine in outline(definition):
        yield from _fields(machine.value, machine.shape, machine.language)
        for state in machine.states.values():
            if state.type in STATE_TYPES:
                yield "type", state.type
                yield from _fields(state.value, state.type, state.language)
                yield from _resource(state)
    for text in _texts(definition):
        if is_expression(text):
            yield from _functions(text)
        elif text.startswith("States."):
            yield from (("intrinsic", name) for name in _INTRINSIC.findall(text))


def _fields(value: dict[str, Json], shape: str, language: Language) -> Iterator[Use]:
    for _, part, inner in parts(value, "", shape, language):
        for name in fields_of(inner, language):
            if name in part:
                yield "field", name, inner, language
                if name in OPERATORS:
                    yield "operator", name
        names = part.get("ErrorEquals")
        for error in names if isinstance(names, list) else ():
            yield "error", str(error) if error in ERROR_NAMES else OTHER


def _resource(state: StateAt) -> Iterator[Use]:
    text = state.text("Resource")
    if state.type == "Task" and text is not None:
        resource = parse_resource(text)
        yield "resource", resource.kind, resource.pattern


def _functions(text: str) -> Iterator[Use]:
    try:
        names = {variable.name for variable in read_expression(text).variables}
    except JsonataError:
        return
    yield from (("function", name) for name in names & FUNCTIONS)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(member)


def errors(case: dict[str, Any]) -> Iterator[Use]:
    """The error names that a recorded execution met."""
    met = {case["expect"].get("error")}
    for event in case["history"] or ():
        met |= {details.get("error") for details in event.values() if isinstance(details, dict)}
    for name in met:
        if isinstance(name, str) and name:
            yield "error", name if name in ERROR_NAMES else OTHER


# -- pages with counts -------------------------------------------------------------------------------------------------


def rows(page: str) -> Iterator[tuple[str, list[str], list[int]]]:
    """(line, its cells, which of them are counts) of every line; a line outside of a table has no cells."""
    counted: list[int] = []
    for line in page.split("\n"):
        cells = re.split(r"(?<!\\)\|", line)[1:-1] if line.startswith("|") else []
        if not cells:
            counted = []
        elif any(cell.strip() == HEAD for cell in cells):
            counted = [at for at, cell in enumerate(cells) if cell.strip() == HEAD]
            yield line, cells, []
            continue
        yield line, cells, counted


def without_counts(page: str) -> str:
    """The page, with an empty cell for every count."""
    return carried("", page)


def carried(before: str, after: str) -> str:
    """`after`, with the counts that the same rows have in `before`; a row that is new there has none."""
    known: dict[tuple[str, ...], list[list[str]]] = {}
    for _, cells, counted in rows(before):
        if counted:
            known.setdefault(_rest(cells, counted), []).append([cells[at] for at in counted])
    lines = []
    for line, cells, counted in rows(after):
        if counted and not set(line) <= set("|- "):
            had = known.get(_rest(cells, counted), [])
            counts = had.pop(0) if had else [" "] * len(counted)
            for at, count in zip(counted, counts, strict=True):
                cells[at] = count
            line = f"|{'|'.join(cells)}|"
        lines.append(line)
    return "\n".join(lines)


def _rest(cells: list[str], counted: list[int]) -> tuple[str, ...]:
    return tuple(cell for at, cell in enumerate(cells) if at not in counted)
