-- Statistics: beginnings and ends of questions that `choosing` puts together. Durations come as one JSON array of a
-- group: a tenth of what a row for each would cost.

-- name: measures
count(*), total(e.status IN ('FAILED', 'TIMED_OUT')), min(e.started), max(e.started),
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

-- name: in_groups
GROUP BY 1

-- name: in_groups_of_two
GROUP BY 1, 2
