"""Map, distributed: each item, or each batch of items, is an execution of its own. Step Functions, "Distributed mode".

Items are taken in portions, and a portion only when children are needed soon, so that no step and no
transaction grows with the number of items. They come from the state's input, or (ItemReader) from a job that reads
them; another job writes the results (ResultWriter). The map run is open from `start` to EndRun.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from sm_cli.asl.model import Count, DistributedMap, ItemBatcher, ItemReader
from sm_cli.errors import StateFailure
from sm_cli.interpreter.brake import excess_text
from sm_cli.interpreter.commands import Child, EndRun, RunTask, Spawn, StartRun
from sm_cli.interpreter.dataflow import complete, effective_input, evaluate_count
from sm_cli.interpreter.events import (
    BackoffElapsed,
    Entered,
    ItemsWanted,
    Joined,
    JoinFailed,
    TaskFailed,
    TaskSucceeded,
)
from sm_cli.interpreter.frame import Join, Opens
from sm_cli.interpreter.records import outcome_detail
from sm_cli.interpreter.recovery import caught_or_failed, retry
from sm_cli.interpreter.states.map import Items, concurrency, items_of, select_items, thresholds, tolerated_failures
from sm_cli.interpreter.step import PAYLOAD_LIMIT, StepBuilder
from sm_cli.jsonvalue import Json, dumps

#: So many items are taken at a time.
PORTION = 1000
#: AWS's limit on the children of a map run that run at once.
IN_FLIGHT = 10_000
#: The jobs that serve a map run; `sm` itself has their handlers.
READ, WRITE = "sm:read-items", "sm:write-results"


def start(turn: StepBuilder, state: DistributedMap, event: Entered | BackoffElapsed) -> Entered | None:
    """Begin the map run: with the input's items at once, or with a job that reads them."""
    input = effective_input(turn, state)
    has_items = turn.env.probe is not None and turn.env.probe.items is not None
    reader = None if has_items else state.reader
    items = items_of(turn, state, input) if reader is None else Items([])
    total = len(items.values)
    limit = concurrency(turn, state, input) or IN_FLIGHT
    turn.record("MapStateStarted", {"length": total} if reader is None else {})
    tolerance = tolerated_failures(thresholds(turn, state, input), total)
    turn.frame.join = Join(total, min(limit, IN_FLIGHT), tolerance, activation=turn.frame.seq)
    request = None if reader is None else reading(turn, state, reader, input)
    children = children_of(turn, state, input, take_items(items, 0, portion(turn, state, input)))
    turn.record("MapRunStarted", {"mapRunArn": map_run_arn(turn, state)})
    turn.block(StartRun(run_ref(turn), state.name, state.label, state.child_type, joined_so_far(turn)))
    if request is None:
        return spawn_children(turn, state, children)
    request_job(turn, READ, request)
    return None


def items_wanted(turn: StepBuilder, state: DistributedMap, event: ItemsWanted) -> Entered | None:
    """The next portion."""
    input, join = effective_input(turn, state), joined_so_far(turn)
    if state.reader is not None:
        request_job(turn, READ, reading(turn, state, state.reader, input))
        return None
    items = take_items(items_of(turn, state, input), join.read_items, portion(turn, state, input))
    return spawn_children(turn, state, children_of(turn, state, input, items))


def served(turn: StepBuilder, state: DistributedMap, event: TaskSucceeded) -> Entered | None:
    """The job has read a portion, or written the results."""
    answer, join = cast("dict[str, Json]", event.result), joined_so_far(turn)
    if "written" in answer:
        return (
            over(turn, state) if join.failed_items > join.tolerated else finish_map_run(turn, state, answer["written"])
        )
    input = effective_input(turn, state)
    if "total" in answer:  # the first portion, or the last one of a batch: now it is known how many there are
        total = cast("int", answer["total"])
        limits = thresholds(turn, state, input)
        tolerance = tolerated_failures(limits, total) if join.brake is None else join.tolerated
        turn.frame.join = join._replace(total=total, tolerated=tolerance, mark=str(answer["mark"]))
    join = joined_so_far(turn)
    items = Items(cast("list[Json]", answer["items"])[: join.total - join.read_items], answer.get("keyed") is True)
    if not items.values and join.read_items < join.total:
        return fail_map_run(
            turn, state, "States.ItemReaderFailed", "The data set has fewer items than it had at first."
        )
    children = children_of(turn, state, input, items)
    for i, origin in enumerate(cast("list[Json]", answer.get("origins") or [])[: len(children)]):
        children[i] = replace(children[i], origin=origin)
    for number, cause in cast("dict[str, str]", answer.get("refused") or {}).items():
        children[int(number)] = replace(children[int(number)], refusal=cause)
    return spawn_children(turn, state, children)


def not_served(turn: StepBuilder, state: DistributedMap, event: TaskFailed) -> Entered | None:
    """The items cannot be read, or the results not written: States.ItemReaderFailed, States.ResultWriterFailed."""
    return fail_map_run(turn, state, event.error, event.cause)


def joined(turn: StepBuilder, state: DistributedMap, event: Joined) -> Entered | None:
    """All children are closed, few enough failed. The result is an array in the order of the items."""
    if state.writer is not None and turn.env.probe is None:
        request_job(turn, WRITE, writing(turn, state))
        return None
    return finish_map_run(turn, state, event.outputs, too_large=event.too_large)


def join_failed(turn: StepBuilder, state: DistributedMap, event: JoinFailed) -> Entered | None:
    """More failed than were tolerated. The results that there are, are written all the same."""
    if state.writer is not None and turn.env.probe is None:
        request_job(turn, WRITE, writing(turn, state))
        return None
    return over(turn, state)


# -- the map run ---------------------------------------------------------------------------------------


def joined_so_far(turn: StepBuilder) -> Join:
    """The frame's join, which every map run has while it is open."""
    join = turn.frame.join
    assert join is not None, "a map run is open"
    return join


def run_ref(turn: StepBuilder) -> str:
    """The public id of the frame's map run."""
    return f"{turn.env.facts.ref}-{turn.frame.id}-{joined_so_far(turn).activation}"


def map_run_arn(turn: StepBuilder, state: DistributedMap) -> str:
    """The ARN of the map run that this visit of the state began."""
    return turn.env.facts.map_run_arn(state.label, run_ref(turn))


def spawn_children(turn: StepBuilder, state: DistributedMap, children: list[Child]) -> Entered | None:
    """Children for a portion of the items; without items the run is over."""
    if joined_so_far(turn).total == 0:
        return finish_map_run(turn, state, [])
    turn.block(Spawn(children))
    turn.frame.opens |= Opens.EXECUTIONS
    return None


def request_job(turn: StepBuilder, what: str, request: dict[str, Json]) -> None:
    """Have a job read or write for the run, which stays open."""
    turn.block(RunTask(what, request, 1, None, None))
    turn.frame.opens |= Opens.EXECUTIONS


def finish_map_run(
    turn: StepBuilder, state: DistributedMap, result: Json, *, too_large: bool = False
) -> Entered | None:
    """Every item has its result: close the map run and leave the state. Raises StateFailure when the results are too
    large together."""
    turn.record("MapRunSucceeded", {})
    turn.record("MapStateSucceeded", {}, leaf=True)
    turn.commands.append(EndRun(True, joined_so_far(turn)))
    if too_large:
        raise turn.too_large(state.name)
    return complete(turn, state, result)


def over(turn: StepBuilder, state: DistributedMap) -> Entered | None:
    """More items failed than are tolerated."""
    join = joined_so_far(turn)
    cause = "The specified tolerated failure threshold was exceeded"
    if join.brake is not None:
        cause = excess_text(join, join.brake)
    return fail_map_run(turn, state, "States.ExceedToleratedFailureThreshold", cause)


def fail_map_run(turn: StepBuilder, state: DistributedMap, error: str | None, cause: str | None) -> Entered | None:
    """Close the map run as failed; then Retry and Catch decide."""
    turn.record("MapRunFailed", outcome_detail(error, cause))
    turn.commands.append(EndRun(False, joined_so_far(turn)))
    failure = StateFailure(error, cause, located=False)
    if retry(turn, state, failure):
        return None
    turn.record("MapStateFailed", outcome_detail(error, cause))
    return caught_or_failed(turn, state, failure)


# -- items and children --------------------------------------------------------------------------------


def portion(turn: StepBuilder, state: DistributedMap, input: Json) -> int:
    """How many items to take: a batch at least."""
    batch = None if state.batcher is None else evaluate_count(turn, state.batcher.max_items, input, int)
    return max(PORTION, int(batch or 0))


def take_items(items: Items, first: int, most: int) -> Items:
    """At most `most` items, from number `first` on."""
    return items._replace(values=items.values[first : first + most])


def reading(turn: StepBuilder, state: DistributedMap, reader: ItemReader, input: Json) -> dict[str, Json]:
    """The input of the job that reads: ItemReader with its expressions evaluated, and which portion. A MaxItems of 0
    reads all. Raises StateFailure for a negative one."""
    config = {name: value for name, value in reader.config.items() if name not in ("MaxItems", "MaxItemsPath")}
    most = evaluate_count(turn, reader.max_items, input, int)
    if most is not None and most < 0:
        raise negative(reader.max_items, most, "States.ItemReaderFailed", "field MaxItems must be positive")
    if most:
        config["MaxItems"] = int(most)
    join = joined_so_far(turn)
    return {
        "resource": reader.resource,
        "arguments": {} if reader.arguments is None else reader.arguments(turn.scope_of(state, input)),
        "config": config,
        "mark": join.mark or None,
        "start": join.read_items,
        "limit": portion(turn, state, input),
    }


def negative(spec: Count, number: float, error: str, cause: str) -> StateFailure:
    """What becomes of a negative number: this error, and AWS's for an expression where one has made it."""
    if spec.expression is not None:
        sentence = f"The {spec.field} field must not be negative but was: {dumps(number)}"
        return StateFailure("States.QueryEvaluationError", sentence)
    return StateFailure(error, cause, located=error == "States.Runtime")


def writing(turn: StepBuilder, state: DistributedMap) -> dict[str, Json]:
    """The input of the job that writes: ResultWriter with its expressions evaluated, and which run."""
    writer = state.writer
    assert writer is not None
    input = effective_input(turn, state)
    return {
        "resource": writer.resource,
        "arguments": {} if writer.arguments is None else writer.arguments(turn.scope_of(state, input)),
        "config": dict(writer.config),
        "run": run_ref(turn),
        "arn": map_run_arn(turn, state),
    }


def children_of(turn: StepBuilder, state: DistributedMap, input: Json, items: Items) -> list[Child]:
    """Children for a portion of the items, numbered after those that there are."""
    join = joined_so_far(turn)
    if not items.values:
        return []
    children = select_items(turn, state, input, items, join.read_items, Source=item_source(turn, state, input))
    if state.batcher is None:
        return children
    last = join.read_items + len(items.values) >= join.total
    batches = make_batches(turn, state, state.batcher, input, children, last=last)
    return [replace(child, index=join.made_children + i) for i, child in enumerate(batches)]


def item_source(turn: StepBuilder, state: DistributedMap, input: Json) -> str:
    """Map.Item.Source: `S3://BUCKET/KEY` of what ItemReader names, `S3://BUCKET` where it lists objects."""
    reader = state.reader
    if reader is None or reader.arguments is None or (turn.env.probe is not None and turn.env.probe.items is not None):
        return "STATE_DATA"
    arguments = reader.arguments(turn.scope_of(state, input))
    parts = [arguments.get(name) for name in ("Bucket", "Key")] if isinstance(arguments, dict) else []
    return "S3://" + "/".join(str(part) for part in parts if part is not None)


def make_batches(
    turn: StepBuilder, state: DistributedMap, batcher: ItemBatcher, input: Json, items: list[Child], *, last: bool
) -> list[Child]:
    """ItemBatcher: children of several items. A batch that may still grow is left to the next portion, unless it is
    all that there is."""
    most, size = batch_limits(turn, batcher, input)
    common: dict[str, Json] = {}
    if batcher.input is not None:
        common["BatchInput"] = batcher.input(turn.scope_of(state, input))
    empty = len(dumps({**common, "Items": []}).encode()) if size else 0
    batches: list[list[Json]] = []
    length = 0
    for child in items:
        longer = len(dumps(child.input).encode()) + 1 if size else 0
        if not batches or len(batches[-1]) == most or (size and length + longer > size + 1):
            batches.append([])
            length = empty
        batches[-1].append(child.input)
        length += longer
    if len(batches) > 1 and not last and len(batches[-1]) != most:
        batches.pop()
    children = [Child(state.processor, 0, {**common, "Items": batch}, items=len(batch)) for batch in batches]
    turn.note("afterItemBatcher", [child.input for child in children])
    return children


def batch_limits(turn: StepBuilder, batcher: ItemBatcher, input: Json) -> tuple[int, int]:
    """MaxItemsPerBatch and MaxInputBytesPerBatch; 0 for one that is not given, or that sets no limit. Where neither
    sets one, a batch is as large as AWS lets an input be. Raises StateFailure for a negative one."""
    limits = []
    for spec in (batcher.max_items, batcher.max_bytes):
        number = evaluate_count(turn, spec, input, int)
        if number is not None and number < 0:
            raise negative(spec, number, "States.Runtime", f"{spec.field} cannot be negative.")
        limits.append(int(number or 0))
    most, size = limits
    return most, size if most or size else PAYLOAD_LIMIT
