"""Items of what can be read once only and from its beginning, as stdin can.

Memory holds one item and a piece of the text. Parquet, which is read from its end, is kept in a temporary file
meanwhile.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from sm_cli.buckets import csv_rows, json_items, parquet_rows
from sm_cli.buckets.failures import ItemReaderFailed, Refused, failing

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json

_CHUNK = 1 << 16
_BLANK = b" \t\r\n"


def stream_items(stream: BinaryIO, kind: str | None, name: str) -> Iterator[Json]:
    """The items of a stream, in their order, an Unreadable for a line that is none. kind: their format; None: an array
    when the first thing in it is a bracket, else JSON Lines. name: what sentences call it. Raises ItemReaderFailed."""
    with failing(ItemReaderFailed, f"reading {name}"):
        if kind == "PARQUET":
            with tempfile.TemporaryFile() as file:
                shutil.copyfileobj(stream, file, _CHUNK)
                file.seek(0)
                yield from parquet_rows.items(cast("BinaryIO", file), name)
            return
        source = _Counted(stream)
        kind = kind or ("JSON" if source.first_sign() == b"[" else "JSONL")
        is_csv = kind in ("CSV", "TSV")
        text = io.TextIOWrapper(cast("BinaryIO", source), "utf-8-sig", newline="" if is_csv else "\n")
        try:
            if is_csv:
                form = csv_rows.Form("\t" if kind == "TSV" else ",", None)
                yield from csv_rows.items(text, name, form, lambda header: csv_rows.check_names(header, name))
            elif kind == "JSONL":
                yield from json_items.json_lines(text, name, is_lenient=True)
            else:
                yield from json_items.items(text, name)
        except UnicodeDecodeError as e:
            line = source.lines - e.object.count(b"\n", e.start) + 1
            raise Refused(f"{name} is not UTF-8: line {line} has a byte 0x{e.object[e.start]:02x}") from None


class _Counted(io.BufferedIOBase):
    """A stream that counts the lines that were read of it."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self.lines = 0
        self._stream = stream
        self._head = b""

    def first_sign(self) -> bytes:
        """The first byte that is not blank; nothing when there is none."""
        while not (sign := self._head.lstrip(_BLANK)[:1]) and (piece := self._stream.read(1)):
            self._head += piece
        return sign

    def readable(self) -> bool:
        """It is."""
        return True

    def read1(self, size: int = _CHUNK, /) -> bytes:
        """At most so many bytes; none at the end."""
        piece, self._head = self._head, b""
        piece = piece or self._stream.read(size)
        self.lines += piece.count(b"\n")
        return piece
