"""`sm env`: the variables that make other programs talk to a server, for a shell's `eval`."""

from __future__ import annotations

import os
import shlex
from typing import Annotated

import typer

from sm_cli.cli.serving.command import Host, Port, TokenFile, read_number, server_token
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.options import AsJson, source

#: AWS's clients want a region and keys, whatever they are.
_REGION, _KEY = "us-east-1", "sm"
_LAST_PORT = 65_535


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("env")(print_environment)


def print_environment(
    host: Host = "127.0.0.1",
    port: Port = "8083",
    token_file: TokenFile = None,
    unset: Annotated[bool, typer.Option("--unset", help="Print the lines that undo it.")] = False,
    json: AsJson = False,
) -> None:
    """Print the lines that make AWS's clients talk to a server: eval "$(sm env)"."""
    variables = _variables(host, read_number(port, source("--port"), _LAST_PORT), server_token(token_file))
    if json:
        out.value({**variables})
        return
    for name, value in variables.items():
        out.text(f"unset {name}" if unset else f"export {name}={shlex.quote(value)}")


def _variables(host: str, port: int, token: str | None) -> dict[str, str]:
    from sm_cli.server.settings import address_at, names_of

    return {
        "AWS_ENDPOINT_URL_SFN": address_at(names_of(host)[0].strip("[]"), port),
        "AWS_ACCESS_KEY_ID": token or _KEY,
        "AWS_SECRET_ACCESS_KEY": _KEY,
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION") or _REGION,
        # Or Python's clients go to sync-127.0.0.1 for StartSyncExecution and TestState.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
