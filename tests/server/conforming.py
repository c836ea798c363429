"""Holds every answer that a test gets from REST against the OpenAPI document: so the document cannot lie."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from sm_cli.server.api.links import API
from sm_cli.server.api.openapi.document import openapi_document
from sm_cli.server.api.routes import api_routes


@cache
def document() -> dict[str, Any]:
    """The document of REST; the same for every server."""
    app = FastAPI(title="sm", version="0")
    app.router.routes.extend(api_routes())
    return openapi_document(app)


@cache
def _routes() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Pattern of the path and operations by method; a path without variables before others."""
    paths = sorted(document()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), item) for path, item in paths]


@cache
def _validator(operation: str, status: str, media_type: str) -> Draft202012Validator:
    (responses,) = (
        each["responses"] for item in document()["paths"].values() for each in item.values()
        if each["operationId"] == operation
    )  # fmt: skip
    schema = responses[status]["content"][media_type]["schema"]
    return Draft202012Validator({**schema, "components": document()["components"]})


def check(response: httpx.Response) -> None:
    """A hook of httpx: the answer is one that the document has for this request and status."""
    request = response.request
    path = request.url.raw_path.decode().partition("?")[0]
    operation = next(
        (item[request.method.lower()] for pattern, item in _routes()
         if pattern.fullmatch(path) and request.method.lower() in item),
        None,
    )  # fmt: skip
    if operation is None or path == f"{API}/openapi.json":
        return
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if media_type == "text/event-stream":
        return
    check_answer(operation["operationId"], response.status_code, media_type, response.read())


def check_answer(operation: str, status: int, media_type: str, body: bytes) -> None:
    """Raises AssertionError for an answer that the document does not have."""
    what = f"{operation} answered {status}"
    responses = next(
        each["responses"] for item in document()["paths"].values() for each in item.values()
        if each["operationId"] == operation
    )  # fmt: skip
    key = str(status) if status < 400 else "default"
    assert key in responses, f"{what}, which the document does not have"
    content = responses[key].get("content")
    if content is None:
        assert not body, f"{what} with a body, and the document has none"
        return
    assert media_type in content, f"{what} with {media_type}, and the document has {', '.join(content)}"
    if not media_type.endswith("json") or not content[media_type].get("schema"):
        return
    errors = _validator(operation, key, media_type).iter_errors(httpx.Response(200, content=body).json())
    assert [f"{what}: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in errors] == []
