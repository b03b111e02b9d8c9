-- Keys of the HTTP service. The secret is nowhere: `digest` is the SHA-256 of it. `former_digest` is the one before a
-- rotation, good until `former_until`. Times are microseconds since 1970, UTC; no time means never.

CREATE TABLE api_key (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    former_digest TEXT COLLATE "C",
    former_until BIGINT,
    scopes TEXT COLLATE "C" NOT NULL,                    -- parted by blanks
    organization TEXT COLLATE "C",                      -- the only one that it is good for, by name
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT
);
