"""Items of JSON texts: the elements of an array, the members of an object, the lines of JSON Lines.

An array is never in memory whole, only the element that is being read, and an element has a limit; only with
ItemsPointer is the document loaded. A number is kept exactly or refused, as everywhere in this project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TextIO

import orjson

from sm_cli.buckets.failures import ItemReaderFailed
from sm_cli.buckets.limits import LARGEST_ITEM, too_large
from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import Json, loads_exact

_CHUNK = 1 << 16
_BLANK = re.compile(r"[ \t\n\r]*")
#: After a value at the end of what was read: `1` may become `10`, and `1` before `.` or `e+` too.
_MORE_OF_A_NUMBER = re.compile(r"[0-9.eE+-]*")
#: Finds where a value ends, at the speed of C; what its numbers are is not its business.
_SHAPE = json.JSONDecoder(parse_int=str, parse_float=str)


class Member(dict[str, Json]):
    """A member of an object that is iterated over, {"Key": …, "Value": …}; an element of an array may look the same."""


NOT_ITERABLE = "Attempting to map over non-iterable node."


def exact(text: str, what: str) -> Json:
    """The value of a JSON text, as `loads_exact` reads it. Raises InvalidJson."""
    try:
        value: Json = orjson.loads(text)
        # orjson bends a number that is too large and lets the second of two equal keys win, in silence. A text that
        # comes back as it was has neither; any other goes the slow way.
        if orjson.dumps(value) == text.encode():
            return value
    except (ValueError, TypeError):
        pass
    return loads_exact(text, what=what)


class Unreadable(str):
    """Stands for an item that cannot be read, where the others are read all the same: why, as a sentence."""

    __slots__ = ()


def json_lines(text: TextIO, name: str, *, is_lenient: bool = False) -> Iterator[Json]:
    """A value for each line; blank lines are none. is_lenient: an Unreadable for a line that is not JSON or too large,
    which raises ItemReaderFailed otherwise."""
    number = 0
    while line := text.readline(LARGEST_ITEM + 1):
        number += 1
        problem = None
        if len(line) > LARGEST_ITEM:
            problem = too_large(f"line {number} of {name}")
            while is_lenient and line and not line.endswith("\n"):
                line = text.readline(LARGEST_ITEM + 1)
        elif value_text := line.strip(" \t\r\n"):
            try:
                yield exact(value_text, f"line {number} of {name}")
            except InvalidJson as e:
                problem = _invalid(e, value_text, name, number, 1)
        if problem is not None:
            if not is_lenient:
                raise problem from None
            yield Unreadable(problem.cause)


def _invalid(error: InvalidJson, text: str, name: str, line: int, column: int) -> ItemReaderFailed:
    """What is wrong with a text that begins at this place of a file, with the place in the file."""
    if error.line is not None:
        try:
            _SHAPE.decode(text)
        except json.JSONDecodeError as e:
            return _no_json(name, e.msg, line + e.lineno - 1, e.colno + (column - 1 if e.lineno == 1 else 0))
    return ItemReaderFailed(error.message)


def _no_json(name: str, message: str, line: int, column: int) -> ItemReaderFailed:
    problem = message.removesuffix(" at")  # as in "Unterminated string starting at"
    return ItemReaderFailed(f"{name} is not JSON: {problem} at line {line}, column {column}")


def items(text: TextIO, name: str) -> Iterator[Json]:
    """The elements of the array that the text holds, or a {"Key", "Value"} for each member of its object. Raises
    ItemReaderFailed for another text."""
    window = _Window(text, name)
    opening = window.next_sign()
    if opening == "[":
        yield from _elements(window)
    elif opening == "{":
        yield from _members(window)
    elif not opening:
        raise ItemReaderFailed(f"{name} is empty, which is not JSON")
    else:
        window.value(name)
        window.finish()
        raise ItemReaderFailed(NOT_ITERABLE)


def _elements(window: _Window) -> Iterator[Json]:
    window.at += 1
    if window.next_sign() != "]":
        number = 0
        while True:
            yield window.value(f"item {number} of {window.name}")
            number += 1
            if window.next_sign() != ",":
                break
            window.at += 1
            window.next_sign()
    window.take("]")
    window.finish()


def _members(window: _Window) -> Iterator[Json]:
    keys: set[str] = set()
    window.at += 1
    if window.next_sign() != "}":
        while True:
            if window.next_sign() != '"':
                raise window.wrong("Expecting property name enclosed in double quotes")
            key = window.value(f"a key of {window.name}")
            assert isinstance(key, str)
            if key in keys:
                raise ItemReaderFailed(f"{window.name} names the key {key!r} twice in one object")
            keys.add(key)
            window.next_sign()
            window.take(":")
            window.next_sign()
            yield Member(Key=key, Value=window.value(f"the value of {key!r} in {window.name}"))
            if window.next_sign() != ",":
                break
            window.at += 1
    window.take("}")
    window.finish()


class _Window:
    """The part of a text that was read and not used yet: `buffer` from `at` on."""

    def __init__(self, text: TextIO, name: str) -> None:
        self.name = name
        self.buffer = ""
        self.at = 0
        self._text = text
        self._at_end = False
        self._line = self._column = 1  # where the buffer begins

    def next_sign(self) -> str:
        """Go to the next character that is not blank; "" at the end."""
        while True:
            blank = _BLANK.match(self.buffer, self.at)
            assert blank is not None
            self.at = blank.end()
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if self._at_end:
                return ""
            self._more()

    def take(self, sign: str) -> None:
        if self.buffer[self.at : self.at + 1] != sign:
            raise self.wrong(f"Expecting {':' if sign == ':' else ','!r} delimiter")
        self.at += 1

    def finish(self) -> None:
        if self.next_sign():
            raise self.wrong("Extra data")

    def value(self, what: str) -> Json:
        """The value that begins here."""
        while True:
            try:
                end = _SHAPE.raw_decode(self.buffer, self.at)[1]
                if self._at_end or not _MORE_OF_A_NUMBER.fullmatch(self.buffer, end):
                    break
            except json.JSONDecodeError as e:
                if self._at_end:
                    raise self.wrong(e.msg, e.pos) from None
            except RecursionError:
                raise ItemReaderFailed(f"{what} is nested too deeply to be read") from None
            if len(self.buffer) - self.at > LARGEST_ITEM:
                raise too_large(f"{what}, from line {self._place()[0]} on, is not JSON or")
            self._more()
        if end - self.at > LARGEST_ITEM:
            raise too_large(what)
        text = self.buffer[self.at : end]
        try:
            value = exact(text, what)
        except InvalidJson as e:
            raise _invalid(e, text, self.name, *self._place()) from None
        self.at = end
        return value

    def wrong(self, message: str, at: int | None = None) -> ItemReaderFailed:
        return _no_json(self.name, message, *self._place(at))

    def _place(self, at: int | None = None) -> tuple[int, int]:
        """Line and column in the file, from 1, of a place in the buffer."""
        at = self.at if at is None else at
        newlines = self.buffer.count("\n", 0, at)
        if not newlines:
            return self._line, self._column + at
        return self._line + newlines, at - self.buffer.rfind("\n", 0, at)

    def _more(self) -> None:
        # As much again as waits already, so that a large value is looked at a few times only.
        piece = self._text.read(max(_CHUNK, len(self.buffer) - self.at))
        self._at_end = not piece
        self._line, self._column = self._place()
        self.buffer = self.buffer[self.at :] + piece
        self.at = 0


def items_at(text: TextIO, name: str, pointer: str) -> Iterator[Json]:
    """The items at a JSON Pointer (RFC 6901) into the document. Raises ItemReaderFailed where there are none."""
    try:
        node = loads_exact(text.read(), what=name)
    except InvalidJson as e:
        raise ItemReaderFailed(e.message) from None
    for step in pointer.split("/")[1:]:
        node = _step(node, step.replace("~1", "/").replace("~0", "~"), name, pointer)
    if isinstance(node, list):
        yield from node
    elif isinstance(node, dict):
        yield from (Member(Key=key, Value=value) for key, value in node.items())
    else:
        raise ItemReaderFailed(NOT_ITERABLE)


def _step(node: Json, step: str, name: str, pointer: str) -> Json:
    if isinstance(node, dict) and step in node:
        return node[step]
    if isinstance(node, list) and re.fullmatch(r"0|[1-9][0-9]{0,9}", step) and int(step) < len(node):
        return node[int(step)]
    raise ItemReaderFailed(f"ItemsPointer {pointer!r} leads to nothing in {name}: there is no {step!r}")
