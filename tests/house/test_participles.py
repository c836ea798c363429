"""No bare participle is a name: what is `shown`, who `told` whom? A name says what the value is.

A participle with a noun does (`pending_children`), and so does the name of a type (`TaskFailed`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import Function, Module, module, modules

#: Irregular ones; the regular ones end in -ed.
_IRREGULAR = frozenset(
    [
        "asked", "begun", "bound", "bought", "broken", "brought", "built", "caught", "chosen", "done", "drawn",
        "driven", "fallen", "felt", "forgotten", "found", "frozen", "given", "gone", "had", "heard", "held",
        "hidden", "kept", "known", "laid", "left", "lent", "lost", "made", "meant", "met", "paid", "said", "seen",
        "sent", "shown", "shut", "spent", "stolen", "stuck", "sworn", "taken", "taught", "thought", "thrown",
        "told", "torn", "understood", "used", "wanted", "won", "woven", "written",
    ]
)  # fmt: skip
#: No participles.
_OTHERS = frozenset(["bed", "feed", "need", "proceed", "seed", "speed"])

#: The rooms in which variables, arguments, attributes and methods are held to it.
ROOMS = (
    "asl", "buckets", "carriers", "celery", "cli", "client", "engine", "expr", "handlers", "interpreter", "project",
    "store", "test_state", "testing", "views", "worker",
)  # fmt: skip
#: Names that stay, each for its reason. A new one fails, and so does one that no room has any more.
_EXCEPTIONS = {
    # The field's own words.
    "aborted": "AWS's status, as a count",
    "bound": "one bound of a slice",
    "cancelled": "of a handler's Context, which is public: set when its task is",
    "closed": "a status and, as a column, when it came about",
    "expected": "an attribute of the JSONata package's errors",
    "failed": "AWS's status, as a count",
    "led": "the left denotation of Pratt's parsers, as the JSONata package calls it",
    "left": "the left operand of an operator, the left arm of a sort",
    "required": "the JSON Schema's word",
    "succeeded": "AWS's status, as a count or as what a child came to",
    "tolerated": "the States Language's ToleratedFailureCount",
    "written": "of a simulation's Outcome, which is public: what its Maps wrote",
    # Columns of the database, which users query.
    "consumed": "a column: when a message was",
    "created": "a column: when a definition was",
    "deleted": "a column: when a version was",
    "ended": "a column: when a wait did",
    "entered": "a column: the number of the event StateEntered",
    "received": "a column: when a message was",
    "seen": "a column: when a worker was, last",
    "started": "a column: when an execution was; AWS's count of children",
    "updated": "a column: when an alias was",
    # Whether something is so.
    "broken": "whether a transaction is",
    "changed": "whether another process has changed the database: a method of every store",
    "granted": "whether a turn is",
    "ignored": "whether the event of a step was",
}
#: Rows of the interpreter's table are named for their events.
_EVENTS = re.compile(r"sm_cli/interpreter/(states/\w+|advance)\.py")


def is_participle(name: str) -> bool:
    """Whether a name is one, and nothing else."""
    bare = name.strip("_")
    return bare in _IRREGULAR or (bare.endswith("ed") and bare.islower() and "_" not in bare and bare not in _OTHERS)


def names_of(module: Module) -> Iterator[str]:
    """Every variable, argument, attribute, method and inner function that a module gives a name."""
    outer = {id(node) for node in module.tree.body if isinstance(node, Function)}
    for node in ast.walk(module.tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if id(node) not in outer:
                yield name
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("shown", True), ("_told", True), ("stored", True), ("show", False), ("has_ended", False), ("seed", False),
        ("pending_children", False), ("failed_items", False), ("TaskFailed", False), ("FAILED", False),
    ],
)  # fmt: skip
def test_a_bare_participle_is_recognized(name: str, bare: bool) -> None:
    assert is_participle(name) == bare


@pytest.mark.parametrize(
    "code",
    [
        "found = 1", "found: int = 1", "def f(found): ...", "def f(*, found=1): ...", "lambda found: 1",
        "for found in x: ...", "with x as found: ...", "[1 for found in x]", "(found := 1)", "found, b = x",
        "self.found = 1", "class A:\n    found: int", "class A:\n    def found(self): ...",
        "def f():\n    def found(): ...", "import a as found", "try: ...\nexcept E as found: ...",
        "match x:\n    case int() as found: ...", "match x:\n    case [*found]: ...",
        "match x:\n    case {**found}: ...", "def f(*found): ...", "def f(**found): ...",
    ],
)  # fmt: skip
def test_every_way_to_give_a_name_is_seen(code: str) -> None:
    assert "found" in names_of(module(Path("a.py"), code))


@pytest.mark.parametrize("code", ["x.found()", "print(found)", "f(found=1)", "def found(): ...", "class found: ..."])
def test_a_use_gives_no_name_nor_does_a_definition_of_the_module(code: str) -> None:
    assert "found" not in names_of(module(Path("a.py"), code))


def test_no_function_of_a_module_is_named_by_a_bare_participle() -> None:
    bare = [
        f"{module.path.as_posix()}: {node.name}"
        for module in modules()
        if not _EVENTS.fullmatch(module.path.as_posix())
        for node in module.tree.body
        if isinstance(node, Function) and node.name.strip("_") in _IRREGULAR
    ]
    assert bare == []


def test_no_variable_argument_attribute_or_method_is_named_by_a_bare_participle() -> None:
    bare = {
        (name.strip("_"), module.path.as_posix())
        for module in modules()
        if module.path.parts[1] in ROOMS
        for name in names_of(module)
        if is_participle(name)
    }
    assert sorted(f"{path}: {name}" for name, path in bare if name not in _EXCEPTIONS) == []
    assert sorted(_EXCEPTIONS.keys() - {name for name, _ in bare}) == [], "exceptions that are no longer needed"
