"""What a filter compares: `[?(@.price < 10 && @.tag in ['a','b'])]`.

An operator is a total function of two values. It never raises: values of different types are simply not
equal and have no order, and a path without a match (MISSING) is equal to nothing, not even to null. One pair of types
is compared across, as Jayway does: a number and a text, except by `===` and `!==`.

No regular expression keeps a worker busy. Matching goes back and tries again, so a pattern is refused when it
repeats a group that fits one text in several ways, where the tries double with each letter; and the fewer letters are
matched the more open repeats it has (MOST_WAYS). A longer text ends the path (PathNotFound): a wrong "no" would be
worse. Possessive repeats (`a++`) never go back: however many there are, they count as one.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from sm_cli.expr.jsonpath.steps import Node, PathNotFound, Test
from sm_cli.jsonvalue import is_number

#: (the node under test, the root of the document) → the operand's value, or MISSING.
Operand: TypeAlias = Callable[[Node, Node], Node]
Relation: TypeAlias = Callable[[Node, Node], bool]


class _Missing:
    __slots__ = ()

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()
#: A number as Java's BigDecimal reads it.
_NUMERAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,9})?")


def same(left: Node, right: Node) -> bool:
    """Equal as JSON: 1 is 1.0, but true is not 1; deep, and without recursion."""
    pairs = [(left, right)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, dict):
            if not isinstance(right, dict) or left.keys() != right.keys():
                return False
            pairs.extend((value, right[key]) for key, value in left.items())
        elif isinstance(left, list):
            if not isinstance(right, list) or len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))
        elif isinstance(left, bool) or isinstance(right, bool):
            if left is not right:
                return False
        elif left != right:
            return False
    return True


def _identical(left: Node, right: Node) -> bool:
    return left is not MISSING and right is not MISSING and same(left, right)


def _equal(left: Node, right: Node) -> bool:
    """The left side says how a number and a text compare: as numbers or as texts. Inside an array they do not."""
    if is_number(left) and isinstance(right, str):
        return _NUMERAL.fullmatch(right) is not None and Decimal(right) == Decimal(repr(left))
    if isinstance(left, str) and is_number(right):
        return left == str(Decimal(repr(right)))
    return _identical(left, right)


def _order_relation(compare: Callable[[Any, Any], bool]) -> Relation:
    def relation(left: Node, right: Node) -> bool:
        if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
            return compare(left, right)
        return False

    return relation


def _in(left: Node, right: Node) -> bool:
    return isinstance(right, list) and any(_equal(left, item) for item in right)


def _contains(left: Node, right: Node) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _in(right, left)


def _subset(left: Node, right: Node) -> bool:
    return isinstance(left, list) and isinstance(right, list) and all(_in(item, right) for item in left)


def _any_of(left: Node, right: Node) -> bool:
    return isinstance(left, list) and any(_in(item, right) for item in left)


def _none_of(left: Node, right: Node) -> bool:
    return isinstance(left, list) and isinstance(right, list) and not _any_of(left, right)


def _size(left: Node, right: Node) -> bool:
    return is_number(right) and isinstance(left, (str, list, dict)) and len(left) == right


def _empty(left: Node, right: Node) -> bool:
    return isinstance(right, bool) and isinstance(left, (str, list, dict)) and (not left) is right


#: `=~` is not here: its right side is a pattern, compiled once with the path (see `matches_pattern`).
RELATIONS: Mapping[str, Relation] = MappingProxyType(
    {
        "==": _equal,
        "===": _identical,
        "!=": lambda left, right: not _equal(left, right),
        "!==": lambda left, right: not _identical(left, right),
        "<": _order_relation(operator.lt),
        "<=": _order_relation(operator.le),
        ">": _order_relation(operator.gt),
        ">=": _order_relation(operator.ge),
        "in": _in,
        "nin": lambda left, right: not _in(left, right),
        "contains": _contains,
        "all": lambda left, right: _subset(right, left),
        "subsetof": _subset,
        "anyof": _any_of,
        "noneof": _none_of,
        "size": _size,
        "empty": _empty,
    }
)


def compares(left: Operand, relation: Relation, right: Operand) -> Test:
    """Whether a relation holds between two operands."""
    return lambda node, root: relation(left(node, root), right(node, root))


def matches_pattern(left: Operand, pattern: Pattern) -> Test:
    """The whole of a string must match, as in Java; a number or a boolean is matched as it is written in JSON.
    Raises PathNotFound for a text that is too long for the pattern."""
    fullmatch, longest = pattern.expression.fullmatch, pattern.longest

    def test(node: Node, root: Node) -> bool:
        value = left(node, root)
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif is_number(value):
            value = repr(value)
        if not isinstance(value, str):
            return False
        if len(value) > longest:
            raise PathNotFound(
                f"The regular expression /{pattern.expression.pattern}/ is matched against at most {longest:,} "
                f"characters, not {len(value):,}"
            )
        return fullmatch(value) is not None

    return test


def is_present(operand: Operand, *, definite: bool) -> Test:
    """`[?(@.a)]`: the path has a match; null is one. A path that may yield many needs at least one."""
    if definite:
        return lambda node, root: operand(node, root) is not MISSING
    return lambda node, root: bool(operand(node, root))


def negate(test: Test) -> Test:
    """Whether the test does not pass."""
    return lambda node, root: not test(node, root)


def every(tests: tuple[Test, ...]) -> Test:
    """Whether all tests pass."""
    return tests[0] if len(tests) == 1 else lambda node, root: all(test(node, root) for test in tests)


def some(tests: tuple[Test, ...]) -> Test:
    """Whether one of the tests passes."""
    return tests[0] if len(tests) == 1 else lambda node, root: any(test(node, root) for test in tests)


# -- what a regular expression may cost ------------------------------------------------------------------------------

#: How long a text may be matched: the greatest of these for which there are no more than MOST_WAYS.
LENGTHS: Final = (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20)
#: In how many ways a pattern may be laid over a text; trying them all takes a second or two.
MOST_WAYS: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression, and the length in characters of the longest text that it is matched against."""

    #: Compiled.
    expression: re.Pattern[str]
    #: In characters.
    longest: int


def bounded_regex(source: str, flags: int) -> Pattern:
    """Raises ValueError, a clause about the pattern: "cannot be read: …", "repeats a group …"."""
    if any(part[0][0] == "[" and _COMBINED.search(part[0], 1) for part in _PART.finditer(source)):
        raise ValueError(r"combines sets in brackets; write \[ where the bracket itself is meant")
    try:
        expression = re.compile(source, flags)
    except (re.error, OverflowError, RecursionError) as e:
        raise ValueError(f"cannot be read: {e}") from None
    choices = _choices(expression)
    longest = next((length for length in LENGTHS if _ways(choices, length) <= MOST_WAYS), 0)
    if not longest:
        raise ValueError("has too many repeats to be tried in all ways")
    return Pattern(expression, longest)


def _ways(choices: list[float], length: int) -> int:
    """Open repeats share the text, their ends lie in order; every other choice multiplies."""
    others = [int(choice) for choice in choices if choice <= length]
    sharing = len(choices) - len(others)
    return math.prod(others) * math.comb(length + sharing, sharing)


_PARTS = r"""
  (?P<skip>\(\?\#[^)]*\))
| (?P<open>\((?:\?(?:P<\w+>|P=\w+|<?[=!]|>|[A-Za-z]*(?:-[A-Za-z]+)?:|[A-Za-z]+(?=\))|(?=\()))?)
| (?P<close>\))
| (?P<bar>\|)
| (?P<repeat>(?:[*+?]|\{(?:\d+(?:,\d*)?|,\d*)\})[?+]?)
| (?P<letter>\\[^A-Za-z0-9]|[^\\\[.^$])
| (?P<other>\\.|\[\^?\]?(?:\\.|[^\]\\])*\]?|.)
"""
_PART = re.compile(_PARTS, re.X | re.S)
_PART_SPACED = re.compile(r"(?P<space>[ \t\n\r\v\f]+|\#[^\n]*)|" + _PARTS, re.X | re.S)
#: Java combines the sets of `[a[bc]]` and `[a-z&&[^x]]`, where Python takes the characters for themselves.
_COMBINED = re.compile(r"(?<!\\)(?:\\\\)*(?:\[|&&|--|~~|\|\|)")
_SHORT_REPEATS: Final = {"*": (0, math.inf), "+": (1, math.inf), "?": (0, 1)}


@dataclass(slots=True)
class _Group:
    """A group while it is read. `loose` says why it fits one text in several ways, "" as long as it does not."""

    #: The letter that each alternative begins with; "" for anything but one letter, None before there is anything.
    begins: list[str | None] = field(default_factory=lambda: [None])
    loose: str = ""

    def add(self, letter: str) -> None:
        if self.begins[-1] is None:
            self.begins[-1] = letter

    def alike(self) -> bool:
        """Whether the next letter may leave open which alternative is meant."""
        return len(self.begins) > 1 and not (all(self.begins) and len(set(self.begins)) == len(self.begins))


def _choices(expression: re.Pattern[str]) -> list[float]:
    """For each repeat and each alternation, between how many ways it lets the matching choose.

    Raises ValueError for a repeated group that leaves a choice inside.
    """
    choices: list[float] = []
    groups = [_Group()]
    possessive = False
    group: _Group | None = None  # the group just read, which a repeat would be about
    for part in (_PART_SPACED if expression.flags & re.X else _PART).finditer(expression.pattern):
        kind, text = part.lastgroup, part[0]
        if kind in ("skip", "space"):
            continue
        if kind == "repeat":
            possessive = _repeat(text, group, groups[-1], choices) or possessive
        elif kind == "open":
            if text.endswith(":") and "x" in text:
                raise ValueError("sets the flag x for a part of it only")
            groups[-1].add("")
            groups.append(_Group())
        elif kind == "bar":
            groups[-1].begins.append(None)
        elif kind != "close":
            # The letters of ASCII are told apart in either case; others may have more cases than two.
            groups[-1].add(text[-1].lower() if kind == "letter" and text.isascii() else "")
        group = _close(groups, choices) if kind == "close" else None
    _close([_Group(), *groups], choices)
    return [*choices, math.inf] if possessive else choices


def _close(groups: list[_Group], choices: list[float]) -> _Group:
    group = groups.pop()
    if group.alike():
        choices.append(len(group.begins))
        group.loose = group.loose or "whose alternatives may begin alike"
    groups[-1].loose = groups[-1].loose or group.loose
    return group


def _repeat(text: str, group: _Group | None, around: _Group, choices: list[float]) -> bool:
    """`text` is `*`, `+?`, `{2,5}`: of a `group`, or of one letter; `around` is where it stands.

    Adds to `choices`, unless it answers True: the repeat is possessive.
    """
    possessive = text[1:].endswith("+")
    if text[0] == "{":
        low, comma, high = text[1 : text.index("}")].partition(",")
        least, most = int(low or 0), float(high or "inf") if comma else float(low)
    else:
        least, most = _SHORT_REPEATS[text[0]]
    if group and group.loose and most > 1:
        raise ValueError(f"repeats a group {group.loose}: that can take forever")
    if least == 0:
        around.begins[-1] = ""
    if least != most and not possessive:
        choices.append(most - least + 1)
        around.loose = around.loose or "in which something is repeated"
    return possessive
