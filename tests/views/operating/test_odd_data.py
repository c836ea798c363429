"""Odd data in a file and on a server: exports, counts of what may go and repairs say the same of both."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.retention import count_prunable, prune
from sm_cli.errors import TaskError
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json
from sm_cli.store.open import open_store
from sm_cli.store.postgres.dialect import NUL
from sm_cli.store.protocol import Store
from sm_cli.store.upkeep import soundness
from sm_cli.testing import FakeClock
from sm_cli.views.operating import export
from sm_cli.views.operating.copying import copy_database
from sm_cli.views.operating.export import FORMATS, TABLES, export_database
from sm_cli.views.upkeep import database_problems, repair_database
from tests.engine.workers import soon, workflow, yard
from tests.postgres.server import schema
from tests.store.asking import asked
from tests.views.operating.test_export import read

csv.field_size_limit(100_000_000)
#: Columns of executions that are no JSON: there a server has a picture of U+0000.
TEXTS = ("error", "cause")
ODD: list[Json] = [
    "a\0b", {"\0": ["\0"]}, "x" * 5_000_000, {"é\u2028\ufeff😀": "\r\n,\"';"}, [1e308, -0.0, 2**63 - 1, None, True],
    "@7", '"@7', {"deep": [[[[[[]]]]]]},
]  # fmt: skip
NAMES = ["ünï-código", "日本", "a'b", "😀", "Ａ", "x" * 80, "=1+1", "-n"]
#: It fails with what its handler raises.
DEFINITION: dict[str, Any] = {
    "StartAt": "Zustand ä 😀",
    "States": {
        "Zustand ä 😀": {
            "Type": "Task", "Resource": "work", "ResultPath": "$.done", "End": True,
            "Catch": [{"ErrorEquals": ["caught"], "ResultPath": "$.error", "Next": "F"}],
        },
        "F": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
    },
}  # fmt: skip


def work(input: Any, _context: object) -> Json:
    if input["n"] % 2:
        raise TaskError("caught" if input["n"] % 4 == 1 else "E\0\ud800é", f"cause \0 \ud83d {input['n']}")
    result: Json = input["v"]
    return result


def fill(url: str, clock: FakeClock) -> None:
    with yard(open_store(url), clock) as here:
        for n, (name, value) in enumerate(zip(NAMES, ODD, strict=True)):
            here.engine.start(workflow(DEFINITION, "straße"), {"n": n, "v": value}, name=name, tags={"é": "ü x"})
        worker = here.worker({"work": Handler("work", work)}, alive=True)

        def is_over() -> bool:
            worker.tick()
            return all(each.closed is not None for each in asked(here.store).list_executions())

        soon(is_over)
        worker.finish(0)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """A file, and a copy of it on a server."""
    file = f"sqlite:{tmp_path}/sm.db?sync=normal"
    fill(file, FakeClock())
    with schema() as url, ExitStack() as stack:
        copy_database(file, url, now=10**18, snapshot=True)
        stores = open_store(file), open_store(url)
        for store in stores:
            stack.callback(store.close)
        yield stores


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_of_a_server_is_that_of_a_file(
    both: tuple[Store, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    monkeypatch.setattr(export, "_GROUP_TEXT", 1000)
    rows = []
    for name, store in zip("ab", both, strict=True):
        counts = export_database(store, tmp_path / name, format, since=None, force=False)
        rows.append({table: read(tmp_path / name / f"{table}.{format}") for table in TABLES})
        assert {table: len(each) for table, each in rows[-1].items()} == counts
        assert counts["executions"] == len(NAMES)
    for row in rows[0]["executions"]:
        row.update({column: row[column].replace("\0", NUL) for column in TEXTS if row[column]})
    assert rows[0] == rows[1]
    assert [row["name"] for row in rows[0]["executions"]] == NAMES
    assert max(len(row["input"]) for row in rows[0]["executions"]) > 5_000_000
    assert {row["error"] for row in rows[0]["executions"]} > {f"E{NUL}?é", "caught"}


def test_what_may_go_is_the_same_and_so_is_what_is_left(both: tuple[Store, Store]) -> None:
    counts = [count_prunable(store, 10**17) for store in both]
    assert counts[0] == counts[1]
    assert counts[0].executions == len(NAMES)
    assert [prune(store, 10**17) for store in both] == counts
    assert [database_problems(store) for store in both] == [[], []]


DAMAGE = [
    "UPDATE blob_uses SET uses = uses + 5",
    "INSERT INTO state_times (state, started, execution, visits, failures, retries, duration, longest, working)"
    " VALUES (1, 1, 999, 1, 0, 0, 1, 1, 1)",
    "INSERT INTO timers (frame, kind, seq, execution, tree, due) VALUES (999, 'delay', 1, 999, 999, 1)",
    "INSERT INTO ended_children (tree, frame, child, activation, items, succeeded) VALUES (999, 999, 999, 1, 1, 1)",
    "UPDATE ids SET next = 1 WHERE name = 'executions'",
    "DELETE FROM blob_uses WHERE id = (SELECT min(id) FROM blob_uses)",
]


@pytest.mark.parametrize("statement", DAMAGE)
def test_a_repair_finds_and_puts_right_the_same(both: tuple[Store, Store], statement: str) -> None:
    for store in both:
        with store.write() as tx:
            tx.session.connection.execute(statement)
    (problems, left), (theirs, left_there) = [repair_database(store) for store in both]
    assert problems == theirs != []
    assert left == left_there == []
    assert all(problem.is_repairable for problem in problems)
    assert [database_problems(store) for store in both] == [[], []]


def test_every_repair_that_a_problem_names_is_done(both: tuple[Store, Store]) -> None:
    for store in both:
        with store.read() as questions:
            repairs = {repair for _, repair, _ in questions.session.all("problem_counts") if repair is not None}
        assert repairs == set(soundness._REPAIRS)
