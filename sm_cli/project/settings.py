"""The settings of a project: the file that has them, found and read.

What is read is checked wholly before anything is taken from it; a sentence about it names file and line.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sm_cli.errors import ConfigurationError
from sm_cli.handlers.display import display_path

#: Key to its type and what that is called.
KEYS: dict[str, tuple[type, str]] = {
    "workflow": (str, "text"),
    "handlers": (str, "text"),
    "database": (str, "text"),
    "lock_timeout": (str, "text"),
    "concurrency": (int, "a whole number"),
    "processes": (int, "a whole number"),
    "recycle_after": (int, "a whole number"),
    "queues": (str, "text"),
    "engine": (dict, "a table of name, broker and prefix"),
    "priority": (dict, "a table of queues by workflow"),
    "retention": (str, "text"),
    "buckets": (str, "text"),
    "tests": (str, "text"),
    "aws_limits": (bool, "true or false"),
    "max_payload": (int, "a number of bytes"),
    "max_events": (int, "a number of events"),
    "evaluation_seconds": (int, "a number of seconds"),
    "silence_seconds": (int, "a number of seconds"),
    "most_lost": (int, "a number of workers"),
    "account": (str, "text of twelve digits"),
    "region": (str, "text"),
    "substitutions": (dict, "a table of values by name"),
    "http_allow": (list, "a list of hosts"),
    "http_connections": (dict, "a table of connections"),
}
#: What may hold secrets: no sentence shows its value.
SECRET = frozenset({"http_connections", "database", "engine"})


class Found(NamedTuple):
    """The settings of the project that a folder belongs to."""

    #: The folder of the file, or, without one, the folder that was asked for.
    root: Path
    #: None when no folder above has settings either.
    file: Path | None
    #: What the file says for sm, by name.
    table: dict[str, object]
    #: Its lines, from which a sentence about a setting finds its number.
    lines: list[str]


def find_settings(start: Path, check: Callable[[Path], None] = lambda _: None) -> Found:
    """Walk up to sm.toml, or a pyproject.toml with [tool.sm]. check: called with the file before it is obeyed; what it
    raises is passed on. Raises ConfigurationError for one that is wrong."""
    for directory in (start, *start.parents):
        for name in ("sm.toml", "pyproject.toml"):
            file = directory / name
            settings = _settings(file, check)
            if settings is not None:
                return Found(directory, file, *settings)
    return Found(start, None, {}, [])


def _settings(file: Path, check: Callable[[Path], None]) -> tuple[dict[str, object], list[str]] | None:
    """What the file says for sm, and its lines; None when it is not there or says nothing."""
    try:
        content = file.read_bytes()
        if file.name == "sm.toml":
            check(relative_path(file))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as e:
        if not os.access(file.parent, os.X_OK):
            return None  # a directory above that is not ours to look into
        raise ConfigurationError(f"{relative_path(file)} cannot be read: {e.strerror}") from e
    if file.name == "pyproject.toml" and b"tool" not in content:
        return None
    import tomllib

    try:
        text = content.decode("utf-8-sig")
        table: object = tomllib.loads(text.replace("\r\n", "\n"))
        for step in ("tool", "sm") if file.name == "pyproject.toml" else ():
            table = table.get(step) if isinstance(table, dict) else None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        if file.name == "pyproject.toml" and b"tool.sm" not in content:
            return None
        raise ConfigurationError(f"{relative_path(file)} is not TOML: {e}") from e
    if table is None:
        return None
    check(relative_path(file))
    if not isinstance(table, dict):
        raise ConfigurationError(f"{relative_path(file)}: tool.sm is not a table")
    lines = text.splitlines()
    _check(file, table, lines)
    return table, lines


def _check(file: Path, table: dict[str, object], lines: list[str]) -> None:
    for key, value in table.items():
        kind = KEYS.get(key)
        if kind is None:
            from sm_cli.asl.validation.nearest import did_you_mean  # only whoever wrote something wrong waits for it

            hint = did_you_mean(key, KEYS) or f"sm knows {', '.join(KEYS)}"
            raise ConfigurationError(f"{place_of(file, lines, key)} sets {key!r}, which sm does not know", hint=hint)
        expected_type, type_name = kind
        if type(value) is not expected_type:
            instead = "" if key in SECRET else f", not {value!r}"
            raise ConfigurationError(f"{place_of(file, lines, key)}: {key} is {type_name}{instead}")


def place_of(file: Path, lines: list[str], key: str) -> str:
    """`sm.toml:3`; without the number when the key is written in a way that a line does not show."""
    pattern = re.compile(rf"""\s*(?:\[\s*(?:tool\s*\.\s*sm\s*\.\s*)?)?["']?{re.escape(key)}["']?\s*[=.\]]""")
    begin = next((i for i, line in enumerate(lines) if re.match(r"\s*\[\s*tool\s*\.\s*sm\b", line)), 0)
    for number, line in enumerate(lines[begin:], begin + 1):
        if pattern.match(line):
            return f"{relative_path(file)}:{number}"
    return str(relative_path(file))


def relative_path(path: Path) -> Path:
    """Relative to the current directory when it lies below it."""
    return Path(display_path(path))
