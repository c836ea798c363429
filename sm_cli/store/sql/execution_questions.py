"""Questions about definitions, executions, map runs and histories."""

from __future__ import annotations

from collections.abc import Collection

from sm_cli.jsonvalue import Json
from sm_cli.store.filters import BEYOND, OLDEST_FIRST, Cursor, ExecutionFilter, ExecutionPage
from sm_cli.store.records import (
    Execution,
    FailedAttempt,
    HistoryEvent,
    MapRun,
    Prunable,
    Status,
)
from sm_cli.store.sql import rows
from sm_cli.store.sql.asking import Asking
from sm_cli.store.sql.choosing import question
from sm_cli.store.sql.parameters import id_list, name_list

_ALL = ExecutionFilter()
_FIRST = ExecutionPage()


class ExecutionQuestions(Asking):
    """Questions about executions and map runs."""

    def execution(self, id: int) -> Execution | None:
        """The execution with this id; None when there is none."""
        return next(iter(self._executions("execution", (id,))), None)

    def short_execution(self, id: int) -> Execution | None:
        """As `execution`, without input and output (both None)."""
        return next(iter(self._short_executions("short_execution", (id,))), None)

    def short_executions(self, ids: list[int]) -> dict[int, Execution]:
        """As `executions`, without input and output (all None): somebody looks at them, and changes nothing."""
        return {e.id: e for e in self._short_executions("short_executions", (id_list(ids),))} if ids else {}

    def execution_without_input(self, id: int) -> Execution | None:
        """As `execution`, without its input (None)."""
        return next(iter(self._short_executions("execution_without_input", (id,))), None)

    def executions(self, ids: list[int]) -> dict[int, Execution]:
        """By id; ids that there are not are left out."""
        if not ids:
            return {}
        return {e.id: e for e in self._executions("executions", (id_list(ids),))}

    def refs(self, ids: Collection[int]) -> dict[int, str]:
        """The public ids of these executions."""
        return dict(self.session.all("refs", (id_list(ids),))) if ids else {}

    def find_execution(self, workflow: str, name: str) -> Execution | None:
        """The execution of this name, which is unique within its workflow; None when there is none."""
        return next(iter(self._executions("execution_named", (name, workflow))), None)

    def overdue(self, now: int, limit: int, tree: int | None = None) -> list[Execution]:
        """RUNNING executions whose deadline is at or before `now`."""
        if tree is None:
            return self._executions("overdue", (now, limit))
        return self._executions("overdue_in_tree", (tree, now, limit))

    def pending_executions(self, frame: int, activation: int, from_index: int, limit: int) -> list[Execution]:
        """PENDING ones that this fork made, with index >= `from_index`, lowest index first."""
        return self._executions("pending_executions", (frame, activation, from_index, limit))

    def open_executions(self, frame: int) -> list[Execution]:
        """RUNNING and PENDING ones whose parent is this frame, lowest index first."""
        return self._executions("open_executions", (frame,))

    def nested_executions(self, execution: int, limit: int, before: int = BEYOND) -> list[Execution]:
        """Those that states of this execution started, whether they wait for them or not, with an id < `before`; newest
        first, without input and output (both None). No children of map runs and batches."""
        parameters = {"execution": execution, "before": before, "limit": limit}
        return self._short_executions("nested_executions", parameters)

    def nested_of_frame(self, frame: int, first: int, last: int, limit: int) -> list[Execution]:
        """As `nested_executions`, those that this frame started from `first` to `last`, oldest first."""
        parameters = {"frame": frame, "first": first, "last": last, "limit": limit}
        return self._short_executions("nested_of_frame", parameters)

    def nested_counts(self, execution: int) -> dict[Status, int]:
        """How many of `nested_executions` have each status."""
        return {Status(status): count for status, count in self.session.all("nested_counts", {"execution": execution})}

    def failed_executions(self, frame: int, activation: int) -> list[Execution]:
        """Those of this fork that are closed and not SUCCEEDED, lowest index first."""
        return self._executions("failed_executions", (frame, activation))

    def first_failed_execution(self, frame: int, activation: int | None = None) -> Execution | None:
        """Of those FAILED that this frame started in a fork, the one that failed first; without input and output (both
        None). activation: the fork; None: the last one that has any."""
        if activation is None:
            return next(iter(self._short_executions("first_failed_execution", (frame,))), None)
        return next(iter(self._short_executions("first_failed_of_fork", (frame, activation))), None)

    def executions_outputs(self, frame: int, activation: int, most: int | None = None) -> list[tuple[int, Json]]:
        """(index, output) of those of this fork that SUCCEEDED, lowest index first. Raises TooLarge, before it reads
        them, when they have more than `most` bytes of JSON text together."""
        return self._outputs(self.session.all("executions_outputs", (frame, activation)), most)

    def run_results(self, run: int, after: int, limit: int) -> list[Execution]:
        """A map run's children with index > `after`, whole, lowest index first; also those of a batch."""
        children = self._executions("run_results", (run, after, limit))
        return children or self._executions("batch_results", (run, after, limit))

    def names_in_use(self, workflow: str, names: Collection[str]) -> set[str]:
        """Those of these names that an execution of the workflow has."""
        return {name for (name,) in self.session.all("names_in_use", (name_list(names), workflow))}

    def executions_named(self, workflow: str, names: Collection[str]) -> dict[str, Execution]:
        """The executions of a workflow that have one of these names, by it; without input and output (both None)."""
        executions = self._short_executions("executions_named", (name_list(names), workflow))
        return {execution.name: execution for execution in executions}

    def map_run(self, frame: int, activation: int) -> MapRun | None:
        """The map run of the fork that the frame made at this seq; None when there is none."""
        row = self.session.one("map_run", (frame, activation))
        return None if row is None else self._map_run(row)

    def map_runs(self, execution: int | None = None, limit: int = 50, before: int = BEYOND) -> list[MapRun]:
        """Of one execution, or of all; newest first, those with a smaller id than `before`. An open one's `join` is its
        frame's, as it is now."""
        if execution is None:
            return [self._map_run(row) for row in self.session.all("map_runs", (before, limit))]
        return [self._map_run(row) for row in self.session.all("map_runs_of_execution", (execution, before, limit))]

    def find_map_run(self, ref: str) -> list[MapRun]:
        """The map run with this ref, else those whose ref begins with it. The empty text names none."""
        if not ref:
            return []
        matches = self.session.all("map_runs_by_ref", (ref,))
        matches = matches or self.session.all("map_runs_by_prefix", (ref, f"{ref}\U0010ffff", 10))
        return [self._map_run(row) for row in matches]

    def find(self, text: str, limit: int = 10) -> list[Execution]:
        """Executions that this text may name: the exact ref, else the exact name (newest first), else refs
        that begin with it (newest first). The empty text, which every ref begins with, names none: it is what a
        shell makes of a variable that is not set."""
        if not text:
            return []
        return (
            self._executions("execution_by_ref", (text,))[:limit]
            or self._executions("executions_by_name", (text, limit))
            or self._executions("executions_by_prefix", (text, f"{text}\U0010ffff", limit))
        )

    def latest(self, status: Status | None = None) -> Execution | None:
        """The newest one that no other execution started, of this status if one is given."""
        if status is None:
            return next(iter(self._executions("latest_execution", ())), None)
        return next(iter(self._executions("latest_execution_of_status", (status.value,))), None)

    def count_executions(self) -> tuple[dict[str, int], int]:
        """How many executions there are by status, and how many children of map runs beside them."""
        ((children,),) = self.session.all("count_of_children")
        return dict(self.session.all("count_by_status")), children

    def count_by_workflow(self) -> dict[tuple[str, str], int]:
        """How many executions there are by (workflow, status), without children of map runs."""
        return {(workflow, status): count for workflow, status, count in self.session.all("count_by_workflow")}

    def oldest_open(self) -> tuple[str, str, str, int] | None:
        """(public id, name, workflow, started) of the execution that has run for longest; None when none runs."""
        return self.session.one("oldest_open")

    def open_by_definition(self, limit: int) -> list[rows.Row]:
        """(digest of a definition, a workflow that has it, how many executions of it run), the most first."""
        return self.session.all("open_by_definition", (limit,))

    def prunable(self, status: Status, after: tuple[int, int], before: int, limit: int) -> list[Prunable]:
        """Executions of this status that were closed before this time, in the order of (started, id), which are greater
        than `after`; children of map runs are not among them."""
        return [Prunable(*row) for row in self.session.all("prunable", (status.value, *after, before, limit))]

    def closed_among(self, ids: Collection[int], before: int, status: Status | None = None) -> list[Prunable]:
        """Those of these executions that were closed before this time, and have this status unless that is None."""
        parameters = {"ids": id_list(ids), "before": before, "status": None if status is None else status.value}
        return [Prunable(*row) for row in self.session.all("closed_among", parameters)]

    def busy_trees(self, trees: Collection[int]) -> set[int]:
        """Those of these trees in which an execution runs."""
        return {tree for (tree,) in self.session.all("busy_trees", (id_list(trees),))}

    def orphan_runs(self, after: int, limit: int) -> list[int]:
        """The ids above `after` of map runs whose execution was deleted."""
        return [id for (id,) in self.session.all("orphan_runs", (after, limit))]

    def children_of_run(self, run: int, after: tuple[int, int], limit: int) -> list[tuple[Prunable, int]]:
        """(child, its place in the map run) in the order of (place, id), those greater than `after`."""
        rows = self.session.all("children_of_run", (run, *after, limit))
        return [(Prunable(*row[:-1]), row[-1]) for row in rows]

    def with_children(self, ids: Collection[int]) -> tuple[int, int]:
        """How many these are together with all children of their map runs, and how many events they have."""
        ((executions, events),) = self.session.all("with_children", (id_list(ids),))
        return executions, events

    def matching_executions(self, filter: ExecutionFilter) -> list[int]:
        """The ids of all that are meant, oldest first: who started others comes before them."""
        everything = ExecutionPage(limit=BEYOND, order=OLDEST_FIRST)
        parts, parameters = question(self.session, "listed_ids", filter, OLDEST_FIRST).page(
            everything, of_run=filter.run is not None
        )
        return [id for (id,) in self.session.all_of(parts, parameters)]

    def refs_beside(self, refs: list[str], *, map_runs: bool = False) -> dict[str, tuple[str | None, str | None]]:
        """The public ids just before and just after each of these, of executions or of map runs; None at the ends."""
        name = "map_run_refs_beside" if map_runs else "refs_beside"
        return {ref: (before, after) for ref, before, after in self.session.all(name, (name_list(refs),))}

    def list_executions(self, filter: ExecutionFilter = _ALL, page: ExecutionPage = _FIRST) -> list[Execution]:
        """A page of those that are meant, without input and output (both None)."""
        parts, parameters = question(self.session, "listed_columns", filter, page.order).page(
            page, of_run=filter.run is not None
        )
        return [rows.execution(row, self.value) for row in self.session.all_of(parts, parameters)]

    def place_before(self, id: int) -> Cursor:
        """Where the page after this execution begins, newest first; also when it was deleted meanwhile."""
        before = self._short_executions("execution_up_to", (id,))
        return (before[0].started, before[0].id + (before[0].id < id)) if before else (-1, 0)

    def count_matching(self, filter: ExecutionFilter) -> int:
        """How many are meant."""
        ((count,),) = self.session.all_of(*question(self.session, "listed_count", filter))
        return int(count)

    def failed_attempt(self, execution: int, frame: int, state: str) -> FailedAttempt | None:
        """Where the newest attempt at this state, in this frame, failed that a handler's exception ended."""
        row = self.session.one("failed_attempt", (execution, frame, state))
        return None if row is None else rows.failed_attempt(row)

    def failed_attempts(self, execution: int, limit: int) -> list[FailedAttempt]:
        """Those of an execution, newest first."""
        return [rows.failed_attempt(row) for row in self.session.all("failed_attempts", (execution, limit))]

    def history(self, execution: int, after: int = 0, limit: int | None = None) -> list[HistoryEvent]:
        """The events with a number > `after`, in order; at most `limit`, None for all."""
        # The first row may end before `after`; every other one has an event to give.
        enough = -1 if limit is None else limit + 1
        page = self.session.all("history", {"execution": execution, "first": after + 1, "limit": enough})
        return rows.history_events(execution, page, after, limit, self.value)

    def history_page(self, execution: int, after: int, most: int, *, large: bool = True) -> list[HistoryEvent]:
        """The events with a number > `after` that stand in the next `most` rows (at least 2), in order; none when there
        are no more. A row has what one transaction appended, or a part of it that is not long. large: read large
        values too; without it None stands in their place."""
        page = self.session.all("history", {"execution": execution, "first": after + 1, "limit": most})
        return rows.history_events(execution, page, after, None, self.value if large else None)

    def history_page_before(self, execution: int, before: int, most: int) -> list[HistoryEvent]:
        """The events of the last `most` rows that begin before the event `before`, less those from it on, in order and
        without large values (None); none when there are no earlier ones."""
        page = self.session.all("history_before", (execution, before, most))
        events = rows.history_events(execution, reversed(page), 0, None, None)
        return [event for event in events if event.number < before]

    def _map_run(self, row: rows.Row) -> MapRun:
        from sm_cli.store.sql import work_rows  # here: who lists executions waits for no fork

        return work_rows.map_run(row)
