"""A parsed path, ready to run: steps, then the functions that end it.

A query that is definite yields one value or raises PathNotFound; any other yields a list, empty when
nothing matches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sm_cli.expr.jsonpath.functions import FUNCTIONS
from sm_cli.expr.jsonpath.steps import Deep, Names, Node, PathNotFound, Step, accessor, select

#: (the node that `@` means, the root that `$` means) → the value; PathNotFound where it has none.
Evaluate: TypeAlias = Callable[[Node, Node], Node]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function at the end of a path, with its arguments."""

    #: Without its parentheses.
    name: str
    #: Evaluated in this order.
    arguments: tuple[Evaluate, ...] = ()

    def apply(self, value: Node, root: Node) -> Node:
        """What it gives for the value that the path found. root: the whole input."""
        return FUNCTIONS[self.name](value, [argument(value, root) for argument in self.arguments])


class Query:
    """`evaluate(node, root)` walks from `node`; `find` is the same from the root, made quick for plain steps."""

    __slots__ = ("definite", "evaluate", "find", "plain")

    def __init__(self, steps: tuple[Step, ...], calls: tuple[FunctionCall, ...] = ()) -> None:
        definite = all(_is_definite(step) for step in steps)
        leading = tuple(step for step in steps if isinstance(step, (str, int)))
        self.plain: tuple[str | int, ...] | None = leading if len(leading) == len(steps) and not calls else None
        # Jayway hands a function everything that a path beginning with `..` finds, otherwise each match by itself.
        whole = definite or (bool(steps) and isinstance(steps[0], Deep))
        self.definite = definite or (bool(calls) and whole)
        if self.plain is not None:
            self.find: Callable[[Node], Node] = accessor(self.plain)
            find = self.find
            self.evaluate: Evaluate = lambda node, _root: find(node)
            return
        self.evaluate = _with_calls(_one(steps, bool(calls)) if definite else _many(steps), calls, whole)
        evaluate = self.evaluate
        self.find = lambda document: evaluate(document, document)


def _is_definite(step: Step) -> bool:
    return isinstance(step, (str, int)) or (isinstance(step, Names) and step.last)


def _one(steps: tuple[Step, ...], is_call: bool) -> Evaluate:
    leading = tuple(step for step in steps if isinstance(step, (str, int)))
    find = accessor(leading, leaf=not is_call and len(leading) == len(steps))
    if len(leading) == len(steps):
        return lambda node, _root: find(node)
    names = steps[-1]

    def evaluate(node: Node, root: Node) -> Node:
        values = select((names,), find(node), root)
        if not values:
            raise PathNotFound("The names in brackets can only be taken from an object")
        return values[0]

    return evaluate


def _many(steps: tuple[Step, ...]) -> Evaluate:
    return lambda node, root: select(steps, node, root)


def _with_calls(evaluate: Evaluate, calls: tuple[FunctionCall, ...], whole: bool) -> Evaluate:
    if not calls:
        return evaluate

    def apply(value: Node, root: Node) -> Node:
        for call in calls:
            value = call.apply(value, root)
        return value

    if whole:
        return lambda node, root: apply(evaluate(node, root), root)
    return lambda node, root: [apply(value, root) for value in evaluate(node, root)]
