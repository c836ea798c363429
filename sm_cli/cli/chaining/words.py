"""An execution's links in words: what it was started from, and what it led to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sm_cli.cli.terminal import tables

#: What stands for the status of an execution that was deleted.
DELETED = "deleted"
#: So many executions that one led to are told beside it.
_MOST = 10


def origin_line(origin: dict[str, Any]) -> str:
    """Where an execution has its input from, as `views` tell it."""
    state = "" if origin["state"] is None else f"{origin['state']} in "
    status = "" if origin["status"] is not None else f" ({DELETED})"
    transform = "" if origin["transform"] is None else f", by {origin['transform']}"
    return tables.cut(tables.clean(f"{state}{origin['id']} of {origin['workflow']}{status}{transform}"))


def target_lines(targets: Sequence[dict[str, Any]], source: str) -> Iterator[str]:
    """What an execution led to, as `views` tell it, newest first. source: its own public id."""
    for target in targets[:_MOST]:
        state = "" if target["state"] is None else f" from {target['state']}"
        text = f"{target['id']} of {target['workflow']}{state}, {target['status'] or DELETED}"
        yield tables.cut(tables.clean(text))
    if len(targets) > _MOST:
        yield f"and more: sm links {source}"
