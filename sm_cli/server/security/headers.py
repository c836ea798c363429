"""Headers that every answer has, unless its route said otherwise.

https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

#: No other host is asked for anything, nothing frames us, forms go nowhere else.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_RAW = [(name.lower().encode(), value.encode()) for name, value in _ALWAYS.items()]


def add_headers(headers: MutableHeaders) -> None:
    """Put in what is missing."""
    there = {name for name, _ in headers.raw}
    headers.raw.extend(each for each in _RAW if each[0] not in there)
