-- Parts of questions about many executions: a beginning, where from, which ones, what order. `choosing` puts them
-- together, so that a question names no column that it does not need, and an index can answer it alone.

-- name: listed_columns
SELECT {execution_columns}

-- name: listed_ids
SELECT e.id

-- name: listed_count
SELECT count(*)

-- name: from_all
FROM executions e INDEXED BY executions_listed WHERE e.run IS NULL

-- name: from_status
FROM executions e INDEXED BY executions_by_status WHERE e.run IS NULL AND e.status = :status

-- name: from_workflow
FROM executions e INDEXED BY executions_by_workflow WHERE e.run IS NULL AND e.workflow = :workflow

-- name: from_error
FROM executions e INDEXED BY executions_by_error WHERE e.run IS NULL AND e.error = :error

-- name: from_names
FROM executions e INDEXED BY sqlite_autoindex_executions_2 WHERE e.run IS NULL

-- name: from_run
FROM executions e INDEXED BY executions_of_run WHERE e.run = :run

-- name: from_batch
FROM executions e INDEXED BY executions_of_batch WHERE e.batch = :run

-- name: has_batch_children
SELECT 1 FROM executions e INDEXED BY executions_of_batch WHERE e.batch = ? LIMIT 1

-- name: from_ids
FROM json_each(:ids) wanted CROSS JOIN executions e ON e.id = wanted.value WHERE e.run IS NULL

-- name: only_since
AND e.started >= :since

-- name: only_until
AND e.started < :until

-- name: only_statuses
AND e.status IN (SELECT value FROM json_each(:statuses))

-- name: only_workflow
AND e.workflow = :workflow

-- name: only_name
AND e.name LIKE :name ESCAPE '\'

-- name: only_error
AND e.error = :error

-- name: only_tags
AND NOT EXISTS (
    SELECT 1 FROM json_each(:tags) asked WHERE NOT EXISTS (
        SELECT 1 FROM execution_tags t
        WHERE t.name = json_extract(asked.value, '$[0]') AND t.value = json_extract(asked.value, '$[1]') AND t.execution = e.id
    )
)

-- name: only_state
AND (e.id IN (SELECT value FROM json_each(:logged)) OR EXISTS (
    SELECT 1 FROM states s CROSS JOIN state_times t ON t.state = s.id AND t.started = e.started AND t.execution = e.id
    WHERE s.name = :state AND s.workflow = e.workflow
) OR EXISTS (
    SELECT 1 FROM frames f INDEXED BY frames_open
    WHERE f.execution = e.id AND f.status < 3 AND f.status > 0 AND f.state = :state
) OR e.id < (SELECT i.next FROM ids i WHERE i.name = 'state_times') AND EXISTS (
    SELECT 1 FROM history h, json_each(h.events) event
    WHERE h.execution = e.id AND json_extract(event.value, '$[3]') GLOB '*StateEntered' AND json_extract(event.value, '$[4].name') = :state
))

-- name: after_started_up
AND (e.started, e.id) > (:value, :tie)

-- name: by_started_up
ORDER BY e.started, e.id LIMIT :limit

-- name: after_started_down
AND (e.started, e.id) < (:value, :tie)

-- name: by_started_down
ORDER BY e.started DESC, e.id DESC LIMIT :limit

-- name: after_number_up
AND (e.idx, e.id) > (:value, :tie)

-- name: by_number_up
ORDER BY e.idx, e.id LIMIT :limit

-- name: after_number_down
AND (e.idx, e.id) < (:value, :tie)

-- name: by_number_down
ORDER BY e.idx DESC, e.id DESC LIMIT :limit

-- name: ended_up
coalesce(e.closed, 9223372036854775807)

-- name: after_ended_up
AND ({ended_up}, e.id) > (:value, :tie)

-- name: by_ended_up
ORDER BY {ended_up}, e.id LIMIT :limit

-- name: ended_down
coalesce(e.closed, -1)

-- name: after_ended_down
AND ({ended_down}, e.id) < (:value, :tie)

-- name: by_ended_down
ORDER BY {ended_down} DESC, e.id DESC LIMIT :limit

-- name: duration_up
coalesce(e.closed - e.started, 9223372036854775807)

-- name: after_duration_up
AND ({duration_up}, e.id) > (:value, :tie)

-- name: by_duration_up
ORDER BY {duration_up}, e.id LIMIT :limit

-- name: duration_down
coalesce(e.closed - e.started, -1)

-- name: after_duration_down
AND ({duration_down}, e.id) < (:value, :tie)

-- name: by_duration_down
ORDER BY {duration_down} DESC, e.id DESC LIMIT :limit

-- name: after_name_up
AND (e.name, e.workflow) > (:value, :tie)

-- name: by_name_up
ORDER BY e.name, e.workflow LIMIT :limit

-- name: after_name_down
AND (e.name, e.workflow) < (:value, :tie)

-- name: by_name_down
ORDER BY e.name DESC, e.workflow DESC LIMIT :limit

-- name: executions_tagged
SELECT t.execution FROM execution_tags t WHERE t.name = ? AND t.value = ? LIMIT ?

-- name: insert_tag
INSERT INTO execution_tags (name, value, execution) VALUES (?, ?, ?)

-- name: delete_tag
DELETE FROM execution_tags WHERE name = ? AND value = ? AND execution = ?
