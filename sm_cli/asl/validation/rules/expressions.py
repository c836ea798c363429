"""Rules about paths, payload templates and intrinsic functions.

Which fields hold them is read from the field table; what a path or a call is, only `expr` knows.
Values with a substitution (`${Name}`) are unknown and passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from sm_cli.asl.fields import OPERATORS, Syntax
from sm_cli.asl.outline import StateAt, members, parts
from sm_cli.asl.validation.nearest import nearest
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, state_rule
from sm_cli.asl.validation.schema import is_unknown
from sm_cli.expr.intrinsics.calls import FUNCTIONS, IntrinsicError, compile_call, literal_problems
from sm_cli.expr.jsonpath.path import PathError, compile_path, compile_reference
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json

_WORD = re.compile(r"\w+")
#: A path that only lacks its beginning.
_MEMBER = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_CALL = re.compile(r"States\.\w*")
_ARGUMENT = re.compile(r"'(?:[^'\\]|\\.)*'|[^\s,()']+")
#: (pointer, field, value)
Value = tuple[str, str, Json]


def values(state: StateAt, *syntaxes: Syntax) -> Iterator[Value]:
    """Every value of a state (its rules, catchers and Map parts included, inner machines not) of these syntaxes."""
    for pointer, holder, field in members(state.value, state.pointer, state.type, state.language, syntaxes):
        yield pointer, field, holder[field]


@state_rule("SM301", "error", "A path is a JSONPath", aws=SCHEMA)
def paths_parse(state: StateAt) -> Iterator[Finding]:
    for pointer, field, value in values(state, "path", "reference", "number path", "place"):
        if isinstance(value, str) and not is_unknown(value) and (problem := path_problem(value)):
            hint = _path_hint(field, value)
            start, end = word_at(value, problem.position)
            yield Finding(pointer, f"{field} holds no path: {lower(problem.message)}", hint, start=start, end=end)


def _path_hint(field: str, text: str) -> str | None:
    """What was meant by a text that is no path."""
    if text.startswith("States."):
        return "an intrinsic function cannot stand here"
    if not _MEMBER.fullmatch(text):
        return _intended_path(text)
    twin = field.removesuffix("Path")
    alternative = f", or use {twin} to compare with a fixed value" if twin != field and twin in OPERATORS else ""
    return f"write $.{text}{alternative}"


def path_problem(text: str) -> PathError | None:
    """What is wrong with a path; None when nothing is."""
    try:
        compile_path(text)
    except PathError as e:
        return e
    return None


def word_at(text: str, position: int) -> tuple[int, int]:
    """The characters [start, end) that a problem at an offset is about: the word there, else the one character."""
    match = _WORD.match(text, position)
    if match is not None:
        return match.span()
    return (position, position + 1) if position < len(text) else (max(0, len(text) - 1), len(text))


def lower(sentence: str) -> str:
    """A sentence as a clause: it begins with a small letter."""
    return sentence[:1].lower() + sentence[1:]


@state_rule("SM302", "error", "A path that places or selects one value is a Reference Path", aws=SCHEMA)
def references_are_references(state: StateAt) -> Iterator[Finding]:
    for pointer, field, value in values(state, "reference", "number path", "place"):
        if not isinstance(value, str) or is_unknown(value) or path_problem(value):
            continue
        try:
            compile_reference(value)
        except PathError as e:
            message = f"{field} must be a reference path, which names one place: {lower(e.message)}"
            start, end = word_at(value, e.position)
            yield Finding(pointer, message, start=start, end=end)


@state_rule("SM303", "error", "A result is placed in the state's input", aws=SCHEMA)
def results_stay_in_the_input(state: StateAt) -> Iterator[Finding]:
    for pointer, field, value in values(state, "place"):
        if isinstance(value, str) and not is_unknown(value) and not path_problem(value) and _is_foreign(value):
            what = "the context object" if value.startswith("$$") else "a variable"
            yield Finding(pointer, f"{field} places the result in the state's input, not in {what}", "begin it with $.")


def _is_foreign(path: str) -> bool:
    return path[1:2] not in ("", ".", "[")


@state_rule(
    "SM314",
    "error",
    "The number of a Map comes from the state's input, not from the context object",
    aws=SCHEMA,
    harmless=True,
)
def numbers_come_from_the_input(state: StateAt) -> Iterator[Finding]:
    for pointer, field, value in values(state, "number path"):
        if isinstance(value, str) and value.startswith("$$") and not is_unknown(value) and not path_problem(value):
            message = f"{field} cannot read the context object: of a Map's paths only ItemsPath can"
            yield Finding(pointer, message, "put the number into the state's input, or Assign it to a variable before")


@state_rule("SM304", "error", "ErrorPath and its like hold a path or an intrinsic function call", aws=SCHEMA)
def path_or_call(state: StateAt) -> Iterator[Finding]:
    for pointer, field, value in values(state, "value"):
        if isinstance(value, str) and not is_unknown(value):
            yield from value_findings(pointer, value, field)


def value_problem(text: str, field: str) -> str | None:
    """Why a text is neither a path nor an intrinsic call, as a sentence; None when it is one of them."""
    return next((finding.message for finding in value_findings("", text, field)), None)


def value_findings(pointer: str, text: str, field: str) -> Iterator[Finding]:
    """Why a text is neither a path nor an intrinsic call."""
    if text.startswith("$"):
        if problem := path_problem(text):
            start, end = word_at(text, problem.position)
            yield Finding(pointer, f"{field} holds no path: {lower(problem.message)}", start=start, end=end)
    elif not text.startswith("States."):
        message = f"{field} must be a path or an intrinsic function call, not {_cut(text)}"
        yield Finding(pointer, message, _intended_path(text))
    else:
        try:
            compile_call(text, field)
        except IntrinsicError as e:
            start, end = _call_at(text, e.position)
            name = text[start:end].removeprefix("States.")
            close = nearest(name, FUNCTIONS) if "no intrinsic function" in e.message else None
            hint = f"did you mean States.{close}?" if close else None
            yield Finding(pointer, e.message[:1].upper() + e.message[1:], hint, start=start, end=end)


def _intended_path(text: str) -> str | None:
    if text.strip().startswith(("$", "States.")) and text != text.strip():
        return "no blank may stand before it"
    return "an expression {% … %} needs QueryLanguage: JSONata" if text.startswith("{%") else None


def _call_at(text: str, position: int) -> tuple[int, int]:
    match = _CALL.match(text, position)
    return match.span() if match else word_at(text, position)


def _cut(text: str) -> str:
    return f'"{text}"' if len(text) <= 40 else f'"{text[:40]}…"'


@state_rule(
    "SM305",
    "error",
    "A template's key that ends in .$ holds a path or an intrinsic function call",
    aws=SCHEMA,
)
def templates_parse(state: StateAt) -> Iterator[Finding]:
    if state.language == "JSONata":
        return
    for pointer, field, value in template_members(state):
        if not field.endswith(".$"):
            continue
        if not isinstance(value, str):
            yield Finding(pointer, f"{field} must be a path or an intrinsic function call, and this is no text")
        elif not is_unknown(value):
            yield from value_findings(pointer, value, field)


@lru_cache(maxsize=4)  # the rules ask for the same state one after the other
def template_members(state: StateAt) -> tuple[Value, ...]:
    """Every member of every object in the templates of a JSONPath state."""
    return tuple(_template_members(state))


def _template_members(state: StateAt) -> Iterator[Value]:
    for at, _, template in values(state, "template"):
        waiting: list[tuple[str, Json]] = [(at, template)]
        while waiting:
            pointer, value = waiting.pop()
            if isinstance(value, dict):
                for key, inner in value.items():
                    yield child(pointer, key), key, inner
                    if isinstance(inner, (dict, list)) and not key.endswith(".$"):
                        waiting.append((child(pointer, key), inner))
            elif isinstance(value, list):
                waiting.extend((f"{pointer}/{i}", item) for i, item in enumerate(value))


@state_rule("SM306", "warning", "The constants of an intrinsic function call are such that it can work")
def calls_can_work(state: StateAt) -> Iterator[Finding]:
    if state.language == "JSONata":
        return
    calls = [(at, value) for at, field, value in template_members(state) if field.endswith(".$")]
    calls += [(at, value) for at, _, value in values(state, "value")]
    for pointer, value in calls:
        if not isinstance(value, str) or not value.startswith("States.") or is_unknown(value):
            continue
        try:
            compile_call(value, "")
            problems = literal_problems(value)
        except IntrinsicError:
            continue  # SM304 and SM305 say it
        for problem in problems[:1]:
            message = f"This call fails whenever it runs: {problem.message}"
            start, end = _argument_at(value, problem.position)
            yield Finding(pointer, message, start=start, end=end)


def _argument_at(text: str, position: int) -> tuple[int, int]:
    match = _ARGUMENT.match(text, position)
    return match.span() if match else word_at(text, position)


@state_rule("SM307", "error", "An object of a template has a key only once, with or without .$", aws=SCHEMA)
def keys_are_unique(state: StateAt) -> Iterator[Finding]:
    if state.language == "JSONata":
        return
    keys = {pointer for pointer, _, _ in template_members(state)}
    for pointer, field, _ in template_members(state):
        if field.endswith(".$") and pointer[:-2] in keys:
            message = f"{field} and {field[:-2]} cannot stand in one object; both make {field[:-2]}"
            yield Finding(pointer, message, key=True)


@state_rule("SM308", "warning", "A value that looks like a path stands under a key that ends in .$", aws="NO_DOLLAR")
def paths_have_their_dollar(state: StateAt) -> Iterator[Finding]:
    if state.language == "JSONata":
        return
    for pointer, field, value in template_members(state):
        if not field.endswith(".$") and isinstance(value, str) and looks_evaluated(value):
            yield Finding(pointer, f"{field} holds this as plain text; it is not evaluated", f"name it {field}.$")


def looks_evaluated(text: str) -> bool:
    """Whether a text is a path or looks like a call, and was surely meant to be evaluated."""
    if is_unknown(text):
        return False
    if text.startswith(("$.", "$$.", "$[")):
        return path_problem(text) is None
    return text.startswith("States.") and text.endswith(")")


@state_rule("SM310", "warning", "An expression stands in a JSONata state")
def expressions_need_jsonata(state: StateAt) -> Iterator[Finding]:
    if state.language == "JSONata":
        return
    for pointer, field, value in template_members(state):
        if isinstance(value, str) and value.startswith("{%") and value.endswith("%}") and not field.endswith(".$"):
            yield _no_expression(pointer, field)
    for field in ("Error", "Cause") if state.type == "Fail" else ():
        text = state.text(field)
        if text is not None and text.startswith("{%") and text.endswith("%}"):
            yield _no_expression(state.at(field), field)


def _no_expression(pointer: str, field: str) -> Finding:
    message = f"{field} holds this as plain text: the state uses JSONPath"
    return Finding(pointer, message, "an expression {% … %} needs QueryLanguage: JSONata")


@state_rule("SM309", "warning", "A Result is static", "Pass", aws="PASS_RESULT_IS_STATIC")
def results_are_static(state: StateAt) -> Iterator[Finding]:
    for pointer, _, result in values(state, "static"):
        waiting: list[tuple[str, Json]] = [(pointer, result)]
        while waiting:
            at, value = waiting.pop()
            if isinstance(value, dict):
                for key, inner in value.items():
                    if key.endswith(".$") and isinstance(inner, str) and looks_evaluated(inner):
                        yield Finding(child(at, key), f"A Result is static: {key} is not evaluated", "use Parameters")
                    waiting.append((child(at, key), inner))
            elif isinstance(value, list):
                waiting.extend((f"{at}/{i}", item) for i, item in enumerate(value))
            elif isinstance(value, str) and at == pointer and looks_evaluated(value):
                yield Finding(at, "A Result is static: this is not evaluated", "use Parameters or InputPath")


#: The intrinsic functions that can give text. AWS, "Fail state".
_TEXT_FUNCTIONS = (
    *("Format", "JsonToString", "ArrayGetItem", "Base64Encode", "Base64Decode", "Hash", "UUID", "StringToJson"),
)


@state_rule("SM311", "error", "ErrorPath and CausePath hold a call that gives text", "Fail", harmless=True)
def fail_paths_give_text(state: StateAt) -> Iterator[Finding]:
    for pointer, field, value in values(state, "value"):
        match = _CALL.match(value) if isinstance(value, str) and not is_unknown(value) else None
        if match is None or match[0][7:] in _TEXT_FUNCTIONS or match[0][7:] not in FUNCTIONS:
            continue
        message = f"{field} needs text, and {match[0]} never gives text"
        yield Finding(pointer, message, "States.JsonToString makes it text", start=match.start(), end=match.end())


_COMPARED = ("StringEquals", "StringLessThan", "StringGreaterThan", "StringLessThanEquals", "StringGreaterThanEquals")
#: By shape the fields of plain text that have a twin which holds a path.
_PLAIN = {"Fail": ("Error", "Cause"), "Rule": _COMPARED, "Test": _COMPARED}


@state_rule("SM312", "warning", "A path stands in a field that is evaluated", "Fail", "Choice", aws="NO_PATH")
def paths_are_evaluated(state: StateAt) -> Iterator[Finding]:
    if state.language == "JSONata":
        return
    for pointer, value, shape in parts(state.value, state.pointer, state.type, state.language):
        for field in _PLAIN.get(shape, ()):
            text = value.get(field)
            if isinstance(text, str) and looks_evaluated(text):
                message = f"{field} is plain text: this is not evaluated"
                yield Finding(child(pointer, field), message, f"use {field}Path")
