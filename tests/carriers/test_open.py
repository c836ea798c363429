"""From a name to a carrier: what is refused, in which words, and that nobody reads a password."""

from __future__ import annotations

import sys

import pytest

from sm_cli.carriers.celery import broker_for_people, queue_of
from sm_cli.carriers.open import CarrierSettings, is_installed, list_names, open_carrier
from sm_cli.errors import ConfigurationError, UsageError

POSTGRES = "postgresql://server/database"


def refusal(kind: type[ConfigurationError | UsageError], name: str, settings: CarrierSettings) -> str:
    with pytest.raises(kind) as raised:
        open_carrier(name, settings)
    return f"{raised.value.message} {raised.value.hint or ''}".strip()


def test_an_engine_that_there_is_not_is_refused() -> None:
    sentence = refusal(UsageError, "cellery", CarrierSettings(POSTGRES, ()))
    assert sentence.startswith("no engine is called 'cellery'; there are ")
    assert "celery" in sentence.split(";")[1]


@pytest.mark.parametrize("url", [".sm/sm.db", "sqlite:sm.db", "sqlite:///data/sm.db?sync=normal", "memory:"])
def test_a_database_that_other_machines_cannot_see_is_refused(url: str) -> None:
    expected = "celery needs a database on a Postgres server: workers on other machines cannot see a file of this one"
    assert refusal(ConfigurationError, "celery", CarrierSettings(url, (), broker="redis://h")) == expected


def test_celery_without_a_broker_is_refused() -> None:
    expected = "celery needs the URL of a broker, and none is named"
    assert refusal(ConfigurationError, "celery", CarrierSettings(POSTGRES, ())) == expected


def test_celery_that_is_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sm_cli.carriers.celery")
    monkeypatch.setitem(sys.modules, "celery", None)
    sentence = refusal(ConfigurationError, "celery", CarrierSettings(POSTGRES, (), broker="redis://h"))
    assert sentence == "Celery is not installed Install the extra `celery`."


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense://me:secret@h/0", "is none that Celery can use It is redis://"),
        ("valkey://:secret@h/0", "is none that Celery can use It is redis://"),
        ("memory://", "is none that Celery can use It is redis://"),  # of one process
        ("broker.example", "is none that Celery can use It is redis://"),
        ("redis://h:none:of/0", "cannot be read It is redis://"),
        ("redis://me:se#secret@h/0", "cannot be read It is redis://"),
        ("redis://:secret@h/first", "cannot be read It is redis://"),
    ],
)
def test_a_broker_that_is_none_is_refused_without_its_password(url: str, says: str) -> None:
    sentence = refusal(ConfigurationError, "celery", CarrierSettings(POSTGRES, (), broker=url))
    assert says in sentence
    assert "Error" not in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://me:secret@h:6379/0", "redis://h:6379/0"),
        ("redis://:sec/r@t@h:6379/0", "redis://h:6379/0"),
        ("rediss://h/0?password=secret&ssl_cert_reqs=required", "rediss://h/0"),
        ("sentinel://:secret@a:1;sentinel://:secret@b:2", "sentinel://a:1;sentinel://b:2"),
        ("amqp://me:secret@h//", "amqp://h//"),
    ],
)
def test_people_are_shown_no_user_and_no_password_of_a_broker(url: str, shown: str) -> None:
    assert broker_for_people(url) == shown


def test_the_engines_that_there_are_are_found_without_being_imported() -> None:
    assert "celery" in list_names()
    assert is_installed("celery")
    assert not is_installed("no_such_engine")


def test_each_queue_has_one_of_celery_that_is_nobody_elses() -> None:
    assert [queue_of("sm", "low"), queue_of("shop", "low")] == ["sm.low", "shop.low"]
