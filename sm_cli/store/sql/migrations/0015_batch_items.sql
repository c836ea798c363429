-- Items of batches that come from no file which every worker can read, until they have been read: JSON Lines, a row for
-- each few hundred of them. `batch` is the public id of the batch's parent execution, which is started when all its items
-- are here.
CREATE TABLE batch_items (
    batch TEXT NOT NULL,
    first INTEGER NOT NULL,
    item_count INTEGER NOT NULL,
    created INTEGER NOT NULL,
    items BLOB NOT NULL,
    PRIMARY KEY (batch, first)
) STRICT;
