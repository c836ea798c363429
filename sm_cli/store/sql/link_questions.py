"""Questions about links between executions."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sm_cli.store.filters import BEYOND
from sm_cli.store.records import Status
from sm_cli.store.sql.asking import Asking
from sm_cli.store.sql.parameters import id_list
from sm_cli.store.sql.rows import Row

if TYPE_CHECKING:
    from sm_cli.store.links import Link, LinkEnds, LinkFilter


class LinkQuestions(Asking):
    """Questions about which execution was started with the data of which other one."""

    def links(self, filter: LinkFilter) -> list[LinkEnds]:
        """Newest first, with what their executions are called now."""
        name = "links" if filter.execution is None else "links_of_execution"
        before = BEYOND if filter.before is None else filter.before
        return [_ends(row) for row in self.session.all(name, {**filter._asdict(), "before": before})]

    def first_links(self, sources: Collection[int], workflow: str) -> dict[int, Link]:
        """By source the first link of each of these executions to this workflow; those without one are left out."""
        parameters = {"sources": id_list(sources), "workflow": workflow}
        return {link.source: link for link in map(_link, self.session.all("first_links", parameters))}


def _link(row: Row) -> Link:
    from sm_cli.store.links import Link  # here: who lists executions has these questions too, and no link

    return Link._make((*row[:-1], bool(row[-1])))


def _ends(row: Row) -> LinkEnds:
    from sm_cli.store.links import LinkEnds

    *columns, source_name, source_status, target_name, target_status = row
    return LinkEnds(_link(tuple(columns)), source_name, _status(source_status), target_name, _status(target_status))


def _status(text: str | None) -> Status | None:
    return None if text is None else Status(text)
