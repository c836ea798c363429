-- Timers, subscriptions, messages: what a frame may wait for besides a job.

-- name: timer_columns
t.execution, t.frame, t.seq, t.kind, t.due

-- name: due_timers
SELECT {timer_columns} FROM timers t WHERE t.due <= ? ORDER BY t.due, t.frame, t.kind LIMIT ?

-- name: due_timers_of_execution
SELECT {timer_columns} FROM timers t WHERE t.execution = ? AND t.due <= ? ORDER BY t.due, t.frame, t.kind LIMIT ?

-- name: timers_of_execution
SELECT {timer_columns} FROM timers t WHERE t.execution = ? ORDER BY t.due, t.frame, t.kind

-- name: first_due
SELECT due FROM timers ORDER BY due LIMIT 1

-- name: first_due_of_execution
SELECT due FROM timers WHERE execution = ? ORDER BY due LIMIT 1

-- name: set_timer
INSERT INTO timers (execution, frame, seq, kind, due) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (frame, kind) DO UPDATE SET execution = excluded.execution, seq = excluded.seq, due = excluded.due

-- name: delete_timers
DELETE FROM timers WHERE frame = ?

-- name: subscription_columns
s.execution, s.frame, s.seq, s."key", s.value, s.since, s.deadline

-- name: subscriptions
SELECT {subscription_columns} FROM subscriptions s
WHERE s."key" = ? AND s.value = ? ORDER BY s.since, s.frame, s.seq

-- name: subscriptions_of_execution
SELECT {subscription_columns} FROM subscriptions s WHERE s.execution = ? ORDER BY s.since, s.frame, s.seq

-- name: insert_subscription
INSERT INTO subscriptions (execution, frame, seq, "key", value, since, deadline) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: delete_subscriptions
DELETE FROM subscriptions WHERE frame = ?

-- name: message_columns
m.id, m."key", m.value, m.message_id, m.received, m.expires, m.status, m.body

-- name: buffered_message
SELECT {message_columns} FROM messages m INDEXED BY messages_buffered
WHERE m."key" = ? AND m.value = ? AND m.status = 'buffered' AND m.expires > ?
    AND m.id NOT IN (SELECT value FROM json_each(?))
ORDER BY m.id LIMIT 1

-- name: message_sent
SELECT {message_columns} FROM messages m
WHERE m."key" = ? AND m.value = ? AND m.message_id = ? ORDER BY m.id DESC LIMIT 1

-- name: insert_message
INSERT INTO messages (id, "key", value, message_id, received, expires, status, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: consume_message
UPDATE messages SET status = 'consumed' WHERE id = ?
