"""Which text `order`, `order:3` and `order:prod` mean, and what an execution keeps of it."""

from __future__ import annotations

from collections import Counter

import pytest

from sm_cli.engine.engine import Engine, Workflow
from sm_cli.engine.settings import Settings
from sm_cli.engine.stepping.starting import begin, find_version
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.versions.aliases import draw, parse_targets
from sm_cli.engine.versions.references import WorkflowReference, parse_reference
from sm_cli.errors import NotFound, UsageError
from sm_cli.store.records import Execution
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.store.versions import Alias
from sm_cli.testing import FakeClock
from tests.engine.workers import workflow
from tests.store.asking import asked
from tests.store.samples import apply


def order(result: int) -> Workflow:
    return workflow({"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": result, "End": True}}}, "order")


def registered(*results: int, settings: Settings | None = None) -> Engine:
    """An engine whose database has these texts as versions of `order`, registered in turn."""
    engine = Engine(MemoryStore(), clock=FakeClock(), settings=settings)
    for result in results:
        start(engine, order(result))
    return engine


def start(engine: Engine, found: Workflow) -> Execution:
    made, _, _ = engine.start(found, {})
    ended = asked(engine.store).execution(made.id)
    assert ended is not None
    return ended


def alias(engine: Engine, targets: str, name: str = "prod") -> None:
    apply(engine.store, aliases=[Alias("order", name, parse_targets(targets), 1, 1)])


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("order", ("order", None)), ("order:3", ("order", "3")), ("order:prod", ("order", "prod")),
        ("arn:aws:states:us-east-1:123456789012:stateMachine:order", ("order", None)),
        ("arn:aws:states:us-east-1:123456789012:stateMachine:order:12", ("order", "12")),
    ],
)  # fmt: skip
def test_each_form_of_a_reference(text: str, reference: tuple[str, str | None]) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    ("text", "says"), [("", "names no workflow"), (":3", "names no workflow"), ("a:", "no version")]
)
def test_what_names_nothing_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_reference(text)


def test_texts_are_numbered_in_the_order_in_which_they_came_and_the_same_text_keeps_its_number() -> None:
    engine = registered(1, 2, 1, 3, 2)
    found = [asked(engine.store).execution(id) for id in range(1, 6)]
    assert [e.version for e in found if e] == [1, 2, 1, 3, 2]
    assert [each.number for each in asked(engine.store).versions("order")] == [3, 2, 1]


def test_a_bare_name_means_the_text_that_was_registered_last() -> None:
    engine = registered(1, 2, 1)
    ended = start(engine, engine.find_workflow("order"))
    assert (ended.version, ended.qualifier, ended.output) == (1, None, 1)


def test_a_number_means_that_version_and_starting_it_makes_it_not_the_current_one() -> None:
    engine = registered(1, 2)
    ended = start(engine, engine.find_workflow("order:1"))
    assert (ended.version, ended.qualifier, ended.alias, ended.output) == (1, "1", None, 1)
    assert engine.find_workflow("order").version == 2


def test_the_text_of_the_library_wins_for_a_bare_name_and_is_no_answer_to_a_number() -> None:
    engine = registered(1, 2)
    engine.programs.library = {"order": order(3)}.get
    assert start(engine, engine.find_workflow("order")).version == 3
    assert start(engine, engine.find_workflow("order:2")).output == 2


def test_an_alias_is_kept_with_the_version_that_it_stood_for_and_both_are_in_the_history() -> None:
    engine = registered(1, 2)
    alias(engine, "1")
    ended = start(engine, engine.find_workflow("order:prod"))
    alias(engine, "2")
    assert (ended.version, ended.alias, ended.output) == (1, "prod", 1)
    detail = asked(engine.store).history(ended.id)[0].detail
    arn = "arn:aws:states:us-east-1:111111111111:stateMachine:order"
    assert (detail["stateMachineVersionArn"], detail["stateMachineAliasArn"]) == (f"{arn}:1", f"{arn}:prod")


def test_as_on_aws_a_start_by_the_bare_name_names_no_version_in_its_first_event() -> None:
    engine = registered(1)
    assert asked(engine.store).history(1)[0].detail == {
        "input": {}, "roleArn": "arn:aws:iam::111111111111:role/sm-local",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("order:9", "has no version 9; it has 2, 1"),
        ("order:0", "no alias '0'"),
        ("order:99999999999999999999", "no alias"),
        ("order:blue", "has no alias 'blue'; it has prod"),
        ("ordre", "no workflow 'ordre'"),
        ("ordre:1", "no workflow 'ordre'"),
        ("ordre:prod", "no workflow 'ordre'"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(text: str, says: str) -> None:
    engine = registered(1, 2)
    alias(engine, "1")
    with pytest.raises(NotFound, match=says) as refused:
        engine.find_workflow(text)
    assert (refused.value.hint == "did you mean 'order'?") is text.startswith("ordre")


def test_a_weighted_alias_draws_once_a_start_in_the_ratio_of_its_shares() -> None:
    engine = registered(1, 2)
    alias(engine, "2:90,1:10")
    starts = Counter(start(engine, engine.find_workflow("order:prod")).version for _ in range(300))
    assert starts[1] + starts[2] == 300
    assert 10 <= starts[1] <= 60


def test_the_draw_is_a_function_of_the_seed_and_the_lot() -> None:
    prod = Alias("order", "prod", ((2, 50), (1, 50)), 1, 1)
    drawn = [draw(prod, f"seed/{n}") for n in range(64)]
    assert drawn == [draw(prod, f"seed/{n}") for n in range(64)]
    assert set(drawn) == {1, 2}
    assert {draw(prod._replace(targets=((2, 100), (1, 0))), str(n)) for n in range(64)} == {2}
    assert {draw(prod._replace(targets=((2, 0), (1, 100))), str(n)) for n in range(64)} == {1}


def test_the_seed_of_the_settings_decides_what_is_drawn() -> None:
    def versions(seed: str) -> list[int | None]:
        engine = registered(1, 2, settings=Settings(draw_seed=seed))
        alias(engine, "2:50,1:50")
        return [engine.find_workflow("order:prod").version for _ in range(40)]

    assert versions("a") == versions("a")
    assert versions("a") != versions("b")


def test_who_starts_many_in_one_transaction_resolves_there() -> None:
    engine = registered(1, 2)
    alias(engine, "2:50,1:50")

    def work(tick: Tick) -> list[Execution]:
        made = []
        for n in range(40):
            version = find_version(tick, WorkflowReference("order", "prod"), f"r{n}")
            made.append(begin(tick, version, {}, ref=f"r{n}", name=f"n{n}"))
        return made

    made, _ = engine.transact(work)
    assert {e.version for e in made} == {1, 2}
    assert {e.alias for e in made} == {"prod"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5:90,4:20", "add up to 100; 90 and 20 make 110"),
        ("5:90", "add up to 100, not to 90"),
        ("5,4", "needs its share"),
        ("5:90,4", "says it of 1"),
        ("5:50,4:25,3:25", "one version or two, as on AWS, not 3"),
        ("5:50,5:50", "version 5 stands there twice"),
        ("", "is no version"),
        ("five", "'five' is no version"),
        ("5:ninety", "'5:ninety' is no version"),
        ("5:-1,4:101", "is no version"),
    ],
)
def test_targets_that_make_no_alias_are_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_targets(text)


def test_a_share_may_be_nothing_and_a_lone_version_has_all() -> None:
    assert parse_targets("5") == ((5, 100),)
    assert parse_targets("5:100,4:0") == ((5, 100), (4, 0))
