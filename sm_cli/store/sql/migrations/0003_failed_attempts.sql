-- Where handlers failed: for each state of each frame the newest attempt that an exception ended, so that an execution
-- that tries again for months has one row. `number` is that of the event in the history, which has error and cause.
-- `places` is a JSON array.
CREATE TABLE failed_attempts (
    execution INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    state TEXT NOT NULL,
    number INTEGER NOT NULL,
    error TEXT NOT NULL,
    places TEXT NOT NULL,
    traceback TEXT NOT NULL,
    PRIMARY KEY (execution, frame, state)
) STRICT;
