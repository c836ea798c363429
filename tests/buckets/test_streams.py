"""Items of a stream that is read once, as stdin is."""

from __future__ import annotations

import io

import pyarrow
import pytest
from pyarrow import parquet

from sm_cli.buckets import ItemReaderFailed, Unreadable, stream_items
from sm_cli.jsonvalue import Json


class Pipe(io.RawIOBase):
    """What cannot be sought, and gives a few bytes at a time."""

    def __init__(self, content: bytes, size: int = 3) -> None:
        super().__init__()
        self.content = io.BytesIO(content)
        self.size = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self.content.read(min(self.size, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def items(content: bytes, kind: str | None = None, size: int = 3) -> list[Json]:
    return [*stream_items(io.BufferedReader(Pipe(content, size)), kind, "stdin")]


@pytest.mark.parametrize(
    ("content", "kind", "wanted"),
    [
        ('{"n": 1}\n\n"ä"\n12345678901234567890123', None, [{"n": 1}, "ä"]),
        (' \n\t[{"n": 1}, "ä"]\n', None, [{"n": 1}, "ä"]),
        ("\ufeff1\n2\n", "JSONL", [1, 2]),
        ('{"a": 1}', "JSON", [{"Key": "a", "Value": 1}]),
        ('a,b\n1,"x\ny"\n', "CSV", [{"a": "1", "b": "x\ny"}]),
        ("a\tb\r\n1\t2\r\n", "TSV", [{"a": "1", "b": "2"}]),
        ("", None, []),
    ],
)
def test_every_format_is_read_from_a_pipe(content: str, kind: str | None, wanted: list[Json]) -> None:
    found = items(content.encode(), kind)
    assert [each for each in found if not isinstance(each, Unreadable)] == wanted


def test_a_line_that_is_no_item_is_told_with_its_number() -> None:
    found = items(b"1\n\nnonsense\n2\n")
    assert found == [1, "stdin is not JSON: Expecting value at line 3, column 1", 2]
    assert isinstance(found[1], Unreadable)


def test_parquet_is_read_from_a_pipe() -> None:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"n": [1, 2], "s": ["a", None]}), file)
    assert items(file.getvalue(), "PARQUET", 1000) == [{"n": 1, "s": "a"}, {"n": 2, "s": None}]


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        (b"1,2\n3,4\n", "CSV", "the first row of stdin does not name its columns: field 1 is '1'"),
        (b'[1, {"n"', None, "stdin is not JSON"),
        (b"x", "PARQUET", "stdin cannot be read as Parquet"),
        (b"1\n" * 9000 + b'2\n"\xff"\n' + b"3\n" * 9000, None, "stdin is not UTF-8: line 9002 has a byte 0xff"),
    ],
)
def test_what_spoils_a_stream_is_told_in_a_sentence(content: bytes, kind: str | None, sentence: str) -> None:
    with pytest.raises(ItemReaderFailed, match=sentence):
        items(content, kind)


def test_items_come_before_the_stream_has_ended() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            buffer[:2] = b"1\n"
            return 2

    source = stream_items(io.BufferedReader(Endless()), None, "stdin")
    assert [next(source) for _ in range(20_000)] == [1] * 20_000
