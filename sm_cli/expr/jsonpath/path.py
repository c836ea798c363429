"""Paths of the States Language: `$.a.b[0]`, `$$.Execution.Id`, `$name.x`, `$.items[?(@.price < 10)]`.

A path is parsed once, is immutable, and never changes or copies the document: what it yields is shared with
it. Our own parser reads the dialect that AWS uses (Jayway's JsonPath); Reference Paths become plain accessors,
because nearly every path of a real workflow is one and each is walked at every step.
States Language: "Paths", "Reference Paths".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any, NoReturn

from sm_cli.expr.jsonpath.parser import PathParser
from sm_cli.expr.jsonpath.query import Query
from sm_cli.expr.jsonpath.steps import PathError, PathNotFound, normalize, presence
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import Json

__all__ = ["Path", "PathError", "PathNotFound", "compile_path", "compile_reference", "normalize"]


class Path:
    """One parsed path; made by `compile_path`. Immutable; equal and hashed by its text.

    text      as written
    root      "$", "$$", or the variable's name without its $
    definite  True when it yields one value or PathNotFound; False when it yields a list of any length
    steps     the member names and indices (negative: from the end) of a Reference Path, else None
    words     the unquoted words that its filters take for strings (AWS may refuse them), mostly ()
    find      (document) → the value of the path in the document that its root stands for
    resolve   (scope) → the same, in the scope's input, context or variable
    exists    (scope) → whether it yields a value (null is one); if it may yield many, whether it yields any
    """

    __slots__ = ("definite", "exists", "find", "resolve", "root", "steps", "text", "words")

    text: str
    root: str
    definite: bool
    steps: tuple[str | int, ...] | None
    words: tuple[str, ...]
    find: Callable[[Json], Json]
    resolve: Callable[[Scope], Json]
    exists: Callable[[Scope], bool]

    def __init__(self, text: str) -> None:
        parser = PathParser(text)
        root, query = parser.parse()
        # Functions in slots, not methods: a call then costs one closure, which is most of what `$.a` costs.
        for name, value in {
            "text": text,
            "root": root,
            "definite": query.definite,
            "steps": query.plain if parser.offence is None else None,
            "words": tuple(parser.words),
            "find": query.find,
            "resolve": _resolver(root, query.find, query.plain == ()),
            "exists": _prober(root, query),
        }.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, _value: Any) -> NoReturn:
        raise AttributeError(f"a Path is immutable: {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Path({self.text!r})"

    def __reduce__(self) -> tuple[Callable[[str], Path], tuple[str]]:
        return compile_path, (self.text,)


def _resolver(root: str, find: Callable[[Any], Any], whole: bool) -> Callable[[Scope], Any]:
    if root == "$":
        return attrgetter("input") if whole else lambda scope: find(scope.input)
    if root == "$$":
        return attrgetter("context") if whole else lambda scope: find(scope.context)

    def resolve(scope: Scope) -> Json:
        try:
            value = scope.variables[root]
        except KeyError:
            raise PathNotFound(f"No variable is named ${root}") from None
        result: Json = find(value)
        return result

    return resolve


def _prober(root: str, query: Query) -> Callable[[Scope], bool]:
    present = _finds_something(query) if query.plain is None else presence(query.plain)
    if root == "$":
        return lambda scope: present(scope.input)
    if root == "$$":
        return lambda scope: present(scope.context)
    return lambda scope: root in scope.variables and present(scope.variables[root])


def _finds_something(query: Query) -> Callable[[Json], bool]:
    def present(document: Json) -> bool:
        try:
            value = query.find(document)
        except PathNotFound:
            return False
        return query.definite or bool(value)

    return present


@lru_cache(maxsize=8192)
def compile_path(text: str) -> Path:
    """Parse a path; the same text gives the same object. Raises PathError."""
    return Path(text)


def compile_reference(text: str) -> Path:
    """`compile_path` for the fields that take a Reference Path only, such as ResultPath: PathError for any other.

    States Language, "Reference Paths": no `@`, `,`, `:`, `?`, `*`, `..` and no functions, so that it names one node.
    """
    path = compile_path(text)
    if path.steps is None:
        parser = PathParser(text)
        parser.parse()
        phrase, at = parser.offence or ("a part", 0)
        raise PathError(f"The path {text} has {phrase}, which a Reference Path cannot have", at)
    return path
