-- Parts of trees that a transaction has for itself, while others write beside it: Postgres alone has these.

-- name: part_of
coalesce(e.part, e.tree)

-- name: its_part
-- One look at an index each, row by row and in their order, as far as the LIMIT outside lets.
coalesce((SELECT {part_of} FROM executions e WHERE e.id = w.execution), w.execution)

-- name: top_of_part
-- Locks the row at its top, unless somebody else has it: then the part is left out. One without a top is answered.
LEFT JOIN LATERAL (
    SELECT r.id, r.writer FROM executions r WHERE r.id = c.part FOR NO KEY UPDATE SKIP LOCKED
) top ON true
WHERE (top.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM executions a WHERE a.id = c.part))

-- name: take_parts
SELECT c.part, top.id, top.writer FROM (SELECT value AS part FROM json_each(?) wanted OFFSET 0) c {top_of_part}

-- name: places
SELECT e.id, e.tree, e.digest, {part_of} FROM json_each(?) wanted JOIN executions e ON e.id = wanted.value

-- name: places_of_frames
SELECT f.id, f.execution, {part_of}
FROM json_each(?) wanted JOIN frames f ON f.id = wanted.value JOIN executions e ON e.id = f.execution

-- name: open_parts
SELECT e.id, {part_of} FROM executions e WHERE e.parent_frame = ? AND e.status IN ('PENDING', 'RUNNING')

-- name: offers
-- What there is to do; one look at an index for each.
SELECT EXISTS (SELECT 1 FROM losses), EXISTS (SELECT 1 FROM schedules),
    EXISTS (SELECT 1 FROM ended_children), EXISTS ({has_ready}),
    EXISTS (SELECT 1 FROM jobs WHERE leased_until IS NULL), ({first_lease_end}),
    least((SELECT min(due) FROM timers), ({first_deadline})), pg_current_xact_id_if_assigned()::text

-- name: take_ready
-- The lowest of every tree, so that no tree stands before another one.
SELECT c.id, c.execution, c.part, top.id, top.writer FROM (
    WITH RECURSIVE b (tree) AS (
        SELECT min(f.tree) FROM frames f WHERE f.status = 1
        UNION ALL
        SELECT (SELECT min(f.tree) FROM frames f WHERE f.status = 1 AND f.tree > b.tree) FROM b WHERE b.tree IS NOT NULL
    )
    SELECT w.id, w.execution, {its_part} AS part
    FROM (SELECT tree FROM b WHERE tree IS NOT NULL LIMIT :window) t
    CROSS JOIN LATERAL (
        SELECT f.id, f.execution FROM frames f WHERE f.tree = t.tree AND f.status = 1 ORDER BY f.id LIMIT :of_tree
    ) w LIMIT :window
) c {top_of_part} LIMIT :most

-- name: take_ready_in_tree
SELECT c.id, c.execution, c.part, top.id, top.writer FROM (
    SELECT w.id, w.execution, {its_part} AS part
    FROM (SELECT f.id, f.execution FROM frames f WHERE f.tree = :tree AND f.status = 1 ORDER BY f.id LIMIT :window) w
) c {top_of_part} LIMIT :most

-- name: ready_held
SELECT f.tree, f.id FROM json_each(?) held JOIN frames f ON f.id = held.value
WHERE f.status = 1 ORDER BY f.id LIMIT ?

-- name: ready_of_executions
-- Of the executions that these frames are of.
SELECT f.tree, f.id FROM (
    SELECT DISTINCT h.execution FROM json_each(?) held JOIN frames h ON h.id = held.value
) e JOIN frames f ON f.execution = e.execution
WHERE f.status = 1 ORDER BY f.id LIMIT ?

-- name: take_overdue
SELECT c.id, c.id, c.part, top.id, top.writer FROM (
    SELECT e.id, {part_of} AS part FROM executions e
    WHERE e.status = 'RUNNING' AND e.deadline IS NOT NULL AND e.deadline <= ? ORDER BY e.deadline, e.id LIMIT ?
) c {top_of_part} LIMIT ?

-- name: take_overdue_in_tree
SELECT c.id, c.id, c.part, top.id, top.writer FROM (
    SELECT e.id, {part_of} AS part FROM executions e
    WHERE e.status = 'RUNNING' AND e.deadline IS NOT NULL AND e.tree = ? AND e.deadline <= ?
    ORDER BY e.deadline, e.id LIMIT ?
) c {top_of_part}

-- name: overdue_held
SELECT {execution_columns}, d.input, d.output
FROM json_each(?) held JOIN executions e ON e.id = held.value JOIN execution_data d ON d.execution = e.id
WHERE e.status = 'RUNNING' AND e.deadline IS NOT NULL AND e.deadline <= ?
ORDER BY e.deadline, e.id LIMIT ?

-- name: take_due
SELECT c.frame, c.execution, c.part, top.id, top.writer FROM (
    SELECT w.frame, w.execution, {its_part} AS part FROM (
        SELECT t.frame, t.execution FROM timers t
        WHERE t.due <= :now AND (t.due, t.frame) > (:due, :frame) AND {not_anothers}
        ORDER BY t.due, t.frame LIMIT :limit
    ) w
) c {top_of_part} LIMIT :most

-- name: take_due_in_tree
SELECT c.frame, c.execution, c.part, top.id, top.writer FROM (
    SELECT w.frame, w.execution, {its_part} AS part FROM (
        SELECT t.frame, t.execution FROM timers t
        WHERE t.tree = :tree AND t.due <= :now AND (t.due, t.frame) > (:due, :frame) AND {not_anothers}
        ORDER BY t.due, t.frame LIMIT :limit
    ) w
) c {top_of_part}

-- name: due_timers_held
SELECT {timer_columns} FROM json_each(:held) held JOIN timers t ON t.frame = held.value
WHERE t.due <= :now AND (t.due, t.frame) > (:due, :frame) AND {not_anothers}
ORDER BY t.due, t.frame, t.kind LIMIT :limit

-- name: offered_jobs
WITH taken AS MATERIALIZED (
SELECT c.id, c.execution, c.part, top.id AS top, top.writer, c.frame FROM (
    SELECT w.id, w.execution, w.frame, {its_part} AS part FROM (
        SELECT j.id, j.execution, j.frame FROM jobs j
        WHERE j.leased_until IS NULL AND j.available <= :now AND {runnable}

-- name: offered_first
        ORDER BY j.priority DESC, j.id LIMIT :window
    ) w
) c {top_of_part} LIMIT :limit
)
SELECT t.id, t.execution, t.part, t.top, t.writer, t.frame FROM (
    SELECT set_config('sm.taken', coalesce(array_agg(id)::text, '{}'), true), set_config('sm.foreign', coalesce(
        array_agg(id) FILTER (WHERE writer IS DISTINCT FROM current_setting('sm.writer')::bigint)::text, '{}'
    ), true) FROM taken
) noted LEFT JOIN taken t ON true

-- name: taken_jobs
SELECT {job_columns} FROM unnest(current_setting('sm.taken')::bigint[]) AS taken(id) JOIN jobs j ON j.id = taken.id

-- name: taken_frames
SELECT {frame_columns} FROM unnest(current_setting('sm.foreign')::bigint[]) AS taken(id)
JOIN jobs j ON j.id = taken.id JOIN frames f ON f.id = j.frame

-- name: taken_executions
SELECT {execution_columns}, d.input, d.output FROM (
    SELECT DISTINCT j.execution
    FROM unnest(current_setting('sm.foreign')::bigint[]) AS taken(id) JOIN jobs j ON j.id = taken.id
) t JOIN executions e ON e.id = t.execution JOIN execution_data d ON d.execution = e.id

-- name: take_free
{offered_jobs} {offered_first}

-- name: take_free_in_queue
{offered_jobs} AND j.queue = :queue {offered_first}

-- name: take_free_in_tree
{offered_jobs} AND j.tree = :tree AND (:queue IS NULL OR j.queue = :queue) {offered_first}

-- name: take_pending
-- Children of a fork that wait for their turn: only who holds their parent changes them, so what is read is the newest.
-- Of one that somebody else holds all the same there is no top.
SELECT {execution_columns}, d.input, d.output, top.id, top.writer
FROM (
    SELECT e.*, {part_of} AS held_by FROM executions e
    WHERE e.parent_frame = ? AND e.status = 'PENDING' AND e.parent_seq = ? AND e.idx >= ? ORDER BY e.idx LIMIT ?
) e
JOIN execution_data d ON d.execution = e.id
LEFT JOIN LATERAL (
    SELECT r.id, r.writer FROM executions r WHERE r.id = e.held_by FOR NO KEY UPDATE SKIP LOCKED
) top ON true
ORDER BY e.idx

-- name: take_ended
SELECT c.frame, c.execution, c.part, top.id, top.writer FROM (
    SELECT f.id AS frame, f.execution, {part_of} AS part FROM (
        SELECT DISTINCT x.frame FROM ended_children x WHERE :tree IS NULL OR x.tree = :tree
    ) x JOIN frames f ON f.id = x.frame JOIN executions e ON e.id = f.execution
) c {top_of_part} LIMIT :most

-- name: ended_held
SELECT {ended_child_columns} FROM ended_children c
WHERE c.frame IN (SELECT value FROM json_each(?)) ORDER BY c.tree, c.frame, c.child LIMIT ?

-- name: parts_above
-- Of these executions and of those that wait for them, and so on.
WITH RECURSIVE above (id) AS (
    SELECT value FROM json_each(?)
    UNION
    SELECT f.execution FROM above a JOIN executions e ON e.id = a.id JOIN frames f ON f.id = e.parent_frame
)
SELECT e.id, {part_of} FROM above a JOIN executions e ON e.id = a.id

-- name: mark_parts
UPDATE executions SET writer = ? WHERE id IN (SELECT value FROM json_each(?))

-- name: try_lock
SELECT pg_try_advisory_xact_lock(?::bigint)

-- name: try_shared_lock
SELECT pg_try_advisory_xact_lock_shared(?::bigint)

-- name: wait_for_lock
SELECT pg_advisory_xact_lock(?::bigint)

-- name: wait_for_parts
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
