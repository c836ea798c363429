"""What a worker reads of the settings beside what its engine does: each value as it is used, and what is wrong in any
of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.cli.project.queues import rota_of
from sm_cli.cli.terminal.options import count, seconds
from sm_cli.errors import SmError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sm_cli.cli.project.config import Project

#: More would be a slip of the finger: each is a Python interpreter.
_MOST_PROCESSES = 1024


def slots_of(project: Project, option: str | None) -> int | None:
    """How many handlers run at once; None: nobody says. Raises UsageError."""
    text = option or project.setting("concurrency")
    return None if text is None else count(text, project.origin("concurrency", option))


def processes_of(project: Project, option: str | None) -> int:
    """How many processes handlers have; 0: they run in threads. Raises UsageError."""
    text = option or project.setting("processes") or "0"
    if not text.isascii() or not text.isdigit() or not int(text[:8]) <= _MOST_PROCESSES:
        where = project.origin("processes", option)
        raise UsageError(f"{where} takes a whole number from 0, for threads, to {_MOST_PROCESSES}, not {text!r}")
    return int(text)


def recycle_after(project: Project, option: str | None) -> int | None:
    """How many tasks a process does before another one takes its place; None: any number. Raises UsageError."""
    text = option or project.setting("recycle_after")
    return None if text is None else count(text, project.origin("recycle_after", option))


def lock_timeout_of(project: Project) -> float | None:
    """Seconds that a command waits for another program that writes; None: the settings do not say. Raises
    UsageError."""
    text = project.setting("lock_timeout")
    return None if text is None else seconds(text, project.place("lock_timeout"))


def retention_of(project: Project) -> int | None:
    """Microseconds after which what is closed goes; None: nothing goes. Raises UsageError."""
    text = project.setting("retention")
    return None if text is None else round(seconds(text, project.place("retention")) * 1_000_000)


def find_wrong_settings(project: Project) -> Iterator[SmError]:
    """Why a worker would not start with these settings, each for itself. Variables and options are not looked at."""
    from sm_cli.project.project import engine_settings

    for read in (
        lambda: engine_settings(project),
        lambda: slots_of(project, None),
        lambda: processes_of(project, None),
        lambda: recycle_after(project, None),
        lambda: lock_timeout_of(project),
        lambda: retention_of(project),
        lambda: rota_of(project.setting("queues"), project.place("queues")),
        project.engine,
        project.http,
    ):
        try:
            read()
        except SmError as e:
            yield e
