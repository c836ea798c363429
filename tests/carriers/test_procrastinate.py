"""Hints by Procrastinate on a real Postgres: what is deferred, what is heard, and a server that goes and comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest

from sm_cli.carriers.procrastinate import ProcrastinateCarrier, install
from sm_cli.errors import CarrierAway, ConfigurationError
from sm_cli.store.open import open_store
from sm_cli.store.postgres.url import parse_url
from tests.carriers.ears import Ear, hints, receiving
from tests.engine.workers import soon
from tests.postgres.server import Server, own_schema


@contextmanager
def listening(url: str, *queues: str, only_those: bool = False) -> Iterator[tuple[ProcrastinateCarrier, Ear]]:
    carrier = ProcrastinateCarrier(url, "sm", queues, only_those=only_those)
    with receiving(carrier) as ear:
        yield carrier, ear


def announce(url: str, *queues: str, prefix: str = "sm") -> None:
    carrier = ProcrastinateCarrier(url, prefix, ())
    try:
        for queue in queues:
            carrier.announce(queue)
    finally:
        carrier.stop()


def test_tables_are_made_once(url: str) -> None:
    assert not install(url)
    ProcrastinateCarrier(url, "sm", ()).check_access()


def test_a_database_without_tables_is_not_set_up_and_one_with_older_ones_is_told() -> None:
    with own_schema() as url:
        open_store(url).close()
        carrier = ProcrastinateCarrier(url, "sm", ())
        with pytest.raises(ConfigurationError, match="is not set up") as raised:
            carrier.check_access()
        assert raised.value.topic == "no engine tables"
        install(url)
        place = parse_url(url)
        with psycopg.connect(place.conninfo, options=f"-c search_path={place.schema}") as connection:
            connection.execute("DROP FUNCTION procrastinate_fetch_job_v2")
        with pytest.raises(ConfigurationError, match="are older than Procrastinate"):
            carrier.check_access()
        with pytest.raises(ConfigurationError, match="are older than Procrastinate"):
            install(url)


def test_a_hint_is_heard_by_one_receiver_and_leaves_nothing_behind(url: str) -> None:
    with listening(url, "low") as (_, one), listening(url, "low") as (_, two):
        announce(url, "low")
        soon(lambda: one.heard or two.heard)
        soon(lambda: hints(url) == [])
    assert sorted((one.heard, two.heard)) == [[], ["low"]]


def test_a_hint_inside_a_transaction_is_as_certain_as_what_it_writes(url: str) -> None:
    carrier = ProcrastinateCarrier(url, "sm", ())
    with closing(open_store(url)) as store:
        with store.write() as transaction:
            carrier.announce_inside(transaction, ["low", "critical"])
            assert hints(url) == []
        assert hints(url) == [("sm.critical", "todo"), ("sm.low", "todo")]
        with pytest.raises(ZeroDivisionError), store.write() as transaction:
            carrier.announce_inside(transaction, ["nightly"])
            raise ZeroDivisionError
        with store.write() as transaction:
            carrier.announce_inside(transaction, ["low"])
        assert hints(url) == [("sm.critical", "todo"), ("sm.low", "todo")]


def test_a_queue_of_another_prefix_is_somebody_elses(url: str) -> None:
    with listening(url, "low") as (carrier, ear):
        announce(url, "low", prefix="shop")
        carrier.announce("low")
        soon(lambda: ear.heard)
    assert ear.heard == ["low"]
    assert ("shop.low", "todo") in hints(url)


def test_of_a_queue_that_nobody_reads_one_hint_waits_however_many_are_announced(url: str) -> None:
    announce(url, *["unread"] * 20)
    assert hints(url) == [("sm.unread", "todo")]


def test_who_has_no_room_keeps_one_hint_and_leaves_the_next_to_others(url: str) -> None:
    with listening(url, "full") as (carrier, ear):
        ear.room = False
        carrier.announce("full")
        soon(lambda: hints(url) == [("sm.full", "doing")])
        carrier.announce("full")
        with listening(url, "full") as (_, other):
            soon(lambda: other.heard)
            assert ear.heard == []
        ear.room = True
        soon(lambda: ear.heard == ["full"])


def test_a_queue_that_was_not_known_is_received_as_soon_as_a_hint_of_it_waits(url: str) -> None:
    with listening(url, "default") as (_, ear):
        announce(url, "nightly")
        soon(lambda: ear.heard == ["nightly"])


def test_one_for_certain_queues_receives_of_no_other(url: str) -> None:
    with listening(url, "mine", only_those=True) as (carrier, ear):
        carrier.announce("others")
        carrier.announce("mine")
        soon(lambda: ear.heard)
    assert ear.heard == ["mine"]


def test_hints_that_a_killed_worker_had_begun_are_cleared_away(url: str) -> None:
    place = parse_url(url)
    announce(url, "low")
    with psycopg.connect(place.conninfo, options=f"-c search_path={place.schema}") as connection:
        connection.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    with listening(url, "low"):
        soon(lambda: hints(url) == [])


def test_a_server_that_is_killed_is_away_and_is_reached_again_when_it_is_back() -> None:
    server = Server(quick=False)
    try:
        own = f"{server.url}&schema=killed"
        open_store(own).close()
        install(own)
        with listening(own, "low") as (carrier, ear):
            server.kill()
            with pytest.raises(CarrierAway, match=r"^Procrastinate in postgresql://.* cannot be reached$"):
                carrier.announce("low")
            soon(lambda: ear.errors)
            server.start()
            soon(lambda: ear.ups >= 2)
            carrier.announce("low")
            soon(lambda: "low" in ear.heard)
    finally:
        server.stop()


def test_a_server_that_is_away_at_first_is_no_error() -> None:
    away = "postgresql://me:secret@127.0.0.1:1/shop"
    carrier = ProcrastinateCarrier(away, "sm", ())
    carrier.check_access()
    with pytest.raises(CarrierAway) as raised:
        carrier.receive(Ear())
    assert "secret" not in raised.value.message


def test_receiving_ends_when_it_is_told_to(url: str) -> None:
    carrier = ProcrastinateCarrier(url, "sm", ("low",))
    with receiving(carrier):
        carrier.stop()
        soon(lambda: not [t for t in threading.enumerate() if t.name == "test-ear"])
