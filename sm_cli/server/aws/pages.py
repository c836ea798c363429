"""Pages: how many results one has, and the tokens that lead to the next one.

A token is text for the client and a place for us; it belongs to the operation and the parameters that it was made for.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import Json, canonical, digest, loads_exact
from sm_cli.server.aws.refusals import CallRefused
from sm_cli.server.aws.request import ApiCall

#: How many results a page has unless it is asked for a number, as on AWS.
_USUAL = 100


def page_size(call: ApiCall) -> int:
    """How many results the page has at most."""
    return int(call.get("maxResults") or _USUAL)


def first_place(call: ApiCall) -> Any:
    """Where the page begins, as `token` was given it; None: at the beginning. Raises CallRefused for a token of other
    parameters, and for a text that is none."""
    text = call.get("nextToken")
    if text is None:
        return None
    try:
        content: Any = loads_exact(base64.b64decode(text, altchars=b"-_", validate=True))
        mark, place = content
    except (binascii.Error, ValueError, TypeError, InvalidJson):
        raise invalid_token() from None
    if mark != _mark(call):
        raise invalid_token()
    return place


def token(call: ApiCall, place: Json) -> dict[str, Json]:
    """The member nextToken; none when there is no further page (None)."""
    if place is None:
        return {}
    return {"nextToken": base64.b64encode(canonical([_mark(call), place]), altchars=b"-_").decode()}


def invalid_token() -> CallRefused:
    """A token that none of ours is."""
    return CallRefused("InvalidToken", "Invalid Token: 'Invalid token'")


def _mark(call: ApiCall) -> str:
    others = {name: value for name, value in call.parameters.items() if name not in ("nextToken", "maxResults")}
    return digest([call.operation, others])[:12]
