-- The digest of each change in the log, over the digest before it and the change's own content. NULL in rows of an older
-- version, until background work has chained them.

ALTER TABLE rescind_change ADD COLUMN environment INTEGER;

ALTER TABLE rescind_change ADD COLUMN digest BLOB;

CREATE INDEX rescind_change_unchained ON rescind_change (organization, revision) WHERE digest IS NULL;

-- Where an organization's kept log begins, if not with its first change.

CREATE TABLE rescind_log_start (
    organization INTEGER NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    digest BLOB NOT NULL,
    environment INTEGER,
    recorded_at INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('rescind_change', 'rescind_change_unchained', '10000000000 1000 1');
