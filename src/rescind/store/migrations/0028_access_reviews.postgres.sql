-- Access reviews: which state of an organization is reviewed, and which part of it.

CREATE TABLE rescind.review (
    organization INTEGER NOT NULL REFERENCES rescind.organization (id),
    name TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,               -- the state that is reviewed
    environment BIGINT NOT NULL,            -- the revision of `*` that belongs to it
    started_at BIGINT NOT NULL,             -- also the time at which expiry is judged
    actor TEXT COLLATE "C" NOT NULL,
    filter TEXT COLLATE "C" NOT NULL,       -- which lines, as JSON
    PRIMARY KEY (organization, name)
);
