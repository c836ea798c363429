"""How an answer is written."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from sm_cli.jsonvalue import Json


def answer_json(
    document: Json, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    """A JSON document; what views make needs no second look at its shape."""
    return Response(orjson.dumps(document), status, headers, media_type)
