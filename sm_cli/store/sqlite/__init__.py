"""SQLite, on disk and in memory: connections, write lock, liveness, the key of tokens, errors, migrations."""
