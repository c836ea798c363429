"""Deleting closed executions with all that is theirs, and letting go of the large values that they refer to.

What others refer to stays: a large value goes with the last reference to it, a map run after its children.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import orjson

from sm_cli.store.sql.parameters import id_list
from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.session import Session
from sm_cli.store.sql.upkeep.state_log import fold_state_times


def delete_executions(session: Session, free: Callable[[str | None], None], ids: Sequence[int]) -> list[int]:
    """Delete them, closed ones, with their frames, data and history, and their links to executions that are gone, too.
    Their map runs and the children of these stay: by them is known what is left to be deleted. free: lets go of what a
    text refers to. Returns the ids of their frames."""
    parameters = (id_list(ids),)
    frames = [id for (id,) in session.all("frames_of_executions", parameters)]
    _free(free, session.all("delete_jobs", (id_list(frames),)))
    for name in ("delete_timers", "delete_subscriptions"):
        session.many(name, [(frame,) for frame in frames])
    session.all("delete_ended_children_of_frames", {"executions": parameters[0], "frames": id_list(frames)})
    _free(free, session.all("delete_frames", (id_list(frames),)))
    _free(free, session.all("delete_execution_data", parameters))
    for (events,) in session.all("delete_history", parameters):
        if events is not None:
            for event in orjson.loads(events):
                _free(free, [tuple(event[5].values())] if len(event) > 5 else ())
    session.all("delete_failed_attempts", parameters)
    fold_state_times(session)
    session.all("delete_state_times", parameters)
    session.all("delete_tags", parameters)
    session.all("delete_execution_particulars", parameters)
    session.all("delete_items_of_executions", parameters)
    session.all("delete_executions", parameters)
    session.all("delete_links", {"executions": id_list(ids)})
    return frames


def _free(free: Callable[[str | None], None], rows: Iterable[Row]) -> None:
    for row in rows:
        for text in row:
            if text is not None:
                free(text)
