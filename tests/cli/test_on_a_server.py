"""The commands that look at a whole database, as people read them, on a Postgres server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.cli.conftest import Project
from tests.postgres.server import own_schema, schema, server, with_option

DONE = "{StartAt: A, States: {A: {Type: Pass, End: true}}}\n"
WAITS = "{StartAt: W, States: {W: {Type: Wait, Seconds: 900, End: true}}}\n"
LOOKS = (
    "db info", "db info --json", "db check", "db check --json", "db check --fix", "db vacuum", "db migrate",
    "db prune --older-than 1d", "db prune --older-than 0s --json", "db prune --older-than 0s --dry-run --json",
    "list", "list -o json", "list --count", "stats", "stats --json", "stats --by state --json", "queues",
    "queues --json", "workers", "workers --json", "waits", "task list", "messages list", "schedule list", "batch list",
    "map-runs", "links", "show @last", "why @last", "history @last", "workflow list", "doctor", "doctor --json",
)  # fmt: skip


@pytest.fixture
def url(project: Project) -> Iterator[str]:
    """A schema with an execution that is over and one that waits."""
    project.write("done.yaml", DONE)
    project.write("waits.yaml", WAITS)
    with schema() as url:
        assert project.sm("run", "done.yaml", "--db", url).code == 0
        assert project.sm("run", "waits.yaml", "--detach", "--db", url).code == 0
        yield url


@pytest.mark.parametrize("look", LOOKS)
def test_a_command_that_looks_at_all_of_it_answers(project: Project, url: str, look: str) -> None:
    result = project.sm(*look.split(), "--db", url)
    assert result.code == 0, result.err
    assert "error" not in result.err


def test_info_says_what_a_server_knows(project: Project, url: str) -> None:
    lines = dict(line.split(maxsplit=1) for line in project.sm("db", "info", "--db", url).out.splitlines())
    assert ", Postgres 1" in lines["server"]
    assert lines["size"].endswith(" rows are dead")
    assert lines["executions"] == "1 RUNNING, 1 SUCCEEDED"
    assert "waits" in lines["oldest"]


def test_tables_of_another_role_are_said_to_be_as_large_as_before(project: Project) -> None:
    role = sql.Identifier(f"r_{uuid.uuid4().hex[:12]}")
    with own_schema() as url, psycopg.connect(server(), autocommit=True) as connection:
        assert project.sm("db", "migrate", "--db", url).code == 0
        name = sql.Identifier(urlsplit(url).query.rpartition("schema=")[2])
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        try:
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(name, role))
            connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(name, role))
            as_role = with_option(url, f"options=-c%20role%3D{role.as_string(None)}".replace('"', ""))
            result = project.sm("db", "vacuum", "--db", as_role)
        finally:
            connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))
    assert result.code == 7
    assert "was not compacted: permission denied to vacuum" in result.err


def test_a_standby_is_asked_and_keeps_its_key(project: Project, url: str) -> None:
    standby = with_option(url, "options=-c%20default_transaction_read_only%3Don")
    result = project.sm("db", "query", "SELECT status FROM executions ORDER BY id", "-o", "json", "--db", standby)
    assert result.json == [{"status": "SUCCEEDED"}, {"status": "RUNNING"}]
    for name in ("secrets", "SECRETS", '"secrets"', 'U&"\\0073ecrets"'):
        result = project.sm("db", "query", f"SELECT value FROM {name}", "--db", standby)
        assert result.code == 2
        assert "is shown to nobody" in result.err
    result = project.sm("run", "done.yaml", "--db", standby)
    assert result.code == 7
    assert "is read-only (a standby?), so nothing was written" in result.err
