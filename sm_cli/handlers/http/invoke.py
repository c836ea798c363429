"""http:invoke: a Task calls an HTTP endpoint, as AWS's HTTP Task does.

Only hosts that the configuration allows, also after a redirect. A call ends after 60 seconds, or as soon as
nobody waits for it. In its result and its cause the secrets of a connection are masked, in the forms that
`settings.forms_of` gives; what it logs is method, scheme, host, port and status.

    {"Headers": {"content-type": ["application/json"]}, "ResponseBody": …, "StatusCode": 200, "StatusText": "OK"}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from sm_cli._version import __version__
from sm_cli.errors import TaskError
from sm_cli.handlers.handler import Context, Handler
from sm_cli.handlers.http.settings import HttpSettings
from sm_cli.jsonvalue import Json, dumps

if TYPE_CHECKING:
    import ssl

    from sm_cli.handlers.http.exchange import Answer
    from sm_cli.handlers.http.request import Request

#: Seconds for a whole call, whatever TimeoutSeconds says; AWS's limit.
TIME_LIMIT = 60.0
#: Bytes of a response. AWS takes 256 KiB.
SIZE_LIMIT = 10_000_000
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
#: Characters of a cause; AWS's limit.
_CAUSE = 32_768
_BINARY = re.compile(r"(?:image|video|audio)/|application/octet-stream", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)


def http_invoke(settings: HttpSettings, *, time_limit: float = TIME_LIMIT, size_limit: int = SIZE_LIMIT) -> Handler:
    """The handler of `arn:aws:states:::http:invoke`.

    Its errors: States.Http.StatusCode.NNN for an answer from 400 on, the body being the cause; States.Http.Socket when
    there is no whole answer; States.Permissions for a host that is not allowed; States.DataLimitExceeded for too long
    an answer; States.Runtime for a request or an answer that AWS would not take; Events.ConnectionResource.… for a
    connection that cannot be used.
    What it returns raises TaskError under the names that a Retry and a Catch are asked for.
    """

    @cache
    def tls() -> ssl.SSLContext:
        import ssl

        return ssl.create_default_context()

    def invoke(parameters: Json, context: Context) -> Json:
        from sm_cli.handlers.http.request import read_request

        request = read_request(parameters, settings, context.idempotency_key, f"sm/{__version__}")
        secrets = request.credentials.secrets
        try:
            return _result(_final(request, settings, tls, context, time_limit, size_limit), secrets)
        except TaskError as e:
            raise TaskError(e.error, str(_without(e.cause, secrets))) from None

    return Handler("http:invoke", invoke)


def _final(
    request: Request,
    settings: HttpSettings,
    tls: Callable[[], ssl.SSLContext],
    context: Context,
    time_limit: float,
    size_limit: int,
) -> Answer:
    """The answer at the end of all redirects."""
    from sm_cli.handlers.http.exchange import Limit, exchange

    with Limit(time_limit, context) as limit:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = exchange(request, tls, limit, size_limit)
            context.logger.debug("%s %s answered %d", request.method, request.address.origin, answer.status)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            request = request.redirect(answer.status, location[0])
            address = request.address
            settings.check(address.scheme, address.host, address.port)
    raise TaskError(
        f"States.Http.StatusCode.{answer.status}",
        f"redirected more than {_MOST_REDIRECTS} times, last to {request.address.origin}",
    )


def _result(answer: Answer, secrets: tuple[str, ...]) -> Json:
    """The Task's result. Raises TaskError for an error of the server, and for what is no text."""
    content_type = next(iter(answer.headers.get("content-type", [])), "")
    text = None if _BINARY.match(content_type) and answer.body else _decode(answer.body, content_type)
    if answer.status >= 400:
        message = text or f"{answer.status} {answer.reason}"
        raise TaskError(f"States.Http.StatusCode.{answer.status}", str(_without(message, secrets))[:_CAUSE])
    if text is None:
        kind = content_type.partition(";")[0] or "of no type"
        raise TaskError("States.Runtime", f"the answer ({kind}) is not text, and http:invoke takes text and JSON only")
    headers: dict[str, Json] = {name: list(values) for name, values in answer.headers.items()}
    document: dict[str, Json] = {
        "Headers": headers, "ResponseBody": _parse_body(text, content_type), "StatusCode": answer.status,
        "StatusText": answer.reason,
    }  # fmt: skip
    return _without(document, secrets)


def _decode(body: bytes, content_type: str) -> str | None:
    match = _CHARSET.search(content_type)
    try:
        return body.decode(match[1] if match else "utf-8-sig")
    except (UnicodeDecodeError, LookupError):
        return None


def _parse_body(text: str, content_type: str) -> Json:
    """JSON when the server says so or says nothing, and it is; else the text. Numbers become what a double holds."""
    from sm_cli.handlers.http.request import is_json
    from sm_cli.jsonvalue import loads

    if content_type and not is_json(content_type):
        return text
    try:
        value: Json = loads(text)
    except ValueError:
        return text
    return value


def _without(value: Json, secrets: tuple[str, ...]) -> Json:
    """The same with `[hidden]` for each form of a secret that a server has sent back."""
    if not secrets:
        return value
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "[hidden]")
        return value
    if isinstance(value, list):
        return [_without(item, secrets) for item in value]
    if isinstance(value, dict):
        return {str(_without(key, secrets)): _without(item, secrets) for key, item in value.items()}
    # A key that consists of digits may come back as a number.
    return "[hidden]" if dumps(value) in secrets else value
