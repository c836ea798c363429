"""`sm` whose wall clock is ahead by as many seconds as the file `clock` says: libfaketime is not everywhere."""

from __future__ import annotations

import sys
from pathlib import Path

from sm_cli.__main__ import main
from sm_cli.engine.clock import SystemClock
from sm_cli.timestamps import MICROSECONDS

_right = SystemClock.now


def now(self: SystemClock) -> int:
    return _right(self) + int(Path("clock").read_text()) * MICROSECONDS


if __name__ == "__main__":
    SystemClock.now = now  # type: ignore[method-assign]
    sys.exit(main())
