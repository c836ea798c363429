"""What docs/scaling.md says of a history in partitions: the statements that stand there, and what goes on with them."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import psycopg

from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from sm_cli.testing import FakeClock
from sm_cli.views.upkeep import compact_database, database_document, database_problems
from tests.engine.workers import workflow
from tests.postgres.server import own_schema, server

SCALING = Path(__file__).parents[2] / "docs" / "scaling.md"
DONE = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


def statements() -> list[str]:
    blocks = re.findall(r"```sql\n(.*?)```", SCALING.read_text(encoding="utf-8"), re.DOTALL)
    return [each.strip() for block in blocks for each in re.split(r";|\\gexec", block) if each.strip()]


def test_a_history_in_partitions_is_written_counted_and_made_smaller() -> None:
    with own_schema() as url:
        open_store(url).close()
        schema = url.rpartition("schema=")[2]
        with psycopg.connect(server(), autocommit=True) as connection:
            for statement in statements():
                done = connection.execute(statement.replace("sm.", f"{schema}.").encode())
                for (made,) in done.fetchall() if done.description else []:
                    connection.execute(made.encode())
        with closing(open_store(url)) as store:
            engine = Engine(store, clock=FakeClock())
            for number in range(5):
                engine.start(workflow(DONE), {"number": number})
            assert database_problems(store) == []
            tables = database_document(store)["tables"]
            assert isinstance(tables, dict)
            assert tables["history"]
            assert not [name for name in tables if name.startswith("history_")]
            compact_database(store)
            assert database_problems(store) == []
