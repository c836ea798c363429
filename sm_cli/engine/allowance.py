"""What one tick may take: so much time of stepping, and so many bytes of history to be written.

Rule: both are looked at after each state, so that only one evaluation, or one fork, exceeds them. The time is measured;
of the bytes every seventh state is weighed and stands for the others, until one is found to be heavy: then each is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sm_cli.interpreter.records import Record
from sm_cli.jsonvalue import size_of

_SAMPLE = 7
#: A state whose events are longer than this, in bytes, is heavy.
_HEAVY = 1 << 16


class Allowance:
    """What one tick may still take.

    monotonic: microseconds that only grow. time: microseconds, most: bytes that the tick may take."""

    def __init__(self, monotonic: Callable[[], int], time: int, most: int) -> None:
        self._monotonic = monotonic
        self._time = time
        self._most = most
        self._last = monotonic()
        self._end = self._last + time
        self._bytes = 0
        #: Whether the tick has had what it may take, as of the last look.
        self.over = False
        self._each = _SAMPLE
        self._states = 0

    def enough(self, records: Sequence[Record]) -> bool:
        """Whether the tick has had what it may take. `records`: of the state that was just passed, or more."""
        if self._states % self._each == 0 and records:
            self._weigh(records[-1])
        self._states += 1
        return self._bytes > self._most or self._monotonic() > self._end

    def lap(self) -> int:
        """Microseconds since it was last asked."""
        before = self._last
        now = self._last = self._monotonic()
        if now > self._end or self._bytes > self._most:
            self.over = True
        return now - before

    def _weigh(self, record: Record) -> None:
        # A state's data stands in two events: as it is entered and as it is left.
        size = 2 * size_of(record.detail)
        if size > _HEAVY:
            self._each = 1
        self._bytes += size * self._each
