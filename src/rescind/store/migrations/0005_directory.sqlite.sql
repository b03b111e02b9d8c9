-- What the management API keeps beside the facts: attributes, answers to repeated requests, and events. An entry belongs
-- to an object by the object's number, which is never used again: whatever is made anew under an old name starts afresh.

CREATE TABLE directory (
    organization INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,                -- the object's; 0 for the organization itself
    public_id TEXT,                         -- where it is not the one that follows from the number
    external_id TEXT,                       -- of an organization
    attributes TEXT NOT NULL DEFAULT '{}',  -- JSON
    created_at INTEGER,                     -- NULL where the object was not made by the management API
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organization, kind, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX directory_by_public_id ON directory (public_id) WHERE public_id IS NOT NULL;

CREATE UNIQUE INDEX directory_by_external_id ON directory (external_id) WHERE external_id IS NOT NULL;

-- From this secret follow the public ids of what has no other.

CREATE TABLE directory_secret (secret TEXT NOT NULL) STRICT;

INSERT INTO directory_secret SELECT lower(hex(randomblob(16)));

-- The answer to each request with an idempotency key, for as long as keys are kept.

CREATE TABLE directory_answer (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,                   -- of the request
    status INTEGER,
    body TEXT,
    receipts TEXT,                      -- JSON: what has to be enforced before it is given again
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX directory_answer_by_time ON directory_answer (recorded_at);

-- Events in the order in which they were committed.

CREATE TABLE directory_event (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    written_by INTEGER NOT NULL DEFAULT 0,  -- the transaction; here there is one at a time
    organization INTEGER NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,                     -- JSON
    actor TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX directory_event_by_organization ON directory_event (organization, position);

-- In which organizations somebody is.

CREATE INDEX membership_by_subject ON membership (subject, organization);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('directory', 'directory', '10000000000 10000 5000 1'),
    ('directory', 'directory_by_public_id', '10000000000 1'),
    ('directory', 'directory_by_external_id', '10000000000 1'),
    ('directory_answer', 'directory_answer', '10000000000 1000 1'),
    ('directory_answer', 'directory_answer_by_time', '10000000000 1'),
    ('directory_event', 'directory_event_by_organization', '10000000000 10000 1'),
    ('membership', 'membership_by_subject', '10000000000 3 1');
