"""The Python file that Lambda runs: an entry for each handler of one of the user's files."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sm_cli.asl.export.plan import DeployedFunction

#: The folder beside the wrapper that the handlers' files are in.
HANDLERS = "handlers"


def wrapper_text(module: str, functions: Sequence[DeployedFunction]) -> str:
    """An entry for each function; they are all handlers of the same file. module: its name, without the ending."""
    file = f"{HANDLERS}/{module}.py".replace("\\", "/").replace('"', "'")
    lines = [
        f'"""What Lambda calls for the handlers of {file}: an event is the input, what they return the result."""',
        "",
        "from pathlib import Path",
        "",
        "from sm_cli.handlers.on_lambda import lambda_function",
        "",
        f'_HANDLERS = Path(__file__).parent / "{HANDLERS}"',
        "",
    ]
    for each in functions:
        token = ", gets_token=True" if each.gets_token else ""
        lines.append(f"{each.entry} = lambda_function(_HANDLERS, {json.dumps(each.resource)}{token})")
    return "\n".join(lines) + "\n"
