"""Where handlers run, and how many at once: in threads, or with `--processes` in processes of their own.

The processes of a command end with it. Without the option nothing of theirs is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.cli.project.config import Project
from sm_cli.cli.project.handlers import load_trusted
from sm_cli.cli.project.trust import check_handlers_owner
from sm_cli.cli.project.values import processes_of, slots_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sm_cli.handlers.registry import Registry
    from sm_cli.handlers.transformer import Transformer
    from sm_cli.worker.processes.processes import Processes

#: Handlers at once, unless anything is said.
_THREADS = 8


class Loader:
    """Loads the handlers of a directory.

    processes: how many of their own they have; 0: they run in threads. slots: how many run at once. ahead: whether
    processes are started before there are tasks for them. recycle_after: so many tasks a process does; None:
    any number.
    """

    def __init__(self, processes: int, slots: int) -> None:
        self.processes = processes
        self.slots = slots
        self.ahead = False
        self.recycle_after: int | None = None
        self._current: Processes | None = None
        self._latest: tuple[Path, Registry] | None = None

    def transformers(self, directory: Path) -> Mapping[str, Transformer]:
        """Those that stand in a directory; they run here, also where handlers have processes. The files are executed
        once for them and for handlers in threads. Raises as a call of this."""
        if self._latest is None or self._latest[0] != directory:
            self._latest = directory, load_trusted(directory)
        return self._latest[1].transformers

    def __call__(self, directory: Path) -> Registry:
        """The handlers. What earlier ones have begun they end. Raises ConfigurationError for another user's directory,
        and HandlerLoadError."""
        if not self.processes:
            self._latest = directory, load_trusted(directory)
            return self._latest[1]
        from sm_cli.worker.processes.processes import Processes

        check_handlers_owner(directory)
        new = Processes(directory, keep=self.slots if self.ahead else 0, recycle_after=self.recycle_after)
        registry = new.load()
        before, self._current = self._current, new
        if before is not None:
            before.retire()
        return registry

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *details: object) -> None:
        if self._current is not None:
            self._current.close()


def loader_for(project: Project, concurrency: str | None, processes: str | None) -> Loader:
    """From the options, else the settings: so many processes, each with one handler at a time, or threads. As many run
    at once as `concurrency` says, 8 unless it is given, and no more than there are processes. Raises UsageError."""
    slots, number = slots_of(project, concurrency), processes_of(project, processes)
    return Loader(number, min(number, slots or number)) if number else Loader(0, slots or _THREADS)
