"""Text → root, steps and functions: the dialect of Jayway's JsonPath with AWS's roots `$`, `$$` and `$name`.

What Jayway reads is read, with its meaning. Two forms that Jayway refuses are read because the States
Language or real workflows have them: backslash escapes in dot notation (`$.foo\\.bar`), and unquoted words in a
filter (`[?(@.Name==Receipt)]`), which are noted for the validator.
"""

from __future__ import annotations

import re

from sm_cli.expr.jsonpath.cursor import DEEPEST_FILTER, QUOTES, Cursor
from sm_cli.expr.jsonpath.filter import (
    MISSING,
    RELATIONS,
    Pattern,
    bounded_regex,
    compares,
    every,
    is_present,
    matches_pattern,
    negate,
    some,
)
from sm_cli.expr.jsonpath.functions import FUNCTIONS
from sm_cli.expr.jsonpath.query import Evaluate, FunctionCall, Query
from sm_cli.expr.jsonpath.steps import Deep, Filter, Indices, Names, Node, PathNotFound, Slice, Step, Test, Wildcard
from sm_cli.jsonvalue import Json

LONGEST_PATTERN = 1_000

_ROOT = re.compile(r"\$(?:\$|([^\W\d]\w*))?")
_NAME = re.compile(r"(?:[^\s.\[\]()\\]|\\.)+")
# Inside a filter a name also ends where an operator begins.
_NAME_IN_FILTER = re.compile(r"(?:[^\s.\[\]()\\<>=!~&|,]|\\.)+")
_OPERATOR_IN_NAME = re.compile(r"[@,:?*]")
_ESCAPED = re.compile(r"\\.")
_INDEX = re.compile(r"-?\d{1,10}")
_BOUND = re.compile(r"(?:-?\d{1,10})?")
_FROM_END = re.compile(r"\(\s*@\.length\s*-\s*0*([1-9]\d{0,9})\s*\)\s*\]")
_OPERATOR = re.compile(r"===|!==|==|!=|<=|>=|=~|<|>|[A-Za-z]+\b")
_NUMBER = re.compile(r"-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?")
_WORD = re.compile(r"[^\s()\[\]{},&|=<>!~'\"]+")
_CONSTANTS: dict[str, Json] = {"true": True, "false": False, "null": None}
_PATTERN = re.compile(r"/((?:[^/\\]|\\.)*)/([A-Za-z]*)", re.S)
_FLAGS = {"i": re.I, "x": re.X, "m": re.M, "s": re.S, "d": re.NOFLAG, "u": re.NOFLAG, "U": re.NOFLAG}


class PathParser(Cursor):
    """Reads one path: `parse()` once, then `offence` and `words` say what was noticed. Errors are PathError."""

    def parse(self) -> tuple[str, Query]:
        """(root, query): the root is "$", "$$" or the variable's name."""
        match = self.take(_ROOT)
        if match is None:
            self.fail("does not begin with $" if self.text else "is empty")
        query = self.query(_NAME)
        if self.skip_space():
            self.fail(f"has {self.peek()!r} where only '.' or '[' can follow")
        return match[1] or match[0], query

    def query(self, name: re.Pattern[str]) -> Query:
        """The steps from here as far as they go, then functions."""
        steps: list[Step] = []
        calls: list[FunctionCall] = []
        while self.peek() in (".", "["):
            start = self.at
            deep = self.text.startswith("..", start)
            self.at += 2 if deep else self.peek() == "."
            step = self.bracket() if self.peek() == "[" else self.parse_dot(name)
            if isinstance(step, FunctionCall):
                if deep:
                    self.fail("has a function where a name should follow '..'", start)
                calls.append(step)
                continue
            if calls:
                self.fail(f"goes on after the function {calls[-1].name}(), which must end it", start)
            if deep:
                self.offend("'..'", start)
            steps.append(Deep(step) if deep else step)
        return Query(_names_at_the_end(steps, bool(calls)), tuple(calls))

    def parse_dot(self, name: re.Pattern[str]) -> Step | FunctionCall:
        """What follows a dot: a name, `*`, or a function."""
        start = self.at
        match = self.take(name)
        if match is None:
            self.fail("has no name after the dot" if start < len(self.text) else "ends with a dot")
        raw = match[0]
        if raw == "*":
            self.offend("'*'", start)
            return Wildcard()
        if self.peek() == "(":
            return self.call(raw, start)
        operator = _OPERATOR_IN_NAME.search(raw) and _OPERATOR_IN_NAME.search(_ESCAPED.sub("", raw))
        if operator:
            self.offend(f"'{operator[0]}'", start)
        return self.unescape(raw, {}, start)

    def call(self, name: str, start: int) -> FunctionCall:
        """A function at the end, with its arguments."""
        if name not in FUNCTIONS:
            self.fail(f"calls {name}(), which is not a function of paths", start)
        self.offend(f"the function {name}()", start)
        self.at += 1
        self.enter()
        arguments: list[Evaluate] = []
        while self.skip_space() != ")":
            if arguments:
                self.expect(",", f"needs ',' or ')' after an argument of {name}()")
            arguments.append(self.operand()[0])
        self.at += 1
        self.leave()
        return FunctionCall(name, tuple(arguments))

    def bracket(self) -> Step:
        """What stands in `[…]`."""
        start = self.at
        self.at += 1
        character = self.skip_space()
        if character in QUOTES:
            return self.names()
        if character == "*":
            self.offend("'*'", self.at)
            self.at += 1
            self.expect("]", "needs ']' after '[*'")
            return Wildcard()
        if character == "?":
            return self.parse_filter()
        if character == "(":
            match = self.take(_FROM_END)
            if match is None:
                self.fail("has an expression in brackets; only one like (@.length-1) can be used")
            self.offend("'@'", start)
            return -int(match[1])
        end = self.text.find("]", start)
        if end < 0:
            self.fail("has a bracket that is not closed", start)
        self.at = end + 1
        return self.positions(self.text[start + 1 : end].strip(), start)

    def names(self) -> Step:
        """`['a','b']`."""
        names = [self.name()]
        while self.skip_space() == ",":
            self.offend("','", self.at)
            self.at += 1
            if self.skip_space() not in QUOTES:
                self.fail("needs a name in quotes after the comma")
            names.append(self.name())
        self.expect("]", "needs ',' or ']' after the name in brackets")
        return names[0] if len(names) == 1 else Names(tuple(names), last=False)

    def positions(self, body: str, start: int) -> Step:
        """An index, several, or a slice."""
        if ":" in body:
            bounds = [part.strip() for part in body.split(":")]
            if len(bounds) > 3 or not all(_BOUND.fullmatch(bound) for bound in bounds):
                self.fail(f"has [{body}], which is not a slice", start)
            numbers = [int(bound) if bound else None for bound in bounds]
            if numbers[2:] == [0]:
                self.fail("has a slice whose step is 0", start)
            self.offend("':'", start)
            return Slice(slice(*numbers))
        indices = [part.strip() for part in body.split(",")]
        if not all(_INDEX.fullmatch(index) for index in indices):
            self.fail(f"has [{body}], which is neither an index nor a name in quotes", start)
        if len(indices) == 1:
            return int(indices[0])
        self.offend("','", start)
        return Indices(tuple(int(index) for index in indices))

    def parse_filter(self) -> Step:
        """`[?(…)]`."""
        self.offend("'?'", self.at)
        self.at += 1
        self.expect("(", "needs '(' after '[?'")
        self.filters += 1
        if self.filters > DEEPEST_FILTER:
            self.fail(f"nests more than {DEEPEST_FILTER} filters")
        self.enter()
        test = self.alternatives()
        self.leave()
        self.filters -= 1
        self.expect(")", "needs ')' at the end of the filter")
        self.expect("]", "needs ']' after the filter")
        return Filter(test)

    def alternatives(self) -> Test:
        """Conditions with `||` between them."""
        tests = [self.conjunction()]
        while self.skip_space() == "|" and self.text.startswith("||", self.at):
            self.at += 2
            tests.append(self.conjunction())
        return some(tuple(tests))

    def conjunction(self) -> Test:
        """Conditions with `&&` between them."""
        tests = [self.condition()]
        while self.skip_space() == "&" and self.text.startswith("&&", self.at):
            self.at += 2
            tests.append(self.condition())
        return every(tuple(tests))

    def condition(self) -> Test:
        """One comparison, a negation, or conditions in parentheses."""
        character = self.skip_space()
        if character not in ("!", "("):
            return self.relation()
        self.at += 1
        self.enter()
        if character == "!":
            test = negate(self.condition())
        else:
            test = self.alternatives()
            self.expect(")", "needs ')' in its filter")
        self.leave()
        return test

    def relation(self) -> Test:
        """`operand operator operand`, or a path alone, which tests that it is there."""
        start = self.at
        evaluate, query = self.operand()
        left = _or_missing(evaluate) if query else evaluate
        self.skip_space()
        at = self.at
        match = self.take(_OPERATOR)
        if match is None:
            if self.peek() == "=":
                self.fail("has '=' in a filter, where '==' compares")
            if query is None:
                self.fail("has a filter that tests no path, such as @.name", start)
            return is_present(left, definite=query.definite)
        if match[0] == "=~":
            return matches_pattern(left, self.pattern())
        relation = RELATIONS.get(match[0].lower())
        if relation is None:
            self.fail(f"has {match[0]!r} where its filter needs an operator", at)
        evaluate, query = self.operand()
        return compares(left, relation, _or_missing(evaluate) if query else evaluate)

    def operand(self) -> tuple[Evaluate, Query | None]:
        """A path, which may be missing (PathNotFound), or a constant."""
        if self.skip_space() not in ("@", "$"):
            value = self.constant()
            return (lambda _node, _root: value), None
        from_root = self.peek() == "$"
        self.at += 1
        query = self.query(_NAME_IN_FILTER)
        find = query.find
        return (lambda _node, root: find(root)) if from_root else query.evaluate, query

    def constant(self) -> Json:
        """A JSON value."""
        character = self.skip_space()
        if character in QUOTES:
            return self.quoted_string()
        if character == "[":
            return self.array()
        if character == "{":
            return self.object()
        start = self.at
        if character == "/":
            self.fail("has a regular expression that does not follow '=~'")
        match = self.take(_WORD)
        if match is None:
            self.fail("ends inside a filter" if not character else f"has {character!r} where a value should be", start)
        word = match[0]
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        number = _NUMBER.fullmatch(word)
        if number is None:
            self.words.append(word)
            return word
        return float(word) if number[1] or number[2] else int(word)

    def array(self) -> Json:
        """A JSON array."""
        items: list[Json] = []
        self.at += 1
        self.enter()
        while self.skip_space() != "]":
            if items:
                self.expect(",", "needs ',' or ']' in an array")
            items.append(self.constant())
        self.at += 1
        self.leave()
        return items

    def object(self) -> Json:
        """A JSON object."""
        members: dict[str, Json] = {}
        self.at += 1
        self.enter()
        while self.skip_space() != "}":
            if members:
                self.expect(",", "needs ',' or '}' in an object")
            if self.skip_space() not in QUOTES:
                self.fail("needs a name in quotes in an object")
            name = self.quoted_string()
            self.expect(":", "needs ':' after a name in an object")
            members[name] = self.constant()
        self.at += 1
        self.leave()
        return members

    def pattern(self) -> Pattern:
        """A regular expression between slashes, compiled once with the path."""
        self.skip_space()
        start = self.at
        match = self.take(_PATTERN)
        if match is None:
            self.fail("needs a regular expression between slashes after '=~'")
        source, letters = match.groups()
        if len(source) > LONGEST_PATTERN:
            self.fail(f"has a regular expression of more than {LONGEST_PATTERN:,} characters", start)
        flags = re.NOFLAG
        for letter in letters:
            if letter not in _FLAGS:
                self.fail(f"has the flag {letter!r}, which regular expressions do not know", start)
            flags |= _FLAGS[letter]
        try:
            return bounded_regex(source, flags)
        except ValueError as e:
            self.fail(f"has a regular expression that {e}", start)


def _names_at_the_end(steps: list[Step], is_call: bool) -> tuple[Step, ...]:
    """Several names are one object when they end the path, and each by itself otherwise."""
    if steps and not is_call:
        last = steps[-1]
        if isinstance(last, Names):
            steps[-1] = Names(last.names, last=True)
        elif isinstance(last, Deep) and isinstance(last.step, Names):
            steps[-1] = Deep(Names(last.step.names, last=True))
    return tuple(steps)


def _or_missing(evaluate: Evaluate) -> Evaluate:
    def operand(node: Node, root: Node) -> Node:
        try:
            return evaluate(node, root)
        except PathNotFound:
            return MISSING

    return operand
