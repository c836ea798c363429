"""The page of REST at `/docs`: every request of the OpenAPI document, without a script and without another host."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_REFERENCE = re.compile("&quot;#/components/schemas/([A-Za-z_]+)&quot;")
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
<p>The same as <a href="/api/v1/openapi.json">OpenAPI 3.1</a>, for people. What goes wrong is a
<a href="#ProblemAnswer"><code>ProblemAnswer</code></a>, <code>application/problem+json</code>.</p>
"""


@router.get("/docs")
async def show_docs(request: Request) -> HTMLResponse:
    """Every request with its parameters and its body."""
    return HTMLResponse(written_page(request.app.openapi()))


def written_page(document: dict[str, Any]) -> str:
    """An OpenAPI document as a page."""
    by_tag: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            tag = operation.get("tags", ["other"])[-1]
            by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    sections = [f"<section><h2>{escape(tag)}</h2>{''.join(parts)}</section>" for tag, parts in by_tag.items()]
    schemas = document.get("components", {}).get("schemas", {})
    models = "".join(
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_schema(schema)}</details>'
        for name, schema in sorted(schemas.items())
    )
    return f"{_HEAD}{''.join(sections)}<section><h2>documents</h2>{models}</section></main></body></html>"


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
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
        parts.append(f"<p>Body:</p>{_schema(body)}")
    for status, response in operation["responses"].items():
        if status != "default":
            contents = [_schema(each["schema"]) for each in response.get("content", {}).values() if each.get("schema")]
            parts.append(f"<p><code>{escape(status)}</code></p>{''.join(contents)}")
    head = f"<code>{method.upper()} {escape(path)}</code> {escape(operation.get('summary', ''))}"
    return f"<details><summary>{head}</summary>{''.join(parts)}</details>"


def _schema(schema: dict[str, Any]) -> str:
    """A schema as text, with links to the documents that it names."""
    if len(schema) == 1 and "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<p><a href="#{name}"><code>{name}</code></a></p>'
    text = escape(json.dumps(schema, indent=1))
    linked = _REFERENCE.sub(r'<a href="#\1">\1</a>', text)
    return f"<pre>{linked}</pre>"
