"""The body of a request, read whole before anybody looks at it: so large at most, and within its time.

A client that sends slowly holds a connection, and neither a thread nor the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.types import Message, Receive

from sm_cli.server.problems import Refusal


class ClientGone(Exception):
    """The client closed the connection before its request was whole; nobody is left to be answered."""


async def read_body(receive: Receive, headers: Mapping[str, str], most: int, seconds: float) -> bytes | None:
    """The body; None when the request announces none. Raises Refusal, ClientGone."""
    length = headers.get("content-length")
    if length is None and "transfer-encoding" not in headers:
        return None
    if length is not None and length.isdecimal() and int(length) > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, most)
    except TimeoutError:
        raise Refusal(
            408, "RequestTimeout", f"the request's body did not come within {seconds:g} s", {"Connection": "close"}
        ) from None


async def _read(receive: Receive, most: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def receive_again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, and then what comes: that the client has gone."""
    is_given = False

    async def again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _too_large(most: int) -> Refusal:
    return Refusal(413, "TooLarge", f"the request's body has more than {most:,} bytes", {"Connection": "close"})
