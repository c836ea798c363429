-- Frames and the large values that they and jobs hold.

-- name: frame_columns
f.tree, f.id, f.execution, f.parent, f.activation, f.idx, f.machine, f.state, f.seq, f.status, f.opens, f.retries, f.forked,
f.entered, f.last, f.entered_at, f.wake, f.work_since, f.item, f.vars, f.input, f.output

-- name: frames
SELECT {frame_columns} FROM json_each(?) wanted JOIN frames f ON f.id = wanted.value

-- name: ready_frames
SELECT {frame_columns} FROM frames f WHERE f.status = 1 ORDER BY f.id LIMIT ?

-- name: ready_frames_in_tree
SELECT {frame_columns} FROM frames f INDEXED BY frames_ready_in_tree
WHERE f.tree = ? AND f.status = 1 ORDER BY f.id LIMIT ?

-- name: ready
SELECT f.tree, f.id FROM frames f WHERE f.status = 1 ORDER BY f.id LIMIT ?

-- name: ready_in_tree
SELECT f.tree, f.id FROM frames f INDEXED BY frames_ready_in_tree
WHERE f.tree = ? AND f.status = 1 ORDER BY f.id LIMIT ?

-- name: ready_trees
-- One look at the index for each.
WITH RECURSIVE b (tree) AS (
    SELECT min(f.tree) FROM frames f INDEXED BY frames_ready_in_tree WHERE f.status = 1 AND f.tree > :after
    UNION ALL
    SELECT (SELECT min(f.tree) FROM frames f INDEXED BY frames_ready_in_tree WHERE f.status = 1 AND f.tree > b.tree)
    FROM b WHERE b.tree IS NOT NULL LIMIT :limit
)
SELECT tree FROM b WHERE tree IS NOT NULL

-- name: has_ready
SELECT 1 FROM frames f WHERE f.status = 1
UNION ALL
SELECT 1 FROM ended_children c WHERE c.tree > 0
LIMIT 1

-- name: has_ready_in_tree
SELECT 1 FROM frames f INDEXED BY frames_ready_in_tree WHERE f.tree = ?1 AND f.status = 1
UNION ALL
SELECT 1 FROM ended_children c WHERE c.tree = ?1
LIMIT 1

-- name: losses
SELECT l.frame, l.count FROM losses l CROSS JOIN frames f ON f.id = l.frame WHERE f.seq = l.seq AND f.status < 3

-- name: add_loss
INSERT INTO losses (frame, seq, count)
SELECT f.id, f.seq, :count FROM frames f WHERE f.id = :frame AND f.status < 3
ON CONFLICT (frame) DO UPDATE SET seq = excluded.seq,
    count = excluded.count + CASE WHEN losses.seq = excluded.seq THEN losses.count ELSE 0 END

-- name: delete_losses
-- Asked when a worker was lost.
DELETE FROM losses WHERE NOT EXISTS (
    SELECT 1 FROM frames f WHERE f.id = losses.frame AND f.seq = losses.seq AND f.status < 3
)

-- name: pending_children
SELECT {frame_columns} FROM frames f
WHERE f.parent = ? AND f.status = 0 AND f.activation = ? AND f.idx >= ? ORDER BY f.idx LIMIT ?

-- name: outputs
SELECT f.idx, f.output FROM frames f WHERE f.parent = ? AND f.status = 3 AND f.activation = ? ORDER BY f.idx

-- name: root_frame
SELECT {frame_columns} FROM frames f INDEXED BY frames_root WHERE f.execution = ? AND f.parent IS NULL

-- name: root_frames
SELECT {frame_columns} FROM json_each(?) wanted
CROSS JOIN frames f INDEXED BY frames_root ON f.execution = wanted.value WHERE f.parent IS NULL

-- name: children
SELECT {frame_columns} FROM frames f WHERE f.parent = ? AND f.activation = ? ORDER BY f.idx

-- name: descendants
-- An open frame's parent is open, or it is the frame that was asked about.
WITH RECURSIVE below (id) AS (
    SELECT c.id FROM frames c WHERE c.parent = ? AND c.status IN (0, 1, 2)
    UNION ALL
    SELECT c.id FROM below b JOIN frames c ON c.parent = b.id AND c.status IN (0, 1, 2)
)
SELECT {frame_columns} FROM below b JOIN frames f ON f.id = b.id ORDER BY f.id

-- name: open_frames
SELECT {frame_columns} FROM frames f INDEXED BY frames_open
WHERE f.execution = ? AND f.status < 3 ORDER BY f.id LIMIT ?

-- name: open_frames_of
SELECT {frame_columns} FROM json_each(?) wanted
CROSS JOIN frames f INDEXED BY frames_open ON f.execution = wanted.value WHERE f.status < 3 ORDER BY f.id

-- name: ended_child_columns
c.tree, c.frame, c.child, c.activation, c.items, c.succeeded

-- name: ended_children
SELECT {ended_child_columns} FROM ended_children c WHERE c.tree > 0 ORDER BY c.tree, c.frame, c.child LIMIT ?

-- name: ended_children_in_tree
SELECT {ended_child_columns} FROM ended_children c WHERE c.tree = ? ORDER BY c.frame, c.child LIMIT ?

-- name: ended_children_of
SELECT {ended_child_columns} FROM ended_children c WHERE c.tree = ? AND c.frame = ? ORDER BY c.child

-- name: insert_ended_child
INSERT INTO ended_children (tree, frame, child, activation, items, succeeded) VALUES (?, ?, ?, ?, ?, ?)

-- name: delete_ended_children
DELETE FROM ended_children WHERE tree = ? AND frame = ? AND child IN (SELECT value FROM json_each(?))

-- name: insert_frame
-- Its execution stands there already.
INSERT INTO frames (id, execution, tree, parent, activation, idx, machine, state, seq, status, opens, retries, forked,
    entered, last, entered_at, wake, work_since, item, vars, input, output)
VALUES (?1, ?2, coalesce((SELECT e.tree FROM executions e WHERE e.id = ?2), ?2), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: update_frame
UPDATE frames SET status = ?, state = ?, seq = ?, opens = ?, retries = ?, forked = ?, entered = ?, last = ?,
    entered_at = ?, wake = ?, work_since = ?, item = ?, vars = ?, input = ?, output = ?
WHERE id = ?

-- name: step_frame
-- As update_frame, for a frame that keeps its status: no index has to be touched.
UPDATE frames SET state = ?, seq = ?, opens = ?, retries = ?, forked = ?, entered = ?, last = ?,
    entered_at = ?, wake = ?, work_since = ?, item = ?, vars = ?, input = ?, output = ?
WHERE id = ?

-- name: wake_frames
UPDATE frames SET status = 1, opens = 0, wake = ? WHERE id IN (SELECT value FROM json_each(?))

-- name: blob
-- Without the body when it is longer than :most bytes.
SELECT CASE WHEN length(body) <= :most THEN body END FROM blobs WHERE id = :id

-- name: size_of_blobs
-- Bytes of all together, one as often as it is named; the bodies are not read.
SELECT coalesce(sum(length(b.body)), 0) FROM json_each(?) wanted CROSS JOIN blobs b ON b.id = wanted.value

-- name: insert_blob
-- Its place; the body is written into it.
INSERT INTO blobs (id, body) VALUES (?, zeroblob(?))

-- name: blob_of_digest
SELECT id FROM blob_uses WHERE digest = ?

-- name: insert_blob_uses
INSERT INTO blob_uses (id, digest, uses) VALUES (?, ?, ?)

-- name: use_blob
UPDATE blob_uses SET uses = uses + ? WHERE id = ?

-- name: unused_blobs
DELETE FROM blob_uses WHERE id IN (SELECT value FROM json_each(?)) AND uses <= 0 RETURNING id

-- name: delete_blob
DELETE FROM blobs WHERE id = ?
