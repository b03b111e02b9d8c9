-- What is left of deleted organizations, to be cleared away little by little. Nobody is answered from it: an organization
-- is found by its name, and that is gone.

CREATE TABLE deletion (
    organization INTEGER PRIMARY KEY REFERENCES organization (id),
    revision INTEGER NOT NULL,              -- the change that deleted it
    recorded_at INTEGER NOT NULL,           -- by the database's clock
    done INTEGER NOT NULL DEFAULT 0,        -- rows cleared away
    cursor INTEGER NOT NULL DEFAULT 0       -- no effective role is left of memberships before this one
) STRICT;

-- The revision of all organizations that a change follows from: deleting a role is a change of each one that uses it.

ALTER TABLE change ADD COLUMN caused_by INTEGER;

CREATE INDEX change_by_cause ON change (caused_by) WHERE caused_by IS NOT NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('change', 'change_by_cause', '10000000000 100');
