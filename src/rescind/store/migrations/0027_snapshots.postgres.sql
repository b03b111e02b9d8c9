-- All facts of an organization at some of its revisions, compressed, so that the past can be asked without replaying the
-- whole log.

CREATE TABLE rescind.snapshot (
    organization INTEGER NOT NULL REFERENCES rescind.organization (id),
    revision BIGINT NOT NULL,
    environment BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL CHECK (source IN ('replay', 'facts')),
    format INTEGER NOT NULL,
    digest BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (organization, revision)
);

-- The bodies are compressed already.

ALTER TABLE rescind.snapshot ALTER COLUMN body SET STORAGE EXTERNAL;
