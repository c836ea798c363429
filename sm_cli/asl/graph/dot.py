"""A graph in Graphviz's DOT language.

Every text is a quoted string in which quotes, backslashes and HTML entities stand for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sm_cli.asl.graph.graph import Edge, Graph, Mark, Marks, Neighbour, Node, NodeId, exit_of
from sm_cli.asl.graph.words import PALETTE, marked_name, plain, state_summary

_SHAPES = {"Choice": "diamond", "Succeed": "ellipse", "Fail": "ellipse", "Message": "note", "Wait": "oval"}


def to_dot(graph: Graph, marks: Marks | None = None, neighbours: Sequence[Neighbour] = ()) -> str:
    """A whole digraph, ending in a newline. With `marks` the path taken is coloured; `neighbours` stand around it."""
    ids = {node.id: f"n{i}" for i, node in enumerate(node for inner in graph.walk() for node in inner.nodes)}
    lines = [
        "digraph workflow {",
        "    rankdir=TB;",
        '    node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica"];',
        '    edge [fontname="Helvetica", fontsize=10];',
    ]
    if graph.start is not None:
        lines.append('    begin [shape=circle, label="", width=0.2, fillcolor=black];')
        lines.append(f"    begin -> {ids['', graph.start]};")
    lines += _machine(graph, ids, marks or {}, "    ")
    ends = [ids[node.id] for node in graph.nodes if node.ends and node.type not in ("Succeed", "Fail")]
    if ends:
        lines.append('    finish [shape=doublecircle, label="", width=0.15, fillcolor=black];')
        lines += [f"    {id} -> finish;" for id in ends]
    lines += _links(graph, ids, neighbours)
    return "\n".join([*lines, "}"]) + "\n"


def _machine(graph: Graph, ids: dict[NodeId, str], marks: Marks, indent: str) -> Iterator[str]:
    for node in graph.nodes:
        yield f"{indent}{ids[node.id]} [{_attributes(node, marks.get(node.id))}];"
        for i, group in enumerate(node.groups):
            yield f"{indent}subgraph cluster_{ids[node.id]}_{i} {{"
            yield f'{indent}    label={_quote(group.title)}; style="rounded,dashed"; fontname="Helvetica";'
            yield from _machine(group, ids, marks, f"{indent}    ")
            yield f"{indent}}}"
            if group.start is not None:
                yield f"{indent}{ids[node.id]} -> {ids[group.pointer, group.start]} [style=dotted];"
    for edge in graph.edges:
        yield f"{indent}{ids[graph.pointer, edge.source]} -> {ids[graph.pointer, edge.target]}{_label(edge)};"


def _links(graph: Graph, ids: dict[NodeId, str], neighbours: Sequence[Neighbour]) -> Iterator[str]:
    for i, each in enumerate(neighbours):
        yield f"    link{i} [label={_quote(*each.lines)}, shape=hexagon];"
        leaves = exit_of(graph, each.state)
        if each.is_source:
            label = "" if each.state is None else f"label={_quote(each.state)}, "
            yield f"    link{i} -> begin [{label}style=dashed];"
        elif leaves is not None:
            yield f"    {ids[leaves]} -> link{i} [style=dashed];"


def _attributes(node: Node, mark: Mark | None) -> str:
    attributes = [f"label={_quote(*filter(None, (marked_name(node, mark), state_summary(node))))}"]
    if node.type in _SHAPES:
        attributes.append(f"shape={_SHAPES[node.type]}")
    if node.missing:
        attributes.append('style="rounded,dashed", color="#dc2626"')
    if mark is not None and mark.status in PALETTE:
        fill, stroke = PALETTE[mark.status]
        attributes.append(f'fillcolor="{fill}", color="{stroke}", penwidth=2')
    return ", ".join(attributes)


def _label(edge: Edge) -> str:
    style = ["style=dashed"] if edge.kind in ("catch", "timeout") else []
    label = [f"label={_quote(edge.label)}"] if edge.label else []
    return f" [{', '.join(label + style)}]" if label or style else ""


def _quote(*lines: str) -> str:
    texts = (plain(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines)
    return '"' + "\\n".join(texts) + '"'
