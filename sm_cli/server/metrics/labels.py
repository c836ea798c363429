"""Labels: a bounded number of values each, whatever people call their workflows and errors.

Prometheus keeps a series for each value of a label for as long as it keeps anything. Names of errors come from handlers
and callbacks, names of workflows from requests: without a bound, one program that makes up names fills its memory.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TypeVar

#: Stands for all values beyond those that are told apart. No workflow, resource or queue can have this name.
OTHERS = "(others)"
#: So many values of one label are told apart.
MOST = 200

K = TypeVar("K")


class BoundedLabel:
    """The values of one label: the first so many that come stay what they are, all later ones are one."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._values: set[str] = set()
        self._lock = threading.Lock()

    def of(self, value: str) -> str:
        """What stands on the label for this value."""
        if value in self._values:
            return value
        with self._lock:
            if len(self._values) >= self._most and value not in self._values:
                return OTHERS
            self._values.add(value)
        return value


def bounded_counts(counts: Mapping[tuple[str, K], int], most: int = MOST) -> dict[tuple[str, K], int]:
    """Counts by a name and something else, of the names that have the most; those of all other names are one's."""
    totals: dict[str, int] = {}
    for (name, _), count in counts.items():
        totals[name] = totals.get(name, 0) + count
    shown = set(sorted(totals, key=lambda name: (-totals[name], name))[:most])
    bounded: dict[tuple[str, K], int] = {}
    for (name, other), count in counts.items():
        key = (name if name in shown else OTHERS, other)
        bounded[key] = bounded.get(key, 0) + count
    return bounded
