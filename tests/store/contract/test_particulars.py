"""The contract of `sm_cli.store.protocol`: what AWS's API keeps of things that nothing here reads."""

from __future__ import annotations

from sm_cli.jsonvalue import Json
from sm_cli.store.particulars import Particulars, ResourceKind
from sm_cli.store.protocol import Store
from tests.store.asking import asked
from tests.store.samples import T0, apply


def of_machine(name: str, at: int = T0, **facts: Json) -> Particulars:
    return Particulars(ResourceKind.MACHINE, name, at, at, facts)


def test_particulars_come_back_whole(store: Store) -> None:
    whole = of_machine("order", roleArn="arn:…", tags={"team": "billing"}, nothing=None)
    apply(store, particulars=[whole])
    assert asked(store).particulars(ResourceKind.MACHINE, "order") == whole


def test_a_thing_of_another_kind_has_none(store: Store) -> None:
    apply(store, particulars=[of_machine("order")])
    assert asked(store).particulars(ResourceKind.ACTIVITY, "order") is None
    assert asked(store).particulars(ResourceKind.MACHINE, "orders") is None


def test_writing_them_again_keeps_when_they_were_written_first(store: Store) -> None:
    apply(store, particulars=[of_machine("order", T0, a=1)])
    apply(store, particulars=[of_machine("order", T0 + 5, b=2)])
    found = asked(store).particulars(ResourceKind.MACHINE, "order")
    assert found == Particulars(ResourceKind.MACHINE, "order", T0, T0 + 5, {"b": 2})


def test_pages_of_a_kind_follow_the_names(store: Store) -> None:
    apply(store, particulars=[*map(of_machine, ("c", "a", "b")), Particulars(ResourceKind.ACTIVITY, "aa", T0, T0, {})])
    first = asked(store).particulars_of_kind(ResourceKind.MACHINE, limit=2)
    assert [each.name for each in first] == ["a", "b"]
    assert [each.name for each in asked(store).particulars_of_kind(ResourceKind.MACHINE, after="b")] == ["c"]


def test_deleted_ones_are_gone(store: Store) -> None:
    apply(store, particulars=[of_machine("a"), of_machine("b")])
    apply(store, particulars_gone=[(ResourceKind.MACHINE, "a"), (ResourceKind.ACTIVITY, "b")])
    assert [each.name for each in asked(store).particulars_of_kind(ResourceKind.MACHINE)] == ["b"]
