"""`POST /`: one operation of AWS Step Functions for each request, named by X-Amz-Target."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json

MEDIA_TYPE = "application/x-amz-json-1.0"


def aws_router() -> APIRouter:
    """The one route of AWS's protocol."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/", answer_operation, methods=["POST"])
    return router


async def answer_operation(request: Request) -> Response:
    """The operation's answer, or AWS's exception."""
    target = request.headers.get("x-amz-target", "")
    return aws_error("UnknownOperationException", f"there is no operation {target.rpartition('.')[2]!r}")


def aws_error(kind: str, message: str) -> Response:
    """An exception as AWS's clients read it."""
    document: Json = {"__type": kind, "message": message}
    return answer_json(document, 400, media_type=MEDIA_TYPE)
