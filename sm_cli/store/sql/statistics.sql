-- Statistics: beginnings and ends of questions that `choosing` puts together. Durations come as one JSON array of a
-- group: a tenth of what a row for each would cost.

-- name: measures
count(*), count(*) FILTER (WHERE e.status IN ('FAILED', 'TIMED_OUT')), min(e.started), max(e.started),
json_group_array(e.closed - e.started) FILTER (WHERE e.closed IS NOT NULL)

-- name: measured_by_status
SELECT e.status, {measures}

-- name: measured_by_workflow
SELECT e.workflow, {measures}

-- name: measured_by_version
SELECT e.workflow, e.version, {measures}

-- name: measured_by_error
SELECT e.error, {measures}

-- name: measured_by_hour
SELECT e.started / 3600000000, {measures}

-- name: workflow_names
-- One look at the index for each.
WITH RECURSIVE b (name) AS (
    SELECT min(w.workflow) FROM executions w INDEXED BY executions_by_workflow WHERE w.run IS NULL
    UNION ALL
    SELECT (
        SELECT min(w.workflow) FROM executions w INDEXED BY executions_by_workflow
        WHERE w.run IS NULL AND w.workflow > b.name
    )
    FROM b WHERE b.name IS NOT NULL
)
SELECT name FROM b WHERE name IS NOT NULL

-- name: from_workflows
-- Each workflow's part of the index, so that a short time of many executions is looked up.
FROM executions e INDEXED BY executions_by_workflow WHERE e.workflow IN ({workflow_names}) AND e.run IS NULL

-- name: from_errors
FROM executions e INDEXED BY executions_by_error WHERE e.run IS NULL AND e.error IS NOT NULL

-- name: only_with_error
AND e.error IS NOT NULL

-- name: state_id
SELECT id FROM states WHERE name = ? AND workflow = ? AND digest = ?

-- name: insert_state
INSERT INTO states (name, workflow, digest) VALUES (?, ?, ?) RETURNING id

-- name: add_state_times
INSERT INTO state_times (state, started, execution, visits, failures, retries, duration, longest, working)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (state, started, execution) DO UPDATE SET visits = state_times.visits + excluded.visits,
    failures = state_times.failures + excluded.failures, retries = state_times.retries + excluded.retries,
    duration = state_times.duration + excluded.duration, working = state_times.working + excluded.working,
    longest = CASE WHEN excluded.longest > state_times.longest THEN excluded.longest ELSE state_times.longest END

-- name: state_times_of_execution
SELECT t.state, t.started, t.execution, t.visits, t.failures, t.retries, t.duration, t.longest, t.working
FROM executions e CROSS JOIN states s ON s.workflow = e.workflow
CROSS JOIN state_times t ON t.state = s.id AND t.started = e.started AND t.execution = e.id
WHERE e.id = ?

-- name: append_state_times
-- Answers how many rows there are; an empty table begins with 1 anew.
INSERT INTO state_log (spans) VALUES (?) RETURNING id

-- name: state_log
-- A few hundred rows at most.
SELECT l.spans FROM state_log l ORDER BY l.id

-- name: take_state_log
DELETE FROM state_log RETURNING spans

-- name: all_states
-- One row for each state of each definition that was ever run.
SELECT s.id, s.workflow, s.name, s.digest FROM states s

-- name: only_logged
AND e.id IN (SELECT value FROM json_each(:those))

-- name: executions_through_state
-- One look for each state of this name, and as many of its executions as are asked for.
SELECT t.execution FROM states s CROSS JOIN state_times t ON t.state = s.id
WHERE s.name = :state AND (:workflow IS NULL OR s.workflow = :workflow) LIMIT :limit

-- name: executions_in_state
-- Looks through what is open, and nothing else.
SELECT f.execution FROM frames f INDEXED BY frames_open WHERE f.status < 3 AND f.status > 0 AND f.state = ? LIMIT ?

-- name: first_with_state_times
SELECT next FROM ids WHERE name = 'state_times'

-- name: measured_by_state
-- A million rows are read in half a second; an array costs a tenth of a row for each.
SELECT s.workflow, s.name, sum(t.visits), sum(t.failures), sum(t.retries), sum(t.working),
    min(t.started), max(t.started), json_group_array(t.duration) FILTER (WHERE t.visits = 1),
    json_group_array(json_array(t.visits, t.duration, t.longest)) FILTER (WHERE t.visits > 1)

-- name: from_states
FROM states s CROSS JOIN state_times t ON t.state = s.id AND t.started >= :since AND t.started < :until
WHERE (:workflow IS NULL OR s.workflow = :workflow OR substr(s.workflow, 1, length(:workflow) + 1) = :workflow || '/')

-- name: only_of
AND t.execution IN (

-- name: end_of
)

-- name: in_states
GROUP BY s.id

-- name: in_groups
GROUP BY 1

-- name: in_groups_of_two
GROUP BY 1, 2
