"""The contract of `sm_cli.store.protocol`: links between executions."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.errors import Conflict
from sm_cli.store.links import Link, LinkEnds, LinkFilter
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from sm_cli.store.sql.transaction import AlreadyLinked
from tests.store.asking import asked
from tests.store.samples import T0, apply, execution


def link(target: int, source: int = 1, **more: Any) -> Link:
    fields: dict[str, Any] = {
        "target_ref": f"ref-{target:06d}", "target_workflow": "B", "source_ref": f"ref-{source:06d}",
        "source_workflow": "A", "at": T0 + target,
    }  # fmt: skip
    return Link(target=target, source=source, **(fields | more))


def targets(store: Store, **filter: Any) -> list[int]:
    return [ends.link.target for ends in asked(store).links(LinkFilter(**filter))]


def test_a_link_comes_back_whole_with_what_its_ends_are_called(store: Store) -> None:
    whole = link(2, state="S", transform="[1]", unique=True)
    closed = execution(1, status=Status.FAILED, closed=T0 + 9)
    apply(store, new_executions=[closed, execution(2)], new_links=[whole])
    assert asked(store).links(LinkFilter()) == [
        LinkEnds(whole, "name-1", Status.FAILED, "name-2", Status.RUNNING),
    ]  # fmt: skip


def test_links_are_chosen_newest_first(store: Store) -> None:
    apply(store, new_links=[
        link(2), link(3, state="S"), link(4, target_workflow="C"), link(5, source=2, source_workflow="B"),
    ])  # fmt: skip
    assert targets(store) == [5, 4, 3, 2]
    assert targets(store, limit=2) == [5, 4]
    assert targets(store, execution=2) == [5, 2]
    assert targets(store, execution=1, limit=1) == [4]
    assert targets(store, execution=9) == []
    assert targets(store, source_workflow="A", target_workflow="B") == [3, 2]
    assert targets(store, state="S") == [3]
    assert targets(store, since=T0 + 4) == [5, 4]


def test_the_first_link_of_each_source_to_a_workflow(store: Store) -> None:
    apply(store, new_links=[link(3), link(4), link(5, source=2), link(6, target_workflow="C")])
    first = asked(store).first_links([1, 2, 9], "B")
    assert {source: each.target for source, each in first.items()} == {1: 3, 2: 5}
    assert asked(store).first_links([1], "D") == {}


def test_a_unique_link_is_the_first_of_its_source_and_workflow_or_nothing_is_written(store: Store) -> None:
    apply(store, new_executions=[execution(2)], new_links=[link(2)])
    for links in ([link(3, unique=True)], [link(3, target_workflow="C"), link(4, target_workflow="C", unique=True)]):
        with pytest.raises(AlreadyLinked, match=r"ref-000001 has led to an execution of workflow . already"):
            apply(store, new_executions=[execution(3), execution(4)], new_links=links)
    assert (targets(store), asked(store).execution(3)) == ([2], None)
    apply(store, new_links=[link(5, target_workflow="C", unique=True), link(6, source=2, unique=True)])
    apply(store, new_links=[link(7, target_workflow="C")])
    assert targets(store) == [7, 6, 5, 2]
    assert issubclass(AlreadyLinked, Conflict)


def test_a_link_goes_with_the_second_of_its_executions(store: Store) -> None:
    apply(store, new_executions=[execution(n) for n in (1, 2, 3)], new_links=[link(2), link(3), link(4, source=3)])
    apply(store, executions_gone=[2])
    assert targets(store) == [4, 3, 2]
    apply(store, executions_gone=[1])
    assert targets(store) == [4, 3]
    apply(store, executions_gone=[3])
    assert targets(store) == []
