"""The questions that may be asked of a database, inside a writing transaction or outside, in one snapshot.

Nothing here writes. What a question means stands in its docstring, how it is asked in the `.sql` files beside it.
`tree` limits a question to the executions of one tree: the execution of this id and all below it.

Every command imports all of these, so the records of a question that few of them ask are imported where its rows are
read, as in `schedule_questions`; `mutable` says what the others cost.
"""

from sm_cli.store.sql.execution_questions import ExecutionQuestions
from sm_cli.store.sql.link_questions import LinkQuestions
from sm_cli.store.sql.message_questions import MessageQuestions
from sm_cli.store.sql.schedule_questions import ScheduleQuestions
from sm_cli.store.sql.statistics_questions import StatisticsQuestions
from sm_cli.store.sql.version_questions import VersionQuestions
from sm_cli.store.sql.work_questions import WorkQuestions


class Questions(
    VersionQuestions,
    ExecutionQuestions,
    LinkQuestions,
    WorkQuestions,
    MessageQuestions,
    ScheduleQuestions,
    StatisticsQuestions,
):
    """All of them. Times are integer microseconds since 1970 UTC; JSON values are values, not text."""
