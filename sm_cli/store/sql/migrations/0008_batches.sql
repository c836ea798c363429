-- A child of a batch has its map run here and not in `run`: it is an execution of a workflow of its own, and lists, whose
-- indexes leave out what has a `run`, show it among all others.
ALTER TABLE executions ADD COLUMN batch INTEGER;

CREATE INDEX executions_of_batch ON executions (batch, idx) WHERE batch IS NOT NULL;
