-- Messages: buffered, consumed, expired; kept for a while after that.

-- name: message_columns
m.id, m."key", m.value, m.message_id, m.received, m.expires, m.status, m.kind, m.strict, m.execution, m.consumed,
m.count, m.later, m.receivers, m.late

-- name: buffered_message
SELECT {message_columns}, m.body FROM messages m INDEXED BY messages_buffered
WHERE m."key" = :key AND m.value = :value AND m.status = 'buffered' AND m.expires > :now
    AND (m.strict = 0 OR m.kind = coalesce(:kind, m.kind)) AND (m.execution IS NULL OR m.execution = :execution)
    AND m.id NOT IN (SELECT value FROM json_each(:skip))
ORDER BY m.id LIMIT 1

-- name: message
SELECT {message_columns}, m.body FROM messages m WHERE m.id = ?

-- name: message_sent
SELECT {message_columns}, m.body FROM messages m INDEXED BY messages_sent
WHERE m.message_id = ? AND m."key" = ? AND m.value = ? ORDER BY m.id DESC LIMIT 1

-- name: messages_named
SELECT {message_columns}, m.body FROM messages m INDEXED BY messages_sent
WHERE m.message_id = ? ORDER BY m.id DESC LIMIT ?

-- name: near_messages
SELECT {message_columns}, m.body FROM messages m INDEXED BY messages_folded
WHERE m."key" = ? AND m.folded = ? ORDER BY m.id DESC LIMIT ?

-- name: message_filter
m.id < :before AND m."key" = coalesce(:key, m."key") AND m.value = coalesce(:value, m.value)
AND (:status IS NULL
    OR :status = CASE WHEN m.status = 'buffered' AND m.expires <= :now THEN 'expired' ELSE m.status END)
ORDER BY m.id DESC LIMIT :limit

-- name: list_messages
SELECT {message_columns} FROM messages m WHERE {message_filter}

-- name: list_messages_for_value
SELECT {message_columns} FROM messages m INDEXED BY messages_folded
WHERE m."key" = :key AND m.folded = :folded AND {message_filter}

-- name: insert_message
INSERT INTO messages (id, "key", value, message_id, received, expires, status, kind, strict, execution, consumed,
    count, later, receivers, late, body, folded, forgotten)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: consume_message
UPDATE messages SET status = 'consumed', consumed = ?, forgotten = ?, count = 1, receivers = ? WHERE id = ?

-- name: expire_message
UPDATE messages SET status = 'expired' WHERE id = ? AND status = 'buffered'

-- name: delete_messages
-- Answers with the large bodies, which have to go too.
DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?))
RETURNING CASE WHEN substr(body, 1, 1) = '@' THEN body END

-- name: expiring_messages
SELECT m.id FROM messages m INDEXED BY messages_expiring
WHERE m.status = 'buffered' AND m.expires <= ? ORDER BY m.expires, m.id LIMIT ?

-- name: forgotten_messages
-- The body of one that later ticks still hand over is kept while any frame is ready.
SELECT m.id FROM messages m
WHERE m.forgotten <= ? AND (m.later = 0 OR NOT EXISTS (SELECT 1 FROM frames f WHERE f.status = 1))
ORDER BY m.forgotten, m.id LIMIT ?
