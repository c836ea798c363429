"""The two manifests: S3's inventory and Athena's UNLOAD."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sm_cli.buckets import Buckets, ItemReaderFailed
from tests.buckets.making import everything, get, put, refusal

_INVENTORY: dict[str, Any] = {
    "sourceBucket": "source",
    "destinationBucket": "arn:aws:s3:::inventory",
    "version": "2016-11-30",
    "creationTimestamp": "1668560400000",
    "fileFormat": "CSV",
    "fileSchema": "Bucket, Key, Size, LastModifiedDate",
    "files": [
        {"key": "source/data/1.csv.gz", "size": 1, "MD5checksum": "a"},
        {"key": "source/data/2.csv.gz", "size": 1, "MD5checksum": "b"},
    ],
}
_NOT = "s3://inventory/m/manifest.json is not the manifest of an S3 inventory: "
_FIRST = (
    '"source","csvDataset/","0","2022-11-16T00:27:19.000Z"\n'
    '"source","csvDataset/t.csv","3399671","2022-11-16T00:29:32.000Z"\n'
)
_SECOND = '"source","a ""quoted"", name","1","2022-11-15T20:00:44.000Z"\n'


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    put(tmp_path, "m/manifest.json", json.dumps(_INVENTORY), bucket="inventory")
    put(tmp_path, "source/data/1.csv.gz", _FIRST, bucket="inventory")
    put(tmp_path, "source/data/2.csv.gz", _SECOND, bucket="inventory")
    return tmp_path


@pytest.mark.parametrize("config", [{"InputType": "MANIFEST"}, {"ManifestType": "S3_INVENTORY"}])
def test_an_inventory_gives_an_object_for_each_row(inventory: Path, config: dict[str, Any]) -> None:
    items = everything(inventory, get("m/manifest.json", bucket="inventory", **config))
    assert items == [
        {"Bucket": "source", "Key": "csvDataset/", "Size": "0", "LastModifiedDate": "2022-11-16T00:27:19.000Z"},
        {
            "Bucket": "source",
            "Key": "csvDataset/t.csv",
            "Size": "3399671",
            "LastModifiedDate": "2022-11-16T00:29:32.000Z",
        },
        {"Bucket": "source", "Key": 'a "quoted", name', "Size": "1", "LastModifiedDate": "2022-11-15T20:00:44.000Z"},
    ]


def test_without_a_destination_the_files_lie_beside_the_manifest(inventory: Path) -> None:
    manifest = {**_INVENTORY, "files": _INVENTORY["files"][1:]}
    del manifest["destinationBucket"]
    put(inventory, "m/manifest.json", json.dumps(manifest), bucket="inventory")
    assert len(everything(inventory, get("m/manifest.json", "MANIFEST", bucket="inventory"))) == 1


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"fileFormat": "ORC"}, "the inventory of s3://inventory/m/manifest.json is written as ORC; only CSV is read"),
        ({"fileSchema": None}, _NOT + "it lacks fileSchema or files"),
        ({"files": {}}, _NOT + "it lacks fileSchema or files"),
        ({"files": [{}]}, _NOT + "one of its files has no key"),
        ({"fileSchema": "Key, Key"}, "CSV headers cannot contain duplicates."),
        (
            {"files": [{"key": "../x"}]},
            "the key '../x' holds the part '..', so it cannot stand for a file below its bucket",
        ),
    ],
)
def test_a_manifest_of_another_form_is_refused(inventory: Path, change: dict[str, Any], cause: str) -> None:
    put(inventory, "m/manifest.json", json.dumps({**_INVENTORY, **change}), bucket="inventory")
    assert refusal(inventory, get("m/manifest.json", "MANIFEST", bucket="inventory")) == cause


def test_a_manifest_that_is_no_object_or_no_json_is_refused(inventory: Path) -> None:
    put(inventory, "m/manifest.json", "[]", bucket="inventory")
    cause = refusal(inventory, get("m/manifest.json", "MANIFEST", bucket="inventory"))
    assert cause == "s3://inventory/m/manifest.json is not the manifest of an S3 inventory: it is no object"
    put(inventory, "m/manifest.json", "{", bucket="inventory")
    assert "is not JSON" in refusal(inventory, get("m/manifest.json", "MANIFEST", bucket="inventory"))


def test_a_file_of_an_inventory_that_is_missing_is_named(inventory: Path) -> None:
    (inventory / "inventory/source/data/2.csv.gz").unlink()
    cause = refusal(inventory, get("m/manifest.json", "MANIFEST", bucket="inventory"))
    assert cause.startswith(
        "NoSuchKey: The specified key does not exist: bucket 'inventory', key 'source/data/2.csv.gz'"
    )


def test_a_file_of_an_inventory_that_changed_is_refused(inventory: Path) -> None:
    buckets, request = Buckets(inventory), get("m/manifest.json", "MANIFEST", bucket="inventory")
    survey = buckets.survey(request)
    os.utime(inventory / "inventory/source/data/2.csv.gz", ns=(0, 1))
    with pytest.raises(ItemReaderFailed, match="has changed since"):
        buckets.read(request, survey.mark, 0, 10)


def test_athena_data_reads_every_file_that_the_manifest_lists(tmp_path: Path) -> None:
    put(tmp_path, "out/1.gz", '{"a": 1}\n{"a": 2}\n', bucket="results")
    put(tmp_path, "out/2", '{"a": 3}\n', bucket="elsewhere")
    put(tmp_path, "q-manifest.csv", "s3://results/out/1.gz\ns3://elsewhere/out/2\n")
    request = get("q-manifest.csv", "JSONL", ManifestType="ATHENA_DATA")
    assert everything(tmp_path, request) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_athena_data_in_csv_has_given_headers(tmp_path: Path) -> None:
    put(tmp_path, "out/1.csv", "1|x\n2|y\n")
    put(tmp_path, "m.csv", '"s3://data/out/1.csv"\n')
    request = get(
        "m.csv",
        "CSV",
        ManifestType="ATHENA_DATA",
        CSVHeaderLocation="GIVEN",
        CSVHeaders=["n", "t"],
        CSVDelimiter="PIPE",
    )
    assert everything(tmp_path, request) == [{"n": "1", "t": "x"}, {"n": "2", "t": "y"}]


@pytest.mark.parametrize("line", ["out/1.csv", "https://data/out/1.csv", "s3://data", "s3:///x"])
def test_a_line_that_is_no_uri_is_reported(tmp_path: Path, line: str) -> None:
    put(tmp_path, "m.csv", f"{line}\n")
    cause = refusal(tmp_path, get("m.csv", "JSONL", ManifestType="ATHENA_DATA"))
    assert cause == f"row 1 of s3://data/m.csv is not the s3:// URI of a data file: {line!r}"


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        ({"ManifestType": "ATHENA_DATA"}, "InputType is missing; it says what the data is: CSV, JSONL or PARQUET"),
        (
            {"ManifestType": "ATHENA_DATA", "InputType": "JSON"},
            'InputType is "JSON"; it says what the data is: CSV, JSONL or PARQUET',
        ),
        ({"ManifestType": "OTHER"}, 'ManifestType must be ATHENA_DATA or S3_INVENTORY, not "OTHER"'),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(tmp_path: Path, config: dict[str, Any], cause: str) -> None:
    put(tmp_path, "m.csv", "")
    assert refusal(tmp_path, get("m.csv", **config)) == cause
