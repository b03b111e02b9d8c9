-- The background audit: rounds, and the drift that they found. And leases of tasks that one process at a time does.

CREATE TABLE rescind.task_lease (
    task TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,       -- a process
    expires_at BIGINT NOT NULL              -- by the database's clock
);

CREATE TABLE rescind.audit_round (
    id INTEGER PRIMARY KEY,
    started_at BIGINT NOT NULL,
    completed_at BIGINT,                    -- NULL while under way
    organization INTEGER NOT NULL DEFAULT 0, -- the checkpoint: what comes next
    membership INTEGER NOT NULL DEFAULT 0,
    organizations BIGINT NOT NULL DEFAULT 0,
    memberships BIGINT NOT NULL DEFAULT 0,
    effective_roles BIGINT NOT NULL DEFAULT 0,
    missing BIGINT NOT NULL DEFAULT 0,
    surplus BIGINT NOT NULL DEFAULT 0,
    unsettled BIGINT NOT NULL DEFAULT 0,
    repaired BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE rescind.audit_drift (
    organization INTEGER NOT NULL,
    "group" INTEGER NOT NULL,               -- 0 for what comes from no group
    since BIGINT NOT NULL,                  -- when it was seen first
    seen_at BIGINT NOT NULL,                -- when it was seen last
    round INTEGER NOT NULL,                 -- that saw it last
    missing BIGINT NOT NULL,
    surplus BIGINT NOT NULL,
    repaired BIGINT NOT NULL,
    example TEXT COLLATE "C" NOT NULL,
    ended_at BIGINT,                        -- when a later round found none
    PRIMARY KEY (organization, "group", since)
);

CREATE UNIQUE INDEX audit_drift_open ON rescind.audit_drift (organization, "group") WHERE ended_at IS NULL;
