"""Map, inline: a child frame for each item, in the execution's own history. States Language, "Map State"."""

from __future__ import annotations

from math import floor
from typing import NamedTuple

from sm_cli.asl.model import Map, QueryLanguage
from sm_cli.errors import StateFailure
from sm_cli.expr.jsonpath.path import PathNotFound
from sm_cli.expr.scope import JsonataScope, Scope
from sm_cli.interpreter.commands import Child, Fork
from sm_cli.interpreter.dataflow import complete_joined, effective_input, evaluate_count
from sm_cli.interpreter.events import BackoffElapsed, Entered, Joined, JoinFailed
from sm_cli.interpreter.frame import Join
from sm_cli.interpreter.records import outcome_detail
from sm_cli.interpreter.recovery import caught_or_failed, retry
from sm_cli.interpreter.step import RUNTIME, StepBuilder
from sm_cli.jsonvalue import Json, dumps


class Items(NamedTuple):
    """What a Map iterates over. AWS, "ItemsPath": of an object each key with its value, in order.

    values: what each iteration gets without an ItemSelector: of an object {"Key": …, "Value": …}. has_keys: it is one.
    """

    values: list[Json]
    has_keys: bool = False


def start(turn: StepBuilder, state: Map, event: Entered | BackoffElapsed) -> None:
    """Fork one child for each item."""
    input = effective_input(turn, state)
    items = items_of(turn, state, input)
    limit, total = concurrency(turn, state, input), len(items.values)
    turn.record("MapStateStarted", {"length": total})
    tolerance = tolerated_failures(thresholds(turn, state, input), total)
    turn.block(Fork(select_items(turn, state, input, items), Join(total, limit, tolerance)))


def concurrency(turn: StepBuilder, state: Map, input: Json) -> int:
    """MaxConcurrency; 0 is no limit. Raises StateFailure for a negative one."""
    limit = evaluate_count(turn, state.max_concurrency, input, int) or 0
    if limit < 0:
        raise StateFailure("States.Runtime", "MaxConcurrency cannot be negative.")
    turn.note("maxConcurrency", int(limit))
    return int(limit)


def items_of(turn: StepBuilder, state: Map, input: Json) -> Items:
    """What ItemsPath or Items finds. Raises StateFailure when that is neither a list nor an object."""
    probe_items = turn.env.probe.items if turn.env.probe is not None else None
    if probe_items is not None:
        return as_items(probe_items)
    if state.language is QueryLanguage.JSONATA:
        return as_items(items_of_jsonata(turn, state, input))
    path = state.items_path
    try:
        items = input if path is None else path.resolve(turn.scope(input))
    except PathNotFound as e:
        assert path is not None
        raise StateFailure("States.Runtime", f"Invalid path '{path.text}' : {e.reason}") from None
    # AWS was seen to refuse an object of the context object after it took those of the input.
    is_refused = isinstance(items, dict) and path is not None and path.text.startswith("$$")
    if is_refused or not isinstance(items, (list, dict)):
        text = "$" if path is None else path.text.replace("$$", "$", 1)
        raise StateFailure("States.Runtime", f'Reference path "{text}" must point to array.', located=False)
    turn.note("afterItemsPath", items)
    return as_items(items)


def as_items(values: list[Json] | dict[str, Json]) -> Items:
    """A list as it is; an object as one item for each member, {"Key": …, "Value": …}."""
    if isinstance(values, list):
        return Items(values)
    return Items([{"Key": key, "Value": value} for key, value in values.items()], has_keys=True)


def items_of_jsonata(turn: StepBuilder, state: Map, input: Json) -> list[Json] | dict[str, Json]:
    """What Items evaluates to, the input without one. Raises StateFailure when it is no list and no object."""
    items = input if state.items is None else state.items(turn.states())
    turn.check_bounds(items, "value of Items", state.name)
    if not isinstance(items, (list, dict)):
        raise StateFailure("States.QueryEvaluationError", f"Map state input must be an array but was: {dumps(items)}")
    return items


def thresholds(turn: StepBuilder, state: Map, input: Json) -> tuple[int | None, float | None]:
    """ToleratedFailureCount and ToleratedFailurePercentage, each when it is given. Raises StateFailure for one out
    of its bounds."""
    number = evaluate_count(turn, state.tolerated_count, input, int)
    if number is not None:
        turn.note("toleratedFailureCount", int(number))
    if number is not None and number < 0:
        raise StateFailure("States.Runtime", "ToleratedFailureCount cannot be negative.")
    percentage = evaluate_count(turn, state.tolerated_percentage, input, float)
    if percentage is not None:
        turn.note("toleratedFailurePercentage", float(percentage))
    if percentage is not None and not 0 <= percentage <= 100:
        raise StateFailure("States.Runtime", "ToleratedFailurePercentage must be between 0 and 100.")
    return None if number is None else int(number), percentage


def tolerated_failures(thresholds: tuple[int | None, float | None], total: int) -> int:
    """How many of `total` items may fail: the smaller of the two thresholds, 0 when none is given."""
    number, percentage = thresholds
    bounds = [] if number is None else [number]
    if percentage is not None:
        bounds.append(floor(total * percentage / 100))
    return min(bounds, default=0)


def select_items(turn: StepBuilder, state: Map, input: Json, items: Items, first: int = 0, **more: Json) -> list[Child]:
    """A child for each item, as ItemSelector makes its input; `first` is the number of the first one, `more` further
    members of Map.Item."""
    selector, machine = state.item_selector, state.processor
    keeps_item = turn.program.machines[machine].reads_context
    if selector is None or keeps_item:
        turn.weigh(items.values)
    if selector is None and not keeps_item:
        return [Child(machine, i, value) for i, value in enumerate(items.values, first)]
    scope = turn.scope_of(state, input)
    children = []
    for i, value in enumerate(items.values, first):
        item: dict[str, Json] = {"Index": i, "Value": value, **more}
        if items.has_keys and isinstance(value, dict):
            item |= value
        child_input = value if selector is None else selector(iteration_scope(turn, scope, item))
        if child_input is not value:
            turn.check_bounds(child_input, "value of ItemSelector", state.name)
        children.append(Child(machine, i, child_input, item if keeps_item else None))
    if selector is not None and turn.env.probe is not None:
        turn.note("afterItemSelector", [child.input for child in children])
    return children


def iteration_scope(turn: StepBuilder, outer: Scope, item: Json) -> Scope:
    """ItemSelector sees the state's effective input as `$`, and its own item in the context object."""

    def context() -> Json:
        return {**turn.context(), "Map": {"Item": item}}

    if isinstance(outer, JsonataScope):
        return JsonataScope(
            outer.input, context, outer.variables, turn.random, now=outer.now, limits=outer.limits, clock=outer.clock
        )
    return Scope(outer.input, context, outer.variables, turn.random)


def joined(turn: StepBuilder, state: Map, event: Joined) -> Entered | None:
    """The result is an array in the order of the items."""
    turn.frame.last = event.last
    turn.record("MapStateSucceeded", {}, leaf=True)
    return complete_joined(turn, state, event)


def join_failed(turn: StepBuilder, state: Map, event: JoinFailed) -> Entered | None:
    """The iteration's error is the state's."""
    turn.frame.last = event.last
    failure = StateFailure(event.error, event.cause, located=False)
    if retry(turn, state, failure):
        return None
    if event.error != RUNTIME:
        turn.record("MapStateFailed", outcome_detail(event.error, event.cause))
    return caught_or_failed(turn, state, failure)
