"""`postgresql://…`: what is ours in it, and what the driver takes."""

from __future__ import annotations

import os
import re
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from sm_cli.errors import ConfigurationError
from sm_cli.store.waiting import program_name

#: A name that needs no quotes anywhere.
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SWITCH = {"on": True, "off": False}
#: Unless the URL says otherwise: a server that has gone is noticed within half a minute, also when no packet says so.
_CONNECTION = {
    "connect_timeout": "10",
    "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "30000",
}  # fmt: skip
#: What follows a host; not the last part of an address in brackets.
_PORT = re.compile(r":([^\]:]+)$")
#: Schemas of the server's own.
_RESERVED = re.compile(r"pg_.*|information_schema")
_OPTION = re.compile(r'invalid URI query parameter: "([^"]*)"')
_HINT = "Its options are schema, notify, prepare and pool, and those of libpq; %, @, / and : in a password are escaped."
_COUNT = re.compile(r"[1-9][0-9]{0,3}")
#: Options of libpq that say which database it is, besides host and path.
_WHERE = ("host", "hostaddr", "port", "dbname", "service")
#: Readers at once, unless the URL says otherwise: a worker uses one or two, a server of web pages one a request.
READERS = "20"


class PostgresUrl(NamedTuple):
    """A database of a Postgres server."""

    #: What the driver understands of it.
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

    def driver_text(self) -> str:
        """What the driver is given, with what holds unless the URL says otherwise. Raises ConfigurationError, without
        the password, for what it refuses."""
        import psycopg
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        ours = {**_CONNECTION, "fallback_application_name": _session_name()}
        try:
            # Whatever a URL or PGCLIENTENCODING says: texts are Unicode here.
            return make_conninfo("", **{**ours, **conninfo_to_dict(self.conninfo), "client_encoding": "UTF8"})
        except psycopg.ProgrammingError as e:
            option = _OPTION.search(str(e))  # other sentences of the driver may hold the password
            what = "cannot be read" if option is None else f"has the option {option[1]!r}, which nobody knows"
            raise ConfigurationError(f"the URL of {self.place} {what}", hint=_HINT) from None


def _session_name() -> str:
    """What the server's list of sessions calls this process: "sm worker, process 812 on web1"; it keeps 63 bytes."""
    return f"{program_name()}, process {os.getpid()} on {os.uname().nodename}"


def parse_url(url: str) -> PostgresUrl:
    """The parts of a URL. Raises ConfigurationError, without the password, for an option that nobody knows."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError("the URL of Postgres cannot be read: its host is no name and no address") from None
    _check_ends(parts)
    host = parts.netloc.rpartition("@")[2]
    ours = {"schema": "sm", "notify": "on", "prepare": "on", "pool": READERS}
    rest = []
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in ours:
            ours[name] = value
        else:
            rest.append((name, value))
    where = [(name, value) for name, value in rest if name in _WHERE]
    if ours["schema"] != "sm":
        where.append(("schema", ours["schema"]))
    place = f"postgresql://{host}{parts.path}" + ("?" if where else "") + "&".join("=".join(pair) for pair in where)
    if not _NAME.fullmatch(ours["schema"]):
        raise ConfigurationError(
            f"{ours['schema']!r} cannot be the schema of {place}",
            hint="Use small letters, digits and _, 63 at most, and no digit first.",
        )
    if _RESERVED.fullmatch(ours["schema"]):
        raise ConfigurationError(f"the schema {ours['schema']} of {place} is the server's own; give another name")
    for name in ("notify", "prepare"):
        if ours[name] not in _SWITCH:
            raise ConfigurationError(f"{name}={ours[name]} in {place} is neither on nor off")
    if not _COUNT.fullmatch(ours["pool"]):
        raise ConfigurationError(f"pool={ours['pool']} in {place} is no number of connections from 1 to 9999")
    conninfo = f"postgresql://{parts.netloc}{parts.path}?{urlencode(rest, quote_via=quote)}"
    return PostgresUrl(
        conninfo, place, ours["schema"], _SWITCH[ours["notify"]], _SWITCH[ours["prepare"]], int(ours["pool"])
    )


def _check_ends(parts: SplitResult) -> None:
    """Raises ConfigurationError where the host begins or ends at a guess, for half of a password would be shown as the
    name of one."""
    host = parts.netloc.rpartition("@")[2]
    is_cut = parts.netloc.count("@") > 1 or "@" in parts.path or "@" in parts.fragment
    if is_cut or ("@" in parts.query and "@" not in parts.netloc and not parts.path):
        raise ConfigurationError(
            "a URL of Postgres has an @ that does not end user and password, or a second one",
            hint="Write @ in a name or a password as %40, / as %2F, ? as %3F, # as %23.",
        )
    if parts.fragment:
        raise ConfigurationError("a URL of Postgres has a #", hint="Write it as %23 in a name or a password.")
    for one in host.split(","):
        port = _PORT.search(one)
        if port is not None and not (port[1].isdecimal() and 0 < int(port[1]) < 65_536):
            raise ConfigurationError(
                "a URL of Postgres has a port that is no number from 1 to 65535",
                hint="What follows the host and a : is the port; user and password end with an @ before it.",
            )
