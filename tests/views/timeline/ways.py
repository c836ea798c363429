"""Executions with a bit of everything, run to their end in a test's own time, and their timelines."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import NamedTuple

from sm_cli.asl.graph.graph import Graph, graph_of
from sm_cli.asl.text.source import parse
from sm_cli.engine.engine import Engine, prepare
from sm_cli.errors import TaskError
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock, Simulation
from sm_cli.views.executions import definition_of
from sm_cli.views.timeline.lanes import Timeline
from tests.store.samples import T0

#: A loop of three rounds over a Map of two items, whose second fails in the second round, and a Parallel in each item.
LOOP = """
StartAt: Each
States:
  Each:
    Type: Map
    ItemsPath: $.items
    ToleratedFailurePercentage: 100
    ItemProcessor:
      StartAt: Work
      States:
        Work: {Type: Task, Resource: work, Retry: [{ErrorEquals: [Again], MaxAttempts: 1}], Next: Both}
        Both:
          Type: Parallel
          Branches:
            - {StartAt: Left, States: {Left: {Type: Pass, End: true}}}
            - {StartAt: Right, States: {Right: {Type: Pass, Next: After}, After: {Type: Succeed}}}
          End: true
    ResultPath: $.done
    Next: Turn
  Turn: {Type: Task, Resource: turn, ResultPath: $.turn, Next: More}
  More:
    Type: Choice
    Choices: [{Variable: $.turn, NumericLessThan: 3, Next: Each}]
    Default: Last
  Last: {Type: Task, Resource: last, End: true}
"""


class Way(NamedTuple):
    """An execution and what it went through."""

    engine: Engine
    execution: Execution
    timeline: Timeline
    graph: Graph


def travel(text: str = LOOP, input: Json = None, **handlers: Callable[[Json], Json]) -> Way:
    """Run a workflow to its end. handlers: by name, beside those of LOOP."""
    turns, calls = count(1), count(1)

    def work(item: Json) -> Json:
        call = next(calls)
        if call == 1:
            raise TaskError("Again", "once more")
        if item == "second" and call > 3:
            raise TaskError("Broken", "for good")
        return item

    document = parse(text).document
    assert document is not None
    given: Json = {"items": ["first", "second"]} if input is None else input
    ours: dict[str, Callable[[Json], Json]] = {"work": work, "turn": lambda _: next(turns), "last": lambda _: "the end"}
    sim = Simulation(prepare(document, "loop"), {**ours, **handlers}, FakeClock(T0), store=MemoryStore())
    execution, _, jobs = sim.engine.start(sim.workflow, given, taker=sim.taker())
    sim.todo.extend(jobs)
    sim.finish(execution)
    return followed(sim.engine, sim.engine.find(execution.ref))


def followed(engine: Engine, execution: Execution) -> Way:
    """With the timeline that it has now."""
    timeline = Timeline()
    timeline.follow(engine, execution)
    return Way(engine, execution, timeline, graph_of(definition_of(engine, execution)))
