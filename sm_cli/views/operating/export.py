"""Executions, states and events as flat rows, for pandas, DuckDB and the like: JSON Lines, CSV, Parquet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from sm_cli.errors import ConfigurationError, Conflict
from sm_cli.store.filters import ExecutionFilter, ExecutionPage, Order, SortKey, cursor_of
from sm_cli.timestamps import MICROSECONDS, rfc3339
from sm_cli.views.state_visits import state_visits

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store
    from sm_cli.store.records import Execution, HistoryEvent
    from sm_cli.store.sql.questions import Questions

#: Column to its type: text, a whole number, a number of seconds, or a time, which a row has in microseconds since 1970
#: UTC. Data is JSON text.
_EXECUTIONS: dict[str, type] = {
    "id": str, "name": str, "workflow": str, "version": int, "status": str, "started": datetime, "ended": datetime,
    "seconds": float, "error": str, "cause": str, "queue": str, "redrives": int, "tags": str, "input": str,
    "output": str,
}  # fmt: skip
_STATES: dict[str, type] = {
    "execution": str, "workflow": str, "state": str, "type": str, "where": str, "status": str, "entered": datetime,
    "exited": datetime, "seconds": float, "queue_seconds": float, "retries": int, "error": str, "cause": str,
    "input": str, "output": str,
}  # fmt: skip
_EVENTS: dict[str, type] = {
    "execution": str, "workflow": str, "number": int, "previous": int, "time": datetime, "type": str, "details": str,
}  # fmt: skip
#: The files that an export has, and their columns.
TABLES = {"executions": _EXECUTIONS, "states": _STATES, "events": _EVENTS}
FORMATS = ("jsonl", "csv", "parquet")
#: Executions that are listed at once, and rows, or characters of text, of a group of Parquet.
_PAGE, _GROUP, _GROUP_TEXT = 500, 10_000, 16 << 20

Record: TypeAlias = "dict[str, Any]"
Write: TypeAlias = Callable[[Record], None]


def export_database(store: Store, folder: Path, format: str, *, since: int | None, force: bool) -> dict[str, int]:
    """Write `executions`, `states` and `events`, a file each, of one moment; returns their rows. since: only executions
    started at or after this time, microseconds since 1970 UTC; children of map runs are not among them.

    A file appears whole or not at all, mode 0600. Raises Conflict for one that is there unless `force`,
    ConfigurationError when pyarrow is not installed, OSError."""
    files = {name: folder / f"{name}.{format}" for name in TABLES}
    for file in files.values():
        if file.exists() and not force:
            raise Conflict(f"{file} is there already, so nothing was written", topic="backup")
    folder.mkdir(parents=True, exist_ok=True)
    counts = dict.fromkeys(TABLES, 0)
    with ExitStack() as stack:
        writes = {name: stack.enter_context(_WRITERS[format](file, TABLES[name])) for name, file in files.items()}
        with store.read() as questions:
            for execution in _all_executions(questions, since):
                events = questions.history(execution.id)
                rows = {
                    "executions": [_execution_row(execution)],
                    "states": _state_rows(execution, events),
                    "events": (_event_row(execution, event) for event in events),
                }
                for name, each in rows.items():
                    for row in each:
                        writes[name](row)
                        counts[name] += 1
    return counts


def _all_executions(questions: Questions, since: int | None) -> Iterator[Execution]:
    """Whole, oldest first."""
    order = Order(SortKey.STARTED, descending=False)
    after = None
    while page := questions.list_executions(ExecutionFilter(since=since), ExecutionPage(_PAGE, order, after)):
        for each in page:  # one by one: their data may be large
            yield from questions.executions([each.id]).values()
        after = cursor_of(page[-1], order)


def _execution_row(e: Execution) -> Record:
    return {
        "id": e.ref, "name": e.name, "workflow": e.workflow, "version": e.version, "status": e.status.value,
        "started": e.started, "ended": e.closed, "seconds": _span(e.started, e.closed),
        "error": e.error, "cause": e.cause, "queue": e.queue, "redrives": e.redrives, "tags": _json(e.tags or None),
        "input": _json(e.input), "output": _json(e.output),
    }  # fmt: skip


def _state_rows(e: Execution, events: Iterable[HistoryEvent]) -> Iterator[Record]:
    for visit in state_visits(events):
        yield {
            "execution": e.ref, "workflow": e.workflow, "state": visit.name, "type": visit.type,
            "where": "/".join(visit.where) or None, "status": visit.status, "entered": visit.start,
            "exited": visit.end, "seconds": _span(visit.start, visit.end),
            "queue_seconds": visit.queue_time / MICROSECONDS, "retries": visit.retries, "error": visit.error,
            "cause": visit.cause, "input": _json(visit.input), "output": _json(visit.output),
        }  # fmt: skip


def _event_row(e: Execution, event: HistoryEvent) -> Record:
    return {
        "execution": e.ref, "workflow": e.workflow, "number": event.number, "previous": event.previous,
        "time": event.at, "type": event.type, "details": _json(event.detail or None),
    }  # fmt: skip


def _span(start: int, end: int | None) -> float | None:
    return None if end is None else (end - start) / MICROSECONDS


def _with_texts(row: Record, columns: dict[str, type]) -> Record:
    """Times as RFC 3339 texts, for what has no type of its own for them."""
    return {
        name: rfc3339(value) if value is not None and columns[name] is datetime else value
        for name, value in row.items()
    }


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


@contextmanager
def _draft(file: Path) -> Iterator[Any]:
    """A file that takes its name when it is whole."""
    draft = file.with_name(f"{file.name}.{os.urandom(8).hex()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as output:
            yield output
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _jsonl(file: Path, columns: dict[str, type]) -> Iterator[Write]:
    with _draft(file) as output:
        yield lambda row: output.write(orjson.dumps(_with_texts(row, columns)) + b"\n")


@contextmanager
def _csv(file: Path, columns: dict[str, type]) -> Iterator[Write]:
    import csv
    import io

    with _draft(file) as output:
        text = io.TextIOWrapper(output, encoding="utf-8", newline="", write_through=True)
        writer = csv.DictWriter(text, list(columns))
        writer.writeheader()
        yield lambda row: writer.writerow(_with_texts(row, columns))
        text.detach()


@contextmanager
def _parquet(file: Path, columns: dict[str, type]) -> Iterator[Write]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ConfigurationError("writing Parquet needs pyarrow", hint="pip install 'sm-cli[parquet]'") from None
    types = {
        str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), datetime: pyarrow.timestamp("us", "UTC")
    }  # fmt: skip
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    rows: list[Record] = []
    size = 0
    with _draft(file) as output, parquet.ParquetWriter(output, schema) as writer:

        def flush() -> None:
            nonlocal size
            if rows:
                writer.write_table(pyarrow.Table.from_pylist(rows, schema))
                rows.clear()
                size = 0

        def write(row: Record) -> None:
            nonlocal size
            rows.append(row)
            size += sum(len(value) for value in row.values() if type(value) is str)
            if len(rows) >= _GROUP or size >= _GROUP_TEXT:
                flush()

        yield write
        flush()


_WRITERS = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}
