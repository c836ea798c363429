"""The definitions of a project: files in a folder, workflows by name.

A workflow's name is its file's, and only files that stand directly in the folder are looked at.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from sm_cli.errors import NotFound, UsageError

SUFFIXES = (".yaml", ".yml", ".json")
_TESTS = re.compile(r"\.test\.(?:ya?ml|json)$")
_INPUT = re.compile(r"\.input\.(?:ya?ml|json)$")


def stem_of(path: str) -> str:
    """The file's stem, without a second `.asl`: `order.asl.json` is `order`."""
    return Path(path).stem.removesuffix(".asl")


def files_in(folder: Path) -> list[Path]:
    """The definition files that stand directly in a folder; not those whose names say that they are tests or inputs."""
    names = (f for f in folder.iterdir() if f.suffix in SUFFIXES and not f.name.startswith("."))
    return sorted(f for f in names if not (is_named_as_tests(f.name) or is_named_as_input(f.name)) and f.is_file())


def is_named_as_tests(name: str) -> bool:
    """Whether a file's name says that it holds tests of a workflow: `order.test.yaml`."""
    return _TESTS.search(name) is not None


def is_named_as_input(name: str) -> bool:
    """Whether a file's name says that it holds an input of a workflow: `order.input.json`."""
    return _INPUT.search(name) is not None


def files_by_name(folder: Path) -> dict[str, Path]:
    """The same by the names of their workflows; none for a folder that is not there."""
    return {stem_of(str(file)): file for file in (files_in(folder) if folder.is_dir() else ())}


def only_file(folder: Path, setting: str | None, root: Path) -> Path:
    """The workflow that a folder stands for: the one that the settings of its project name, as a file below `root` or
    by its name, else the only one that stands in the folder. Raises UsageError when that is none or several."""
    there = files_by_name(folder)
    if setting is not None:
        file = there.get(setting, root / setting)
        if file.is_file():
            return file
        close = get_close_matches(setting, there, 1)
        hint = f"; did it mean {close[0]!r}?" if close else ""
        raise UsageError(f"the settings in {root} name the workflow {setting!r}, which is not there{hint}")
    if len(there) == 1:
        return next(iter(there.values()))
    if there:
        raise UsageError(f"{folder} holds several workflows: {', '.join(there)}; name the file of one of them")
    raise UsageError(f"{folder} holds no workflow: no file there ends in {', '.join(SUFFIXES)}")


def read_file(path: str) -> bytes:
    """The bytes of a definition's file. Raises NotFound, and UsageError for one that cannot be read."""
    from sm_cli.asl.text.source import MAX_BYTES

    try:
        file = Path(path)
        with file.open("rb") as stream:
            return stream.read() if file.is_file() else stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except OSError as e:
        raise UsageError(f"{path} cannot be read: {e.strerror}") from e
