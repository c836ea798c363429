-- Of the execution at the top of a tree: which store wrote in the tree last, where several write side by side (Postgres).
-- What any other remembers of it has to be read again.
ALTER TABLE executions ADD COLUMN writer INTEGER;
