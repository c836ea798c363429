-- Trees that a transaction has for itself, while others write beside it: Postgres alone has these.

-- name: top_of_tree
-- Locks the row at its top, unless somebody else has it: then the tree is left out. One without a top is answered.
LEFT JOIN LATERAL (
    SELECT r.id, r.writer FROM executions r WHERE r.id = c.tree FOR NO KEY UPDATE SKIP LOCKED
) top ON true
WHERE (top.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM executions a WHERE a.id = c.tree))

-- name: take_trees
SELECT c.tree, top.id, top.writer FROM (SELECT value AS tree FROM json_each(?) wanted OFFSET 0) c {top_of_tree}

-- name: offers
-- What there is to do; one look at an index for each.
SELECT EXISTS (SELECT 1 FROM losses), EXISTS (SELECT 1 FROM schedules), EXISTS ({has_ready}),
    EXISTS (SELECT 1 FROM jobs WHERE leased_until IS NULL), ({first_lease_end}),
    least((SELECT min(due) FROM timers), ({first_deadline}))

-- name: take_ready
SELECT c.tree, top.id, top.writer FROM (
    WITH RECURSIVE b (tree) AS (
        SELECT min(f.tree) FROM frames f WHERE f.status = 1
        UNION ALL
        SELECT (SELECT min(f.tree) FROM frames f WHERE f.status = 1 AND f.tree > b.tree) FROM b WHERE b.tree IS NOT NULL
    )
    SELECT tree FROM b WHERE tree IS NOT NULL LIMIT ?
) c {top_of_tree} LIMIT ?

-- name: ready_held
SELECT f.tree, f.id FROM json_each(?) held JOIN frames f ON f.tree = held.value AND f.status = 1
ORDER BY f.id LIMIT ?

-- name: take_overdue
SELECT c.tree, top.id, top.writer FROM (
    SELECT e.tree FROM executions e
    WHERE e.status = 'RUNNING' AND e.deadline IS NOT NULL AND e.deadline <= ? ORDER BY e.deadline, e.id LIMIT ?
) c {top_of_tree} LIMIT ?

-- name: overdue_held
SELECT {execution_columns}, d.input, d.output
FROM json_each(?) held JOIN executions e ON e.tree = held.value JOIN execution_data d ON d.execution = e.id
WHERE e.status = 'RUNNING' AND e.deadline IS NOT NULL AND e.deadline <= ?
ORDER BY e.deadline, e.id LIMIT ?

-- name: take_due
SELECT c.tree, top.id, top.writer FROM (
    SELECT t.tree FROM timers t
    WHERE t.due <= :now AND (t.due, t.frame) > (:due, :frame) AND {not_anothers}
    ORDER BY t.due, t.frame LIMIT :limit
) c {top_of_tree} LIMIT :most

-- name: due_timers_held
SELECT {timer_columns} FROM json_each(:held) held JOIN timers t ON t.tree = held.value
WHERE t.due <= :now AND (t.due, t.frame) > (:due, :frame) AND {not_anothers}
ORDER BY t.due, t.frame, t.kind LIMIT :limit

-- name: take_free
SELECT c.id, c.tree, top.id, top.writer FROM (
    SELECT j.id, j.tree FROM jobs j
    WHERE j.leased_until IS NULL AND j.available <= :now AND {runnable}
    ORDER BY j.priority DESC, j.id LIMIT :window
) c {top_of_tree} LIMIT :limit

-- name: take_free_in_queue
SELECT c.id, c.tree, top.id, top.writer FROM (
    SELECT j.id, j.tree FROM jobs j
    WHERE j.leased_until IS NULL AND j.queue = :queue AND j.available <= :now AND {runnable}
    ORDER BY j.priority DESC, j.id LIMIT :window
) c {top_of_tree} LIMIT :limit

-- name: mark_trees
UPDATE executions SET writer = ? WHERE id IN (SELECT value FROM json_each(?))

-- name: try_lock
SELECT pg_try_advisory_xact_lock(?::bigint)

-- name: try_shared_lock
SELECT pg_try_advisory_xact_lock_shared(?::bigint)

-- name: wait_for_lock
SELECT pg_advisory_xact_lock(?::bigint)

-- name: wait_for_trees
SELECT e.id FROM executions e WHERE e.id IN (SELECT value FROM json_each(?)) ORDER BY e.id FOR NO KEY UPDATE OF e

-- name: keep_blobs
SELECT u.id FROM blob_uses u WHERE u.id IN (SELECT value FROM json_each(?)) ORDER BY u.id FOR NO KEY UPDATE OF u

-- name: keep_free_blobs
SELECT u.id FROM blob_uses u WHERE u.id IN (SELECT value FROM json_each(?)) ORDER BY u.id
FOR NO KEY UPDATE OF u SKIP LOCKED

-- name: insert_state
-- Another transaction may insert the same.
INSERT INTO states (name, workflow, digest) VALUES (?, ?, ?)
ON CONFLICT (name, workflow, digest) DO UPDATE SET digest = excluded.digest RETURNING id
