"""An event of a history: the same value from the step that it happens in to the row that keeps it."""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from typing import NamedTuple

from sm_cli.jsonvalue import Json


class HistoryEvent(NamedTuple):
    """One audit line. `number` counts from 1 in its execution; `previous` is AWS's previousEventId.

    `detail` holds JSON values (AWS's own form, with payloads as text, is made when it is read).
    """

    #: The id of its execution.
    execution: int
    number: int
    previous: int
    #: The id of the frame that it is about; 0 for the execution's own.
    frame: int
    #: Microseconds since 1970 UTC.
    at: int
    #: In AWS's spelling, such as TaskStateEntered.
    type: str
    detail: dict[str, Json]
