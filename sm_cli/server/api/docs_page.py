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
<html lang="en"><head><meta charset="utf-8"><title>REST API · sm</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
* { box-sizing: border-box } a { color: light-dark(#3d55d4, #93a7ff) }
body { margin: 0; background: light-dark(#f5f6f9, #0e131a); color: light-dark(#1a2130, #e4e9f1) }
main { max-width: 62rem; margin: auto; padding: 1.5rem 1rem 4rem } h1 { font-size: 1.6rem; margin: 0 0 .3rem }
h2 { font-size: 1.05rem; margin: 1.8rem 0 .6rem } h2::first-letter { text-transform: uppercase }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: .8rem 0 } p { margin: .4rem 0 }
details, pre, td, th { border: 0 solid light-dark(#dfe3ea, #273140) }
details { background: light-dark(#fff, #161d27); border-width: 1px } details + details { border-top-width: 0 }
details > :not(summary) { margin: .5rem 1rem } summary { cursor: pointer; padding: .5rem 1rem }
summary span { color: light-dark(#566072, #9aa5b6) }
:focus-visible { outline: 2.5px solid light-dark(#3d55d4, #93a7ff); outline-offset: 0 }
code, pre { font-family: ui-monospace, monospace; font-size: .88em; overflow-wrap: anywhere }
pre { overflow: auto; padding: .6rem; border-width: 1px; white-space: pre-wrap }
table { border-collapse: collapse; width: calc(100% - 2rem); font-size: .93em }
td, th { text-align: left; padding: .25rem .8rem .25rem 0; vertical-align: top; border-bottom-width: 1px }
</style></head><body><main><h1>REST API</h1>
<p>Every request of this server; programs read the same as <a href="/api/v1/openapi.json">OpenAPI 3.1</a>.
What goes wrong is a <a href="#ProblemAnswer"><code>ProblemAnswer</code></a>, <code>application/problem+json</code>.</p>
"""


@router.get("/docs")
async def show_docs(request: Request) -> HTMLResponse:
    """Every request with its parameters and its body."""
    return HTMLResponse(written_page(request.app.openapi(), has_ui=request.app.state.settings.has_ui))


def written_page(document: dict[str, Any], *, has_ui: bool = False) -> str:
    """An OpenAPI document as a page. has_ui: whether there is a dashboard that it leads back to."""
    by_tag: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            tag = operation.get("tags", ["other"])[-1]
            by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    sections = (
        f'<section id="{_anchor(tag)}"><h2>{escape(tag)}</h2>{"".join(parts)}</section>'
        for tag, parts in by_tag.items()
    )
    links = [f'<a href="#{_anchor(tag)}">{escape(tag)}</a>' for tag in (*by_tag, "documents")]
    links[:0] = ['<a href="/">Dashboard</a>'] if has_ui else []
    menu = f'<nav aria-label="Kinds of requests">{"".join(links)}</nav>'
    schemas = document.get("components", {}).get("schemas", {})
    models = "".join(
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_schema(schema)}</details>'
        for name, schema in sorted(schemas.items())
    )
    documents = f'<section id="documents"><h2>documents</h2>{models}</section>'
    return f"{_HEAD}{menu}{''.join(sections)}{documents}</main></body></html>"


def _anchor(tag: str) -> str:
    """A tag as the fragment of an address."""
    return escape(tag.replace(" ", "-"))


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f"<p>{escape(operation.get('description', ''))}</p>"]
    parameters = operation.get("parameters", [])
    if parameters:
        rows = "".join(
            f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}</td>"
            f"<td>{escape(each.get('description') or '')}</td></tr>"
            for each in parameters
        )
        heads = "".join(f'<th scope="col">{head}</th>' for head in ("Parameter", "In", "Meaning"))
        parts.append(f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        parts.append(f"<p>Body:</p>{_schema(body)}")
    for status, response in operation["responses"].items():
        if status != "default":
            contents = [_schema(each["schema"]) for each in response.get("content", {}).values() if each.get("schema")]
            parts.append(f"<p><code>{escape(status)}</code></p>{''.join(contents)}")
    head = f"<code>{method.upper()} {escape(path)}</code> <span>{escape(operation.get('summary', ''))}</span>"
    return f"<details><summary>{head}</summary>{''.join(parts)}</details>"


def _schema(schema: dict[str, Any]) -> str:
    """A schema as text, with links to the documents that it names."""
    if len(schema) == 1 and "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<p><a href="#{name}"><code>{name}</code></a></p>'
    text = escape(json.dumps(schema, indent=1))
    linked = _REFERENCE.sub(r'<a href="#\1">\1</a>', text)
    return f'<pre tabindex="0" aria-label="Schema">{linked}</pre>'
