"""What takes jobs that nobody has, and reads what was taken, in one round trip.

Only a statement that begins after a part was taken reads the newest of it, and that one has to know what was taken
before anybody is told: the server notes it in settings that end with the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sm_cli.store.sql.session import Parameters

#: A tick looks at so many things that wait, and takes at most so many of them, so that others find some.
LOOKED_AT, MOST = 1000, 128
#: What was taken last: the jobs, and of those that another store wrote last the frames and executions.
TAKEN: tuple[tuple[str, Parameters], ...] = (("taken_jobs", ()), ("taken_frames", ()), ("taken_executions", ()))


def claim_of(name: str, parameters: Mapping[str, Any], jobs: int) -> tuple[str, Parameters]:
    """The statement of this name that takes so many jobs at most."""
    return name, {**parameters, "limit": jobs, "window": LOOKED_AT + jobs}
