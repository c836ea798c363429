"""What one tick may take: so much time of stepping, and so many bytes to be written.

Both are looked at after each state, so that only one evaluation, or one fork, exceeds them. The time is measured.
Each large value counts once in a tick, whatever row it is for, as it is stored once; of small ones, which time bounds
as well, those of every seventh state are measured and stand for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sm_cli.history_event import HistoryEvent
from sm_cli.jsonvalue import Json, is_small, size_of

_SAMPLE = 7
#: So many bytes are encoded, digested and written in a microsecond.
_WRITTEN = 200


class Allowance:
    """What one tick may still take.

    monotonic: microseconds that only grow. time: microseconds, most: bytes that the tick may take."""

    def __init__(self, monotonic: Callable[[], int], time: int, most: int) -> None:
        self._monotonic = monotonic
        self._time = time
        self._most = most
        self._last = monotonic()
        self._end = self._last + time
        self._bytes = self._bytes_before = 0
        #: Whether the tick has had what it may take, as of the last look.
        self.over = False
        self._states = 0
        #: Large values that are counted, by id of the object, which stays its own as long as it is here.
        self._values: dict[int, Json] = {}

    def resume(self) -> None:
        """The tick goes on to step: what it did since the last look, which was to ask the database, is not counted,
        however far away that is."""
        now = self._monotonic()
        self._end += now - self._last
        self._last = now

    def enough(self, records: Sequence[HistoryEvent]) -> bool:
        """Whether the tick has had what it may take. `records`: of the state that was just passed, or more."""
        if self._states % _SAMPLE == 0 and records:
            self._sample(records[-1])
        self._states += 1
        return self._bytes > self._most or self._monotonic() > self._end

    def weigh(self, value: Json, size: int) -> None:
        """Count a large value of so many bytes that will be written, unless it was counted before."""
        if id(value) not in self._values:
            self._values[id(value)] = value
            self._bytes += size

    def lap(self) -> int:
        """Microseconds since it was last asked, and those that the commit will take for what was made since."""
        before = self._last
        now = self._last = self._monotonic()
        if now > self._end or self._bytes > self._most:
            self.over = True
        if self._bytes == self._bytes_before:
            return now - before
        new_bytes, self._bytes_before = self._bytes - self._bytes_before, self._bytes
        return now - before + new_bytes // _WRITTEN

    def _sample(self, record: HistoryEvent) -> None:
        # A state's data stands in two events: as it is entered and as it is left. A large one was weighed.
        if all(map(is_small, record.detail.values())):
            self._bytes += 2 * _SAMPLE * size_of(record.detail)
