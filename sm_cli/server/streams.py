"""Events of histories as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from sm_cli.engine.aws_history import aws_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sm_cli.jsonvalue import Json
    from sm_cli.views.records import HistoryEvent


class StreamLine(NamedTuple):
    """One event of a history, as it stands in a stream."""

    #: Its number in the history, which is its id in the stream.
    number: int
    #: What goes over the line, with the empty line after it.
    text: bytes


def lines_of(events: Sequence[HistoryEvent]) -> list[StreamLine]:
    """Each event under its number, as AWS's GetExecutionHistory gives it."""
    return [
        StreamLine(event.number, b"id: %d\n%b" % (event.number, named_event("history", document)))
        for event, document in zip(events, aws_events(events), strict=True)
    ]


def named_event(name: str, document: Json) -> bytes:
    """An event of this name with a document as its data."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(document))
