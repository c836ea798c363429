"""Activities that somebody has made, and tags of what AWS's API knows.

A state may name an activity that nobody has made: workers get its tasks all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.tags import check_tags
from sm_cli.engine.transactions import Transactions
from sm_cli.errors import Conflict
from sm_cli.jsonvalue import Json
from sm_cli.store.particulars import Particulars, ResourceKind


def create_activity(engine: Transactions, name: str, facts: dict[str, Json]) -> Particulars:
    """Make an activity; one that is there with the same particulars, but for its tags, is the same one. Raises
    Conflict for any other."""

    def create(tick: Tick) -> Particulars:
        before = tick.tx.particulars(ResourceKind.ACTIVITY, name)
        if before is None:
            before = Particulars(ResourceKind.ACTIVITY, name, tick.now, tick.now, facts)
            tick.changes.particulars.append(before)
        elif {**before.facts, "tags": None} != {**facts, "tags": None}:
            raise Conflict(f"there is an activity {name!r} already, and it is another one", topic="activity")
        return before

    return engine.answer(create)[0]


def delete_activity(engine: Transactions, name: str) -> None:
    """Forget it; tasks of it that wait go on waiting. Nothing happens when there is none."""

    def delete(tick: Tick) -> None:
        tick.changes.particulars_gone.append((ResourceKind.ACTIVITY, name))

    engine.answer(delete)


def change_tags(
    engine: Transactions, kind: ResourceKind, name: str, new: Mapping[str, str], to_remove: Iterable[str] = ()
) -> dict[str, str]:
    """Give a thing these tags, and take those away; returns what it has then. That it is there the caller has seen.
    Raises UsageError for what AWS would refuse."""

    def change(tick: Tick) -> dict[str, str]:
        before = tick.tx.particulars(kind, name)
        facts = {} if before is None else before.facts
        tags = {**tags_among(facts), **new}
        for key in to_remove:
            tags.pop(key, None)
        own_tags: dict[str, Json] = {**check_tags(tags)}
        created = tick.now if before is None else before.created
        tick.changes.particulars.append(Particulars(kind, name, created, tick.now, {**facts, "tags": own_tags}))
        return tags

    return engine.answer(change)[0]


def tags_among(facts: Mapping[str, Json]) -> dict[str, str]:
    """The tags among particulars."""
    tags = facts.get("tags")
    return {name: str(value) for name, value in tags.items()} if isinstance(tags, dict) else {}
