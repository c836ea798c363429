"""The handlers that `sm` itself brings.

The user's own handler of the same name wins. `asl.resources.BUILT_IN` holds the names, so that the validator
knows them without the handlers.
"""

from __future__ import annotations

from sm_cli.handlers.handler import Handler
from sm_cli.handlers.http.invoke import http_invoke
from sm_cli.handlers.http.settings import HttpSettings


def builtins(http: HttpSettings | None = None) -> dict[str, Handler]:
    """The built-in handlers by name. `http` says what http:invoke may call; without it that is nothing."""
    ours = [http_invoke(http or HttpSettings())]
    return {handler.name: handler for handler in ours}
