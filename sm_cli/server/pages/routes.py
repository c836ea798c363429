"""All pages of the dashboard."""

from __future__ import annotations

from fastapi import APIRouter

from sm_cli.server.pages import login


def pages_router() -> APIRouter:
    """The routes for people."""
    router = APIRouter(include_in_schema=False)
    router.include_router(login.router)
    return router
