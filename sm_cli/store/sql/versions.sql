-- Definitions, the versions of workflows, and aliases.

-- name: definition
SELECT digest, name, text, format, created FROM definitions WHERE digest = ?

-- name: insert_definition
INSERT INTO definitions (digest, name, text, format, created) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (digest) DO UPDATE SET text = excluded.text, format = excluded.format
WHERE definitions.text <> excluded.text

-- name: version_columns
v.name, v.version, v.digest, v.created, v.deleted

-- name: insert_version
INSERT INTO versions (name, version, digest, created) VALUES (?, ?, ?, ?)
ON CONFLICT (name, version) DO UPDATE SET created = excluded.created, deleted = NULL WHERE versions.deleted IS NOT NULL

-- name: delete_version
UPDATE versions SET deleted = ? WHERE name = ? AND version = ?

-- name: set_current_version
INSERT INTO current_versions (name, version) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version

-- name: version
SELECT {version_columns} FROM versions v WHERE v.name = ? AND v.version = ?

-- name: version_of_text
SELECT {version_columns} FROM versions v WHERE v.digest = ? AND v.name = ?

-- name: newest_number
SELECT max(version) FROM versions WHERE name = ?

-- name: versions
SELECT {version_columns} FROM versions v WHERE v.name = ? AND v.deleted IS NULL ORDER BY v.version DESC

-- name: current_definitions
SELECT d.digest, v.name, d.text, d.format, v.created, v.version
FROM current_versions c
JOIN versions v ON v.name = c.name AND v.version = c.version
JOIN definitions d ON d.digest = v.digest

-- name: current_definition
{current_definitions} WHERE c.name = ?

-- name: workflows
-- Walks `current_versions` whole: as many rows as there are names of workflows. Names that begin so are our own.
{current_definitions} WHERE substr(c.name, 1, 3) <> 'sm:' ORDER BY c.name

-- name: set_alias
INSERT INTO aliases (name, alias, created, updated, targets) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (name, alias) DO UPDATE SET updated = excluded.updated, targets = excluded.targets

-- name: delete_alias
DELETE FROM aliases WHERE name = ? AND alias = ?

-- name: alias
SELECT name, alias, created, updated, targets FROM aliases WHERE name = ? AND alias = ?

-- name: aliases
SELECT name, alias, created, updated, targets FROM aliases WHERE name = ? ORDER BY alias

-- name: running_on_version
-- Children of map runs are not looked for: who runs a Map runs itself, on the same version.
SELECT count(*), min(e.id) FROM executions e INDEXED BY executions_running
WHERE e.status = 'RUNNING' AND e.workflow = ? AND e.digest = ?

-- name: running_of_workflow
SELECT e.id FROM executions e INDEXED BY executions_running
WHERE e.status = 'RUNNING' AND e.workflow = ? ORDER BY e.id

-- name: is_unused
-- A text of which every version was deleted, and that no execution has any more.
d.digest IN (SELECT v.digest FROM versions v INDEXED BY versions_deleted WHERE v.deleted IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.digest = d.digest AND v.deleted IS NULL)
AND NOT EXISTS (
    SELECT 1 FROM versions v JOIN executions e INDEXED BY executions_by_workflow
        ON e.run IS NULL AND e.workflow = v.name AND e.digest = v.digest
    WHERE v.digest = d.digest
)

-- name: unused_definitions
SELECT d.digest FROM definitions d WHERE {is_unused} LIMIT ?

-- name: delete_unused_definitions
DELETE FROM definitions AS d WHERE {is_unused}

-- name: particulars
SELECT kind, name, created, updated, facts FROM particulars WHERE kind = ? AND name = ?

-- name: particulars_of_kind
SELECT kind, name, created, updated, facts FROM particulars WHERE kind = ? AND name > ? ORDER BY name LIMIT ?

-- name: set_particulars
INSERT INTO particulars (kind, name, created, updated, facts) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (kind, name) DO UPDATE SET updated = excluded.updated, facts = excluded.facts

-- name: delete_particulars
DELETE FROM particulars WHERE kind = ? AND name = ?
