"""A graph as Mermaid's flowchart, which GitHub, GitLab and most editors draw.

No text of a definition reaches Mermaid's grammar: labels stand in quotes, and every character that
could mean something there is written as its entity (`#35;`), which Mermaid turns back when it draws.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sm_cli.asl.graph.graph import STATUSES, Edge, Graph, Marks, Neighbour, Node, NodeId, exit_of
from sm_cli.asl.graph.words import PALETTE, marked_name, plain, state_summary

_SHAPES = {
    "Choice": ("{", "}"),
    "Parallel": ("[[", "]]"),
    "Map": ("[[", "]]"),
    "Wait": ("(", ")"),
    "Succeed": ("([", "])"),
    "Fail": ("([", "])"),
    "Message": ("[/", "/]"),
}
#: What stays as it is; a letter or digit of any script does too.
_SAFE = frozenset(" $.,:_-/='!")
#: A label that begins like an item of a list would be read as Markdown.
_LIST = re.compile(r"\d+\.|-")
#: Mermaid keeps the place of an entity with these while it parses.
_PLACEHOLDERS = frozenset("ﬂ°¶ß")
#: Mermaid itself looks for these words before it reads the grammar.
_TOUCHY = re.compile("style|classdef", re.IGNORECASE)


def to_mermaid(graph: Graph, marks: Marks | None = None, neighbours: Sequence[Neighbour] = ()) -> str:
    """A whole diagram, ending in a newline. With `marks` the path taken is coloured; `neighbours` stand around it."""
    ids = {node.id: f"n{i}" for i, node in enumerate(node for inner in graph.walk() for node in inner.nodes)}
    lines = ["flowchart TD"]
    if graph.start is not None:
        lines += ['    begin((" "))', f"    begin --> {ids['', graph.start]}"]
    lines += _machine(graph, ids, marks or {}, "    ")
    if any(_ends(node) for node in graph.nodes):
        lines.append('    finish(((" ")))')
    lines += _links(graph, ids, neighbours)
    return "\n".join([*lines, *_classes(graph, ids, marks or {})]) + "\n"


def _machine(graph: Graph, ids: dict[NodeId, str], marks: Marks, indent: str) -> Iterator[str]:
    for node in graph.nodes:
        yield f"{indent}{ids[node.id]}{_shape(node, marks)}"
        for i, group in enumerate(node.groups):
            yield f'{indent}subgraph {ids[node.id]}_{i}["{_escape(group.title)}"]'
            yield f"{indent}    direction TB"
            yield from _machine(group, ids, marks, f"{indent}    ")
            yield f"{indent}end"
            if group.start is not None:
                yield f"{indent}{ids[node.id]} -.-> {ids[group.pointer, group.start]}"
    for edge in graph.edges:
        yield f"{indent}{ids[graph.pointer, edge.source]} {_arrow(edge)} {ids[graph.pointer, edge.target]}"
    if not graph.pointer:
        yield from (f"{indent}{ids[node.id]} --> finish" for node in graph.nodes if _ends(node))


def _links(graph: Graph, ids: dict[NodeId, str], neighbours: Sequence[Neighbour]) -> Iterator[str]:
    for i, each in enumerate(neighbours):
        yield f'    link{i}{{{{"{"<br/>".join(map(_escape, each.lines))}"}}}}'
        leaves = exit_of(graph, each.state)
        if each.is_source:
            label = "" if each.state is None else f'|"{_escape(each.state)}"|'
            yield f"    link{i} -.->{label} begin"
        elif leaves is not None:
            yield f"    {ids[leaves]} -.-> link{i}"


def _ends(node: Node) -> bool:
    return node.ends and node.type not in ("Succeed", "Fail")


def _shape(node: Node, marks: Marks) -> str:
    opening, closing = _SHAPES.get(node.type, ("[", "]"))
    mark = marks.get(node.id)
    lines = [_escape(marked_name(node, mark)), _escape(state_summary(node))]
    return f'{opening}"{"<br/>".join(line for line in lines if line)}"{closing}'


def _arrow(edge: Edge) -> str:
    line = "-.->" if edge.kind in ("catch", "timeout") else "-->"
    return f'{line}|"{_escape(edge.label)}"|' if edge.label else line


def _classes(graph: Graph, ids: dict[NodeId, str], marks: Marks) -> Iterator[str]:
    missing = [ids[node.id] for inner in graph.walk() for node in inner.nodes if node.missing]
    if missing:
        yield "    classDef missing fill:#fff,stroke:#dc2626,stroke-dasharray:4"
        yield f"    class {','.join(missing)} missing"
    for status in STATUSES:
        nodes = [ids[id] for id, mark in marks.items() if mark.status == status and id in ids]
        if nodes:
            fill, stroke = PALETTE[status]
            yield f"    classDef {status.lower()} fill:{fill},stroke:{stroke},stroke-width:2px,color:#111827"
            yield f"    class {','.join(nodes)} {status.lower()}"


def _escape(text: str) -> str:
    text = plain(text)
    safe = _SAFE - {":"} if _TOUCHY.search(text) else _SAFE
    match = _LIST.match(text)
    risky = -1 if match is None else match.end() - 1
    return "".join(c if _is_safe(c, safe) and i != risky else f"#{ord(c)};" for i, c in enumerate(text))


def _is_safe(c: str, safe: frozenset[str]) -> bool:
    return c.isalnum() or c in safe if c.isascii() else c not in _PLACEHOLDERS
