"""Requests that change something: what they do, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from fastapi import Request
from starlette.responses import Response

from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json
from sm_cli.server.backend import Backend


class Reply(NamedTuple):
    """What a request is answered with."""

    #: The body.
    document: Json
    #: The HTTP status.
    status: int = 200
    #: Beside the usual ones.
    headers: Mapping[str, str] = {}

    def response(self) -> Response:
        """As it goes over the line."""
        return answer_json(self.document, self.status, self.headers)


async def perform(_request: Request, backend: Backend, act: Callable[[], Reply]) -> Response:
    """Do what a request asks for, in its turn. Raises what the act raises."""
    return (await backend.change(act)).response()
