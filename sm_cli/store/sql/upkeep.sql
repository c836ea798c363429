-- Questions about the database as a whole. They walk tables from end to end: the caller waits for it.

-- name: count_by_status
SELECT e.status, count(*) FROM executions e INDEXED BY executions_by_status WHERE e.run IS NULL GROUP BY e.status

-- name: count_by_workflow
SELECT e.workflow, e.status, count(*) FROM executions e INDEXED BY executions_by_workflow
WHERE e.run IS NULL GROUP BY e.workflow, e.status

-- name: count_messages
-- By status; one whose time is up is expired, whether or not that is stored yet.
SELECT CASE WHEN m.status = 'buffered' AND m.expires <= :now THEN 'expired' ELSE m.status END AS status, count(*)
FROM messages m GROUP BY 1

-- name: count_of_children
SELECT count(*) FROM executions e INDEXED BY executions_of_run WHERE e.run IS NOT NULL

-- name: oldest_open
-- (public id, name, workflow, started) of the one that has run for longest.
SELECT e.ref, e.name, e.workflow, e.started FROM executions e INDEXED BY executions_by_status
WHERE e.run IS NULL AND e.status = 'RUNNING' ORDER BY e.started LIMIT 1

-- name: open_by_definition
-- (digest, a workflow's name, open executions), the most first.
SELECT e.digest, min(e.workflow), count(*) FROM executions e INDEXED BY executions_running
WHERE e.status = 'RUNNING' GROUP BY e.digest ORDER BY count(*) DESC, e.digest LIMIT ?

-- name: jobs_by_worker
SELECT j.worker, count(*) FROM jobs j INDEXED BY jobs_leased
WHERE j.leased_until IS NOT NULL AND j.leased_until < ? AND j.worker IS NOT NULL GROUP BY j.worker

-- name: jobs_by_queue
SELECT j.queue,
    sum(CASE WHEN j.leased_until IS NULL AND j.available <= :now THEN 1 ELSE 0 END),
    sum(CASE WHEN j.leased_until IS NULL AND j.available > :now THEN 1 ELSE 0 END),
    sum(CASE WHEN j.leased_until < :handed_over THEN 1 ELSE 0 END),
    sum(CASE WHEN j.leased_until >= :handed_over THEN 1 ELSE 0 END),
    min(CASE WHEN j.leased_until IS NULL AND j.available <= :now THEN j.available END)
FROM jobs j GROUP BY j.queue ORDER BY j.queue

-- name: timers_by_queue
SELECT e.queue, t.kind, count(*) FROM timers t JOIN executions e ON e.id = t.execution
WHERE t.kind IN ('backoff', 'delay') GROUP BY e.queue, t.kind

-- name: newest_history
SELECT h.id, e.queue, h.events FROM history h JOIN executions e ON e.id = h.execution
WHERE h.id < :before ORDER BY h.id DESC LIMIT :limit
