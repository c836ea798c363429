"""Which execution a person means: an id, its beginning, a name, an ARN, or one of `@last`, `@failed` and `@running`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.store.records import Execution, Status

if TYPE_CHECKING:
    from sm_cli.store.sql.questions import Questions

#: The newest execution that no other one started: of any status (none is listed), or of these.
SHORTCUTS: dict[str, tuple[Status, ...]] = {
    "@last": (),
    "@failed": (Status.FAILED, Status.TIMED_OUT),
    "@running": (Status.RUNNING,),
}
#: So many are named when it may be any of several.
_NAMED = 5
_ARN = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:(?P<kind>[^:]+):(?P<rest>.+)", re.DOTALL)


def find_execution(questions: Questions, text: str) -> Execution:
    """The one execution that this text names. Raises NotFound, and Conflict when it may be any of several."""
    if text in SHORTCUTS:
        return _newest(questions, text)
    matches = _with_arn(questions, text) if text.startswith("arn:") else _with_id_or_name(questions, text)
    if not matches:
        hint = f"{', '.join(SHORTCUTS)} name the newest ones." if text.startswith("@") else None
        raise NotFound(f"no execution is named {text!r}", hint=hint, topic="execution")
    first = matches[0]
    if len(matches) > 1 and first.ref != text:
        names = ", ".join(f"{e.ref} ({e.workflow})" for e in matches[:_NAMED])
        raise Conflict(f"{text!r} may be any of {names}; name one by its id")
    return first


def split_state(text: str) -> tuple[str, str | None]:
    """`EXECUTION[:STATE]` as (the execution, the state or None). No name and no id has a colon; an ARN has as many as
    its kind has parts. Raises UsageError when there is nothing before or behind the colon."""
    parts = text.split(":")
    first = 1 if parts[0] != "arn" else 9 if parts[5:6] == ["express"] else 8
    execution, state = ":".join(parts[:first]), ":".join(parts[first:])
    if not execution:
        raise UsageError(f"{text!r} names no execution: it is EXECUTION or EXECUTION:STATE")
    if len(parts) > first and not state:
        raise UsageError(f"{text!r} names no state behind its colon")
    return execution, state or None


def _newest(questions: Questions, shortcut: str) -> Execution:
    statuses = SHORTCUTS[shortcut]
    if not statuses:
        latest = questions.latest()
        if latest is None:
            raise NotFound("there is no execution yet")
        return latest
    candidates = [execution for status in statuses if (execution := questions.latest(status)) is not None]
    if not candidates:
        raise NotFound(f"no execution is {' or '.join(statuses)}, so {shortcut} names none", topic="execution")
    return max(candidates, key=lambda execution: execution.id)


def _with_id_or_name(questions: Questions, text: str) -> list[Execution]:
    """Ids are written in capitals, and read in small letters too."""
    return questions.find(text) or (questions.find(text.upper()) if text.upper() != text else [])


def _with_arn(questions: Questions, arn: str) -> list[Execution]:
    """Region and account may be any: those that executions see here are not the ones that they have on AWS."""
    parts = _ARN.fullmatch(arn)
    if parts is None:
        return []
    kind, rest = parts["kind"], parts["rest"]
    if kind == "express":
        return [execution for execution in questions.find(rest.rpartition(":")[2]) if arn.endswith(f":{execution.ref}")]
    workflow, _, name = rest.rpartition(":")
    execution = questions.find_execution(workflow, name) if kind == "execution" else None
    return [] if execution is None else [execution]
