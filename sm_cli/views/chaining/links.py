"""Links between executions: who was started with whose data.

Imports the store and nothing of an interpreter: who only lists does not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.engine.finding import find_execution
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import BEYOND
from sm_cli.store.links import Link as Link
from sm_cli.store.links import LinkEnds as LinkEnds
from sm_cli.store.links import LinkFilter as LinkFilter
from sm_cli.timestamps import rfc3339

if TYPE_CHECKING:
    from sm_cli.store.protocol import Store
    from sm_cli.store.records import Execution, Status
    from sm_cli.store.sql.questions import Questions

#: Links of one execution that are shown beside it.
MOST = 100


def list_links(store: Store, filter: LinkFilter, execution: str | None = None) -> list[LinkEnds]:
    """Newest first. execution: only those from and to the one that this text names. Raises NotFound, Conflict."""
    with store.read() as questions:
        if execution is not None:
            filter = filter._replace(execution=find_execution(questions, execution).id)
        return questions.links(filter)


def links_of(questions: Questions, execution: Execution) -> tuple[LinkEnds | None, list[LinkEnds]]:
    """(the link that it was started by, those that it led to: newest first, at most `MOST`)."""
    links = questions.links(LinkFilter(execution=execution.id, limit=MOST + 1))
    origin = next((ends for ends in links if ends.link.target == execution.id), None)
    return origin, [ends for ends in links if ends.link.source == execution.id][:MOST]


def led_to(store: Store, execution: Execution, limit: int, before: int = BEYOND) -> list[LinkEnds]:
    """The links that an execution led to, newest first. before: the `target` of the one that the page before ended
    with."""
    with store.read() as questions:
        # One more: the link that it was started by may be among them.
        links = questions.links(LinkFilter(execution=execution.id, limit=limit + 1, before=before))
    return [ends for ends in links if ends.link.source == execution.id][:limit]


def neighbour_links(store: Store, execution: Execution) -> tuple[LinkEnds | None, list[LinkEnds]]:
    """As `links_of`, from a snapshot of its own."""
    with store.read() as questions:
        return links_of(questions, execution)


def link_document(ends: LinkEnds) -> dict[str, Json]:
    """A link as JSON. `at` is RFC 3339, UTC; name and status are None of an execution that was deleted."""
    link = ends.link
    return {
        "source": end_document(link.source_ref, ends.source_name, link.source_workflow, ends.source_status),
        "state": link.state,
        "target": end_document(link.target_ref, ends.target_name, link.target_workflow, ends.target_status),
        "at": rfc3339(link.at),
        "transform": link.transform,
        "unique": link.unique,
    }


def end_document(ref: str, name: str | None, workflow: str, status: Status | None) -> dict[str, Json]:
    """One end of a link as JSON."""
    return {"id": ref, "name": name, "workflow": workflow, "status": None if status is None else status.value}


def origin_document(ends: LinkEnds | None) -> Json:
    """What an execution was started from; None when from nothing."""
    if ends is None:
        return None
    whole = link_document(ends)
    source = whole["source"]
    assert isinstance(source, dict)
    return {**source, "state": whole["state"], "transform": whole["transform"]}


def target_document(ends: LinkEnds) -> Json:
    """What an execution led to."""
    whole = link_document(ends)
    target = whole["target"]
    assert isinstance(target, dict)
    return {**target, "state": whole["state"], "transform": whole["transform"], "at": whole["at"]}
