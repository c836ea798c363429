"""Hints by Celery over a real Valkey: what is sent, what is heard, and a broker that goes and comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sm_cli.carriers.celery import CeleryCarrier
from sm_cli.carriers.open import CarrierSettings, open_carrier
from sm_cli.errors import CarrierAway, ConfigurationError
from tests.carriers.ears import Ear, receiving
from tests.carriers.valkey import Broker, broker
from tests.engine.workers import soon


@pytest.fixture(scope="module")
def server() -> Iterator[Broker]:
    with broker() as made:
        yield made


@contextmanager
def listening(url: str, *queues: str, only_those: bool = False) -> Iterator[tuple[CeleryCarrier, Ear]]:
    carrier = CeleryCarrier(url, "sm", queues, only_those=only_those)
    with receiving(carrier) as ear:
        yield carrier, ear


def test_a_hint_is_heard_by_one_receiver(server: Broker) -> None:
    with listening(server.url, "low") as (_, one), listening(server.url, "low") as (_, two):
        CeleryCarrier(server.url, "sm", ()).announce("low")
        soon(lambda: one.heard or two.heard)
    assert sorted((one.heard, two.heard)) == [[], ["low"]]


def test_a_queue_of_another_prefix_is_somebody_elses(server: Broker) -> None:
    with listening(server.url, "low") as (carrier, ear):
        CeleryCarrier(server.url, "shop", ()).announce("low")
        carrier.announce("low")
        soon(lambda: ear.heard)
    assert ear.heard == ["low"]
    assert server.client().llen("shop.low") == 1


def test_of_a_queue_that_nobody_reads_one_hint_waits_however_many_are_announced(server: Broker) -> None:
    carrier = CeleryCarrier(server.url, "sm", ())
    for _ in range(50):
        carrier.announce("unread")
    assert server.client().llen("sm.unread") == 1


def blocked(server: Broker) -> int:
    """How many clients wait at the broker for a message."""
    count: int = server.client().info("clients")["blocked_clients"]
    return count


def test_who_has_no_room_leaves_the_hint_to_others(server: Broker) -> None:
    with listening(server.url, "full") as (carrier, ear):
        ear.room = False
        soon(lambda: ear.refusals and not blocked(server))  # a read that was under way goes on at the broker
        carrier.announce("full")
        with listening(server.url, "full") as (_, other):
            soon(lambda: other.heard)
        ear.room = True
    assert (ear.heard, other.heard) == ([], ["full"])


def test_a_queue_that_it_announces_it_receives_from_then_on(server: Broker) -> None:
    with listening(server.url, "default") as (carrier, ear):
        carrier.announce("nightly")
        soon(lambda: ear.heard == ["nightly"])


def test_one_for_certain_queues_receives_of_no_other(server: Broker) -> None:
    with listening(server.url, "mine", only_those=True) as (carrier, ear):
        carrier.announce("others")
        carrier.announce("mine")
        soon(lambda: ear.heard)
    assert ear.heard == ["mine"]


def test_after_a_flush_hints_are_heard_as_before(server: Broker) -> None:
    with listening(server.url, "flushed") as (carrier, ear):
        carrier.announce("flushed")
        soon(lambda: len(ear.heard) == 1)
        server.flush()
        carrier.announce("flushed")
        soon(lambda: len(ear.heard) == 2)


def test_a_broker_that_is_stopped_is_away_and_is_reached_again_when_it_is_back() -> None:
    with broker() as own, listening(own.url, "low") as (carrier, ear):
        own.stop()
        with pytest.raises(CarrierAway, match=rf"the broker redis://127.0.0.1:{own.port}/0 cannot be reached: "):
            carrier.announce("low")
        soon(lambda: ear.errors)
        own.start()
        soon(lambda: ear.ups == 2)
        carrier.announce("low")
        soon(lambda: ear.heard == ["low"])


def test_a_wrong_password_is_refused_and_not_shown() -> None:
    with broker("right") as own:
        wrong = own.url.replace("right", "wr0ng")
        with pytest.raises(ConfigurationError) as raised:
            open_carrier("celery", CarrierSettings("postgresql://h/d", ("low",), broker=wrong))
        assert raised.value.message == f"the broker redis://127.0.0.1:{own.port}/0 refuses the user or the password"
        with pytest.raises(CarrierAway) as away:
            CeleryCarrier(wrong, "sm", ()).announce("low")
        assert "wr0ng" not in away.value.message
        with listening(own.url, "low") as (carrier, ear):
            carrier.announce("low")
            soon(lambda: ear.heard == ["low"])


def test_a_broker_that_is_away_at_first_is_no_error() -> None:
    with broker() as own:
        own.stop()
        open_carrier("celery", CarrierSettings("postgresql://h/d", ("low",), broker=own.url))
        own.start()
