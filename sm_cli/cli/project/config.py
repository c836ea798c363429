"""The project: where its configuration lies, and what that says about files and numbers.

Rule: an option wins over SM_*, that over the configuration, that over the default. Paths in the configuration
are relative to its file; everything else is relative to the current directory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.cli.project.trust import check_owner
from sm_cli.cli.terminal.options import source
from sm_cli.errors import ConfigurationError, HandlerLoadError, SmError
from sm_cli.handlers.display import display_path

if TYPE_CHECKING:
    from sm_cli.handlers.http.settings import HttpSettings

#: Key to its type and what that is called.
_KEYS: dict[str, tuple[type, str]] = {
    "workflow": (str, "text"),
    "handlers": (str, "text"),
    "database": (str, "text"),
    "lock_timeout": (str, "text"),
    "concurrency": (int, "a whole number"),
    "processes": (int, "a whole number"),
    "recycle_after": (int, "a whole number"),
    "queues": (str, "text"),
    "priority": (dict, "a table of queues by workflow"),
    "buckets": (str, "text"),
    "aws_limits": (bool, "true or false"),
    "max_payload": (int, "a number of bytes"),
    "max_events": (int, "a number of events"),
    "evaluation_seconds": (int, "a number of seconds"),
    "silence_seconds": (int, "a number of seconds"),
    "http_allow": (list, "a list of hosts"),
    "http_connections": (dict, "a table of connections"),
}
#: What may hold secrets: no sentence shows its value.
_SECRET = frozenset({"http_connections", "database"})


@dataclass(slots=True)
class Project:
    """The directory that a command works in, and its settings.

    root: the directory of the configuration, or the current one. file: the configuration, if there is one.
    """

    root: Path
    file: Path | None = None
    #: What the configuration says, by name.
    settings: dict[str, object] = field(default_factory=dict)
    #: The lines of its file, from which a sentence about a setting finds its number.
    lines: list[str] = field(default_factory=list, repr=False)

    def setting(self, key: str) -> str | None:
        """A setting as text; None when it is not there."""
        found = self.settings.get(key)
        return None if found is None else str(found)

    def place(self, key: str) -> str:
        """Where a setting was made: `sm.toml:3: concurrency`."""
        return f"{_place(self.file or self.root, self.lines, key)}: {key}"

    def origin(self, key: str, option: str | None) -> str:
        """What says so, for a sentence about it: the option of that name or its variable when it was given, else the
        setting with its place."""
        return self.place(key) if option is None else source(f"--{key.replace('_', '-')}")

    @property
    def workflows(self) -> Path:
        """The directory of workflows."""
        return relative_path(self.root / "workflows")

    def handlers(self, option: str | None) -> tuple[Path, bool]:
        """The handlers directory, and whether somebody named it.

        Raises HandlerLoadError when the configuration names one that is not there."""
        if option is not None:
            return Path(option), True
        configured = self.setting("handlers")
        directory = relative_path(self.root / (configured or "handlers"))
        if configured is not None and not directory.is_dir():
            place = self.place("handlers")
            raise HandlerLoadError(f"{place}: there is no directory {directory}", topic="handlers directory")
        return directory, configured is not None

    def buckets(self, option: str | None) -> Path:
        """The directory that stands for S3."""
        return Path(option) if option is not None else relative_path(self.root / (self.setting("buckets") or "buckets"))

    @property
    def aws_limits(self) -> bool:
        """Whether AWS's limits hold."""
        return self.settings.get("aws_limits") is True

    @property
    def max_payload(self) -> int | None:
        """Bytes of JSON text that a value may have; None: the engine's default. Raises ConfigurationError."""
        return self._number("max_payload", "bytes", (1 << 30) - 1)

    @property
    def max_events(self) -> int | None:
        """History events that an execution may have; None: the engine's default. Raises ConfigurationError."""
        return self._number("max_events", "events", 10**12)

    @property
    def evaluation_seconds(self) -> int | None:
        """Seconds of processor time that one JSONata evaluation may take; None: the engine's default.

        Raises ConfigurationError.
        """
        return self._number("evaluation_seconds", "seconds", 3600)

    @property
    def silence_seconds(self) -> int | None:
        """Seconds for which a silent worker whose process lives keeps its jobs; None: the engine's default.

        Raises ConfigurationError.
        """
        return self._number("silence_seconds", "seconds", 7 * 86_400)

    def _number(self, key: str, of: str, most: int) -> int | None:
        """A setting that is a number from 1 on, which a variable overrides. Raises ConfigurationError."""
        name = f"SM_{key.upper()}"
        variable = os.environ.get(name)
        given = self.setting(key) if variable is None else variable
        if given is None:
            return None
        if not given.isdecimal() or not given.isascii() or not 0 < int(given[:20]) <= most:
            where = name if variable is not None else self.place(key)
            raise ConfigurationError(f"{where} is a number of {of} from 1 to {most:,}, not {given[:40]!r}")
        return int(given)

    def queue_of(self, workflow: str) -> str:
        """The queue that the table `priority` gives to a workflow; "default" unless it does."""
        table = self.settings.get("priority")
        return str(table.get(workflow, "default")) if isinstance(table, dict) else "default"

    def database(self, option: str | None) -> tuple[str, bool]:
        """The database's URL, and whether somebody named it."""
        if option is not None:
            return option, True
        configured = self.setting("database")
        if configured is None:
            return str(relative_path(self.root / ".sm" / "sm.db")), False
        return self._anchor(configured), True

    def http(self) -> HttpSettings:
        """What http:invoke may do. Raises ConfigurationError for hosts and connections that are none."""
        from sm_cli.handlers.http.settings import read_settings

        file = self.file or self.root
        allow, where = self.settings.get("http_allow", []), _place(file, self.lines, "http_allow")
        variable = os.environ.get("SM_HTTP_ALLOW")
        if variable is not None:
            allow, where = [part.strip() for part in variable.split(",") if part.strip()], "SM_HTTP_ALLOW"
        connections = self.settings.get("http_connections", {})
        place = _place(file, self.lines, "http_connections")
        return read_settings(allow, connections, where=where, connections_where=place)

    def _anchor(self, url: str) -> str:
        scheme = "sqlite:" if url.startswith("sqlite:") else ""
        path = url.removeprefix(scheme)
        if path.startswith("/") or ":" in path:
            return url
        return f"{scheme}{relative_path(self.root / path)}"


def find_project(start: Path | None = None) -> Project:
    """Walk up to sm.toml, or a pyproject.toml with [tool.sm]. Raises ConfigurationError for one that is wrong."""
    here = start or Path.cwd()
    for directory in (here, *here.parents):
        for name in ("sm.toml", "pyproject.toml"):
            file = directory / name
            found = _settings(file)
            if found is not None:
                return Project(directory, file, *found)
    return Project(here)


def _settings(file: Path) -> tuple[dict[str, object], list[str]] | None:
    """What the file says for sm, and its lines; None when it is not there or says nothing."""
    try:
        content = file.read_bytes()
        if file.name == "sm.toml":
            check_owner(relative_path(file))
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
    check_owner(relative_path(file))
    if not isinstance(table, dict):
        raise ConfigurationError(f"{relative_path(file)}: tool.sm is not a table")
    lines = text.splitlines()
    _check(file, table, lines)
    return table, lines


def _check(file: Path, table: dict[str, object], lines: list[str]) -> None:
    for key, value in table.items():
        kind = _KEYS.get(key)
        if kind is None:
            from difflib import get_close_matches

            close = get_close_matches(key, _KEYS, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"sm knows {', '.join(_KEYS)}"
            raise ConfigurationError(f"{_place(file, lines, key)} sets {key!r}, which sm does not know", hint=hint)
        wanted, called = kind
        if type(value) is not wanted:
            instead = "" if key in _SECRET else f", not {value!r}"
            raise ConfigurationError(f"{_place(file, lines, key)}: {key} is {called}{instead}")


def _place(file: Path, lines: list[str], key: str) -> str:
    """`sm.toml:3`; without the number when the key is written in a way that a line does not show."""
    written = re.compile(rf"""\s*(?:\[\s*(?:tool\s*\.\s*sm\s*\.\s*)?)?["']?{re.escape(key)}["']?\s*[=.\]]""")
    begin = next((i for i, line in enumerate(lines) if re.match(r"\s*\[\s*tool\s*\.\s*sm\b", line)), 0)
    for number, line in enumerate(lines[begin:], begin + 1):
        if written.match(line):
            return f"{relative_path(file)}:{number}"
    return str(relative_path(file))


@contextmanager
def blamed_on(place: str | None) -> Iterator[None]:
    """An error in here is told with the setting or the variable that it came from; None: what was typed."""
    try:
        yield
    except SmError as e:
        if place is not None:
            e.message = f"{place}: {e.message}"
            e.args = (e.message,)
        raise


def is_file(path: str) -> bool:
    """Like Path.is_file, but what cannot be a path is no file, however long it is."""
    try:
        return Path(path).is_file()
    except OSError:
        return False


def relative_path(path: Path) -> Path:
    """Relative to the current directory when it lies below it."""
    return Path(display_path(path))
