"""A look at a schema before it is opened: opening it makes it, or brings it to the newest number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from sm_cli.store.postgres import errors, migrate

if TYPE_CHECKING:
    from sm_cli.store.postgres.url import PostgresUrl


def server_schema(url: PostgresUrl) -> int | None:
    """Its number; None when nothing of ours is there. Raises DatabaseError."""
    try:
        with psycopg.connect(url.driver_text(), autocommit=True) as connection:
            return migrate.version(connection, url.schema)
    except psycopg.Error as e:
        raise errors.explain_error(e, url.place) from e
