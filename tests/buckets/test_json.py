"""JSON and JSON Lines: items in constant memory, numbers exactly, problems with their place."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.buckets import json_items
from sm_cli.buckets.failures import ItemReaderFailed
from tests.buckets.making import everything, get, put, refusal

_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


class Dribble(io.StringIO):
    """A text that is read in small pieces, wherever its values begin and end."""

    def read(self, size: int | None = -1, /) -> str:
        return super().read(3)


@given(st.lists(_JSON, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_an_array_gives_its_elements_wherever_the_pieces_end(
    values: list[Any], indent: int | None, ascii: bool
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii)
    items = list(json_items.items(Dribble(f" {text}\n"), "x"))
    assert items == values
    assert json.dumps(items) == json.dumps(values)  # 1 is not 1.0, nor true


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), _JSON, max_size=5))
def test_an_object_gives_its_pairs(members: dict[str, Any]) -> None:
    text = json.dumps(members)
    pairs = [{"Key": key, "Value": value} for key, value in members.items()]
    assert list(json_items.items(Dribble(text), "x")) == pairs


def test_the_file_of_an_array(tmp_path: Path) -> None:
    put(tmp_path, "x.json", b'\xef\xbb\xbf[{"verdict": "true"}, 2, null, [3.50]]')
    assert everything(tmp_path, get("x.json", "JSON")) == [{"verdict": "true"}, 2, None, [3.5]]
    put(tmp_path, "x.json.gz", "[1,2,3]")
    assert everything(tmp_path, get("x.json.gz", "JSON")) == [1, 2, 3]
    put(tmp_path, "none.json", " [ ] ")
    assert everything(tmp_path, get("none.json", "JSON")) == []


@pytest.mark.parametrize("text", ["1", '"text"', "null", "true", " 17 \n"])
def test_a_scalar_is_not_iterable(tmp_path: Path, text: str) -> None:
    put(tmp_path, "x.json", text)
    assert refusal(tmp_path, get("x.json", "JSON")) == "Attempting to map over non-iterable node."


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "s3://data/x.json is empty, which is not JSON"),
        ("[1,\n 2,\n  x]", "s3://data/x.json is not JSON: Expecting value at line 3, column 3"),
        ("[1,]", "s3://data/x.json is not JSON: Expecting value at line 1, column 4"),
        ("[1 2]", "s3://data/x.json is not JSON: Expecting ',' delimiter at line 1, column 4"),
        ("[1,\n2", "s3://data/x.json is not JSON: Expecting ',' delimiter at line 2, column 2"),
        ("[1", "s3://data/x.json is not JSON: Expecting ',' delimiter at line 1, column 3"),
        ("[1]\n[2]", "s3://data/x.json is not JSON: Extra data at line 2, column 1"),
        ('[1, {"a": "b]', "s3://data/x.json is not JSON: Unterminated string starting at line 1, column 11"),
        ('{"a" 1}', "s3://data/x.json is not JSON: Expecting ':' delimiter at line 1, column 6"),
        (
            '{"a": 1,}',
            "s3://data/x.json is not JSON: Expecting property name enclosed in double quotes at line 1, column 9",
        ),
        ('{"a": 1, "a": 2}', "s3://data/x.json names the key 'a' twice in one object"),
        ('[0, {"a": 1, "a": 2}]', "item 1 of s3://data/x.json names the key 'a' twice in one object"),
        ("[0, NaN]", "item 1 of s3://data/x.json holds NaN, which is not JSON"),
        (
            "[18446744073709551616]",
            "item 0 of s3://data/x.json holds the integer 18446744073709551616, which does not fit in 64 bits; "
            "write it as a string",
        ),
        (
            "[0.1234567890123456789]",
            "item 0 of s3://data/x.json holds the number 0.1234567890123456789, which a double cannot keep exactly; "
            "write it as a string",
        ),
        ('["\\ud800"]', "item 0 of s3://data/x.json holds half of a surrogate pair, which no UTF-8 text can hold"),
        ("nul", "s3://data/x.json is not JSON: Expecting value at line 1, column 1"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(tmp_path: Path, text: str, cause: str) -> None:
    put(tmp_path, "x.json", text)
    assert refusal(tmp_path, get("x.json", "JSON")) == cause


def test_a_place_is_counted_through_all_pieces() -> None:
    text = "[\n" + "1,\n" * 100_000 + "?]"
    with pytest.raises(ItemReaderFailed, match="Expecting value at line 100002, column 1"):
        list(json_items.items(io.StringIO(text), "x"))


def test_an_element_nested_too_deeply_is_reported() -> None:
    with pytest.raises(ItemReaderFailed, match="item 0 of x is nested too deeply"):
        list(json_items.items(io.StringIO("[" + "[" * 100_000 + "]" * 100_000 + "]"), "x"))


def test_an_element_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_items, "LARGEST_ITEM", 100_000)
    text = f'[1,\n"{"x" * 400_000}"]'
    with pytest.raises(ItemReaderFailed, match="item 1 of x, from line 2 on, is not JSON or is larger than 8 MiB"):
        list(json_items.items(io.StringIO(text), "x"))
    just = f'"{"y" * 99_998}"'
    assert len(list(json_items.items(io.StringIO(f"[1, {just}]"), "x"))) == 2
    with pytest.raises(ItemReaderFailed, match="item 1 of x is larger than 8 MiB, the limit for an item"):
        list(json_items.items(io.StringIO(f'[1, "y{just[1:]}]'), "x"))
    with pytest.raises(ItemReaderFailed, match="line 2 of x is larger than 8 MiB, the limit for an item"):
        list(json_items.json_lines(io.StringIO("1\n" + "2" * 100_001), "x"))


@pytest.mark.parametrize(
    ("pointer", "items"),
    [
        ("/inventory/products/featured", ["a", "b"]),
        ("/a~1b/0/c~0d", [1]),
        ("/inventory/products", [{"Key": "featured", "Value": ["a", "b"]}]),
        (
            "",
            [
                {"Key": "inventory", "Value": {"products": {"featured": ["a", "b"]}}},
                {"Key": "a/b", "Value": [{"c~d": [1]}]},
            ],
        ),
    ],
)
def test_a_pointer_selects_the_items(tmp_path: Path, pointer: str, items: list[object]) -> None:
    put(tmp_path, "x.json", '{"inventory": {"products": {"featured": ["a", "b"]}}, "a/b": [{"c~d": [1]}]}')
    assert everything(tmp_path, get("x.json", "JSON", ItemsPointer=pointer)) == items


@pytest.mark.parametrize(
    ("pointer", "cause"),
    [
        ("/a", "Attempting to map over non-iterable node."),
        ("/b/01", "ItemsPointer '/b/01' leads to nothing in s3://data/x.json: there is no '01'"),
        ("/b/2", "ItemsPointer '/b/2' leads to nothing in s3://data/x.json: there is no '2'"),
        ("/b/-", "ItemsPointer '/b/-' leads to nothing in s3://data/x.json: there is no '-'"),
        ("/c", "ItemsPointer '/c' leads to nothing in s3://data/x.json: there is no 'c'"),
        ("a", "ItemsPointer 'a' is not a JSON Pointer: it does not begin with a slash"),
    ],
)
def test_a_pointer_to_nothing_is_reported(tmp_path: Path, pointer: str, cause: str) -> None:
    put(tmp_path, "x.json", '{"a": 1, "b": [1, 2]}')
    assert refusal(tmp_path, get("x.json", "JSON", ItemsPointer=pointer)) == cause


def test_a_document_that_is_no_json_is_told_with_a_pointer_too(tmp_path: Path) -> None:
    put(tmp_path, "x.json", '{"a": [1}')
    cause = "s3://data/x.json is not JSON: Expecting ',' delimiter at line 1, column 9"
    assert refusal(tmp_path, get("x.json", "JSON", ItemsPointer="/a")) == cause


def test_lines(tmp_path: Path) -> None:
    put(tmp_path, "x.jsonl", '{"a": 1}\r\n\n  [2]  \n"\u2028 is no end of a line"\nnull')
    assert everything(tmp_path, get("x.jsonl", "JSONL")) == [{"a": 1}, [2], "\u2028 is no end of a line", None]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('1\n\n{"a": }\n', "s3://data/x.jsonl is not JSON: Expecting value at line 3, column 7"),
        ("1 2\n", "s3://data/x.jsonl is not JSON: Extra data at line 1, column 3"),
        ('1\n{"a": 1, "a": 1}\n', "line 2 of s3://data/x.jsonl names the key 'a' twice in one object"),
        ("1\n-Infinity\n", "line 2 of s3://data/x.jsonl holds -Infinity, which is not JSON"),
    ],
)
def test_a_line_that_is_no_json_is_reported(tmp_path: Path, text: str, cause: str) -> None:
    put(tmp_path, "x.jsonl", text)
    assert refusal(tmp_path, get("x.jsonl", "JSONL")) == cause
