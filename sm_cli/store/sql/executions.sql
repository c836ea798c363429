-- Executions and map runs.

-- name: execution_columns
e.id, e.ref, e.name, e.workflow, e.digest, e.type, e.status, e.started, e.deadline, e.closed,
e.error, e.cause, e.events, e.queue, e.priority, e.tags, e.redrives, e.redriven, e.tree, e.part, e.machine, e.limits,
e.version, e.qualifier, e.parent_frame, e.parent_seq, e.idx, e.items, e.run, e.batch, e.starter

-- name: whole_executions
SELECT {execution_columns}, d.input, d.output
FROM executions e JOIN execution_data d ON d.execution = e.id

-- name: execution
{whole_executions}
WHERE e.id = ?

-- name: short_execution
SELECT {execution_columns} FROM executions e WHERE e.id = ?

-- name: short_executions
SELECT {execution_columns} FROM json_each(?) wanted JOIN executions e ON e.id = wanted.value

-- name: execution_up_to
SELECT {execution_columns} FROM executions e WHERE e.id <= ? ORDER BY e.id DESC LIMIT 1

-- name: execution_without_input
SELECT {execution_columns}, NULL, d.output
FROM executions e JOIN execution_data d ON d.execution = e.id
WHERE e.id = ?

-- name: executions
SELECT {execution_columns}, d.input, d.output
FROM json_each(?) wanted
JOIN executions e ON e.id = wanted.value
JOIN execution_data d ON d.execution = e.id

-- name: refs
SELECT e.id, e.ref FROM json_each(?) wanted JOIN executions e ON e.id = wanted.value

-- name: trees
SELECT e.id, e.tree, e.digest FROM json_each(?) wanted JOIN executions e ON e.id = wanted.value

-- name: execution_named
{whole_executions}
WHERE e.name = ? AND e.workflow = ?

-- name: execution_by_ref
{whole_executions}
WHERE e.ref = ?

-- name: executions_by_name
{whole_executions}
WHERE e.name = ? ORDER BY e.id DESC LIMIT ?

-- name: executions_by_prefix
{whole_executions}
WHERE e.ref >= ? AND e.ref < ? ORDER BY e.ref DESC LIMIT ?

-- name: latest_execution
{whole_executions}
WHERE e.id = (SELECT max(t.id) FROM executions t INDEXED BY executions_top WHERE t.tree = t.id)

-- name: latest_execution_of_status
{whole_executions}
WHERE e.id = (
    SELECT t.id FROM executions t INDEXED BY executions_by_status
    WHERE t.run IS NULL AND t.status = ? AND t.tree = t.id ORDER BY t.started DESC, t.id DESC LIMIT 1
)

-- name: overdue
SELECT {execution_columns}, d.input, d.output
FROM executions e INDEXED BY executions_overdue JOIN execution_data d ON d.execution = e.id
WHERE e.status = 'RUNNING' AND e.deadline IS NOT NULL AND e.deadline <= ?
ORDER BY e.deadline, e.id LIMIT ?

-- name: overdue_in_tree
SELECT {execution_columns}, d.input, d.output
FROM executions e INDEXED BY executions_overdue_in_tree JOIN execution_data d ON d.execution = e.id
WHERE e.status = 'RUNNING' AND e.deadline IS NOT NULL AND e.tree = ? AND e.deadline <= ?
ORDER BY e.deadline, e.id LIMIT ?

-- name: pending_executions
SELECT {execution_columns}, d.input, d.output
FROM executions e INDEXED BY executions_of_parent JOIN execution_data d ON d.execution = e.id
WHERE e.parent_frame = ? AND e.status = 'PENDING' AND e.parent_seq = ? AND e.idx >= ? ORDER BY e.idx LIMIT ?

-- name: open_executions
SELECT {execution_columns}, d.input, d.output
FROM executions e INDEXED BY executions_of_parent JOIN execution_data d ON d.execution = e.id
WHERE e.parent_frame = ? AND e.status IN ('PENDING', 'RUNNING') ORDER BY e.idx, e.id

-- name: nested_in
-- All frames of an execution, also those that are closed; and the executions that they wait for, or have waited for,
-- or have started without that.
own (id) AS (
    SELECT f.id FROM frames f INDEXED BY frames_root WHERE f.execution = :execution AND f.parent IS NULL
    UNION ALL
    SELECT c.id FROM own o CROSS JOIN frames c INDEXED BY frames_children ON c.parent = o.id
),
nested (id, status) AS (
    SELECT e.id, e.status
    FROM own o CROSS JOIN executions e INDEXED BY executions_of_parent ON e.parent_frame = o.id
    WHERE e.run IS NULL AND e.batch IS NULL
    UNION ALL
    SELECT e.id, e.status FROM executions e INDEXED BY executions_of_starter WHERE e.starter = :execution
)

-- name: nested_executions
WITH RECURSIVE {nested_in}
SELECT {execution_columns}
FROM nested n CROSS JOIN executions e ON e.id = n.id
WHERE n.id < :before ORDER BY n.id DESC LIMIT :limit

-- name: nested_of_frame
SELECT {execution_columns} FROM executions e INDEXED BY executions_of_parent
WHERE e.parent_frame = :frame AND e.run IS NULL AND e.batch IS NULL AND e.started >= :first AND e.started <= :last
ORDER BY e.id LIMIT :limit

-- name: nested_counts
WITH RECURSIVE {nested_in}
SELECT n.status, count(*) FROM nested n GROUP BY n.status

-- name: failed_executions
SELECT {execution_columns}, d.input, d.output
FROM executions e INDEXED BY executions_of_parent JOIN execution_data d ON d.execution = e.id
WHERE e.parent_frame = ? AND e.status IN ('ABORTED', 'FAILED', 'TIMED_OUT') AND e.parent_seq = ? ORDER BY e.idx

-- name: executions_outputs
SELECT e.idx, d.output
FROM executions e INDEXED BY executions_of_parent JOIN execution_data d ON d.execution = e.id
WHERE e.parent_frame = ? AND e.status = 'SUCCEEDED' AND e.parent_seq = ? ORDER BY e.idx

-- name: run_results
SELECT {execution_columns}, d.input, d.output
FROM executions e INDEXED BY executions_of_run JOIN execution_data d ON d.execution = e.id
WHERE e.run = ? AND e.idx > ? ORDER BY e.idx LIMIT ?

-- name: batch_results
SELECT {execution_columns}, d.input, d.output
FROM executions e INDEXED BY executions_of_batch JOIN execution_data d ON d.execution = e.id
WHERE e.batch = ? AND e.idx > ? ORDER BY e.idx LIMIT ?

-- name: executions_named
SELECT {execution_columns} FROM json_each(?) wanted JOIN executions e ON e.name = wanted.value
WHERE e.workflow = ?

-- name: names_in_use
SELECT e.name FROM json_each(?) wanted JOIN executions e ON e.name = wanted.value WHERE e.workflow = ?

-- name: map_run_columns
r.id, r.ref, r.execution, r.frame, r.activation, r.state, r.workflow, r.type, r.status, r.started, r.closed,
r.redrives, CASE WHEN r.status = 'RUNNING' THEN coalesce(f.forked, r.forked) ELSE r.forked END

-- name: some_map_runs
SELECT {map_run_columns} FROM map_runs r LEFT JOIN frames f ON f.id = r.frame

-- name: map_run
{some_map_runs} WHERE r.frame = ? AND r.activation = ?

-- name: map_runs
{some_map_runs} WHERE r.id < ? ORDER BY r.id DESC LIMIT ?

-- name: map_runs_of_execution
{some_map_runs} WHERE r.execution = ? AND r.id < ? ORDER BY r.id DESC LIMIT ?

-- name: map_runs_by_ref
{some_map_runs} WHERE r.ref = ?

-- name: map_runs_by_prefix
{some_map_runs} WHERE r.ref >= ? AND r.ref < ? ORDER BY r.ref LIMIT ?

-- name: insert_map_run
INSERT INTO map_runs (id, ref, execution, frame, activation, state, workflow, type, status, started, closed,
    redrives, forked)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: update_map_run
UPDATE map_runs SET status = ?, closed = ?, redrives = ?, forked = ? WHERE id = ?

-- name: refs_beside
SELECT w.value, (SELECT max(e.ref) FROM executions e WHERE e.ref < w.value),
    (SELECT min(e.ref) FROM executions e WHERE e.ref > w.value)
FROM json_each(?) w

-- name: map_run_refs_beside
SELECT w.value, (SELECT max(r.ref) FROM map_runs r WHERE r.ref < w.value),
    (SELECT min(r.ref) FROM map_runs r WHERE r.ref > w.value)
FROM json_each(?) w

-- name: insert_execution
INSERT INTO executions (id, ref, name, workflow, digest, type, status, started, deadline, closed,
    error, cause, events, queue, priority, tags, redrives, redriven, tree, part, machine, limits,
    version, qualifier, parent_frame, parent_seq, idx, items, run, batch, starter)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_execution_data
INSERT INTO execution_data (execution, input, output) VALUES (?, ?, ?)

-- name: update_execution
UPDATE executions SET status = ?, started = ?, deadline = ?, closed = ?, error = ?, cause = ?, events = ?,
    queue = ?, priority = ?, tags = ?, redrives = ?, redriven = ?, digest = ?, version = ?, qualifier = ?
WHERE id = ?

-- name: count_events
UPDATE executions SET events = ? WHERE id = ?

-- name: set_output
UPDATE execution_data SET output = ? WHERE execution = ?

-- name: first_deadline
SELECT deadline FROM executions INDEXED BY executions_overdue
WHERE status = 'RUNNING' AND deadline IS NOT NULL ORDER BY deadline LIMIT 1

-- name: first_deadline_in_tree
SELECT deadline FROM executions INDEXED BY executions_overdue_in_tree
WHERE status = 'RUNNING' AND deadline IS NOT NULL AND tree = ? ORDER BY deadline LIMIT 1

-- name: next_id
SELECT next FROM ids WHERE name = ?

-- name: set_next_id
UPDATE ids SET next = ? WHERE name = ?

-- name: history
-- A row may begin at or before the first event asked for.
SELECT number, events FROM history
WHERE execution = :execution AND number >= coalesce(
    (SELECT max(number) FROM history WHERE execution = :execution AND number <= :first), 0)
ORDER BY number LIMIT :limit

-- name: history_before
SELECT number, events FROM history WHERE execution = ? AND number < ? ORDER BY number DESC LIMIT ?

-- name: insert_history
INSERT INTO history (execution, number, events) VALUES (?, ?, ?)

-- name: set_failed_attempt
INSERT INTO failed_attempts (execution, frame, state, number, error, places, traceback) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (execution, frame, state) DO UPDATE
SET number = excluded.number, error = excluded.error, places = excluded.places, traceback = excluded.traceback

-- name: failed_attempt
SELECT a.execution, a.frame, a.state, a.number, a.error, a.places, a.traceback
FROM failed_attempts a WHERE a.execution = ? AND a.frame = ? AND a.state = ?

-- name: failed_attempts
SELECT a.execution, a.frame, a.state, a.number, a.error, a.places, a.traceback
FROM failed_attempts a WHERE a.execution = ? ORDER BY a.number DESC LIMIT ?

-- name: first_failed_execution
SELECT {execution_columns}
FROM executions e INDEXED BY executions_of_parent
WHERE e.parent_frame = ? AND e.status = 'FAILED' ORDER BY e.parent_seq DESC, e.closed, e.id LIMIT 1

-- name: first_failed_of_fork
SELECT {execution_columns}
FROM executions e INDEXED BY executions_of_parent
WHERE e.parent_frame = ? AND e.status = 'FAILED' AND e.parent_seq = ? ORDER BY e.closed, e.id LIMIT 1
