"""The items of a batch over executions: what each of these ended with, or a state of it, transformed.

They are read before the batch begins and kept in the database, a line each: {"origin": [id, public id, workflow],
"input"} or, for one that cannot be a source, {"origin", "refusal"}. A batch that is run again over the same filter has
them in the same order, the oldest first, so that each has the number that it had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sm_cli.engine.chaining.source import Source
from sm_cli.engine.stepping.batch.origins import KIND
from sm_cli.errors import Conflict, NotFound, TransformError, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import OLDEST_FIRST, ExecutionFilter, ExecutionPage, cursor_of
from sm_cli.store.records import Execution

if TYPE_CHECKING:
    from sm_cli.engine.chaining.transform import Transform
    from sm_cli.store.protocol import Store

_PAGE = 200


@dataclass(frozen=True, slots=True)
class OfExecutions:
    """Which executions a batch goes through, and what it takes of each."""

    #: Which ones.
    filter: ExecutionFilter
    #: At most so many; None: all.
    limit: int | None = None
    #: The state whose output it is; None: the output of the execution.
    state: str | None = None
    #: What makes the input of it; None: it is the input.
    transform: Transform | None = None
    #: Whether one that failed will do.
    allow_failed: bool = False
    #: Whether one that led to an execution of the batch's workflow before is not taken again.
    unique: bool = False

    def facts(self) -> dict[str, Json]:
        """What the plan keeps of it."""
        label = None if self.transform is None else self.transform.label
        return {"of": KIND, "state": self.state, "transform": label, "unique": self.unique}

    def items(self, store: Store, read: Callable[[Source], Json]) -> Iterator[Json]:
        """A line for each. read: the input that a start with this source has. Raises NotFound when the first of them
        has no such state, UsageError when there is none."""
        count = 0
        for execution in self._executions(store):
            yield self._line(execution, read, is_first=count == 0)
            count += 1
        if not count:
            raise UsageError("no execution is one of these, so there is nothing to go through")

    def _executions(self, store: Store) -> Iterator[Execution]:
        left, after = self.limit, None
        while left is None or left > 0:
            with store.read() as questions:
                count = _PAGE if left is None else min(left, _PAGE)
                page = questions.list_executions(self.filter, ExecutionPage(count, OLDEST_FIRST, after))
            yield from page
            if len(page) < count:
                return
            after = cursor_of(page[-1], OLDEST_FIRST)
            left = None if left is None else left - len(page)

    def _line(self, execution: Execution, read: Callable[[Source], Json], *, is_first: bool) -> Json:
        source = Source(execution, self.state, self.transform, self.allow_failed)
        origin: list[Json] = [execution.id, execution.ref, execution.workflow]
        try:
            return {"origin": origin, "input": read(source)}
        except (NotFound, Conflict, TransformError, UsageError) as e:
            if is_first and isinstance(e, NotFound) and e.message.startswith("workflow "):
                raise  # a state that the workflow does not have
            return {"origin": origin, "refusal": e.message}
