"""Which members the input of a state can have: what earlier states have certainly replaced is known.

A shape is None where anything may be, else the members that an object has at most, each with its shape; a scalar
has none. Only what no way to a state can have produced is complained of. States Language, "Input and Output".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from sm_cli.asl.outline import MachineAt, StateAt
from sm_cli.asl.validation.rules.catalogue import Finding, definition_rule
from sm_cli.asl.validation.rules.flow import has_unknown_targets
from sm_cli.asl.validation.rules.jsonata import readings
from sm_cli.asl.validation.rules.maps import is_distributed
from sm_cli.asl.validation.rules.path_roots import Use, uses
from sm_cli.asl.validation.schema import is_unknown
from sm_cli.expr.jsonata.expressions import is_expression
from sm_cli.expr.jsonpath.path import PathError, compile_path
from sm_cli.jsonvalue import Json

Shape: TypeAlias = "Mapping[str, Shape] | None"

_ERROR: Shape = {"Error": {}, "Cause": {}}
_DEEPEST = 8
#: A loop can make an input larger each time: after so many visits a state takes anything.
_MOST_VISITS = 6
#: Fields that read the effective input, and fail where it has nothing.
_READERS = (
    *("Parameters", "ItemSelector", "ItemsPath", "Choices", "SecondsPath", "TimestampPath", "TimeoutSecondsPath"),
    *("HeartbeatSecondsPath", "MaxConcurrencyPath", "ErrorPath", "CausePath", "CorrelationValuePath"),
)


@definition_rule("SM330", "warning", "A path finds something that an earlier state can have produced")
def paths_find_something(machines: list[MachineAt]) -> Iterator[Finding]:
    inputs: dict[str, Shape] = {}
    for machine in machines:
        _follow(machine, inputs)
        for state in machine.states.values():
            shape = inputs.get(state.pointer)
            if shape is not None:
                yield from _missing(state, shape)


def _missing(state: StateAt, shape: Shape) -> Iterator[Finding]:
    effective = _at_path(shape, state.value.get("InputPath", "$")) if state.language == "JSONPath" else shape
    all_uses = list(uses(state))
    texts_with_guard = {use.path.text for use in all_uses if use.is_guarded and use.path is not None}
    for use in all_uses:
        field = use.pointer[len(state.pointer) + 1 :].split("/", 1)[0]
        input_shape = shape if field == "InputPath" else effective if field in _READERS else None
        if use.name == "" and use.path is not None and use.path.text not in texts_with_guard:
            steps = use.path.steps or ()
            if (missing_step := _first_missing(input_shape, steps)) is not None:
                yield _finding(use, state, steps, missing_step)
    for pointer, text, reading in readings(state):
        for name in reading.variables:
            if name.name != "states" or name.members[:1] != ("input",):
                continue
            # Only where nothing else is asked for: as a part of something an undefined value may be meant.
            alone = text[2:-2].strip() == ".".join(("$states", *name.members))
            steps = name.members[1:]
            if alone and (missing_step := _first_missing(shape, steps)) is not None:
                end = 2 + len(text[2:-2].rstrip())
                yield _finding(Use(pointer, "", name.start, end), state, steps, missing_step)


def _finding(use: Use, state: StateAt, steps: tuple[str | int, ...], missing_step: int) -> Finding:
    start, end = use.start, use.end
    if use.path is not None:
        end = start + len(use.path.text)
    path = "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in steps[: missing_step + 1])
    message = f"The input of '{state.name}' has no {path[1:]}: no state before it produces one"
    return Finding(use.pointer, message, start=start, end=end)


def _first_missing(shape: Shape, steps: tuple[str | int, ...]) -> int | None:
    """The index of the step that certainly finds nothing."""
    for i, step in enumerate(steps):
        if shape is None or not isinstance(step, str):
            return None
        if step not in shape:
            return i
        shape = shape[step]
    return None


# -- from state to state -----------------------------------------------------------------------------------------------


def _follow(machine: MachineAt, inputs: dict[str, Shape]) -> None:
    """The shapes of the inputs of a machine's states, by their pointers; those that are never entered are left out."""
    start = machine.value.get("StartAt")
    if not isinstance(start, str) or start not in machine.states:
        return
    if any(has_unknown_targets(state) for state in machine.states.values()):
        return  # some state is entered with what nobody knows
    at = {name: state.pointer for name, state in machine.states.items()}
    inputs[at[start]] = _entry(machine, inputs)
    waiting, visits = deque([start]), dict.fromkeys(at, 0)
    while waiting:
        name = waiting.popleft()
        for target, shape in _outputs(machine.states[name], inputs[at[name]]):
            if target not in at:
                continue
            there = at[target]
            visits[target] += 1
            union = shape if there not in inputs else _union(inputs[there], shape)
            if visits[target] > _MOST_VISITS + len(machine.states) and union != inputs.get(there):
                union = None
            if there not in inputs or union != inputs[there]:
                inputs[there] = union
                waiting.append(target)


def _entry(machine: MachineAt, inputs: dict[str, Shape]) -> Shape:
    owner = machine.owner
    if owner is None or owner.pointer not in inputs:
        return None
    shape = inputs[owner.pointer]
    if owner.language == "JSONata":
        field = "Arguments" if machine.shape == "Branch" else "ItemSelector"
        if machine.shape == "Processor" and is_distributed(owner) and "ItemBatcher" in owner.value:
            return None  # its items come in batches: BatchInput and Items
        value = owner.value.get(field)
        return _literal(value) if field in owner.value else shape if machine.shape == "Branch" else None
    effective = _at_path(shape, owner.value.get("InputPath", "$"))
    if machine.shape == "Branch":
        return _template(owner.value["Parameters"], effective) if "Parameters" in owner.value else effective
    if is_distributed(owner):
        return None  # its items may come in batches
    for field in ("ItemSelector", "Parameters"):
        if field in owner.value:
            return _template(owner.value[field], None)
    return None


def _outputs(state: StateAt, shape: Shape) -> Iterator[tuple[str, Shape]]:
    """(state it may go to, the shape of what it hands on)."""
    out = _jsonata_output(state, shape) if state.language == "JSONata" else _jsonpath_output(state, shape)
    for field in ("Next", "Default"):
        if (following := state.text(field)) is not None:
            yield following, out
    if (following := state.text("TimeoutPath")) is not None:
        yield following, None
    for _, rule in state.items("Choices"):
        target = rule.get("Next")
        if isinstance(target, str):
            yield target, _literal(rule["Output"]) if "Output" in rule else out
    for _, catcher in state.items("Catch"):
        target = catcher.get("Next")
        if isinstance(target, str):
            yield target, _caught_shape(state, catcher, shape)


def _caught_shape(state: StateAt, catcher: dict[str, Json], shape: Shape) -> Shape:
    if state.language == "JSONata":
        return _literal(catcher["Output"]) if "Output" in catcher else _ERROR
    return _place_result(shape, catcher.get("ResultPath", "$"), _ERROR)


def _jsonata_output(state: StateAt, shape: Shape) -> Shape:
    if "Output" in state.value:
        return _literal(state.value["Output"])
    return None if state.type not in ("Pass", "Wait", "Choice", "Succeed") else shape


def _jsonpath_output(state: StateAt, shape: Shape) -> Shape:
    value = state.value
    effective = _at_path(shape, value.get("InputPath", "$"))
    result: Shape = None
    if state.type == "Pass":
        result = effective
        if "Parameters" in value:
            result = _template(value["Parameters"], effective)
        if "Result" in value:
            result = _template(value["Result"], None, static=True)
    elif state.type in ("Wait", "Choice", "Succeed"):
        return _at_path(effective, value.get("OutputPath", "$"))
    elif "ResultSelector" in value:
        result = _template(value["ResultSelector"], None)
    if state.type == "Message" and "ResultPath" not in value:
        return None
    return _at_path(_place_result(shape, value.get("ResultPath", "$"), result), value.get("OutputPath", "$"))


# -- shapes ------------------------------------------------------------------------------------------------------------


def _union(a: Shape, b: Shape, depth: int = 0) -> Shape:
    if a is None or b is None or depth > _DEEPEST:
        return None
    return {
        key: _union(a[key], b[key], depth + 1) if key in a and key in b else a[key] if key in a else b[key]
        for key in (*a, *(key for key in b if key not in a))
    }


def _steps(path: Json) -> tuple[str | int, ...] | None:
    """The steps of a reference path into the input; None for any other path."""
    if not isinstance(path, str) or is_unknown(path):
        return None
    try:
        compilation = compile_path(path)
    except PathError:
        return None
    return compilation.steps if compilation.root == "$" else None


def _at_path(shape: Shape, path: Json) -> Shape:
    """What a path selects; a null path selects an empty object."""
    if path is None:
        return {}
    steps = _steps(path)
    if steps is None:
        return None
    for step in steps:
        if shape is None or not isinstance(step, str):
            return None
        shape = shape.get(step)
    return shape


def _place_result(shape: Shape, path: Json, result: Shape) -> Shape:
    """The input with a result placed in it; a null path drops the result."""
    if path is None:
        return shape
    steps = _steps(path)
    if steps == ():
        return result
    if steps is None or shape is None or not all(isinstance(step, str) for step in steps) or len(steps) > _DEEPEST:
        return None
    step = str(steps[0])
    inner = shape.get(step, {})
    rest = "$" + "".join(f"['{each}']" for each in steps[1:])
    return {**shape, step: result if len(steps) == 1 else _place_result(inner, rest, result)}


def _template(value: Json, effective: Shape, depth: int = 0, *, static: bool = False) -> Shape:
    """The shape of what a payload template makes of an input."""
    if isinstance(value, list) or depth > _DEEPEST or is_unknown(value):
        return None
    if not isinstance(value, dict):
        return {}
    members: dict[str, Shape] = {}
    for key, member in value.items():
        if is_unknown(key):
            return None
        if key.endswith(".$") and not static:
            members[key[:-2]] = _at_path(effective, member) if _steps(member) is not None else None
        else:
            members[key] = _template(member, effective, depth + 1, static=static)
    return members


def _literal(value: Json, depth: int = 0) -> Shape:
    """The shape of a JSONata payload: an expression may give anything."""
    if isinstance(value, list) or depth > _DEEPEST or is_expression(value) or is_unknown(value):
        return None
    if not isinstance(value, dict):
        return {}
    if any(is_unknown(key) for key in value):
        return None
    return {key: _literal(member, depth + 1) for key, member in value.items()}
