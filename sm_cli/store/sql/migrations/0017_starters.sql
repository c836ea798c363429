-- The execution whose state started this one and did not wait for it; NULL: none did, or an older sm kept it.
ALTER TABLE executions ADD COLUMN starter INTEGER;

CREATE INDEX executions_of_starter ON executions (starter) WHERE starter IS NOT NULL;
