"""A root with buckets, and requests for it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from sm_cli.buckets import Buckets, ItemReaderFailed
from sm_cli.jsonvalue import Json


def put(root: Path, key: str, content: str | bytes, bucket: str = "data") -> Path:
    """An object, gzipped when its key says so."""
    path = root / bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(raw) if key.endswith(".gz") else raw)
    return path


def get(key: str, kind: str | None = None, bucket: str = "data", **config: Any) -> dict[str, Json]:
    if kind is not None:
        config["InputType"] = kind
    return {"resource": "s3:getObject", "arguments": {"Bucket": bucket, "Key": key}, "config": config}


def csv(key: str, **config: Any) -> dict[str, Json]:
    return get(key, "CSV", **{"CSVHeaderLocation": "FIRST_ROW", **config})


def listing(prefix: str | None = None, bucket: str = "data", **config: Any) -> dict[str, Json]:
    arguments: dict[str, Json] = {"Bucket": bucket}
    if prefix is not None:
        arguments["Prefix"] = prefix
    return {"resource": "s3:listObjectsV2", "arguments": arguments, "config": config}


def everything(root: Path, request: dict[str, Json]) -> list[Json]:
    """All items, counted by a survey and read in two portions."""
    buckets = Buckets(root)
    survey = buckets.survey(request)
    half = survey.total // 2
    items = buckets.read(request, survey.mark, 0, half) + buckets.read(request, survey.mark, half, survey.total + 7)
    assert len(items) == survey.total
    buckets.close()
    return items


def refusal(root: Path, request: dict[str, Json]) -> str:
    """The cause with which a survey fails."""
    with pytest.raises(ItemReaderFailed) as failed:
        Buckets(root).survey(request)
    assert failed.value.error == "States.ItemReaderFailed"
    return failed.value.cause
