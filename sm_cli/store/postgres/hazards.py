"""What the settings of a Postgres server put at risk."""

# No annotations from __future__ here: a NamedTuple compiles each one that is text.

from collections.abc import Iterator
from typing import NamedTuple

from sm_cli.store.upkeep.answers import DatabaseState, Hazard

#: The oldest that can say whether a transaction was committed, by its number.
_OLDEST = 130000
#: Connections are few when less than this part of them is left.
_LEFT = 0.1


class ServerFacts(NamedTuple):
    """A server, as it says itself."""

    #: Its version as a number: 180006.
    number: int
    #: Its version as text.
    version: str
    #: Whether it is a standby, which takes no writes.
    in_recovery: bool
    #: Whether a commit is on disk when a crash of its machine comes: on or off.
    fsync: str
    #: For what a commit waits: on, off, local, remote_write, remote_apply.
    synchronous_commit: str
    #: Whether a page that was half written is put right after a crash: on or off.
    full_page_writes: str
    #: Connections of clients.
    connections: int
    #: Connections that there may be.
    most: int


def state_of_server(facts: ServerFacts) -> DatabaseState:
    """What a server's settings promise, and what they put at risk."""
    text = f"Postgres {facts.version}, fsync {facts.fsync}, {facts.connections} of {facts.most} connections in use"
    return DatabaseState(text, list(_hazards(facts)))


def _hazards(facts: ServerFacts) -> Iterator[Hazard]:
    if facts.number < _OLDEST:
        yield Hazard(f"Postgres {facts.version} is too old: at least 13 is needed", is_broken=True)
    if facts.in_recovery:
        yield Hazard("the server is a standby, which takes no writes: name the primary", is_broken=True)
    if facts.fsync != "on" or facts.full_page_writes != "on":
        name = "fsync" if facts.fsync != "on" else "full_page_writes"
        yield Hazard(f"{name} is off on the server, so a crash of its machine may lose or damage everything: set it on")
    if facts.synchronous_commit == "off":
        yield Hazard("synchronous_commit is off, so a crash of the server loses its last moments: a task may run twice")
    if facts.connections > (1 - _LEFT) * facts.most:
        yield Hazard("hardly a connection is left on the server: raise max_connections, or lower `pool=N` in the URLs")
