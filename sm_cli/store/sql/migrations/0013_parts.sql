-- What one transaction holds where several write side by side (Postgres): a part of a tree. A child of a map run and
-- what it started are a part, `part` is the id of that child; NULL: the part is that of the execution at the top.
ALTER TABLE executions ADD COLUMN part INTEGER;

-- Children of map runs that ended in a transaction that did not hold their parent: whoever holds it next counts them.
CREATE TABLE ended_children (
    tree INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    child INTEGER NOT NULL,
    activation INTEGER NOT NULL,
    items INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    PRIMARY KEY (tree, frame, child)
) STRICT, WITHOUT ROWID;
