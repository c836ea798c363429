"""`sm worker`: work on every execution of the database."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sm_cli.cli.project.config import find_project
from sm_cli.cli.project.engines import Broker, CarrierName, carrier_for
from sm_cli.cli.project.queues import rota_of
from sm_cli.cli.project.values import recycle_after, retention_of
from sm_cli.cli.run.processes import Loader, loader_for
from sm_cli.cli.run.stubbing import stubbed_engine, telling_stub
from sm_cli.cli.terminal import logs
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.options import (
    Buckets,
    Concurrency,
    Database,
    Handlers,
    LockTimeout,
    LogFormat,
    Processes,
    Quiet,
    Stubbed,
    Substitutions,
    Trust,
    Verbose,
    count,
    seconds,
)
from sm_cli.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sm_cli.cli.project.config import Project
    from sm_cli.cli.run.working import Goes
    from sm_cli.engine.engine import Engine
    from sm_cli.handlers.handler import Handler
    from sm_cli.handlers.registry import Registry

#: Seconds that handlers have to end after Ctrl-C.
_GRACE = "10"
_LAST_PORT = 65_535


_Queues: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--queues",
        metavar="NAME:WEIGHT,…",
        envvar="SM_QUEUES",
        help="Serve only these, in the ratio of their weights: critical:6,default:3,low:1.",
    ),
]
_Strict: TypeAlias = Annotated[
    bool, typer.Option("--strict", help="Serve a queue only when the ones before it are empty.")
]
_Once: TypeAlias = Annotated[
    bool, typer.Option("--once", help="Take each execution as far as it goes without waiting, then end; for cron.")
]
_Drain: TypeAlias = Annotated[bool, typer.Option("--drain", help="End when nothing is left to do now; for CI.")]
_OkToLeave: TypeAlias = Annotated[
    bool, typer.Option("--ok-to-leave", help="With --once or --drain: no exit code 6 for work that others have to do.")
]
_StrictSignals: TypeAlias = Annotated[
    bool, typer.Option("--strict-signals", help="Exit code 143 after SIGTERM, also when all handlers have ended.")
]
_Name: TypeAlias = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", envvar="SM_WORKER", help="What it is called; HOST:PID unless given."),
]
_Grace: TypeAlias = Annotated[
    str, typer.Option("--grace", metavar="SPAN", help="How long handlers may go on after Ctrl-C.")
]
_Recycle: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--recycle-after", metavar="N", envvar="SM_RECYCLE_AFTER",
        help="With --processes: another process takes over after so many tasks; for handlers that leak.",
    ),
]  # fmt: skip
_Reload: TypeAlias = Annotated[bool, typer.Option("--reload", help="Load handlers again when their files change.")]
_MetricsPort: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--metrics-port",
        metavar="[HOST:]P",
        help="Numbers for Prometheus at this port; of 127.0.0.1 unless HOST is given.",
    ),
]
_Create: TypeAlias = Annotated[
    bool, typer.Option("--create", help="Make the database when there is none; else that is an error.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("worker")(worker)


def worker(
    handlers: Handlers = None,
    stub: Stubbed = False,
    substitutions: Substitutions = None,
    concurrency: Concurrency = None,
    processes: Processes = None,
    recycle: _Recycle = None,
    queues: _Queues = None,
    strict: _Strict = False,
    engine_name: CarrierName = None,
    broker: Broker = None,
    once: _Once = False,
    drain: _Drain = False,
    ok_to_leave: _OkToLeave = False,
    name: _Name = None,
    grace: _Grace = _GRACE,
    strict_signals: _StrictSignals = False,
    reload: _Reload = False,
    metrics_port: _MetricsPort = None,
    create: _Create = False,
    buckets: Buckets = None,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
    _verbose: Verbose = False,
    quiet: Quiet = False,
    _log_format: LogFormat = None,
) -> None:  # fmt: skip
    """Work on all executions until Ctrl-C."""
    from sm_cli.cli.project.opening import lasting_engine, opened_engine
    from sm_cli.cli.run.following import own_name
    from sm_cli.cli.run.reloading import need_watchfiles, reloading
    from sm_cli.cli.run.working import Working

    goes = _how_far(once=once, drain=drain, ok_to_leave=ok_to_leave, quiet=quiet)
    logs.tell_work(quiet)
    project = find_project(substitutions=substitutions)
    load, limit, url = loader_for(project, concurrency, processes), seconds(grace, "--grace"), project.database(db)[0]
    load.ahead, load.recycle_after = not (once or drain), recycle_after(project, recycle)
    rota = rota_of(queues or project.setting("queues"), project.origin("queues", queues), strict=strict)
    carrier = carrier_for(project, engine_name, broker, url, rota, goes_on=goes == "on")
    directory, is_explicit = project.handlers(handlers)
    need_watchfiles(reload)
    with out.guard_stdout(), load:
        registry = _registry(load, directory, is_explicit or reload)
        name = name or own_name()
        merge = _merging(project, name, stub)
        engine_of = opened_engine if once or drain else lasting_engine
        with engine_of(db, project, create=create, buckets=buckets) as engine, Working(limit, project) as working:
            if not (stub or registry or directory.is_dir()):
                working.warn_of_no_handlers(directory)
            loop = working.worker(stubbed_engine(engine, stub), merge(registry), load.slots, name, rota, carrier)
            working.begin(loop, len(registry), directory, url, stub=stub, processes=load.processes)
            again = reloading(loop, directory, merge, load) if reload else nullcontext()
            with again, _retention(project, engine), _metrics(engine, metrics_port):
                working.run(goes)
            code = working.end(goes, ok_to_leave=ok_to_leave, strict=strict_signals)
    if code:
        raise typer.Exit(code)


def _how_far(*, once: bool, drain: bool, ok_to_leave: bool, quiet: bool) -> Goes:
    """How far the worker goes. Raises UsageError for options that say nothing together."""
    if once and drain:
        raise UsageError("--once and --drain exclude each other")
    if ok_to_leave and not (once or drain):
        raise UsageError("--ok-to-leave says how --once or --drain ends; a worker without them goes on for ever")
    if quiet and logs.is_verbose():
        raise UsageError("-q and -v exclude each other")
    return "once" if once else "drain" if drain else "on"


def _merging(project: Project, name: str, stub: bool) -> Callable[[Registry], Mapping[str, Handler]]:
    """What makes of the project's handlers all that a worker of this name has. stub: it answers every other task."""
    from sm_cli.handlers.builtin import builtins

    ours = builtins(project.http())
    stubs = telling_stub(name) if stub else None

    def merge(handlers: Registry) -> Mapping[str, Handler]:
        return {**ours, **handlers} if stubs is None else stubs.under(handlers)

    return merge


def _retention(project: Project, engine: Engine) -> AbstractContextManager[None]:
    """What deletes, as long as it is open, executions that are older than the setting says. Raises UsageError for a
    span that is none."""
    age = retention_of(project)
    if age is None:
        return nullcontext()
    from sm_cli.worker.retaining import retaining

    return retaining(engine, age)


def _metrics(engine: Engine, port: str | None) -> AbstractContextManager[None]:
    """What tells Prometheus of the worker as long as it is open. Raises UsageError; ConfigurationError where the extra
    is not installed or the port is taken."""
    if port is None:
        return nullcontext()
    host, _, digits = port.rpartition(":")
    number = count(digits, "--metrics-port")
    if number > _LAST_PORT:
        raise UsageError(f"--metrics-port takes a port up to {_LAST_PORT}, not {port!r}")
    try:
        from sm_cli.server.metrics.exporting import exported
    except ImportError as e:
        hint = "Install the extra `server`: pip install 'sm-cli[server]'."
        raise ConfigurationError("prometheus-client is not installed", hint=hint) from e

    return exported(engine, number, host.strip("[]") or "127.0.0.1")


def _registry(load: Loader, directory: Path, is_explicit: bool) -> Registry:
    """The handlers of the directory; none where it is not there, unless somebody named it (`is_explicit`)."""
    from sm_cli.handlers.registry import Registry

    if not is_explicit and not directory.is_dir():
        return Registry()
    return load(directory)
