"""Joins: the rows that `@$name`, `#$name` and `%` make of a path's steps, and how deep an expression is written.

Rows are charged before they are made, so that a join of two large arrays ends before it fills the memory.
"""

from __future__ import annotations

from typing import Any

from jsonata.utils import Utils  # type: ignore[import-untyped]  # the package ships no types

_CHILDREN = ("lhs", "rhs", "expression", "condition", "then", "_else", "body", "procedure")
_LISTS = ("steps", "expressions", "arguments")


def rows_of(evaluator: Any, step: Any, input: Any, rows: Any, environment: Any) -> Any:
    """The rows that a step makes of `rows` (None: of the items of `input`): each once for every value of the step."""
    result = Utils.create_sequence()
    result.tuple_stream = True
    for row in [{"@": item} for item in input] if rows is None else rows:
        values = evaluator.eval(step, row["@"], evaluator.create_frame_from_tuple(environment, row))
        if values is None:
            continue
        is_stream = isinstance(values, Utils.JList) and values.tuple_stream
        if not isinstance(values, list):
            values = [values]
        evaluator.build(len(values) * (len(row) + 1))
        for number, value in enumerate(values):
            if is_stream:
                result.append({**row, **value})
                continue
            # With a focus the context stays where it was: `$a@$x.b` looks for b beside a.
            row_of_value = {**row, "@": value} if step.focus is None else {**row, step.focus: value}
            if step.index is not None:
                row_of_value[step.index] = number
            if step.ancestor is not None:
                row_of_value[step.ancestor.label] = row["@"]
            result.append(row_of_value)
    return result


def nesting(tree: Any) -> int:
    """How deep the nodes of a syntax tree stand inside each other; a sum of 200 terms is 200 deep."""
    deepest = 0
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        below = [getattr(node, name, None) for name in _CHILDREN]
        for name in _LISTS:
            below.extend(getattr(node, name, None) or ())
        # A path of one step is no level of its own.
        more = 0 if node.type == "path" else 1
        waiting.extend((child, depth + more) for child in below if hasattr(child, "type"))
    return deepest
