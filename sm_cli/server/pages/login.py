"""The door of the dashboard: whoever types the token gets a cookie that no script reads and no other site sends."""

from __future__ import annotations

import time
from html import escape
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sm_cli.server.security.tokens import COOKIE, SESSION_SECONDS, is_token, new_session
from sm_cli.server.settings import ServerSettings

router = APIRouter()

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>sm: log in</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>sm</h1>{message}
<form method="post" action="/login"><input type="hidden" name="next" value="{next}">
<p><label>Token of this server <input type="password" name="token" autocomplete="current-password" required autofocus>
</label></p><p><button>Log in</button></p></form></main></body></html>
"""


@router.get("/login")
async def ask_for_token(next: str = "/") -> HTMLResponse:
    """The page that asks for the token."""
    return _page(next)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Give the browser a session when the token is right, and lead it to where it wanted to go."""
    settings: ServerSettings = request.app.state.settings
    form = parse_qs((await request.body()).decode(errors="replace"))
    next = _local_path(form.get("next", ["/"])[0])
    if settings.token is None:
        return RedirectResponse(next, 303)
    if not is_token(form.get("token", [""])[0], settings.token):
        return _page(next, '<p role="alert">This is not the token.</p>', 401)
    response = RedirectResponse(next, 303)
    response.set_cookie(
        COOKIE, new_session(settings.token, time.time()), max_age=SESSION_SECONDS, httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


@router.post("/logout")
async def log_out() -> Response:
    """End the session of this browser."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _page(next: str, message: str = "", status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(message=message, next=escape(_local_path(next), quote=True)), status)


def _local_path(path: str) -> str:
    """The path, when it leads to this server; `/` else."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_local else "/"
