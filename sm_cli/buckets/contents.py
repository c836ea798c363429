"""The content of an object: decompressed, as bytes or as text, and what spoils it told in a sentence.

What is read is the object that was looked at. When size or time of the file are other ones, before or after the
reading, the reading fails instead of giving items of two versions.
"""

from __future__ import annotations

import codecs
import gzip
import importlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TextIO, cast

from sm_cli.buckets.failures import ItemReaderFailed, Refused
from sm_cli.buckets.limits import LARGEST_ITEM
from sm_cli.buckets.place import Part, Place, part_of


def changed_error(what: str) -> Refused:
    """The data set is not what it was when the Map began."""
    return Refused(f"{what} has changed since its items were counted; a Map reads one version of its data only")


@contextmanager
def content(place: Place, part: Part) -> Iterator[BinaryIO]:
    """The bytes of an object; those of a key that ends in .gz, .zst or .zstd decompressed. Raises Refused for what
    cannot be decompressed, or has changed since it was listed."""
    with place.open(part.bucket, part.key) as file:
        if part_of(part.bucket, part.key, file) != part:
            raise changed_error(part.uri)
        try:
            with _decompress(file, part) as plain:
                yield plain
        except (gzip.BadGzipFile, zlib.error, EOFError) as e:
            raise Refused(f"{part.uri} is not a whole gzip file: {e}") from None
        if part_of(part.bucket, part.key, file) != part:
            raise changed_error(part.uri)


@contextmanager
def _decompress(file: BinaryIO, part: Part) -> Iterator[BinaryIO]:
    if part.key.endswith(".gz"):
        with gzip.GzipFile(fileobj=file, mode="rb") as plain:
            yield cast(BinaryIO, plain)
    elif part.key.endswith((".zst", ".zstd")):
        try:
            zstd = importlib.import_module("compression.zstd")
        except ImportError:
            raise ItemReaderFailed(
                f"{part.uri} is compressed with zstd, which Python reads from 3.14 on; unpack it, or use gzip"
            ) from None
        try:
            with zstd.ZstdFile(file) as plain:
                yield plain
        except zstd.ZstdError as e:
            raise Refused(f"{part.uri} is not a whole zstd file: {e}") from None
    else:
        yield file


@contextmanager
def open_text(place: Place, part: Part, newline: str = "") -> Iterator[TextIO]:
    """The object's text, without a byte order mark. `newline` is that of `open`: "" for CSV, "\\n" for JSON. Raises
    Refused for what is not UTF-8."""
    try:
        with content(place, part) as plain:
            reader = io.TextIOWrapper(plain, encoding="utf-8-sig", newline=newline)
            try:
                yield reader
            finally:
                reader.detach()
    except UnicodeDecodeError:
        raise Refused(_not_utf8(place, part)) from None


def _not_utf8(place: Place, part: Part) -> str:
    """Which byte it is. The decoder knows its place in a piece only, so the object is read again up to there."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    number, before = 1, 0  # the line, and how many of its bytes earlier pieces had
    with content(place, part) as plain:
        while piece := plain.readline(LARGEST_ITEM):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as e:
                at, byte = before - pending + e.start, e.object[e.start]
                return f"{part.uri} is not UTF-8: byte {at} of line {number} is 0x{byte:02x}"
            at_line_end = piece.endswith(b"\n")
            number, before = (number + 1, 0) if at_line_end else (number, before + len(piece))
    return f"{part.uri} is not UTF-8: it ends inside a character"
