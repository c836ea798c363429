"""JSON text: its value, where everything stands, and what is wrong with it.

A text that is right is read by the C parser and never scanned here until a position is asked for;
the scanner below is iterative, so no nesting can exhaust the interpreter's stack.

A `${Name}` without quotes, where a value stands, is the text `${Name}`: templates write numbers and lists so, and
are JSON when the values are in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from sm_cli.asl.text.spans import Lines, Problem, Span
from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import Json, loads_exact

#: How deep arrays and objects may be nested; real definitions stay below 50.
MAX_DEPTH = 200
TOO_DEEP = f"the definition is nested more than {MAX_DEPTH} levels deep"
#: Why a comma too many may have been deployed all the same.
_READ_AS_YAML = "take it out; CloudFormation lets it pass, because it reads the file as YAML, and AWS's API does not"
#: More problems than this in one text help nobody.
MAX_PROBLEMS = 100

_BLANK = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
_STRING_SO_FAR = re.compile(r'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
#: With the strings, so that those in them are passed over.
_SUBSTITUTION = re.compile(rf"{_STRING.pattern}|(\$\{{[^{{}}\r\n]+\}})")
_WORD = re.compile(r"[^\s,:\[\]{}\"']+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CONSTANTS = ("true", "false", "null")
_ALMOST = {
    "True": "true", "False": "false", "TRUE": "true", "FALSE": "false", "None": "null", "nil": "null",
    "NULL": "null", "Null": "null", "undefined": "null",
}  # fmt: skip


def read_json_text(text: str) -> tuple[Json, list[Problem]]:
    """The value of a JSON text, or its problems (then the value means nothing)."""
    try:
        value = loads_exact(text, what="the definition")
    except InvalidJson as e:
        _, problems = scan(text)
        if problems:
            return None, problems
        try:
            value = loads_exact(_SUBSTITUTION.sub(_quote, text), what="the definition")
        except InvalidJson:
            return None, [_as_problem(text, e)]
    if deeper_than(value, MAX_DEPTH):
        return None, scan(text)[1]
    return value, []


def _quote(match: re.Match[str]) -> str:
    return json.dumps(match[1]) if match[1] else match[0]


def _as_problem(text: str, error: InvalidJson) -> Problem:
    starts = Lines(text)
    offset = 0
    if error.line is not None and error.column is not None:
        offset = starts.start_of(error.line) + error.column - 1
    return Problem("SM003", error.message, offset, min(offset + 1, len(text)))


def deeper_than(value: Json, limit: int) -> bool:
    """Whether arrays and objects are nested more than `limit` levels deep."""
    level: list[Json] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(limit):
        if not level:
            return False
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
    return bool(level)


def scan(text: str) -> tuple[Span | None, list[Problem]]:
    """Where everything of a JSON text stands, and its problems: all that leave the structure readable, and
    at most one that does not (then the span is None)."""
    scanner = _Scanner(text)
    try:
        root = scanner.run()
    except _Broken as broken:
        return None, [*scanner.problems, broken.problem]
    return root, scanner.problems


class _Broken(Exception):
    """The text cannot be read on from here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """An array or object whose end has not come yet."""

    span: Span
    keys: dict[str, int] | None  # offset of each key; None for an array


class _Scanner:
    """One pass over the text: `_expect` names what must come next, each method reads that and says what then."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._root: Span | None = None
        self._key: tuple[str, int, int] = ("", -1, -1)
        self._lines: Lines | None = None

    def run(self) -> Span:
        expect: Callable[[int], tuple[_Step | None, int]] | None = self._value
        at = 0
        blank = _BLANK.match
        while expect is not None:
            match = blank(self.text, at)
            expect, at = expect(match.end() if match else at)
        if self._root is None:
            raise AssertionError("a text that was read to its end has a value")
        return self._root

    # What may come next: each takes the offset of the next character that is not blank.

    def _value(self, at: int) -> tuple[_Step | None, int]:
        c = self.text[at : at + 1]
        if c in ("{", "["):
            return self._container(at, c)
        if c == '"':
            end = self._string(at)
            self._text_of(at, end)
            self._place(Span(at, end))
            return self._after, end
        return self._scalar(at, c)

    def _container(self, at: int, c: str) -> tuple[_Step | None, int]:
        if len(self._open) == MAX_DEPTH:
            raise self._syntax_error("SM009", TOO_DEEP, at, at + 1)
        span = Span(at, at + 1, members={} if c == "{" else [])
        self._place(span)
        self._open.append(_Open(span, {} if c == "{" else None))
        return (self._first_key if c == "{" else self._first_item), at + 1

    def _scalar(self, at: int, c: str) -> tuple[_Step | None, int]:
        word = match.group() if (match := _WORD.match(self.text, at)) else ""
        if word in _CONSTANTS or self._is_number(word, at):
            self._place(Span(at, at + len(word)))
            return self._after, at + len(word)
        if c == "$" and (match := _SUBSTITUTION.match(self.text, at)):
            self._place(Span(at, match.end()))
            return self._after, match.end()
        raise self._no_value(at, c, word)

    def _first_item(self, at: int) -> tuple[_Step | None, int]:
        return self._close(at) if self.text.startswith("]", at) else self._value(at)

    def _first_key(self, at: int) -> tuple[_Step | None, int]:
        return self._close(at) if self.text.startswith("}", at) else self._read_key(at)

    def _read_key(self, at: int) -> tuple[_Step | None, int]:
        if not self.text.startswith('"', at):
            raise self._no_key(at)
        end = self._string(at)
        key = self._text_of(at, end)
        keys = self._open[-1].keys
        if keys is not None and (first := keys.setdefault(key, at)) != at:
            line = self._line(first)
            self._note("SM006", f"the key {_display_key(key)} stands here again; its first is on line {line}", at, end)
        self._key = (key, at, end)
        return self._colon, end

    def _colon(self, at: int) -> tuple[_Step | None, int]:
        if self.text.startswith(":", at):
            return self._value, at + 1
        if at >= len(self.text):
            raise self._end_error(at)
        self._refuse_comment(at)
        raise self._syntax_error("SM003", f"a ':' is missing after the key {_display_key(self._key[0])}", at, at + 1)

    def _after(self, at: int) -> tuple[_Step | None, int]:
        c = self.text[at : at + 1]
        if not self._open:
            return self._finish(at)
        is_object = self._open[-1].keys is not None
        if c == ",":
            return (self._next_key if is_object else self._next_item), at + 1
        if c == ("}" if is_object else "]"):
            return self._close(at)
        if not c:
            raise self._end_error(at)
        self._refuse_comment(at)
        if c in "]}":
            raise self._mismatch(at, c)
        if c == ":":
            raise self._syntax_error(
                "SM003", "a ':' cannot stand here: the value before it is already complete", at, at + 1
            )
        raise self._syntax_error("SM003", "a ',' is missing before this", at, at + 1)

    def _finish(self, at: int) -> tuple[_Step | None, int]:
        if at < len(self.text):
            self._refuse_comment(at)
            message = "the definition has ended before this; nothing may follow it"
            raise self._syntax_error("SM003", message, at, len(self.text))
        return None, at

    def _next_item(self, at: int) -> tuple[_Step | None, int]:
        self._refuse_trailing_comma(at, "]")
        return self._value(at)

    def _next_key(self, at: int) -> tuple[_Step | None, int]:
        self._refuse_trailing_comma(at, "}")
        return self._read_key(at)

    def _close(self, at: int) -> tuple[_Step | None, int]:
        self._open.pop().span.end = at + 1
        return self._after, at + 1

    # Parts

    def _place(self, span: Span) -> None:
        if not self._open:
            self._root = span
            return
        members = self._open[-1].span.members
        if isinstance(members, dict):
            key, span.key_start, span.key_end = self._key
            members[key] = span
        elif members is not None:
            members.append(span)

    def _string(self, at: int) -> int:
        if match := _STRING.match(self.text, at):
            return match.end()
        raise self._bad_string(at)

    def _text_of(self, at: int, end: int) -> str:
        inside = self.text[at + 1 : end - 1]
        if "\\" not in inside:
            return inside
        text = _decode(inside)
        if _SURROGATE.search(text):
            self._note("SM014", "this text holds half of a surrogate pair, which no UTF-8 text can hold", at, end)
        return text

    def _is_number(self, word: str, at: int) -> bool:
        if not _NUMBER.fullmatch(word):
            return False
        try:
            loads_exact(word, what="the definition")
        except InvalidJson as e:
            self._note("SM007", e.message, at, at + len(word))
        return True

    # Sentences

    def _line(self, offset: int) -> int:
        self._lines = self._lines or Lines(self.text)
        return self._lines.line(offset)

    def _note(self, code: str, message: str, start: int, end: int) -> None:
        problem = Problem(code, message, start, end)
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Broken(problem)
        self.problems.append(problem)

    @staticmethod
    def _syntax_error(code: str, message: str, start: int, end: int, hint: str | None = None) -> _Broken:
        return _Broken(Problem(code, message, start, end, hint))

    def _refuse_comment(self, at: int) -> None:
        if self.text.startswith(("//", "/*", "#"), at):
            raise self._syntax_error(
                "SM003", "JSON has no comments", at, at + 1, "use a Comment field, or write the definition as YAML"
            )

    def _refuse_trailing_comma(self, at: int, closing: str) -> None:
        if self.text.startswith(closing, at):
            comma = self.text.rindex(",", 0, at)
            message = f"JSON allows no ',' before the closing '{closing}'"
            raise self._syntax_error("SM003", message, comma, comma + 1, _READ_AS_YAML)

    def _no_value(self, at: int, c: str, word: str) -> _Broken:
        if not c:
            return self._end_error(at)
        self._refuse_comment(at)
        end = at + max(len(word), 1)
        if word in ("NaN", "Infinity", "-Infinity", "+Infinity"):
            return self._syntax_error("SM007", f"JSON has no {word}", at, end)
        if word in _ALMOST:
            return self._syntax_error("SM003", f"JSON writes {_ALMOST[word]}, not {word}", at, end)
        if c == "'":
            return self._syntax_error("SM003", "JSON text stands in double quotes, not in single ones", at, at + 1)
        if re.match(r"[+.]?[0-9]|-", word):
            return self._syntax_error("SM003", f"{excerpt(word)} is not a JSON number", at, end)
        if c in ",]}:":
            return self._syntax_error("SM003", f"a value is missing before this '{c}'", at, at + 1)
        return self._syntax_error(
            "SM003", f"JSON has no value {excerpt(word or c)}; text stands in double quotes", at, end
        )

    def _no_key(self, at: int) -> _Broken:
        c = self.text[at : at + 1]
        if not c:
            return self._end_error(at)
        self._refuse_comment(at)
        if c == ",":
            return self._syntax_error("SM003", "this ',' is one too many", at, at + 1)
        if c == "'":
            return self._syntax_error("SM003", "JSON text stands in double quotes, not in single ones", at, at + 1)
        if match := _WORD.match(self.text, at):
            return self._syntax_error(
                "SM003", f"the key {excerpt(match.group())} must stand in double quotes", at, match.end()
            )
        return self._syntax_error("SM003", "a key in double quotes must stand here", at, at + 1)

    def _mismatch(self, at: int, c: str) -> _Broken:
        start = self._open[-1].span.start
        bracket = self.text[start]
        return self._syntax_error(
            "SM003", f"'{c}' cannot close the '{bracket}' of line {self._line(start)}", at, at + 1
        )

    def _end_error(self, at: int) -> _Broken:
        if not self._open:
            return self._syntax_error("SM002", "the definition is empty", at, at)
        start = self._open[-1].span.start
        line = self._line(start)
        return self._syntax_error(
            "SM003", f"the text ends before the '{self.text[start]}' of line {line} is closed", at, at
        )

    def _bad_string(self, at: int) -> _Broken:
        """Why no string could be read at the quote at `at`: the first thing in it that JSON refuses."""
        good = _STRING_SO_FAR.match(self.text, at + 1)
        end = good.end() if good else at + 1
        c = self.text[end : end + 1]
        if not c:
            return self._syntax_error("SM003", "the text in quotes is not closed", at, end)
        if c in "\r\n":
            hint = 'close it with ", or write a line break as \\n'
            return self._syntax_error("SM003", "this text is not closed on its line", at, end, hint)
        if c == "\\":
            message = f"JSON does not know the escape {self.text[end : end + 2]}"
            return self._syntax_error("SM003", message, end, end + 2, "a backslash is written \\\\")
        message = f"the control character 0x{ord(c):02x} must be written \\u{ord(c):04x}"
        return self._syntax_error("SM003", message, end, end + 1)


_Step = Callable[[int], "tuple[_Step | None, int]"]


def _decode(inside: str) -> str:
    value = json.loads(f'"{inside}"')
    if not isinstance(value, str):
        raise AssertionError("a JSON string is a text")
    return value


def excerpt(text: str) -> str:
    """The text, or its first 40 characters and an ellipsis."""
    return text if len(text) <= 40 else f"{text[:40]}…"


def _display_key(key: str) -> str:
    return f"'{excerpt(key)}'"
