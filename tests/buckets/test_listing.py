"""listObjectsV2: metadata of objects in S3's order, or with LOAD_AND_FLATTEN the items in all of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sm_cli.buckets import Buckets
from tests.buckets.making import everything, listing, put, refusal


def keys(root: Path, prefix: str | None = None) -> list[str]:
    return [cast(dict[str, Any], item)["Key"] for item in everything(root, listing(prefix))]


def test_an_object_is_told_as_s3_does(tmp_path: Path) -> None:
    path = put(tmp_path, "processData/images/x.jpg", "0123456789")
    os.utime(path, ns=(0, 1_668_699_881_999_999_999))
    [item] = everything(tmp_path, listing("processData"))
    assert isinstance(item, dict)
    assert list(item) == ["Etag", "Key", "LastModified", "Size", "StorageClass"]
    etag = item.pop("Etag")
    assert item == {
        "Key": "processData/images/x.jpg", "LastModified": 1668699881, "Size": 10, "StorageClass": "STANDARD"
    }  # fmt: skip
    assert isinstance(etag, str)
    assert (len(etag), etag[0], etag[-1]) == (34, '"', '"')


def test_a_prefix_may_end_inside_a_name(tmp_path: Path) -> None:
    for key in ("folder1/a.csv", "folder10/b.csv", "folder1.csv", "folder2/c.csv", "deep/er/x1", "deep/er/y/x", "z"):
        put(tmp_path, key, "")
    assert keys(tmp_path, "folder1") == ["folder1.csv", "folder1/a.csv", "folder10/b.csv"]
    assert keys(tmp_path, "folder1/") == ["folder1/a.csv"]
    assert keys(tmp_path, "deep/er/x") == ["deep/er/x1"]
    assert keys(tmp_path, "deep/er") == ["deep/er/x1", "deep/er/y/x"]
    assert len(keys(tmp_path)) == len(keys(tmp_path, "")) == 7
    for nothing in ("none", "none/at/all", "z/", "/", "/z"):
        assert keys(tmp_path, nothing) == []


_NAME = st.text(st.sampled_from("ab-./é\U00010000\uffee"), min_size=1, max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(names=st.sets(_NAME, max_size=12))
def test_keys_are_in_the_order_of_their_bytes(tmp_path_factory: pytest.TempPathFactory, names: set[str]) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / "data").mkdir()
    made = set()
    for name in names:
        parts = name.split("/")
        try:
            if all(part not in ("", ".", "..") for part in parts):
                put(root, name, "")
                made.add(name)
        except OSError:
            continue  # a name cannot be a file and a directory
    assert keys(root) == sorted(made, key=str.encode)


def test_a_draft_is_no_object(tmp_path: Path) -> None:
    put(tmp_path, ".SUCCEEDED_0.json.17-00.sm-part", "")
    put(tmp_path, ".hidden", "")
    assert keys(tmp_path) == [".hidden"]


def test_a_link_that_leads_nowhere_is_no_object(tmp_path: Path) -> None:
    put(tmp_path, "a", "")
    (tmp_path / "data" / "b").symlink_to("nowhere")
    assert keys(tmp_path) == ["a"]


def test_a_link_that_leads_back_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "a/b/x", "")
    (tmp_path / "data" / "a" / "b" / "c").symlink_to("..")
    assert refusal(tmp_path, listing()) == "s3://data/a/b/c is a symbolic link that leads back to where it stands"


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / os.fsdecode(b"\xff")).touch()
    assert refusal(tmp_path, listing()).endswith("has a name that is not UTF-8, which no key can be")


def test_max_items_bounds_a_listing(tmp_path: Path) -> None:
    for n in range(5):
        put(tmp_path, f"x{n}", "")
    assert len(everything(tmp_path, listing(MaxItems=3))) == 3


def test_load_and_flatten_gives_the_items_of_all_objects(tmp_path: Path) -> None:
    put(tmp_path, "logs/00.csv", "hour,count\n0,1\n0,2\n")
    put(tmp_path, "logs/01.csv.gz", "hour,count\n1,3\n")
    put(tmp_path, "logs/02.csv", "hour,count\n")
    put(tmp_path, "logs/03.csv", "count,hour\n4,3\n")
    flat = listing("logs/", InputType="CSV", CSVHeaderLocation="FIRST_ROW", Transformation="LOAD_AND_FLATTEN")
    assert everything(tmp_path, flat) == [
        {"hour": "0", "count": "1"}, {"hour": "0", "count": "2"}, {"hour": "1", "count": "3"},
        {"hour": "3", "count": "4"},
    ]  # fmt: skip
    flat["config"] = {**cast(dict[str, Any], flat["config"]), "MaxItems": 3}
    assert len(everything(tmp_path, flat)) == 3


def test_load_and_flatten_of_json_and_lines(tmp_path: Path) -> None:
    put(tmp_path, "a/1", "[1, 2]")
    put(tmp_path, "a/2", "[3]")
    put(tmp_path, "b/1", "4\n5\n")
    assert everything(tmp_path, listing("a/", InputType="JSON", Transformation="LOAD_AND_FLATTEN")) == [1, 2, 3]
    assert everything(tmp_path, listing("b/", InputType="JSONL", Transformation="LOAD_AND_FLATTEN")) == [4, 5]


def test_load_and_flatten_needs_to_know_what_it_loads(tmp_path: Path) -> None:
    put(tmp_path, "a", "")
    cause = "InputType is missing; it says what the data is: CSV, JSON, JSONL or PARQUET"
    assert refusal(tmp_path, listing(Transformation="LOAD_AND_FLATTEN")) == cause


def test_an_object_in_the_middle_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    put(tmp_path, "a/1", "[1, 2]")
    put(tmp_path, "a/2", "[3, ?]")
    cause = refusal(tmp_path, listing("a/", InputType="JSON", Transformation="LOAD_AND_FLATTEN"))
    assert cause == "s3://data/a/2 is not JSON: Expecting value at line 1, column 5"


def test_what_comes_while_a_reader_is_open_is_not_seen_and_a_new_reader_refuses(tmp_path: Path) -> None:
    for n in range(4):
        put(tmp_path, f"x{n}", "")
    buckets, request = Buckets(tmp_path), listing()
    survey = buckets.survey(request)
    first = buckets.read(request, survey.mark, 0, 2)
    put(tmp_path, "x11", "")
    rest = buckets.read(request, survey.mark, 2, 10)
    assert [cast(dict[str, Any], item)["Key"] for item in first + rest] == ["x0", "x1", "x2", "x3"]
    other = Buckets(tmp_path)
    with pytest.raises(Exception, match="what lies below s3://data/ has changed since its items were counted"):
        other.read(request, survey.mark, 2, 10)
