"""The page of REST at `/docs`: every request of the OpenAPI document, without a script and without another host."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>sm: REST</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: auto; padding: 1rem }
summary { cursor: pointer; padding: .3rem 0 } code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow: auto; padding: .5rem; border: 1px solid } table { border-collapse: collapse }
td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top }
</style></head><body><main><h1>REST</h1>
<p>The same as <a href="/api/v1/openapi.json">OpenAPI 3.1</a>, for people.</p>
"""


@router.get("/docs")
async def show_docs(request: Request) -> HTMLResponse:
    """Every request with its parameters and its body."""
    return HTMLResponse(written_page(request.app.openapi()))


def written_page(document: dict[str, Any]) -> str:
    """An OpenAPI document as a page."""
    schemas = document.get("components", {}).get("schemas", {})
    by_tag: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            tag = operation.get("tags", ["other"])[-1]
            by_tag.setdefault(tag, []).append(_operation(method, path, operation, schemas))
    sections = (f"<section><h2>{escape(tag)}</h2>{''.join(parts)}</section>" for tag, parts in by_tag.items())
    return f"{_HEAD}{''.join(sections)}</main></body></html>"


def _operation(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    parts = [f"<p>{escape(operation.get('description', ''))}</p>"]
    parameters = operation.get("parameters", [])
    if parameters:
        rows = "".join(
            f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}</td>"
            f"<td>{escape(each.get('description') or '')}</td></tr>"
            for each in parameters
        )
        parts.append(f"<table><tr><th>Parameter</th><th>In</th><th></th></tr>{rows}</table>")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        name = body.get("$ref", "").rpartition("/")[2]
        parts.append(f"<pre>{escape(json.dumps(schemas.get(name, body), indent=1))}</pre>")
    head = f"<code>{method.upper()} {escape(path)}</code> {escape(operation.get('summary', ''))}"
    return f"<details><summary>{head}</summary>{''.join(parts)}</details>"
