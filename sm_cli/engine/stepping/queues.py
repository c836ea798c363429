"""Queues: which one is served next.

Smooth weighted round robin over the queues that have work: with weights 6, 3 and 1, of ten jobs six, three
and one are taken, well mixed; a queue that was empty has saved nothing up. Strict: an earlier queue goes first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")

#: What the queues weigh unless somebody says otherwise; one that is not among them weighs as "default" does.
WEIGHTS: Mapping[str, int] = {"critical": 6, "default": 3, "low": 1}


class Rota:
    """Weights by queue, in the order of `strict`. Without weights every queue is served, by WEIGHTS."""

    def __init__(self, weights: Mapping[str, int] | None = None, *, strict: bool = False) -> None:
        self.queue_names = None if weights is None else frozenset(weights)
        self.weights = dict(WEIGHTS if weights is None else weights)
        self.strict = strict
        self._order = {name: place for place, name in enumerate(self.weights)}
        self._credit: dict[str, int] = {}

    def serves(self, queue: str) -> bool:
        """Whether jobs of this queue are taken."""
        return self.queue_names is None or queue in self.queue_names

    def pick(self, waiting: Mapping[str, Iterable[T]], count: int) -> list[T]:
        """At most `count` of what waits, from each queue in its order."""
        lines = {name: deque(waiting[name]) for name in sorted(waiting, key=self._place) if self.serves(name)}
        lines = {name: line for name, line in lines.items() if line}
        self._credit = {name: self._credit.get(name, 0) for name in lines}
        choice: list[T] = []
        while lines and len(choice) < count:
            name = next(iter(lines)) if self.strict else self._next(lines)
            choice.append(lines[name].popleft())
            if not lines[name]:
                del lines[name]
        return choice

    def _next(self, lines: Mapping[str, object]) -> str:
        for name in lines:
            self._credit[name] += self._weight(name)
        richest = max(lines, key=lambda name: self._credit[name])
        self._credit[richest] -= sum(map(self._weight, lines))
        return richest

    def _weight(self, name: str) -> int:
        return self.weights.get(name, WEIGHTS["default"])

    def _place(self, name: str) -> tuple[int, str]:
        return self._order.get(name, len(self._order)), name
