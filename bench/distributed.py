"""A distributed Map over a CSV file: what a row costs, in time, memory and on disk; each row an EXPRESS execution.

Each size is measured in a worker process of its own, so that its memory is its own. SQLite, synchronous=FULL; the
results go to files.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.engines import finish, prepared, started
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from sm_cli.worker.worker import Worker

SMALL, FEW, MANY, MOST = 1_000, 10_000, 100_000, 1_000_000
MAP: dict[str, Any] = {
    "Type": "Map",
    "ItemReader": {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": "data", "Key": "rows.csv"},
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    },
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": True}},
    },
    "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "results"}},
    "End": True,
}


def write(path: Path, rows: int) -> None:
    path.parent.mkdir(parents=True)
    with path.open("w") as file:
        file.write("id,name,rating,time\n")
        file.writelines(f"{n},name {n},3.5,1256677221\n" for n in range(rows))


def measure(folder: Path) -> tuple[float, int, int]:
    """(seconds, KiB of this process at its largest, bytes of the database)."""
    (folder / "results").mkdir()
    store = open_store(str(folder / "sm.db"))
    loop = Worker(Engine(store, buckets=folder), {})
    begun = time.perf_counter()
    finish(loop, store, [started(loop, prepared({"StartAt": "M", "States": {"M": MAP}}), None)])
    took = time.perf_counter() - begun
    loop.pool.close()
    store.close()
    status = Path("/proc/self/status").read_text()
    return took, int(status.partition("VmHWM:")[2].split()[0]), (folder / "sm.db").stat().st_size


def measured(folder: Path, rows: int) -> tuple[float, float, float]:
    """`measure` in a process of its own: (microseconds a row, MiB, bytes of the database a row)."""
    write(folder / "data" / "rows.csv", rows)
    took, memory, size = subprocess.check_output([sys.executable, "-m", "bench.distributed", str(folder)]).split()
    return float(took) / rows * 1e6, int(memory) / 1024, int(size) / rows


def run(folder: Path) -> Iterator[Figure]:
    small = min(measured(folder / f"small{n}", SMALL)[0] for n in range(3))
    few, many, most = (measured(folder / str(rows), rows) for rows in (FEW, MANY, MOST))
    yield Figure(f"a row of {SMALL:,}", small, "us")
    for rows, (cost, memory, size) in ((FEW, few), (MANY, many), (MOST, most)):
        yield Figure(f"a row of {rows:,}", cost, "us")
        yield Figure("  that is", 1e6 / cost, "a second")
        yield Figure("  memory of the worker at its largest", memory, "MiB")
        yield Figure("  size of the database a row", size, "bytes")
    yield Figure(f"cost of a row, {MANY:,} against {SMALL:,}", many[0] / small, "x", "<= 1.3")
    yield Figure(f"cost of a row, {MOST:,} against {FEW:,}", most[0] / few[0], "x", "<= 1.3")
    # SQLite's own cache is 16 MB, and the smallest data set does not fill it.
    yield Figure(f"memory, {MANY:,} beyond {FEW:,}", many[1] - few[1], "MiB", "<= 20")
    yield Figure(f"memory, {MOST:,} against {MANY:,}", most[1] / many[1], "x", "<= 1.1")


if __name__ == "__main__":
    print(*measure(Path(sys.argv[1])))
