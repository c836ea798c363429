"""JSON pointers (RFC 6901): to tokens and back."""

from __future__ import annotations


def tokens(pointer: str) -> list[str]:
    """The reference tokens of a JSON pointer (RFC 6901, section 3)."""
    return [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]


def child(pointer: str, token: str | int) -> str:
    """The pointer of a member of what `pointer` names."""
    if isinstance(token, int):
        return f"{pointer}/{token}"
    return f"{pointer}/{token.replace('~', '~0').replace('/', '~1')}"
