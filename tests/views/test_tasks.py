"""Tasks that wait for a callback: which, in which order, with which token."""

from __future__ import annotations

import pytest

from sm_cli.interpreter.tokens import read_token
from sm_cli.store.records import HANDED_OVER
from sm_cli.views.tasks import handed_over_tasks
from tests.store.samples import T0, job
from tests.views.rows import Rows


@pytest.fixture
def rows() -> Rows:
    """Jobs 1 to 5: free, at work, and three that are handed over, of two executions."""
    made = Rows()
    made.execution(1)
    made.execution(2, workflow="billing")
    made.put(new_jobs=[
        job(1, 11),
        job(2, 12, leased_until=T0 + 9, worker="w"),
        job(3, 13, leased_until=HANDED_OVER, seq=4, state="Ask", resource="mail"),
        job(4, 21, 2, leased_until=HANDED_OVER, state="Sign"),
        job(5, 14, leased_until=HANDED_OVER),
    ])  # fmt: skip
    return made


@pytest.mark.parametrize(("limit", "frames"), [(9, [13, 21, 14]), (2, [13, 21]), (1, [13]), (0, [])])
def test_only_what_is_handed_over_is_listed_and_the_oldest_first(rows: Rows, limit: int, frames: list[int]) -> None:
    tokens = [task.token for task in handed_over_tasks(rows.engine, limit)]
    assert [read_token(rows.store.token_key(), token)[0] for token in tokens] == frames


def test_a_task_has_its_execution_its_state_and_its_address_as_a_token(rows: Rows) -> None:
    first, second, _ = handed_over_tasks(rows.engine, 9)
    assert (first.execution.ref, first.state, first.resource) == ("ref-000001", "Ask", "mail")
    assert read_token(rows.store.token_key(), first.token) == (13, 4)
    assert (second.execution.workflow, second.state) == ("billing", "Sign")


def test_without_one_there_is_none() -> None:
    assert handed_over_tasks(Rows().engine, 9) == []
