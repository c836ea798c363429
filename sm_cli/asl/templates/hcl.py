"""What is needed of HCL, Terraform's language: blocks, attributes, and expressions.

Grammar: github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md. What is not read is kept as raw text; nothing raises for
a text that is no HCL, what can be read is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from sm_cli.asl.text.masking import end_of_interpolation

_BLANK = re.compile(r"(?:\s|#[^\n]*|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_BLANK_IN_LINE = re.compile(r"[ \t]*")
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.(?:[A-Za-z_][\w-]*|\*|\d+)|\[[^\]\n]*\])*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_HEREDOC = re.compile(r"<<(-?)([A-Za-z_][\w-]*)[ \t]*\r?\n")
_OPERATOR = re.compile(r"\s*(\|\||&&|==|!=|<=|>=|<(?!<)|>|\+|-(?=\s)|\*|/(?![/*])|%(?!\{))\s*")
_QUESTION = re.compile(r"\s*\?")
_FOR = re.compile(r"for\s+([A-Za-z_][\w-]*)(?:\s*,\s*([A-Za-z_][\w-]*))?\s+in\b")
#: How strongly an operator binds.
_STRENGTHS = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_DIRECTIVE = re.compile(r"%\{[^}\n]*\}")
_MOST_DEPTH = 150


@dataclass(slots=True)
class Expression:
    """An expression, with the [start, end) of its characters."""

    #: text, number, word (true, false, null), object, list, call, path, operation, not, conditional, for, part (of a
    #: value, by a key), or raw.
    kind: str
    #: The offset of its first character.
    start: int
    #: The offset after its last character.
    end: int
    #: The function of a call, the path, the number, the word, the operator, the raw text; of a for list or object.
    name: str = ""
    #: Of a text: (characters, their places), and None as places for an interpolation, whose text is the expression.
    parts: list[tuple[str, list[tuple[int, int]] | None, int, int]] = field(default_factory=list)
    #: Of an object: (key, start and end of the key, value); of a for its parts: in, key, value, if.
    members: list[tuple[str, int, int, Expression]] = field(default_factory=list)
    #: Of a list, a call, and of whatever has operands.
    items: list[Expression] = field(default_factory=list)
    #: Of a for: the names that it gives.
    variables: tuple[str, ...] = ()


@dataclass(slots=True)
class Block:
    """`resource "type" "name" { … }`, with the attributes that stand directly in it."""

    #: Its kind and its labels.
    words: tuple[str, ...]
    #: Where its first word stands.
    start: int
    #: By name, the last one of a name; the blocks inside are passed over.
    attributes: dict[str, Expression] = field(default_factory=dict)


def read_blocks(text: str) -> list[Block]:
    """The blocks of a text, in its order. Raises nothing."""
    reader = _Reader(text)
    blocks: list[Block] = []
    at = reader.blank(0)
    while at < len(text):
        block, at = reader.block(at)
        if block is not None:
            blocks.append(block)
        at = reader.blank(at)
    return blocks


def read_expression(text: str, at: int = 0) -> Expression:
    """The expression that a text is, or that begins at this offset of it."""
    return _Reader(text).expression(at, 0)


def read_template(text: str) -> Expression:
    """The text with interpolations that a text is."""
    result = Expression("text", 0, len(text))
    _Reader(text)._parts_of(result, 0, len(text), set())
    return result


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def blank(self, at: int) -> int:
        match = _BLANK.match(self.text, at)
        return match.end() if match else at

    def block(self, at: int) -> tuple[Block | None, int]:
        start, words = at, []
        while at < len(self.text):
            if match := _NAME.match(self.text, at):
                words.append(match[0])
                at = match.end()
            elif self.text[at] == '"' and (end := self.text.find('"', at + 1)) > 0:
                words.append(self.text[at + 1 : end])
                at = end + 1
            else:
                break
            match = _BLANK_IN_LINE.match(self.text, at)
            at = match.end() if match else at
        if self.text.startswith("{", at) and words:
            block = Block(tuple(words), start)
            return block, self._body(block, at + 1)
        if self.text.startswith("=", at) and words:
            return None, self.expression(at + 1, 0).end
        return None, max(at, start) + 1

    def _body(self, block: Block, at: int) -> int:
        at = self.blank(at)
        while at < len(self.text) and self.text[at] != "}":
            match = _NAME.match(self.text, at)
            after = self.blank(match.end()) if match else at
            if match and self.text.startswith("=", after) and not self.text.startswith("==", after):
                value = self.expression(after + 1, 0)
                block.attributes[match[0]] = value
                at = max(value.end, after + 1)
            else:
                _, at = self.block(at)
            at = self.blank(at)
        return at + 1

    def expression(self, at: int, depth: int) -> Expression:
        at = self.blank(at)
        value = self._operation(at, depth, 0)
        question = _QUESTION.match(self.text, value.end) if value.kind != "raw" else None
        if question:
            value = self._conditional(value, question.end(), depth)
        if value.kind != "raw" or value.name:
            return value
        end = self._end_of_raw(at)
        return Expression("raw", at, end, self.text[at:end].strip())

    def _conditional(self, condition: Expression, at: int, depth: int) -> Expression:
        yes = self.expression(at, depth + 1)
        after = self.blank(yes.end)
        if not self.text.startswith(":", after):
            return Expression("raw", condition.start, condition.start)
        no = self.expression(after + 1, depth + 1)
        return Expression("conditional", condition.start, no.end, items=[condition, yes, no])

    def _operation(self, at: int, depth: int, strength: int) -> Expression:
        """An operand and, as long as they bind more strongly than `strength`, the operators after it."""
        value = self._operand(at, depth)
        while value.kind != "raw" and (match := _OPERATOR.match(self.text, value.end)):
            if _STRENGTHS[match[1]] <= strength or depth > _MOST_DEPTH:
                break
            right = self._operation(self.blank(match.end()), depth + 1, _STRENGTHS[match[1]])
            if right.kind == "raw":
                return Expression("raw", at, at)
            value = Expression("operation", value.start, right.end, match[1], items=[value, right])
        return value

    def _operand(self, at: int, depth: int) -> Expression:
        if self.text.startswith("!", at) and not self.text.startswith("!=", at) and depth <= _MOST_DEPTH:
            inner = self._operand(self.blank(at + 1), depth + 1)
            return inner if inner.kind == "raw" else Expression("not", at, inner.end, items=[inner])
        value = self._primary(at, depth)
        while value.kind not in ("raw", "text", "number", "path"):
            key, end = self._part(value.end, depth)
            if key is None:
                break
            value = Expression("part", value.start, end, items=[value, key])
        return value

    def _part(self, at: int, depth: int) -> tuple[Expression | None, int]:
        """`[KEY]` or `.name` behind a value, and where it ends."""
        if self.text.startswith("[", at):
            key = self.expression(at + 1, depth + 1)
            end = self.blank(key.end)
            return (key, end + 1) if self.text.startswith("]", end) else (None, at)
        if self.text.startswith(".", at) and (match := _NAME.match(self.text, at + 1)):
            text = Expression("text", at + 1, match.end())
            text.parts.append((match[0], [(i, i + 1) for i in range(at + 1, match.end())], at + 1, match.end()))
            return text, match.end()
        return None, at

    def _for(self, start: int, match: re.Match[str], closing: str, depth: int) -> Expression:
        """`for NAME[, NAME] in VALUE : [KEY =>] VALUE[...] [if CONDITION]` and the bracket that closes it."""
        names = tuple(name for name in match.groups() if name)
        kind = "object" if closing == "}" else "list"
        result = Expression("for", start, start, kind, variables=names)
        value = self.expression(match.end(), depth + 1)
        parts, signs = [("in", value)], [(":", "key" if closing == "}" else "value"), ("=>", "value"), ("if", "if")]
        at = self.blank(value.end)
        for sign, name in signs:
            if self.text.startswith(sign, at):
                value = self.expression(at + len(sign), depth + 1)
                parts.append((name, value))
                at = self.blank(value.end)
                if self.text.startswith("...", at):
                    return Expression("raw", start, start)  # groups
        if not self.text.startswith(closing, at) or not any(name == "value" for name, _ in parts):
            return Expression("raw", start, start)
        result.members = [(name, start, start, part) for name, part in parts]
        result.end = at + 1
        return result

    def _primary(self, at: int, depth: int) -> Expression:
        c = self.text[at : at + 1]
        if depth > _MOST_DEPTH:
            return Expression("raw", at, at)
        if c == '"':
            return self._read_quotes(at)
        if match := _HEREDOC.match(self.text, at):
            return self._heredoc(at, match)
        if c == "{":
            return self._object(at, depth)
        if c == "[":
            return self._items("list", at, at + 1, "]", depth)
        if c == "(":
            inner = self._items("list", at, at + 1, ")", depth)
            if len(inner.items) == 1 and inner.kind == "list":
                return replace(inner.items[0], start=at, end=inner.end)
            return Expression("raw", at, at)
        if match := _NUMBER.match(self.text, at):
            return Expression("number", at, match.end(), match[0])
        if match := _PATH.match(self.text, at):
            if self.text.startswith("(", match.end()):
                return self._items("call", at, match.end() + 1, ")", depth, match[0])
            kind = "word" if match[0] in ("true", "false", "null") else "path"
            return Expression(kind, at, match.end(), match[0])
        return Expression("raw", at, at)

    def _items(self, kind: str, start: int, at: int, closing: str, depth: int, name: str = "") -> Expression:
        items: list[Expression] = []
        at = self.blank(at)
        if kind == "list" and closing == "]" and (match := _FOR.match(self.text, at)):
            return self._for(start, match, closing, depth)
        while at < len(self.text) and self.text[at] != closing:
            item = self.expression(at, depth + 1)
            items.append(item)
            after = self.blank(item.end)
            if self.text.startswith(",", after):
                after += 1
            elif self.text.startswith("...", after):
                after += 3
            elif not self.text.startswith(closing, after):
                return Expression("raw", start, start)
            at = self.blank(max(after, at + 1))
        return Expression(kind, start, at + 1, name, items=items)

    def _object(self, start: int, depth: int) -> Expression:
        result = Expression("object", start, start)
        at = self.blank(start + 1)
        if match := _FOR.match(self.text, at):
            return self._for(start, match, "}", depth)
        while at < len(self.text) and self.text[at] != "}":
            key, key_end = self._key(at)
            after = self.blank(key_end)
            if key is None or self.text[after : after + 1] not in ("=", ":"):
                return Expression("raw", start, start)
            value = self.expression(after + 1, depth + 1)
            result.members.append((key, at, key_end, value))
            after = self.blank(value.end)
            at = self.blank(after + 1 if self.text.startswith(",", after) else max(after, at + 1))
        result.end = at + 1
        return result

    def _key(self, at: int) -> tuple[str | None, int]:
        if self.text.startswith('"', at):
            text = self._read_quotes(at)
            return "".join(
                part if places is not None else f"${{{part}}}" for part, places, _, _ in text.parts
            ), text.end
        if self.text.startswith("(", at):
            end = self._closing(at)
            return f"${{{self.text[at + 1 : end - 1].strip()}}}", end
        match = _NAME.match(self.text, at) or _NUMBER.match(self.text, at)
        return (match[0], match.end()) if match and match[0] != "for" else (None, at)

    def _read_quotes(self, start: int) -> Expression:
        result = Expression("text", start, start)
        at = start + 1
        characters: list[str] = []
        places: list[tuple[int, int]] = []
        while at < len(self.text) and self.text[at] not in '"\n':
            if self.text.startswith("\\", at):
                c, width = self._escape(at)
            elif self.text.startswith(("$${", "%%{"), at):
                c, width = self.text[at + 1], 2
            elif self.text.startswith("${", at):
                end = end_of_interpolation(self.text, at)
                _flush(result, characters, places)
                result.parts.append((self.text[at + 2 : end - 1].strip("~ "), None, at, end))
                at = end
                continue
            else:
                c, width = self.text[at], 1
            characters.append(c)
            places.append((at, at + width))
            at += width
        _flush(result, characters, places)
        result.end = at + 1
        return result

    def _escape(self, at: int) -> tuple[str, int]:
        c = self.text[at + 1 : at + 2]
        width = {"u": 6, "U": 10}.get(c, 2)
        digits = self.text[at + 2 : at + width]
        if width > 2 and re.fullmatch(r"[0-9a-fA-F]+", digits) and int(digits, 16) < 0x110000:
            return chr(int(digits, 16)), width
        return _ESCAPES.get(c, c), 2

    def _heredoc(self, start: int, match: re.Match[str]) -> Expression:
        closing = re.compile(rf"^[ \t]*{re.escape(match[2])}[ \t]*\r?$", re.MULTILINE)
        end = closing.search(self.text, match.end())
        last = end.start() if end else len(self.text)
        result = Expression("text", start, end.end() if end else len(self.text))
        lines = [
            (m.start(), m.end()) for m in re.finditer(r"[^\n]*\n|[^\n]+", self.text[:last]) if m.start() >= match.end()
        ]
        indents = [len(self.text[a:b]) - len(self.text[a:b].lstrip(" \t")) for a, b in lines if self.text[a:b].strip()]
        strip = min(indents, default=0) if match[1] else 0
        indentation = {i for a, b in lines for i in range(a, min(a + strip, b))}
        self._parts_of(result, match.end(), last, indentation)
        return result

    def _parts_of(self, result: Expression, at: int, last: int, indentation: set[int]) -> None:
        characters: list[str] = []
        places: list[tuple[int, int]] = []
        while at < last:
            width = 1
            if at in indentation:
                at += 1
                continue
            if self.text.startswith("${", at):
                end = min(end_of_interpolation(self.text, at), last)
                _flush(result, characters, places)
                result.parts.append((self.text[at + 2 : end - 1].strip("~ \n\r\t"), None, at, end))
                at = end
                continue
            if self.text.startswith(("$${", "%%{"), at):
                width = 2
            elif match := _DIRECTIVE.match(self.text, at):
                at = match.end()
                continue
            characters.append(self.text[at + width - 1])
            places.append((at, at + width))
            at += width
        _flush(result, characters, places)

    def _closing(self, at: int) -> int:
        """The offset after the bracket that closes the one here; texts are passed over."""
        depth = 0
        while at < len(self.text):
            c = self.text[at]
            if c == '"':
                at = self._read_quotes(at).end
                continue
            depth += (c in "([{") - (c in ")]}")
            at += 1
            if depth == 0:
                return at
        return at

    def _end_of_raw(self, at: int) -> int:
        while at < len(self.text):
            c = self.text[at]
            if c in ",)]}\n":
                return at
            if heredoc := _HEREDOC.match(self.text, at):
                at = self._heredoc(at, heredoc).end
            elif c == '"':
                at = self._read_quotes(at).end
            else:
                at = self._closing(at) if c in "([{" else at + 1
        return at


def _flush(result: Expression, characters: list[str], places: list[tuple[int, int]]) -> None:
    """What was read so far is a part of the text."""
    if characters:
        result.parts.append(("".join(characters), list(places), places[0][0], places[-1][1]))
        characters.clear()
        places.clear()
