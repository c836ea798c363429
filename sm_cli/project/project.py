"""What the settings of a project say about files and numbers.

A variable SM_* wins over the configuration, that over the default. Paths in the configuration are relative to its
file.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.errors import ConfigurationError, HandlerLoadError
from sm_cli.jsonvalue import as_json
from sm_cli.project.settings import place_of, relative_path

if TYPE_CHECKING:
    from sm_cli.engine.settings import Settings
    from sm_cli.handlers.http.settings import HttpSettings
    from sm_cli.jsonvalue import Json
    from sm_cli.project.library import Library
    from sm_cli.project.reading import DefinitionReader
    from sm_cli.store.protocol import Store

#: What the table `engine` may have.
_ENGINE = ("name", "broker", "prefix")

_ACCOUNT = "[0-9]{12}"
_REGION = "[a-z0-9]{1,16}(?:-[a-z0-9]{1,16}){0,4}"


@dataclass(slots=True, eq=False, repr=False)
class ProjectSettings:
    """The directory of a project, and its settings.

    root: the directory of the configuration, or the one that was asked for. file: the configuration, if there is one.
    """

    root: Path
    file: Path | None = None
    #: What the configuration says, by name.
    settings: dict[str, object] = field(default_factory=dict)
    #: The lines of its file, from which a sentence about a setting finds its number.
    lines: list[str] = field(default_factory=list)
    #: Values for `${Name}` that were given beside the settings, and win over them.
    given_substitutions: dict[str, Json] = field(default_factory=dict)
    #: Templates of which a machine was asked for: their other machines are workflows of the project, too.
    templates: list[str] = field(default_factory=list)

    def setting(self, key: str) -> str | None:
        """A setting as text; None when it is not there."""
        value = self.settings.get(key)
        return None if value is None else str(value)

    def place(self, key: str) -> str:
        """Where a setting was made: `sm.toml:3: concurrency`."""
        return f"{place_of(self.file or self.root, self.lines, key)}: {key}"

    @property
    def workflows(self) -> Path:
        """The directory of workflows."""
        return relative_path(self.root / "workflows")

    def handlers(self, option: str | None) -> tuple[Path, bool]:
        """The handlers directory, and whether somebody named it.

        Raises HandlerLoadError when the configuration names one that is not there."""
        if option is not None:
            return Path(option), True
        setting = self.setting("handlers")
        directory = relative_path(self.root / (setting or "handlers"))
        if setting is not None and not directory.is_dir():
            place = self.place("handlers")
            raise HandlerLoadError(f"{place}: there is no directory {directory}", topic="handlers directory")
        return directory, setting is not None

    def buckets(self, option: str | None) -> Path:
        """The directory that stands for S3."""
        return Path(option) if option is not None else relative_path(self.root / (self.setting("buckets") or "buckets"))

    @property
    def substitutions(self) -> dict[str, Json]:
        """The values for `${Name}` in definitions. Raises ConfigurationError for a setting that is no JSON."""
        table = self.settings.get("substitutions")
        if not isinstance(table, dict):
            return self.given_substitutions
        value, problem = as_json(table)
        if problem is not None or not isinstance(value, dict):
            raise ConfigurationError(f"{self.place('substitutions')}: a value is not JSON: {problem}")
        return {**value, **self.given_substitutions}

    def reader(self) -> DefinitionReader:
        """What reads the definitions of the project. Raises ConfigurationError."""
        from sm_cli.project.reading import DefinitionReader

        return DefinitionReader(self.substitutions, self.root)

    def library(self) -> Library:
        """The workflows of the project by name. Raises ConfigurationError."""
        from sm_cli.project.library import Library

        return Library(self.workflows, self.reader(), self.templates)

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

    @property
    def most_lost(self) -> int | None:
        """Workers that may be lost over a task before it runs alone, and again before it fails; None: the engine's
        default. Raises ConfigurationError."""
        return self._number("most_lost", "workers", 1000)

    @property
    def account(self) -> str | None:
        """The account in ARNs; None: that of the database. Raises ConfigurationError."""
        return self._name("account", _ACCOUNT, "an account: twelve digits, as text")

    @property
    def region(self) -> str | None:
        """The region in ARNs; None: the engine's default, and in answers that of the request. Raises
        ConfigurationError."""
        return self._name("region", _REGION, "a region like eu-west-1")

    def _name(self, key: str, pattern: str, what: str) -> str | None:
        text = self.setting(key)
        if text is not None and not re.fullmatch(pattern, text):
            raise ConfigurationError(f"{self.place(key)} is {what}, not {text[:40]!r}")
        return text

    def _number(self, key: str, of: str, most: int) -> int | None:
        """A setting that is a number from 1 on, which a variable overrides. Raises ConfigurationError."""
        name = f"SM_{key.upper()}"
        variable = os.environ.get(name)
        text = self.setting(key) if variable is None else variable
        if text is None:
            return None
        if not text.isdecimal() or not text.isascii() or not 0 < int(text[:20]) <= most:
            where = name if variable is not None else self.place(key)
            raise ConfigurationError(f"{where} is a number of {of} from 1 to {most:,}, not {text[:40]!r}")
        return int(text)

    def queue_of(self, workflow: str) -> str:
        """The queue that the table `priority` gives to a workflow; "default" unless it does."""
        table = self.settings.get("priority")
        return str(table.get(workflow, "default")) if isinstance(table, dict) else "default"

    def database(self, option: str | None) -> tuple[str, bool]:
        """The database's URL, and whether somebody named it."""
        if option is not None:
            return option, True
        setting = self.setting("database")
        if setting is None:
            return str(relative_path(self.root / ".sm" / "sm.db")), False
        return self._anchor(setting), True

    def engine(self) -> dict[str, str]:
        """The table `engine`: which one carries hints between workers (name), with which broker, under which prefix.

        Raises ConfigurationError for another key, and a value that is no text."""
        table = self.settings.get("engine")
        if not isinstance(table, dict):
            return {}
        for key, value in table.items():
            if key not in _ENGINE:
                raise ConfigurationError(f"{self.place('engine')} has {', '.join(_ENGINE)}, and no {key!r}")
            if not isinstance(value, str) or not value:
                raise ConfigurationError(f"{self.place('engine')}: {key} is text")
        return dict(table)

    def http(self) -> HttpSettings:
        """What http:invoke may do. Raises ConfigurationError for hosts and connections that are none."""
        from sm_cli.handlers.http.settings import read_settings

        file = self.file or self.root
        allow, where = self.settings.get("http_allow", []), place_of(file, self.lines, "http_allow")
        variable = os.environ.get("SM_HTTP_ALLOW")
        if variable is not None:
            allow, where = [part.strip() for part in variable.split(",") if part.strip()], "SM_HTTP_ALLOW"
        connections = self.settings.get("http_connections", {})
        place = place_of(file, self.lines, "http_connections")
        return read_settings(allow, connections, where=where, connections_where=place)

    def _anchor(self, url: str) -> str:
        scheme = "sqlite:" if url.startswith("sqlite:") else ""
        path = url.removeprefix(scheme)
        if path.startswith("/") or ":" in path:
            return url
        return f"{scheme}{relative_path(self.root / path)}"


def engine_settings(project: ProjectSettings, store: Store | None = None, *, has_stub: bool = False) -> Settings:
    """What an engine of this project is set to, over this database; None: over one that has no account of its own.
    has_stub: whether a stub answers what has no handler. Raises ConfigurationError."""
    from sm_cli.engine.settings import Settings
    from sm_cli.engine.workflows.account import DATABASE_ACCOUNT, find_account
    from sm_cli.timestamps import MICROSECONDS

    settings = Settings(has_stub=has_stub)
    if (most := project.max_payload) is not None:
        settings.max_payload = most
    settings.account = project.account or (DATABASE_ACCOUNT if store is None else find_account(store))
    settings.region = project.region or settings.region
    if (events := project.max_events) is not None:
        settings.max_events = events
    if (seconds := project.evaluation_seconds) is not None:
        settings.evaluation = replace(settings.evaluation, seconds=float(seconds))
    if (silence := project.silence_seconds) is not None:
        settings.silence = silence * MICROSECONDS
    if (workers := project.most_lost) is not None:
        settings.most_lost = workers
    return settings
