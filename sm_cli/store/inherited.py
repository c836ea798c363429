"""Locks that a forked child must not keep.

A lock of an open file belongs to every process that has it open, and a child of os.fork (multiprocessing's "fork") has
all that its parent had. The owner of such a lock registers here and forgets it in the child, so that it ends with the
process that took it. Children of subprocess need nothing: these files are closed when another program is executed.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Owner(Protocol):
    """Who has files or locks open that a forked child inherits."""

    def forget(self) -> None:
        """Close, in the forked child, what the parent has open; nothing that the parent holds is unlocked."""


_owners: weakref.WeakSet[Owner] = weakref.WeakSet()


def not_inherited(owner: Owner) -> None:
    """Call `owner.forget` in every child that is forked from now on."""
    _owners.add(owner)


def _forget_all() -> None:
    for owner in list(_owners):
        owner.forget()


os.register_at_fork(after_in_child=_forget_all)
