"""A look at a schema before it is opened: opening it makes it, or brings it to the newest number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.store.postgres import migrate
from sm_cli.store.postgres.waits import WAIT, own_connection

if TYPE_CHECKING:
    from sm_cli.store.postgres.url import PostgresUrl
    from sm_cli.store.waiting import Patience


def server_schema(url: PostgresUrl, patience: Patience | None = None) -> int | None:
    """Its number; None when nothing of ours is there. Raises DatabaseError."""
    with own_connection(url, WAIT if patience is None else patience.limit()) as connection:
        return migrate.version(connection, url.schema)
