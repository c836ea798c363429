"""From a name to a carrier; what an engine needs is imported only when it is the one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from sm_cli.carriers.port import Carrier
from sm_cli.errors import CarrierAway, ConfigurationError, UsageError

if TYPE_CHECKING:
    from sm_cli.carriers.procrastinate import ProcrastinateCarrier


class CarrierSettings(NamedTuple):
    """What a carrier is opened with."""

    #: The URL of the database that the workers share.
    database: str
    #: The queues that a worker receives hints of from the beginning; others when it hears of them.
    queues: Collection[str]
    #: Whether it receives hints of no other queues.
    only_those: bool = False
    #: The URL of a broker; None: none is named.
    broker: str | None = None
    #: What the names of its queues there begin with.
    prefix: str = "sm"


def open_carrier(name: str, settings: CarrierSettings) -> Carrier:
    """The carrier of this name. Raises UsageError for a name that is none, ConfigurationError when its extra is not
    installed, its settings are not what it needs, the database is none that workers on other machines can share, or
    the broker refuses who asks."""
    opener = _opener(name)
    check_shared(name, settings.database)
    return opener(settings)


def set_up(name: str, database: str) -> bool:
    """Make the tables that an engine keeps in the database of this URL; whether they were not there. Raises UsageError
    for a name that is none and an engine that keeps none, ConfigurationError, DatabaseError."""
    _opener(name)
    if name != "procrastinate":
        raise UsageError(f"{name} has no tables in a database")
    check_shared(name, database)
    return bool(_procrastinate_module().install(database))


def _opener(name: str) -> Callable[[CarrierSettings], Carrier]:
    opener = _OPENERS.get(name)
    if opener is None:
        raise UsageError(f"no engine is called {name[:40]!r}; there are {', '.join(_OPENERS)}")
    return opener


def list_names() -> list[str]:
    """The engines that there are."""
    return list(_OPENERS)


def is_installed(name: str) -> bool:
    """Whether the package of this engine is there; nothing of it is imported."""
    return find_spec(name) is not None


def check_shared(name: str, url: str) -> None:
    """Raises ConfigurationError for a database that this engine's workers cannot share."""
    if not url.startswith(("postgres://", "postgresql://")):
        raise ConfigurationError(
            f"{name} needs a database on a Postgres server: workers on other machines cannot see a file of this one"
        )


def _celery(settings: CarrierSettings) -> Carrier:
    try:
        from sm_cli.carriers.celery import CeleryCarrier
    except ImportError as e:
        raise ConfigurationError("Celery is not installed", hint="Install the extra `celery`.") from e
    if settings.broker is None:
        raise ConfigurationError("celery needs the URL of a broker, and none is named", topic="broker")
    carrier = CeleryCarrier(settings.broker, settings.prefix, settings.queues, only_those=settings.only_those)
    with suppress(CarrierAway):  # who is away may come back
        carrier.reach()
    return carrier


def _procrastinate(settings: CarrierSettings) -> Carrier:
    module = _procrastinate_module()
    carrier: ProcrastinateCarrier = module.ProcrastinateCarrier(
        settings.database, settings.prefix, settings.queues, only_those=settings.only_those
    )
    carrier.check_access()
    return carrier


def _procrastinate_module() -> ModuleType:
    try:
        from sm_cli.carriers import procrastinate
    except ImportError as e:
        raise ConfigurationError("Procrastinate is not installed", hint="Install the extra `procrastinate`.") from e
    return procrastinate


_OPENERS: Mapping[str, Callable[[CarrierSettings], Carrier]] = {"celery": _celery, "procrastinate": _procrastinate}
