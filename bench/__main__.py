"""`python -m bench` runs the short benches, `python -m bench durable chaos` those; exit 1 when a target is missed."""

from __future__ import annotations

import importlib
import platform
import sqlite3
import sys
import tempfile
from pathlib import Path

BENCHES = ("startup", "validate", "folders", "durable", "maps", "memory", "waiting", "queue", "timers", "callbacks")
#: Those that take minutes, or compare; they run when they are named.
LONG = (
    *("idle", "fairness", "writers", "chaos", "chaos_stops", "buckets", "jsonata", "jsonata-reference", "distributed"),
    *("mutations", "payload", "processes", "listing", "statistics", "links", "versions", "schedules"),
    *("chaos_schedules", "batches", "chaos_batches", "chaos_postgres", "many_workers", "aws", "celery", "dashboard"),
    *("postgres_steps", "procrastinate", "rest", "growth", "retention"),
)


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(BENCHES + LONG))
    if unknown:
        print(f"no bench is named {', '.join(unknown)}; there are {', '.join(BENCHES + LONG)}", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.machine()}")
    missed = 0
    for name in names or BENCHES:
        bench = importlib.import_module(f"bench.{name.replace('-', '_')}")
        print(f"\n{name}: {(bench.__doc__ or '').splitlines()[0]}")
        with tempfile.TemporaryDirectory() as folder:
            for figure in bench.run(Path(folder)):
                print(figure, flush=True)
                missed += figure.met is False
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
