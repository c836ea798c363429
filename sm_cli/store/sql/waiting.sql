-- Timers and subscriptions: what a frame may wait for besides a job.

-- name: timer_columns
t.execution, t.frame, t.seq, t.kind, t.due

-- name: not_anothers
-- The worker that has leased the frame's job decides whether it is late.
(:worker IS NULL OR NOT EXISTS (SELECT 1 FROM jobs j WHERE j.frame = t.frame AND j.worker <> :worker))

-- name: due_timers
SELECT {timer_columns} FROM timers t
WHERE t.due <= :now AND (t.due, t.frame) > (:due, :frame) AND {not_anothers}
ORDER BY t.due, t.frame, t.kind LIMIT :limit

-- name: due_timers_in_tree
SELECT {timer_columns} FROM timers t
WHERE t.tree = :tree AND t.due <= :now AND (t.due, t.frame) > (:due, :frame) AND {not_anothers}
ORDER BY t.due, t.frame, t.kind LIMIT :limit

-- name: due_timers_of
SELECT {timer_columns} FROM json_each(:frames) wanted CROSS JOIN timers t ON t.frame = wanted.value
WHERE t.due <= :now

-- name: has_due
SELECT 1 FROM timers WHERE due <= :now
UNION ALL
SELECT 1 FROM executions INDEXED BY executions_overdue
WHERE status = 'RUNNING' AND deadline IS NOT NULL AND deadline <= :now
LIMIT 1

-- name: has_due_in_tree
SELECT 1 FROM timers INDEXED BY timers_in_tree WHERE tree = :tree AND due <= :now
UNION ALL
SELECT 1 FROM executions INDEXED BY executions_overdue_in_tree
WHERE status = 'RUNNING' AND deadline IS NOT NULL AND tree = :tree AND deadline <= :now
LIMIT 1

-- name: due_among
-- Trees of these executions in which time has brought something that nobody has stepped yet.
SELECT DISTINCT e.tree FROM json_each(:executions) wanted CROSS JOIN executions e ON e.id = wanted.value
WHERE EXISTS (SELECT 1 FROM timers t INDEXED BY timers_in_tree WHERE t.tree = e.tree AND t.due <= :now)
    OR EXISTS (
        SELECT 1 FROM executions o INDEXED BY executions_overdue_in_tree
        WHERE o.status = 'RUNNING' AND o.deadline IS NOT NULL AND o.tree = e.tree AND o.deadline <= :now
    )

-- name: timers_of_execution
SELECT {timer_columns} FROM timers t WHERE t.execution = ? ORDER BY t.due, t.frame, t.kind

-- name: first_due
SELECT t.due FROM timers t WHERE {not_anothers} ORDER BY t.due LIMIT 1

-- name: outlook
-- What a worker asks before it begins a transaction: over a network each question costs its way.
SELECT EXISTS ({has_ready}), ({first_due}), ({first_deadline}), ({first_lease_end}), ({first_schedule}), ({first_to_go_on})

-- name: outlook_with_jobs
SELECT EXISTS ({has_free}), EXISTS ({has_ready}), ({first_due}), ({first_deadline}), ({first_lease_end}), ({first_schedule}),
    ({first_to_go_on})

-- name: first_due_in_tree
SELECT t.due FROM timers t WHERE t.tree = :tree AND {not_anothers} ORDER BY t.due LIMIT 1

-- name: set_timer
INSERT INTO timers (execution, tree, frame, seq, kind, due)
VALUES (?1, coalesce((SELECT e.tree FROM executions e WHERE e.id = ?1), ?1), ?, ?, ?, ?)
ON CONFLICT (frame, kind) DO UPDATE SET execution = excluded.execution, seq = excluded.seq, due = excluded.due

-- name: delete_timers
DELETE FROM timers WHERE frame = ?

-- name: subscription_columns
s.execution, s.frame, s.seq, s."key", s.value, s.since, s.deadline, s.kind

-- name: subscriptions
SELECT {subscription_columns} FROM subscriptions s INDEXED BY subscriptions_open
WHERE s."key" = ? AND s.value = ? AND s.kind = coalesce(?, s.kind) ORDER BY s.since, s.frame, s.seq LIMIT ?

-- name: near_subscriptions
SELECT {subscription_columns} FROM subscriptions s INDEXED BY subscriptions_folded
WHERE s."key" = ? AND s.folded = ? ORDER BY s.frame, s.seq LIMIT ?

-- name: next_awaited_key
SELECT s."key" FROM subscriptions s INDEXED BY subscriptions_folded WHERE s."key" > ? ORDER BY s."key" LIMIT 1

-- name: subscriptions_of_execution
SELECT {subscription_columns} FROM subscriptions s WHERE s.execution = ? ORDER BY s.since, s.frame, s.seq

-- name: open_wait
{subscription_columns}, e.ref, e.name, e.workflow, f.state

-- name: open_waits
SELECT {open_wait}
FROM subscriptions s CROSS JOIN executions e ON e.id = s.execution CROSS JOIN frames f ON f.id = s.frame
WHERE s.frame > :after
ORDER BY s.frame, s.seq LIMIT :limit

-- name: open_waits_for_key
SELECT {open_wait}
FROM subscriptions s INDEXED BY subscriptions_open
CROSS JOIN executions e ON e.id = s.execution CROSS JOIN frames f ON f.id = s.frame
WHERE s."key" = :key AND s.frame > :after
    AND (:after_frame IS NULL OR (s.value, s.since, s.frame) > (:after_value, :after_since, :after_frame))
ORDER BY s.value, s.since, s.frame LIMIT :limit

-- name: open_waits_for_value
SELECT {open_wait}
FROM subscriptions s INDEXED BY subscriptions_open
CROSS JOIN executions e ON e.id = s.execution CROSS JOIN frames f ON f.id = s.frame
WHERE s."key" = :key AND s.value = :value AND s.frame > :after
    AND (:after_frame IS NULL OR (s.since, s.frame) > (:after_since, :after_frame))
ORDER BY s.since, s.frame LIMIT :limit

-- name: open_waits_of_workflow
-- Only what is running is walked, in order, up to the limit.
SELECT {open_wait}
FROM executions e INDEXED BY executions_running
CROSS JOIN subscriptions s ON s.execution = e.id CROSS JOIN frames f ON f.id = s.frame
WHERE e.status = 'RUNNING' AND e.workflow = :workflow AND s.frame > :after
    AND s."key" = coalesce(:key, s."key") AND s.value = coalesce(:value, s.value)
    AND (:after_frame IS NULL OR (e.id, s.frame) > (:after_execution, :after_frame))
ORDER BY e.id, s.frame, s.seq LIMIT :limit

-- name: insert_subscription
INSERT INTO subscriptions (execution, frame, seq, "key", value, since, deadline, kind, folded)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: delete_subscriptions
DELETE FROM subscriptions WHERE frame = ?

-- name: past_wait_columns
w.execution, w.frame, w.seq, w."key", w.value, w.ended, w.how

-- name: past_waits
SELECT {past_wait_columns} FROM past_waits w INDEXED BY past_waits_folded
WHERE w."key" = ? AND w.folded = ? ORDER BY w.ended DESC, w.frame DESC, w.seq DESC LIMIT ?

-- name: stale_waits
SELECT {past_wait_columns} FROM past_waits w WHERE w.ended < ? ORDER BY w.ended, w.frame, w.seq LIMIT ?

-- name: end_wait
-- Redrive may bring a frame back to a seq; a second end at the same instant adds nothing.
INSERT INTO past_waits (ended, frame, seq, execution, how, "key", value, folded)
SELECT :at, s.frame, s.seq, s.execution, :how, s."key", s.value, s.folded FROM subscriptions s WHERE s.frame = :frame
ON CONFLICT DO NOTHING

-- name: forget_wait
DELETE FROM past_waits WHERE ended = ? AND frame = ? AND seq = ?
