"""Parquet, with pyarrow and without it."""

from __future__ import annotations

import datetime
import importlib.util
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sm_cli.buckets import parquet_rows
from tests.buckets.making import everything, get, listing, put, refusal


def write(path: Path, columns: dict[str, list[Any]], **options: Any) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.table(columns), path, **options)


def test_each_row_is_an_object(tmp_path: Path) -> None:
    write(
        tmp_path / "data/x.parquet",
        {
            "id": [1, 2**62],
            "ratio": [0.5, None],
            "name": ["ä", None],
            "on": [True, False],
            "tags": [["a"], []],
            "nested": [{"a": 1}, None],
            "raw": [b"\x00\xff", b""],
            "at": [datetime.datetime(2026, 1, 2, 3, 4, 5, 6), datetime.datetime(2026, 1, 2, tzinfo=None)],
            "zoned": [datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), None],
            "day": [datetime.date(2026, 1, 2), None],
            "hour": [datetime.time(3, 4), None],
            "lasting": [datetime.timedelta(seconds=90), None],
            "price": [Decimal("12345678901234567890.12"), Decimal("0.10")],
        },
    )
    assert everything(tmp_path, get("x.parquet", "PARQUET")) == [
        {
            "id": 1, "ratio": 0.5, "name": "ä", "on": True, "tags": ["a"], "nested": {"a": 1}, "raw": "AP8=",
            "at": "2026-01-02T03:04:05.000006", "zoned": "2026-01-02T00:00:00+00:00", "day": "2026-01-02",
            "hour": "03:04:00", "lasting": 90.0, "price": "12345678901234567890.12",
        },
        {
            "id": 2**62, "ratio": None, "name": None, "on": False, "tags": [], "nested": None, "raw": "",
            "at": "2026-01-02T00:00:00", "zoned": None, "day": None, "hour": None, "lasting": None, "price": "0.10",
        },
    ]  # fmt: skip


def test_row_groups_and_batches_make_no_difference(tmp_path: Path) -> None:
    write(tmp_path / "data/x", {"n": list(range(5000))}, row_group_size=700, compression="zstd")
    assert everything(tmp_path, get("x", "PARQUET")) == [{"n": n} for n in range(5000)]


def test_files_of_a_listing_and_of_a_manifest(tmp_path: Path) -> None:
    write(tmp_path / "data/a/1", {"n": [1]})
    write(tmp_path / "data/a/2", {"n": [2, 3]})
    put(tmp_path, "m.csv", "s3://data/a/2\ns3://data/a/1\n")
    flat = listing("a/", InputType="PARQUET", Transformation="LOAD_AND_FLATTEN")
    assert everything(tmp_path, flat) == [{"n": 1}, {"n": 2}, {"n": 3}]
    athena = get("m.csv", "PARQUET", ManifestType="ATHENA_DATA")
    assert everything(tmp_path, athena) == [{"n": 2}, {"n": 3}, {"n": 1}]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_have_is_reported(tmp_path: Path, value: float) -> None:
    write(tmp_path / "data/x", {"n": [1.0, value]})
    cause = f"column 'n' of row 1 of s3://data/x holds {value}, which JSON does not have"
    assert refusal(tmp_path, get("x", "PARQUET")) == cause


def test_a_file_that_is_no_parquet_is_reported(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    put(tmp_path, "x", "a,b\n1,2\n")
    assert refusal(tmp_path, get("x", "PARQUET")).startswith("s3://data/x cannot be read as Parquet: ")


def test_a_moment_finer_than_python_knows_is_reported(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    if importlib.util.find_spec("pandas") is not None:
        pytest.skip("pandas has moments as fine as that")
    write(tmp_path / "data/x", {"t": pyarrow.array([1], pyarrow.timestamp("ns"))})
    assert refusal(tmp_path, get("x", "PARQUET")).startswith("s3://data/x cannot be read as Parquet: ")


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("_LARGEST_FOOTER", "the footer of s3://data/x is larger"),
        ("_LARGEST_GROUP", "row group 0 of s3://data/x is larger"),
    ],
)
def test_awss_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, sentence: str) -> None:
    write(tmp_path / "data/x", {"n": [1]})
    monkeypatch.setattr(parquet_rows, limit, 1)
    assert refusal(tmp_path, get("x", "PARQUET")).startswith(sentence)


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "x", "PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    cause = "reading s3://data/x needs pyarrow: pip install 'sm-cli[parquet]'"
    assert refusal(tmp_path, get("x", "PARQUET")) == cause
