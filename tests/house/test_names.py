"""The names of functions: verbs, or nouns for what they return; no bare participles."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house.source import modules

#: Participles that a reader cannot tell from a thing or a deed: what is `shown`, who `told` whom?
_PARTICIPLES = frozenset(
    [
        "asked",
        "begun",
        "built",
        "chosen",
        "drawn",
        "ended",
        "found",
        "given",
        "gone",
        "held",
        "kept",
        "known",
        "left",
        "lost",
        "made",
        "meant",
        "named",
        "said",
        "sent",
        "shown",
        "spent",
        "taken",
        "told",
        "used",
        "wanted",
        "written",
    ]
)
#: Rows of the interpreter's table are named for their events.
_EVENTS = re.compile(r"sm_cli/interpreter/(states/\w+|advance)\.py")


def is_bare(name: str) -> bool:
    return name.strip("_") in _PARTICIPLES


@pytest.mark.parametrize(("name", "bare"), [("shown", True), ("_told", True), ("show", False), ("has_ended", False)])
def test_a_bare_participle_is_recognized(name: str, bare: bool) -> None:
    assert is_bare(name) == bare


def test_no_function_of_a_module_is_named_by_a_bare_participle() -> None:
    bare = [
        f"{module.path.as_posix()}: {node.name}"
        for module in modules()
        if not _EVENTS.fullmatch(module.path.as_posix())
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_bare(node.name)
    ]
    assert bare == []
