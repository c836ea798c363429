"""What http:invoke may do: the hosts that it may call, and the connections that hold its secrets.

What is not allowed is refused. A secret is read from its variable when a request is made, not before, and no
sentence about the settings shows a header's value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json import dumps as ascii_dumps
from urllib.parse import urlsplit

from sm_cli.errors import ConfigurationError, TaskError
from sm_cli.jsonvalue import dumps

_PORTS = {"http": 80, "https": 443}
_ARN = re.compile(r"arn:[^:]*:events:[^:]*:[^:]*:connection/([^/]+)(?:/.*)?")
_FROM = "env:"
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
#: A header's name (RFC 9110, 5.1).
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: What the connection itself is made of (RFC 9110, 7.6.1; RFC 9112, 6): ours to say.
FRAMING = frozenset({
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
#: Headers whose value is a secret also when it stands in the configuration.
_SECRET = re.compile(r"authorization|cookie|key|token|secret|password", re.IGNORECASE)
#: What stands between the pieces of a header's value.
_PIECES = re.compile(r"[\s;,]+")
#: A shorter piece of a secret is not looked for in what comes back: it would be found everywhere.
_SHORTEST = 8
_FORM = 'It looks like this: [http_connections.stripe] with headers = { Authorization = "env:STRIPE_KEY" }.'


@dataclass(frozen=True, slots=True)
class Host:
    """An entry of http_allow. below: it means the hosts below the name. port: None for that of the scheme."""

    #: A name or an address.
    name: str
    port: int | None = None
    below: bool = False

    def covers(self, scheme: str, name: str, port: int) -> bool:
        """Whether this entry lets a request go to that scheme, name and port."""
        if port != (_PORTS[scheme] if self.port is None else self.port):
            return False
        return name.endswith(f".{self.name}") if self.below else name == self.name


@dataclass(frozen=True, slots=True)
class Credentials:
    """The headers that a connection adds to a request, and what is masked in an answer because of them."""

    #: By name.
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Every form of every secret that is looked for (`forms_of`), the longest first.
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What the configuration lets `http:invoke` do.

    allow: which hosts may be called; none unless they stand here. connections: name to headers, whose values may
    be `env:VARIABLE`."""

    allow: tuple[Host, ...] = ()
    connections: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def check(self, scheme: str, name: str, port: int) -> None:
        """Raise TaskError (States.Permissions) for a host that nobody has allowed."""
        if not any(host.covers(scheme, name, port) for host in self.allow):
            host_in_entry = f"[{name}]" if ":" in name else name
            entry = host_in_entry if port == _PORTS[scheme] else f"{host_in_entry}:{port}"
            raise TaskError(
                "States.Permissions",
                f"http:invoke may not call {entry}: add {entry!r} to http_allow in sm.toml or [tool.sm], or to "
                "SM_HTTP_ALLOW",
            )

    def credentials(self, connection: str) -> Credentials:
        """Those of a connection, named by its ARN or its name. Raises TaskError under AWS's names for one that is not
        configured, or whose variable is not set."""
        match = _ARN.fullmatch(connection)
        name = match[1] if match else connection
        if name not in self.connections:
            raise TaskError(
                "Events.ConnectionResource.ResourceNotFound",
                f"there is no connection {name!r}: add [http_connections.{name}] to sm.toml or [tool.sm]",
            )
        headers, secrets = {}, []
        for header, value_text in self.connections[name].items():
            value = _value(name, header, value_text)
            headers[header] = value
            if value_text.startswith(_FROM) or _SECRET.search(header):
                secrets += forms_of(value)
        return Credentials(headers, tuple(sorted(set(secrets), key=len, reverse=True)))


def forms_of(secret: str) -> list[str]:
    """The texts under which a header's value is looked for in an answer, each of 8 characters or more.

    The value and its pieces between white space, `;`, `,` and the first `=` of a piece; what Basic encodes, and its
    user and password; each of these as it is, URL-encoded, with JSON's and HTML's escapes, and in base64.
    """
    from base64 import b64encode, urlsafe_b64encode
    from html import escape
    from urllib.parse import quote, quote_plus

    pieces = [secret, *_PIECES.split(secret)]
    pieces += [piece.partition("=")[2].strip('"') for piece in pieces]
    scheme, _, rest = secret.partition(" ")
    if scheme.lower() == "basic" and (plain := _decode(rest.strip())) is not None:
        pieces += [plain, *plain.split(":", 1)]
    forms: list[str] = []
    for piece in pieces:
        if len(piece) >= _SHORTEST:
            raw = piece.encode()
            forms += [piece, quote(piece, safe=""), quote(piece), quote_plus(piece), escape(piece),
                      dumps(piece)[1:-1], dumps(piece)[1:-1].replace("/", "\\/"), ascii_dumps(piece)[1:-1],
                      b64encode(raw).decode(), urlsafe_b64encode(raw).decode().rstrip("=")]  # fmt: skip
    return forms


def _decode(text: str) -> str | None:
    """What base64 says; None when it is none."""
    from base64 import b64decode

    try:
        return b64decode(text, validate=True).decode()
    except ValueError:
        return None


def _value(connection: str, header: str, text: str) -> str:
    if not text.startswith(_FROM):
        return text
    variable = text.removeprefix(_FROM)
    value = os.environ.get(variable, "").strip()
    wrong = "is not set" if not value else None if is_clean(value) else "holds a control character"
    if wrong is not None:
        raise TaskError(
            "Events.ConnectionResource.InvalidConnectionState",
            f"the connection {connection!r} takes its header {header} from the variable {variable}, which {wrong}",
        )
    return value


def is_clean(value: str) -> bool:
    """Whether a header may have this value: one line of text (RFC 9110, 5.5)."""
    return all(c == "\t" or (c >= " " and c != "\x7f") for c in value)


def normal(name: str) -> str:
    """A host's name as it is compared: lower case, ASCII, without the last dot. Raises ValueError for what is none."""
    name = name.lower().removesuffix(".")
    if ":" in name:
        from ipaddress import IPv6Address

        return str(IPv6Address(name))
    name = name if name.isascii() else name.encode("idna").decode()
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    return name


def read_settings(allow: object, connections: object, *, where: str, connections_where: str) -> HttpSettings:
    """From what the configuration says. `where` and `connections_where` are named in the sentence about what is wrong,
    a ConfigurationError."""
    if not isinstance(allow, Sequence) or isinstance(allow, str):
        raise ConfigurationError(f"{where}: http_allow is a list of hosts, not {allow!r}")
    hosts = tuple(_host(entry, where) for entry in allow)
    if not isinstance(connections, Mapping):
        raise ConfigurationError(f"{connections_where}: http_connections is a table of connections", hint=_FORM)
    settings_by_name = {
        str(name): _connection(str(name), table, connections_where) for name, table in connections.items()
    }
    return HttpSettings(hosts, settings_by_name)


def _host(entry: object, where: str) -> Host:
    hint = "It looks like this: api.example.com, 127.0.0.1:8080 or *.internal.example."
    if not isinstance(entry, str):
        raise ConfigurationError(f"{where}: an entry of http_allow is the name of a host, not {entry!r}", hint=hint)
    rest = entry.removeprefix("*.")
    wrong = ConfigurationError(f"{where}: {entry!r} in http_allow is no host", hint=hint)
    try:
        parts = urlsplit(f"//{rest}")
        name, port = normal(parts.hostname or ""), parts.port
    except ValueError:
        raise wrong from None
    if parts.netloc != rest or "@" in rest or rest.endswith(":"):
        raise wrong
    return Host(name, port, below=rest != entry)


def _connection(name: str, table: object, where: str) -> dict[str, str]:
    at = f"{where}: http_connections.{name}"
    headers = table.get("headers") if isinstance(table, Mapping) else None
    if not isinstance(table, Mapping) or not isinstance(headers, Mapping) or len(table) > 1:
        raise ConfigurationError(f"{at} is a table with headers and nothing else", hint=_FORM)
    for header, value in headers.items():
        if not TOKEN.fullmatch(header) or header.lower() in FRAMING:
            raise ConfigurationError(f"{at} sets the header {header!r}, which a connection cannot set")
        # What it holds is not shown: it may be a secret.
        if not isinstance(value, str) or not is_clean(value) or value == _FROM:
            raise ConfigurationError(f"{at}: the header {header} is a line of text, or env:VARIABLE")
    return dict(headers)
