"""Places inside texts: every character of a value leads back to the characters that made it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.asl.text.scalars import characters
from sm_cli.asl.text.source import parse


def pieces(written: str, value: str) -> list[str]:
    places = characters(written, value)
    assert places is not None
    return [written[start:end] for start, end in places]


@given(st.text(max_size=30), st.booleans())
def test_each_character_of_a_json_text_is_found_where_it_is_written(value: str, ascii_only: bool) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    written = json.dumps(value, ensure_ascii=ascii_only)
    assert [json.loads(f'"{piece}"') for piece in pieces(written, value)] == list(value)


@pytest.mark.parametrize(
    ("written", "value", "expected"),
    [
        ("abc", "abc", ["a", "b", "c"]),
        ("'it''s'", "it's", ["i", "t", "''", "s"]),
        ('"\\x41\\U0001f600\\tb"', "A\U0001f600\tb", ["\\x41", "\\U0001f600", "\\t", "b"]),
        ('"a \\\n   b"', "a b", ["a", " ", "b"]),
        ('"a\n   b"', "a b", ["a", "\n", "b"]),
        ("|\n  a\n    b\n", "a\n  b\n", ["a", "\n", " ", " ", "b", "\n"]),
        (">-\n  a\n  b", "a b", ["a", "\n", "b"]),
        ("a\n  b", "a b", ["a", "\n", "b"]),
    ],
)
def test_every_style_of_yaml_is_followed(written: str, value: str, expected: list[str]) -> None:
    assert pieces(written, value) == expected


def test_what_does_not_come_out_even_has_no_places() -> None:
    assert characters("abc", "abd") is None
    assert characters('"abc', "abcd") is None
    assert characters("", "a") is None


@given(st.text(alphabet="ab '\"\\:#{}%\n\u00e9", min_size=1, max_size=25), st.data())
def test_a_document_points_at_the_character(value: str, data: st.DataObject) -> None:
    text = json.dumps({"StartAt": value}, indent=2)
    document = parse(text).document
    assert document is not None
    at = data.draw(st.integers(0, len(value) - 1))
    place = document.position_in("/StartAt", at, at + 1)
    assert place is not None
    line = text.splitlines()[place.line - 1]
    assert json.loads(f'"{line[place.column - 1 : place.end_column - 1]}"') == value[at]


def test_the_end_of_a_text_is_a_place_too_and_so_is_the_whole_of_what_is_no_text() -> None:
    document = parse('{"StartAt": "ab", "States": {}}').document
    assert document is not None
    end = document.position_in("/StartAt", 2, 2)
    assert end is not None
    assert (end.column, end.end_column) == (16, 17)
    assert document.position_in("/States", 0, 1) == document.position("/States")
    assert document.position_in("/Nowhere", 0, 1) is None
