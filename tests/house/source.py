"""The modules of the package as syntax trees, and lists of exceptions that may only shrink."""

from __future__ import annotations

import ast
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "sm_cli"
RECORD = bool(os.environ.get("SM_RECORD"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    #: From the root of the checkout.
    path: Path
    text: str
    tree: ast.Module


@cache
def modules() -> tuple[Module, ...]:
    """All of them, in the order of their paths."""
    files = sorted(PACKAGE.rglob("*.py"))
    return tuple(module(file.relative_to(ROOT), file.read_text(encoding="utf-8")) for file in files)


def module(path: Path, text: str) -> Module:
    return Module(path, text, ast.parse(text))


def check_exceptions(name: str, found: Iterable[str]) -> None:
    """What a habit does not hold for yet stands in exceptions/NAME.txt, exactly.

    A new exception fails, and so does one that is no longer needed; SM_RECORD=1 takes out the latter and never adds
    one. The lists name no files: moving one changes none of them.
    """
    file = Path(__file__).parent / "exceptions" / f"{name}.txt"
    listed = Counter(file.read_text(encoding="utf-8").splitlines())
    there = Counter(found)
    if RECORD:
        listed &= there
        file.write_text("".join(f"{line}\n" for line in sorted(listed.elements())), encoding="utf-8")
    assert sorted((there - listed).elements()) == [], "new exceptions to a habit of the house"
    assert sorted((listed - there).elements()) == [], f"no longer needed in {file.name}; SM_RECORD=1 takes them out"
