"""How an operation is carried out: what it reads and writes decides on which thread."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, TypeAlias

from sm_cli.jsonvalue import Json
from sm_cli.server.aws.request import ApiCall, Pending


class Way(Enum):
    """What an operation does with the database."""

    #: It changes nothing, and waits for nobody who writes.
    READ = "read"
    #: It takes its turn with all that change something.
    CHANGE = "change"
    #: It starts an execution, together with others that wait to be started.
    START = "start"
    #: It runs something in memory for as long as that takes.
    RUN = "run"


Act: TypeAlias = Callable[[ApiCall], dict[str, Json] | Pending]


class Operation(NamedTuple):
    """One operation of AWS's API."""

    #: Carries it out.
    act: Act
    #: How.
    way: Way
