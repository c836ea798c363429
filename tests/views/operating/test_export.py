"""Exports: three files of flat rows, of every kind of database and in every format."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from sm_cli.errors import Conflict
from sm_cli.handlers.handler import Handler
from sm_cli.timestamps import rfc3339
from sm_cli.views.operating.export import FORMATS, TABLES, export_database
from tests.engine.workers import Yard, one_task, soon
from tests.store.asking import asked


def read(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".parquet":
        rows: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
        return rows
    with file.open(encoding="utf-8", newline="") as lines:
        return [*csv.DictReader(lines)] if file.suffix == ".csv" else [json.loads(line) for line in lines]


def fill(here: Yard) -> None:
    for number in range(3):
        here.start(one_task(), {"n": number, "text": 'é, "quoted"\n' * 2000})
        here.later(10)
    worker = here.worker({"work": Handler("work", lambda input, _: {"double": 2 * input["n"]})})

    def is_over() -> bool:
        worker.tick()
        return all(execution.closed is not None for execution in asked(here.store).list_executions())

    soon(is_over)


@pytest.mark.parametrize("format", FORMATS)
def test_every_execution_state_and_event_is_a_row(here: Yard, tmp_path: Path, format: str) -> None:
    fill(here)
    counts = export_database(here.store, tmp_path / "out", format, since=None, force=False)
    rows = {name: read(tmp_path / "out" / f"{name}.{format}") for name in TABLES}
    assert {name: len(each) for name, each in rows.items()} == counts
    assert (counts["executions"], counts["states"], counts["events"]) == (3, 3, 3 * 7)
    assert all(list(row) == list(TABLES[name]) for name, each in rows.items() for row in each)
    first = rows["executions"][0]
    assert (first["status"], json.loads(first["output"])) == ("SUCCEEDED", {"double": 0})
    assert json.loads(first["input"])["text"] == 'é, "quoted"\n' * 2000
    assert (rows["states"][0]["state"], rows["states"][0]["type"]) == ("T", "Task")
    assert [row["type"] for row in rows["events"][:2]] == ["ExecutionStarted", "TaskStateEntered"]
    started = rfc3339(asked(here.store).list_executions()[-1].started)
    assert format == "parquet" or first["started"] == started
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "out").iterdir()} == {0o600}
    assert len([*(tmp_path / "out").iterdir()]) == 3


def test_times_are_times_in_parquet_and_what_is_missing_is_null(here: Yard, tmp_path: Path) -> None:
    execution = here.start(one_task(), None)
    export_database(here.store, tmp_path, "parquet", since=None, force=False)
    (row,) = read(tmp_path / "executions.parquet")
    assert row["started"] == datetime.fromtimestamp(0, UTC) + timedelta(microseconds=execution.started)
    assert (row["ended"], row["seconds"], row["output"], row["error"]) == (None, None, None, None)
    kinds = {field.name: str(field.type) for field in parquet.read_schema(tmp_path / "events.parquet")}
    assert kinds["time"] == "timestamp[us, tz=UTC]"


def test_only_what_was_started_since_then(here: Yard, tmp_path: Path) -> None:
    fill(here)
    counts = export_database(here.store, tmp_path, "jsonl", since=here.clock.now() - 11_000_000, force=False)
    assert (counts["executions"], counts["events"]) == (1, 7)


def test_a_file_that_is_there_is_replaced_only_when_told_to(here: Yard, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        export_database(here.store, tmp_path, "csv", since=None, force=False)
    assert (tmp_path / "events.csv").read_text() == "mine"
    export_database(here.store, tmp_path, "csv", since=None, force=True)
    assert read(tmp_path / "events.csv") == []
