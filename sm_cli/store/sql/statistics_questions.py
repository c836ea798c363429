"""Questions about many executions as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.store.sql.asking import Asking

if TYPE_CHECKING:
    from sm_cli.store.filters import ExecutionFilter
    from sm_cli.store.statistics import By, Measured


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
