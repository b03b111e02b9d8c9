-- Background propagation. A pending row says what to look at again; what it may have to look at stays on record
-- as a tombstone (`ended` is the revision that took it back) until nothing pending is older than that.

DROP VIEW IF EXISTS effective_permission;

-- `nesting` is what holds; `recorded_nesting` also has what was taken back.

ALTER TABLE nesting RENAME TO recorded_nesting;

ALTER TABLE recorded_nesting ADD COLUMN ended INTEGER;

CREATE VIEW nesting AS SELECT organization, child, parent FROM recorded_nesting WHERE ended IS NULL;

DROP INDEX nesting_by_parent;

CREATE INDEX nesting_by_parent ON recorded_nesting (organization, parent, child, ended);

CREATE INDEX nesting_ended ON recorded_nesting (organization) WHERE ended IS NOT NULL;

-- A group that was deleted has given up its name.

ALTER TABLE "group" ADD COLUMN ended INTEGER;

CREATE INDEX group_ended ON "group" (organization) WHERE ended IS NOT NULL;

-- `made` is the revision that made it; the one in `ended` is negative while the change that does it is under way.
-- A tombstone keeps neither role nor resource, so that those can be deleted.

ALTER TABLE assignment RENAME TO assignment_0001;

CREATE TABLE assignment (
    organization INTEGER NOT NULL REFERENCES organization (id),
    id INTEGER NOT NULL,                    -- negative when on the organization itself
    holder INTEGER NOT NULL,                -- a membership (positive) or a group (negative)
    role INTEGER REFERENCES role (id),
    resource INTEGER,
    expires_at INTEGER,
    made INTEGER NOT NULL,
    ended INTEGER,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, resource) REFERENCES resource (organization, id),
    CHECK (ended IS NOT NULL OR (role IS NOT NULL AND resource IS NOT NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO assignment SELECT organization, id, holder, role, resource, expires_at, 0, ended FROM assignment_0001;

DROP TABLE assignment_0001;

CREATE UNIQUE INDEX assignment_by_holder ON assignment (organization, holder, resource, role) WHERE ended IS NULL;

-- All that a check reads of what groups hold on a resource. It serves whoever deletes a role or a
-- resource too, for the foreign key.

CREATE INDEX assignment_by_resource ON assignment (organization, resource, holder, role, expires_at, ended)
    WHERE resource IS NOT NULL;

CREATE INDEX assignment_by_role ON assignment (role, organization) WHERE role IS NOT NULL;

CREATE INDEX assignment_ended ON assignment (organization, holder, ended) WHERE ended IS NOT NULL;

CREATE INDEX assignment_ending ON assignment (organization) WHERE ended < 0;

CREATE INDEX role_critical ON role (organization) WHERE critical;

CREATE TABLE pending (
    organization INTEGER NOT NULL REFERENCES organization (id),
    "group" INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('member', 'assignment', 'whole')),
    ref INTEGER NOT NULL,                   -- the membership; the first revision; the group that the flow goes to
    direction TEXT NOT NULL CHECK (direction IN ('grants', 'revokes')),
    urgency INTEGER NOT NULL,               -- 0 revokes critical roles, 1 revokes, 2 grants
    fence INTEGER,                          -- whose effective roles are distrusted: a membership's, or 0 for all
    since INTEGER NOT NULL,                 -- the first revision that it stands for
    revision INTEGER NOT NULL,              -- the last
    cursor_membership INTEGER NOT NULL DEFAULT 0,       -- pairs up to and with this one are done
    cursor_assignment INTEGER NOT NULL DEFAULT 2147483647,
    done INTEGER NOT NULL DEFAULT 0,        -- pairs looked at
    total INTEGER,                          -- pairs to look at, as estimated when the work began
    recorded_at INTEGER NOT NULL,           -- by the database's clock
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,  -- by the database's clock
    parked INTEGER NOT NULL DEFAULT FALSE,
    last_error TEXT,
    PRIMARY KEY (organization, "group", kind, ref)
) STRICT, WITHOUT ROWID;

CREATE INDEX pending_fence ON pending (organization, fence) WHERE fence IS NOT NULL;

CREATE INDEX pending_due ON pending (urgency, recorded_at) WHERE NOT parked;

ALTER TABLE change ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;

ALTER TABLE change ADD COLUMN settled_at INTEGER;

UPDATE change SET settled_at = recorded_at;

-- Statistics, stated as in 0001.

DELETE FROM sqlite_stat1 WHERE tbl IN ('nesting', 'recorded_nesting', 'assignment', 'assignment_0001');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('recorded_nesting', 'recorded_nesting', '10000000000 1000 2 1'),
    ('recorded_nesting', 'nesting_by_parent', '10000000000 1000 5 1 1'),
    ('recorded_nesting', 'nesting_ended', '10000000000 10'),
    ('group', 'group_ended', '10000000000 10'),
    ('assignment', 'assignment', '10000000000 10000 1'),
    ('assignment', 'assignment_by_holder', '10000000000 10000 10 2 1'),
    ('assignment', 'assignment_by_resource', '10000000000 10000 10 2 1 1 1'),
    ('assignment', 'assignment_by_role', '10000000000 1000 100'),
    ('assignment', 'assignment_ended', '10000000000 10 3 1'),
    ('assignment', 'assignment_ending', '10000000000 5'),
    ('role', 'role_critical', '10000000000 3'),
    ('pending', 'pending', '10000000000 10 3 2 1'),
    ('pending', 'pending_fence', '10000000000 5 2'),
    ('pending', 'pending_due', '10000000000 10000 1');
