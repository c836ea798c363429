"""How REST reads requests: JSON exactly, and of the kind that was said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import loads_exact
from sm_cli.server.api.links import API
from sm_cli.server.problems import Refusal

_JSON = "application/json"


class UnreadableBody(HTTPException):
    """FastAPI lets errors of this kind through while it reads a body; `error` is what went wrong."""

    def __init__(self, error: InvalidJson) -> None:
        super().__init__(400, error.message)
        self.error = error


class ExactRequest(Request):
    """A request whose JSON is read as all JSON of people and programs is: nothing is rounded, no key is lost."""

    async def json(self) -> Any:
        """The body. Raises UnreadableBody."""
        try:
            return loads_exact(await self.body(), what="the body")
        except InvalidJson as e:
            raise UnreadableBody(e) from None


class RestRoute(APIRoute):
    """A route that takes JSON and nothing else."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The route's function behind the reading of its body."""
        answer = super().get_route_handler()

        async def read_and_answer(request: Request) -> Response:
            exact = ExactRequest(request.scope, request.receive)  # which keeps the body that it has read
            if self.body_field is not None and await exact.body():
                _check_media_type(request.headers.get("content-type", ""))
            return await answer(exact)

        return read_and_answer


def _check_media_type(header: str) -> None:
    media_type = header.partition(";")[0].strip().lower()
    if media_type != _JSON and not media_type.endswith("+json"):
        what = f"not {media_type}" if media_type else "and the request does not say what it has"
        raise Refusal(415, "UnsupportedMediaType", f"the body has to be {_JSON}, {what}")


def operation_id(route: APIRoute) -> str:
    """What the OpenAPI document calls a request: as its function is called."""
    return route.name


def rest_router(tag: str) -> APIRouter:
    """A router of such routes. tag: what the docs call its kind of resource."""
    return APIRouter(prefix=API, tags=[tag], route_class=RestRoute, generate_unique_id_function=operation_id)
