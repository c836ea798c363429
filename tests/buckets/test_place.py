"""Names of buckets and keys: nothing outside the root is ever read or written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sm_cli.buckets import Buckets, ResultWriterFailed, RunFacts
from tests.buckets.making import everything, get, listing, put, refusal


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "Data",
        "-data",
        "data-",
        ".data",
        "data.",
        "da..ta",
        "192.168.0.1",
        "da_ta",
        "da/ta",
        "..",
        "",
        "data\n",
        "ä" * 4,
    ],
)
def test_a_name_that_no_bucket_can_have_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "data").mkdir()
    assert refusal(tmp_path, get("x", "JSON", bucket=name)).startswith(f"InvalidBucketName: {name!r} is not the name")
    assert refusal(tmp_path, listing(bucket=name)).startswith("InvalidBucketName")
    with pytest.raises(ResultWriterFailed, match="InvalidBucketName"):
        Buckets(tmp_path).write_results({"arguments": {"Bucket": name}}, [], RunFacts("arn", "u"))


@pytest.mark.parametrize("name", ["abc", "a" * 63, "my.data-2026", "1.2.3.4.5"])
def test_a_name_that_a_bucket_can_have(tmp_path: Path, name: str) -> None:
    put(tmp_path, "x.json", "[1]", bucket=name)
    assert everything(tmp_path, get("x.json", "JSON", bucket=name)) == [1]


@pytest.mark.parametrize(
    "key",
    [
        "../secret.json",
        "a/../../secret.json",
        "a/..",
        "/etc/passwd",
        "",
        ".",
        "a//b",
        "a/",
        "./x",
        "a\0b",
        "k" * 1025,
        "\ud800",
    ],
)
def test_a_key_that_is_no_path_of_plain_names_is_refused(tmp_path: Path, key: str) -> None:
    put(tmp_path, "a/x.json", "[1]")
    (tmp_path / "secret.json").write_text("[1]")
    cause = refusal(tmp_path, get(key, "JSON"))
    assert cause.startswith(f"the key {key!r} ")
    assert cause.endswith("so it cannot stand for a file below its bucket")


@pytest.mark.parametrize("prefix", ["../", "a/../../", "a//b", "./x"])
def test_a_prefix_that_is_no_path_is_refused(tmp_path: Path, prefix: str) -> None:
    put(tmp_path, "a/x.json", "[1]")
    assert refusal(tmp_path, listing(prefix)).startswith("the prefix ")


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.json").write_text("[1]")
    put(root, "x.json", "[1]")
    (root / "data" / "file.json").symlink_to(outside / "secret.json")
    (root / "data" / "folder").symlink_to(outside)
    (root / "linked").symlink_to(outside)
    for key in ("file.json", "folder/secret.json"):
        assert refusal(root, get(key, "JSON")) == (
            f"AccessDenied: s3://data/{key} leads through a symbolic link to {outside}/secret.json, outside {root}"
        )
    assert refusal(root, get("secret.json", "JSON", bucket="linked")).startswith("AccessDenied: bucket 'linked' leads")
    assert refusal(root, listing()).startswith("AccessDenied: s3://data/file.json leads through a symbolic link")
    assert refusal(root, listing("folder/")).startswith("AccessDenied: s3://data/folder leads through a symbolic link")
    for arguments in ({"Bucket": "linked"}, {"Bucket": "data", "Prefix": "folder/deep"}):
        with pytest.raises(ResultWriterFailed, match=r"AccessDenied: .* outside"):
            Buckets(root).write_results({"arguments": arguments}, [], RunFacts("arn", "u"))  # type: ignore[dict-item]
    assert [path.name for path in outside.iterdir()] == ["secret.json"]


def test_a_link_that_stays_inside_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "x.json", "[1]", bucket="other")
    put(tmp_path, "y.json", "[2]")
    (tmp_path / "data" / "link.json").symlink_to("../other/x.json")
    assert everything(tmp_path, get("link.json", "JSON")) == [1]


def test_a_root_may_itself_be_a_link(tmp_path: Path) -> None:
    put(tmp_path / "real", "x.json", "[1]")
    (tmp_path / "root").symlink_to("real")
    assert everything(tmp_path / "root", get("x.json", "JSON")) == [1]


def test_what_is_not_there_is_told_with_the_directory(tmp_path: Path) -> None:
    put(tmp_path, "a/x.json", "[1]")
    assert refusal(tmp_path, get("x.json", "JSON", bucket="none")) == (
        f"NoSuchBucket: The specified bucket does not exist: bucket 'none' (looked for in {tmp_path})"
    )
    assert refusal(tmp_path, listing(bucket="none")).startswith("NoSuchBucket: ")
    for key in ("a/y.json", "a", "a/x.json/b"):
        assert refusal(tmp_path, get(key, "JSON")) == (
            f"NoSuchKey: The specified key does not exist: bucket 'data', key {key!r} "
            f"(looked for in {(tmp_path / 'data' / key).parent})"
        )


def test_a_pipe_is_no_object(tmp_path: Path) -> None:
    put(tmp_path, "x.json", "[1]")
    os.mkfifo(tmp_path / "data" / "pipe")
    assert refusal(tmp_path, get("pipe", "JSON")) == "s3://data/pipe is not a regular file"
    assert [item["Key"] for item in everything(tmp_path, listing())] == ["x.json"]  # type: ignore[index,call-overload]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_reported(tmp_path: Path) -> None:
    put(tmp_path, "x.json", "[1]").chmod(0)
    assert (
        refusal(tmp_path, get("x.json", "JSON")) == "AccessDenied: s3://data/x.json cannot be read: Permission denied"
    )
