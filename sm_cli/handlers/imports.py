"""What a file of handlers needs to run somewhere else: the files beside it that it imports, and packages.

Files are read, never executed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Imports:
    """What a file imports, and what that imports."""

    #: The file itself and those of its directory, in the order in which they were met.
    files: dict[Path, None] = field(default_factory=dict)
    #: The first names of all other imports that are not Python's own, sorted.
    packages: list[str] = field(default_factory=list)


def imports_of(file: Path, directory: Path) -> Imports:
    """What a file of handlers in this directory needs; a file that is no Python needs nothing. Raises OSError."""
    result = Imports()
    packages: set[str] = set()
    waiting = [file]
    while waiting:
        each = waiting.pop()
        if each in result.files:
            continue
        result.files[each] = None
        for module in _modules(each, directory):
            beside = _files_of(directory, module)
            waiting += beside
            first = module.partition(".")[0]
            if not beside and first and first not in sys.stdlib_module_names:
                packages.add(first)
    result.packages = sorted(packages)
    return result


def _modules(file: Path, directory: Path) -> Iterator[str]:
    """The dotted names that a file imports, as seen from the directory; of `from a import b` both a and a.b."""
    try:
        tree = ast.parse(file.read_bytes(), file.name)
    except (SyntaxError, ValueError):
        return
    inside = file.parent.relative_to(directory).parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level + 1] if node.level else ()
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield from ([name] if name else [])
            for alias in node.names:
                inner = f"{name}.{alias.name}".lstrip(".")
                if node.level or _files_of(directory, inner):
                    yield inner


def _files_of(directory: Path, module: str) -> list[Path]:
    """The files of a module that lies in the directory, with those of the packages around it; none for another one."""
    files: list[Path] = []
    place = directory
    for part in module.split("."):
        place /= part
        if (place / "__init__.py").is_file():
            files.append(place / "__init__.py")
        elif place.with_name(f"{part}.py").is_file():
            return [*files, place.with_name(f"{part}.py")]
        elif not place.is_dir():
            return files
    return files
