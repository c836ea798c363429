"""Lists page by page: where a page begins, and the ways to those before and after it, all in the address.

A page is known by the row that the page before ended with (a keyset). The address carries the places of the pages
before it as well, so that the way back leads to what was seen, whatever the list is sorted by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sm_cli.errors import UsageError
from sm_cli.server.pages.rendering import with_query

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

T = TypeVar("T")

#: Places that an address carries; from further on the way back leads to the first page.
_MOST_PLACES = 40
#: Digits of the largest number that is a place.
_DIGITS = 18


def read_trail(parameters: QueryParams, name: str = "after") -> tuple[str, ...]:
    """The places in the parameter of this name, the newest last: where each page ended that was turned so far."""
    return tuple(place for place in parameters.getlist(name) if place)[-_MOST_PLACES:]


def number_place(trail: tuple[str, ...]) -> int | None:
    """The place that a page begins after, where places are numbers; None: at the beginning. Raises UsageError."""
    if not trail:
        return None
    if not trail[-1].isdecimal() or len(trail[-1]) > _DIGITS:
        raise UsageError(f"a page begins after a number, not after {trail[-1]!r}")
    return int(trail[-1])


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """Some rows of a list, and the ways to the others."""

    #: In the order of the list.
    rows: list[T]
    #: The address of the page that has the list, without parameters.
    address: str
    #: All parameters of that page: filters, and the places of its other lists.
    query: Mapping[str, Any]
    #: The parameter that has this list's places.
    name: str
    #: Where the pages before this one ended, the newest last; empty: this is the first.
    trail: tuple[str, ...]
    #: Where this page ends; None: nothing follows.
    end: str | None

    @property
    def first(self) -> str | None:
        """The address of the first page; None when one click on `newer` leads there."""
        return self._at(()) if len(self.trail) > 1 else None

    @property
    def newer(self) -> str | None:
        """The address of the page before; None on the first."""
        return self._at(self.trail[:-1]) if self.trail else None

    @property
    def older(self) -> str | None:
        """The address of the page that follows; None on the last."""
        return None if self.end is None else self._at((*self.trail, self.end)[-_MOST_PLACES:])

    def _at(self, trail: tuple[str, ...]) -> str:
        return with_query(self.address, {**self.query, self.name: list(trail)})


def page_of_rows(
    rows: list[T], limit: int, place: Callable[[T], object], address: str, query: Mapping[str, Any],
    trail: tuple[str, ...] = (), name: str = "after",
) -> ListPage[T]:  # fmt: skip
    """A page of `limit` rows out of one more: when that is there, something follows. place: where a row stands."""
    end = str(place(rows[limit - 1])) if len(rows) > limit else None
    return ListPage(rows[:limit], address, query, name, trail, end)
