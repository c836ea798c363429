"""Register, alias, roll back, delete: what a name means moves, and no text is ever lost that somebody needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.retention import prune
from sm_cli.engine.versions.references import WorkflowReference, parse_reference
from sm_cli.engine.workflows.workflows import Move, Registration
from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock, crash_points
from tests.engine.versions.test_resolving import order, registered, start
from tests.engine.workers import workflow
from tests.store.asking import asked

WAITING = workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9, "End": True}}}, "order")


def clock(engine: Engine) -> FakeClock:
    assert isinstance(engine.clock, FakeClock)
    return engine.clock


def numbers(engine: Engine) -> list[int]:
    return [each.number for each in asked(engine.store).versions("order")]


def meaning(engine: Engine, reference: str) -> int | None:
    return engine.find_workflow(reference).version


def test_a_text_is_registered_once_and_is_current_each_time() -> None:
    engine = Engine(MemoryStore(), clock=FakeClock())
    outcomes = [engine.workflows.register(order(n)) for n in (1, 2, 1)]
    assert outcomes == [Registration(1, True), Registration(2, True), Registration(1, False)]
    assert meaning(engine, "order") == 1


def test_an_alias_is_set_with_the_text_that_is_registered() -> None:
    engine = registered(1)
    outcome = engine.workflows.register(order(2), "prod")
    assert outcome.alias is not None
    assert outcome.alias.targets == ((2, 100),)
    assert meaning(engine, "order:prod") == 2


@pytest.mark.parametrize("name", ["a:b", "", "x" * 81, "a\nb"])
def test_a_name_that_nobody_could_ask_for_is_refused(name: str) -> None:
    engine = Engine(MemoryStore())
    with pytest.raises(UsageError):
        engine.workflows.register(workflow({"StartAt": "P", "States": {"P": {"Type": "Succeed"}}}, name))
    assert asked(engine.store).workflows() == []


def test_an_alias_moves_and_remembers_when_it_was_made() -> None:
    engine = registered(1, 2)
    first = engine.workflows.set_alias("order", "prod", ((1, 100),))
    clock(engine).advance_to(engine.clock.now() + 1)
    second = engine.workflows.set_alias("order", "prod", ((2, 90), (1, 10)))
    assert first.created == second.created < second.updated
    assert asked(engine.store).aliases("order") == [second]


@pytest.mark.parametrize(
    ("alias", "targets", "error", "says"),
    [
        ("prod", ((9, 100),), NotFound, "no version 9"),
        ("prod", ((1, 60), (2, 60)), UsageError, "60 and 60 make 120"),
        ("prod", (), UsageError, "one version or two"),
        ("7", ((1, 100),), UsageError, "no number"),
        ("a b", ((1, 100),), UsageError, "'a b' is no name"),
        ("x" * 81, ((1, 100),), UsageError, "1 to 80"),
    ],
)
def test_an_alias_that_would_mean_nothing_is_refused_and_nothing_is_written(
    alias: str, targets: tuple[tuple[int, int], ...], error: type[Exception], says: str
) -> None:
    engine = registered(1, 2)
    with pytest.raises(error, match=says):
        engine.workflows.set_alias("order", alias, targets)
    assert asked(engine.store).aliases("order") == []


def test_a_name_goes_back_to_the_version_before_and_further_each_time() -> None:
    engine = registered(1, 2, 3)
    name = WorkflowReference("order")
    assert engine.workflows.roll_back(name) == Move(((3, 100),), ((2, 100),))
    assert engine.workflows.roll_back(name) == Move(((2, 100),), ((1, 100),))
    with pytest.raises(Conflict, match="none before it"):
        engine.workflows.roll_back(name)
    assert engine.workflows.roll_back(name, 3).after == ((3, 100),)
    assert meaning(engine, "order") == 3


def test_a_weighted_alias_goes_back_to_the_older_of_its_two() -> None:
    engine = registered(1, 2, 3)
    engine.workflows.set_alias("order", "prod", ((3, 10), (2, 90)))
    assert engine.workflows.roll_back(parse_reference("order:prod")) == Move(((3, 10), (2, 90)), ((2, 100),))
    assert meaning(engine, "order") == 3


def test_versions_that_were_deleted_are_passed_over() -> None:
    engine = registered(1, 2, 3)
    engine.workflows.delete("order", 2)
    assert engine.workflows.roll_back(WorkflowReference("order")).after == ((1, 100),)


@pytest.mark.parametrize(
    ("reference", "to", "error", "says"),
    [
        ("order:2", None, UsageError, "one version for good"), ("order", 9, NotFound, "no version 9"),
        ("order:blue", None, NotFound, "no alias 'blue'"), ("nobody", None, NotFound, "no workflow 'nobody'"),
        ("nobody", 1, NotFound, "no workflow 'nobody'"),
    ],
)  # fmt: skip
def test_who_cannot_go_back_is_told_why(reference: str, to: int | None, error: type[Exception], says: str) -> None:
    engine = registered(1, 2)
    with pytest.raises(error, match=says):
        engine.workflows.roll_back(parse_reference(reference), to)
    assert meaning(engine, "order") == 2


def test_a_version_that_an_open_execution_runs_is_not_deleted() -> None:
    engine = registered(1)
    running = engine.start(WAITING, {}, name="open")[0]
    with pytest.raises(Conflict, match=f"version 2 of order is needed by execution {running.ref}, which runs"):
        engine.workflows.delete("order", 2)
    with pytest.raises(Conflict, match="needed"):
        engine.workflows.delete("order")
    assert numbers(engine) == [2, 1]
    engine.stop(running)
    engine.workflows.delete("order", 2)
    assert numbers(engine) == [1]


def test_a_version_that_an_alias_means_is_not_deleted() -> None:
    engine = registered(1, 2)
    engine.workflows.set_alias("order", "prod", ((2, 90), (1, 10)))
    with pytest.raises(Conflict, match="version 1 of order is what prod means"):
        engine.workflows.delete("order", 1)
    engine.workflows.delete_alias("order", "prod")
    engine.workflows.delete("order", 1)
    assert numbers(engine) == [2]


def test_a_bare_name_means_the_newest_that_is_left_when_its_version_is_deleted() -> None:
    engine = registered(1, 2, 3)
    engine.workflows.delete("order", 3)
    assert meaning(engine, "order") == 2
    engine.workflows.delete("order", 1)
    assert meaning(engine, "order") == 2


def test_a_number_is_given_to_no_other_text_and_the_same_text_has_its_own_again() -> None:
    engine = registered(1, 2)
    engine.workflows.delete("order", 2)
    assert engine.workflows.register(order(3)) == Registration(3, True)
    assert engine.workflows.register(order(2)) == Registration(2, True)
    assert numbers(engine) == [3, 2, 1]
    with pytest.raises(NotFound, match="no version 9"):
        engine.workflows.delete("order", 9)


def test_a_whole_workflow_goes_with_its_aliases_and_begins_with_a_new_number() -> None:
    engine = registered(1, 2)
    engine.workflows.set_alias("order", "prod", ((2, 100),))
    assert [each.number for each in engine.workflows.delete("order")] == [2, 1]
    assert (numbers(engine), asked(engine.store).aliases("order")) == ([], [])
    for text in ("order", "order:1", "order:prod"):
        with pytest.raises(NotFound):
            engine.find_workflow(text)
    assert engine.workflows.register(order(9)).number == 3


def test_a_version_that_was_found_and_then_deleted_is_not_started() -> None:
    engine = registered(1, 2)
    found = engine.find_workflow("order:1")
    engine.workflows.delete("order", 1)
    with pytest.raises(NotFound, match="version 1 of the workflow order was deleted"):
        engine.start(found, {})


def test_the_text_of_a_deleted_version_stays_as_long_as_an_execution_has_it() -> None:
    engine = registered(1, 2)
    digests = {each.number: each.digest for each in asked(engine.store).versions("order")}
    engine.workflows.register(order(3))
    digests[3] = asked(engine.store).versions("order")[0].digest
    engine.workflows.delete("order", 3)
    assert asked(engine.store).definition(digests[3]) is None  # nobody ever ran it
    engine.workflows.delete("order", 1)
    assert asked(engine.store).definition(digests[1]) is not None
    prune(engine.store, engine.clock.now() + 1)
    assert asked(engine.store).definition(digests[1]) is None
    assert asked(engine.store).definition(digests[2]) is not None  # version 2 is there, whoever ran it


def test_the_text_of_another_name_stays() -> None:
    engine = registered(1)
    engine.workflows.register(replace(order(1), name="audit"))
    prune(engine.store, engine.clock.now() + 1)
    engine.workflows.delete("order", 1)
    assert meaning(engine, "audit") == 1


def test_an_execution_stays_on_its_version_whatever_is_registered_meanwhile() -> None:
    engine = registered()
    running = engine.start(WAITING, {}, name="open")[0]
    engine.workflows.register(order(2), "prod")
    engine.stop(running)
    stored = asked(engine.store).execution(running.id)
    assert stored is not None
    assert (stored.version, stored.digest, stored.status) == (1, WAITING.program.digest, Status.ABORTED)


COMMANDS: dict[str, Callable[[Engine], object]] = {
    "register": lambda engine: engine.workflows.register(order(3), "prod"),
    "set_alias": lambda engine: engine.workflows.set_alias("order", "prod", ((2, 90), (1, 10))),
    "delete_alias": lambda engine: engine.workflows.delete_alias("order", "blue"),
    "roll_back": lambda engine: engine.workflows.roll_back(WorkflowReference("order")),
    "delete": lambda engine: engine.workflows.delete("order", 2),
    "start": lambda engine: start(engine, engine.find_workflow("order:blue")),
}


def state_of(store: Store) -> list[object]:
    """All that the commands change."""
    questions = asked(store)
    return [
        [[each.number, each.digest] for each in questions.versions("order")],
        [[each.name, number] for each, number in questions.workflows()],
        [[each.name, *map(list, each.targets)] for each in questions.aliases("order")],
        [[e.version, e.qualifier, e.status] for id in range(1, 5) if (e := questions.execution(id)) is not None],
    ]


def prepared_engine(store: Store | None = None) -> Engine:
    engine = registered(1, 2)
    engine.workflows.set_alias("order", "blue", ((1, 100),))
    return engine


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_dies_at_its_commit_has_done_all_or_nothing(name: str, after: bool) -> None:
    calm = prepared_engine()
    before = state_of(calm.store)
    COMMANDS[name](calm)
    done = state_of(calm.store)
    assert done != before
    engine = prepared_engine()
    store, commits = engine.store, engine.store.commits
    with crash_points(store) as crash:
        engine.store = crash.at(1, after=after)
        COMMANDS[name](engine)
        pytest.fail("it did not die")
    assert store.commits == commits + after
    assert state_of(store) == (done if after else before)


def test_a_version_that_an_open_batch_needs_is_not_deleted() -> None:
    engine = registered(1)
    engine.workflows.register(WAITING)
    engine.batch(engine.find_workflow("order:2"), [1, 2])
    with pytest.raises(Conflict, match="version 2 of order is needed by the batch"):
        engine.workflows.delete("order", 2)
