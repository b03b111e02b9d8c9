-- Keys of the HTTP service. The secret is nowhere: `digest` is the SHA-256 of it. `former_digest` is the one before a
-- rotation, good until `former_until`. Times are microseconds since 1970, UTC; no time means never.

CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    former_digest TEXT,
    former_until INTEGER,
    scopes TEXT NOT NULL,                    -- parted by blanks
    organization TEXT,                      -- the only one that it is good for, by name
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
