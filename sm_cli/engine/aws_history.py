"""An execution's history as AWS's clients read it.

The events are what was recorded, shaped.
"""

from __future__ import annotations

from collections.abc import Iterable

from sm_cli.interpreter.records import to_aws
from sm_cli.jsonvalue import Json
from sm_cli.store.records import HistoryEvent
from sm_cli.timestamps import rfc3339


def aws_events(events: Iterable[HistoryEvent]) -> list[dict[str, Json]]:
    """As GetExecutionHistory gives them: payloads as JSON text, details under AWS's member names."""
    return [to_aws(e.number, e.previous, e.type, e.detail, rfc3339(e.at)) for e in events]
