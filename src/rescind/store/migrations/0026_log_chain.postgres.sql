-- The digest of each change in the log, over the digest before it and the change's own content. NULL in rows of an older
-- version, until background work has chained them.

ALTER TABLE rescind.change ADD COLUMN environment BIGINT;

ALTER TABLE rescind.change ADD COLUMN digest BYTEA;

CREATE INDEX change_unchained ON rescind.change (organization, revision) WHERE digest IS NULL;

-- Where an organization's kept log begins, if not with its first change.

CREATE TABLE rescind.log_start (
    organization INTEGER NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    environment BIGINT,
    recorded_at BIGINT NOT NULL,
    why TEXT COLLATE "C" NOT NULL
);
