"""The names of functions and classes: none for two things."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import Function, Module, module, modules

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
    # Each database has the same edge.
    "busy": "what a database says when another process writes for too long",
    "explain_error": "a driver's error in our words",
    "migrate": "the schema of a database is made or brought up to date",
    "too_new": "what a database says of a schema of a newer sm",
    "version": "the number of a database's schema",
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
