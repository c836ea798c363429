-- What Postgres says otherwise than SQLite, by the same names.

-- name: runnable
(:resources IS NULL OR j.resource IN (SELECT jsonb_array_elements_text(:resources::jsonb)))

-- name: free_and_available
j.leased_until IS NULL AND j.available <= :now AND (:newest IS NULL OR j.tree <= :newest)

-- name: has_free
-- One look at an index for each resource, or for each with each queue, whatever the statistics say of a table that was
-- empty a minute ago: with EXISTS all free jobs may go into a hash for it.
SELECT 1 FROM jsonb_array_elements_text(:resources::jsonb) AS wanted(value) CROSS JOIN LATERAL (
    SELECT 1 FROM jobs j WHERE :queues IS NULL AND j.resource = wanted.value AND {free_and_available}
    ORDER BY j.queue LIMIT 1
) found
UNION ALL
SELECT 1 FROM jsonb_array_elements_text(:resources::jsonb) AS wanted(value)
CROSS JOIN jsonb_array_elements_text(:queues::jsonb) AS served(value) CROSS JOIN LATERAL (
    SELECT 1 FROM jobs j
    WHERE j.resource = wanted.value AND j.queue >= served.value AND j.queue <= served.value AND {free_and_available}
    ORDER BY j.queue LIMIT 1
) found
LIMIT 1

-- name: not_anothers
-- OFFSET has the index asked for each timer: all jobs would go into a hash for it.
(:worker IS NULL OR NOT EXISTS (SELECT 1 FROM jobs j WHERE j.frame = t.frame AND j.worker <> :worker OFFSET 0))

-- name: has_free_in_tree
SELECT 1 FROM jobs j
WHERE j.leased_until IS NULL AND j.tree = :tree AND j.available <= :now AND {runnable}
    AND (:queues IS NULL OR j.queue IN (SELECT jsonb_array_elements_text(:queues::jsonb)))
    AND (:newest IS NULL OR j.tree <= :newest)
LIMIT 1

-- name: ready_trees
WITH RECURSIVE b (tree) AS (
    SELECT min(f.tree) FROM frames f WHERE f.status = 1 AND f.tree > :after
    UNION ALL
    SELECT (SELECT min(f.tree) FROM frames f WHERE f.status = 1 AND f.tree > b.tree) FROM b WHERE b.tree IS NOT NULL
)
SELECT tree FROM b WHERE tree IS NOT NULL LIMIT :limit

-- name: insert_blob
INSERT INTO blobs (id, body) VALUES (?, ?)

-- name: refs_beside
SELECT w.value, (SELECT max(e.ref) FROM executions e WHERE e.ref < w.value),
    (SELECT min(e.ref) FROM executions e WHERE e.ref > w.value)
FROM (SELECT jsonb_array_elements_text(?::jsonb) COLLATE "C" AS value) w

-- name: map_run_refs_beside
SELECT w.value, (SELECT max(r.ref) FROM map_runs r WHERE r.ref < w.value),
    (SELECT min(r.ref) FROM map_runs r WHERE r.ref > w.value)
FROM (SELECT jsonb_array_elements_text(?::jsonb) COLLATE "C" AS value) w

-- name: token_key
SELECT value FROM secrets WHERE name = 'task tokens'

-- name: set_token_key
INSERT INTO secrets (name, value) VALUES ('task tokens', ?) ON CONFLICT (name) DO NOTHING

-- name: only_statuses
AND e.status IN (SELECT jsonb_array_elements_text(:statuses::jsonb))

-- name: only_tags
AND NOT EXISTS (
    SELECT 1 FROM jsonb_array_elements(:tags::jsonb) AS asked(tag) WHERE NOT EXISTS (
        SELECT 1 FROM execution_tags t WHERE t.name = asked.tag ->> 0 AND t.value = asked.tag ->> 1 AND t.execution = e.id
    )
)

-- name: only_state
AND (e.id IN (SELECT value FROM json_each(:logged)) OR EXISTS (
    SELECT 1 FROM states s JOIN state_times t ON t.state = s.id AND t.started = e.started AND t.execution = e.id
    WHERE s.name = :state AND s.workflow = e.workflow
) OR EXISTS (
    SELECT 1 FROM frames f WHERE f.execution = e.id AND f.status < 3 AND f.status > 0 AND f.state = :state
) OR e.id < (SELECT i.next FROM ids i WHERE i.name = 'state_times') AND EXISTS (
    SELECT 1 FROM history h, json_array_elements(h.events::json) AS event(parts)
    WHERE h.execution = e.id AND event.parts ->> 3 LIKE '%StateEntered' AND event.parts -> 4 ->> 'name' = :state
))

-- name: measures
count(*), count(*) FILTER (WHERE e.status IN ('FAILED', 'TIMED_OUT')), min(e.started), max(e.started),
coalesce((json_agg(e.closed - e.started) FILTER (WHERE e.closed IS NOT NULL))::text, '[]')

-- name: measured_by_state
SELECT s.workflow, s.name, sum(t.visits), sum(t.failures), sum(t.retries), sum(t.working),
    min(t.started), max(t.started), coalesce((json_agg(t.duration) FILTER (WHERE t.visits = 1))::text, '[]'),
    coalesce((json_agg(json_build_array(t.visits, t.duration, t.longest)) FILTER (WHERE t.visits > 1))::text, '[]')

-- name: append_state_times
-- What it answers does not count its own row.
INSERT INTO state_log (spans) VALUES (?) RETURNING (SELECT count(*) + 1 FROM state_log)

-- name: delete_tags
DELETE FROM execution_tags WHERE (name, value, execution) IN (
    SELECT t.key, t.value, e.id
    FROM json_each(?) wanted JOIN executions e ON e.id = wanted.value, jsonb_each_text(e.tags::jsonb) AS t(key, value)
)

-- name: executions_named
SELECT {execution_columns}
FROM (SELECT jsonb_array_elements_text(?::jsonb) COLLATE "C" AS value) w JOIN executions e ON e.name = w.value
WHERE e.workflow = ?

-- name: names_in_use
SELECT e.name
FROM (SELECT jsonb_array_elements_text(?::jsonb) COLLATE "C" AS value) w JOIN executions e ON e.name = w.value
WHERE e.workflow = ?

-- name: succeeded_children
(f.forked::json ->> 4)::bigint

-- name: forked_at
(f.forked::json ->> 6)::bigint

-- name: seconds_now
extract(epoch FROM now())::bigint

-- name: events_of_row
json_array_length(h.events::json)
