-- The background audit: rounds, and the drift that they found. And leases of tasks that one process at a time does.

CREATE TABLE rescind_task_lease (
    task TEXT PRIMARY KEY,
    holder TEXT NOT NULL,       -- a process
    expires_at INTEGER NOT NULL              -- by the database's clock
) STRICT, WITHOUT ROWID;

CREATE TABLE rescind_audit_round (
    id INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    completed_at INTEGER,                    -- NULL while under way
    organization INTEGER NOT NULL DEFAULT 0, -- the checkpoint: what comes next
    membership INTEGER NOT NULL DEFAULT 0,
    organizations INTEGER NOT NULL DEFAULT 0,
    memberships INTEGER NOT NULL DEFAULT 0,
    effective_roles INTEGER NOT NULL DEFAULT 0,
    missing INTEGER NOT NULL DEFAULT 0,
    surplus INTEGER NOT NULL DEFAULT 0,
    unsettled INTEGER NOT NULL DEFAULT 0,
    repaired INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE rescind_audit_drift (
    organization INTEGER NOT NULL,
    "group" INTEGER NOT NULL,               -- 0 for what comes from no group
    since INTEGER NOT NULL,                  -- when it was seen first
    seen_at INTEGER NOT NULL,                -- when it was seen last
    round INTEGER NOT NULL,                 -- that saw it last
    missing INTEGER NOT NULL,
    surplus INTEGER NOT NULL,
    repaired INTEGER NOT NULL,
    example TEXT NOT NULL,
    ended_at INTEGER,                        -- when a later round found none
    PRIMARY KEY (organization, "group", since)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rescind_audit_drift_open ON rescind_audit_drift (organization, "group") WHERE ended_at IS NULL;
