"""The editor of definitions, with the validator behind it: what is wrong, and how it is drawn, as one types."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.asl.graph.graph import graph_of
from sm_cli.asl.text.source import parse
from sm_cli.asl.validation.validate import check
from sm_cli.engine.engine import prepare
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.errors import InvalidDefinition, NotFound
from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json
from sm_cli.server.backend import TheBackend
from sm_cli.server.pages.pictures import graph_document
from sm_cli.server.pages.rendering import PageRoute, form_of, notice, segment, show_page
from sm_cli.server.pages.workflows.files import file_of_workflow, file_sentence
from sm_cli.server.pages.workflows.texts import readable_text
from sm_cli.views.workflows.diagnostics import diagnostic_document
from sm_cli.views.workflows.versions import version_text

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_NEW = """{
  "Comment": "What this workflow does",
  "StartAt": "First",
  "States": {
    "First": { "Type": "Pass", "End": true }
  }
}
"""


@router.get("/new-workflow")
async def new_page(request: Request) -> Response:
    """The editor with a beginning of a workflow."""
    return show_page(request, "workflows/edit.html", name="", text=_NEW, format="json", number=None, file=None)


@router.get("/workflows/{name}/edit")
async def edit_page(request: Request, backend: TheBackend, name: str, version: int | None = None) -> Response:
    """The editor with a version's text."""

    def ask() -> dict[str, Any]:
        file = file_of_workflow(backend.library, name)
        reference = WorkflowReference(name, None if version is None else str(version))
        try:
            row, definition = version_text(backend.store, reference)
        except NotFound:
            if file is None or version is not None:
                raise
            return {"name": name, "text": file.text, "format": file.format, "number": None, "file": file}
        return {
            "name": name,
            "text": readable_text(definition),
            "format": definition.format,
            "number": row.version.number,
            "file": file,
        }

    return show_page(request, "workflows/edit.html", **await backend.read(ask))


@router.post("/check-definition")
async def check_definition(request: Request, backend: TheBackend) -> Response:
    """What is wrong with a text, and its drawing, as one types."""
    form = await form_of(request)
    return answer_json(await backend.read(lambda: check_text(form.get("text", ""))))


def check_text(text: str) -> dict[str, Json]:
    """Problems and drawing of a text; the drawing is null where there is nothing to draw."""
    document, diagnostics = check(text)
    problems: list[Json] = [diagnostic_document(problem) for problem in diagnostics]
    drawing = None if document is None else graph_document(graph_of(document.value))
    return {"problems": problems, "drawing": drawing}


@router.post("/save-workflow")
async def save(request: Request, backend: TheBackend) -> Response:
    """Register the text as a version of its name, and make it the current one. Raises InvalidDefinition."""
    form = await form_of(request)
    name, text = form.get("name", "").strip(), form.get("text", "")
    parsed = parse(text, file=name or None)
    document = parsed.document
    if document is None:
        raise InvalidDefinition(parsed.diagnostics)

    def act() -> tuple[int, bool]:
        registration = backend.engine.workflows.register(prepare(document, name))
        return registration.number, registration.is_new

    number, is_new = await backend.change(act)
    what = "is saved" if is_new else "has this text already"
    shadow = file_sentence(backend.library, name)
    text = f"{name}:{number} {what}.{shadow}" if shadow else f"{name}:{number} {what}; {name} means it from now on."
    return notice(request, text, link=f"/workflows/{segment(name)}")
