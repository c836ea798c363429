"""Items of a distributed Map from a file: what a row costs, and whether a million need more memory than a few."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.report import Figure
from sm_cli.buckets import Buckets
from sm_cli.jsonvalue import Json

FEW, MANY = 10_000, 1_000_000
#: How a row of each format is written.
FORMATS: Mapping[str, Callable[[int], str]] = {
    "CSV": lambda n: f"{n},name {n},3.5,1256677221\n",
    "JSONL": lambda n: f'{{"id":{n},"name":"name {n}","rating":3.5}}\n',
    "JSON": lambda n: f'{"," if n else "["}{{"id":{n},"name":"name {n}","rating":3.5}}\n',
}


def write(path: Path, kind: str, rows: int) -> None:
    path.parent.mkdir(parents=True)
    with path.open("w") as file:
        file.write("id,name,rating,time\n" if kind == "CSV" else "")
        file.writelines(map(FORMATS[kind], range(rows)))
        file.write("]" if kind == "JSON" else "")


def measure(root: Path, kind: str) -> tuple[float, float, int]:
    """(seconds of the survey, seconds of reading all in portions of 1,000, KiB of this process at its largest)."""
    buckets = Buckets(root)
    config: Json = {"InputType": kind, "CSVHeaderLocation": "FIRST_ROW"}
    request: dict[str, Json] = {
        "resource": "s3:getObject", "arguments": {"Bucket": "data", "Key": "rows"}, "config": config
    }  # fmt: skip
    begun = time.perf_counter()
    survey = buckets.survey(request)
    surveyed = time.perf_counter()
    read = sum(len(buckets.read(request, survey.mark, start, 1000)) for start in range(0, survey.total, 1000))
    ended = time.perf_counter()
    assert read == survey.total
    status = Path("/proc/self/status").read_text()
    return surveyed - begun, ended - surveyed, int(status.partition("VmHWM:")[2].split()[0])


def measured(folder: Path, kind: str, rows: int) -> list[float]:
    """`measure` in a process of its own, so that its memory is its own."""
    root = folder / f"{kind}-{rows}"
    write(root / "data" / "rows", kind, rows)
    told = subprocess.check_output([sys.executable, "-m", "bench.buckets", str(root), kind], text=True)
    (root / "data" / "rows").unlink()
    return [float(number) for number in told.split()]


def run(folder: Path) -> Iterator[Figure]:
    for kind in FORMATS:
        few, many = measured(folder, kind, FEW), measured(folder, kind, MANY)
        yield Figure(f"{kind}: a row in the survey of {MANY:,}", many[0] / MANY * 1e6, "us")
        yield Figure(f"{kind}: a row when it is read", many[1] / MANY * 1e6, "us")
        yield Figure(f"{kind}: memory with {MANY:,} rows", many[2] / 1024, "MiB")
        yield Figure(f"{kind}: the same against {FEW:,} rows", many[2] / few[2], "x", "<= 1.1")


if __name__ == "__main__":
    print(*measure(Path(sys.argv[1]), sys.argv[2]))
