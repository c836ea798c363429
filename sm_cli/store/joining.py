"""Several transactions of one thread as one: what a caller does in many steps happens whole, or not at all.

Inside `together` every `write` of this thread goes on with the same transaction, and every `read` sees what it has
written so far; other threads and processes see nothing of it before its end.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from sm_cli.store.locks import ALONE, NOTHING, Contended, Locks
from sm_cli.store.sql import large_values
from sm_cli.store.sql.questions import Questions

if TYPE_CHECKING:
    from sm_cli.store.sql.transaction import Transaction


class Unheld(Exception):
    """A step needs what the whole has not, or has lost: all of it is undone, and is to be done again with these locks
    as well."""

    def __init__(self, locks: Locks = NOTHING) -> None:
        super().__init__("a step needs more than the whole transaction has")
        self.locks = locks


class Joinable(ABC):
    """A store whose transactions can be joined: brings `write`, `read` and `together`, made of its own two."""

    #: Whether others may write beside a transaction, each what it holds.
    _is_shared = False
    _joint: _Joint | None = None
    #: Held by the thread that writes.
    _lock: threading.RLock
    _writing = False

    @abstractmethod
    def _write(
        self, locks: Locks | None, executions: Collection[int] = (), jobs: int = 0
    ) -> AbstractContextManager[Transaction]:
        """A transaction of its own. While it is open no other thread has one through this object."""

    @abstractmethod
    def _read(self) -> AbstractContextManager[Questions]:
        """Questions of one snapshot of what is committed."""

    def _glance(self) -> AbstractContextManager[Questions]:
        """A snapshot, where that costs nothing."""
        return self._read()

    @contextmanager
    def _as_only_writer(self) -> Iterator[None]:
        """In the block no other thread writes through this object. Raises RuntimeError for a thread that does so
        already."""
        with self._lock:
            if self._writing:
                raise RuntimeError("this thread is already inside `with store.write()`")
            self._writing = True
            try:
                yield
            finally:
                self._writing = False

    @property
    def is_joined(self) -> bool:
        """Whether this thread is inside `together`."""
        joint = self._joint
        return joint is not None and joint.thread == threading.get_ident()

    def write(
        self, locks: Locks | None = None, executions: Collection[int] = (), jobs: int = 0
    ) -> AbstractContextManager[Transaction]:
        """Begins at once, waits its turn, commits at the end; an exception rolls back. Inside `together` it goes on
        with that transaction. executions: those that it is about to `hold`, as far as is known; jobs: how many it is
        about to take. Raises RuntimeError inside another one of this thread, Unheld."""
        joint = self._joint
        if joint is None or joint.thread != threading.get_ident():
            return self._write(locks, executions, jobs)
        return joint.step(locks)

    def read(self) -> AbstractContextManager[Questions]:
        """Questions that are all answered from one snapshot; inside `together`, from what that has written so far."""
        joint = self._joint
        if joint is None or joint.thread != threading.get_ident():
            return self._read()
        return joint.look()

    def glance(self) -> AbstractContextManager[Questions]:
        """As `read`, but each question may be answered as of a moment of its own."""
        return self.read() if self.is_joined else self._glance()

    @contextmanager
    def together(self, locks: Locks = NOTHING) -> Iterator[Transaction]:
        """One transaction for all that this thread writes in the block; committed at its end, an exception undoes all
        of it. locks: as in `write`. Raises Unheld and Contended: then it is to be done again."""
        with self._write(locks) as transaction:
            joint = _Joint(transaction, locks if self._is_shared else frozenset([ALONE]))
            self._joint = joint
            try:
                yield transaction
            finally:
                self._joint = None
            joint.refuse_loss()


class _Joint:
    """The transaction that a thread's steps have in common."""

    def __init__(self, transaction: Transaction, locks: Locks) -> None:
        self.thread = threading.get_ident()
        self._transaction = transaction
        self._locks = locks
        self._questions = Questions(transaction.session, large_values.reader(transaction.session))
        #: Of the step that spoiled the whole; None as long as none has.
        self._loss: BaseException | None = None

    @contextmanager
    def step(self, locks: Locks | None) -> Iterator[Transaction]:
        """The transaction, for one step."""
        self.refuse_loss()
        wanted_locks = frozenset([ALONE]) if locks is None else locks
        if not wanted_locks <= self._locks and ALONE not in self._locks:
            raise Unheld(wanted_locks)
        transaction = self._transaction
        transaction.go_on()
        try:
            yield transaction
        except BaseException as e:
            # What raises before it has written anything has undone nothing of the steps before.
            if transaction.broken or isinstance(e, Contended):
                self._loss = e
            raise

    @contextmanager
    def look(self) -> Iterator[Questions]:
        """What is committed, and what was written so far."""
        yield self._questions

    def refuse_loss(self) -> None:
        """Raises what spoiled the whole, if anything has."""
        if isinstance(self._loss, Contended):
            raise Unheld(self._loss.locks)
        if self._loss is not None:
            raise self._loss
