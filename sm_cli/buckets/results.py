"""The results of a Map Run as files: SUCCEEDED_n.json, FAILED_n.json, PENDING_n.json, and manifest.json over them.

Results are written as they come, none is kept. Everything is on the disk under its draft's name before the first
file gets its own; the manifest comes last. Writing the same run again gives the same files and leaves no others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from sm_cli.buckets.drafts import Draft, flush_directory, make_directories, sweep_drafts
from sm_cli.buckets.entries import ChildResult, RunFacts, shape_of, values_of
from sm_cli.buckets.failures import ResultWriterFailed
from sm_cli.buckets.place import Place, check_key, uri
from sm_cli.jsonvalue import Json, dumps

#: The largest result file, in bytes; what does not fit goes into the next one. AWS: 5 GB.
LARGEST_FILE = 5_000_000_000
_STATUSES = ("FAILED", "PENDING", "SUCCEEDED")
_FILE = re.compile(rf"(?:{'|'.join(_STATUSES)})_\d+\.json")


def write_results(
    place: Place,
    request: dict[str, Json],
    results: Iterable[ChildResult],
    run: RunFacts,
    largest: int = LARGEST_FILE,
) -> dict[str, Json]:
    """Write a run's files below BUCKET/PREFIX/UUID; the state's result, {"MapRunArn", "ResultWriterDetails"}. Raises
    ResultWriterFailed."""
    bucket, folder = _target(request, run)
    config = request.get("config") or {}
    if not isinstance(config, dict):
        raise ResultWriterFailed(f"WriterConfig must be an object, not {dumps(config)}")
    shape = shape_of(config)
    directory = place.inside(place.bucket(bucket) / folder, uri(bucket, folder))
    make_directories(directory)
    sweep_drafts(directory)
    drafts: list[Draft] = []
    try:
        series = {status: _Series(directory, status, shape.lines, largest, drafts) for status in _STATUSES}
        for result in results:
            status = result.status if result.status in series else "FAILED"
            for value in values_of(result, shape):
                series[status].add(dumps(value).encode())
        for each in series.values():
            each.end()
        _publish(directory, drafts, _manifest(bucket, folder, run, series))
    except BaseException:
        for draft in drafts:
            draft.discard()
        raise
    return {"MapRunArn": run.map_run_arn, "ResultWriterDetails": {"Bucket": bucket, "Key": f"{folder}/manifest.json"}}


def _target(request: dict[str, Json], run: RunFacts) -> tuple[str, str]:
    """The bucket, and the key of the run's directory."""
    arguments = request.get("arguments")
    if not isinstance(arguments, dict) or not isinstance(arguments.get("Bucket"), str):
        raise ResultWriterFailed("Bucket is missing from what the ResultWriter asks for")
    prefix = arguments.get("Prefix", "")
    if not isinstance(prefix, str):
        raise ResultWriterFailed(f"Prefix must be text, not {dumps(prefix)}")
    prefix = prefix.rstrip("/")
    folder = f"{prefix}/{run.uuid}" if prefix else run.uuid
    check_key(f"{folder}/manifest.json")
    return str(arguments["Bucket"]), folder


def _manifest(bucket: str, folder: str, run: RunFacts, series: dict[str, _Series]) -> bytes:
    files: dict[str, Json] = {
        status: [{"Key": f"{folder}/{draft.target.name}", "Size": draft.size} for draft in each.drafts]
        for status, each in series.items()
    }
    return dumps({"DestinationBucket": bucket, "MapRunArn": run.map_run_arn, "ResultFiles": files}).encode()


def _publish(directory: Path, drafts: list[Draft], manifest: bytes) -> None:
    for draft in drafts:
        draft.flush()
    last = Draft(directory / "manifest.json")
    drafts.append(last)
    last.write(manifest)
    last.flush()
    names = {draft.target.name for draft in drafts}
    for draft in drafts[:-1]:
        draft.publish()
    flush_directory(directory)
    last.publish()
    flush_directory(directory)
    for name in os.listdir(directory):  # noqa: PTH208 -- names are what is compared
        if _FILE.fullmatch(name) and name not in names:
            (directory / name).unlink()  # of an earlier attempt, which had more to say


class _Series:
    """The files of one status, in order; none before there is something to write."""

    def __init__(self, directory: Path, status: str, lines: bool, largest: int, all_drafts: list[Draft]) -> None:
        self.drafts: list[Draft] = []
        self._all = all_drafts
        self._path = directory / f"{status}_"
        self._largest = largest
        self._opening, self._between, self._closing = (b"", b"", b"") if lines else (b"[", b",", b"]")
        self._ending = b"\n" if lines else b""
        self._count = 0  # values in the file that is open

    def add(self, value: bytes) -> None:
        size = len(self._between) + len(value) + len(self._ending) + len(self._closing)
        if self._count and self.drafts[-1].size + size > self._largest:
            self.end()
        if not self._count:
            draft = Draft(self._path.with_name(f"{self._path.name}{len(self.drafts)}.json"))
            self.drafts.append(draft)
            self._all.append(draft)
            draft.write(self._opening)
        else:
            self.drafts[-1].write(self._between)
        self.drafts[-1].write(value + self._ending)
        self._count += 1

    def end(self) -> None:
        """Close the file that is open."""
        if self._count:
            self.drafts[-1].write(self._closing)
            self._count = 0
