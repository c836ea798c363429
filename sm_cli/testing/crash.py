"""A store that dies at a chosen commit, before or after it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from sm_cli.store.locks import NOTHING, Locks
from sm_cli.store.protocol import Store
from sm_cli.store.sql.transaction import Transaction


class Crash(BaseException):
    """What `crash_points` raises: the process is gone at this instant."""


class _CrashingStore:
    """A store that dies at its n-th commit: before it (the transaction is lost) or after it (it is kept)."""

    def __init__(self, store: Store, at: int, *, after: bool) -> None:
        self._store = store
        self._remaining = at
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def write(
        self, locks: Locks | None = None, executions: Collection[int] = (), jobs: int = 0
    ) -> Iterator[Transaction]:
        if self._store.is_joined:  # a step of a transaction, which is committed later
            with self._store.write(locks, executions, jobs) as tx:
                yield tx
            return
        with self._dying(), self._store.write(locks, executions, jobs) as tx:
            yield tx
            self._count()

    @contextmanager
    def together(self, locks: Locks = NOTHING) -> Iterator[Transaction]:
        with self._dying(), self._store.together(locks) as tx:
            yield tx
            self._count()

    def _count(self) -> None:
        self._remaining -= 1
        if self._remaining == 0 and not self._after:
            raise Crash

    @contextmanager
    def _dying(self) -> Iterator[None]:
        yield
        if self._remaining == 0:
            raise Crash


class crash_points:  # noqa: N801 - reads as a function: `with crash_points(store).at(3): …`
    """Kill what works on a store at a chosen commit.

    `at(n, after=False)` gives the store as it is for a process that dies at its n-th commit.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def at(self, commit: int, *, after: bool = False) -> Store:
        """The store, which raises Crash at commit number `commit`; before it, or after it is on disk."""
        crashing: Any = _CrashingStore(self.store, commit, after=after)
        result: Store = crashing
        return result

    def __enter__(self) -> crash_points:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """A Crash ends the block, not the test."""
        return kind is not None and issubclass(kind, Crash)
