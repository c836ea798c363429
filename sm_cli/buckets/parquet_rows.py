"""Rows of a Parquet file, as objects.

Pyarrow comes with the extra `parquet` and is imported here only, when a Parquet file is read. What JSON does not
have becomes text: moments in ISO 8601, decimals digit by digit, bytes in base64. NaN and Infinity are refused.
"""

from __future__ import annotations

import base64
import datetime
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from sm_cli.buckets.failures import ItemReaderFailed
from sm_cli.jsonvalue import Json

_BATCH = 1024
#: AWS refuses a larger footer and a larger row group.
_LARGEST_FOOTER = 5 << 20
_LARGEST_GROUP = 256 << 20


def items(raw: BinaryIO, name: str) -> Iterator[Json]:
    """One item a row, column to value. Raises ItemReaderFailed, also when pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ItemReaderFailed(f"reading {name} needs pyarrow: pip install 'sm-cli[parquet]'") from None
    try:
        with parquet.ParquetFile(raw) as file:
            _check(file, name)
            number = 0
            for batch in file.iter_batches(_BATCH, use_threads=False):
                for row in batch.to_pylist():
                    yield {column: _plain(value, column, number, name) for column, value in row.items()}
                    number += 1
    except (pyarrow.ArrowException, ValueError, OSError) as e:
        raise ItemReaderFailed(f"{name} cannot be read as Parquet: {str(e).splitlines()[0].rstrip('.')}") from None


def _check(file: Any, name: str) -> None:
    metadata = file.metadata
    if metadata.serialized_size > _LARGEST_FOOTER:
        raise ItemReaderFailed(f"the footer of {name} is larger than {_LARGEST_FOOTER >> 20} MiB, the limit")
    for number in range(metadata.num_row_groups):
        if metadata.row_group(number).total_byte_size > _LARGEST_GROUP:
            raise ItemReaderFailed(f"row group {number} of {name} is larger than {_LARGEST_GROUP >> 20} MiB, the limit")
    names = file.schema_arrow.names
    if len(set(names)) != len(names):
        raise ItemReaderFailed(f"{name} has two columns of the same name")


def _plain(value: Any, column: str, row: int, name: str) -> Json:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ItemReaderFailed(f"column {column!r} of row {row} of {name} holds {value}, which JSON does not have")
        return value
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _plain(member, column, row, name) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member, column, row, name) for member in value]
    return str(value)
