-- The log of service actions: what was done to keys, pending work, logs and the schema. Its numbers have no gap; a digest
-- covers the one before it and the action's own content.

CREATE TABLE rescind_action (
    number INTEGER NOT NULL PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    organization INTEGER,                   -- whose matter it is; NULL if it is the whole database's
    subject TEXT NOT NULL,                  -- what it was done to, such as a key's id
    detail TEXT NOT NULL,                   -- as JSON
    actor TEXT NOT NULL,
    request TEXT NOT NULL,                  -- id of the request over HTTP; else empty
    digest BLOB NOT NULL
) STRICT;

-- One row: the newest action. Whoever adds one locks it.

CREATE TABLE rescind_action_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 0),
    number INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;

INSERT INTO rescind_action_head (id, number, digest) VALUES (0, 0, X'94004ebc2754910587f92e1dad2378e837abbfa83bf59e2e9339dd8d56cd87f1');
