-- Jobs: leased attempts at a task; and the workers that lease them.

-- name: job_columns
j.id, j.execution, j.frame, j.seq, j.state, j.resource, j.input, j.attempt, j.queue, j.priority, j.available,
j.timeout, j.heartbeat, j.leased_until, j.worker, j.deliveries, j.repeatable, j.company

-- name: jobs
SELECT {job_columns} FROM json_each(?) wanted JOIN jobs j ON j.id = wanted.value

-- name: job_of_frame
SELECT {job_columns} FROM jobs j INDEXED BY jobs_by_frame WHERE j.frame = ? ORDER BY j.id DESC LIMIT 1

-- name: jobs_of_execution
SELECT {job_columns} FROM jobs j WHERE j.execution = ? ORDER BY j.id

-- name: handed_over
SELECT {job_columns} FROM jobs j INDEXED BY jobs_leased WHERE j.leased_until = ? AND j.id > ?
ORDER BY j.id LIMIT ?

-- name: runnable
(:resources IS NULL OR j.resource IN (SELECT value FROM json_each(:resources)))

-- name: free_jobs
SELECT {job_columns} FROM jobs j INDEXED BY jobs_free
WHERE j.leased_until IS NULL AND j.available <= :now AND {runnable}
ORDER BY j.priority DESC, j.id LIMIT :limit

-- name: free_jobs_in_queue
SELECT {job_columns} FROM jobs j INDEXED BY jobs_free_in_queue
WHERE j.leased_until IS NULL AND j.queue = :queue AND j.available <= :now AND {runnable}
ORDER BY j.priority DESC, j.id LIMIT :limit

-- name: free_jobs_in_tree
SELECT {job_columns} FROM jobs j INDEXED BY jobs_free_in_tree
WHERE j.leased_until IS NULL AND j.tree = :tree AND (:queue IS NULL OR j.queue = :queue)
    AND j.available <= :now AND {runnable}
ORDER BY j.priority DESC, j.id LIMIT :limit

-- name: has_free
SELECT 1 FROM json_each(:resources) wanted WHERE EXISTS (
    SELECT 1 FROM jobs j INDEXED BY jobs_free_of_resource
    WHERE j.leased_until IS NULL AND j.resource = wanted.value AND j.available <= :now
        AND (:queues IS NULL OR j.queue IN (SELECT value FROM json_each(:queues)))
        AND (:newest IS NULL OR j.tree <= :newest)
) LIMIT 1

-- name: free_of_resource
SELECT j.queue, j.tree FROM jobs j INDEXED BY jobs_free_of_resource
WHERE j.leased_until IS NULL AND j.resource = ? LIMIT ?

-- name: has_free_in_tree
SELECT 1 FROM jobs j INDEXED BY jobs_free_in_tree
WHERE j.leased_until IS NULL AND j.tree = :tree AND j.available <= :now AND {runnable}
    AND (:queues IS NULL OR j.queue IN (SELECT value FROM json_each(:queues)))
    AND (:newest IS NULL OR j.tree <= :newest)
LIMIT 1

-- name: queues
-- One look at the index for each queue that has a free job.
WITH RECURSIVE b (queue) AS (
    SELECT min(j.queue) FROM jobs j INDEXED BY jobs_free_in_queue WHERE j.leased_until IS NULL
    UNION ALL
    SELECT (SELECT min(j.queue) FROM jobs j INDEXED BY jobs_free_in_queue
            WHERE j.leased_until IS NULL AND j.queue > b.queue)
    FROM b WHERE b.queue IS NOT NULL
)
SELECT queue FROM b WHERE queue IS NOT NULL

-- name: waiting_resources
-- As `queues`, for each resource.
WITH RECURSIVE b (resource) AS (
    SELECT min(j.resource) FROM jobs j INDEXED BY jobs_free_of_resource WHERE j.leased_until IS NULL
    UNION ALL
    SELECT (SELECT min(j.resource) FROM jobs j INDEXED BY jobs_free_of_resource
            WHERE j.leased_until IS NULL AND j.resource > b.resource)
    FROM b WHERE b.resource IS NOT NULL
)
SELECT resource FROM b WHERE resource IS NOT NULL

-- name: lost_jobs
SELECT {job_columns} FROM jobs j INDEXED BY jobs_leased
WHERE j.leased_until <= ? ORDER BY j.leased_until, j.id LIMIT ?

-- name: lost_jobs_in_tree
SELECT {job_columns} FROM jobs j INDEXED BY jobs_leased
WHERE j.leased_until <= ? AND j.tree = ? ORDER BY j.leased_until, j.id LIMIT ?

-- name: held_jobs
-- Asked when a worker was lost; walks what is leased, which is never more than all workers have slots.
SELECT {job_columns} FROM jobs j INDEXED BY jobs_leased
WHERE j.leased_until < ? AND j.worker = ? ORDER BY j.id

-- name: leases
SELECT j.id FROM json_each(?) wanted JOIN jobs j ON j.id = wanted.value WHERE j.worker = ?

-- name: insert_job
INSERT INTO jobs (id, execution, tree, frame, seq, state, resource, input, attempt, queue, priority, available,
    timeout, heartbeat, leased_until, worker, deliveries, repeatable, company)
VALUES (?1, ?2, coalesce((SELECT e.tree FROM executions e WHERE e.id = ?2), ?2), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: lease_job
UPDATE jobs SET leased_until = ?, worker = ?, deliveries = ?, repeatable = ?, company = ? WHERE id = ?

-- name: delete_jobs
-- Answers with the large inputs, which have to go too.
DELETE FROM jobs WHERE frame IN (SELECT value FROM json_each(?))
RETURNING CASE WHEN substr(input, 1, 1) = '@' THEN input END

-- name: first_lease_end
SELECT leased_until FROM jobs WHERE leased_until IS NOT NULL ORDER BY leased_until LIMIT 1

-- name: first_lease_end_in_tree
SELECT j.leased_until FROM jobs j INDEXED BY jobs_leased
WHERE j.tree = ? AND j.leased_until IS NOT NULL ORDER BY j.leased_until LIMIT 1

-- name: workers
SELECT w.id, w.name, w.host, w.pid, w.process, w.started, w.seen, w.serves FROM workers w ORDER BY w.started, w.id

-- name: set_worker
INSERT INTO workers (id, name, host, pid, process, started, seen, serves) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, serves = excluded.serves

-- name: delete_worker
DELETE FROM workers WHERE id = ?
