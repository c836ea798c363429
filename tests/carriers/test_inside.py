"""Hints inside a transaction, and what becomes of both when something goes wrong at that point; on a real server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import psycopg
import pytest

from sm_cli.carriers.hints import CarriedHints, announce_inside
from sm_cli.carriers.procrastinate import ProcrastinateCarrier
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.errors import DatabaseAway
from sm_cli.handlers.handler import Handler
from sm_cli.store.open import open_store
from sm_cli.store.postgres.url import parse_url
from sm_cli.store.records import Status
from sm_cli.store.sql.transaction import Transaction
from sm_cli.worker.worker import Worker
from tests.carriers.ears import hints
from tests.engine.workers import soon, workflow
from tests.store.asking import asked

#: What happens to a transaction before a hint is deferred in it.
Mishap = Callable[[str, psycopg.Connection], None]


def fan(width: int) -> Workflow:
    """One task, and then so many at once, of which a worker with one slot leaves all but one to others."""
    task = {"Type": "Task", "Resource": "work"}
    branches = [{"StartAt": f"T{n}", "States": {f"T{n}": {**task, "End": True}}} for n in range(width)]
    first = {**task, "Next": "P", "ResultPath": None}
    parallel = {"Type": "Parallel", "Branches": branches, "End": True}
    return workflow({"StartAt": "A", "States": {"A": first, "P": parallel}})


class Mishaps(ProcrastinateCarrier):
    """A carrier that something happens to, before it defers a hint in a transaction, as often as there are any."""

    def __init__(self, url: str, mishaps: list[Mishap]) -> None:
        super().__init__(url, "sm", ())
        self._text = url
        self.left = mishaps

    def announce_inside(self, transaction: Transaction, queues: Collection[str]) -> None:
        if self.left:
            self.left.pop(0)(self._text, transaction.session.connection)
        super().announce_inside(transaction, queues)


@contextmanager
def beside(url: str) -> Iterator[psycopg.Connection]:
    """A connection of somebody else."""
    place = parse_url(url)
    with psycopg.connect(place.conninfo, autocommit=True, options=f"-c search_path={place.schema}") as connection:
        yield connection


def end_the_connection(url: str, connection: psycopg.Connection) -> None:
    with beside(url) as other:
        assert other.execute("SELECT pg_terminate_backend(%s, 10000)", (connection.info.backend_pid,)).fetchone()


def take_the_tables(url: str, _connection: psycopg.Connection) -> None:
    with beside(url) as other:
        other.execute("ALTER TABLE procrastinate_jobs RENAME TO elsewhere")


def forbid_writing(_url: str, connection: psycopg.Connection) -> None:
    """As on a standby that was the primary a moment ago."""
    connection.execute("SET TRANSACTION READ ONLY")


class Run:
    """A worker with one slot that does all tasks of an execution, whatever happens, each once."""

    def __init__(self, url: str, *mishaps: Mishap) -> None:
        self.done: list[object] = []
        with closing(open_store(url)) as store:
            engine, carrier = Engine(store), Mishaps(url, [*mishaps])
            id = engine.start(fan(4), 7)[0].id
            self.hints = CarriedHints(carrier)
            self.hints.start(receives=False)
            self.hints.comes_up()
            announce_inside(engine, self.hints)
            worker = Worker(engine, {"work": Handler("work", self.done.append)}, concurrency=1, hints=self.hints)

            def status() -> Status:
                try:
                    with store.read() as questions:
                        return questions.executions([id])[id].status
                except DatabaseAway:
                    return Status.RUNNING

            try:
                worker.run(lambda: status() is not Status.RUNNING)
                worker.let_go()
            finally:
                worker.pool.close()
            assert status() is Status.SUCCEEDED
        assert self.done == [7] * 5
        assert carrier.left == []

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *details: object) -> None:
        self.hints.stop()


def on_the_first_hint(url: str, happens: str) -> None:
    """What happens on the server, in PL/pgSQL, when the first hint is written; a sequence is not undone."""
    with beside(url) as other:
        other.execute("CREATE SEQUENCE mishaps")
        other.execute(
            f"""CREATE FUNCTION mishap() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF nextval('mishaps') = 1 THEN {happens}; END IF; RETURN NEW; END $$""".encode()
        )
        other.execute("CREATE TRIGGER a BEFORE INSERT ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION mishap()")


TRYING = "; trying again until it works, nothing is lost"


@pytest.mark.parametrize(
    ("mishap", "sentence"), [(end_the_connection, "cannot be reached"), (forbid_writing, "is read-only")]
)
def test_a_database_that_goes_before_a_hint_is_deferred_is_outlasted(
    url: str, caplog: pytest.LogCaptureFixture, mishap: Mishap, sentence: str
) -> None:
    caplog.set_level(logging.WARNING)
    with Run(url, mishap):
        pass
    away, back = caplog.messages
    assert sentence in away
    assert away.endswith(TRYING)
    assert back == "the database answers again; going on"


def test_a_connection_that_ends_while_a_hint_is_deferred_is_outlasted(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    on_the_first_hint(url, "PERFORM pg_terminate_backend(pg_backend_pid())")
    with Run(url):
        pass
    away, back = caplog.messages
    assert "cannot be reached" in away
    assert back == "the database answers again; going on"


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_a_hint_that_others_are_in_the_way_of_is_deferred_by_another_attempt(
    url: str, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    caplog.set_level(logging.WARNING)
    on_the_first_hint(url, f"RAISE EXCEPTION 'another one' USING ERRCODE = '{code}'")
    with Run(url):
        assert hints(url) == [("sm.default", "todo")]
    assert caplog.messages == []


@pytest.mark.parametrize("code", ["42501", "23505", "P0001"])
def test_a_hint_that_the_server_refuses_costs_the_transaction_nothing_and_is_announced_beside_it(
    url: str, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    caplog.set_level(logging.WARNING)
    on_the_first_hint(url, f"RAISE EXCEPTION 'no hints here' USING ERRCODE = '{code}'")
    with Run(url):
        soon(lambda: hints(url) == [("sm.default", "todo")])
    assert caplog.messages == []


def test_tables_that_go_and_come_under_a_worker_are_said_once_and_it_goes_on(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with Run(url, take_the_tables):
        soon(lambda: caplog.messages)
        with beside(url) as other:
            other.execute("ALTER TABLE elsewhere RENAME TO procrastinate_jobs")
        soon(lambda: len(caplog.messages) == 2)
        assert hints(url) == [("sm.default", "todo")]
    name = f"Procrastinate in {parse_url(url).place}"
    assert caplog.messages == [f"{name} is not set up{TRYING}", f"{name} answers again; going on"]


def test_tables_that_somebody_has_locked_hold_nobody_up_for_long(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with ExitStack() as stack:

        def lock(url: str, _connection: psycopg.Connection) -> None:
            other = stack.enter_context(beside(url))
            stack.enter_context(other.transaction())
            other.execute("LOCK TABLE procrastinate_jobs")

        with Run(url, lock):
            soon(lambda: caplog.messages)
            stack.close()
            soon(lambda: len(caplog.messages) == 2)
            assert hints(url) == [("sm.default", "todo")]
    assert caplog.messages[0].endswith(f" takes no hints: canceling statement due to lock timeout{TRYING}")


def test_what_fails_inside_spoils_whatever_was_to_be_one_with_it(url: str) -> None:
    with closing(open_store(url)) as store:
        engine = Engine(store)
        announce_inside(engine, CarriedHints(Mishaps(url, [forbid_writing])))

        def start_and_go_on(_transaction: Transaction) -> None:
            with suppress(DatabaseAway):
                engine.start(fan(1), 1)

        with pytest.raises(DatabaseAway):
            engine.together(start_and_go_on)
        assert asked(store).latest() is None
