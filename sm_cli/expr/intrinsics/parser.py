"""The grammar of intrinsic function calls: text to a tree of calls, paths and constants.

The parser knows how a call is written, not what a function does; every node keeps the offset at which it
begins, so that whoever finds something wrong can point at it. States Language, "Intrinsic Functions".

    call     = "States." name "(" [ argument *( "," argument ) ] ")"      name and "(" touch
    argument = 'text' | number | null | true | false | path | call       text: only \\' \\{ \\} \\\\ are escapes
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from sm_cli.errors import InvalidJson
from sm_cli.expr.jsonpath.path import Path, PathError, compile_path
from sm_cli.jsonvalue import Json, loads_exact

#: Step Functions, "Intrinsic functions": "You can nest up to 10 intrinsic functions within a field", all counted.
MAX_CALLS = 10

_CALL = re.compile(r"States\.([A-Za-z0-9_]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[^\s,()']+")
_WORDS: dict[str, Json] = {"null": None, "true": True, "false": False}
_BLANK = re.compile(r"\s*")
_PLAIN = re.compile(r"[^'\\]*")


class IntrinsicError(ValueError):
    """A text that is no intrinsic call. `position` is the offset in the text at which it goes wrong."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, null, true, false or a 'text'. `source` is a text before its escapes were resolved."""

    #: As JSON.
    value: Json
    #: Where it begins in the text, in characters from 0.
    position: int
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A path into the input, the context object or a variable."""

    #: Parsed.
    path: Path
    #: Where it begins in the text, in characters from 0.
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """`name` without its "States."."""

    name: str
    #: In the order in which they are written.
    arguments: tuple[Argument, ...]
    #: Where it begins in the text, in characters from 0.
    position: int


Argument: TypeAlias = Constant | Reference | Call


def parse_call(text: str) -> Call:
    """The tree of one whole field. Raises IntrinsicError with the offset of the first fault."""
    if not text.startswith("States."):
        raise IntrinsicError("an intrinsic function call begins with States.", 0)
    parser = _Parser(text)
    call = parser.call()
    parser.skip_blanks()
    if parser.at != len(text):
        raise IntrinsicError("nothing may follow the closing parenthesis", parser.at)
    return call


class _Parser:
    """Recursive descent; the recursion is bounded because MAX_CALLS is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.calls = 0

    def skip_blanks(self) -> None:
        blank = _BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at

    def here(self) -> str:
        return self.text[self.at : self.at + 1]

    def call(self) -> Call:
        start = self.at
        match = _CALL.match(self.text, start)
        if match is None or not match[1]:
            raise IntrinsicError("the name of a function must follow States.", start)
        self.calls += 1
        if self.calls > MAX_CALLS:
            raise IntrinsicError(f"a field may hold at most {MAX_CALLS} intrinsic functions", start)
        self.at = match.end()
        if self.here() != "(":
            raise IntrinsicError(f"an opening parenthesis must follow {match[0]} at once", self.at)
        self.at += 1
        return Call(match[1], self.arguments(match[0]), start)

    def arguments(self, function: str) -> tuple[Argument, ...]:
        arguments: list[Argument] = []
        self.skip_blanks()
        if self.here() == ")":
            self.at += 1
            return ()
        while True:
            self.skip_blanks()
            arguments.append(self.argument())
            self.skip_blanks()
            follows = self.here()
            if not follows:
                raise IntrinsicError(f"the parenthesis of {function} is never closed", self.at)
            if follows not in ",)":
                raise IntrinsicError("a comma or a closing parenthesis must follow an argument", self.at)
            self.at += 1
            if follows == ")":
                return tuple(arguments)

    def argument(self) -> Argument:
        first = self.here()
        if first == "$":
            return self.reference()
        if first == "'":
            return self.quotation()
        if self.text.startswith("States.", self.at):
            return self.call()
        return self.constant()

    def constant(self) -> Constant:
        start = self.at
        match = _WORD.match(self.text, start)
        if match is None:
            raise IntrinsicError("an argument is missing here", start)
        word = match[0]
        if word in _WORDS:
            value = _WORDS[word]
        elif _NUMBER.fullmatch(word):
            try:
                value = loads_exact(word, what="the argument")
            except InvalidJson as e:
                raise IntrinsicError(e.message[:1].lower() + e.message[1:], start) from None
        elif word.startswith('"'):
            raise IntrinsicError("a text stands in single quotes, not in double quotes", start)
        else:
            alternatives = "a path, a number, a text in single quotes, a call, null, true or false"
            raise IntrinsicError(f"{word} is no argument; one is {alternatives}", start)
        self.at = match.end()
        return Constant(value, start)

    def quotation(self) -> Constant:
        start = self.at
        pieces: list[str] = []
        at = start + 1
        while True:
            plain = _PLAIN.match(self.text, at)
            assert plain is not None  # the pattern matches the empty text
            pieces.append(plain[0])
            at = plain.end()
            if at == len(self.text):
                raise IntrinsicError("the quote is never closed", start)
            if self.text[at] == "'":
                self.at = at + 1
                return Constant("".join(pieces), start, self.text[start + 1 : at])
            character = self.text[at + 1 : at + 2]
            if character not in ("'", "{", "}", "\\"):
                raise IntrinsicError(r"a backslash may stand only before ' { } and \ here", at)
            pieces.append(character)
            at += 2

    def reference(self) -> Reference:
        start = self.at
        self.at = end = self.end_of_path()
        try:
            return Reference(compile_path(self.text[start:end]), start)
        except PathError as e:
            raise IntrinsicError(e.message[:1].lower() + e.message[1:], start + e.position) from None

    def end_of_path(self) -> int:
        """The first blank, comma or closing parenthesis that is the call's own and not the path's."""
        text, at = self.text, self.at
        brackets: list[int] = []
        while at < len(text):
            here = text[at]
            if here == "\\":
                at += 1
            elif here in "'\"" and brackets:
                at = self.end_of_quote(at)
            elif here in "[(":
                brackets.append(at)
            elif here in "])" and brackets:
                brackets.pop()
            elif not brackets and (here in ",)" or here.isspace()):
                break
            at += 1
        if brackets:
            raise IntrinsicError("the bracket of this path is never closed", brackets[-1])
        return min(at, len(text))

    def end_of_quote(self, start: int) -> int:
        at = start + 1
        while at < len(self.text) and self.text[at] != self.text[start]:
            at += 2 if self.text[at] == "\\" else 1
        if at >= len(self.text):
            raise IntrinsicError("the quote in this path is never closed", start)
        return at
