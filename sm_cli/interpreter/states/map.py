"""Map: a child frame for each item. States Language, "Map State".

Inline iterations stand in the execution's history; those of a distributed Map do not, as on AWS.
"""

from __future__ import annotations

from math import floor

from sm_cli.asl.model import Map, QueryLanguage
from sm_cli.errors import StateFailure
from sm_cli.expr.jsonpath import PathNotFound
from sm_cli.expr.scope import JsonataScope, Scope
from sm_cli.interpreter.commands import Child, Fork
from sm_cli.interpreter.dataflow import complete, count, effective_input
from sm_cli.interpreter.events import BackoffElapsed, Entered, Joined, JoinFailed
from sm_cli.interpreter.frame import Join
from sm_cli.interpreter.records import outcome_detail
from sm_cli.interpreter.recovery import caught_or_failed, retry
from sm_cli.interpreter.turn import Turn
from sm_cli.jsonvalue import Json, dumps


def start(turn: Turn, state: Map, event: Entered | BackoffElapsed) -> None:
    input = effective_input(turn, state)
    items = items_of(turn, state, input)
    limit = count(turn, state.max_concurrency, input, int) or 0
    if limit < 0:
        raise StateFailure("States.Runtime", "MaxConcurrency cannot be negative.")
    turn.note("maxConcurrency", int(limit))
    turn.record("MapStateStarted", {"length": len(items)})
    tolerated = tolerated_failures(turn, state, input, len(items))
    if state.distributed:
        turn.record("MapRunStarted", {"mapRunArn": map_run_arn(turn, state)})
    turn.block(Fork(children_of(turn, state, input, items), Join(len(items), int(limit), tolerated)))


def items_of(turn: Turn, state: Map, input: Json) -> list[Json]:
    if turn.env.probe is not None and turn.env.probe.items is not None:
        return turn.env.probe.items
    if state.language is QueryLanguage.JSONATA:
        return items_of_jsonata(turn, state, input)
    path = state.items_path
    try:
        items = input if path is None else path.resolve(turn.scope(input))
    except PathNotFound as e:
        assert path is not None
        raise StateFailure("States.Runtime", f"Invalid path '{path.text}' : {e.reason}") from None
    if not isinstance(items, list):
        text = "$" if path is None else path.text.replace("$$", "$", 1)
        raise StateFailure("States.Runtime", f'Reference path "{text}" must point to array.', located=False)
    turn.note("afterItemsPath", items)
    return items


def items_of_jsonata(turn: Turn, state: Map, input: Json) -> list[Json]:
    items = input if state.items is None else state.items(turn.states())
    turn.check_depth(items, "value of Items")
    if not isinstance(items, list):
        raise StateFailure("States.QueryEvaluationError", f"Map state input must be an array but was: {dumps(items)}")
    return items


def tolerated_failures(turn: Turn, state: Map, input: Json, total: int) -> int:
    """How many iterations may fail: the smaller of the two thresholds that are given, 0 when none is."""
    number = count(turn, state.tolerated_count, input, int)
    if number is not None:
        turn.note("toleratedFailureCount", int(number))
    if number is not None and number < 0:
        raise StateFailure("States.Runtime", "ToleratedFailureCount cannot be negative.")
    percentage = count(turn, state.tolerated_percentage, input, float)
    if percentage is not None:
        turn.note("toleratedFailurePercentage", float(percentage))
    if percentage is not None and not 0 <= percentage <= 100:
        raise StateFailure("States.Runtime", "ToleratedFailurePercentage must be between 0 and 100.")
    thresholds = [] if number is None else [int(number)]
    if percentage is not None:
        thresholds.append(floor(total * percentage / 100))
    return min(thresholds, default=0)


def children_of(turn: Turn, state: Map, input: Json, items: list[Json]) -> list[Child]:
    selector, machine = state.item_selector, state.processor
    keeps_item = turn.program.machines[machine].reads_context
    if selector is None and not keeps_item:
        return [Child(machine, i, value) for i, value in enumerate(items)]
    scope = turn.scope_of(state, input)
    children = []
    for i, value in enumerate(items):
        item: Json = {"Index": i, "Value": value}
        selected = value if selector is None else selector(iteration_scope(turn, scope, item))
        if selected is not value:
            turn.check_depth(selected, "value of ItemSelector")
        children.append(Child(machine, i, selected, item if keeps_item else None))
    if selector is not None and turn.env.probe is not None:
        turn.note("afterItemSelector", [child.input for child in children])
    return children


def iteration_scope(turn: Turn, outer: Scope, item: Json) -> Scope:
    """ItemSelector sees the state's effective input as `$`, and its own item in the context object."""

    def context() -> Json:
        return {**turn.context(), "Map": {"Item": item}}

    if isinstance(outer, JsonataScope):
        return JsonataScope(outer.input, context, outer.variables, turn.random, now=turn.env.now)
    return Scope(outer.input, context, outer.variables, turn.random)


def map_run_arn(turn: Turn, state: Map) -> str:
    facts = turn.env.facts
    label = state.label or state.name
    run = f"{facts.ref}-{turn.frame.id}-{turn.frame.seq}"
    return f"arn:aws:states:{facts.region}:{facts.account}:mapRun:{facts.workflow}/{label}:{run}"


def joined(turn: Turn, state: Map, event: Joined) -> Entered | None:
    """The result is an array in the order of the items."""
    if state.distributed:
        turn.record("MapRunSucceeded", {})
    else:
        turn.frame.last = event.last
    turn.record("MapStateSucceeded", {}, leaf=True)
    return complete(turn, state, event.outputs)


def join_failed(turn: Turn, state: Map, event: JoinFailed) -> Entered | None:
    """Inline: the iteration's error is the state's. Distributed: more failed than were tolerated."""
    error, cause = event.error, event.cause
    if state.distributed:
        error = "States.ExceedToleratedFailureThreshold"
        cause = "The specified tolerated failure threshold was exceeded"
        turn.record("MapRunFailed", outcome_detail(error, cause))
    else:
        turn.frame.last = event.last
    failure = StateFailure(error, cause, located=False)
    if retry(turn, state, failure):
        return None
    turn.record("MapStateFailed", outcome_detail(error, cause))
    return caught_or_failed(turn, state, failure)
