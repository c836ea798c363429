-- States that executions have been in, by a number each: those of one definition under one workflow's name.
CREATE TABLE states (
    id INTEGER PRIMARY KEY,
    workflow TEXT NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (name, workflow, digest)
) STRICT;

CREATE INDEX states_of_definition ON states (workflow, digest);

-- What an execution has spent in a state, over all its visits that have ended; spans in microseconds. `started` is the
-- execution's: statistics of a time read one part of the table for each state.
CREATE TABLE state_times (
    state INTEGER NOT NULL,
    started INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    visits INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    longest INTEGER NOT NULL,
    working INTEGER NOT NULL,
    PRIMARY KEY (state, started, execution)
) STRICT, WITHOUT ROWID;

-- What is to be added to it, a row for each transaction: a JSON array of arrays of its columns, in their order.
CREATE TABLE state_log (
    id INTEGER PRIMARY KEY,
    spans TEXT NOT NULL
) STRICT;

-- Since when a worker has the task that the frame waits for.
ALTER TABLE frames ADD COLUMN work_since INTEGER;

-- Executions with a smaller id were in states before these were noted: their histories are looked through.
INSERT INTO ids (name, next) SELECT 'state_times', next FROM ids WHERE name = 'executions';
