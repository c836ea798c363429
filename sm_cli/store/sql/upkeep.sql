-- Questions about the database as a whole. They walk tables from end to end: the caller waits for it.

-- name: dangling_rows
SELECT 'executions without their data', count(*) FROM executions e
    WHERE NOT EXISTS (SELECT 1 FROM execution_data d WHERE d.execution = e.id)
UNION ALL SELECT 'executions without their definition', count(*) FROM executions e
    WHERE NOT EXISTS (SELECT 1 FROM definitions d WHERE d.digest = e.digest)
UNION ALL SELECT 'running executions without a frame', count(*) FROM executions e
    WHERE e.status = 'RUNNING' AND NOT EXISTS (SELECT 1 FROM frames f WHERE f.execution = e.id AND f.parent IS NULL)
UNION ALL SELECT 'inputs and outputs without their execution', count(*) FROM execution_data d
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = d.execution)
UNION ALL SELECT 'frames without their execution', count(*) FROM frames f
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = f.execution)
UNION ALL SELECT 'frames without the frame that they are in', count(*) FROM frames f
    WHERE f.parent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM frames p WHERE p.id = f.parent)
UNION ALL SELECT 'tasks without their frame', count(*) FROM jobs j
    WHERE NOT EXISTS (SELECT 1 FROM frames f WHERE f.id = j.frame)
UNION ALL SELECT 'timers without their frame', count(*) FROM timers t
    WHERE NOT EXISTS (SELECT 1 FROM frames f WHERE f.id = t.frame)
UNION ALL SELECT 'waits for messages without their frame', count(*) FROM subscriptions s
    WHERE NOT EXISTS (SELECT 1 FROM frames f WHERE f.id = s.frame)
UNION ALL SELECT 'parts of a history without their execution', count(*) FROM history h
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = h.execution)
UNION ALL SELECT 'links without either of their executions', count(*) FROM links l
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = l.source)
    AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = l.target)
UNION ALL SELECT 'large values that nothing counts', count(*) FROM blobs b
    WHERE NOT EXISTS (SELECT 1 FROM blob_uses u WHERE u.id = b.id)

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
SELECT events FROM history WHERE instr(events, '"@') > 0

-- name: counted_blobs
SELECT u.id, u.uses, EXISTS (SELECT 1 FROM blobs b WHERE b.id = u.id) FROM blob_uses u

-- name: count_by_status
SELECT e.status, count(*) FROM executions e INDEXED BY executions_by_status WHERE e.run IS NULL GROUP BY e.status

-- name: count_of_children
SELECT count(*) FROM executions e INDEXED BY executions_of_run WHERE e.run IS NOT NULL
