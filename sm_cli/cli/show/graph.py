"""`sm graph`: a workflow as a drawing, with the path that an execution took."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.escaping import escape_painted
from sm_cli.cli.project.config import find_project
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.options import Database, LockTimeout, Substitutions, Trust, choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sm_cli.asl.graph.graph import Graph, Mark, Neighbour, NodeId
    from sm_cli.asl.text.source import Document
    from sm_cli.errors import InvalidDefinition
    from sm_cli.views.records import Execution, Store
    from sm_cli.views.state_visits import StateVisit

FORMATS = ("text", "mermaid", "dot")
#: Of a state that several iterations went through, the status that needs attention most is shown.
_URGENCY = ("SUCCEEDED", "ABORTED", "CAUGHT", "TIMED_OUT", "FAILED", "RUNNING")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("graph")(graph)


def graph(
    workflow: Annotated[
        str | None,
        typer.Argument(
            metavar="[WORKFLOW]",
            show_default=False,
            help="A file, the name of one in workflows/, or - for stdin; the only or the configured one unless given.",
        ),
    ] = None,
    format: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text, mermaid or dot.")] = "text",
    execution: Annotated[
        str | None,
        typer.Option("--execution", metavar="EXECUTION", help="Mark the path that this execution took."),
    ] = None,
    links: Annotated[
        bool,
        typer.Option("--links", help="With --execution: show what it was started from, and what it led to."),
    ] = False,
    file: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="Write to this file, in UTF-8.")
    ] = None,
    substitutions: Substitutions = None,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Draw a workflow: in the terminal, for Mermaid, or for Graphviz."""
    from sm_cli.asl.graph.graph import graph_of

    choice(format, "--format", FORMATS)
    around: list[Neighbour] = []
    if execution is None:
        if links:
            from sm_cli.errors import UsageError

            raise UsageError("--links belongs to --execution: it is executions that are linked")
        definition = _definition(workflow, substitutions)
        picture, marks = graph_of(definition.value), None
        if not picture.nodes:
            raise _nothing_to_draw(definition)
    else:
        picture, marks, around = _execution_graph(execution, workflow, db, links=links)
    if file is None:
        sys.stdout.write(_encodable(escape_painted(_render(picture, marks, around, format, to_terminal=True))))
    else:
        _write(file, _render(picture, marks, around, format, to_terminal=False))


def marks_of(graph: Graph, visits: Iterable[StateVisit]) -> dict[NodeId, Mark]:
    """What became of each state: its last visit's status, the most urgent of all iterations it stands in."""
    from sm_cli.asl.graph.graph import Mark

    last: dict[tuple[str, tuple[str, ...]], str] = {}
    count: dict[str, int] = {}
    for visit in visits:
        last[visit.name, visit.where] = visit.status
        count[visit.name] = count.get(visit.name, 0) + 1
    status: dict[str, str] = {}
    for (name, _), each in last.items():
        status[name] = max(status.get(name, each), each, key=_URGENCY.index)
    return {
        node.id: Mark(status[node.name], count[node.name])
        for machine in graph.walk()
        for node in machine.nodes
        if node.name in status
    }


def _nothing_to_draw(document: Document) -> InvalidDefinition:
    """What is read is no workflow, or one without a state."""
    from sm_cli.diagnostics import Diagnostic
    from sm_cli.errors import InvalidDefinition

    is_machine = isinstance(document.value, dict) and {"StartAt", "States"} & document.value.keys()
    message = "There is nothing to draw: this " + ("workflow has no states" if is_machine else "is no workflow")
    hint = None if is_machine else "a workflow is an object with StartAt and States"
    return InvalidDefinition([Diagnostic("SM102", "error", message, "", document.position(""), hint, document.file)])


def _definition(workflow: str | None, substitutions: list[str] | None) -> Document:
    """The definition that is meant, valid or not. Raises InvalidDefinition for a text that cannot be read at all."""
    from sm_cli.cli.project.workflows import choose, document

    project = find_project(substitutions=substitutions)
    return document(project, choose(project, workflow))


def _execution_graph(
    reference: str, workflow: str | None, db: str | None, *, links: bool
) -> tuple[Graph, dict[NodeId, Mark], list[Neighbour]]:
    """The graph of the definition that the execution runs, which may be older than the file, its marks, and with
    `links` those that it is linked to."""
    from sm_cli.asl.graph.graph import graph_of
    from sm_cli.cli.project.opening import opened_engine
    from sm_cli.cli.project.workflows import name_of_file
    from sm_cli.errors import UsageError
    from sm_cli.views.executions import definition_of, history_of
    from sm_cli.views.state_visits import state_visits

    with opened_engine(db) as engine:
        execution = engine.find(reference)
        if workflow is not None and (name := name_of_file(workflow)) != execution.workflow:
            raise UsageError(f"{execution.name} is an execution of {execution.workflow!r}, not of {name!r}")
        picture = graph_of(definition_of(engine, execution))
        visits = state_visits(history_of(engine, execution))
        around = _neighbours(engine.store, execution) if links else []
    return picture, marks_of(picture, visits), around


def _neighbours(store: Store, execution: Execution) -> list[Neighbour]:
    from sm_cli.asl.graph.graph import Neighbour
    from sm_cli.cli.chaining.words import DELETED
    from sm_cli.views.chaining.links import neighbour_links

    origin, targets = neighbour_links(store, execution)
    around = [
        Neighbour(
            (ends.link.target_workflow, ends.link.target_ref, ends.target_status or DELETED), ends.link.state, False
        )
        for ends in reversed(targets)
    ]
    if origin is not None:
        lines = origin.link.source_workflow, origin.link.source_ref, origin.source_status or DELETED
        around.insert(0, Neighbour(lines, origin.link.state, True))
    return around


def _with_neighbours(drawing: str, around: Sequence[Neighbour]) -> str:
    """In text they stand above and below the drawing, a line each."""
    from sm_cli.cli.terminal.tables import clean

    def line(each: Neighbour) -> str:
        state = "" if each.state is None else f", state {each.state}"
        return f"{'from' if each.is_source else 'led to':<7} {clean(' '.join(each.lines) + state)}\n"

    above = "".join(line(each) for each in around if each.is_source)
    below = "".join(line(each) for each in around if not each.is_source)
    return f"{above}{drawing}{below}"


def _render(
    graph: Graph, marks: dict[NodeId, Mark] | None, around: Sequence[Neighbour], format: str, *, to_terminal: bool
) -> str:
    if format == "mermaid":
        from sm_cli.asl.graph.mermaid import to_mermaid

        return to_mermaid(graph, marks, around)
    if format == "dot":
        from sm_cli.asl.graph.dot import to_dot

        return to_dot(graph, marks, around)
    from shutil import get_terminal_size

    from sm_cli.asl.graph.terminal import to_text

    if not to_terminal:
        return _with_neighbours(to_text(graph, marks), around)
    width, colour = get_terminal_size().columns, out.is_coloured(sys.stdout)
    drawing = to_text(graph, marks, colour=colour, width=width, ascii_only=not _is_unicode())
    return _with_neighbours(drawing, around)


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "ascii").lower().replace("-", "").startswith("utf")


def _encodable(text: str) -> str:
    """With `?` for what stdout cannot show: a name may hold any character."""
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, "replace").decode(encoding)


def _write(file: str, text: str) -> None:
    from sm_cli.errors import UsageError

    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as e:
        raise UsageError(f"{file} cannot be written: {e.strerror}") from e
