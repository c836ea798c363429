"""Timelines of executions that somebody looks at: read once, and from then on only what is new."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from fastapi import Request

from sm_cli.asl.graph.graph import Graph, graph_of
from sm_cli.jsonvalue import Json
from sm_cli.views.executions import definition_of
from sm_cli.views.timeline.lanes import Timeline
from sm_cli.views.timeline.marks import state_pointer

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.views.records import Execution

#: Executions whose timelines are remembered.
_MOST = 12


class Timelines:
    """The timelines that were asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timelines: OrderedDict[int, tuple[threading.Lock, Timeline]] = OrderedDict()

    def of(self, engine: Engine, execution: Execution) -> Timeline:
        """The timeline up to the last event that the execution had when it was read, or further. It grows while others
        look at it, and only at its end."""
        with self._lock:
            lock, timeline = self._timelines.setdefault(execution.id, (threading.Lock(), Timeline()))
            self._timelines.move_to_end(execution.id)
            while len(self._timelines) > _MOST:
                self._timelines.popitem(last=False)
        with lock:
            timeline.follow(engine, execution)
        return timeline


def timelines_of(request: Request) -> Timelines:
    """Those of the server that was asked."""
    state = request.app.state
    if not hasattr(state, "timelines"):
        state.timelines = Timelines()
    timelines: Timelines = state.timelines
    return timelines


def graph_of_execution(engine: Engine, execution: Execution) -> Graph:
    """The graph of the definition that it runs. Raises NotFound, DatabaseError."""
    return graph_of(definition_of(engine, execution))


def graph_document(graph: Graph) -> dict[str, Json]:
    """A graph for the script that draws it."""
    return {
        "pointer": graph.pointer,
        "title": graph.title,
        "start": graph.start,
        "nodes": [
            {
                "key": state_pointer(graph.pointer, node.name),
                "name": node.name,
                "type": node.type,
                "detail": node.detail,
                "ends": node.ends,
                "missing": node.missing,
                "groups": [graph_document(group) for group in node.groups],
            }
            for node in graph.nodes
        ],
        "edges": [[edge.source, edge.target, edge.kind, edge.label] for edge in graph.edges],
    }
