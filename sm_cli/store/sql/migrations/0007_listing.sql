-- Lists by time of start, which differs from the order of ids where a finished execution was stored later, and where
-- the clock was set back. With `run` in it an index answers a count alone; that of the workflows statistics too.
DROP INDEX executions_listed;
DROP INDEX executions_by_status;
DROP INDEX executions_by_workflow;
CREATE INDEX executions_listed ON executions (run, started) WHERE run IS NULL;
CREATE INDEX executions_by_status ON executions (status, run, started) WHERE run IS NULL;
CREATE INDEX executions_by_workflow ON executions (workflow, run, started, status, closed, version) WHERE run IS NULL;
CREATE INDEX executions_by_error ON executions (error, run, started) WHERE run IS NULL AND error IS NOT NULL;

-- The tags of executions once more, to find these by them.
CREATE TABLE execution_tags (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    execution INTEGER NOT NULL,
    PRIMARY KEY (name, value, execution)
) STRICT, WITHOUT ROWID;
