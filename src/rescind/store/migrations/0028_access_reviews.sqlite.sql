-- Access reviews: which state of an organization is reviewed, and which part of it.

CREATE TABLE rescind_review (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,              -- the state that is reviewed
    environment INTEGER NOT NULL,           -- the revision of `*` that belongs to it
    started_at INTEGER NOT NULL,            -- also the time at which expiry is judged
    actor TEXT NOT NULL,
    filter TEXT NOT NULL,                   -- which lines, as JSON
    PRIMARY KEY (organization, name)
) STRICT, WITHOUT ROWID;
