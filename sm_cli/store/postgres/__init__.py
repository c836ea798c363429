"""Postgres: connections, the turn to write, dialect, errors, migrations."""
