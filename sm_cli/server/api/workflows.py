"""Workflows: their texts, versions, aliases; what differs, and what is wrong with a definition."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Header, Path, Query, Request
from starlette.responses import PlainTextResponse, Response

from sm_cli.asl.editor.json_schema import editor_schema
from sm_cli.asl.validation.validate import check
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.errors import NotFound, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.project.definitions import files_by_name
from sm_cli.server.answers import answer_json
from sm_cli.server.api.acting import Reply, perform
from sm_cli.server.api.bodies import AliasBody, DefinitionBody, RegisterBody, RollbackBody
from sm_cli.server.api.definitions import workflow_from
from sm_cli.server.api.links import path_to
from sm_cli.server.api.paging import (
    Cursor,
    Limit,
    after_name,
    cursor_text,
    name_of_cursor,
    number_of_cursor,
    page_response,
)
from sm_cli.server.api.routing import rest_router
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.problems import Refusal
from sm_cli.views.workflows.diagnostics import diagnostic_document
from sm_cli.views.workflows.versions import (
    alias_document,
    aliases_of,
    definition_value,
    differences,
    list_workflows,
    version_before,
    version_document,
    version_text,
    versions_of,
    workflow_document,
)

router = rest_router("workflows")

_Number = Annotated[int, Path(ge=1, le=2**31, description="The version's number.")]
_IfNone = Annotated[str | None, Header(description="ETags of what the client has: 304 when it is still that.")]
_If = Annotated[str | None, Header(description="The ETag of the current version: 412 when it is another by now.")]
_Unless = Annotated[
    str | None,
    Header(alias="If-None-Match", description="`*`: 412 when there is a version; ETags: when it is one of these."),
]


@router.get("/workflows", summary="List workflows")
async def get_workflows(request: Request, backend: TheBackend, limit: Limit = 1000, cursor: Cursor = None) -> Response:
    """`items`, by name: those of the database and those of the project's files, which `has_file` says."""
    after = name_of_cursor(cursor, "workflows")

    def ask() -> tuple[list[Json], str | None]:
        rows = {row.name: row for row in list_workflows(backend.store)}
        files = files_by_name(backend.library.folder)
        names, last = after_name([(name, name) for name in sorted({*rows, *files})], after, limit)
        items: list[Json] = []
        for name in names:
            none: dict[str, Json] = {
                "name": name,
                "version": None,
                "version_count": 0,
                "aliases": {},
                "registered": None,
            }
            items.append({**(workflow_document(rows[name]) if name in rows else none), "has_file": name in files})
        return items, None if last is None else cursor_text("workflows", last)

    return page_response(request, *await backend.read(ask))


@router.post("/workflows", status_code=201, summary="Register a definition")
async def post_workflow(
    body: RegisterBody, request: Request, backend: TheBackend, if_match: _If = None, unless_match: _Unless = None
) -> Response:
    """The text becomes the version that the bare name means: 201, or 200 when it was one already. 400 with
    `diagnostics` when it cannot run."""
    act = partial(_register, backend, body, if_match, unless_match)
    return await perform(request, backend, act, is_whole=if_match is not None or unless_match is not None)


def _register(backend: Backend, body: RegisterBody, if_match: str | None, unless_match: str | None) -> Reply:
    name, alias = body.name, body.alias
    workflow = workflow_from(body.definition, name)
    if if_match is not None and not _is_among(_current_tag(backend, name), _tags(if_match)):
        raise Refusal(412, "PreconditionFailed", f"the current version of {name} is not the one that If-Match names")
    if unless_match is not None and _is_among(_current_tag(backend, name), _tags(unless_match)):
        raise Refusal(412, "PreconditionFailed", f"{name} has a version that If-None-Match excludes")
    registration = backend.engine.workflows.register(workflow, alias)
    document: Json = {
        "workflow": name,
        "version": registration.number,
        "new": registration.is_new,
        "alias": alias,
    }
    headers = {
        "Location": path_to("workflows", name, "versions", str(registration.number)),
        "ETag": _tag(workflow.program.digest),
    }
    return Reply(document, 201 if registration.is_new else 200, headers)


def _current_tag(backend: Backend, name: str) -> str | None:
    try:
        row, _ = version_text(backend.store, WorkflowReference(name, None))
    except NotFound:
        return None
    return _tag(row.version.digest)


def _is_among(current: str | None, tags: set[str]) -> bool:
    """Whether a version that there is has one of these tags; `*` is any."""
    return current is not None and ("*" in tags or current in tags)


def _tag(digest: str) -> str:
    return f'"{digest}"'


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


@router.get("/workflows/{workflow}", summary="Show a workflow's current version")
async def get_workflow(workflow: str, backend: TheBackend, if_none_match: _IfNone = None) -> Response:
    """The version that the bare name means, with its definition as `text`; `ETag` is of the definition."""
    return await _version_response(backend, WorkflowReference(workflow, None), if_none_match)


@router.get("/workflows/{workflow}/versions", summary="List the versions of a workflow")
async def get_versions(
    workflow: str, request: Request, backend: TheBackend, limit: Limit = 1000, cursor: Cursor = None
) -> Response:  # fmt: skip
    """`items`, the highest number first, with the executions that run each now, and `next`."""
    before = number_of_cursor(cursor, "versions")
    rows = await backend.read(lambda: versions_of(backend.store, workflow, limit, before))
    following = cursor_text("versions", rows[-1].version.number) if len(rows) == limit else None
    return page_response(request, [version_document(row) for row in rows], following)


@router.get("/workflows/{workflow}/versions/{version}", summary="Show a version of a workflow")
async def get_version(workflow: str, version: str, backend: TheBackend, if_none_match: _IfNone = None) -> Response:
    """By its number or an alias: the version with its definition as `text`; `ETag` is of the definition."""
    return await _version_response(backend, WorkflowReference(workflow, version), if_none_match)


async def _version_response(backend: Backend, reference: WorkflowReference, if_none_match: str | None) -> Response:
    def ask() -> tuple[str, dict[str, Json]]:
        row, definition = version_text(backend.store, reference)
        document = {**version_document(row), "format": definition.format, "definition": definition_value(definition)}
        return _tag(row.version.digest), document

    tag, document = await backend.read(ask)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if if_none_match is not None and ({tag, "*"} & _tags(if_none_match)):
        return Response(status_code=304, headers=headers)
    return answer_json(document, 200, headers)


@router.delete("/workflows/{workflow}", summary="Delete a workflow")
async def delete_workflow(workflow: str, request: Request, backend: TheBackend) -> Response:
    """All its versions and aliases go; closed executions keep their text. 409 while an open execution needs it."""
    return await _delete(request, backend, workflow, None)


@router.delete("/workflows/{workflow}/versions/{version}", summary="Delete a version of a workflow")
async def delete_version(workflow: str, version: _Number, request: Request, backend: TheBackend) -> Response:
    """409 while an open execution runs it, or an alias means it."""
    return await _delete(request, backend, workflow, version)


async def _delete(request: Request, backend: Backend, workflow: str, version: int | None) -> Response:
    def act() -> Reply:
        versions = backend.engine.workflows.delete(workflow, version)
        return Reply({"workflow": workflow, "deleted": [each.number for each in versions]})

    return await perform(request, backend, act)


@router.get("/workflows/{workflow}/diff", summary="What two versions differ in")
async def get_diff(
    workflow: str, backend: TheBackend,
    before: Annotated[str | None, Query(description="A number or an alias; the version before unless given.")] = None,
    after: Annotated[str | None, Query(description="A number or an alias; the current version unless given.")] = None,
) -> Response:  # fmt: skip
    """`version_before` and `version_after`: their numbers. `items`: JSON pointer, and what stands `before` and `after`;
    null where there is nothing. 404 when there is no version before."""

    def ask() -> Json:
        second = WorkflowReference(workflow, after)
        first = version_before(backend.store, second) if before is None else WorkflowReference(workflow, before)
        (one, old), (other, new) = (version_text(backend.store, each) for each in (first, second))
        changes = differences(definition_value(old), definition_value(new))
        return {
            "version_before": one.version.number,
            "version_after": other.version.number,
            "items": [{"pointer": c.pointer, "before": c.before, "after": c.after} for c in changes],
            "next": None,
        }

    return answer_json(await backend.read(ask))


@router.get("/workflows/{workflow}/graph", summary="Draw a workflow", response_class=PlainTextResponse)
async def get_graph(
    workflow: str, backend: TheBackend,
    version: Annotated[str | None, Query(description="A number or an alias.")] = None,
    format: Annotated[str, Query(description="mermaid or dot.")] = "mermaid",
) -> PlainTextResponse:  # fmt: skip
    """The drawing as text, for Mermaid or Graphviz. Raises UsageError."""
    from sm_cli.asl.graph.dot import to_dot
    from sm_cli.asl.graph.graph import graph_of
    from sm_cli.asl.graph.mermaid import to_mermaid

    draw = {"mermaid": to_mermaid, "dot": to_dot}.get(format)
    if draw is None:
        raise UsageError("format takes mermaid or dot")

    def ask() -> str:
        _, definition = version_text(backend.store, WorkflowReference(workflow, version))
        return draw(graph_of(definition_value(definition)), None)

    return PlainTextResponse(await backend.read(ask))


@router.get("/workflows/{workflow}/aliases", summary="List the aliases of a workflow")
async def get_aliases(
    workflow: str, request: Request, backend: TheBackend, limit: Limit = 1000, cursor: Cursor = None
) -> Response:  # fmt: skip
    """`items`, by name, each with the versions that it means and their shares in percent, and `next`."""
    after = name_of_cursor(cursor, "aliases")
    aliases = await backend.read(lambda: aliases_of(backend.store, workflow))
    page, last = after_name([(each.name, each) for each in aliases], after, limit)
    following = None if last is None else cursor_text("aliases", last)
    return page_response(request, [alias_document(each) for each in page], following)


@router.put("/workflows/{workflow}/aliases/{alias}", summary="Let an alias mean a version, or two")
async def put_alias(
    workflow: str, alias: str, body: AliasBody, request: Request, backend: TheBackend
) -> Response:  # fmt: skip
    """The shares of two versions add up to 100. Raises UsageError."""
    if any(not number.isdecimal() or len(number) > 9 for number in body.versions):
        raise UsageError("versions takes numbers of versions as its keys")
    targets = tuple((int(number), share) for number, share in body.versions.items())

    def act() -> Reply:
        return Reply(alias_document(backend.engine.workflows.set_alias(workflow, alias, targets)))

    return await perform(request, backend, act)


@router.delete("/workflows/{workflow}/aliases/{alias}", summary="Forget an alias")
async def delete_alias(workflow: str, alias: str, request: Request, backend: TheBackend) -> Response:
    """Executions that were started by it keep its name."""

    def act() -> Reply:
        return Reply(alias_document(backend.engine.workflows.delete_alias(workflow, alias)))

    return await perform(request, backend, act)


@router.post("/workflows/{workflow}/rollback", summary="Let a name or an alias mean an older version")
async def post_rollback(workflow: str, body: RollbackBody, request: Request, backend: TheBackend) -> Response:
    """`before` and `after`: versions and their shares. What runs stays on its own version."""

    def act() -> Reply:
        move = backend.engine.workflows.roll_back(WorkflowReference(workflow, body.alias), body.to)
        return Reply({
            "workflow": workflow,
            "alias": body.alias,
            "before": {str(version): share for version, share in move.before},
            "after": {str(version): share for version, share in move.after},
        })  # fmt: skip

    return await perform(request, backend, act)


@router.post("/validate", summary="Check a definition")
async def post_validation(body: DefinitionBody, backend: TheBackend) -> Response:
    """200 whether or not it is valid: `valid`, and `diagnostics` with code, severity, message, pointer, line."""

    def ask() -> Json:
        handlers = None if body.handlers is None else frozenset(body.handlers)
        _, problems = check(body.definition, handlers=handlers, express=body.express)
        is_valid = not any(problem.severity == "error" for problem in problems)
        return {"valid": is_valid, "diagnostics": [diagnostic_document(problem) for problem in problems]}

    return answer_json(await backend.read(ask))


@router.get(
    "/schema", summary="A JSON Schema of workflows, for editors",
    response_class=Response, responses={200: {"content": {"application/schema+json": {}}}},
)  # fmt: skip
async def get_schema() -> Response:
    """It describes the language, field by field."""
    return answer_json(editor_schema(), media_type="application/schema+json")
