"""Postgres: connections, trees that are held, dialect, errors, migrations."""
