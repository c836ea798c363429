"""How `sm worker --once` and `--drain` end: a summary in one line, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sm_cli.cli.terminal import tables
from sm_cli.errors import StillRunning
from sm_cli.views.left_over import MOST, Lack, Left

if TYPE_CHECKING:
    from sm_cli.cli.run.work_log import WorkLog

#: Statuses in the order in which they are told.
_STATUSES = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
#: So many reasons are told one by one.
_TOLD = 6
_TEXTS = {
    Lack.HANDLER: "no handler for {!r}",
    Lack.QUEUE: "queue {!r} is not served here",
    Lack.ELSEWHERE: "at work elsewhere ({})",
    Lack.ACTIVITY: "for who polls the activity {!r}",
    Lack.TURN: "for the next pass",
    Lack.CALLBACK: "for a callback",
    Lack.MESSAGE: "for a message",
    Lack.RETRY: "for a retry",
    Lack.TIME: "for a time",
}
#: What the time of a reason is: when it ends by itself, or when the execution goes on.
_WHEN = {Lack.MESSAGE: "until"}
_KINDS = {lack: lack.name.lower() for lack in Lack}


def work_summary(log: WorkLog, rest: list[Left]) -> str:
    """`3 ended: 2 SUCCEEDED, 1 FAILED; 1 still waits: no handler for 'x'`."""
    count_ended = sum(log.counts_by_status.values())
    parts = ["nothing ended"]
    if count_ended:
        by_status = ", ".join(
            f"{log.counts_by_status[status]:,} {status}" for status in _STATUSES if log.counts_by_status[status]
        )
        parts = [f"{count_ended:,} ended: {by_status}"]
    total = sum(each.count for each in rest)
    if not rest:
        return f"{parts[0]}; nothing is left"
    reasons = [_reason(each, alone=len(rest) == 1) for each in rest[:_TOLD]]
    more = sum(each.count for each in rest[_TOLD:])
    reasons += [f"{more:,} for other reasons"] if more else []
    parts.append(f"{_format_count(total, rest)} still wait{'s' if total == 1 else ''}: {', '.join(reasons)}")
    return "; ".join(parts)


def facts(log: WorkLog, rest: list[Left], code: int) -> dict[str, Any]:
    """The same as JSON."""
    from sm_cli.timestamps import rfc3339

    return {
        "ended": {status: log.counts_by_status[status] for status in _STATUSES},
        "left": [
            {"reason": _KINDS[each.lack], "name": each.name or None, "executions": each.count,
             "until": None if each.until is None else rfc3339(each.until)}
            for each in rest
        ],
        "exit_code": code,
    }  # fmt: skip


def exit_code(log: WorkLog, rest: list[Left], *, drains: bool, ok_to_leave: bool) -> int:
    """1 when an execution that ended did not succeed; else 6 when work is left that nobody here can do, or (where it
    `drains` and no other pass follows) that has failed and is to be tried again: nobody knows yet how it ends."""
    if log.failures:
        return 1
    is_stuck = any(each.lack.is_stuck or (drains and each.lack is Lack.RETRY) for each in rest)
    return StillRunning.exit_code if is_stuck and not ok_to_leave else 0


def _reason(part: Left, *, alone: bool) -> str:
    text = _TEXTS[part.lack].format(part.name)
    if part.until is not None:
        when = tables.local_time(part.until)
        if part.count == 1:
            text = f"until {when}" if part.lack is Lack.TIME else f"{text} ({_WHEN.get(part.lack, 'at')} {when})"
        else:
            text += f" (the first {_WHEN.get(part.lack, 'at')} {when})"
    return text if alone else f"{part.count:,} {text}"


def _format_count(total: int, rest: list[Left]) -> str:
    return f"{total:,}{' or more' if any(each.count >= MOST for each in rest) else ''}"
