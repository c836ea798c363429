-- What requests with an Idempotency-Key were answered with: written by the transaction that did what they ask for.
-- `digest` is of all that the request says, `headers` a JSON object, `body` the text of the answer.
CREATE TABLE idempotency_keys (
    "key" TEXT PRIMARY KEY,
    route TEXT NOT NULL,
    digest TEXT NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created);
