"""Postgres: connections, dialect, errors, migrations."""
