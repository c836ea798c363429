-- Answers to requests with a key, kept for a day.

-- name: keyed_answer
SELECT k."key", k.route, k.digest, k.status, k.headers, k.body, k.created FROM idempotency_keys k
WHERE k."key" = ? AND k.created > ?

-- name: keep_answer
INSERT INTO idempotency_keys ("key", route, digest, status, headers, body, created) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT ("key") DO UPDATE SET route = excluded.route, digest = excluded.digest, status = excluded.status,
    headers = excluded.headers, body = excluded.body, created = excluded.created

-- name: stale_answers
SELECT k."key", k.created FROM idempotency_keys k INDEXED BY idempotency_keys_by_age
WHERE k.created <= ? ORDER BY k.created LIMIT ?

-- name: forget_answer
DELETE FROM idempotency_keys WHERE "key" = ? AND created = ?
