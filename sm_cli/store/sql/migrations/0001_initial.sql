-- The first schema. Times are integer microseconds since 1970 UTC; JSON columns hold compact JSON text, NULL
-- for the JSON null, or '@' and an id when the value is large and lives in `blobs`. Small columns come first,
-- so that a row's beginning answers most questions without reading its payload.

-- The next unused id of each table. Ids come from here and not from max(id) + 1, so none is given out twice.
CREATE TABLE ids (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO ids (name, next) VALUES
    ('blobs', 1), ('executions', 1), ('frames', 1), ('jobs', 1), ('map_runs', 1), ('messages', 1);

CREATE TABLE definitions (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    format TEXT NOT NULL,
    created INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- The versions of each name; going back to an older text is a new version with its digest.
CREATE TABLE workflows (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    digest TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

-- Input and output stand apart, so that counting events rewrites a short row and listing reads short rows.
CREATE TABLE executions (
    id INTEGER PRIMARY KEY,
    status TEXT NOT NULL,
    started INTEGER NOT NULL,
    closed INTEGER,
    deadline INTEGER,
    events INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    redrives INTEGER NOT NULL,
    redriven INTEGER,
    tree INTEGER NOT NULL,
    limits INTEGER NOT NULL,
    parent_frame INTEGER,
    parent_seq INTEGER,
    idx INTEGER,
    items INTEGER,
    run INTEGER,
    ref TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    workflow TEXT NOT NULL,
    digest TEXT NOT NULL,
    type TEXT NOT NULL,
    queue TEXT NOT NULL,
    machine TEXT NOT NULL,
    tags TEXT,
    error TEXT,
    cause TEXT,
    UNIQUE (name, workflow)
) STRICT;

-- A list of executions shows none of a map run's children, of which there may be a million.
CREATE INDEX executions_listed ON executions (id) WHERE run IS NULL;
CREATE INDEX executions_by_status ON executions (status) WHERE run IS NULL;
CREATE INDEX executions_by_workflow ON executions (workflow) WHERE run IS NULL;
CREATE INDEX executions_top ON executions (id) WHERE tree = id;
CREATE INDEX executions_running ON executions (workflow) WHERE status = 'RUNNING';
CREATE INDEX executions_overdue ON executions (deadline) WHERE status = 'RUNNING' AND deadline IS NOT NULL;
CREATE INDEX executions_overdue_in_tree ON executions (tree, deadline)
    WHERE status = 'RUNNING' AND deadline IS NOT NULL;
CREATE INDEX executions_of_parent ON executions (parent_frame, status, parent_seq, idx) WHERE parent_frame IS NOT NULL;
CREATE INDEX executions_of_run ON executions (run, idx) WHERE run IS NOT NULL;

CREATE TABLE execution_data (
    execution INTEGER PRIMARY KEY,
    output TEXT,
    input TEXT
) STRICT;

-- One fork of a distributed Map. `forked` is its join as it was closed; while it is open, its frame has it.
CREATE TABLE map_runs (
    id INTEGER PRIMARY KEY,
    execution INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    activation INTEGER NOT NULL,
    status TEXT NOT NULL,
    started INTEGER NOT NULL,
    closed INTEGER,
    redrives INTEGER NOT NULL,
    ref TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    workflow TEXT NOT NULL,
    type TEXT NOT NULL,
    forked TEXT NOT NULL,
    UNIQUE (frame, activation)
) STRICT;

CREATE INDEX map_runs_of_execution ON map_runs (execution);

-- `tree` of a frame, a job and a timer is that of its execution: who works for one execution works for those below it.
CREATE TABLE frames (
    id INTEGER PRIMARY KEY,
    execution INTEGER NOT NULL,
    tree INTEGER NOT NULL,
    parent INTEGER,
    activation INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    status INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    opens INTEGER NOT NULL,
    entered INTEGER NOT NULL,
    last INTEGER NOT NULL,
    entered_at INTEGER NOT NULL,
    machine TEXT NOT NULL,
    state TEXT NOT NULL,
    retries TEXT,
    forked TEXT,
    wake TEXT,
    item TEXT,
    vars TEXT,
    input TEXT,
    output TEXT
) STRICT;

CREATE INDEX frames_ready ON frames (id) WHERE status = 1;
CREATE INDEX frames_ready_in_tree ON frames (tree) WHERE status = 1;
CREATE INDEX frames_root ON frames (execution) WHERE parent IS NULL;
CREATE INDEX frames_open ON frames (execution) WHERE status < 3;
CREATE INDEX frames_children ON frames (parent, status, activation, idx) WHERE parent IS NOT NULL;

-- Large values as JSON text in UTF-8, each stored once and never changed, whoever refers to it: columns of rows, and
-- events of the history.
CREATE TABLE blobs (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- The sha256 of each of them, and how many columns and events refer to it; with none it goes. Beside the bodies, so
-- that counting does not rewrite them.
CREATE TABLE blob_uses (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    uses INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    execution INTEGER NOT NULL,
    tree INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    leased_until INTEGER,
    deliveries INTEGER NOT NULL,
    repeatable INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    available INTEGER NOT NULL,
    timeout REAL,
    heartbeat REAL,
    queue TEXT NOT NULL,
    worker TEXT,
    state TEXT NOT NULL,
    resource TEXT NOT NULL,
    input TEXT
) STRICT;

CREATE INDEX jobs_by_frame ON jobs (frame);
CREATE INDEX jobs_by_execution ON jobs (execution);
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until IS NOT NULL;
CREATE INDEX jobs_free ON jobs (priority DESC, id) WHERE leased_until IS NULL;
CREATE INDEX jobs_free_in_queue ON jobs (queue, priority DESC, id) WHERE leased_until IS NULL;
CREATE INDEX jobs_free_in_tree ON jobs (tree, priority DESC, id) WHERE leased_until IS NULL;
CREATE INDEX jobs_free_of_resource ON jobs (resource, queue) WHERE leased_until IS NULL;

-- Processes that take jobs; `jobs.worker` is the id of one. `process` tells it from others that have or had its pid.
CREATE TABLE workers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process TEXT NOT NULL,
    started INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Frames that workers did not survive, or may not have; `count` of a frame that has moved on (`seq`) means nothing.
CREATE TABLE losses (
    frame INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    count INTEGER NOT NULL
) STRICT;

CREATE TABLE timers (
    frame INTEGER NOT NULL,
    kind TEXT NOT NULL,
    seq INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    tree INTEGER NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (frame, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX timers_due ON timers (due);
CREATE INDEX timers_in_tree ON timers (tree, due);
CREATE INDEX timers_of_execution ON timers (execution, due);

CREATE TABLE subscriptions (
    frame INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    since INTEGER NOT NULL,
    deadline INTEGER,
    kind TEXT NOT NULL,
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (frame, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX subscriptions_open ON subscriptions ("key", value, since);
CREATE INDEX subscriptions_folded ON subscriptions ("key", folded);
CREATE INDEX subscriptions_of_execution ON subscriptions (execution);

-- Waits that ended less than a day ago, so that a sender who came too late is told.
CREATE TABLE past_waits (
    ended INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    how TEXT NOT NULL,
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (ended, frame, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX past_waits_folded ON past_waits ("key", folded, ended);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    received INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    forgotten INTEGER NOT NULL,
    consumed INTEGER,
    execution INTEGER,
    count INTEGER NOT NULL,
    later INTEGER NOT NULL,
    strict INTEGER NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    folded TEXT NOT NULL,
    message_id TEXT,
    receivers TEXT,
    late TEXT,
    body TEXT
) STRICT;

CREATE INDEX messages_buffered ON messages ("key", value) WHERE status = 'buffered';
CREATE INDEX messages_expiring ON messages (expires) WHERE status = 'buffered';
CREATE INDEX messages_folded ON messages ("key", folded);
CREATE INDEX messages_forgotten ON messages (forgotten);
CREATE INDEX messages_sent ON messages (message_id, "key", value) WHERE message_id IS NOT NULL;

-- A row holds the consecutive events that one transaction appended to one execution, as a JSON array of
-- [previous, frame, at, type, detail], and at its end {member of detail: '@' and an id} for what stands in `blobs` (it
-- is null in the detail); the first has the number `number`. One row for five events, appended at
-- the table's end, costs a third of five rows in per-execution order.
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    execution INTEGER NOT NULL,
    number INTEGER NOT NULL,
    events TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX history_of_execution ON history (execution, number);
