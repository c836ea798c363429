-- Questions about the database as a whole. They walk tables from end to end: the caller waits for it.

-- name: count_by_status
SELECT e.status, count(*) FROM executions e INDEXED BY executions_by_status WHERE e.run IS NULL GROUP BY e.status

-- name: count_of_children
SELECT count(*) FROM executions e INDEXED BY executions_of_run WHERE e.run IS NOT NULL

-- name: oldest_open
-- (public id, name, workflow, started) of the one that has run for longest.
SELECT e.ref, e.name, e.workflow, e.started FROM executions e INDEXED BY executions_by_status
WHERE e.run IS NULL AND e.status = 'RUNNING' ORDER BY e.started LIMIT 1
