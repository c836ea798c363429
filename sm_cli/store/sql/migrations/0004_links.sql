-- Which execution was started with the data of which other one. A row stays as long as one of the two is there, so the
-- public ids and the workflows of both stand in it. `number` counts the links of a source to a workflow from 1: a link
-- that is to be the only one takes 1 or is refused by the index.
CREATE TABLE links (
    target INTEGER PRIMARY KEY,
    source INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    "unique" INTEGER NOT NULL,
    target_ref TEXT NOT NULL,
    source_ref TEXT NOT NULL,
    target_workflow TEXT NOT NULL,
    source_workflow TEXT NOT NULL,
    state TEXT,
    transform TEXT
) STRICT;

CREATE UNIQUE INDEX links_of_source ON links (source, target_workflow, number);
