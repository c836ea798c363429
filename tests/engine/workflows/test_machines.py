"""State machines as AWS's API makes, changes, publishes and deletes them: workflows like all others."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.engine.workflows.machines import Machines, Publish
from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.store.particulars import ResourceKind
from sm_cli.store.records import Status
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from sm_cli.views.aws.machines import aliases_meaning, find_alias, find_machine, machine_rows, published_versions
from tests.engine.versions.test_resolving import order
from tests.engine.workers import workflow
from tests.store.asking import asked

FACTS: dict[str, Any] = {"type": "STANDARD", "roleArn": "arn:aws:iam::0:role/r", "tags": {}}
WAITING = workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9, "End": True}}}, "order")


def machines(files: dict[str, Workflow] | None = None) -> Machines:
    engine = Engine(MemoryStore(), clock=FakeClock(), library=None if files is None else files.get)
    return Machines(engine)


def engine_of(machines: Machines) -> Engine:
    engine = machines._engine
    assert isinstance(engine, Engine)
    return engine


def published(machines: Machines) -> list[int]:
    return [number for number, _ in published_versions(engine_of(machines), "order")]


def current(machines: Machines) -> tuple[int | None, dict[str, Any]]:
    engine = engine_of(machines)
    return engine.find_workflow("order").version, find_machine(engine, WorkflowReference("order")).facts


# -- made, and made again --------------------------------------------------------------------------------


def test_a_machine_is_a_workflow_that_can_be_started() -> None:
    ours = machines()
    made = ours.create(order(1), FACTS)
    engine = engine_of(ours)
    execution, _, _ = engine.start(engine.find_workflow("order"), {})
    assert (made.number, execution.version, made.publication) == (1, 1, None)
    assert [name for name, _, _ in machine_rows(engine, (), "", 9)] == ["order"]


def test_the_same_machine_is_made_once() -> None:
    ours = machines()
    first = ours.create(order(1), FACTS, Publish("one"))
    again = ours.create(order(1), {**FACTS, "roleArn": "arn:another", "tags": {"a": "b"}}, Publish("one"))
    assert again == first
    assert current(ours)[1]["roleArn"] == FACTS["roleArn"]


@pytest.mark.parametrize(
    ("text", "facts", "publish"),
    [
        (order(2), FACTS, None),
        (order(1), {**FACTS, "type": "EXPRESS"}, None),
        (order(1), {**FACTS, "loggingConfiguration": {"level": "ALL"}}, None),
        (order(1), FACTS, Publish()),
    ],
)
def test_another_machine_of_the_name_is_refused(text: Workflow, facts: dict[str, Any], publish: Publish | None) -> None:
    ours = machines()
    ours.create(order(1), FACTS)
    with pytest.raises(Conflict):
        ours.create(text, facts, publish)
    assert current(ours) == (1, FACTS)


def test_a_registered_workflow_with_the_same_text_becomes_the_machine() -> None:
    ours = machines()
    engine_of(ours).workflows.register(order(1))
    assert ours.create(order(1), FACTS).number == 1
    assert current(ours) == (1, FACTS)
    assert published(ours) == [1]


def test_a_name_that_nobody_could_ask_for_is_refused() -> None:
    with pytest.raises(UsageError):
        machines().create(workflow({"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}, "a:b"), FACTS)


# -- changed and published -------------------------------------------------------------------------------


def test_an_update_without_a_text_changes_particulars_alone() -> None:
    ours = machines()
    ours.create(order(1), FACTS)
    machine = ours.update("order", None, {"roleArn": "arn:new"}, "r1")
    assert current(ours) == (1, {**FACTS, "roleArn": "arn:new", "revisionId": "r1"})
    assert machine.publication is None


def test_an_update_with_a_text_moves_the_name_and_not_what_runs() -> None:
    ours = machines()
    ours.create(WAITING, FACTS)
    engine = engine_of(ours)
    running, _, _ = engine.start(engine.find_workflow("order"), {})
    ours.update("order", order(2), {}, "r1")
    assert current(ours)[0] == 2
    assert running.digest == WAITING.program.digest


def test_drafts_are_no_versions_until_they_are_published() -> None:
    ours = machines()
    ours.create(order(1), FACTS)
    ours.update("order", order(2), {}, "r1", Publish("second"))
    assert published(ours) == [2]
    text = find_machine(engine_of(ours), WorkflowReference("order", "2"))
    assert text.facts["description"] == "second"


def test_publishing_twice_gives_the_same_version() -> None:
    ours = machines()
    ours.create(order(1), FACTS)
    first = ours.publish("order", Publish("a"), lambda _: None)
    clock = engine_of(ours).clock
    assert isinstance(clock, FakeClock)
    clock.jump(5_000_000)
    assert ours.publish("order", Publish("b"), lambda _: None) == first
    assert published(ours) == [1]


def test_a_published_version_keeps_its_role_when_the_machine_gets_another() -> None:
    ours = machines()
    ours.create(order(1), FACTS, Publish())
    ours.update("order", None, {"roleArn": "arn:new"}, "r1")
    assert find_machine(engine_of(ours), WorkflowReference("order", "1")).facts["roleArn"] == FACTS["roleArn"]


def test_whoever_publishes_is_asked_about_the_revision() -> None:
    ours = machines()
    ours.create(order(1), FACTS)
    ours.update("order", order(2), {}, "r7")
    seen: list[str | None] = []
    ours.publish("order", Publish(), seen.append)
    assert seen == ["r7"]


def test_registering_a_draft_makes_it_a_version() -> None:
    ours = machines()
    ours.create(order(1), FACTS)
    engine_of(ours).workflows.register(order(1))
    assert published(ours) == [1]


@pytest.mark.parametrize("act", ["update", "publish"])
def test_a_machine_that_is_not_there_is_neither_changed_nor_published(act: str) -> None:
    ours = machines()
    with pytest.raises(NotFound):
        if act == "update":
            ours.update("order", order(1), {}, "r1")
        else:
            ours.publish("order", Publish(), lambda _: None)
    assert asked(engine_of(ours).store).workflows() == []


# -- deleted ---------------------------------------------------------------------------------------------


def test_a_deleted_version_that_a_name_means_stays_as_its_text() -> None:
    ours = machines()
    ours.create(order(1), FACTS, Publish())
    ours.delete_version("order", 1)
    assert published(ours) == []
    assert current(ours)[0] == 1


def test_a_deleted_version_that_nobody_needs_is_gone() -> None:
    ours = machines()
    ours.create(order(1), FACTS, Publish())
    ours.update("order", order(2), {}, "r1", Publish())
    ours.delete_version("order", 1)
    assert published(ours) == [2]
    with pytest.raises(NotFound):
        engine_of(ours).find_workflow("order:1")
    ours.delete_version("order", 1)  # once more is nothing


def test_a_version_that_an_execution_runs_keeps_its_text() -> None:
    ours = machines()
    ours.create(WAITING, FACTS, Publish())
    engine = engine_of(ours)
    engine.start(engine.find_workflow("order"), {})
    ours.update("order", order(2), {}, "r1")
    ours.delete_version("order", 1)
    assert published(ours) == []
    assert engine.find_workflow("order:1").version == 1


def test_a_version_that_an_alias_means_is_not_deleted() -> None:
    ours = machines()
    ours.create(order(1), FACTS, Publish())
    ours.create_alias("order", "prod", ((1, 100),), None)
    with pytest.raises(Conflict):
        ours.delete_version("order", 1)
    assert published(ours) == [1]


def test_a_deleted_machine_ends_what_runs_and_leaves_nothing() -> None:
    ours = machines()
    ours.create(WAITING, FACTS, Publish())
    ours.create_alias("order", "prod", ((1, 100),), "the one")
    engine = engine_of(ours)
    running = [engine.start(engine.find_workflow("order"), {})[0] for _ in range(3)]
    ours.delete("order")
    ended = asked(engine.store).executions([each.id for each in running])
    assert {each.status for each in ended.values()} == {Status.ABORTED}
    for kind in (ResourceKind.MACHINE, ResourceKind.VERSION, ResourceKind.ALIAS):
        assert asked(engine.store).particulars_of_kind(kind) == []
    assert machine_rows(engine, (), "", 9) == []
    ours.delete("order")  # once more is nothing


def test_a_machine_can_be_made_anew_after_it_was_deleted() -> None:
    ours = machines()
    ours.create(order(1), FACTS, Publish())
    ours.delete("order")
    made = ours.create(order(2), {**FACTS, "type": "EXPRESS"})
    assert made.number == 2  # numbers are not given out twice
    assert published(ours) == []


# -- files of the project --------------------------------------------------------------------------------


def test_the_text_of_a_file_is_changed_in_the_file_only() -> None:
    ours = machines({"order": order(1)})
    with pytest.raises(Conflict, match="file"):
        ours.update("order", order(2), {}, "r1")
    with pytest.raises(Conflict, match="file"):
        ours.delete("order")
    with pytest.raises(Conflict):
        ours.create(order(2), FACTS)
    assert asked(engine_of(ours).store).workflows() == []


def test_a_file_has_particulars_and_versions_like_any_machine() -> None:
    ours = machines({"order": order(1)})
    ours.update("order", None, {"roleArn": "arn:new"}, "r1", Publish("from a file"))
    assert published(ours) == [1]
    assert current(ours)[1]["roleArn"] == "arn:new"
    assert [name for name, _, _ in machine_rows(engine_of(ours), ["order"], "", 9)] == ["order"]


# -- aliases ---------------------------------------------------------------------------------------------


def with_two_versions() -> Machines:
    ours = machines()
    ours.create(order(1), FACTS, Publish())
    ours.update("order", order(2), {}, "r1", Publish())
    return ours


def test_an_alias_routes_to_versions_and_is_described() -> None:
    ours = with_two_versions()
    ours.create_alias("order", "prod", ((1, 90), (2, 10)), "mostly one")
    alias, description = find_alias(engine_of(ours), WorkflowReference("order", "prod"))
    assert (alias.targets, description) == (((1, 90), (2, 10)), "mostly one")
    assert [each.name for each in aliases_meaning(engine_of(ours), WorkflowReference("order", "2"))] == ["prod"]


def test_an_alias_is_made_once_and_not_changed_by_making_it() -> None:
    ours = with_two_versions()
    first = ours.create_alias("order", "prod", ((1, 100),), "x")
    assert ours.create_alias("order", "prod", ((1, 100),), "x") == first
    for targets, description in ((((2, 100),), "x"), (((1, 100),), "y")):
        with pytest.raises(Conflict):
            ours.create_alias("order", "prod", targets, description)


def test_an_update_of_an_alias_leaves_what_it_does_not_name() -> None:
    ours = with_two_versions()
    ours.create_alias("order", "prod", ((1, 100),), "x")
    ours.update_alias("order", "prod", ((2, 100),), None)
    ours.update_alias("order", "prod", None, "y")
    alias, description = find_alias(engine_of(ours), WorkflowReference("order", "prod"))
    assert (alias.targets, description) == (((2, 100),), "y")


def test_an_alias_routes_to_no_draft() -> None:
    ours = machines()
    ours.create(order(1), FACTS)
    for number in (1, 7):
        with pytest.raises(NotFound):
            ours.create_alias("order", "prod", ((number, 100),), None)
    with pytest.raises(NotFound):
        ours.update_alias("order", "prod", None, "x")
