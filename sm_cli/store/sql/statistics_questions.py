"""Questions about many executions as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.store.sql.asking import Asking
from sm_cli.store.sql.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sm_cli.store.filters import ExecutionFilter
    from sm_cli.store.statistics import By, Measured, StateMeasured, StateTimes


class StatisticsQuestions(Asking):
    """Questions about many executions as numbers. What they need is imported where it is asked for: few commands do."""

    def measure(self, filter: ExecutionFilter, by: By) -> list[Measured]:
        """The groups of the executions that are meant, in no order; none that is empty."""
        import orjson

        from sm_cli.store.sql.choosing import statistics_question
        from sm_cli.store.statistics import By, Measured

        of_two = by is By.VERSION
        parts, parameters = statistics_question(self.session, filter, by)
        size = 2 if of_two else 1
        return [
            Measured(row[:size], row[size], int(row[size + 1]), row[size + 2], row[size + 3], orjson.loads(row[-1]))
            for row in self.session.all_of(parts, parameters)
        ]

    def measure_states(self, filter: ExecutionFilter) -> list[StateMeasured]:
        """The states that the executions were in that are meant, one for each workflow, in no order."""
        from sm_cli.store.sql.choosing import state_question

        states: dict[tuple[str, str], StateMeasured] = {}
        rows = self.session.all_of(*state_question(self.session, filter))
        for state in (*map(_state_measured, rows), *self._log_entries(filter)):
            before = states.get((state.workflow, state.state))
            states[state.workflow, state.state] = state if before is None else _together(before, state)
        return [*states.values()]

    def state_times(self, execution: int) -> list[StateTimes]:
        """What an execution has spent in its states so far; a state may stand there several times."""
        from sm_cli.store.sql.upkeep.state_log import logged_state_times

        keys = {id: (name, workflow, digest) for id, workflow, name, digest in self.session.all("all_states")}
        rows = self.session.all("state_times_of_execution", (execution,))
        spans = [*rows, *(span for span in logged_state_times(self.session) if span[2] == execution)]
        return [(keys[span[0]], tuple(span[1:])) for span in spans]

    def _log_entries(self, filter: ExecutionFilter) -> Iterator[StateMeasured]:
        """What the log adds to it."""
        from sm_cli.store.sql.choosing import is_of_time_and_workflow, question
        from sm_cli.store.sql.parameters import id_list
        from sm_cli.store.sql.upkeep.state_log import logged_state_times
        from sm_cli.store.statistics import StateMeasured

        spans = logged_state_times(self.session)
        names = {id: (workflow, name) for id, workflow, name, _ in self.session.all("all_states")}
        ids = {span[2] for span in spans}
        if not is_of_time_and_workflow(filter):
            asking = question(self.session, "listed_ids", filter)
            parameters = asking.parameters | {"those": id_list(ids)}
            ids = {id for (id,) in self.session.all_of((*asking.parts, "only_logged"), parameters)}
        for id, started, execution, visits, failures, retries, duration, longest, working in spans:
            workflow, name = names[id]
            is_of_workflow = filter.workflow in (None, workflow, workflow.partition("/")[0])
            is_of_time = (filter.since or 0) <= started and (filter.until is None or started < filter.until)
            if execution in ids and is_of_workflow and is_of_time:
                durations = _durations(visits, duration, longest)
                yield StateMeasured(workflow, name, visits, failures, retries, working, started, started, durations)


def _state_measured(row: Row) -> StateMeasured:
    import orjson

    from sm_cli.store.statistics import StateMeasured

    workflow, state, visits_of_all, failures, retries, working, first, last, durations, several = row
    spans: list[int] = orjson.loads(durations)
    for visits, duration, longest in orjson.loads(several):
        spans += _durations(visits, duration, longest)
    counts = int(visits_of_all), int(failures), int(retries), int(working)
    return StateMeasured(workflow, state, *counts, first, last, spans)


def _durations(visits: int, duration: int, longest: int) -> list[int]:
    """Of so many visits together, of which one was the longest: that one, and the mean of the others."""
    others = visits - 1
    return ([longest] if visits else []) + ([(duration - longest) // others] * others if others > 0 else [])


def _together(one: StateMeasured, other: StateMeasured) -> StateMeasured:
    return one._replace(
        visits=one.visits + other.visits, failures=one.failures + other.failures, retries=one.retries + other.retries,
        working=one.working + other.working, first=min(one.first, other.first), last=max(one.last, other.last),
        durations=one.durations + other.durations,
    )  # fmt: skip
