"""What a JSONPath state reads: the roots of its paths, each with the place where it stands.

A path that is wrong is passed over here; the rules of `expressions` say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sm_cli.asl.outline import StateAt
from sm_cli.asl.validation.rules.catalogue import Finding, state_rule
from sm_cli.asl.validation.rules.expressions import template_members, values
from sm_cli.asl.validation.schema import is_unknown
from sm_cli.expr.intrinsics.parser import Argument, Call, IntrinsicError, Reference, parse_call
from sm_cli.expr.jsonpath.path import Path, PathError, compile_path


@dataclass(frozen=True, slots=True)
class Use:
    """A variable that is read, at the characters [start, end) of a text; `name` has no `$`: it is "" for the input and
    "$" for the context object. `is_guarded`: it is only asked for when it is there. `path` is the whole path."""

    #: The JSON pointer of the text.
    pointer: str
    name: str
    #: The offset of its first character in the text.
    start: int
    #: The offset after its last one.
    end: int
    is_guarded: bool = False
    path: Path | None = None

    def finding(self, message: str, hint: str | None) -> Finding:
        """A finding at the place of this use."""
        return Finding(self.pointer, message, hint, start=self.start, end=self.end)


def uses(state: StateAt) -> tuple[Use, ...]:
    """Every path of a JSONPath state."""
    return () if state.language == "JSONata" else _uses(state)


@lru_cache(maxsize=4)  # the rules ask for the same state one after the other
def _uses(state: StateAt) -> tuple[Use, ...]:
    return tuple(_find_uses(state))


def _find_uses(state: StateAt) -> Iterator[Use]:
    for pointer, field, value in values(state, "path", "reference", "number path"):
        if isinstance(value, str) and value.startswith("$"):
            yield from _path(pointer, value, 0, field == "Variable" and _asks_presence(state, pointer))
    for pointer, field, value in template_members(state):
        if field.endswith(".$") and isinstance(value, str):
            yield from _value(pointer, value)
    for pointer, _, value in values(state, "value"):
        if isinstance(value, str):
            yield from _value(pointer, value)


def _asks_presence(state: StateAt, pointer: str) -> bool:
    """Whether the rule that holds a Variable asks IsPresent, or the rules beside it in one And do."""
    rule: object = state.value
    above: object = None
    for token in pointer[len(state.pointer) + 1 :].split("/")[:-1]:
        if isinstance(rule, list):
            rule = rule[int(token)]
        elif isinstance(rule, dict):
            above, rule = rule, rule.get(token)
    beside = above.get("And") if isinstance(above, dict) else None
    conditions = [rule, *(beside if isinstance(beside, list) else [])]
    return any(isinstance(each, dict) and ("IsPresent" in each or "Not" in each) for each in conditions)


def _value(pointer: str, text: str) -> Iterator[Use]:
    if text.startswith("$"):
        yield from _path(pointer, text, 0, False)
    elif text.startswith("States.") and not is_unknown(text):
        try:
            call = parse_call(text)
        except IntrinsicError:
            return
        waiting: list[Argument] = [call]
        while waiting:
            argument = waiting.pop()
            if isinstance(argument, Call):
                waiting.extend(reversed(argument.arguments))
            elif isinstance(argument, Reference):
                yield _use(pointer, argument.path, argument.position, False)


def _path(pointer: str, text: str, at: int, is_guarded: bool) -> Iterator[Use]:
    if is_unknown(text):
        return
    try:
        path = compile_path(text)
    except PathError:
        return
    yield _use(pointer, path, at, is_guarded)


def _use(pointer: str, path: Path, at: int, is_guarded: bool) -> Use:
    name = "" if path.root == "$" else "$" if path.root == "$$" else path.root
    return Use(pointer, name, at, at + 1 + len(name), is_guarded, path)


@state_rule("SM313", "warning", "The words in the filter of a path stand in quotes")
def words_stand_in_quotes(state: StateAt) -> Iterator[Finding]:
    for use in uses(state):
        for word in use.path.words if use.path is not None else ():
            at = use.start + max(0, use.path.text.find(word)) if use.path is not None else use.start
            message = f"{word} is taken for text here; it is not known whether AWS takes it without quotes"
            yield Finding(use.pointer, message, f"write '{word}' to be sure", start=at, end=at + len(word))
