"""Names of executions: what they may look like, and who has one already.

As on AWS, the same name and input while the execution runs is the same execution.
"""

from __future__ import annotations

from sm_cli.errors import Conflict, UsageError
from sm_cli.jsonvalue import Json, canonical
from sm_cli.store.records import Execution, Status

_NAME_LIMIT = 80
_FORBIDDEN = frozenset('<>{}[]?*"#%\\^|~`$&,;:/ \t\r\n')


def same_execution(namesake: Execution, input: Json) -> Execution:
    """AWS's StartExecution is idempotent for the same name and input while the execution runs. Raises Conflict for
    another input, or when it has ended."""
    if namesake.status is not Status.RUNNING:
        what = f"the name {namesake.name!r} is taken by an execution that is {namesake.status}"
        raise Conflict(f"{what}; use another name")
    if canonical(namesake.input) != canonical(input):
        raise Conflict(f"the name {namesake.name!r} is taken by a running execution with another input")
    return namesake


def name_taken(namesake: Execution) -> Conflict:
    """The error for a name that has to be new and is not."""
    what = f"an execution {namesake.name!r} of workflow {namesake.workflow}"
    return Conflict(f"{what} already exists and is {namesake.status}; use another name")


def check_name(name: str) -> str:
    """AWS's rule for names of executions. Raises UsageError for one that breaks it."""
    bad = sorted({c for c in name if c in _FORBIDDEN or not c.isprintable()})
    if bad:
        raise UsageError(f"the name {name!r} holds {', '.join(map(repr, bad))}, which a name may not")
    if not 1 <= len(name) <= _NAME_LIMIT:
        raise UsageError(f"a name has 1 to {_NAME_LIMIT} characters; this one has {len(name)}")
    return name


def check_chosen_name(name: str) -> str:
    """As `check_name`, for a name that a person gives: AWS takes one that begins with @, and here it could not be
    distinguished from `@last`. Raises UsageError."""
    if name.startswith("@"):
        raise UsageError(f"the name {name!r} begins with @, as only @last, @failed and @running do")
    return check_name(name)
