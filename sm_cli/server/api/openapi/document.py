"""The document: what FastAPI knows of requests, and what `answers` knows of answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from sm_cli.server.api.acting import KEY_HEADER, REPLAYED_HEADER
from sm_cli.server.api.openapi.answers import ANSWERS
from sm_cli.server.api.openapi.parts import ProblemAnswer
from sm_cli.server.problems import MEDIA_TYPE

_REFERENCE = "#/components/schemas/{model}"
_JSON = "application/json"
#: What changes something, and so may carry a key.
_CHANGING = frozenset(["post", "put", "patch", "delete"])
#: The request that has a body and changes nothing.
_CHECKS = "post_validation"
_KEY = {
    "name": KEY_HEADER, "in": "header", "required": False,
    "description": "A text of its own for this request, which is done once however often it is sent.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}  # fmt: skip
_HEADERS = {
    "Location": "Where it is.",
    "ETag": "Of the definition.",
    "Link": "The address of the next page, `rel=next`.",
    REPLAYED_HEADER: "`true`: this was answered before.",
}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an app, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for item in document["paths"].values():
            for method, operation in item.items():
                _describe(method, operation, schemas)
        schemas["ProblemAnswer"] = _schema_of(ProblemAnswer, schemas)
        app.openapi_schema = document
    return app.openapi_schema


def _describe(method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    name = operation["operationId"]
    responses = operation["responses"]
    responses.pop("422", None)  # a bad parameter is a problem with status 400
    responses["default"] = {
        "description": "What went wrong.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="ProblemAnswer")}}},
    }
    for status, model in ANSWERS.get(name, {}).items():
        response = responses.setdefault(str(status), {"description": HTTPStatus(status).phrase})
        if model is not None:
            response["content"] = {_JSON: {"schema": _schema_of(model, schemas)}}
            response["headers"] = _headers(method, status, model)
    if method in _CHANGING and name in ANSWERS and name != _CHECKS:
        operation.setdefault("parameters", []).append(_KEY)


def _headers(method: str, status: int, model: Any) -> dict[str, Any]:
    names = []
    if status in (201, 202):
        names.append("Location")
    if getattr(model, "__name__", "").startswith(("VersionText", "Registration")):
        names.append("ETag")
    if getattr(model, "__name__", "").startswith("Page"):
        names.append("Link")
    if method in _CHANGING:
        names.append(REPLAYED_HEADER)
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


def _schema_of(model: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of a model; those of its parts are added to the document's."""
    schema = TypeAdapter(model).json_schema(ref_template=_REFERENCE, mode="serialization")
    schemas.update(schema.pop("$defs", {}))
    return schema
