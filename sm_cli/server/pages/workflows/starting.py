"""Starting an execution from a form."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.errors import NotFound, UsageError
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.acting import read_field
from sm_cli.server.pages.rendering import PageRoute, form_of, go_to, segment, show_page
from sm_cli.views.listing import ExecutionFilter, ExecutionPage, list_executions
from sm_cli.views.workflows.versions import aliases_of, versions_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: Bytes of an example that a form is filled with.
_EXAMPLE = 100_000


@router.get("/workflows/{name}/start")
async def start_page(request: Request, backend: TheBackend, name: str, like: str = "") -> Response:
    """The form that starts an execution, filled with the input of another one, or of the last."""

    def ask() -> dict[str, Any]:
        try:
            versions, aliases = versions_of(backend.store, name), aliases_of(backend.store, name)
        except NotFound:
            versions, aliases = [], []
            backend.engine.find_workflow(name)  # one of the project's files, which nobody started yet
        example, source = _example(backend, name, like)
        return {"name": name, "versions": versions, "aliases": aliases, "example": example, "source": source,
                "file": backend.library.file_of(name)}  # fmt: skip

    return show_page(request, "workflows/start.html", **await backend.read(ask))


def _example(backend: Backend, name: str, like: str) -> tuple[str, str]:
    """(an input, the name of the execution that it is from), or an empty object."""
    ref = like
    if not ref:
        last = list_executions(backend.store, ExecutionFilter(workflow=name), ExecutionPage(limit=1))
        ref = last[0].ref if last else ""
    if not ref:
        return "{}", ""
    execution = backend.engine.find(ref)
    text = orjson.dumps(execution.input, option=orjson.OPT_INDENT_2).decode()
    return (text, execution.name) if len(text) <= _EXAMPLE else ("{}", "")


@router.post("/workflows/{name}/start")
async def start(request: Request, backend: TheBackend, name: str) -> Response:
    """Start an execution, and lead to it."""
    form = await form_of(request)
    input = read_field(form.get("input", ""), "the input")
    qualifier = form.get("version", "").strip()
    tags = _tags(form.get("tags", ""))
    chosen, queue = form.get("name", "").strip() or None, form.get("queue", "").strip() or "default"
    engine = backend.engine
    reference = f"{name}:{qualifier}" if qualifier else name

    def act() -> str:
        workflow = engine.find_workflow(reference)
        execution, _, _ = engine.start(workflow, input, name=chosen, queue=queue, tags=tags)
        return execution.ref

    return go_to(request, f"/executions/{segment(await backend.change(act))}")


def _tags(text: str) -> dict[str, str]:
    """`name=value`, one a line or between commas. Raises UsageError."""
    tags: dict[str, str] = {}
    for part in text.replace("\n", ",").split(","):
        name, sign, value = part.strip().partition("=")
        if part.strip() and (not name or not sign):
            raise UsageError(f"a tag is NAME=VALUE, not {part.strip()!r}")
        if name:
            tags[name] = value
    return tags
