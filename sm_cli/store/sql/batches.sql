-- Items of batches that are kept in the database until they have been read.

-- name: kept_items
-- From the row that holds item :start to the one that holds the last before :end.
SELECT first, item_count, items FROM batch_items
WHERE batch = :batch AND first < :end AND first >= coalesce(
    (SELECT max(b.first) FROM batch_items b WHERE b.batch = :batch AND b.first <= :start), :start
) ORDER BY first

-- name: first_kept
SELECT first FROM batch_items WHERE batch = ? ORDER BY first LIMIT 1

-- name: next_kept_batch
SELECT batch, created FROM batch_items WHERE batch > ? ORDER BY batch, first LIMIT 1

-- name: insert_batch_items
INSERT INTO batch_items (batch, first, item_count, created, items) VALUES (?, ?, ?, ?, ?)

-- name: delete_batch_items
DELETE FROM batch_items WHERE batch = ? AND first + item_count <= ?

-- name: delete_items_of_executions
DELETE FROM batch_items WHERE batch IN (
    SELECT e.ref FROM json_each(?) wanted CROSS JOIN executions e ON e.id = wanted.value
)
