"""The contract of `sm_cli.store.protocol`: children of map runs that ended and wait to be counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sm_cli.interpreter.frame import FrameStatus, Join, Opens
from sm_cli.store.protocol import Store
from sm_cli.store.records import EndedChild, Parent, Status
from sm_cli.views.upkeep import database_problems, repair_database
from tests.store.asking import asked
from tests.store.samples import apply, definition, execution, frame
from tests.stores import opened


def parent(id: int, **more: Any) -> Any:
    """A frame that waits for the children of a map run."""
    given = {"status": FrameStatus.BLOCKED, "opens": Opens.EXECUTIONS, "join": Join(3, activation=1), "input": None}
    return frame(id, execution=id, **(given | more))


def ended(child: int, of: int = 1, succeeded: int = 1, activation: int = 1) -> EndedChild:
    return EndedChild(of, of, child, activation, 2, succeeded)


def fill(store: Store) -> None:
    """Two parents with the children 3 and 4, and 5."""
    children = [
        execution(id, tree=tree, part=id, status=Status.SUCCEEDED, closed=9, parent=Parent(tree, 1, id, 2, run=tree))
        for id, tree in ((3, 1), (4, 1), (5, 2))
    ]
    apply(
        store, new_definitions=[definition()], new_executions=[execution(1), execution(2), *children],
        new_frames=[parent(1), parent(2)], ended_children=[ended(3), ended(4, succeeded=0), ended(5, of=2)],
    )  # fmt: skip


def test_ended_children_wait_until_they_are_counted(store: Store) -> None:
    assert asked(store).ended_children(9) == []
    fill(store)
    all_of_them = [ended(3), ended(4, succeeded=0), ended(5, of=2)]
    with store.write() as tx:
        assert tx.may_have_ended_children()
        assert tx.ended_children(9) == all_of_them
        assert tx.ended_children(1) == all_of_them[:1]
        assert tx.ended_children(9, 2) == all_of_them[2:]
        assert tx.ended_of(1, 1) == all_of_them[:2]
        assert tx.ended_of(2, 1) == []
    assert [asked(store).has_ready(), asked(store).has_ready(1), asked(store).has_ready(9)] == [True, True, False]
    apply(store, children_counted=[all_of_them[0], all_of_them[2]])
    assert asked(store).ended_children(9) == [all_of_them[1]]
    apply(store, children_counted=[all_of_them[1]], ended_children=[ended(6)])
    with store.write() as tx:
        assert tx.ended_children(9) == [ended(6)]
    apply(store, children_counted=[ended(6)])
    with store.write() as tx:
        assert tx.ended_children(9) == tx.ended_children(9, 1) == []
    assert not asked(store).has_ready()


def test_ended_children_go_with_the_execution_that_waited_for_them(store: Store) -> None:
    fill(store)
    apply(store, executions_gone=[1])
    assert asked(store).ended_children(9) == [ended(5, of=2)]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_ended_children_that_nobody_will_count_are_found_and_removed(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path) as store:
        fill(store)
        assert problems(store, "children") == []
        closed = parent(1, status=FrameStatus.ABORTED)
        other_fork = parent(2, join=Join(3, activation=7))
        left = [ended(8, of=2, activation=7), ended(9, of=6)]
        apply(store, frames=[closed, other_fork], ended_children=left)
        assert problems(store, "ended children") == [("4 ended children that no map run waits for", True)]
        repair_database(store)
        assert asked(store).ended_children(9) == left[:1]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_parent_waits_for_children_that_are_not_counted_yet(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path) as store:
        fill(store)
        assert problems(store, "wait for nothing") == []
        apply(store, children_counted=[ended(3), ended(4, succeeded=0), ended(5, of=2)])
        assert problems(store, "wait for nothing") == [("2 frames that wait for nothing that could come", False)]


def problems(store: Store, about: str) -> list[tuple[str, bool]]:
    return [(each.text, each.is_repairable) for each in database_problems(store) if about in each.text]


def test_the_open_frames_of_several_executions_come_at_once(store: Store) -> None:
    frames = [frame(1), frame(2, execution=2), frame(3, execution=2, parent=2), frame(4, execution=3)]
    closed = frame(5, execution=2, status=FrameStatus.FAILED)
    apply(store, new_frames=[*frames, closed])
    assert asked(store).open_frames_of([2, 3, 9]) == frames[1:]
    assert asked(store).open_frames_of([]) == []


def test_the_part_of_a_tree_is_kept(store: Store) -> None:
    apply(store, new_executions=[execution(1), execution(2, tree=1), execution(3, tree=1, part=3)])
    assert [(e.tree, e.part) for e in asked(store).short_executions([1, 2, 3]).values()] == [(1, 1), (1, 1), (1, 3)]
