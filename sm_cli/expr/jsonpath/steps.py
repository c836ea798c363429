"""The steps of a path and how each selects from a document.

A step is data and a pure function of (node, root); no step goes deeper than the document by recursion,
and no path yields more than MOST_MATCHES values, however it multiplies them. The meaning of a step is that of
Jayway's JsonPath, which AWS uses; only that a path which may yield many values yields none where its prefix is
missing, and does not raise as Jayway does: such a path always has an answer, and it is a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sm_cli.jsonvalue import Json, dumps

#: A document value. Paths index into it without knowing its type, which `Json` would forbid.
Node: TypeAlias = Any
Find: TypeAlias = Callable[[Node], Node]
Test: TypeAlias = Callable[[Node, Node], bool]

MOST_MATCHES = 1_000_000


class PathError(ValueError):
    """A text is not a path. `message` is one sentence, `position` the 0-based offset in the text."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class PathNotFound(LookupError):
    """A path that must yield one value yields none. `reason` has Jayway's wording, which AWS puts into causes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Select(Protocol):
    """A step that may yield any number of values: `matches` for one node, `root` being what `$` means inside."""

    def matches(self, node: Node, root: Node) -> Sequence[Node]:
        """What it finds at one node, in order."""


#: A member name, an array index (negative: from the end), or one of the classes below.
Step: TypeAlias = "str | int | Select"


def normalize(steps: Iterable[str | int]) -> str:
    """Jayway's bracket notation: `$['a'][0]`."""
    return "$" + "".join([f"[{step}]" if isinstance(step, int) else f"['{step}']" for step in steps])


def step_matches(step: Step, node: Node, root: Node) -> Sequence[Node]:
    """What one step selects from one node; nothing where the node has another shape."""
    if isinstance(step, str):
        return (node[step],) if isinstance(node, dict) and step in node else ()
    if isinstance(step, int):
        return (node[step],) if isinstance(node, list) and -len(node) <= step < len(node) else ()
    return step.matches(node, root)


def gather(parts: Iterable[Sequence[Node]]) -> list[Node]:
    """All of them in one list. Raises PathNotFound beyond MOST_MATCHES."""
    nodes: list[Node] = []
    for part in parts:
        nodes.extend(part)
        if len(nodes) > MOST_MATCHES:
            raise PathNotFound(f"The path yields more than {MOST_MATCHES:,} values")
    return nodes


def select(steps: Iterable[Step], node: Node, root: Node) -> list[Node]:
    """Every match, in document order."""
    nodes = [node]
    for step in steps:
        nodes = gather([step_matches(step, node, root) for node in nodes])
    return nodes


def containers(node: Node) -> Iterator[Node]:
    """The node and everything below it that is an object or an array; parents before their members."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            yield node
            waiting.extend(reversed(node))


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*` and `[*]`: the values of an object, the items of an array."""

    def matches(self, node: Node, _root: Node) -> Sequence[Node]:
        """Members of an object, items of an array."""
        if isinstance(node, dict):
            return list(node.values())
        return node if isinstance(node, list) else ()


@dataclass(frozen=True, slots=True)
class Slice:
    """`[1:5]`, `[-2:]`, `[::2]`: a part of an array."""

    #: As Python means it.
    part: slice

    def matches(self, node: Node, _root: Node) -> Sequence[Node]:
        """Items of an array."""
        return node[self.part] if isinstance(node, list) else ()


@dataclass(frozen=True, slots=True)
class Indices:
    """`[0,2]`: several items of an array; those beyond its end are left out."""

    #: From 0; negative ones count from the end.
    indices: tuple[int, ...]

    def matches(self, node: Node, root: Node) -> Sequence[Node]:
        """Items of an array, in the order in which they are asked for."""
        return [node_below for index in self.indices for node_below in step_matches(index, node, root)]


@dataclass(frozen=True, slots=True)
class Names:
    """`['a','b']`: as the last step one object that holds the named members, before another step each of them."""

    #: In the order in which they are written.
    names: tuple[str, ...]
    #: Whether it is the path's last step.
    last: bool

    def matches(self, node: Node, _root: Node) -> Sequence[Node]:
        """Members of an object that are there."""
        if not isinstance(node, dict):
            return ()
        present = [name for name in self.names if name in node]
        return ({name: node[name] for name in present},) if self.last else [node[name] for name in present]


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(...)]`: the items of an array that pass, or the object itself when it passes."""

    #: Whether an item passes.
    test: Test

    def matches(self, node: Node, root: Node) -> Sequence[Node]:
        """What passes."""
        if isinstance(node, list):
            return [item for item in node if self.test(item, root)]
        return (node,) if isinstance(node, dict) and self.test(node, root) else ()


@dataclass(frozen=True, slots=True)
class Deep:
    """`..step`: the step taken at the node and at everything below it."""

    #: Taken at each node.
    step: Step

    def matches(self, node: Node, root: Node) -> Sequence[Node]:
        """What the step finds at every level, from the top down."""
        return gather(step_matches(self.step, each, root) for each in containers(node) if self.applies(each, root))

    def applies(self, node: Node, root: Node) -> bool:
        """Whether the step is taken at this node."""
        # An item that passes a filter is met twice, in its array and as itself; Jayway counts the second.
        if isinstance(self.step, Filter):
            return self.step.test(node, root)
        if isinstance(self.step, Names) and self.step.last:
            return isinstance(node, dict) and all(name in node for name in self.step.names)
        return True


def accessor(steps: tuple[str | int, ...], *, leaf: bool = True) -> Find:
    """A function that walks plain steps as fast as Python can, or raises PathNotFound.

    `leaf` is False when something follows the steps, which changes the wording of the error.
    """

    def miss(document: Node) -> PathNotFound:
        return PathNotFound(_reason(document, steps, leaf))

    if not steps:
        return _itself
    if not all(isinstance(step, str) for step in steps):
        return _mixed_accessor(steps, miss)
    if len(steps) <= 3:
        return _short_accessor(steps, miss)

    def find(document: Node) -> Node:
        value = document
        try:
            for step in steps:
                value = value[step]
        except (KeyError, TypeError):
            raise miss(document) from None
        return value

    return find


def _itself(document: Node) -> Node:
    return document


def _short_accessor(names: tuple[str | int, ...], miss: Callable[[Node], PathNotFound]) -> Find:
    # A name indexes nothing but an object: every other JSON type raises TypeError.
    first, second, third = (*names, "", "")[:3]

    def find_one(document: Node) -> Node:
        try:
            return document[first]
        except (KeyError, TypeError):
            raise miss(document) from None

    def find_two(document: Node) -> Node:
        try:
            return document[first][second]
        except (KeyError, TypeError):
            raise miss(document) from None

    def find_three(document: Node) -> Node:
        try:
            return document[first][second][third]
        except (KeyError, TypeError):
            raise miss(document) from None

    return (find_one, find_two, find_three)[len(names) - 1]


def _mixed_accessor(steps: tuple[str | int, ...], miss: Callable[[Node], PathNotFound]) -> Find:
    # An index would take a letter out of a string, so each step asks for its own kind of container.
    plan: tuple[tuple[Any, Any], ...] = tuple((step, list if isinstance(step, int) else dict) for step in steps)

    def find(document: Node) -> Node:
        value = document
        try:
            for step, kind in plan:
                if not isinstance(value, kind):
                    raise miss(document)
                value = value[step]
        except (KeyError, IndexError):
            raise miss(document) from None
        return value

    return find


def presence(steps: tuple[str | int, ...]) -> Callable[[Node], bool]:
    """Whether `accessor(steps)` would find a value. Quick where it would not: no exception, no sentence is made."""
    plan: tuple[tuple[Any, Any], ...] = tuple((step, list if isinstance(step, int) else dict) for step in steps)

    def present(document: Node) -> bool:
        value = document
        for step, kind in plan:
            if not isinstance(value, kind):
                return False
            if (step not in value) if kind is dict else not -len(value) <= step < len(value):
                return False
            value = value[step]
        return True

    return present


_KINDS = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


def _reason(document: Json, steps: tuple[str | int, ...], leaf: bool) -> str:
    """Why the steps lead nowhere: the first one that fails says it."""
    value: Node = document
    for i, step in enumerate(steps):
        so_far = normalize(steps[:i])
        if isinstance(step, str):
            if not isinstance(value, dict):
                kind = _KINDS.get(type(value), "null")
                return f"Expected to find an object with property ['{step}'] in path {so_far} but found {kind}"
            if step not in value and (i < len(steps) - 1 or not leaf):
                return f"Missing property in path {normalize(steps[: i + 1])}"
        elif value is None:
            return f"The path {so_far} is null"
        elif not isinstance(value, list):
            return f"Filter: [{step}] can only be applied to arrays. Current context is: {_display_value(value)}"
        matches = step_matches(step, value, None)
        if not matches:
            break
        value = matches[0]
    return f"No results for path: {normalize(steps)}"


def _display_value(value: Json) -> str:
    text = json_text(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def json_text(value: Json) -> str:
    """Compact JSON; PathNotFound for what cannot be written, such as a value nested hundreds of levels deep."""
    try:
        return dumps(value)
    except TypeError:
        raise PathNotFound("The path met a value that is nested too deeply to be written as text") from None
