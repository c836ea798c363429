"""What AWS's API keeps of a thing and nothing here reads: roles, logging, descriptions, tags, trace headers; and which
activities somebody has made.

Values only; no store, no SQL.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from enum import StrEnum
from typing import NamedTuple

from sm_cli.jsonvalue import Json


class ResourceKind(StrEnum):
    """What particulars are of."""

    #: A workflow, by its name.
    MACHINE = "machine"
    #: A version, by `order:3`.
    VERSION = "version"
    #: An alias, by `order:prod`.
    ALIAS = "alias"
    #: An activity, by its name.
    ACTIVITY = "activity"
    #: An execution, by its public id; they go with it.
    EXECUTION = "execution"
    #: The database as a whole, by what is said of it.
    DATABASE = "database"


class Particulars(NamedTuple):
    """The particulars of one thing."""

    #: What it is.
    kind: ResourceKind
    #: Its name, unique within the kind.
    name: str
    #: When they were written first, microseconds since 1970 UTC.
    created: int
    #: When they were written last, microseconds since 1970 UTC.
    updated: int
    #: Members and their values.
    facts: dict[str, Json]
