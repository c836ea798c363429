-- Each text of a workflow has one number, for good: the same text again is the same version. Until now, going back to
-- an older text made a new row; no number was ever shown, so they are given anew, in the order of the first rows.
CREATE TABLE versions (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    deleted INTEGER,
    digest TEXT NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

INSERT INTO versions (name, version, created, digest)
SELECT name, row_number() OVER (PARTITION BY name ORDER BY min(version)), min(created), digest
FROM workflows GROUP BY name, digest;

CREATE UNIQUE INDEX versions_of_digest ON versions (digest, name);
CREATE INDEX versions_deleted ON versions (digest) WHERE deleted IS NOT NULL;

-- Which version a bare name means: the one that was registered last, or gone back to. None is left when it is NULL.
CREATE TABLE current_versions (
    name TEXT PRIMARY KEY,
    version INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO current_versions (name, version)
SELECT w.name, v.version FROM workflows w JOIN versions v ON v.name = w.name AND v.digest = w.digest
WHERE w.version = (SELECT max(n.version) FROM workflows n WHERE n.name = w.name);

DROP TABLE workflows;

-- Names for versions. `targets` is a JSON array of [version, weight in percent], one or two of them.
CREATE TABLE aliases (
    name TEXT NOT NULL,
    alias TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    targets TEXT NOT NULL,
    PRIMARY KEY (name, alias)
) STRICT, WITHOUT ROWID;

-- Which version an execution runs, and what stood behind the workflow's name when it was started: an alias or a number.
ALTER TABLE executions ADD COLUMN version INTEGER;
ALTER TABLE executions ADD COLUMN qualifier TEXT;

UPDATE executions SET version = (
    SELECT v.version FROM versions v
    WHERE v.digest = executions.digest AND v.name = CASE
        WHEN executions.run IS NULL THEN executions.workflow
        ELSE substr(executions.workflow, 1, instr(executions.workflow || '/', '/') - 1)
    END
);
