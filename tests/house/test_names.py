"""The names of functions: verbs, or nouns for what they return; no bare participles; no name for two things."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import Function, Module, module, modules

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


#: Names that two modules share, each for its reason. A new one fails, and so does one that is no longer shared.
_SHARED = {
    # What each module of its kind has, called by the table that lists the modules.
    "register": "every command's module adds its commands under this name",
    "items": "every format of a data set yields its items under this name",
    # A row of the table of transitions names its event; the module is the state.
    "entered": "a transition",
    "start": "a transition; StartExecution as a task",
    "joined": "a transition",
    "join_failed": "a transition",
    "timed_out": "a transition",
    # A command's function has the command's name, and so has what it asks.
    "history": "a command; GetExecutionHistory as a task",
    "list_executions": "a command; what it asks of the views; ListExecutions as a task",
    "list_messages": "a command; what it asks of the views",
    "redrive": "a command; what it asks of the engine",
    "stop": "a command; StopExecution as a task",
    "test_state": "a command; what it asks of `sm_cli.test_state`",
    "validate": "a command; the public function; what both ask; ValidateStateMachineDefinition as a task",
    "why": "a command; what it asks of the views",
    # The package's public functions are thin.
    "load_handlers": "the public function; what it asks",
}


def definitions(module: Module) -> Iterator[str]:
    """The public functions and classes of a module, each once."""
    found = {node.name for node in module.tree.body if isinstance(node, Function | ast.ClassDef)}
    return (name for name in found if not name.startswith("_"))


def test_a_name_means_one_thing() -> None:
    # Each template is a file of somebody's project, and two projects may be alike.
    ours = [module for module in modules() if "templates" not in module.path.parts]
    counts = Counter(name for module in ours for name in definitions(module))
    assert sorted(name for name, count in counts.items() if count > 1) == sorted(_SHARED)


def test_overloads_and_private_names_are_not_two_definitions() -> None:
    text = "@overload\ndef a(): ...\ndef a(): ...\nclass B:\n    def c(self): ...\ndef _d(): ..."
    assert sorted(definitions(module(Path("a.py"), text))) == ["B", "a"]
