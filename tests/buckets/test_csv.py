"""CSV: AWS's rules of parsing, one by one."""

from __future__ import annotations

import csv as standard
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.buckets import contents, csv_rows, limits
from sm_cli.buckets.failures import ItemReaderFailed
from tests.buckets.making import csv, everything, get, put, refusal


def rows_of(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv_rows.cells(io.StringIO(text, newline=""), "x", delimiter))


def test_the_first_row_names_the_columns(tmp_path: Path) -> None:
    put(tmp_path, "ratings.csv", "userId,rating\n1,3.5\n2,\n")
    assert everything(tmp_path, csv("ratings.csv")) == [{"userId": "1", "rating": "3.5"}, {"userId": "2", "rating": ""}]


def test_given_headers_leave_the_first_row_a_row(tmp_path: Path) -> None:
    put(tmp_path, "ratings.csv", "1,307\n1,481\n")
    request = csv("ratings.csv", CSVHeaderLocation="GIVEN", CSVHeaders=["userId", "movieId"])
    assert everything(tmp_path, request) == [{"userId": "1", "movieId": "307"}, {"userId": "1", "movieId": "481"}]


def test_a_short_row_is_filled_up_and_a_long_one_cut(tmp_path: Path) -> None:
    put(tmp_path, "x.csv", "a,b,c\n1\n1,2,3,4\n")
    assert everything(tmp_path, csv("x.csv")) == [{"a": "1", "b": "", "c": ""}, {"a": "1", "b": "2", "c": "3"}]


@pytest.mark.parametrize(
    ("name", "sign"), [("COMMA", ","), ("PIPE", "|"), ("SEMICOLON", ";"), ("SPACE", " "), ("TAB", "\t")]
)
def test_each_delimiter(tmp_path: Path, name: str, sign: str) -> None:
    others = [s for s in ",|;" if s != sign]
    put(tmp_path, "x.csv", f"a{sign}b\n1{others[0]}2{sign}3{others[1]}4\n")
    assert everything(tmp_path, csv("x.csv", CSVDelimiter=name)) == [{"a": f"1{others[0]}2", "b": f"3{others[1]}4"}]


def test_the_example_of_the_developer_guide() -> None:
    text = (
        'abc,123,"This string contains commas, a double quotation marks (""), and a newline (\n)",'
        '{""MyKey"":""MyValue""},"[1,2,3]"'
    )
    assert rows_of(text) == [
        [
            "abc",
            "123",
            'This string contains commas, a double quotation marks ("), and a newline (\n)',
            '{"MyKey":"MyValue"}',
            "[1,2,3]",
        ]
    ]


def test_backslashes_escape_and_vanish() -> None:
    assert rows_of("C:\\\\Program Files\\\\MyApp.exe,6534512\n") == [["C:\\Program Files\\MyApp.exe", "6534512"]]
    assert rows_of('a\\,b,c\\d,\\"e\\"\n') == [["a,b", "cd", '"e"']]
    assert rows_of('"a\\"b",c\\|d\n', "|") == [['a"b,c|d']]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('"a","b"\n', [["a", "b"]]),
        ('"a,b",c\n', [["a,b", "c"]]),
        ('"a\n\nb",c\nd\n', [["a\n\nb", "c"], ["d"]]),
        ('"a\r\nb"\r\nc\r\n', [["a\r\nb"], ["c"]]),
        ('"",x\n', [["", "x"]]),
        ('""\n', [[""]]),
        ('5" pipe,1\n', [['5" pipe', "1"]]),
        ('"a"b,c\n', [["ab", "c"]]),
        ('"a""b"\n', [['a"b']]),
        ("a,b\n\n\r\nc,d", [["a", "b"], ["c", "d"]]),
        ("a\rb\r", [["a"], ["b"]]),
        (",\n", [["", ""]]),
        ("\\\n", [[""]]),
        ("", []),
    ],
)
def test_quotes_and_newlines(text: str, rows: list[list[str]]) -> None:
    assert rows_of(text) == rows


_FIELD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.lists(_FIELD, min_size=1, max_size=4), max_size=6), st.sampled_from(",|;\t "))
def test_what_a_standard_writer_wrote_comes_back(rows: list[list[str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    standard.writer(text, delimiter=delimiter, quoting=standard.QUOTE_ALL).writerows(
        [[field.replace("\\", "\\\\") for field in row] for row in rows]
    )
    assert rows_of(text.getvalue(), delimiter) == rows


def test_a_quoted_field_of_many_lines_is_read_in_one_go() -> None:
    field = "line\n" * 50_000
    assert rows_of(f'"{field}",b\n') == [[field, "b"]]


def test_an_open_quote_is_told_with_its_line(tmp_path: Path) -> None:
    put(tmp_path, "x.csv", 'a,b\n1,2\n"3,4\n5,6\n')
    assert refusal(tmp_path, csv("x.csv")) == "s3://data/x.csv ends inside the quotes of a field of the row at line 3"


@pytest.mark.parametrize("beginning", ['"', ""])
def test_a_row_has_a_limit(monkeypatch: pytest.MonkeyPatch, beginning: str) -> None:
    monkeypatch.setattr(csv_rows, "LARGEST_ITEM", 100)
    with pytest.raises(ItemReaderFailed, match="the row at line 2 of x is larger than 8 MiB, the limit for an item"):
        rows_of(f"a\n{beginning}{'long ' * 30}\n")
    with pytest.raises(ItemReaderFailed, match="line 2"):
        rows_of('a\n"' + "long\n" * 30)
    assert limits.LARGEST_ITEM == 8 * 1024 * 1024


def test_a_byte_order_mark_is_no_part_of_the_first_header(tmp_path: Path) -> None:
    put(tmp_path, "x.csv", b"\xef\xbb\xbfa,b\n1,2\n")
    assert everything(tmp_path, csv("x.csv")) == [{"a": "1", "b": "2"}]


def test_headers_are_unique(tmp_path: Path) -> None:
    put(tmp_path, "x.csv", "a,b,a\n1,2,3\n")
    assert refusal(tmp_path, csv("x.csv")) == "CSV headers cannot contain duplicates."
    given_ones = csv("x.csv", CSVHeaderLocation="GIVEN", CSVHeaders=["a", "a"])
    assert refusal(tmp_path, given_ones) == "CSV headers cannot contain duplicates."


def test_headers_have_a_limit(tmp_path: Path) -> None:
    put(tmp_path, "x.csv", ",".join(f"{n:0100}" for n in range(103)))
    assert refusal(tmp_path, csv("x.csv")) == "CSV headers cannot be larger than 10240 bytes."


@pytest.mark.parametrize("content", ["", "a,b\n", "\n\n"])
def test_no_rows_are_no_items(tmp_path: Path, content: str) -> None:
    put(tmp_path, "x.csv", content)
    assert everything(tmp_path, csv("x.csv")) == []


@given(st.text('a,"\r\n ', max_size=12))
def test_the_quick_parser_agrees_with_the_thorough_one(text: str) -> None:
    line = io.StringIO(f"{text}\n", newline="").readline()
    quick = csv_rows._quick(line, ",")
    thorough = csv_rows._Record(",")
    complete = thorough.feed(line)
    assert quick is None or (complete and quick == thorough.cells) or not line.strip("\r\n")


@pytest.mark.parametrize("pieces", [limits.LARGEST_ITEM, 7, 1])
def test_the_place_of_a_bad_byte_is_right_whatever_the_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    monkeypatch.setattr(contents, "LARGEST_ITEM", pieces)
    put(tmp_path, "x.csv", "a\n€uro€uro€".encode() + b"\xe2\x82\n")
    assert refusal(tmp_path, csv("x.csv")) == "s3://data/x.csv is not UTF-8: byte 15 of line 2 is 0xe2"
    put(tmp_path, "x.csv", "a\n€".encode() + b"\xe2\x82")
    assert refusal(tmp_path, csv("x.csv")) == "s3://data/x.csv is not UTF-8: it ends inside a character"


@pytest.mark.parametrize("key", ["x.csv", "x.csv.gz"])
def test_bytes_that_are_no_text_are_told_with_their_place(tmp_path: Path, key: str) -> None:
    put(tmp_path, key, b"a,b\n" + "1,ä\n".encode() * 5000 + b"2,\xff\n" + b"3,4\n" * 5000)
    assert refusal(tmp_path, csv(key)) == f"s3://data/{key} is not UTF-8: byte 2 of line 5002 is 0xff"


def test_a_truncated_gzip_file_is_reported(tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv.gz", "a,b\n" + "".join(f"{n},{n * n}\n" for n in range(5000)))
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal(tmp_path, csv("x.csv.gz")).startswith("s3://data/x.csv.gz is not a whole gzip file: ")
    path.write_bytes(b"plain text")
    assert refusal(tmp_path, csv("x.csv.gz")).startswith("s3://data/x.csv.gz is not a whole gzip file: ")


_NAMES = "CSVHeaders must be a list of names where CSVHeaderLocation is GIVEN"


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        ({}, "CSVHeaderLocation must be FIRST_ROW or GIVEN where InputType is CSV"),
        ({"CSVHeaderLocation": "GIVEN"}, _NAMES),
        ({"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", 1]}, _NAMES),
        (
            {"CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": ","},
            "CSVDelimiter must be COMMA, PIPE, SEMICOLON, SPACE, TAB, not ','",
        ),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(tmp_path: Path, config: dict[str, Any], cause: str) -> None:
    put(tmp_path, "x.csv", "a\n1\n")
    assert refusal(tmp_path, get("x.csv", "CSV", **config)) == cause
