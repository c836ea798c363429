"""What a unit of work knows of map runs: the runs themselves, and the children that wait for their turn.

The store's answers are from before this transaction; what the unit of work holds is newer and wins.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TypeAlias

from sm_cli.interpreter.frame import Frame
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution, MapRun
from sm_cli.store.sql.transaction import Transaction

Fork: TypeAlias = tuple[int, int]

_PAGE = 64


class MapRunChildren:
    """What a tick knows of map runs, by fork (the frame, and the seq it forked at): the runs themselves, the children
    that wait for their turn, the outputs that came, and the numbers of the last children that began."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.known: dict[Fork, MapRun] = {}
        self.stored: dict[Fork, deque[Execution]] = defaultdict(deque)
        self.made: dict[Fork, deque[Execution]] = defaultdict(deque)
        self.roots: dict[int, Frame] = {}  # execution -> root frame, of those made in this tick
        self.outputs: dict[Fork, dict[int, Json]] = defaultdict(dict)
        self.last: dict[Fork, int] = {}
        self.exhausted: set[Fork] = set()  # the store has no more that wait

    def next(self, fork: Fork) -> Execution:
        """The child whose turn it is: those in the store come first, they were made before."""
        stored = self.stored[fork]
        if not stored and fork not in self.exhausted:
            # The store still shows as PENDING what this tick began.
            stored.extend(self.tx.pending_executions(*fork, self.last.get(fork, -1) + 1, _PAGE))
            if len(stored) < _PAGE:
                self.exhausted.add(fork)
        child = (stored or self.made[fork]).popleft()
        assert child.parent is not None
        self.last[fork] = child.parent.number
        return child
