"""What takes work that waits: READY frames, ended children, and jobs that nobody has.

What was taken of jobs is read in the same round trip. Only a statement that begins after a part was taken reads the
newest of it, and that one has to know what was taken before anybody is told: the server notes it in settings that end
with the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from sm_cli.store.sql.session import Parameters

#: The name of a statement, and its parameters.
Question: TypeAlias = tuple[str, Parameters]
#: A tick looks at so many things that wait, and takes at most so many of them, so that others find some.
LOOKED_AT, MOST = 1000, 128
#: What was taken last: the jobs, and of those that another store wrote last the frames and executions.
TAKEN: tuple[Question, ...] = (("taken_jobs", ()), ("taken_frames", ()), ("taken_executions", ()))

#: Which queues have jobs that nobody has.
QUEUES: Question = ("queues", ())
#: What takes the parents of all children that wait to be counted.
ALL_ENDED: Question = ("take_ended", {"tree": None, "most": MOST})
#: What takes as many READY frames as a tick looks at.
READY: Question = ("take_ready", {"window": LOOKED_AT, "of_tree": LOOKED_AT, "most": MOST})


def claim_of(name: str, parameters: Mapping[str, Any], jobs: int) -> Question:
    """The statement of this name that takes so many jobs at most."""
    return name, {**parameters, "limit": jobs, "window": LOOKED_AT + jobs}
