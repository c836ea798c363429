"""What a tick knows of the children of a fork: those it made or changed itself, and those in the store.

The store's answers are from before the tick; what the tick holds is newer and wins.
"""

from __future__ import annotations

from collections import deque

from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.jsonvalue import Json
from sm_cli.store.sql.transaction import Transaction

_PAGE = 64


def fork_of(parent: Frame) -> tuple[int, int]:
    """The address of the parent's present fork: its id, and the seq it forked at."""
    assert parent.join is not None
    return parent.id, parent.join.activation


class ForkChildren:
    """The children of forks as this tick sees them: those that wait for their turn, and outputs of those that ended."""

    def __init__(self, tx: Transaction, frames: dict[int, Frame]) -> None:
        self.tx = tx
        self.frames = frames
        self.new_children: dict[int, list[int]] = {}  # parent -> children forked in this tick
        self.new_outputs: dict[tuple[int, int], dict[int, Json]] = {}  # (parent, activation) -> index -> output
        self.waiting: dict[tuple[int, int], deque[Frame]] = {}

    def add_child(self, frame: Frame) -> None:
        """A child was made in this tick."""
        assert frame.parent is not None
        self.new_children.setdefault(frame.parent, []).append(frame.id)
        queue = self.waiting.setdefault((frame.parent, frame.activation), deque())
        if frame.status is FrameStatus.PENDING:
            queue.append(frame)

    def add_output(self, frame: Frame) -> None:
        """A child ended in this tick; its output is kept for the join."""
        assert frame.parent is not None
        self.new_outputs.setdefault((frame.parent, frame.activation), {})[frame.index] = frame.output

    def outputs(self, parent: Frame, most: int) -> list[Json]:
        """Outputs of the children that succeeded, by index. Raises TooLarge when those in the store have more than
        `most` bytes of JSON text together; they are not read then."""
        outputs: dict[int, Json] = {}
        fork = fork_of(parent)
        if parent.id not in self.new_children:
            outputs.update(self.tx.outputs(*fork, most))
        outputs.update(self.new_outputs.get(fork, {}))
        return [outputs[index] for index in sorted(outputs)]

    def pending(self, parent: Frame, first: int, count: int) -> list[Frame]:
        """The `count` children from index `first` on, none of them started yet."""
        fork = fork_of(parent)
        queue = self.waiting.setdefault(fork, deque())
        children: list[Frame] = []
        while len(children) < count:
            if not queue:
                # The store still shows as pending what this tick started: ask from the next index on.
                queue.extend(self.tx.pending_children(*fork, first + len(children), _PAGE))
                if not queue:
                    break
            children.append(queue.popleft())
        return children

    def open_below(self, parent: Frame) -> list[Frame]:
        """Every frame below this one that is not closed, in the newest version, lowest id first."""
        below: dict[int, Frame] = {}
        if parent.id not in self.new_children:
            below.update((frame.id, frame) for frame in self.tx.descendants(parent.id))
        queue = [parent.id, *below]
        while queue:
            for id in self.new_children.get(queue.pop(), ()):
                if id not in below:
                    below[id] = self.frames[id]
                    queue.append(id)
        newest = (self.frames.get(id, frame) for id, frame in sorted(below.items()))
        return [frame for frame in newest if not frame.status.closed]
