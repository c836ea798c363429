-- Links: which execution was started with the data of which other one.

-- name: insert_link
-- Makes no row when it was to be the first of its source and workflow and is not.
INSERT INTO links (target, target_ref, target_workflow, source, source_ref, source_workflow, at, state, transform,
    "unique", number)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, CASE WHEN CAST(?10 AS BIGINT) = 1 THEN 1 ELSE 1 + coalesce(
    (SELECT max(l.number) FROM links l WHERE l.source = ?4 AND l.target_workflow = ?3), 0) END)
ON CONFLICT (source, target_workflow, number) DO NOTHING

-- name: link_columns
l.target, l.target_ref, l.target_workflow, l.source, l.source_ref, l.source_workflow, l.at, l.state, l.transform,
l."unique"

-- name: columns_of_link_ends
{link_columns}, s.name, s.status, t.name, t.status

-- name: links_and_ends
links l LEFT JOIN executions s ON s.id = l.source LEFT JOIN executions t ON t.id = l.target

-- name: link_filter
AND (:source_workflow IS NULL OR l.source_workflow = :source_workflow)
AND (:target_workflow IS NULL OR l.target_workflow = :target_workflow)
AND (:state IS NULL OR l.state = :state)
AND (:since IS NULL OR l.at >= :since)
ORDER BY l.target DESC LIMIT :limit

-- name: links
SELECT {columns_of_link_ends} FROM {links_and_ends}
WHERE l.target < :before
{link_filter}

-- name: links_of_execution
SELECT {columns_of_link_ends} FROM {links_and_ends}
WHERE (l.target = :execution OR l.source = :execution) AND l.target < :before
{link_filter}

-- name: first_links
-- Of each of these sources the first link to this workflow: while a source is there, all that it led to is.
SELECT {link_columns}
FROM json_each(:sources) wanted
CROSS JOIN links l INDEXED BY links_of_source
    ON l.source = wanted.value AND l.target_workflow = :workflow AND l.number = 1

-- name: delete_links
-- Those of deleted executions whose other one is gone, too.
DELETE FROM links WHERE target IN (
    SELECT l.target FROM json_each(:executions) gone CROSS JOIN links l ON l.target = gone.value
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = l.source)
    UNION ALL
    SELECT l.target FROM json_each(:executions) gone
    CROSS JOIN links l INDEXED BY links_of_source ON l.source = gone.value
    WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = l.target)
)
