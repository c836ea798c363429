"""Activities that somebody makes, and tags."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.workflows.activities import change_tags, create_activity, delete_activity, tags_among
from sm_cli.errors import Conflict, UsageError
from sm_cli.store.particulars import ResourceKind
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from sm_cli.views.aws.machines import find_activity, has_free_task, list_activities
from tests.engine.workers import workflow

ARN = "arn:aws:states:us-east-1:0:activity:pack"
WAITS = workflow({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": ARN, "End": True}}})


@pytest.fixture
def engine() -> Engine:
    return Engine(MemoryStore(), clock=FakeClock())


def test_an_activity_is_made_once(engine: Engine) -> None:
    facts: dict[str, Any] = {"tags": {"a": "b"}}
    first = create_activity(engine, "pack", facts)
    assert create_activity(engine, "pack", {"tags": {}}) == first
    assert [each.name for each in list_activities(engine, "", 9)] == ["pack"]


def test_an_activity_of_other_particulars_is_another_one(engine: Engine) -> None:
    create_activity(engine, "pack", {})
    with pytest.raises(Conflict):
        create_activity(engine, "pack", {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY"}})


def test_a_deleted_activity_leaves_the_tasks_that_wait_for_it(engine: Engine) -> None:
    create_activity(engine, "pack", {})
    engine.start(WAITS, {"n": 1})
    delete_activity(engine, "pack")
    delete_activity(engine, "pack")
    assert find_activity(engine, "pack") is None
    assert has_free_task(engine, "pack")
    task = engine.poll_activity("pack")
    assert task is not None and task[1] == {"n": 1}
    assert not has_free_task(engine, "pack")


def test_tags_are_given_and_taken_away(engine: Engine) -> None:
    create_activity(engine, "pack", {"tags": {"a": "1", "b": "2"}})
    change_tags(engine, ResourceKind.ACTIVITY, "pack", {"b": "3", "c": "4"}, ["a", "z"])
    found = find_activity(engine, "pack")
    assert found is not None and tags_among(found.facts) == {"b": "3", "c": "4"}


def test_tags_beyond_the_limits_change_nothing(engine: Engine) -> None:
    change_tags(engine, ResourceKind.MACHINE, "order", {f"k{i}": "v" for i in range(50)})
    with pytest.raises(UsageError, match="50"):
        change_tags(engine, ResourceKind.MACHINE, "order", {"one more": "v"})
    with pytest.raises(UsageError, match="aws:"):
        change_tags(engine, ResourceKind.MACHINE, "order", {"aws:x": "v"}, ["k0"])
    assert len(change_tags(engine, ResourceKind.MACHINE, "order", {})) == 50
