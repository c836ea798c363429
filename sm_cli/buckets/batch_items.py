"""The items of a batch: a file in its place or an object in a bucket, read in portions.

A source is a JSON object: {"file": an absolute path} or {"bucket", "key"}, and with both "format". Nothing is
counted before it is read; an item that cannot be read is given as Unreadable where the others can be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sm_cli.buckets import csv_rows
from sm_cli.buckets.contents import open_text
from sm_cli.buckets.failures import ItemReaderFailed, Refused, failing
from sm_cli.buckets.json_items import Unreadable
from sm_cli.buckets.place import Files, Place
from sm_cli.buckets.readers import Reader, Readers
from sm_cli.buckets.request import ReadRequest, parse_request
from sm_cli.buckets.sources import DataSet, open_data_set
from sm_cli.jsonvalue import Json, canonical

#: The endings of names, without that of a compression, and what they say.
FORMATS = {
    ".jsonl": "JSONL", ".ndjson": "JSONL", ".json": "JSON", ".csv": "CSV", ".tsv": "TSV", ".parquet": "PARQUET",
}  # fmt: skip
_COMPRESSED = (".gz", ".zst", ".zstd")
#: A source of at most so many bytes is read to its end before anything starts.
SHORT = 4 << 20


def format_of(name: str) -> str | None:
    """What the ending of a file's name or a key says; None when it says nothing."""
    path = Path(name)
    if path.suffix in _COMPRESSED:
        path = path.with_suffix("")
    return FORMATS.get(path.suffix.lower())


@dataclass(frozen=True, slots=True)
class Opened:
    """What was seen of a source before anything starts."""

    #: A fingerprint of it.
    mark: str
    #: How many items it has; None: it was not read to its end.
    total: int | None
    #: The first items.
    first: list[Json]


class BatchItems:
    """Reads the items of batches; one serves several threads. root: the directory that stands for S3."""

    def __init__(self, root: Path) -> None:
        self._buckets, self._files = Place(root), Files()
        self._readers = Readers()

    def open(self, source: dict[str, Json], count: int) -> Opened:
        """Look at a source: its first `count` items, and all that can be known of the rest without reading much.
        Raises ItemReaderFailed for what cannot be a batch's, an item among these that cannot be read as well."""
        with failing(ItemReaderFailed, "reading the items"):
            data = self._data(source)
            _check_header(data)
            size = sum(part.size for part in data.parts)
            first: list[Json] = []
            total = 0
            with closing(data.items()) as items:
                for item in items if size <= SHORT else islice(items, count):
                    if isinstance(item, Unreadable):
                        raise ItemReaderFailed(str(item))
                    total += 1
                    if len(first) < count:
                        first.append(item)
            if not total:
                raise ItemReaderFailed(f"{data.name} has no items")
            return Opened(data.mark, None if size > SHORT and total == count else total, first)

    def items(self, source: dict[str, Json]) -> Iterator[Json]:
        """All of them, an Unreadable for one that cannot be read. Raises ItemReaderFailed."""
        with failing(ItemReaderFailed, "reading the items"):
            yield from self._data(source).items()

    def read(self, source: dict[str, Json], mark: str, start: int, limit: int) -> list[Json]:
        """The items from number `start` on, `limit` at most; fewer are the last. Raises ItemReaderFailed, also when
        the source is not what bore this mark any more."""
        with failing(ItemReaderFailed, "reading the items"):
            return self._readers.read((canonical(source), mark), start, limit, lambda: self._reader(source, mark))

    def _reader(self, source: dict[str, Json], mark: str) -> Reader:
        data = self._data(source)
        if data.mark != mark:
            raise Refused(f"{data.name} has changed since the batch began; a batch reads one version of it only")
        return Reader(data, None)

    def _data(self, source: dict[str, Json]) -> DataSet:
        place = self._files if "file" in source else self._buckets
        return open_data_set(place, _request(source))


def _request(source: dict[str, Json]) -> ReadRequest:
    """The source as what a Map's reader is asked for."""
    kind = source["format"]
    config: dict[str, Json] = {"InputType": kind}
    if kind in ("CSV", "TSV"):
        delimiter = "TAB" if kind == "TSV" else "COMMA"
        config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": delimiter}
    bucket, key = ("", source["file"]) if "file" in source else (source["bucket"], source["key"])
    request: dict[str, Json] = {
        "resource": "s3:getObject", "arguments": {"Bucket": bucket, "Key": key}, "config": config
    }  # fmt: skip
    return replace(parse_request(request), is_lenient=True)


def _check_header(data: DataSet) -> None:
    """Raises ItemReaderFailed for CSV whose first row names no columns: an item would get the values as names."""
    if data.reading.input_type != "CSV":
        return
    assert data.reading.csv is not None
    for part in data.parts:
        with open_text(data.place, part) as rows:
            csv_rows.check_names(next(csv_rows.cells(rows, part.uri, data.reading.csv.delimiter), []), part.uri)
