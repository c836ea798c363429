"""What goes wrong, as a document: RFC 9457's problem+json, with the name of the error in our tree as `code`."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from sm_cli.asl.validation.nearest import did_you_mean
from sm_cli.errors import (
    Conflict,
    DatabaseAway,
    DatabaseBusy,
    DatabaseError,
    InvalidDefinition,
    InvalidJson,
    KeyReused,
    NotDelivered,
    NotFound,
    SmError,
    StillRunning,
    UsageError,
)
from sm_cli.jsonvalue import Json
from sm_cli.views.workflows.diagnostics import diagnostic_document

log = logging.getLogger("sm.server")

MEDIA_TYPE = "application/problem+json"
#: The status of each branch of the tree of errors; the first that fits. What is not here is a bug of ours.
_STATUSES: tuple[tuple[type[SmError], int], ...] = (
    (InvalidDefinition, 400),
    (UsageError, 400),
    (NotFound, 404),
    (KeyReused, 422),
    (Conflict, 409),
    (NotDelivered, 409),
    (StillRunning, 409),
    (DatabaseError, 503),
)
#: Seconds after which it may be tried again.
_RETRY_AFTER = "1"
#: Which request shows what there is, by an error's topic.
_REQUESTS = {
    "workflow": "GET /api/v1/workflows",
    "version": "GET /api/v1/workflows/{workflow}/versions",
    "alias": "GET /api/v1/workflows/{workflow}/aliases",
    "execution": "GET /api/v1/executions",
    "batch": "GET /api/v1/batches",
    "map run": "GET /api/v1/map-runs",
    "message": "GET /api/v1/messages",
    "schedule": "GET /api/v1/schedules",
}
#: So many faults of one request are named.
_MOST_FAULTS = 5
#: What pydantic says in words of Python.
_FAULTS = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such member",
    "model_attributes_type": "it has to be a JSON object",
}
#: What pydantic calls the kinds of a union, as the last part of a place.
_KINDS = {"str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false"}
#: Where it is written what a request takes.
SEE_DOCS = "/docs shows every request with what it takes."


class Refusal(Exception):
    """A request that is not even looked at: its status, its code, why, as one sentence, and what would help."""

    def __init__(
        self, status: int, code: str, detail: str, headers: dict[str, str] | None = None, *, hint: str | None = None
    ) -> None:
        super().__init__(detail)
        self.hint = hint
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}


def status_of(error: BaseException) -> int:
    """The HTTP status that an error means."""
    if isinstance(error, Refusal):
        return error.status
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def problem_document(status: int, code: str, detail: str, **more: Json) -> dict[str, Json]:
    """Type, title, status, detail and code, and what belongs to this kind of problem."""
    return {
        "type": f"urn:sm:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }


def problem_of(error: BaseException) -> dict[str, Json]:
    """What a client is told of an error. A bug of ours is named by its type, and nothing of its data is told."""
    status = status_of(error)
    if isinstance(error, Refusal):
        help: dict[str, Json] = {} if error.hint is None else {"hint": error.hint}
        return problem_document(status, error.code, error.detail, **help)
    if not isinstance(error, SmError):
        return problem_document(500, "Bug", f"this is a bug in sm: {type(error).__name__}")
    more: dict[str, Json] = {} if error.hint is None else {"hint": error.hint}
    if isinstance(error, InvalidDefinition):
        more["diagnostics"] = [diagnostic_document(diagnostic) for diagnostic in error.diagnostics]
    if isinstance(error, InvalidJson) and error.line is not None:
        more["line"], more["column"] = error.line, error.column
    return problem_document(status, type(error).__name__, error.message, **more)


def problem_response(error: BaseException) -> Response:
    """The answer to a request that ended in an error; what is our own bug is logged with its traceback."""
    document = problem_of(error)
    if isinstance(error, NotFound) and error.topic in _REQUESTS:
        lists = f"{_REQUESTS[error.topic]} shows what there is."
        document["hint"] = lists if error.hint is None else f"{error.hint} {lists}"
    status = document["status"]
    assert isinstance(status, int)
    if status == 500:
        log.error("a request ended in a bug", exc_info=error)
    return Response(orjson.dumps(document), status, problem_headers(error), MEDIA_TYPE)


def problem_headers(error: BaseException) -> dict[str, str]:
    """The headers that an answer to an error has beside the usual ones."""
    headers = dict(error.headers) if isinstance(error, Refusal) else {}
    if isinstance(error, DatabaseBusy | DatabaseAway):
        headers["Retry-After"] = _RETRY_AFTER
    return headers


def aws_refusal(refusal: Refusal) -> Response:
    """As AWS's clients read a refusal, which comes before anybody looked at the operation."""
    kind = {401: "UnrecognizedClientException", 403: "AccessDeniedException", 413: "RequestEntityTooLargeException"}
    body: dict[str, Any] = {"__type": kind.get(refusal.status, "ValidationException"), "message": refusal.detail}
    return Response(orjson.dumps(body), refusal.status, refusal.headers, "application/x-amz-json-1.0")


def validation_refusal(error: RequestValidationError) -> Refusal:
    """What is wrong with the parameters or the body of a request, in one sentence."""
    sentences, hint = [], None
    for each in _merged(error.errors())[:_MOST_FAULTS]:
        where, *path = (str(part) for part in each["loc"])
        place = f"{where} {'/'.join(path)}" if path else where
        sentences.append(f"{place}: {_FAULTS.get(each['type'], each['msg'])}")
        hint = hint or _near_word(each)
    return Refusal(400, "UsageError", "; ".join(sentences), hint=hint or SEE_DOCS)


def _merged(faults: Sequence[Any]) -> list[Any]:
    """One fault for a value that may be of several kinds and is of none: there is one of each kind in a row."""
    merged: list[Any] = []
    for fault in faults:
        *place, kind = fault["loc"]
        if kind not in _KINDS:
            merged.append(fault)
        elif merged and merged[-1]["loc"] == tuple(place):
            merged[-1]["msg"] += f" or {_KINDS[kind]}"
        else:
            merged.append({**fault, "loc": tuple(place), "type": "kind", "msg": f"it has to be {_KINDS[kind]}"})
    return merged


def _near_word(fault: dict[str, Any]) -> str | None:
    """What was meant, where one of a few words is expected and another one is given."""
    word, words = fault["input"], re.findall(r"'([^']+)'", str(fault.get("ctx", {}).get("expected", "")))
    return did_you_mean(word, words) if isinstance(word, str) else None
