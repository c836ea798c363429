"""`--engine`: the engine that carries hints between workers, as options, variables and settings name it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sm_cli.cli.project.config import blamed_on
from sm_cli.cli.terminal.options import source
from sm_cli.errors import SmError, UsageError

if TYPE_CHECKING:
    from sm_cli.carriers.hints import CarriedHints
    from sm_cli.carriers.open import CarrierSettings
    from sm_cli.carriers.port import Carrier
    from sm_cli.cli.project.config import Project
    from sm_cli.engine.engine import Engine
    from sm_cli.engine.stepping.queues import Rota
    from sm_cli.views.doctor.findings import DoctorFinding

CarrierName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        envvar="SM_ENGINE",
        help="What carries hints between workers: celery, procrastinate.",
    ),
]
Broker: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--broker", metavar="URL", envvar="SM_CELERY_BROKER_URL", show_envvar=True,
        help="With --engine celery: its broker, redis://, valkey's too, or amqp://.",
    ),
]  # fmt: skip


def carrier_for(
    project: Project, name: str | None, broker: str | None, url: str, rota: Rota, *, goes_on: bool = True
) -> Carrier | None:
    """The carrier that the option, the variable or the settings name; None: no engine is. url: the database's.
    goes_on: whether the worker goes on for ever. Raises UsageError and ConfigurationError."""
    from sm_cli.carriers.open import open_carrier

    table = project.engine()
    engine = name or table.get("name")
    if engine is None:
        if broker is not None and source("--broker") == "--broker":
            raise UsageError("--broker says where an --engine has its broker, and none is named")
        return None
    if not goes_on:
        if name is None:
            return None
        raise UsageError("--once and --drain take what is there, and no --engine tells of it")
    try:
        with blamed_on(None if name is not None else project.place("engine")):
            return open_carrier(engine, carrier_settings(project, broker, url, rota))
    except SmError as e:
        if e.topic == "broker":
            e.hint = 'Give --broker URL, set SM_CELERY_BROKER_URL, or write broker = "URL" under [engine] in sm.toml.'
        raise


def carrier_settings(project: Project, broker: str | None, url: str, rota: Rota) -> CarrierSettings:
    """What a carrier of the project is opened with. Raises ConfigurationError."""
    from sm_cli.carriers.open import CarrierSettings

    table, priority = project.engine(), project.settings.get("priority")
    queues = dict.fromkeys(rota.weights)
    if rota.queue_names is None and isinstance(priority, dict):
        queues |= dict.fromkeys(map(str, priority.values()))
    return CarrierSettings(
        url, tuple(queues), rota.queue_names is not None, broker or table.get("broker"), table.get("prefix", "sm")
    )


def engine_findings(project: Project, url: str) -> list[DoctorFinding]:
    """What a doctor says of engines."""
    from sm_cli.engine.stepping.queues import Rota
    from sm_cli.views.doctor.engines import examine_engines

    name = os.environ.get("SM_ENGINE") or project.engine().get("name")
    broker = os.environ.get("SM_CELERY_BROKER_URL") or None
    return examine_engines(name, carrier_settings(project, broker, url, Rota()))


@contextmanager
def carried(carrier: Carrier, engine: Engine) -> Iterator[CarriedHints]:
    """In the block hints are received, and announced for this engine."""
    from sm_cli.carriers.hints import CarriedHints, announce_inside

    hints = CarriedHints(carrier)
    announce_inside(engine, hints)
    hints.start()
    try:
        yield hints
    finally:
        hints.stop()
