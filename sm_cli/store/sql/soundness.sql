-- What is wrong in a database, and what puts it right. They walk tables from end to end: the caller waits for it.

-- name: problem_counts
-- A sentence, the statement that puts it right (NULL: none does), how many rows it is about.
SELECT 'executions without their data', NULL, count(*) FROM executions e
    WHERE NOT EXISTS (SELECT 1 FROM execution_data d WHERE d.execution = e.id)
UNION ALL SELECT 'executions without their definition', NULL, count(*) FROM executions e
    WHERE NOT EXISTS (SELECT 1 FROM definitions d WHERE d.digest = e.digest)
UNION ALL SELECT 'running executions without a frame', NULL, count(*) FROM executions e
    WHERE e.status = 'RUNNING' AND NOT EXISTS (SELECT 1 FROM frames f WHERE f.execution = e.id AND f.parent IS NULL)
UNION ALL SELECT 'inputs and outputs without their execution', NULL, count(*) FROM execution_data d
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = d.execution)
UNION ALL SELECT 'frames without their execution', NULL, count(*) FROM frames f
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = f.execution)
UNION ALL SELECT 'frames without the frame that they are in', NULL, count(*) FROM frames f
    WHERE f.parent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM frames p WHERE p.id = f.parent)
UNION ALL SELECT 'frames that wait for a task that is not there', NULL, count(*) FROM frames f
    WHERE f.status = 2 AND (f.opens & 1) = 1
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.frame = f.id AND j.seq = f.seq)
UNION ALL SELECT 'frames that wait for nothing that could come', NULL, count(*) FROM frames f
    WHERE f.status = 2 AND (f.opens & 1) = 0
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.frame = f.id AND j.seq = f.seq)
    AND NOT EXISTS (SELECT 1 FROM timers t WHERE t.frame = f.id AND t.seq = f.seq)
    AND NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.frame = f.id AND s.seq = f.seq)
    AND NOT EXISTS (SELECT 1 FROM frames c WHERE c.parent = f.id AND c.status < 3)
    AND NOT EXISTS (SELECT 1 FROM executions c WHERE c.parent_frame = f.id AND c.status IN ('RUNNING', 'PENDING'))
    AND NOT EXISTS (SELECT 1 FROM ended_children c WHERE c.tree = f.tree AND c.frame = f.id)
UNION ALL SELECT 'forks that count other children than there are', NULL, count(*) FROM frames f
    WHERE f.status = 2 AND f.forked IS NOT NULL AND EXISTS (SELECT 1 FROM frames c WHERE c.parent = f.id)
    AND {succeeded_children} <> (
        SELECT count(*) FROM frames c WHERE c.parent = f.id AND c.activation = {forked_at} AND c.status = 3
    )
UNION ALL SELECT 'tasks that no frame waits for', 'delete_stray_jobs', count(*) FROM jobs j
    WHERE NOT EXISTS (SELECT 1 FROM frames f WHERE f.id = j.frame AND f.seq = j.seq AND f.status < 3)
UNION ALL SELECT 'timers that no frame waits for', 'delete_stray_timers', count(*) FROM timers t
    WHERE NOT EXISTS (SELECT 1 FROM frames f WHERE f.id = t.frame AND f.seq = t.seq AND f.status < 3)
UNION ALL SELECT 'waits for messages of no open frame', 'delete_stray_subscriptions', count(*) FROM subscriptions s
    WHERE NOT EXISTS (SELECT 1 FROM frames f WHERE f.id = s.frame AND f.seq = s.seq AND f.status < 3)
UNION ALL SELECT 'ended children that no map run waits for', 'delete_stray_ended_children', count(*) FROM ended_children c
    WHERE {is_not_awaited}
UNION ALL SELECT 'times in states without their execution', 'delete_stray_state_times', count(*) FROM state_times t
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = t.execution)
UNION ALL SELECT 'parts of a history without their execution', NULL, count(*) FROM history h
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = h.execution)
UNION ALL SELECT 'portions of items of a batch that was never started', 'delete_stray_items', count(*) FROM batch_items i
    WHERE {is_of_no_batch}
UNION ALL SELECT 'portions of items of a batch behind which others are missing', NULL, count(*) FROM batch_items i
    WHERE EXISTS (SELECT 1 FROM batch_items n WHERE n.batch = i.batch AND n.first > i.first)
    AND NOT EXISTS (SELECT 1 FROM batch_items n WHERE n.batch = i.batch AND n.first = i.first + i.item_count)
UNION ALL SELECT 'links without either of their executions', 'delete_stray_links', count(*) FROM links l
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = l.source)
    AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = l.target)
UNION ALL SELECT 'versions without their definition', NULL, count(*) FROM versions v
    WHERE v.deleted IS NULL AND NOT EXISTS (SELECT 1 FROM definitions d WHERE d.digest = v.digest)
UNION ALL SELECT 'workflows whose current version is not there', NULL, count(*) FROM current_versions c
    WHERE c.version IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM versions v WHERE v.name = c.name AND v.version = c.version AND v.deleted IS NULL
    )
UNION ALL SELECT 'kinds of numbers of which some would be given out twice', 'raise_ids', count(*) FROM ids
    WHERE ids.next <= {highest_id}

-- name: is_of_no_batch
-- For a day: somebody may be about to start it.
i.created < ({seconds_now} - 86400) * 1000000 AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.ref = i.batch)

-- name: seconds_now
CAST(strftime('%s', 'now') AS INTEGER)

-- name: succeeded_children
json_extract(f.forked, '$[4]')

-- name: forked_at
json_extract(f.forked, '$[6]')

-- name: is_not_awaited
-- Only a frame that is open, in the fork that made the child, counts it.
NOT EXISTS (
    SELECT 1 FROM frames f WHERE f.id = c.frame AND f.status < 3 AND f.forked IS NOT NULL
    AND {forked_at} = c.activation
)

-- name: highest_id
coalesce(CASE ids.name
    WHEN 'blobs' THEN (SELECT max(id) FROM blob_uses)
    WHEN 'executions' THEN (SELECT max(id) FROM executions)
    WHEN 'frames' THEN (SELECT max(id) FROM frames)
    WHEN 'jobs' THEN (SELECT max(id) FROM jobs)
    WHEN 'map_runs' THEN (SELECT max(id) FROM map_runs)
    WHEN 'messages' THEN (SELECT max(id) FROM messages)
    WHEN 'schedules' THEN (SELECT max(id) FROM schedules)
END, 0)

-- name: wrong_event_counts
-- Of those that have a history: of an EXPRESS child of a map run none is kept.
SELECT count(*) FROM executions e JOIN (
    SELECT h.execution, max(h.number + {events_of_row} - 1) AS last, sum({events_of_row}) AS event_count
    FROM history h GROUP BY h.execution
) n ON n.execution = e.id WHERE n.last <> e.events OR n.event_count <> e.events

-- name: events_of_row
json_array_length(h.events)

-- name: delete_stray_jobs
DELETE FROM jobs WHERE NOT EXISTS (
    SELECT 1 FROM frames f WHERE f.id = jobs.frame AND f.seq = jobs.seq AND f.status < 3
)

-- name: delete_stray_timers
DELETE FROM timers WHERE NOT EXISTS (
    SELECT 1 FROM frames f WHERE f.id = timers.frame AND f.seq = timers.seq AND f.status < 3
)

-- name: delete_stray_subscriptions
DELETE FROM subscriptions WHERE NOT EXISTS (
    SELECT 1 FROM frames f WHERE f.id = subscriptions.frame AND f.seq = subscriptions.seq AND f.status < 3
)

-- name: delete_stray_links
DELETE FROM links WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = links.source)
    AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = links.target)

-- name: delete_stray_ended_children
DELETE FROM ended_children AS c WHERE {is_not_awaited}

-- name: delete_stray_items
DELETE FROM batch_items AS i WHERE {is_of_no_batch}

-- name: raise_ids
UPDATE ids SET next = {highest_id} + 1 WHERE ids.next <= {highest_id}

-- name: references_of_columns
SELECT input FROM execution_data WHERE substr(input, 1, 1) = '@'
UNION ALL SELECT output FROM execution_data WHERE substr(output, 1, 1) = '@'
UNION ALL SELECT item FROM frames WHERE substr(item, 1, 1) = '@'
UNION ALL SELECT vars FROM frames WHERE substr(vars, 1, 1) = '@'
UNION ALL SELECT input FROM frames WHERE substr(input, 1, 1) = '@'
UNION ALL SELECT output FROM frames WHERE substr(output, 1, 1) = '@'
UNION ALL SELECT input FROM jobs WHERE substr(input, 1, 1) = '@'
UNION ALL SELECT body FROM messages WHERE substr(body, 1, 1) = '@'
UNION ALL SELECT input FROM schedules WHERE substr(input, 1, 1) = '@'

-- name: history_with_references
SELECT h.id, h.events FROM history h WHERE h.id > ? AND instr(h.events, '"@') > 0 ORDER BY h.id LIMIT ?

-- name: counted_blobs
SELECT u.id, u.uses, EXISTS (SELECT 1 FROM blobs b WHERE b.id = u.id) FROM blob_uses u

-- name: uncounted_blobs
SELECT b.id FROM blobs b WHERE NOT EXISTS (SELECT 1 FROM blob_uses u WHERE u.id = b.id)

-- name: set_blob_uses
UPDATE blob_uses SET uses = ? WHERE id = ?

-- name: delete_blob_uses
DELETE FROM blob_uses WHERE id = ?

-- name: delete_stray_state_times
DELETE FROM state_times WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = state_times.execution)
