-- Jobs: leased attempts at a task.

-- name: job_columns
j.id, j.execution, j.frame, j.seq, j.state, j.resource, j.input, j.attempt, j.queue, j.priority, j.available,
j.timeout, j.heartbeat, j.leased_until, j.worker, j.deliveries

-- name: jobs
SELECT {job_columns} FROM json_each(?) wanted JOIN jobs j ON j.id = wanted.value

-- name: jobs_of_execution
SELECT {job_columns} FROM jobs j WHERE j.execution = ? ORDER BY j.id

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

-- name: free_jobs_of_execution
SELECT {job_columns} FROM jobs j INDEXED BY jobs_free_of_execution
WHERE j.leased_until IS NULL AND j.execution = :only AND (:queue IS NULL OR j.queue = :queue)
    AND j.available <= :now AND {runnable}
ORDER BY j.priority DESC, j.id LIMIT :limit

-- name: lost_jobs
-- Those whose lease ran out.
SELECT {job_columns} FROM jobs j INDEXED BY jobs_leased
WHERE j.leased_until <= :now AND (:only IS NULL OR j.execution = :only)
    AND (:queue IS NULL OR j.queue = :queue) AND {runnable}
ORDER BY j.priority DESC, j.id LIMIT :limit

-- name: own_jobs
-- Asked once, when a worker starts; walks what is leased, which is never more than all workers have slots.
SELECT {job_columns} FROM jobs j INDEXED BY jobs_leased
WHERE j.leased_until IS NOT NULL AND j.worker = :worker AND (:only IS NULL OR j.execution = :only)
    AND (:queue IS NULL OR j.queue = :queue) AND {runnable}
ORDER BY j.priority DESC, j.id LIMIT :limit

-- name: insert_job
INSERT INTO jobs (id, execution, frame, seq, state, resource, input, attempt, queue, priority, available,
    timeout, heartbeat, leased_until, worker, deliveries)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: lease_job
UPDATE jobs SET leased_until = ?, worker = ?, deliveries = ? WHERE id = ?

-- name: delete_jobs
-- Answers with the large inputs, which have to go too.
DELETE FROM jobs WHERE frame IN (SELECT value FROM json_each(?))
RETURNING CASE WHEN substr(input, 1, 1) = '@' THEN input END

-- name: first_lease_end
SELECT leased_until FROM jobs WHERE leased_until IS NOT NULL ORDER BY leased_until LIMIT 1

-- name: first_lease_end_of_execution
SELECT j.leased_until FROM jobs j INDEXED BY jobs_leased
WHERE j.execution = ? AND j.leased_until IS NOT NULL ORDER BY j.leased_until LIMIT 1
