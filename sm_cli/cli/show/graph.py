"""`sm graph`: a workflow as a drawing, with the path that an execution took."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.escaping import escape_painted
from sm_cli.cli.project.config import find_project
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.options import Database, LockTimeout, Trust, choice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sm_cli.asl.graph.graph import Graph, Mark, NodeId
    from sm_cli.jsonvalue import Json
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
    file: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="Write to this file, in UTF-8.")
    ] = None,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Draw a workflow: in the terminal, for Mermaid, or for Graphviz."""
    from sm_cli.asl.graph.graph import graph_of

    choice(format, "--format", FORMATS)
    if execution is None:
        picture, marks = graph_of(_definition(workflow)), None
    else:
        picture, marks = _execution_graph(execution, workflow, db)
    if file is None:
        sys.stdout.write(_encodable(escape_painted(_render(picture, marks, format, to_terminal=True))))
    else:
        _write(file, _render(picture, marks, format, to_terminal=False))


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


def _definition(workflow: str | None) -> Json:
    """The definition that is meant, valid or not. Raises InvalidDefinition for a text that cannot be read at all."""
    from sm_cli.cli.project.workflows import choose, document

    return document(choose(find_project(), workflow)).value


def _execution_graph(reference: str, workflow: str | None, db: str | None) -> tuple[Graph, dict[NodeId, Mark]]:
    """The graph of the definition that the execution runs, which may be older than the file, and its marks."""
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
    return picture, marks_of(picture, visits)


def _render(graph: Graph, marks: dict[NodeId, Mark] | None, format: str, *, to_terminal: bool) -> str:
    if format == "mermaid":
        from sm_cli.asl.graph.mermaid import to_mermaid

        return to_mermaid(graph, marks)
    if format == "dot":
        from sm_cli.asl.graph.dot import to_dot

        return to_dot(graph, marks)
    from shutil import get_terminal_size

    from sm_cli.asl.graph.terminal import to_text

    if not to_terminal:
        return to_text(graph, marks)
    width = get_terminal_size().columns
    return to_text(graph, marks, colour=out.is_coloured(sys.stdout), width=width, ascii_only=not _is_unicode())


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
