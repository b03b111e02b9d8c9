-- All facts of an organization at some of its revisions, compressed, so that the past can be asked without replaying the
-- whole log.

CREATE TABLE rescind_snapshot (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    revision INTEGER NOT NULL,
    environment INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    taken_at INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('replay', 'facts')),
    format INTEGER NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (organization, revision)
) STRICT;
