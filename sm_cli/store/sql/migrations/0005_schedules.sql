-- What starts executions by the clock. `next` is the time that it fires for next, `due` when a worker does that
-- (later by the jitter); both are NULL while it never will: it is paused, or has fired for the last time.
-- `running`, `waiting` and `firings` are JSON arrays: ids of executions that it started and that may run still, times
-- whose executions wait for these, what became of the newest times.
CREATE TABLE schedules (
    id INTEGER PRIMARY KEY,
    due INTEGER,
    next INTEGER,
    paused_at INTEGER,
    created INTEGER NOT NULL,
    anchor INTEGER NOT NULL,
    every INTEGER,
    jitter INTEGER NOT NULL,
    limits INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    cron TEXT,
    zone TEXT NOT NULL,
    overlap TEXT NOT NULL,
    catch_up TEXT NOT NULL,
    queue TEXT NOT NULL,
    running TEXT,
    waiting TEXT,
    firings TEXT,
    input TEXT
) STRICT;

CREATE INDEX schedules_due ON schedules (due) WHERE due IS NOT NULL;
CREATE INDEX schedules_waiting ON schedules (paused_at) WHERE waiting IS NOT NULL;

INSERT INTO ids (name, next) VALUES ('schedules', 1);
