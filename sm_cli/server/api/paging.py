"""Pages of lists: `{"items": […], "next": …}`, where `next` is the cursor of the page after it.

A cursor is the place of the last item in the order of its list, and not a number of rows: what comes or goes meanwhile
moves nothing. It is a text that clients keep and give back; what it says is nobody's business but this module's.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, TypeAlias, TypeVar

import orjson
from fastapi import Query, Request
from starlette.responses import Response

from sm_cli.errors import UsageError
from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json

T = TypeVar("T")

#: What an item is sorted by, and what decides between two of the same value.
Place: TypeAlias = tuple[int | str, ...]
#: Numbers of a database are not greater.
_GREATEST = 2**63 - 1
#: A list is so long at most.
MOST = 1000

Limit = Annotated[int, Query(ge=1, le=MOST, description="At most so many.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.")]


def cursor_text(list_name: str, *place: int | str) -> str:
    """The cursor of the page that begins after this place. list_name: which list it is, with its order."""
    return base64.urlsafe_b64encode(orjson.dumps([list_name, *place])).decode().rstrip("=")


def read_cursor(text: str | None, list_name: str, *kinds: type[int | str]) -> Place | None:
    """The place that a cursor of this list says; None for None. kinds: of its values. Raises UsageError for one that
    no such list has given."""
    if text is None:
        return None
    try:
        made_for, *place = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error):
        raise UsageError("cursor is none that a list has given") from None
    if made_for != list_name or [type(value) for value in place] != [*kinds]:
        raise UsageError("cursor belongs to another list, or to one in another order")
    if any(isinstance(value, int) and abs(value) > _GREATEST for value in place):
        raise UsageError("cursor is none that a list has given")
    return tuple(place)


def number_of_cursor(text: str | None, list_name: str) -> int | None:
    """The number after which a page begins; None for None. Raises UsageError."""
    place = read_cursor(text, list_name, int)
    return None if place is None else int(place[0])


def name_of_cursor(text: str | None, list_name: str) -> str | None:
    """The name after which a page begins; None for None. Raises UsageError."""
    place = read_cursor(text, list_name, str)
    return None if place is None else str(place[0])


def after_name(rows: Sequence[tuple[str, T]], after: str | None, limit: int) -> tuple[list[T], str | None]:
    """Of (name, row) in the order of names: (the rows of a page, the last name of it when there are more)."""
    rest = [(name, row) for name, row in rows if after is None or name > after]
    page = rest[:limit]
    return [row for _, row in page], page[-1][0] if len(rest) > limit else None


def page_response(request: Request, items: Sequence[Json], next: str | None) -> Response:
    """A page, with the address of the one after it as `Link` (RFC 8288). next: its cursor; None: this is the last."""
    headers = {}
    if next is not None:
        url = request.url.include_query_params(cursor=next)
        headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    return answer_json({"items": [*items], "next": next}, 200, headers)
