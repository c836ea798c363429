"""The guard before every route: host, origin, token, body; and the headers of every answer.

One plain ASGI middleware, because each layer of another kind costs a request a tenth of a millisecond.
"""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sm_cli.server.problems import Refusal, aws_refusal, problem_response
from sm_cli.server.security.bodies import ClientGone, read_body, receive_again
from sm_cli.server.security.headers import add_headers
from sm_cli.server.security.heads import answer_head
from sm_cli.server.security.hosts import check_host, host_names
from sm_cli.server.security.origins import check_origin_of
from sm_cli.server.security.tokens import check_token_of
from sm_cli.server.settings import ServerSettings

log = logging.getLogger("sm.server")

#: Whoever asks whether the server lives is told so, and nothing else; and the door has to be seen to be opened.
_OPEN = frozenset(("/healthz", "/readyz", "/login"))
_STATIC = "/static/"
_LOGIN = "/login"


class Guard:
    """Lets a request in, or answers it."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self.app = app
        self.settings = settings
        self.names = host_names(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                add_headers(MutableHeaders(scope=message))
            await send(message)

        headers = Headers(scope=scope)
        try:
            self._check(scope, headers)
            body = await read_body(receive, headers, self.settings.most_body, self.settings.body_seconds)
            take = receive if body is None else receive_again(body, receive)
            if scope["method"] == "HEAD":
                await answer_head(self.app, scope, take, answer)
            else:
                await self.app(scope, take, answer)
        except Refusal as refusal:
            response = aws_refusal(refusal) if "x-amz-target" in headers else self._refused(scope, headers, refusal)
            await response(scope, receive, answer)
        except ClientGone:
            return
        except Exception as bug:
            response = problem_response(bug)  # which logs it
            if status == 0:
                await response(scope, receive, answer)
        finally:
            if log.isEnabledFor(logging.DEBUG):
                _log(scope, status, time.perf_counter() - start)

    def _check(self, scope: Scope, headers: Headers) -> None:
        check_host(headers.getlist("host"), self.names)
        check_origin_of(scope["method"], headers, self.settings.origins)
        token, path = self.settings.token, scope["path"]
        if token is None or path in _OPEN or path.startswith(_STATIC) or _is_preflight(scope, headers):
            return
        check_token_of(headers, token)

    def _refused(self, scope: Scope, headers: Headers, refusal: Refusal) -> ASGIApp:
        """A person who is not known yet is led to the door."""
        wants_page = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
        if refusal.status == 401 and wants_page and self.settings.has_ui:
            from urllib.parse import quote

            from starlette.responses import RedirectResponse

            query = scope["query_string"].decode("latin-1")
            wanted = f"{scope['path']}?{query}" if query else scope["path"]
            return RedirectResponse(f"{_LOGIN}?next={quote(wanted)}", 303)
        return problem_response(refusal)


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    """Whether a browser asks if it may ask: it never carries a token."""
    return scope["method"] == "OPTIONS" and "access-control-request-method" in headers


def _log(scope: Scope, status: int, seconds: float) -> None:
    """The route, not the path: names and ids are data."""
    route = getattr(scope.get("route"), "path", "(no route)")
    log.debug("%s %s: %d in %.1f ms", scope["method"], route, status, seconds * 1000)
