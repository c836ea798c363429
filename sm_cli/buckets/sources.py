"""From a `ReadRequest` to a data set: the objects it is made of, their fingerprint, and the items in them.

The objects are found once, when the data set is opened; what comes or goes below a prefix later is not seen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace

from sm_cli.buckets import csv_rows, json_items, parquet_rows
from sm_cli.buckets.contents import changed_error, content, open_text
from sm_cli.buckets.failures import ItemReaderFailed
from sm_cli.buckets.listing import as_item, list_objects
from sm_cli.buckets.place import Part, Place, uri
from sm_cli.buckets.request import ReadRequest
from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import Json, loads_exact

_URI = re.compile(r"s3://([^/]+)/(.+)")
_ARN = "arn:aws:s3:::"


@dataclass(slots=True)
class DataSet:
    """The objects of a data set. `mark` is another one when an object was changed, came or went."""

    #: Where the buckets are.
    place: Place
    #: What was asked for.
    reading: ReadRequest
    #: In the order in which they are read.
    parts: list[Part]
    mark: str
    #: The object that is being read.
    current: Part | None = field(default=None)

    def items(self) -> Generator[Json, None, None]:
        """Its items in order, read while they are asked for. Raises ItemReaderFailed."""
        if self.reading.how == "listing":
            yield from map(as_item, self.parts)
            return
        for part in self.parts:
            self.current = part
            yield from _items(self.place, part, self.reading)
        self.current = None

    @property
    def name(self) -> str:
        """The data set in a sentence."""
        address = uri(self.reading.bucket, self.reading.key)
        return f"what lies below {address}" if self.reading.how in ("listing", "objects") else address

    def check(self) -> None:
        """Refuse to go on when the object that is being read is not what it was."""
        if self.current is not None and self.place.look(self.current.bucket, self.current.key) != self.current:
            raise changed_error(self.current.uri)


def open_data_set(place: Place, reading: ReadRequest) -> DataSet:
    """What the request names. Raises ItemReaderFailed."""
    return _OPENERS[reading.how](place, reading)


def _object(place: Place, reading: ReadRequest) -> DataSet:
    part = place.look(reading.bucket, reading.key)
    return DataSet(place, reading, [part], f"{part.size}-{part.modification_time}")


def _listing(place: Place, reading: ReadRequest) -> DataSet:
    parts = list(list_objects(place, reading.bucket, reading.key))
    return DataSet(place, reading, parts, _digest(parts))


def _athena(place: Place, reading: ReadRequest) -> DataSet:
    """Athena, "UNLOAD": the manifest is a CSV file with the URI of a data file on each line."""
    manifest = place.look(reading.bucket, reading.key)
    parts = []
    with open_text(place, manifest) as lines:
        for number, row in enumerate(csv_rows.cells(lines, manifest.uri, ","), 1):
            match = _URI.fullmatch(row[0].strip())
            if match is None:
                raise ItemReaderFailed(
                    f"row {number} of {manifest.uri} is not the s3:// URI of a data file: {row[0]!r}"
                )
            parts.append(place.look(*match.groups()))
    return DataSet(place, reading, parts, _digest([manifest, *parts]))


def _inventory(place: Place, reading: ReadRequest) -> DataSet:
    """Amazon S3, "Inventory manifest": fileSchema names the columns of the CSV files under files[].key."""
    manifest = place.look(reading.bucket, reading.key)
    with open_text(place, manifest) as whole:
        try:
            document = loads_exact(whole.read(), what=manifest.uri)
        except InvalidJson as e:
            raise ItemReaderFailed(e.message) from None
    if not isinstance(document, dict):
        raise ItemReaderFailed(f"{manifest.uri} is not the manifest of an S3 inventory: it is no object")
    if document.get("fileFormat", "CSV") != "CSV":
        raise ItemReaderFailed(
            f"the inventory of {manifest.uri} is written as {document['fileFormat']}; only CSV is read"
        )
    schema, files = document.get("fileSchema"), document.get("files")
    if not isinstance(schema, str) or not isinstance(files, list):
        raise ItemReaderFailed(f"{manifest.uri} is not the manifest of an S3 inventory: it lacks fileSchema or files")
    headers = tuple(name.strip() for name in schema.split(","))
    if problem := csv_rows.headers_problem(headers):
        raise ItemReaderFailed(problem)
    bucket = document.get("destinationBucket")
    bucket = bucket.removeprefix(_ARN) if isinstance(bucket, str) else reading.bucket
    keys = [file.get("key") if isinstance(file, dict) else None for file in files]
    parts = [place.look(bucket, key) for key in keys if isinstance(key, str)]
    if len(parts) != len(files):
        raise ItemReaderFailed(f"{manifest.uri} is not the manifest of an S3 inventory: one of its files has no key")
    assert reading.csv is not None
    columns = replace(reading, csv=replace(reading.csv, headers=headers))
    return DataSet(place, columns, parts, _digest([manifest, *parts]))


_OPENERS: dict[str, Callable[[Place, ReadRequest], DataSet]] = {
    "object": _object,
    "listing": _listing,
    "objects": _listing,
    "athena": _athena,
    "inventory": _inventory,
}


def _digest(parts: list[Part]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.line)
    return digest.hexdigest()


def _items(place: Place, part: Part, reading: ReadRequest) -> Iterator[Json]:
    if reading.input_type == "PARQUET":
        with content(place, part) as raw:
            yield from parquet_rows.items(raw, part.uri)
    elif reading.input_type == "CSV":
        assert reading.csv is not None
        with open_text(place, part) as rows:
            yield from csv_rows.items(rows, part.uri, reading.csv)
    elif reading.input_type == "JSONL":
        with open_text(place, part, "\n") as lines:
            yield from json_items.json_lines(lines, part.uri, is_lenient=reading.is_lenient)
    else:
        with open_text(place, part, "\n") as document:
            if reading.pointer:
                yield from json_items.items_at(document, part.uri, reading.pointer)
            else:
                yield from json_items.items(document, part.uri)
