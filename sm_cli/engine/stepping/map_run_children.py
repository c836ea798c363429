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
        self.runs_by_fork: dict[Fork, MapRun] = {}
        self.stored_children: dict[Fork, deque[Execution]] = defaultdict(deque)
        self.new_children: dict[Fork, deque[Execution]] = defaultdict(deque)
        self.roots: dict[int, Frame] = {}  # execution -> root frame, of those made in this tick
        self.outputs: dict[Fork, dict[int, Json]] = defaultdict(dict)
        self.last: dict[Fork, int] = {}
        self.exhausted_forks: set[Fork] = set()  # the store has no more that wait

    def next(self, fork: Fork) -> Execution:
        """The child whose turn it is: those in the store come first, they were made before."""
        queue = self.stored_children[fork]
        if not queue and fork not in self.exhausted_forks:
            # The store still shows as PENDING what this tick began.
            queue.extend(self.tx.pending_executions(*fork, self.last.get(fork, -1) + 1, _PAGE))
            if len(queue) < _PAGE:
                self.exhausted_forks.add(fork)
        child = (queue or self.new_children[fork]).popleft()
        assert child.parent is not None
        self.last[fork] = child.parent.number
        return child
