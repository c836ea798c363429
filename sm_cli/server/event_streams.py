"""Streams of server-sent events: how many there may be, and what one is that may not be there."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from sm_cli.server.problems import Refusal, problem_response

#: Seconds after which somebody may have left.
_RETRY_AFTER = "5"


class Places:
    """How many streams are followed, of how many there may be; used in the event loop alone.

    A stream holds a connection for as long as its client likes: without a bound, streams would take them all.
    """

    def __init__(self, most: int = 500) -> None:
        #: So many at once.
        self.most = most
        #: How many are followed now.
        self.taken = 0
        #: How many were refused since the start.
        self.refused = 0


class EventStream(StreamingResponse):
    """A stream of events; 503 with Retry-After where there are as many as may be."""

    def __init__(self, places: Places, events: AsyncGenerator[bytes]) -> None:
        headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
        super().__init__(events, 200, headers, "text/event-stream")
        self._places = places
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, until the events or the client have come to their end."""
        places = self._places
        if places.taken >= places.most:
            places.refused += 1
            await self._events.aclose()
            refusal = Refusal(
                503, "TooManyFollowers", f"{places.most} streams are followed already", {"Retry-After": _RETRY_AFTER}
            )
            await problem_response(refusal)(scope, receive, send)
            return
        places.taken += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            places.taken -= 1
