-- Processes that hold an index in memory, and what they hold. A revoking change waits for the rows of its
-- organization. No times of day: who waits counts on its own clock, from when it read the row.

CREATE TABLE replica (
    id TEXT COLLATE "C" PRIMARY KEY,        -- one incarnation of one process
    name TEXT COLLATE "C" NOT NULL,         -- for people
    ttl BIGINT NOT NULL,                    -- of its lease, microseconds
    beat BIGINT NOT NULL DEFAULT 0          -- goes up with every renewal
) WITH (fillfactor = 50);

CREATE TABLE replica_held (
    organization INTEGER NOT NULL,          -- 0 for what is defined for all organizations
    replica TEXT COLLATE "C" NOT NULL REFERENCES replica (id) ON DELETE CASCADE,
    revision BIGINT NOT NULL,               -- no check of the replica is answered by an older one
    PRIMARY KEY (organization, replica)
) WITH (fillfactor = 50);

CREATE INDEX replica_held_by_replica ON replica_held (replica);
