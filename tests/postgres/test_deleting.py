"""Executions deleted from a server: what a file loses is lost there too, and a crash at any commit is harmless."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.retention import prune
from sm_cli.store.open import open_store, upkeep_of
from sm_cli.store.postgres.database import PostgresStore
from sm_cli.store.postgres.upkeep import PostgresUpkeep
from sm_cli.store.protocol import Store
from sm_cli.testing import crash_points
from sm_cli.views.operating.copying import copy_database
from sm_cli.views.upkeep import database_problems, repair_database
from tests.engine.test_retention import (
    Shop,
    a_while_ago,
    check_deletion,
    deletion_dies,
    dies,
    fill,
    fill_grand,
    repeat_deletion,
)
from tests.postgres.server import schema
from tests.store.asking import asked

#: Later than any worker was seen.
LATER = 10**18


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = fill(tmp_path / "sm.db")
    yield made
    made.store.close()


def counts(store: Store) -> dict[str, int]:
    """Rows of each table, without those that only one kind of database has and the numbers that are given out."""
    upkeep = upkeep_of(store)
    assert upkeep is not None
    return {name: rows for name, rows in upkeep.count_rows().items() if not name.startswith("sm_") and name != "ids"}


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_commit_on_a_server_leaves_what_a_file_is_left_with(
    shop: Shop, tmp_path: Path, after: bool
) -> None:
    file, before = str(tmp_path / "sm.db"), a_while_ago(shop)
    copy_database(file, str(tmp_path / "calm.db"), now=LATER, snapshot=True)
    calm = open_store(str(tmp_path / "calm.db"))
    prune(calm, before)
    wanted = counts(calm)
    calm.close()
    commits, died = 0, True
    while died:
        assert commits < 40
        with schema() as url:
            copy_database(file, url, now=LATER, snapshot=True)
            with closing(open_store(url)) as store:
                with crash_points(store) as crashes:
                    died = dies(crashes.at(commits + 1, after=after), before)
                assert database_problems(store) == []
                assert asked(store).find("waits")[0].closed is None
                prune(store, before)
                assert database_problems(store) == []
                assert counts(store) == wanted
        commits += died
    assert commits == 9  # three executions, five children, their run


@pytest.mark.parametrize("after", [False, True])
def test_a_deletion_on_a_server_that_is_killed_at_any_commit_leaves_all_or_nothing_and_is_repeated(
    tmp_path: Path, after: bool
) -> None:
    file = tmp_path / "sm.db"
    fill_grand(file).store.close()
    commits, died = 0, True
    while died:
        assert commits < 20
        with schema() as url:
            copy_database(str(file), url, now=LATER, snapshot=True)
            with closing(open_store(url)) as store:
                with crash_points(store) as crashes:
                    died = deletion_dies(crashes.at(commits + 1, after=after), Engine(store).find("grand"))
                check_deletion(store)
                repeat_deletion(store, Engine(store))
        commits += died
    assert commits >= 4  # the execution, its children, the map run, its past wait


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_while_a_server_s_rows_are_put_right_changes_nothing_or_all(
    shop: Shop, tmp_path: Path, after: bool
) -> None:
    assert database_problems(shop.store) == []
    with schema() as url:
        copy_database(str(tmp_path / "sm.db"), url, now=LATER, snapshot=True)
        with closing(open_store(url)) as store:
            assert isinstance(store, PostgresStore)
            with store.write() as transaction:
                transaction.session.connection.execute("INSERT INTO blobs (id, body) VALUES (999999, '')")
            problems = database_problems(store)
            assert [problem.is_repairable for problem in problems] == [True]
            with crash_points(store) as crashes:
                PostgresUpkeep(crashes.at(1, after=after)).repair()  # type: ignore[arg-type]
            assert database_problems(store) == ([] if after else problems)
            assert repair_database(store)[1] == []
