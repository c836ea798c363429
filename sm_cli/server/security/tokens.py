"""The token of a server, and the sessions of browsers that have shown it once.

Whatever a request carries, it is compared in the same time: digests of equal length, by hmac.compare_digest.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from hashlib import sha256

from sm_cli.server.problems import Refusal

#: The cookie of a browser.
COOKIE = "sm_session"
#: Seconds that a session lasts.
SESSION_SECONDS = 12 * 3600
#: How it is given.
_HOW = "Send the header `Authorization: Bearer TOKEN`; AWS's clients have it as their access key."
_AWS = "AWS4-HMAC-SHA256 Credential="
#: `KEY/20260131/eu-west-1/states/aws4_request`: the key is what comes before so many parts.
_SCOPE_PARTS = 4


def has_token(headers: Mapping[str, str], token: str, now: float | None = None) -> bool:
    """Whether the request carries the token: as a bearer, as the access key of an AWS client, or by a session."""
    authorization = headers.get("authorization", "")
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return _same(value.strip(), token)
    if authorization.startswith(_AWS):
        credential = authorization.removeprefix(_AWS).partition(",")[0].strip()
        return _same(credential.rsplit("/", _SCOPE_PARTS)[0], token)
    return is_session(cookie_of(headers.get("cookie", "")), token, time.time() if now is None else now)


def check_token_of(headers: Mapping[str, str], token: str) -> None:
    """Raises Refusal for a request without the token."""
    if not has_token(headers, token):
        raise Refusal(401, "Unauthorized", "this needs the server's token", {"WWW-Authenticate": "Bearer"}, hint=_HOW)


def is_token(text: str, token: str) -> bool:
    """Whether a person typed the token."""
    return _same(text.strip(), token)


def new_session(token: str, now: float) -> str:
    """What the cookie of a browser that has shown the token holds: until when, signed. It ends when the token does."""
    until = str(int(now) + SESSION_SECONDS)
    return f"{until}.{_signature(until, token)}"


def is_session(text: str, token: str, now: float) -> bool:
    """Whether a cookie is of a session that goes on."""
    until, _, signature = text.partition(".")
    is_ours = _same(signature, _signature(until, token))
    return is_ours and until.isdecimal() and now < int(until)


def cookie_of(header: str) -> str:
    """The session in a Cookie header; "" when it has none."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _signature(text: str, token: str) -> str:
    return hmac.new(f"session of {token}".encode(), text.encode(errors="replace"), sha256).hexdigest()


def _same(text: str, other: str) -> bool:
    one, two = (sha256(each.encode(errors="replace")).digest() for each in (text, other))
    return hmac.compare_digest(one, two)
