"""`postgresql://…`: what is ours in it, and what the driver takes."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from sm_cli.errors import ConfigurationError

#: A name that needs no quotes anywhere.
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SWITCH = {"on": True, "off": False}
_COUNT = re.compile(r"[1-9][0-9]{0,3}")
#: Readers at once, unless the URL says otherwise: a worker uses one or two, a server of web pages one a request.
READERS = "20"


class PostgresUrl(NamedTuple):
    """A database of a Postgres server."""

    #: What the driver is given.
    conninfo: str
    #: The same without user, password and options, for sentences.
    place: str
    #: The schema that holds the tables.
    schema: str
    #: Whether commits are announced by NOTIFY; off behind a pooler in transaction mode.
    notify: bool
    #: Whether statements are kept prepared; off behind a pooler that cannot.
    prepare: bool
    #: So many connections read at once, at most.
    readers: int


def parse_url(url: str) -> PostgresUrl:
    """The parts of a URL. Raises ConfigurationError, without the password, for an option that nobody knows."""
    parts = urlsplit(url)
    if "@" in parts.path:  # where the host ends is a guess then, and the rest of a password would be shown
        raise ConfigurationError(
            "a URL of Postgres has an @ after its first slash",
            hint="Write a slash in the user's name or the password as %2F, an @ in the database's name as %40.",
        )
    host = parts.netloc.rpartition("@")[2]
    ours = {"schema": "sm", "notify": "on", "prepare": "on", "pool": READERS}
    rest = []
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in ours:
            ours[name] = value
        else:
            rest.append((name, value))
    place = f"postgresql://{host}{parts.path}" + (f"?schema={ours['schema']}" if ours["schema"] != "sm" else "")
    if not _NAME.fullmatch(ours["schema"]):
        raise ConfigurationError(
            f"{ours['schema']!r} cannot be the schema of {place}",
            hint="Use small letters, digits and _, 63 at most, and no digit first.",
        )
    for name in ("notify", "prepare"):
        if ours[name] not in _SWITCH:
            raise ConfigurationError(f"{name}={ours[name]} in {place} is neither on nor off")
    if not _COUNT.fullmatch(ours["pool"]):
        raise ConfigurationError(f"pool={ours['pool']} in {place} is no number of connections from 1 to 9999")
    conninfo = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(rest, quote_via=quote), ""))
    return PostgresUrl(
        conninfo, place, ours["schema"], _SWITCH[ours["notify"]], _SWITCH[ours["prepare"]], int(ours["pool"])
    )
