"""What is checked without a database: the program, its libraries, the configuration, the handlers' files."""

from __future__ import annotations

import platform
import re
import sqlite3
from collections.abc import Callable, Mapping
from importlib import metadata

from sm_cli._version import __version__
from sm_cli.views.doctor.findings import DoctorFinding, Found, Severity, Surroundings

#: How the program is called where packages are installed.
_DISTRIBUTION = "sm-cli"
#: The extra of who works on this program itself.
_OWN = "dev"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def look_around(surroundings: Surroundings) -> list[DoctorFinding]:
    """What these checks find, in their order."""
    return [
        DoctorFinding(name, severity, text, action)
        for name, check in SURROUNDINGS.items()
        for severity, text, action in check(surroundings)
    ]


def check_program(_surroundings: Surroundings) -> Found:
    """Which program looks, for who asks for help."""
    python = f"Python {platform.python_version()} on {platform.system()}"
    yield Severity.FINE, f"version {__version__}, {python}, SQLite {sqlite3.sqlite_version}", None


def check_libraries(_surroundings: Surroundings) -> Found:
    """The versions of the libraries, and which extras are there."""
    try:
        requirements = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        yield (
            Severity.FINE,
            "the program is not installed as a package: which libraries it needs is not said here",
            None,
        )
        return
    libraries: list[str] = []
    extras: dict[str, list[str]] = {}
    for requirement in requirements:
        name = _NAME.match(requirement)
        assert name is not None, "a requirement begins with a name"
        extra = _EXTRA.search(requirement)
        (libraries if extra is None else extras.setdefault(extra[1], [])).append(name[0])
    extras.pop(_OWN, None)
    versions = {name: _version_of(name) for name in libraries}
    yield Severity.FINE, ", ".join(f"{name} {version}" for name, version in versions.items() if version), None
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        yield Severity.BROKEN, f"{', '.join(missing)}: not installed; install {_DISTRIBUTION} again", None
    yield from _extras(extras)


def _extras(extras: Mapping[str, list[str]]) -> Found:
    there, absent = [], []
    for extra, names in sorted(extras.items()):
        versions = [(name, _version_of(name)) for name in names]
        if all(version for _, version in versions):
            there.append(f"{extra} ({', '.join(f'{name} {version}' for name, version in versions)})")
        else:
            absent.append(extra)
    parts = [
        f"extras that are there: {', '.join(there)}" if there else "",
        f"not there: {', '.join(absent)}" if absent else "",
    ]
    if there or absent:
        yield Severity.FINE, "; ".join(part for part in parts if part), None


def _version_of(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_configuration(surroundings: Surroundings) -> Found:
    """Which file holds the settings, and whether it can be read and says what can be used."""
    for problem in surroundings.setting_problems:
        yield Severity.BROKEN, problem, None
    if surroundings.configuration_error is not None:
        yield Severity.BROKEN, surroundings.configuration_error, None
    elif surroundings.setting_problems:
        return
    elif surroundings.configuration is None:
        yield Severity.FINE, "no file: neither this folder nor one above it has one, and the defaults hold", None
    else:
        names = ", ".join(surroundings.settings) or "nothing"
        yield Severity.FINE, f"{surroundings.configuration}, which sets {names}", None


def check_handler_files(surroundings: Surroundings) -> Found:
    """Whether the handlers' files can be imported, as far as somebody lets them run; else whether they can be read."""
    place = surroundings.handlers_place
    for problem in surroundings.handler_problems:
        yield Severity.BROKEN, problem, None
    if surroundings.handler_problems:
        return
    if place is None:
        yield Severity.FINE, "there is no folder of handlers, only what this program brings", None
    elif surroundings.handlers is None:
        why = surroundings.handlers_unknown or "which there are is known only when they are executed"
        yield Severity.FINE, f"{place}: {why}", None
    else:
        how = "imported" if surroundings.is_executed else "read, not executed"
        names = sorted(surroundings.handlers)
        count = f"{len(names)} handler{'' if len(names) == 1 else 's'}"
        listing = f": {', '.join(names[:_MOST])}{', …' if len(names) > _MOST else ''}" if names else ""
        yield Severity.FINE, f"{place} was {how}, {count}{listing}", None


#: So many names are told.
_MOST = 8

SURROUNDINGS: Mapping[str, Callable[[Surroundings], Found]] = {
    "program": check_program,
    "libraries": check_libraries,
    "config": check_configuration,
    "handlers": check_handler_files,
}
