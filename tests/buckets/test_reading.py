"""Surveys and portions: what is counted, what a mark protects from, who shares which reader, what it costs."""

from __future__ import annotations

import builtins
import os
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.buckets import Buckets, ItemReaderFailed, readers
from sm_cli.buckets.place import Place
from sm_cli.errors import TaskError
from sm_cli.jsonvalue import Json
from tests.buckets.making import csv, everything, get, listing, put, refusal


def numbers(root: Path, count: int) -> dict[str, Json]:
    put(root, "n.jsonl", "".join(f"{n}\n" for n in range(count)))
    return get("n.jsonl", "JSONL")


@pytest.mark.parametrize(("most", "total"), [(None, 5), (0, 5), (3, 3), (5, 5), (9, 5), (2.0, 2)])
def test_max_items_bounds_survey_and_reading(tmp_path: Path, most: float | None, total: int) -> None:
    put(tmp_path, "x.jsonl", "0\n1\n2\n3\n4\n")
    request = get("x.jsonl", "JSONL", MaxItems=most)
    assert everything(tmp_path, request) == list(range(total))


@pytest.mark.parametrize(
    ("most", "cause"),
    [
        (-1, "field MaxItems must be positive"),
        (1.5, "field MaxItems must be a whole number, not 1.5"),
        ("3", 'field MaxItems must be a whole number, not "3"'),
        (True, "field MaxItems must be a whole number, not true"),
    ],
)
def test_max_items_that_makes_no_sense_is_refused(tmp_path: Path, most: Json, cause: str) -> None:
    assert refusal(tmp_path, get("x.jsonl", "JSONL", MaxItems=most)) == cause


def test_what_lies_beyond_max_items_is_not_looked_at(tmp_path: Path) -> None:
    put(tmp_path, "x.jsonl", "0\n1\n?\n")
    assert everything(tmp_path, get("x.jsonl", "JSONL", MaxItems=2)) == [0, 1]


@pytest.mark.parametrize(
    ("request_", "cause"),
    [
        (
            {"resource": "s3:putObject"},
            'items are read with s3:getObject and s3:listObjectsV2, not with "s3:putObject"',
        ),
        ({**get("x", "JSON"), "arguments": {"Key": "x"}}, "Bucket is missing from what the ItemReader asks for"),
        ({**get("x", "JSON"), "arguments": {"Bucket": "data"}}, "Key is missing from what the ItemReader asks for"),
        (get(cast(str, 1), "JSON"), "Key must be text, not 1"),
        ({**get("x", "JSON"), "arguments": []}, "the arguments of an ItemReader must be an object, not []"),
        (get("x"), "InputType is missing; it says what the data is: CSV, JSON, JSONL or PARQUET"),
        (get("x", "XML"), 'InputType is "XML"; it says what the data is: CSV, JSON, JSONL or PARQUET'),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(tmp_path: Path, request_: dict[str, Json], cause: str) -> None:
    assert refusal(tmp_path, request_) == cause


def test_the_failure_is_one_of_the_tree() -> None:
    failure = ItemReaderFailed("why")
    assert isinstance(failure, TaskError)
    assert (failure.error, failure.cause) == ("States.ItemReaderFailed", "why")


def test_a_root_that_is_not_there_is_reported(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none", get("x", "JSON")).startswith("NoSuchBucket: The specified bucket does not exist")


@settings(max_examples=60)
@given(portions=st.lists(st.tuples(st.integers(0, 45), st.integers(0, 20)), max_size=8))
def test_any_portion_in_any_order_is_right(
    tmp_path_factory: pytest.TempPathFactory, portions: list[tuple[int, int]]
) -> None:
    root = tmp_path_factory.mktemp("root")
    request = numbers(root, 40)
    buckets = Buckets(root)
    mark = buckets.survey(request).mark
    for start, limit in portions:
        assert buckets.read(request, mark, start, limit) == list(range(40))[start : start + limit]
    buckets.close()


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of objects as they are opened for their content."""
    opened: list[str] = []
    real = Place.open

    def counting(self: Place, bucket: str, key: str) -> Any:
        if sys._getframe(1).f_code.co_name == "content":
            opened.append(key)
        return real(self, bucket, key)

    monkeypatch.setattr(Place, "open", counting)
    return opened


def test_going_forward_continues_and_going_back_opens_again(tmp_path: Path, openings: list[str]) -> None:
    buckets, request = Buckets(tmp_path), numbers(tmp_path, 100)
    mark = buckets.survey(request).mark
    openings.clear()
    assert buckets.read(request, mark, 0, 10) == list(range(10))
    assert buckets.read(request, mark, 10, 10) == list(range(10, 20))
    assert buckets.read(request, mark, 50, 10) == list(range(50, 60))
    assert openings == ["n.jsonl"]
    assert buckets.read(request, mark, 10, 10) == list(range(10, 20))
    assert openings == ["n.jsonl"] * 2
    buckets.close()
    assert buckets.read(request, mark, 20, 1) == [20]
    assert openings == ["n.jsonl"] * 3


def test_equal_requests_share_a_reader_and_others_do_not(tmp_path: Path, openings: list[str]) -> None:
    buckets, request = Buckets(tmp_path), numbers(tmp_path, 100)
    mark = buckets.survey(request).mark
    openings.clear()
    buckets.read(request, mark, 0, 10)
    buckets.read(dict(reversed(request.items())), mark, 10, 10)
    assert len(openings) == 1
    bounded = get("n.jsonl", "JSONL", MaxItems=15)
    assert buckets.read(bounded, mark, 10, 10) == list(range(10, 15))
    assert len(openings) == 2


def test_only_so_many_readers_stay_open(tmp_path: Path) -> None:
    here = Path("/dev/fd")
    buckets = Buckets(tmp_path)
    for n in range(20):
        put(tmp_path, f"{n}.jsonl", "1\n2\n3\n")
    before = len(list(here.iterdir()))
    for n in range(20):
        request = get(f"{n}.jsonl", "JSONL")
        buckets.read(request, buckets.survey(request).mark, 0, 1)
    assert len(list(here.iterdir())) - before <= 8
    buckets.close()
    assert len(list(here.iterdir())) == before


@pytest.mark.parametrize("key", ["x.csv", "x.csv.gz"])
@pytest.mark.parametrize("portions", [1, 0])
def test_a_file_that_changed_is_refused(tmp_path: Path, key: str, portions: int) -> None:
    put(tmp_path, key, "a\n" + "1\n" * 5000)
    buckets = Buckets(tmp_path)
    survey = buckets.survey(csv(key))
    for start in range(portions):
        buckets.read(csv(key), survey.mark, start, 1)
    put(tmp_path, key, "a\n" + "1\n" * 5001)
    for _ in range(2):  # and again, with no reader left
        with pytest.raises(ItemReaderFailed) as failed:
            buckets.read(csv(key), survey.mark, portions, 1)
        assert failed.value.cause == (
            f"s3://data/{key} has changed since its items were counted; a Map reads one version of its data only"
        )
    assert buckets.survey(csv(key)).total == 5001


def test_a_file_that_vanished_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv", "a\n1\n2\n3\n")
    buckets = Buckets(tmp_path)
    mark = buckets.survey(csv("x.csv")).mark
    buckets.read(csv("x.csv"), mark, 0, 1)
    path.unlink()
    with pytest.raises(ItemReaderFailed, match="NoSuchKey"):
        buckets.read(csv("x.csv"), mark, 1, 1)


def test_a_file_that_changes_while_it_is_surveyed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "x.jsonl", "1\n2\n")
    real = builtins.sum

    def meddling(items: Any, *rest: Any) -> Any:
        os.utime(path, ns=(0, 1))
        return real(items, *rest)

    monkeypatch.setattr(builtins, "sum", meddling)
    assert "has changed since its items were counted" in refusal(tmp_path, get("x.jsonl", "JSONL"))


def test_a_later_object_that_changed_is_refused_when_it_is_reached(tmp_path: Path) -> None:
    put(tmp_path, "a/1", "[1, 2]")
    put(tmp_path, "a/2", "[3]")
    buckets = Buckets(tmp_path)
    request = listing("a/", InputType="JSON", Transformation="LOAD_AND_FLATTEN")
    mark = buckets.survey(request).mark
    assert buckets.read(request, mark, 0, 1) == [1]
    put(tmp_path, "a/2", "[3, 4]")
    with pytest.raises(ItemReaderFailed, match="s3://data/a/2 has changed"):
        buckets.read(request, mark, 1, 2)


def test_threads_read_one_data_set_at_once(tmp_path: Path) -> None:
    buckets, request = Buckets(tmp_path), numbers(tmp_path, 2000)
    mark = buckets.survey(request).mark
    gate, found = threading.Barrier(6), cast(list[list[Json]], [None] * 6)

    def work(place: int) -> None:
        gate.wait()
        found[place] = [item for start in range(place, 2000, 60) for item in buckets.read(request, mark, start, 10)]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    buckets.close()
    for place in range(6):
        assert found[place] == [n for start in range(place, 2000, 60) for n in range(2000)[start : start + 10]]


def test_a_reader_is_put_back_beside_another_one(tmp_path: Path) -> None:
    buckets, request = Buckets(tmp_path), numbers(tmp_path, 10)
    mark = buckets.survey(request).mark
    kept = readers.Readers(limit=1)
    one, two = buckets._open(request, mark), buckets._open(request, mark)
    kept._return((b"", mark), one)
    kept._return((b"", mark), two)
    assert one.take(0, 5) == []  # closed
    assert kept.read((b"", mark), 0, 2, lambda: one) == [0, 1]
    kept.close()
    assert two.take(2, 5) == []


def test_zstd_is_read_where_python_can(tmp_path: Path) -> None:
    put(tmp_path, "x.jsonl.zst", b"1\n2\n")
    cause = refusal(tmp_path, get("x.jsonl.zst", "JSONL"))
    if sys.version_info < (3, 14):
        assert cause == (
            "s3://data/x.jsonl.zst is compressed with zstd, which Python reads from 3.14 on; unpack it, or use gzip"
        )
    else:
        assert cause.startswith("s3://data/x.jsonl.zst is not a whole zstd file: ")


def _csv(count: int) -> str:
    return "id,text\n" + "".join(f'{n},"text, {n}"\n' for n in range(count))


def _array(count: int) -> str:
    return "[" + ",\n".join(f'{{"id": {n}, "text": "text {n}"}}' for n in range(count)) + "]"


def _object(count: int) -> str:
    return "{" + ", ".join(f'"{n % 7}-{n}": [{n}]' for n in range(count)) + "}"


def _lines(count: int) -> str:
    return "".join(f'{{"id":{n},"text":"text {n}"}}\n' for n in range(count))


@pytest.mark.parametrize(
    ("key", "kind", "content"),
    [
        ("x.csv", "CSV", _csv), ("x.csv.gz", "CSV", _csv), ("x.json", "JSON", _array), ("x.json.gz", "JSON", _array),
        ("x.jsonl", "JSONL", _lines), ("x.jsonl.gz", "JSONL", _lines),
    ],
)  # fmt: skip
def test_memory_does_not_grow_with_the_items(
    tmp_path: Path, key: str, kind: str, content: Callable[[int], str]
) -> None:
    request = csv(key) if kind == "CSV" else get(key, kind)

    def peak(count: int) -> int:
        put(tmp_path, key, content(count))
        buckets = Buckets(tmp_path)
        tracemalloc.start()
        survey = buckets.survey(request)
        assert survey.total == count
        for start in range(0, count, 500):
            assert len(buckets.read(request, survey.mark, start, 500)) == 500
        buckets.close()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(5_000), peak(25_000)
    assert many < few + 100_000  # 20,000 items more are a megabyte of text


def test_the_members_of_an_object_cost_their_keys_only(tmp_path: Path) -> None:
    put(tmp_path, "x.json", _object(2_000))
    assert len(everything(tmp_path, get("x.json", "JSON"))) == 2_000


def test_an_error_of_the_system_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "x.json", "[1]")

    def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error", "/dev/disk")

    monkeypatch.setattr("sm_cli.buckets.contents.io.TextIOWrapper", broken)
    assert refusal(tmp_path, get("x.json", "JSON")) == "reading the items failed: /dev/disk Input/output error"
