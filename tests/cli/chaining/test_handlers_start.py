"""A handler starts executions: in threads, in processes, with the data of others, once for each attempt."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli import errors, simulate
from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Context
from sm_cli.handlers.starts import StartRequest
from sm_cli.store.records import Job
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.worker.starts import HandlerStarts, start_by_handler
from tests.cli.chaining.test_from_execution import SAME, A
from tests.cli.conftest import Project
from tests.engine.chaining.chains import B, count, links, run

STARTS = """
    StartAt: Start
    States:
      Start: {Type: Task, Resource: start, End: true}
"""
HANDLERS = """
    from sm_cli import errors

    @handler
    def start(input, context):
        by_state = {"source": "a:P1", "transform": "[$states.input.p1]", "unique": True}
        ids = [context.start("B", {"n": 1}), context.start("B", **by_state)]
        for given in ({"source": "a", "unique": True}, {"source": "nobody"}, {"source": "a:P9"}, {"transform": "1"}):
            try:
                context.start("B", **given)
            except errors.SmError as error:
                ids.append(type(error).__name__)
        try:
            context.start("B", {1, 2})
        except errors.UsageError as error:
            ids.append(error.message)
        return ids
"""


@pytest.mark.usefixtures("place")
def test_a_handler_starts_executions_that_workers_do(project: Project) -> None:
    for name, text in (("A", A), ("B", SAME), ("starts", STARTS)):
        project.workflow(text, f"{name}.yaml")
    project.handlers(HANDLERS)
    assert project.sm("run", "A", "--name", "a").code == 0
    ran = project.process("run", "starts")
    assert ran.code == 0, ran.err
    first, second, *refusals = ran.json
    assert refusals == ["Conflict", "NotFound", "NotFound", "UsageError", "the input is not JSON: $ is of type set"]
    assert project.sm("worker", "--drain").code == 0
    outputs = {each: project.sm("output", each).json for each in (first, second)}
    assert outputs == {first: {"n": 1}, second: [1]}
    (link,) = project.sm("links", "--json").json
    assert (link["source"]["name"], link["state"], link["target"]["id"]) == ("a", "P1", second)
    assert len(project.sm("list", "--workflow", "B", "--json").json) == 2


def job() -> Job:
    return Job(1, 1, 1, 1, "S", "start", {}, queue="slow")


def test_an_attempt_that_runs_again_finds_what_it_has_started() -> None:
    engine = Engine(MemoryStore(), library={"B": B}.get)
    starter = run(engine, B, {})
    engine.find_workflow("B")
    request = StartRequest("B", {"n": 1}, "key-1", is_named=False)
    starts = HandlerStarts(engine, lambda: None)
    refs = {starts.start(request, job(), starter) for _ in range(3)}
    assert len(refs) == 1
    assert engine.find(refs.pop()).queue == "slow"
    assert count(engine) == 2
    chosen = StartRequest("B", {"n": 1}, "chosen", is_named=True)
    starts.start(chosen, job(), starter)
    with pytest.raises(errors.Conflict, match="chosen"):
        starts.start(chosen, job(), starter)


def test_a_start_from_a_handler_is_linked_like_any_other() -> None:
    engine = Engine(MemoryStore(), library={"B": B}.get)
    origin = run(engine, B, {"n": 2})
    request = StartRequest("B", None, "k", False, origin.ref, "$states.input.n", unique=True)
    ref, _ = start_by_handler(engine, request, job(), origin)
    assert (engine.find(ref).input, [link.target_ref for link in links(engine)]) == (2, [ref])


def test_a_context_of_nowhere_starts_nothing() -> None:
    with pytest.raises(errors.UsageError, match="nothing can be started here"):
        Context("id", "name", "w", "S", 1, "key").start("B")


def test_what_a_handler_starts_runs_in_the_same_simulation() -> None:
    seen: list[Any] = []

    def start(given: Any, context: Context) -> Any:
        return context.start("B", given)

    def work(given: Any) -> Any:
        seen.append(given)
        return given

    definition = {"StartAt": "S", "States": {"S": {"Type": "Task", "Resource": "start", "End": True}}}
    other = {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": "work", "End": True}}}
    outcome = simulate(definition, {"n": 1}, handlers={"start": start, "work": work}, workflows={"B": other})
    assert (outcome.status, seen) == ("SUCCEEDED", [{"n": 1}])
    assert isinstance(outcome.output, str)
