"""The habits of the house that no linter holds: sizes, and who may speak of commands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sm_cli.cli.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "sm_cli"
#: At most so many lines a module, lines a function, modules a folder.
MODULE, FUNCTION, FOLDER = 400, 60, 18
#: The command line, what a new project is made of, and what the dashboard shows may name commands.
FRONT_ENDS = (PACKAGE / "cli", PACKAGE / "server" / "pages", PACKAGE / "__main__.py")
_COMMAND = re.compile(rf"(^|[`' ])sm ({'|'.join(COMMANDS)})\b|(^|[`' ])sm \{{|(^|[`' ])--[a-z{{]")

SOURCES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted({source.parent for source in (*SOURCES, *(ROOT / "tests").rglob("*.py"))})


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("source", SOURCES, ids=names(SOURCES))
def test_a_module_and_its_functions_are_short(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MODULE
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno is not None}
    assert {name: lines for name, lines in long.items() if lines > FUNCTION} == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_a_folder_is_seen_at_one_glance(folder: Path) -> None:
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= FOLDER


BELOW = [source for source in SOURCES if not any(source == front or front in source.parents for front in FRONT_ENDS)]


@pytest.mark.parametrize("source", BELOW, ids=names(BELOW))
def test_a_room_below_the_front_ends_names_no_command_and_no_option(source: Path) -> None:
    assert [text for text in texts_of(source.read_text(encoding="utf-8")) if _COMMAND.search(text)] == []


@pytest.mark.parametrize(
    ("code", "names_one"),
    [
        ('x = "see `sm why`"', True),
        ('x = "ask with --json"', True),
        ('x = f"sm {command} {ref}"', True),
        ('x = f"use --{option}"', True),
        ('x = f"run {ref} with sm " f"why {ref}"', True),
        ('x = f"prism {command} and a--{b}"', False),
        ('x = "sm runs workflows"', False),
    ],
)
def test_a_command_is_recognized_also_where_its_name_is_put_in(code: str, names_one: bool) -> None:
    assert any(_COMMAND.search(text) for text in texts_of(code)) == names_one


def texts_of(code: str) -> Iterator[str]:
    """Every text of a module that may reach a person: no docstrings. Of an f-string the whole, with `{}` for each
    value."""
    tree = ast.parse(code)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
