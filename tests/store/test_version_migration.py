"""A database of before there were numbers: they are filled in, for definitions and for executions."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sm_cli.store import scripts
from sm_cli.store.sqlite import migrate
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.versions import Version
from tests.store.asking import asked

_EXECUTION = (
    "INSERT INTO executions (id, status, started, events, priority, redrives, tree, limits, run, ref, name, workflow,"
    " digest, type, queue, machine) VALUES (?, 'SUCCEEDED', 1, 0, 0, 0, ?, 0, ?, ?, ?, ?, ?, 'STANDARD', 'default', '')"
)


def older(path: Path) -> None:
    """A database of the last schema without numbers: order had the texts a, b and a again; audit had b."""
    connection = sqlite3.connect(path, isolation_level=None)
    migrate.migrate(connection, path, scripts.migrations()[:5])
    for digest in "abz":
        connection.execute("INSERT INTO definitions VALUES (NULL, ?, 'order', 'json', 1, '{}')", (digest,))
    for row in (("order", 1, "a", 10), ("order", 2, "b", 20), ("order", 3, "a", 30), ("audit", 1, "b", 40)):
        connection.execute("INSERT INTO workflows (name, version, digest, created) VALUES (?, ?, ?, ?)", row)
    for id, tree, run, workflow, digest in (
        (1, 1, None, "order", "a"), (2, 2, None, "order", "b"), (3, 2, 7, "order/Each", "b"),
        (4, 4, None, "audit", "b"), (5, 5, None, "order", "z"),
    ):  # fmt: skip
        connection.execute(_EXECUTION, (id, tree, run, f"r{id}", f"n{id}", workflow, digest))
        connection.execute("INSERT INTO execution_data (execution) VALUES (?)", (id,))
    connection.close()


def test_texts_are_numbered_once_each_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    older(tmp_path / "sm.db")
    store = SqliteStore(tmp_path / "sm.db")
    assert asked(store).versions("order") == [Version("order", 2, "b", 20), Version("order", 1, "a", 10)]
    assert [(each.name, each.digest, number) for each, number in asked(store).workflows()] == [
        ("audit", "b", 1), ("order", "a", 1),
    ]  # fmt: skip
    store.close()


def test_executions_learn_which_version_they_run_also_those_of_map_runs(tmp_path: Path) -> None:
    older(tmp_path / "sm.db")
    store = SqliteStore(tmp_path / "sm.db")
    found = [asked(store).execution(id) for id in range(1, 6)]
    # The last one's text was registered for no name: nothing is made up for it.
    assert [(e.version, e.qualifier) for e in found if e] == [(1, None), (2, None), (2, None), (1, None), (None, None)]
    store.close()
