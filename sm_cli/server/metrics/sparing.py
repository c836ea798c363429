"""Questions whose answers cost more the more the database holds: asked so rarely that they cost next to nothing.

A scrape must not count millions of rows each time that Prometheus comes. What a count takes decides how long it holds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

#: Seconds. What takes no longer is asked each time.
_CHEAP = 0.02
#: An answer holds for so many times as long as it took: counting has two hundredths of one processor at most.
_HOLDS = 50


class AgedAnswer(NamedTuple, Generic[T]):
    """What a question was answered with."""

    #: The answer itself.
    value: T
    #: For how long it has stood, seconds; 0 when it was asked just now.
    age: float


class Sparing(Generic[T]):
    """A question, asked anew when its last answer has stood for fifty times as long as it took, and never by two at
    once. clock, seconds that only grow, is given by tests alone."""

    def __init__(self, ask: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._answer: tuple[T, float] | None = None
        self._holds_until = 0.0

    def answer(self) -> AgedAnswer[T]:
        """The answer, and how old it is. Raises what the question raises; then the next one who comes asks again."""
        with self._lock:
            begin = self._clock()
            if self._answer is not None and begin < self._holds_until:
                value, at = self._answer
                return AgedAnswer(value, begin - at)
            value = self._ask()
            end = self._clock()
            took = end - begin
            self._answer = value, end
            self._holds_until = end + _HOLDS * took if took > _CHEAP else end
            return AgedAnswer(value, 0.0)
