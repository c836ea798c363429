"""Which names a request may give for this server.

A page in a browser can make a name of its own lead to 127.0.0.1 (DNS rebinding), and is then allowed to ask there. What
betrays it is the Host header: the name is not one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sm_cli.errors import UsageError
from sm_cli.server.problems import Refusal
from sm_cli.server.settings import ServerSettings, names_of

#: AWS's clients put this before the host of StartSyncExecution and TestState.
_SYNC = "sync-"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]]+)(:[0-9]*)?")


def host_names(settings: ServerSettings) -> frozenset[str] | None:
    """The names that are ours; None: any. A server that others can reach and that was told no names takes all, for
    each of its requests carries a token, which no foreign page has."""
    if not settings.is_local and not settings.hosts:
        return None
    return frozenset((*_LOCAL, settings.host.strip("[]").lower(), *names_of(settings.host), *settings.hosts))


def check_host(headers: Sequence[str], names: frozenset[str] | None) -> None:
    """Raises Refusal for a Host header that is missing, not ours or no host, and for several."""
    if names is None:
        return
    name = host_name(headers[0]) if len(headers) == 1 and _HOST.fullmatch(headers[0]) else ""
    if name not in names and name.removeprefix(_SYNC) not in names:
        raise Refusal(403, "ForeignHost", "the Host header does not name this server")


def read_host(text: str, source: str) -> str:
    """The name of a host that was given with or without a port. source: where it comes from. Raises UsageError for what
    no Host header can be."""
    if not _HOST.fullmatch(text):
        raise UsageError(f"{source} takes the name of a host like sm.example.org, not {text!r}")
    return host_name(text)


def host_name(host: str) -> str:
    """`localhost` of `localhost:8083`, `::1` of `[::1]:8083`, in small letters."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
