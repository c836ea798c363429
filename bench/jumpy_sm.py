"""`sm` whose wall clock is ahead by as many seconds as the file `clock` says (`+40`): by libfaketime where the process
was started with it, which reads the same file, else by an offset to the clock of `sm`.
"""

from __future__ import annotations

import os
import select
import sys
import time
from pathlib import Path

from sm_cli.__main__ import main
from sm_cli.engine.clock import SystemClock
from sm_cli.timestamps import MICROSECONDS

#: Where Debian, Fedora, Arch and `make install` put the library; SM_LIBFAKETIME names another place.
_PLACES = ("usr/lib/*/faketime", "usr/lib64/faketime", "usr/lib/faketime", "usr/local/lib/faketime")
_LIBRARY = "libfaketimeMT.so.1"

_right = SystemClock.now


def find_libfaketime() -> str | None:
    """The library's path; None where there is none."""
    given = os.environ.get("SM_LIBFAKETIME")
    if given is not None:
        return given or None
    return next((str(found) for place in _PLACES for found in sorted(Path("/").glob(f"{place}/{_LIBRARY}"))), None)


def faked(library: str, clock: Path) -> dict[str, str]:
    """The environment of a process whose wall clock, and no other, is ahead by what the file says at that moment."""
    return {
        "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip


def now(self: SystemClock) -> int:
    return _right(self) + int(Path("clock").read_text()) * MICROSECONDS


def sleep(seconds: float) -> None:
    """Python sleeps until a moment of the monotonic clock (clock_nanosleep, TIMER_ABSTIME). libfaketime 0.9.10 moves it
    although that clock is not faked, whatever its settings, and the kernel answers EINVAL."""
    select.select([], [], [], seconds)


if __name__ == "__main__":
    if "libfaketime" in os.environ.get("LD_PRELOAD", ""):
        time.sleep = sleep  # type: ignore[assignment]  # nobody here gives an object that is only an index
    else:
        SystemClock.now = now  # type: ignore[method-assign]
    sys.exit(main())
