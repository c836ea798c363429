"""`sm worker --engine procrastinate`: three workers, one of them killed, hints lost, the server gone for a while."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from sm_cli.engine.engine import Engine
from sm_cli.errors import DatabaseAway
from sm_cli.store.open import open_store
from sm_cli.store.postgres.url import parse_url
from sm_cli.store.records import Status
from tests.cli.conftest import Project, ended
from tests.engine.workers import soon, workflow
from tests.postgres.server import Server, own_schema
from tests.store.asking import asked

NOTE = """
import os
from sm_cli import handler

@handler("note")
def note(input, context):
    with open("notes.txt", "a") as file:
        file.write(f"{input['number']} {context.state}\\n")
    return input
"""
STATES = ("One", "Two", "Three", "Four")
CHAIN = workflow(
    {
        "StartAt": "One",
        "States": {
            state: {"Type": "Task", "Resource": "note", **({"Next": after} if after else {"End": True})}
            for state, after in zip(STATES, (*STATES[1:], None), strict=True)
        },
    }
)
MANY = 60


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(quick=False)
    yield made
    made.stop()


def flush(url: str) -> None:
    """Lose all hints."""
    place = parse_url(url)
    with psycopg.connect(place.conninfo, options=f"-c search_path={place.schema}") as connection:
        connection.execute("DELETE FROM procrastinate_jobs")


def test_what_is_killed_flushed_and_stopped_ends_as_if_all_had_been_calm(project: Project, server: Server) -> None:
    url = f"{server.url}&schema=calm"
    project.handlers(NOTE)
    assert project.sm("db", "migrate", "--engine", "procrastinate", "--db", url).code == 0
    with closing(open_store(url)) as store:
        engine = Engine(store)
        workers = [
            project.start("worker", "--engine", "procrastinate", "--db", url, "--concurrency", "2") for _ in range(3)
        ]
        # One that is still starting is ended by SIGTERM, and has no part in what happens.
        soon(lambda: len(asked(store).workers()) == len(workers), seconds=60)
        executions = [engine.start(CHAIN, {"number": number}, name=f"chain-{number}")[0] for number in range(MANY)]

        def closed() -> int:
            try:
                with store.read() as questions:
                    found = questions.executions([e.id for e in executions])
            except DatabaseAway:
                return 0
            return sum(e.status is not Status.RUNNING for e in found.values())

        soon(lambda: closed() > 5)
        workers[0].kill()
        flush(url)
        server.kill()
        server.start()
        soon(lambda: closed() == MANY, seconds=90)
        for worker in workers[1:]:
            worker.send_signal(signal.SIGTERM)
        results = [ended(worker) for worker in workers[1:]]
        with store.read() as questions:
            ends = questions.executions([e.id for e in executions])
            histories = {e.id: questions.history(e.id) for e in executions}
        assert [ends[e.id].output for e in executions] == [{"number": number} for number in range(MANY)]
        for events in histories.values():
            entered = Counter(event.detail["name"] for event in events if event.type == "TaskStateEntered")
            assert entered == dict.fromkeys(STATES, 1)
        runs = Counter((project.path / "notes.txt").read_text().splitlines())
        assert set(runs) == {f"{number} {state}" for number in range(MANY) for state in STATES}
        assert sum(runs.values()) <= len(runs) + 2 * 2 * len(workers)  # what was under way in two slots each, twice
        for result in results:
            assert result.code == 0, result.err
            assert "Traceback" not in result.err
            # Of the database, and of the engine in it by who sends and by who receives: one may notice when the other
            # has got through already.
            assert result.err.count("trying again until it works") <= 3


def test_tables_that_are_missing_are_one_sentence_with_what_makes_them(project: Project) -> None:
    project.handlers(NOTE)
    with own_schema() as url:
        open_store(url).close()
        refusal = project.sm("worker", "--engine", "procrastinate", "--db", url)
        made = project.sm("db", "migrate", "--engine", "procrastinate", "--db", url)
        again = project.sm("db", "migrate", "--engine", "procrastinate", "--db", url)
    assert refusal.code == 7
    assert refusal.err.startswith("sm: error: Procrastinate in postgresql://")
    assert refusal.err.endswith(
        " is not set up\n  hint: sm db migrate --engine procrastinate makes its tables, by a role that may.\n"
    )
    assert made.err.endswith("the tables of procrastinate are made\n")
    assert again.err.endswith("the tables of procrastinate are there already\n")


def test_only_an_engine_with_tables_has_them_made(project: Project) -> None:
    with own_schema() as url:
        celery = project.sm("db", "migrate", "--engine", "celery", "--db", url)
        unknown = project.sm("db", "migrate", "--engine", "procastinate", "--db", url)
    assert (celery.code, celery.err.splitlines()[-1]) == (2, "sm: error: celery has no tables in a database")
    assert unknown.code == 2
    assert "no engine is called 'procastinate'" in unknown.err
    on_a_file = project.sm("db", "migrate", "--engine", "procrastinate")
    assert on_a_file.code == 7
    assert "procrastinate needs a database on a Postgres server" in on_a_file.err
