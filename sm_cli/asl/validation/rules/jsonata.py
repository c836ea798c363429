"""Rules about JSONata expressions. States Language, "Using JSONata"; AWS, "Transforming data with JSONata".

An expression is a whole text from `{%` to `%}`; what is inside, only `expr` knows. Values with a substitution
(`${Name}`) are unknown and passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from sm_cli.asl.outline import StateAt
from sm_cli.asl.validation.nearest import as_jsonata, nearest
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, state_rule
from sm_cli.asl.validation.rules.expressions import looks_evaluated, values
from sm_cli.asl.validation.schema import is_unknown
from sm_cli.expr.jsonata.expressions import JsonataError, is_expression
from sm_cli.expr.jsonata.reading import FUNCTIONS, Read, Reading, read_expression
from sm_cli.jsonpointer import child, tokens
from sm_cli.jsonvalue import Json

#: The states that have a result, which `$states.result` is.
WITH_RESULT = ("Task", "Parallel", "Map", "Message")
MEMBERS = ("input", "context", "result", "errorOutput")
_WORD = re.compile(r"\w+|%}|[^\w\s]")
#: Fields of text that are never evaluated, and where writing an expression is a mistake.
_CONSTANTS = ("ErrorEquals", "CorrelationKey", "Resource", "Next", "Default", "StartAt", "TimeoutPath")


def texts(state: StateAt) -> tuple[tuple[str, str], ...]:
    """(pointer, text) of every text of a JSONata state that may be an expression and is known."""
    return () if state.language == "JSONPath" else _texts(state)


@lru_cache(maxsize=4)  # the rules ask for the same state one after the other
def _texts(state: StateAt) -> tuple[tuple[str, str], ...]:
    return tuple(_find_texts(state))


def _find_texts(state: StateAt) -> Iterator[tuple[str, str]]:
    return ((pointer, text) for pointer, text in _written_texts(state) if not is_unknown(text))


def unreadable_placeholders(state: StateAt) -> Iterator[tuple[str, str]]:
    """(pointer, text) of every expression that holds a substitution and that JSONata cannot read as it stands."""
    for pointer, text in () if state.language == "JSONPath" else _written_texts(state):
        if is_unknown(text) and is_expression(text):
            try:
                read_expression(text)
            except JsonataError:
                yield pointer, text


def _written_texts(state: StateAt) -> Iterator[tuple[str, str]]:
    for at, field, template in values(state, "template", "timestamp", "expression", "text"):
        if field in ("Comment", "ErrorEquals", "CorrelationKey", "Label", "ItemsPointer"):
            continue
        waiting: list[tuple[str, Json]] = [(at, template)]
        while waiting:
            pointer, value = waiting.pop()
            if isinstance(value, str):
                yield pointer, value
            elif isinstance(value, dict):
                waiting.extend((child(pointer, key), inner) for key, inner in value.items())
            elif isinstance(value, list):
                waiting.extend((f"{pointer}/{i}", item) for i, item in enumerate(value))


def readings(state: StateAt) -> tuple[tuple[str, str, Reading], ...]:
    """(pointer, text, what it reads) of every expression of a state that is right."""
    return () if state.language == "JSONPath" else _readings(state)


@lru_cache(maxsize=4)
def _readings(state: StateAt) -> tuple[tuple[str, str, Reading], ...]:
    return tuple(_find_readings(state))


def _find_readings(state: StateAt) -> Iterator[tuple[str, str, Reading]]:
    for pointer, text in texts(state):
        if is_expression(text):
            try:
                reading = read_expression(text)
            except JsonataError:
                continue  # SM810 says it
            yield pointer, text, reading


@state_rule("SM804", "error", "An expression begins with {% and ends with %}", aws=SCHEMA)
def expressions_are_delimited(state: StateAt) -> Iterator[Finding]:
    for pointer, text in texts(state):
        begins, ends = text.startswith("{%"), text.endswith("%}")
        if begins and not ends and text.rstrip().endswith("%}"):
            at = len(text.rstrip())
            hint = "in YAML, |- and >- leave the last line end out" if text.endswith("\n") else "nothing may follow %}"
            yield Finding(pointer, "This expression is not closed: a blank follows %}", hint, start=at - 2, end=at)
        elif begins and not ends:
            yield Finding(pointer, "This expression is not closed: it ends with %}", start=0, end=2)
        elif ends and not begins:
            message = "This expression is not opened: {% must stand at its very beginning"
            join_hint = "join text inside it: {% 'text ' & … %}" if "{%" in text.strip()[1:] else None
            yield Finding(pointer, message, join_hint, start=len(text) - 2, end=len(text))


@state_rule("SM806", "warning", "Nothing stands before {% and after %}")
def nothing_stands_outside(state: StateAt) -> Iterator[Finding]:
    for pointer, text in texts(state):
        if is_expression(text.strip()) and not text.startswith("{%") and not text.endswith("%}"):
            message = "This is plain text, no expression: {% must stand at its very beginning and %} at its end"
            hint = "in YAML, |- and >- leave the last line end out" if text.endswith("\n") else None
            yield Finding(pointer, message, hint)


@state_rule("SM807", "warning", "Blanks set an expression off from {% and %}")
def blanks_set_it_off(state: StateAt) -> Iterator[Finding]:
    for pointer, text in texts(state):
        if is_expression(text) and text[2:-2].strip() and not text[2].isspace() and not text[-3].isspace():
            message = "An expression stands between blanks: not every tool reads it without them"
            yield Finding(pointer, message, f"write {{% {_short(text[2:-2])} %}}")


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


@state_rule("SM805", "warning", "A JSONata state has no keys that end in .$")
def keys_have_no_dollar(state: StateAt) -> Iterator[Finding]:
    for pointer, key, _ in _members(state):
        if key.endswith(".$"):
            message = f"{key} means nothing in JSONata: the key and its value stay as they are"
            yield Finding(pointer, message, "write {% … %} as the value", key=True)


@state_rule("SM808", "warning", "An expression stands where it is evaluated")
def expressions_are_evaluated(state: StateAt) -> Iterator[Finding]:
    for pointer, key, _ in _members(state):
        if key.startswith("{%"):
            yield Finding(pointer, "A key is never evaluated: this expression stays as it is", key=True)
    for pointer, field, value in values(state, "text") if state.language == "JSONata" else ():
        for i, item in enumerate(value) if isinstance(value, list) else ((-1, value),):
            if field in _CONSTANTS and isinstance(item, str) and is_expression(item):
                at = pointer if i < 0 else f"{pointer}/{i}"
                yield Finding(at, f"{field} is never evaluated: this expression stays as it is")


@state_rule("SM809", "warning", "A path stands in an expression, in a JSONata state")
def paths_need_jsonpath(state: StateAt) -> Iterator[Finding]:
    for pointer, key, value in _members(state):
        if not isinstance(value, str) or key.endswith(".$"):
            continue
        if value.startswith("$states.") and not is_unknown(value):
            yield Finding(pointer, f"{key} holds this as plain text: it is no expression", f"write {{% {value} %}}")
        elif looks_evaluated(value):
            rewrite = f"write {{% {as_jsonata(value)} %}}"
            hint = rewrite if value.startswith("$") else "JSONata has functions of its own"
            yield Finding(pointer, f"{key} holds this as plain text: the state uses JSONata", hint)


def _members(state: StateAt) -> tuple[tuple[str, str, Json], ...]:
    """The templates of a JSONata state that are text, and every member of every object in the others."""
    return () if state.language == "JSONPath" else _all_members(state)


@lru_cache(maxsize=4)
def _all_members(state: StateAt) -> tuple[tuple[str, str, Json], ...]:
    return tuple(_find_members(state))


def _find_members(state: StateAt) -> Iterator[tuple[str, str, Json]]:
    for at, field, template in values(state, "template"):
        if isinstance(template, str):
            yield at, field, template
        waiting: list[tuple[str, Json]] = [(at, template)]
        while waiting:
            pointer, value = waiting.pop()
            if isinstance(value, list):
                waiting.extend((f"{pointer}/{i}", item) for i, item in enumerate(value))
            for key, inner in value.items() if isinstance(value, dict) else ():
                yield child(pointer, key), key, inner
                waiting.append((child(pointer, key), inner))


def _errors(state: StateAt) -> Iterator[tuple[str, str, JsonataError]]:
    for pointer, text in texts(state):
        if is_expression(text):
            try:
                read_expression(text)
            except JsonataError as e:
                yield pointer, text, e


def _is_newer(text: str, error: JsonataError) -> bool:
    return text.startswith(("??", "?:"), error.position) and "2.0.6" in error.message


@state_rule("SM810", "error", "An expression is JSONata", aws="INVALID_JSONATA_EXPRESSION")
def expressions_parse(state: StateAt) -> Iterator[Finding]:
    for pointer, text, error in _errors(state):
        if not _is_newer(text, error):
            start, end, hint = _foreign(text, error.position) or (*_mark(text, error.position), None)
            if text[2:].lstrip().startswith(("$.", "$$.", "$[")):
                hint = "this looks like JSONPath; in JSONata the input is $states.input"
            elif not text[2:-2].strip():
                hint = "there is no expression between {% and %}"
            message = f"This is not JSONata: {error.message}"
            yield Finding(pointer, message, hint, start=start, end=end, about=error.message)


#: Signs of other languages, the longer first, and what JSONata has for them.
_FOREIGN = {
    "!==": "JSONata writes !=",
    "===": "JSONata writes =",
    "==": "JSONata writes =",
    "&&": "JSONata writes and",
    "||": "JSONata writes or",
    "=>": "JSONata writes function($x) { … }",
    "!": "JSONata writes $not(…)",
    ";": "several expressions stand in parentheses: ( … ; … )",
}


def _foreign(text: str, position: int) -> tuple[int, int, str] | None:
    """The sign at an offset, or just before it, when that is one of another language, and what JSONata has for it."""
    for sign, hint in _FOREIGN.items():
        start = text.find(sign, max(2, position - len(sign)), position + len(sign))
        if 0 <= start <= position:
            return start, start + len(sign), hint
    return None


def _mark(text: str, position: int) -> tuple[int, int]:
    """The word at a position, or the closing delimiter when the text ends before it."""
    match = _WORD.search(text, min(position, len(text) - 2))
    return (match.start(), match.end()) if match else (position, position + 1)


@state_rule("SM811", "error", "An expression has only operators of JSONata 2.0.6", aws="INVALID_JSONATA_EXPRESSION")
def operators_are_known(state: StateAt) -> Iterator[Finding]:
    for pointer, text, error in _errors(state):
        if _is_newer(text, error):
            sign = text[error.position : error.position + 2]
            message = f"Step Functions has JSONata 2.0.6, which does not know the operator {sign}"
            about = f'The symbol "{sign[1]}" cannot be used as a unary operator'
            hint, end = "write $exists(a) ? a : b", error.position + 2
            yield Finding(pointer, message, hint, start=error.position, end=end, about=about)


@state_rule("SM813", "error", "No expression uses $eval", harmless=True)
def eval_is_not_there(state: StateAt) -> Iterator[Finding]:
    for pointer, _, reading in readings(state):
        for name in reading.variables:
            if name.name == "eval" and name.is_call:
                message = "Step Functions has no $eval"
                yield Finding(pointer, message, "$parse reads JSON text", start=name.start, end=name.end)


@state_rule(
    "SM814",
    "error",
    "Where $states.result or $states.errorOutput is read, it exists",
    aws="UNSUPPORTED_JSONATA_EXPRESSION",
    harmless=True,
)
def states_has_them(state: StateAt) -> Iterator[Finding]:
    for pointer, _, reading in readings(state):
        for name in reading.variables:
            member = name.members[0] if name.name == "states" and name.members else ""
            if member in ("result", "errorOutput") and (problem := _misplacement(state, pointer, member)):
                end = name.end + 1 + len(member)
                yield Finding(
                    pointer, *problem, start=name.start, end=end, about=f"Field '$states.{member}' does not exist."
                )


def _misplacement(state: StateAt, pointer: str, member: str) -> tuple[str, str | None] | None:
    """Why a member of `$states` has no value at this place of a state, with a hint."""
    field, *inside = tokens(pointer[len(state.pointer) :])
    in_catcher = field == "Catch" and len(inside) > 1 and inside[1] in ("Output", "Assign")
    if member == "errorOutput":
        if in_catcher:
            return None
        return "$states.errorOutput exists only in the Output and Assign of a catcher", None
    if in_catcher:
        return "A catcher has no $states.result", "the error is $states.errorOutput"
    if state.type not in WITH_RESULT:
        return f"A {state.type} state has no $states.result", "use $states.input"
    if field not in ("Output", "Assign"):
        return f"$states.result does not exist yet in {field}: only Output and Assign see it", "use $states.input"
    return None


@state_rule("SM815", "warning", "A member of $states is one that it can have")
def members_are_known(state: StateAt) -> Iterator[Finding]:
    for pointer, text, reading in readings(state):
        for name in reading.variables:
            if name.name == "states" and name.members and name.members[0] not in MEMBERS:
                member = name.members[0]
                start = text.find(member, name.end)
                close = nearest(member, MEMBERS)
                hint = f"did you mean {close}?" if close else f"it has {', '.join(MEMBERS)}"
                yield Finding(pointer, f"$states has no member {member}", hint, start=start, end=start + len(member))


@state_rule("SM816", "error", "An expression names what it reads", aws="UNSUPPORTED_JSONATA_EXPRESSION", harmless=True)
def nothing_is_implied(state: StateAt) -> Iterator[Finding]:
    for pointer, text, reading in readings(state):
        for name in reading.context:
            message, hint = _without_context(text, name)
            name_text = text[name.start : name.end]
            about = f"Reference to '{name_text}' {'at the top level ' if name.bare else ''}is not supported."
            yield Finding(pointer, message, hint, start=name.start, end=name.end, about=about)


def _without_context(text: str, name: Read) -> tuple[str, str]:
    path = ".".join(name.members)
    if name.bare:
        name_text = text[name.start : name.end]
        hint = f"write $states.input.{name_text}, ${name_text} for a variable, or '{name_text}' for text"
        return f"{name_text} names nothing: an expression has no input of its own", hint
    what = "$states.context" if name.name == "$" else "$states.input"
    message = f"${name.name} has no value outside of a predicate, a path or a function"
    return message, f"write {what}.{path}" if path else f"write {what}"


@state_rule("SM812", "warning", "A function that is called exists")
def functions_exist(state: StateAt) -> Iterator[Finding]:
    for pointer, _, reading in readings(state):
        for name in reading.variables:
            if name.is_call and name.name not in FUNCTIONS and name.name != "eval":
                close = nearest(name.name, FUNCTIONS)
                hint = f"did you mean ${close}?" if close else None
                yield Finding(pointer, f"There is no function ${name.name}", hint, start=name.start, end=name.end)
