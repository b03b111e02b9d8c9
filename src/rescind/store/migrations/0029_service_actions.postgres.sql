-- The log of service actions: what was done to keys, pending work, logs and the schema. Its numbers have no gap; a digest
-- covers the one before it and the action's own content.

CREATE TABLE rescind.action (
    number BIGINT NOT NULL PRIMARY KEY,
    recorded_at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    organization INTEGER,                   -- whose matter it is; NULL if it is the whole database's
    subject TEXT COLLATE "C" NOT NULL,                  -- what it was done to, such as a key's id
    detail TEXT COLLATE "C" NOT NULL,                   -- as JSON
    actor TEXT COLLATE "C" NOT NULL,
    request TEXT COLLATE "C" NOT NULL,                  -- id of the request over HTTP; else empty
    digest BYTEA NOT NULL
);

-- One row: the newest action. Whoever adds one locks it.

CREATE TABLE rescind.action_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 0),
    number BIGINT NOT NULL,
    digest BYTEA NOT NULL
);

INSERT INTO rescind.action_head (id, number, digest) VALUES (0, 0, '\x94004ebc2754910587f92e1dad2378e837abbfa83bf59e2e9339dd8d56cd87f1');
