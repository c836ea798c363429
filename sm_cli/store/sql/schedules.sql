-- Schedules: what starts executions by the clock.

-- name: schedule_columns
s.id, s.name, s.workflow, s.cron, s.zone, s.every, s.anchor, s.jitter, s.overlap, s.catch_up, s.queue, s.limits,
s.created, s.next, s.due, s.paused_at, s.running, s.waiting, s.firings, s.input

-- name: schedules
SELECT {schedule_columns} FROM schedules s WHERE s.name > :after ORDER BY s.name LIMIT :limit

-- name: schedule
SELECT {schedule_columns} FROM schedules s WHERE s.name = ?

-- name: due_schedules
SELECT {schedule_columns} FROM schedules s INDEXED BY schedules_due
WHERE s.due IS NOT NULL AND s.due <= :now ORDER BY s.due, s.id LIMIT :limit

-- name: first_schedule
SELECT s.due FROM schedules s INDEXED BY schedules_due WHERE s.due IS NOT NULL ORDER BY s.due LIMIT 1

-- name: can_go_on
-- Times wait, it is not paused, and none of the executions that they wait for runs.
s.waiting IS NOT NULL AND s.paused_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM json_each(s.running) r CROSS JOIN executions e ON e.id = r.value WHERE e.status = 'RUNNING'
)

-- name: schedules_to_go_on
SELECT {schedule_columns} FROM schedules s INDEXED BY schedules_waiting WHERE {can_go_on} ORDER BY s.id LIMIT :limit

-- name: first_to_go_on
-- At once.
SELECT 0 FROM schedules s INDEXED BY schedules_waiting WHERE {can_go_on} LIMIT 1

-- name: has_schedules
SELECT 1 FROM schedules WHERE name > '' LIMIT 1

-- name: insert_schedule
INSERT INTO schedules (id, name, workflow, cron, zone, every, anchor, jitter, overlap, catch_up, queue, limits,
    created, next, due, paused_at, running, waiting, firings, input)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: update_schedule
UPDATE schedules SET next = ?, due = ?, paused_at = ?, running = ?, waiting = ?, firings = ? WHERE id = ?

-- name: delete_schedule
-- Answers with the input, for a large one has to go too.
DELETE FROM schedules WHERE id = ? RETURNING input
