"""`python -m bench` runs every bench, `python -m bench durable maps` those; exit 1 when a target is missed."""

from __future__ import annotations

import importlib
import platform
import sqlite3
import sys
import tempfile
from pathlib import Path

BENCHES = ("startup", "durable", "maps", "memory", "waiting")


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        print(f"no bench is named {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.machine()}")
    missed = 0
    for name in names or BENCHES:
        bench = importlib.import_module(f"bench.{name}")
        print(f"\n{name}: {(bench.__doc__ or '').splitlines()[0]}")
        with tempfile.TemporaryDirectory() as folder:
            for figure in bench.run(Path(folder)):
                print(figure, flush=True)
                missed += figure.met is False
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
