"""A bar on stderr for a command that goes through many files: only for a person, and only when it takes a while."""

from __future__ import annotations

import sys
import time

#: Seconds before the first picture, and between two.
_PATIENCE, _PAUSE = 0.7, 0.1
_CELLS = 30


class Counter:
    """`━━━━━╸──── 1,200/5,000 files`, on one line that is gone afterwards."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._next = time.monotonic() + _PATIENCE
        self._is_for_person = sys.stderr is not None and sys.stderr.isatty()
        self._has_line = False

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._has_line:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def show(self, count: int) -> None:
        """Draw it anew, when it is time to. count: how many there were so far."""
        if not self._is_for_person or time.monotonic() < self._next:
            return
        from sm_cli.cli.terminal.progress import bar

        drawing = "".join(part.text for part in bar(count, max(1, self._total), _CELLS))
        sys.stderr.write(f"\r\x1b[K{drawing} {count:,}/{self._total:,} {self._what}")
        sys.stderr.flush()
        self._has_line, self._next = True, time.monotonic() + _PAUSE
