"""What of a folder is a definition, by content: a JSON or YAML object with StartAt and States, whatever its name.

Other JSON and YAML files, of which a checkout has thousands, are passed over without being parsed. What looks like a
definition and is broken is not passed over where somebody says that it is one: by the name `*.asl.*`, or by its folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sm_cli.asl.templates.words import may_hold_machines
from sm_cli.errors import SmError
from sm_cli.project.definitions import is_named_as_tests
from sm_cli.project.reading import DefinitionReader, DefinitionSource

#: How the names of files end that may hold a definition or a template of one.
SUFFIXES = (".json", ".yaml", ".yml", ".asl", ".tpl", ".tftpl", ".j2", ".template", ".tf")
_NAMED = re.compile(r"\.asl(?:\.|$)")
#: Folders of packages that others have written.
_FOREIGN = frozenset(["node_modules", "__pycache__", "site-packages", "venv"])
#: Larger files are passed over unread; a template of CDK may have some millions of bytes.
_MOST_BYTES = 50_000_000


@dataclass(slots=True)
class FolderSearch:
    """What a search of folders has come to."""

    #: The definitions, in the order of their files.
    sources: list[DefinitionSource] = field(default_factory=list)
    #: How many files were looked at.
    files: int = 0
    #: Files that name StartAt and States and cannot be read, and nobody says that they are definitions.
    unreadable_files: list[str] = field(default_factory=list)
    #: Files that hold a definition or a template with one.
    files_with_definitions: int = 0

    @property
    def others(self) -> int:
        """How many files were passed over."""
        return self.files - self.files_with_definitions


def candidates(folder: Path) -> Iterator[Path]:
    """The files below a folder that may hold a definition, by their names; not in hidden folders, nor in those of
    packages."""
    for directory, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _FOREIGN)
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(directory, name)


def search(
    files: Iterable[Path],
    reader: DefinitionReader,
    says: Callable[[Path], bool],
    progress: Callable[[int], None] = lambda _: None,
) -> FolderSearch:
    """Look at each file. says: whether somebody says that a file is a definition, by its folder. progress: called with
    the number of files so far."""
    result = FolderSearch()
    for path in files:
        progress(result.files)
        content = _read(path)
        if content is None or (is_named_as_tests(path.name) and b"StartAt" not in content):
            continue
        result.files += 1
        is_named = _NAMED.search(path.name.lower()) is not None
        is_meant = is_named or says(path)
        sources = _definitions(reader, str(path), content, is_named=is_named, is_meant=is_meant)
        if sources is None:
            result.unreadable_files.append(str(path))
        elif sources:
            result.files_with_definitions += 1
            result.sources += sources
    return result


def _read(path: Path) -> bytes | None:
    """The bytes of a file; None for what is no file, is too large or may not be read."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _definitions(
    reader: DefinitionReader, file: str, content: bytes, *, is_named: bool, is_meant: bool
) -> list[DefinitionSource] | None:
    """Those of a file; None for one that names StartAt and States and cannot be read."""
    has_words = b"StartAt" in content and b"States" in content
    if not (is_meant or has_words or may_hold_machines(content)):
        return []
    try:
        sources = reader.sources(file, content)
    except SmError:
        return None
    return [source for source in sources if source.machine is not None or _is_one(source, is_named, is_meant)] or (
        None if has_words and any(source.result.document is None for source in sources) else []
    )


def _is_one(source: DefinitionSource, is_named: bool, is_meant: bool) -> bool:
    document = source.result.document
    if document is None:
        return is_meant
    keys = document.value.keys() if isinstance(document.value, dict) else set()
    return is_named or {"StartAt", "States"} <= keys or (is_meant and bool({"StartAt", "States"} & keys))
