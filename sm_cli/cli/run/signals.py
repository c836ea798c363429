"""Ctrl-C and SIGTERM: the first asks the loop to end, the second ends the process.

The handler only notes the signal. It takes no lock, because the thread that it interrupts may hold it.
"""

from __future__ import annotations

import os
import signal
from types import FrameType


class Interrupts:
    """`signal` is the number of the first signal, None while there was none. Only for the main thread."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, object] = {}

    @property
    def exit_code(self) -> int:
        """130 for Ctrl-C, 143 for SIGTERM."""
        assert self.signal is not None
        return 128 + self.signal

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *details: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # what signal.signal itself returned

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is not None:
            os._exit(128 + number)
        self.signal = number
