"""A definition as a graph: its states, where each may go, and the machines inside Parallel and Map.

Whatever is written is shown. An invalid definition has a graph too: a target that is not there is a
node of its own, and what has the wrong type is left out; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sm_cli.asl.graph.conditions import condition_text, label_text
from sm_cli.asl.outline import MachineAt, StateAt, outline, text_in
from sm_cli.asl.resources import parse_resource
from sm_cli.jsonvalue import Json

#: (pointer of the machine, name of the state): what `marks` are keyed by.
NodeId: TypeAlias = tuple[str, str]
EdgeKind = Literal["next", "rule", "default", "catch", "timeout"]
#: What became of a state. CAUGHT: it failed and a catcher took over.
STATUSES = ("SUCCEEDED", "FAILED", "CAUGHT", "RUNNING", "ABORTED", "TIMED_OUT")


@dataclass(frozen=True, slots=True)
class Mark:
    """What happened to a state in one execution: the status of its last visit, and how many visits."""

    #: Of the last visit.
    status: str
    #: How many visits there were.
    count: int = 1


Marks: TypeAlias = Mapping[NodeId, Mark]


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one state to another of the same machine. `label` is empty for Next."""

    #: The id of the node that it leaves.
    source: str
    #: The id of the node that it leads to.
    target: str
    #: Which field leads there.
    kind: EdgeKind
    label: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A state.

    type: as written, "" when there is none. detail: what it does, in a few words. ends: whether it may end
    its machine. missing: a target that no state has. groups: the machines inside, in order.
    """

    #: Distinct in the whole graph.
    id: NodeId
    type: str
    detail: str = ""
    ends: bool = False
    missing: bool = False
    groups: tuple[Graph, ...] = ()

    @property
    def name(self) -> str:
        """The state's name."""
        return self.id[1]


@dataclass(frozen=True, slots=True)
class Graph:
    """One machine. The root's `pointer` and `title` are ""; a group's title says what it is to its state."""

    pointer: str
    title: str
    #: The state that it begins with; None: it names none.
    start: str | None
    #: Its states in the order of the text.
    nodes: tuple[Node, ...]
    #: The ways between its states.
    edges: tuple[Edge, ...]

    def walk(self) -> Iterator[Graph]:
        """This graph and every one inside it, outermost first."""
        yield self
        for node in self.nodes:
            for group in node.groups:
                yield from group.walk()


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another execution, that gave the drawn one its input or was given something by it."""

    #: Its workflow and what names it, a line each.
    lines: tuple[str, ...]
    #: The state whose output went from one to the other; None: the output of the whole.
    state: str | None
    #: Whether the drawn one has its input from it.
    is_source: bool


def exit_of(graph: Graph, state: str | None) -> NodeId | None:
    """The node that an output leaves: the state of this name, or the first that ends the workflow; None when there is
    none."""
    if state is not None:
        return next((node.id for inner in graph.walk() for node in inner.nodes if node.name == state), None)
    return next((node.id for node in graph.nodes if node.ends and node.type != "Fail"), None)


def graph_of(definition: Json) -> Graph:
    """The graph of a definition, as it is; a definition that is no object has an empty one."""
    if not isinstance(definition, dict):
        return Graph("", "", None, (), ())
    machines = outline(definition)
    inside: dict[str, list[MachineAt]] = {}
    for machine in machines:
        if machine.owner is not None:
            inside.setdefault(machine.owner.pointer, []).append(machine)
    return _graph(machines[0], "", inside)


def _graph(machine: MachineAt, title: str, inside: Mapping[str, list[MachineAt]]) -> Graph:
    start = text_in(machine.value, "StartAt")
    edges = tuple(edge for state in machine.states.values() for edge in _edges(state))
    nodes = [_node(machine, name, inside) for name in machine.names]
    names = set(machine.names)
    for target in (start, *(edge.target for edge in edges)):
        if target is not None and target not in names:
            names.add(target)
            nodes.append(Node((machine.pointer, target), "", missing=True))
    return Graph(machine.pointer, title, start, tuple(nodes), edges)


def _node(machine: MachineAt, name: str, inside: Mapping[str, list[MachineAt]]) -> Node:
    state = machine.states.get(name)
    if state is None:
        return Node((machine.pointer, name), "")
    groups = tuple(_graph(inner, _title(inner, state), inside) for inner in inside.get(state.pointer, ()))
    ends = state.value.get("End") is True or state.type in ("Succeed", "Fail")
    describe = _DETAILS.get(state.type)
    return Node((machine.pointer, name), state.type, describe(state) if describe else "", ends, groups=groups)


def _title(inner: MachineAt, owner: StateAt) -> str:
    """States Language, "Parallel State" and "Map State": a branch has a number, a processor an item."""
    if inner.shape == "Branch":
        return f"branch {int(inner.pointer.rsplit('/', 1)[1]) + 1}"
    config = inner.value.get("ProcessorConfig")
    is_distributed = isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"
    items = _first(owner, "ItemsPath", "Items") or _object(owner, "ItemReader")
    most = _first(owner, "MaxConcurrency", "MaxConcurrencyPath")
    words = [f"each item of {items}" if items else "each item"]
    words += [f"{most} at once"] if most not in ("", "0") else []
    words += ["distributed"] if is_distributed else []
    results = _object(owner, "ResultWriter")
    words += [f"results to {results}"] if results else []
    return ", ".join(words)


def _object(owner: StateAt, field: str) -> str:
    """`s3://orders/2026.csv`: what an ItemReader reads or a ResultWriter writes, where it stands there plainly."""
    part = owner.value.get(field)
    arguments = part.get("Parameters", part.get("Arguments")) if isinstance(part, dict) else None
    if not isinstance(arguments, dict):
        return ""
    bucket = next((arguments[name] for name in ("Bucket", "Bucket.$") if name in arguments), None)
    key = next((arguments[name] for name in ("Key", "Key.$", "Prefix", "Prefix.$") if name in arguments), "")
    return f"s3://{bucket}/{key}" if isinstance(bucket, str) and isinstance(key, str) else ""


def _edges(state: StateAt) -> Iterator[Edge]:
    """The ways out of a state in the order in which they are tried; Next first, for it is the usual one."""
    if state.type in ("Succeed", "Fail"):
        return
    if (target := state.text("Next")) is not None and state.type != "Choice":
        yield Edge(state.name, target, "next")
    if state.type == "Choice":
        for _, rule in state.items("Choices"):
            if (target := text_in(rule, "Next")) is not None:
                yield Edge(state.name, target, "rule", condition_text(rule))
        if (target := state.text("Default")) is not None:
            yield Edge(state.name, target, "default", "default")
    if state.type == "Message" and (target := state.text("TimeoutPath")) is not None:
        yield Edge(state.name, target, "timeout", "timeout")
    for _, catcher in state.items("Catch"):
        if (target := text_in(catcher, "Next")) is not None:
            names = catcher.get("ErrorEquals")
            label = ", ".join(str(name) for name in names) if isinstance(names, list) else "?"
            yield Edge(state.name, target, "catch", f"Catch {label}")


def _first(state: StateAt, *fields: str) -> str:
    """The first of these fields that is written, as text; "" when none is."""
    return next((label_text(state.value[field]) for field in fields if field in state.value), "")


def _task(state: StateAt) -> str:
    resource = parse_resource(state.text("Resource") or "")
    if resource.kind == "invoke":
        parameters = state.value.get("Parameters", state.value.get("Arguments"))
        name = parameters.get("FunctionName") if isinstance(parameters, dict) else None
        if isinstance(name, str):
            return name.rpartition(":function:")[2].removesuffix(":$LATEST")
    if resource.kind == "handler":
        return resource.text  # a placeholder stands for itself
    return f"{resource.handler}.{resource.pattern}" if resource.pattern else resource.handler


def _wait(state: StateAt) -> str:
    seconds = _first(state, "Seconds", "SecondsPath")
    if seconds:
        return f"{seconds} s"
    until = _first(state, "Timestamp", "TimestampPath")
    return f"until {until}" if until else ""


def _fail(state: StateAt) -> str:
    return _first(state, "Error", "ErrorPath")


def _message(state: StateAt) -> str:
    value = _first(state, "CorrelationValuePath", "CorrelationValue")
    limit = _first(state, "TimeoutSeconds", "TimeoutSecondsPath")
    label = f"{_first(state, 'CorrelationKey')} = {value}" if value else _first(state, "CorrelationKey")
    return f"{label}, at most {limit} s" if limit else label


_DETAILS: Mapping[str, Callable[[StateAt], str]] = {"Task": _task, "Wait": _wait, "Fail": _fail, "Message": _message}
