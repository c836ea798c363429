"""Workflows: which there are and how they do, one with its text, drawing, problems, versions and differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.asl.graph.graph import graph_of
from sm_cli.asl.validation.validate import check
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.errors import NotFound, UsageError
from sm_cli.project.definitions import files_by_name
from sm_cli.server.backend import Backend, TheBackend
from sm_cli.server.pages.moments import moment_of_text
from sm_cli.server.pages.paging import number_place, page_of_rows, read_trail
from sm_cli.server.pages.pictures import graph_document
from sm_cli.server.pages.rendering import PageRoute, form_of, notice, read_query, segment, show_page
from sm_cli.server.pages.workflows.files import ProjectFile, file_of_workflow, file_sentence
from sm_cli.server.pages.workflows.texts import readable_text, side_by_side
from sm_cli.views.listing import ExecutionFilter, Status, workflow_names
from sm_cli.views.numbers.statistics import By, Group, statistics
from sm_cli.views.workflows.versions import (
    aliases_of,
    definition_value,
    list_workflows,
    version_numbers,
    version_text,
    versions_of,
)

if TYPE_CHECKING:
    from sm_cli.views.workflows.versions import WorkflowRow

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: The time that is looked at unless somebody says otherwise.
SINCE = "24h"
#: Rows of a list.
_ROWS = 50
#: Digits of a version's number.
_DIGITS = 9


class WorkflowNumbers(NamedTuple):
    """A workflow, and how its executions of late do."""

    #: The workflow.
    row: WorkflowRow
    #: Its executions of the time that is looked at; None: there are none.
    group: Group | None
    #: How many of them are closed.
    closed: int
    #: How many of them succeeded.
    successes: int

    @property
    def rate(self) -> float | None:
        """The share of those that are closed that succeeded; None when none is closed."""
        return self.successes / self.closed if self.closed else None


def _list(request: Request, backend: Backend, since: str) -> dict[str, Any]:
    now = backend.engine.clock.now()
    filter = ExecutionFilter(since=None if since == "all" else moment_of_text(since, "since"))
    groups = {str(group.key[0]): group for group in statistics(backend.store, filter, By.WORKFLOW, now).groups}
    good = filter._replace(statuses=(Status.SUCCEEDED,))
    successes = {str(group.key[0]): group.count for group in statistics(backend.store, good, By.WORKFLOW, now).groups}
    trail = read_trail(request.query_params)
    rows = list_workflows(backend.store, _ROWS + 1, trail[-1] if trail else "")
    numbers = [_numbers(row, groups, successes) for row in rows]
    page = page_of_rows(numbers, _ROWS, lambda each: each.row.name, "/workflows", read_query(request), trail)
    there = set(workflow_names(backend.store))
    # Files that nobody started yet have no place among the others: they stand at the end.
    files = [] if page.end else sorted(name for name in files_by_name(backend.library.folder) if name not in there)
    return {"page": page, "files": files, "since": since}


def _numbers(row: WorkflowRow, groups: dict[str, Group], successes: dict[str, int]) -> WorkflowNumbers:
    group = groups.get(row.name)
    closed = 0 if group is None or group.durations is None else group.durations.count
    return WorkflowNumbers(row, group, closed, successes.get(row.name, 0))


@router.get("/workflows")
async def workflows_page(request: Request, backend: TheBackend, since: str = SINCE) -> Response:
    """All workflows, with their success rates and durations."""
    return show_page(request, "workflows/page.html", **await backend.read(lambda: _list(request, backend, since)))


@router.get("/workflows/{name}")
async def workflow_page(request: Request, backend: TheBackend, name: str, version: int | None = None) -> Response:
    """One workflow: its text, what is wrong with it, and its drawing."""

    def ask() -> dict[str, Any]:
        file = file_of_workflow(backend.library, name)
        try:
            row, definition = version_text(
                backend.store, WorkflowReference(name, None if version is None else str(version))
            )
        except NotFound:
            if file is None or version is not None:
                raise
            return _unregistered(name, file)
        value = definition_value(definition)
        filter = ExecutionFilter(workflow=name, since=moment_of_text(SINCE, "since"))
        numbers = statistics(backend.store, filter, By.WORKFLOW, backend.engine.clock.now())
        return {
            "name": name, "row": row, "text": readable_text(definition), "value": value,
            "problems": check(definition.text)[1], "drawing": graph_document(graph_of(value)), "numbers": numbers.total,
            "aliases": aliases_of(backend.store, name), "file": file,
            "is_ahead": file is not None and version is None and not file.has_text_of(row.version.digest),
        }  # fmt: skip

    return show_page(request, "workflows/workflow.html", **await backend.read(ask))


def _unregistered(name: str, file: ProjectFile) -> dict[str, Any]:
    """What is known of a file that was never started."""
    return {
        "name": name, "row": None, "text": file.text, "value": file.value, "problems": file.problems, "numbers": None,
        "drawing": None if file.value is None else graph_document(graph_of(file.value)), "aliases": [], "file": file,
        "is_ahead": False,
    }  # fmt: skip


# -- versions ----------------------------------------------------------------------------------------


@router.get("/workflows/{name}/versions")
async def versions_page(request: Request, backend: TheBackend, name: str, a: int = 0, b: int = 0) -> Response:
    """All versions, and two of them side by side: the newest two unless the address says otherwise."""

    def ask() -> dict[str, Any]:
        trail = read_trail(request.query_params)
        try:
            rows = versions_of(backend.store, name, _ROWS + 1, number_place(trail))
        except NotFound:
            file = file_of_workflow(backend.library, name)
            if file is None:
                raise
            return {"name": name, "page": None, "file": file}
        page = page_of_rows(
            rows,
            _ROWS,
            lambda row: row.version.number,
            f"/workflows/{segment(name)}/versions",
            read_query(request),
            trail,
        )
        numbers = version_numbers(backend.store, name)
        after = b or numbers[0]
        before = a or next((number for number in numbers if number < after), after)
        texts = [
            readable_text(version_text(backend.store, WorkflowReference(name, str(number)))[1])
            for number in (before, after)
        ]
        return {"name": name, "page": page, "numbers": numbers, "before": before, "after": after,
                "lines": [*side_by_side(*texts)]}  # fmt: skip

    return show_page(request, "workflows/versions.html", **await backend.read(ask))


@router.post("/workflows/{name}/current")
async def make_current(request: Request, backend: TheBackend, name: str) -> Response:
    """Let the bare name mean another version: what is started from now on runs it. Raises UsageError."""
    form = await form_of(request)
    text = form.get("version", "").strip()
    if not text.isdecimal() or len(text) > _DIGITS:
        raise UsageError(f"a version is a number, not {text!r}")
    number = int(text)
    engine = backend.engine
    await backend.change(lambda: engine.workflows.roll_back(WorkflowReference(name, None), number))
    text = f"{name} means version {number} now.{file_sentence(backend.library, name)}"
    return notice(request, text, link=f"/workflows/{segment(name)}/versions")
