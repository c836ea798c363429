"""The door of the dashboard: whoever types the token gets a cookie that no script reads and no other site sends."""

from __future__ import annotations

import time
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sm_cli.server.pages.rendering import show_page
from sm_cli.server.security.tokens import COOKIE, SESSION_SECONDS, is_token, new_session
from sm_cli.server.settings import ServerSettings

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def ask_for_token(request: Request, next: str = "/") -> HTMLResponse:
    """The page that asks for the token."""
    return _page(request, next)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Give the browser a session when the token is right, and lead it to where it wanted to go."""
    settings: ServerSettings = request.app.state.settings
    form = parse_qs((await request.body()).decode(errors="replace"))
    next = _local_path(form.get("next", ["/"])[0])
    if settings.token is None:
        return RedirectResponse(next, 303)
    if not is_token(form.get("token", [""])[0], settings.token):
        return _page(request, next, "This is not the token.", 401)
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


def _page(request: Request, next: str, message: str = "", status: int = 200) -> HTMLResponse:
    return show_page(request, "login.html", status, message=message, next=_local_path(next))


def _local_path(path: str) -> str:
    """The path, when it leads to this server; `/` else."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_local else "/"
