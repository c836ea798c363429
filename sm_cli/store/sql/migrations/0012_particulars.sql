-- What AWS's API keeps of a workflow, a version, an alias or an activity and nothing here reads, and which activities
-- somebody has made. `facts` is a JSON object.
CREATE TABLE particulars (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
