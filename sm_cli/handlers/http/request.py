"""From the parameters of an http:invoke Task to the request that they ask for.

Everything is checked before a socket is opened; what cannot be sent fails the Task with States.Runtime, as AWS
does, and one sentence. Nothing that the parameters hold can add a line to the request.

AWS: "Call HTTPS APIs in Step Functions workflows".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, quote_plus, urljoin, urlsplit

from sm_cli.errors import TaskError
from sm_cli.handlers.http.settings import FRAMING, TOKEN, Credentials, HttpSettings, is_clean, normal
from sm_cli.jsonvalue import Json, dumps

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")
FIELDS = (
    "ApiEndpoint", "Method", "Headers", "QueryParameters", "RequestBody", "InvocationConfig", "Authentication",
    "Transform",
)  # fmt: skip
ARRAY_FORMATS = ("INDICES", "REPEAT", "COMMAS", "BRACKETS", "NONE")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
#: AWS refuses these, and every x-forwarded-*, x-amz-*, x-amzn-*.
_FORBIDDEN = FRAMING | {
    "a-im", "accept-charset", "accept-datetime", "accept-encoding", "authorization", "cache-control",
    "content-encoding", "content-md5", "date", "forwarded", "from", "http2-settings", "if-match",
    "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "max-forwards", "origin", "pragma",
    "proxy-authorization", "referer", "server", "via", "warning",
}  # fmt: skip
_FORBIDDEN_PREFIXES = ("x-forwarded", "x-amz")
_IS_JSON = re.compile(r"(?:application|text)/(?:[^;]+\+)?json\s*(?:;.*)?", re.IGNORECASE | re.DOTALL)
#: What stays as it is in a path or a query (RFC 3986), with the % of what is encoded already.
_PATH, _QUERY = "/%:@!$&'()*+,;=-._~", "/%:@!$&'()*+,;=-._~?"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes. target: path and query."""

    #: http or https.
    scheme: str
    #: A name or an address.
    host: str
    #: The port, also where it is the scheme's own.
    port: int
    target: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, as text."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it is sent.

    headers: those of the parameters and our own; `credentials` are sent with them, to the first origin only.
    """

    #: Such as GET.
    method: str
    #: Where it goes.
    address: Address
    headers: tuple[tuple[str, str], ...]
    #: In bytes; None: it has none.
    body: bytes | None = field(default=None, repr=False)
    credentials: Credentials = field(default_factory=Credentials)

    def lines(self) -> list[tuple[str, str]]:
        """All headers. A connection's win over those of the parameters, as on AWS."""
        theirs = {name.lower() for name in self.credentials.headers}
        return [*((n, v) for n, v in self.headers if n.lower() not in theirs), *self.credentials.headers.items()]

    def redirect(self, status: int, location: str) -> Request:
        """The request that answers a redirect (RFC 9110, 15.4). Raises TaskError for one that is not followed."""
        target = urljoin(f"{self.address.origin}{self.address.target}", location)
        address = read_address(target, f"{self.address.origin} redirects to")
        if (self.address.scheme, address.scheme) == ("https", "http"):
            raise TaskError("States.Permissions", f"{self.address.origin} redirects from https to http: not followed")
        onward = replace(self, address=address)
        if address.origin != self.address.origin:
            onward = replace(onward, credentials=Credentials())
        if status == 303 or (status in (301, 302) and self.method == "POST"):
            headers = tuple((n, v) for n, v in self.headers if n.lower() not in ("content-type", "idempotency-key"))
            onward = replace(onward, method="HEAD" if self.method == "HEAD" else "GET", body=None, headers=headers)
        return onward


def read_request(document: Json, settings: HttpSettings, idempotency_key: str, agent: str) -> Request:
    """Raises TaskError: States.Runtime, States.Permissions, or what is wrong with the connection."""
    parameters = _object(document, "The parameters of http:invoke")
    for name in parameters:
        if name not in FIELDS:
            raise _refusal(f"http:invoke has no field {name!r}; it has {', '.join(FIELDS)}")
    method = parameters.get("Method")
    if method not in METHODS:
        raise _refusal(f"Method is one of {', '.join(METHODS)}, not {dumps(method)}")
    address = _with_query(read_address(parameters.get("ApiEndpoint"), "ApiEndpoint is"), parameters)
    settings.check(address.scheme, address.host, address.port)
    connection = _connection(parameters)
    credentials = Credentials() if connection is None else settings.credentials(connection)
    headers = list(_headers(_object(parameters.get("Headers") or {}, "Headers")))
    names = {name.lower() for name, _ in headers} | {name.lower() for name in credentials.headers}
    encoding, array_format = _transform(_object(parameters.get("Transform") or {}, "Transform"))
    content_type = next((value for name, value in headers if name.lower() == "content-type"), None)
    body = _body(parameters.get("RequestBody"), encoding, array_format, content_type)
    ours = {"User-Agent": agent, "Accept": "*/*"}
    if body is not None:
        ours["Content-Type"] = _FORM if encoding == "URL_ENCODED" else _JSON
    if method in ("POST", "PATCH"):
        ours["Idempotency-Key"] = idempotency_key
    headers += [(name, value) for name, value in ours.items() if name.lower() not in names]
    return Request(str(method), address, tuple(headers), body, credentials)


def read_address(url: Json, what: str) -> Address:
    """Raises TaskError unless it is an absolute http or https URL without a user in it."""
    if not isinstance(url, str) or any(c <= " " or c == "\x7f" for c in url):
        raise _refusal(f"{what} no URL")
    try:
        parts = urlsplit(url)
        host, port = normal(parts.hostname or ""), parts.port
    except ValueError:
        raise _refusal(f"{what} no URL") from None
    if parts.scheme not in ("http", "https"):
        raise _refusal(f"{what} no URL that begins with https:// or http://")
    if "@" in parts.netloc:
        raise _refusal(f"{what} a URL with a user in it; secrets belong into [http_connections]")
    query = f"?{quote(parts.query, safe=_QUERY)}" if parts.query else ""
    target = f"{quote(parts.path, safe=_PATH) or '/'}{query}"
    return Address(parts.scheme, host, port or {"http": 80, "https": 443}[parts.scheme], target)


def _with_query(address: Address, parameters: Mapping[str, Json]) -> Address:
    """QueryParameters after the query that the URL has; a list names its key again for each of its items."""
    members = _object(parameters.get("QueryParameters") or {}, "QueryParameters")
    pairs = [
        f"{quote(key, safe='')}={quote(value, safe='')}"
        for key, values in members.items()
        for value in _texts(values, f"The query parameter {key!r}")
    ]
    if not pairs:
        return address
    return replace(address, target=f"{address.target}{'&' if '?' in address.target else '?'}{'&'.join(pairs)}")


def _connection(parameters: Mapping[str, Json]) -> str | None:
    for name in ("InvocationConfig", "Authentication"):
        if parameters.get(name) is not None:
            arn = _object(parameters[name], name).get("ConnectionArn")
            if not isinstance(arn, str) or not arn:
                raise _refusal(f"{name} holds a ConnectionArn, which is text")
            return arn
    return None


def _headers(fields: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, values in fields.items():
        lower = name.lower()
        if not TOKEN.fullmatch(name):
            raise _refusal(f"Headers holds {name!r}, which is no name of a header")
        if lower in _FORBIDDEN or lower.startswith(_FORBIDDEN_PREFIXES):
            where = "; it belongs into [http_connections]" if lower == "authorization" else ""
            raise _refusal(f"The 'Headers' field contains unsupported values: [{lower}]{where}")
        for value in _texts(values, f"The header {name}"):
            if not is_clean(value):
                raise _refusal(f"The header {name} holds a control character")
            yield name, value


def _transform(parameters: Mapping[str, Json]) -> tuple[str, str]:
    """RequestBodyEncoding and ArrayFormat."""
    encoding = parameters.get("RequestBodyEncoding", "NONE")
    options = _object(parameters.get("RequestEncodingOptions") or {}, "RequestEncodingOptions")
    format = options.get("ArrayFormat", "INDICES")
    if encoding not in ("NONE", "URL_ENCODED"):
        raise _refusal(f"RequestBodyEncoding is NONE or URL_ENCODED, not {dumps(encoding)}")
    if format not in ARRAY_FORMATS:
        raise _refusal(f"ArrayFormat is one of {', '.join(ARRAY_FORMATS)}, not {dumps(format)}")
    return str(encoding), str(format)


def _body(value: Json, encoding: str, array_format: str, content_type: str | None) -> bytes | None:
    if value is None:
        return None
    if encoding == "URL_ENCODED":
        fields = _object(value, "RequestBody, to be URL_ENCODED,")
        pairs = [pair for key, inner in fields.items() for pair in _pairs(_form(key), inner, array_format)]
        return "&".join(f"{key}={inner}" for key, inner in pairs).encode()
    if isinstance(value, str) and content_type is not None and not is_json(content_type):
        return value.encode()
    return dumps(value).encode()


def is_json(content_type: str) -> bool:
    """Whether a Content-Type says that the body is JSON."""
    return _IS_JSON.fullmatch(content_type) is not None


def _pairs(key: str, value: Json, format: str) -> Iterator[tuple[str, str]]:
    """One member of a form, encoded. AWS: array[0]=a&array[1]=b, array=a&array=b, array=a,b, array[]=a&array[]=b."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _pairs(f"{key}[{_form(name)}]", inner, format)
    elif not isinstance(value, list):
        yield key, _form(_text(value))
    elif format == "COMMAS":
        yield key, ",".join(_form(_text(item)) for item in value)
    elif format == "NONE":
        yield key, _form(dumps(value))
    else:
        for i, item in enumerate(value):
            yield from _pairs({"INDICES": f"{key}[{i}]", "BRACKETS": f"{key}[]"}.get(format, key), item, format)


def _form(text: str) -> str:
    return quote_plus(text)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else dumps(value)


def _texts(value: Json, what: str) -> list[str]:
    """Text, a number or a boolean, or a list of them."""
    values = value if isinstance(value, list) else [value]
    if any(item is None or isinstance(item, (dict, list)) for item in values):
        raise _refusal(f"{what} is text, a number, a boolean or a list of them, not {dumps(value)[:80]}")
    return [_text(item) for item in values]


def _object(value: Json, what: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise _refusal(f"{what} is an object, not {dumps(value)[:80]}")
    return value


def _refusal(sentence: str) -> TaskError:
    return TaskError("States.Runtime", sentence)
