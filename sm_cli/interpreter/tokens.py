"""Task tokens: the address of a waiting Task, `(frame, seq)`, signed.

A token is data and is checked like data. Without the key nobody can make one; one for another seq of
the frame is stale, and the fence drops what it brings.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

_SIGNATURE_BYTES = 16
_ADDRESS_BYTES = 16


class ForgedToken(ValueError):
    """The text is no token of ours."""


def make_token(key: bytes, frame: int, seq: int) -> str:
    """43 characters that may stand in a URL."""
    address = frame.to_bytes(8, "big") + seq.to_bytes(8, "big")
    return urlsafe_b64encode(address + _sign(key, address)).decode().rstrip("=")


def read_token(key: bytes, token: str) -> tuple[int, int]:
    """(frame, seq). Raises ForgedToken, with a sentence, for what `make_token` did not make with this key."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Base64Error, ValueError):
        raise ForgedToken("this is not a task token") from None
    address, signature = raw[:_ADDRESS_BYTES], raw[_ADDRESS_BYTES:]
    if len(raw) != _ADDRESS_BYTES + _SIGNATURE_BYTES:
        raise ForgedToken("this is not a whole task token: it has the wrong length")
    if not hmac.compare_digest(signature, _sign(key, address)):
        raise ForgedToken("this task token was not made for this database")
    return int.from_bytes(address[:8], "big"), int.from_bytes(address[8:], "big")


def _sign(key: bytes, address: bytes) -> bytes:
    return hmac.digest(key, address, "sha256")[:_SIGNATURE_BYTES]
