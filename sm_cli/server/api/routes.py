"""All of `/api/v1`."""

from __future__ import annotations

from fastapi import APIRouter


def api_router() -> APIRouter:
    """The routes of REST, in the order in which the docs have them."""
    return APIRouter(prefix="/api/v1")
