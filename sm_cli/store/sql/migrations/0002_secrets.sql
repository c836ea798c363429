-- What this database alone knows and a copy of it has to know too: the key that task tokens are signed with.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
