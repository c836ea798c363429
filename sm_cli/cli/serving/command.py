"""`sm serve`: REST, AWS's protocol and the dashboard over one database, and workers beside them."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sm_cli.cli.project.config import find_project
from sm_cli.cli.terminal import logs
from sm_cli.cli.terminal.failures import warn
from sm_cli.cli.terminal.options import (
    Buckets,
    Concurrency,
    Database,
    Handlers,
    LockTimeout,
    LogFormat,
    Quiet,
    Stubbed,
    Substitutions,
    Trust,
    Verbose,
    lock_timeout,
    seconds,
    source,
    use_lock_timeout,
)
from sm_cli.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from sm_cli.cli.project.config import Project
    from sm_cli.engine.engine import Engine
    from sm_cli.server.settings import ServerSettings

#: Seconds that a request waits for another program that writes, unless that is said: a client is told soon.
_LOCK_TIMEOUT = 5.0
#: More would be a slip of the finger: threads of one process do not step any faster.
_MOST_WORKERS = 64
#: More than one process can serve.
_MOST_CONNECTIONS = 100_000

Host: TypeAlias = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", envvar="SM_HOST", help="Where to listen; others need a token.")
]
Port: TypeAlias = Annotated[
    str, typer.Option("--port", metavar="N", envvar="SM_PORT", help="The port; 0 for one that is free.")
]
_Workers: TypeAlias = Annotated[
    str,
    typer.Option("--workers", metavar="N", help="Workers in this process; 0: only answer, others work."),
]
_NoAws: TypeAlias = Annotated[bool, typer.Option("--no-aws", help="Do not answer AWS's clients.")]
_NoUi: TypeAlias = Annotated[bool, typer.Option("--no-ui", help="Do not serve the dashboard.")]
TokenFile: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token-file", metavar="FILE", envvar="SM_TOKEN_FILE",
        help="The token that every request has to carry; SM_TOKEN has it, too.",
    ),
]  # fmt: skip
_AllowHost: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host", metavar="NAME", show_default=False, help="Another name that requests may give for it."
    ),
]
_AllowOrigin: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-origin", metavar="ORIGIN", show_default=False, help="A page of this origin may ask from a browser."
    ),
]
_Account: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--account", metavar="ID", show_default=False,
        help="The account that ARNs name, twelve digits: from now on that of the database.",
    ),
]  # fmt: skip
_Followers: TypeAlias = Annotated[
    str, typer.Option("--followers", metavar="N", help="Streams of events at once; who comes later has to wait.")
]
_Connections: TypeAlias = Annotated[
    str, typer.Option("--connections", metavar="N", help="Connections at once, streams among them.")
]
_Grace: TypeAlias = Annotated[
    str, typer.Option("--grace", metavar="SPAN", help="How long requests and handlers may go on after Ctrl-C.")
]
_Create: TypeAlias = Annotated[
    bool, typer.Option("--create", help="Make the database when there is none; else that is an error.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(run_server)


def run_server(
    host: Host = "127.0.0.1",
    port: Port = "8083",
    workers: _Workers = "1",
    no_aws: _NoAws = False,
    no_ui: _NoUi = False,
    token_file: TokenFile = None,
    allow_host: _AllowHost = None,
    allow_origin: _AllowOrigin = None,
    account: _Account = None,
    followers: _Followers = "500",
    connections: _Connections = "1000",
    handlers: Handlers = None,
    stub: Stubbed = False,
    substitutions: Substitutions = None,
    concurrency: Concurrency = None,
    grace: _Grace = "10",
    create: _Create = False,
    buckets: Buckets = None,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
    _verbose: Verbose = False,
    quiet: Quiet = False,
    _log_format: LogFormat = None,
) -> None:  # fmt: skip
    """Answer programs, AWS's clients and browsers until Ctrl-C."""
    _need_server()
    from sm_cli.cli.project.opening import lasting_engine, opened_store
    from sm_cli.cli.run.signals import Interrupts
    from sm_cli.cli.serving.serving import Serving
    from sm_cli.cli.serving.workers import Workers
    from sm_cli.project.library import Library
    from sm_cli.server.backend import Backend
    from sm_cli.server.feed import Feed

    settings = _settings(host, port, token_file, allow_host, allow_origin, followers, connections, account,
                         has_aws=not no_aws, has_ui=not no_ui)  # fmt: skip
    number, limit = read_number(workers, "--workers", _MOST_WORKERS), seconds(grace, "--grace")
    logs.tell_work(quiet)
    project = find_project(substitutions=substitutions)
    _be_impatient(project)
    with ExitStack() as stack:
        engine = stack.enter_context(lasting_engine(db, project, create=create, buckets=buckets))
        settings = replace(settings, account=_account(account, project, engine))
        feed = Feed(stack.enter_context(opened_store(db, project)))
        backend = Backend(engine, project, Library(project.workflows, project.reader()), feed)
        serving = stack.enter_context(Serving(backend, settings, project.database(db)[0], limit))
        crew = Workers(number, project, db, buckets, grace=limit, stub=stub, told_to_end=serving.end,
                       watch=backend.metrics.watch)  # fmt: skip
        stack.enter_context(crew)
        crew.load(handlers, concurrency)
        backend.handlers = crew.handlers
        interrupts = stack.enter_context(Interrupts())
        crew.start()
        serving.run(lambda: interrupts.signal is not None, workers=number)
        crew.end()
    if interrupts.signal == signal.SIGINT:
        raise typer.Exit(interrupts.exit_code)


def _need_server() -> None:
    """Raises ConfigurationError where the extra is not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("fastapi", "uvicorn", "jinja2", "prometheus_client") if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"{missing[0]} is not installed", hint="Install the extra `server`: pip install 'sm-cli[server]'."
        )


def _settings(
    host: str, port: str, token_file: str | None, hosts: list[str] | None, origins: list[str] | None, followers: str,
    connections: str, account: str | None, *, has_aws: bool, has_ui: bool,
) -> ServerSettings:  # fmt: skip
    """From the options. Raises UsageError; ConfigurationError for an address that others reach, without a token."""
    from sm_cli.server.security.hosts import read_host
    from sm_cli.server.settings import ServerSettings, read_origin

    if account is not None and not (account.isascii() and account.isdigit() and len(account) == 12):
        raise UsageError(f"--account takes twelve digits, not {account!r}")
    settings = ServerSettings(
        host, read_number(port, source("--port"), 65_535), server_token(token_file),
        tuple(read_host(name, source("--allow-host")) for name in hosts or ()),
        tuple(read_origin(origin, "--allow-origin") for origin in origins or ()),
        has_aws=has_aws, has_ui=has_ui, most_followers=read_number(followers, "--followers", _MOST_CONNECTIONS),
        most_connections=read_number(connections, "--connections", _MOST_CONNECTIONS),
    )  # fmt: skip
    if settings.token is None and not settings.is_local:
        raise ConfigurationError(
            f"{host} can be reached from other machines, and there is no token",
            hint="Give one with --token-file FILE or SM_TOKEN; `openssl rand -hex 32` makes one.",
        )
    return settings


def _account(option: str | None, project: Project, engine: Engine) -> str:
    """The account of ARNs, in answers and for executions. One that is given becomes that of the database, which is of
    all who work on it."""
    from sm_cli.engine.workflows.account import find_account, keep_account
    from sm_cli.views.why import working

    if option is None:
        return engine.settings.account
    if option != find_account(engine.store):
        names = ", ".join(worker.name for worker in working(engine))
        keep_account(engine, option)
        if names:
            warn(f"workers that run go on with the account from before until they are started again: {names}")
    if project.account not in (None, option):
        warn(f"{project.place('account')} sets another account: other processes of this project have that one")
    engine.settings.account = project.settings["account"] = option
    return option


def server_token(file: str | None) -> str | None:
    """The token of a file, else of the variable; None when there is none. Raises UsageError, ConfigurationError."""
    from sm_cli.server.settings import check_token

    if file is None:
        token = os.environ.get("SM_TOKEN")
        return None if not token else check_token(token, "SM_TOKEN")
    name = source("--token-file")
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, ValueError) as e:
        raise ConfigurationError(f"{name} {file}: {getattr(e, 'strerror', None) or 'is no text'}") from None
    return check_token(text, f"{name} {file}")


def read_number(text: str, option: str, most: int) -> int:
    """A whole number from 0 on. Raises UsageError."""
    if not text.isascii() or not text.isdigit() or not int(text[:8]) <= most:
        raise UsageError(f"{option} takes a whole number from 0 to {most}, not {text!r}")
    return int(text)


def _be_impatient(project: Project) -> None:
    if lock_timeout() is None and project.setting("lock_timeout") is None:
        use_lock_timeout(_LOCK_TIMEOUT)
