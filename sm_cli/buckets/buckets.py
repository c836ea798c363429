"""The directory that stands for S3 when a distributed Map reads its items and writes its results.

One `Buckets` serves several threads. Memory does not grow with the items of a data set or the results of a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sm_cli.buckets.contents import changed_error
from sm_cli.buckets.entries import ChildResult, RunFacts
from sm_cli.buckets.failures import ItemReaderFailed, ResultWriterFailed, failing
from sm_cli.buckets.place import Place
from sm_cli.buckets.readers import Reader, Readers
from sm_cli.buckets.request import parse_request
from sm_cli.buckets.results import write_results
from sm_cli.buckets.sources import open_data_set
from sm_cli.jsonvalue import Json, canonical


@dataclass(frozen=True, slots=True)
class Survey:
    """How many items a data set has, MaxItems considered, and a fingerprint of the version that was counted."""

    #: How many items there are.
    total: int
    #: Another one when an object was changed, came or went.
    mark: str


class Buckets:
    """A directory that stands for S3: ROOT/BUCKET/KEY.

    A request is evaluated already. For reading: {"resource": "s3:getObject" or "s3:listObjectsV2", "arguments":
    {"Bucket", "Key" or "Prefix"}, "config": a ReaderConfig}; for writing: {"arguments": {"Bucket", "Prefix"},
    "config": a WriterConfig or {}}. AWS's developer guide, "ItemReader (Map)" and "ResultWriter (Map)".
    """

    def __init__(self, root: Path, results: Path | None = None) -> None:
        """results: where results are written, and found again by who reads; None: among the others, in `root`."""
        self.root = root
        self._results = Place(root if results is None else results)
        self._place = Place(root, None if results is None else self._results)
        self._readers = Readers()

    def survey(self, request: dict[str, Json]) -> Survey:
        """Go through the items once, up to MaxItems. Raises ItemReaderFailed for the first that cannot be read."""
        with failing(ItemReaderFailed, "reading the items"):
            reading = parse_request(request)
            data = open_data_set(self._place, reading)
            with closing(data.items()) as items:
                total = sum(1 for _ in islice(items, reading.most))
            return Survey(total, data.mark)

    def read(self, request: dict[str, Json], mark: str, start: int, limit: int) -> list[Json]:
        """The items from index `start` on, `limit` at most. Cheap when it goes on where the last call ended.

        Raises ItemReaderFailed when the data is not what bore this mark any more.
        """
        with failing(ItemReaderFailed, "reading the items"):
            return self._readers.read((canonical(request), mark), start, limit, lambda: self._open(request, mark))

    def _open(self, request: dict[str, Json], mark: str) -> Reader:
        reading = parse_request(request)
        data = open_data_set(self._place, reading)
        if data.mark != mark:
            raise changed_error(data.name)
        return Reader(data, reading.most)

    def write_results(self, request: dict[str, Json], results: Iterable[ChildResult], run: RunFacts) -> dict[str, Json]:
        """Write the results of a Map Run, one after the other; the state's result.

        {"MapRunArn": …, "ResultWriterDetails": {"Bucket": …, "Key": "PREFIX/UUID/manifest.json"}}. The bucket is made
        when it is not there. Raises ResultWriterFailed.
        """
        with failing(ResultWriterFailed, "writing the results"):
            return write_results(self._results, request, results, run)

    def close(self) -> None:
        """Close the readers that are kept open."""
        self._readers.close()
