"""The filters of a list of executions, as an address has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sm_cli.errors import UsageError
from sm_cli.server.pages.moments import moment_of_text
from sm_cli.server.pages.paging import read_trail
from sm_cli.views.listing import ExecutionFilter, Order, SortKey, Status, map_run_id

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from sm_cli.views.records import Store

#: Rows of a page, unless the address says otherwise, and at most.
_ROWS, _MOST_ROWS = 50, 500
_TEXTS = ("workflow", "since", "until", "name", "state", "error", "map_run")


@dataclass(frozen=True, slots=True)
class ListAddress:
    """What the address of a list says."""

    #: Its parameters as they were written, those that are not empty; `status` and `tag` are lists.
    query: dict[str, Any]
    #: Which executions are meant.
    filter: ExecutionFilter
    #: In which order.
    order: Order
    #: The public ids of the executions that the pages before this one ended with, the newest last; empty: the first.
    trail: tuple[str, ...]
    #: Rows of a page.
    limit: int

    @property
    def filter_query(self) -> dict[str, Any]:
        """The parameters that choose executions, without order and page."""
        return {name: value for name, value in self.query.items() if name not in ("sort", "after", "limit")}


def read_list_address(parameters: QueryParams, store: Store) -> ListAddress:
    """What the parameters mean together. Raises UsageError; NotFound and Conflict for a map run."""
    query: dict[str, Any] = {name: text for name in _TEXTS if (text := parameters.get(name, "").strip())}
    statuses = [text.upper().replace("-", "_") for text in parameters.getlist("status") if text]
    tags = [text.strip() for text in parameters.getlist("tag") if text.strip()]
    query |= {"status": statuses} if statuses else {}
    query |= {"tag": tags} if tags else {}
    query |= {name: text for name in ("sort", "limit") if (text := parameters.get(name, ""))}
    trail = read_trail(parameters)
    query |= {"after": list(trail)} if trail else {}
    since = moment_of_text(query["since"], "since") if "since" in query else None
    until = moment_of_text(query["until"], "until") if "until" in query else None
    if since is not None and until is not None and since >= until:
        raise UsageError(
            f"until {query['until']} is not after since {query['since']}: nothing was started between them"
        )
    filter = ExecutionFilter(
        tuple(map(_status, statuses)), query.get("workflow"), since, until, query.get("name"), query.get("state"),
        query.get("error"), tuple(map(_tag, tags)), map_run_id(store, query["map_run"]) if "map_run" in query else None,
    )  # fmt: skip
    return ListAddress(query, filter, _order(query.get("sort", "-started")), trail, _limit(query))


def _status(text: str) -> Status:
    try:
        return Status(text)
    except ValueError:
        raise UsageError(f"status is one of {', '.join(Status)}, not {text!r}") from None


def _tag(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise UsageError(f"tag is NAME=VALUE, not {text!r}")
    return name, value


def _order(text: str) -> Order:
    try:
        return Order(SortKey(text.removeprefix("-")), descending=text.startswith("-"))
    except ValueError:
        raise UsageError(f"sort is {', '.join(SortKey)}, with a - for the other way round, not {text!r}") from None


def _limit(query: dict[str, Any]) -> int:
    text = query.get("limit", str(_ROWS))
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_ROWS:
        raise UsageError(f"limit is a number from 1 to {_MOST_ROWS}, not {text!r}")
    return int(text)
