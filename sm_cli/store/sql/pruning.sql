-- Retention: which closed executions may go, and their rows.

-- name: prunable
SELECT e.id, e.tree, e.events, e.started, e.workflow FROM executions e INDEXED BY executions_by_status
WHERE e.run IS NULL AND e.status = ? AND (e.started, e.id) > (?, ?) AND e.closed < ? ORDER BY e.started, e.id LIMIT ?

-- name: closed_among
SELECT e.id, e.tree, e.events, e.started, e.workflow
FROM json_each(:ids) wanted CROSS JOIN executions e ON e.id = wanted.value
WHERE e.closed < :before AND (:status IS NULL OR e.status = :status) ORDER BY e.id

-- name: busy_trees
SELECT DISTINCT e.tree FROM executions e INDEXED BY executions_running
WHERE e.status = 'RUNNING' AND e.tree IN (SELECT value FROM json_each(?))

-- name: orphan_runs
-- Map runs whose execution was deleted: their children go next.
SELECT r.id FROM map_runs r WHERE r.id > ? AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = r.execution)
ORDER BY r.id LIMIT ?

-- name: children_of_run
SELECT e.id, e.tree, e.events, e.started, e.workflow, e.idx FROM executions e INDEXED BY executions_of_run
WHERE e.run = ? AND (e.idx, e.id) > (?, ?) ORDER BY e.idx, e.id LIMIT ?

-- name: with_children
-- How many executions these are with all children of their map runs, and how many events they have.
WITH RECURSIVE b (id) AS (
    SELECT value FROM json_each(?)
    UNION ALL
    SELECT c.id FROM b JOIN map_runs r INDEXED BY map_runs_of_execution ON r.execution = b.id
        JOIN executions c INDEXED BY executions_of_run ON c.run = r.id
)
SELECT count(*), coalesce(sum(e.events), 0) FROM b JOIN executions e ON e.id = b.id

-- name: frames_of_executions
WITH RECURSIVE b (id) AS (
    SELECT f.id FROM json_each(?) wanted
    CROSS JOIN frames f INDEXED BY frames_root ON f.execution = wanted.value WHERE f.parent IS NULL
    UNION ALL
    SELECT c.id FROM b JOIN frames c ON c.parent = b.id
)
SELECT id FROM b

-- name: delete_frames
-- As all of these: answers with what refers to large values.
DELETE FROM frames WHERE id IN (SELECT value FROM json_each(?))
RETURNING CASE WHEN substr(item, 1, 1) = '@' THEN item END, CASE WHEN substr(vars, 1, 1) = '@' THEN vars END,
    CASE WHEN substr(input, 1, 1) = '@' THEN input END, CASE WHEN substr(output, 1, 1) = '@' THEN output END

-- name: delete_ended_children_of_frames
DELETE FROM ended_children WHERE tree IN (SELECT e.tree FROM json_each(:executions) wanted JOIN executions e ON e.id = wanted.value)
    AND frame IN (SELECT value FROM json_each(:frames))

-- name: delete_execution_data
DELETE FROM execution_data WHERE execution IN (SELECT value FROM json_each(?))
RETURNING CASE WHEN substr(input, 1, 1) = '@' THEN input END, CASE WHEN substr(output, 1, 1) = '@' THEN output END

-- name: delete_history
DELETE FROM history WHERE execution IN (SELECT value FROM json_each(?))
RETURNING CASE WHEN instr(events, '"@') > 0 THEN events END

-- name: delete_failed_attempts
DELETE FROM failed_attempts WHERE execution IN (SELECT value FROM json_each(?))

-- name: delete_state_times
DELETE FROM state_times WHERE (state, started, execution) IN (
    SELECT s.id, e.started, e.id
    FROM json_each(?) wanted CROSS JOIN executions e ON e.id = wanted.value
    CROSS JOIN states s ON s.workflow = e.workflow AND (s.digest = e.digest OR e.redrives > 0)
)

-- name: delete_tags
DELETE FROM execution_tags WHERE (name, value, execution) IN (
    SELECT t.key, t.value, e.id
    FROM json_each(?) wanted CROSS JOIN executions e ON e.id = wanted.value CROSS JOIN json_each(e.tags) t
)

-- name: delete_execution_particulars
DELETE FROM particulars WHERE kind = 'execution' AND name IN (
    SELECT e.ref FROM json_each(?) wanted CROSS JOIN executions e ON e.id = wanted.value
)

-- name: delete_executions
DELETE FROM executions WHERE id IN (SELECT value FROM json_each(?))

-- name: delete_map_run
DELETE FROM map_runs WHERE id = ?

-- name: stray_waits
SELECT {past_wait_columns} FROM past_waits w
WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = w.execution) LIMIT ?

-- name: stray_messages
-- Those that only an execution could receive that was deleted.
SELECT m.id FROM messages m
WHERE m.execution IS NOT NULL AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = m.execution) LIMIT ?
