"""HEAD: what GET is answered with, but for the body."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def answer_head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """The head of the answer to a GET. What would make its body is ended then: a stream has no other end."""
    is_begun = asyncio.Event()

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            is_begun.set()

    async def begun() -> None:
        await is_begun.wait()

    answering = asyncio.ensure_future(app({**scope, "method": "GET"}, receive, send_head))
    head = asyncio.ensure_future(begun())
    await asyncio.wait([answering, head], return_when=asyncio.FIRST_COMPLETED)
    if not answering.done():
        answering.cancel()
    head.cancel()
    try:
        await answering
    except asyncio.CancelledError:
        if not is_begun.is_set():
            raise
