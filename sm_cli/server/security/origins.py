"""Pages of other origins change nothing here.

A browser sends a form or a fetch of any page to any address, localhost too, and adds what the user is logged in with.
It says, though, which page asks: in Origin, or, of a browser that leaves it out, in Sec-Fetch-Site. Programs that are
no browser send neither.
"""

from __future__ import annotations

from collections.abc import Mapping

from sm_cli.server.problems import Refusal

#: Methods that change nothing.
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_OWN_SITES = ("same-origin", "none")


def check_origin_of(method: str, headers: Mapping[str, str], origins: tuple[str, ...]) -> None:
    """Raises Refusal for a request that changes something and comes from a page that is neither ours nor named."""
    if method in SAFE:
        return
    origin = headers.get("origin")
    if origin is not None:
        # Whoever ends TLS before this server makes http of https: the host tells whose page it is.
        if origin.lower() in origins or origin.lower().partition("://")[2] == headers.get("host", "").lower():
            return
    elif headers.get("sec-fetch-site", "none") in _OWN_SITES:
        return
    raise Refusal(403, "ForeignOrigin", "a page of another origin may change nothing here")
