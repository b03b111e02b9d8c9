-- Facts, effective roles and the change log. Statements are parted by blank lines.
-- Ids are small integers that count up within an organization and are never used again, one series for
-- memberships, groups, resources and assignments. Groups have negative ids, so that a holder is a
-- membership or a group by its sign. An assignment on the organization itself has a negative id, so that
-- a membership's organization-wide effective roles are one key range. Times are microseconds since 1970,
-- UTC; no time means never.

CREATE TABLE organization (
    id INTEGER PRIMARY KEY,
    slug TEXT UNIQUE,                       -- NULL once deleted
    name TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    last_number INTEGER NOT NULL DEFAULT 0,
    role_mode TEXT NOT NULL DEFAULT 'multiple' CHECK (role_mode IN ('multiple', 'single')),
    on_loss TEXT NOT NULL DEFAULT 'default' CHECK (on_loss IN ('default', 'next-highest')),
    default_role INTEGER REFERENCES role (id),
    created_at INTEGER NOT NULL,
    deleted_as TEXT
) STRICT;

CREATE INDEX organization_by_default_role ON organization (default_role) WHERE default_role IS NOT NULL;

INSERT INTO organization (id, slug, name, created_at) VALUES (0, '*', 'all organizations', 0);

CREATE TABLE membership (
    organization INTEGER NOT NULL REFERENCES organization (id),
    id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    name TEXT,
    active INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE "group" (
    organization INTEGER NOT NULL REFERENCES organization (id),
    id INTEGER NOT NULL,
    slug TEXT NOT NULL,
    name TEXT,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, slug)
) STRICT, WITHOUT ROWID;

CREATE TABLE group_member (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    "group" INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (organization, membership, "group"),
    FOREIGN KEY (organization, membership) REFERENCES membership (organization, id),
    FOREIGN KEY (organization, "group") REFERENCES "group" (organization, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX group_member_by_group ON group_member (organization, "group", membership, expires_at);

CREATE TABLE nesting (
    organization INTEGER NOT NULL,
    child INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    PRIMARY KEY (organization, child, parent),
    FOREIGN KEY (organization, child) REFERENCES "group" (organization, id),
    FOREIGN KEY (organization, parent) REFERENCES "group" (organization, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX nesting_by_parent ON nesting (organization, parent, child);

CREATE TABLE permission (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization INTEGER NOT NULL REFERENCES organization (id),
    slug TEXT NOT NULL,
    description TEXT NOT NULL,
    critical INTEGER NOT NULL,
    UNIQUE (slug, organization)
) STRICT;

CREATE INDEX permission_by_organization ON permission (organization);

CREATE TABLE role (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization INTEGER NOT NULL REFERENCES organization (id),
    slug TEXT NOT NULL,
    name TEXT,
    priority INTEGER NOT NULL,
    critical INTEGER NOT NULL,
    UNIQUE (slug, organization)
) STRICT;

CREATE INDEX role_by_organization ON role (organization);

CREATE TABLE role_permission (
    role INTEGER NOT NULL REFERENCES role (id),
    permission INTEGER NOT NULL REFERENCES permission (id),
    PRIMARY KEY (role, permission)
) STRICT, WITHOUT ROWID;

CREATE INDEX role_permission_by_permission ON role_permission (permission, role);

CREATE TABLE resource_type (
    organization INTEGER NOT NULL REFERENCES organization (id),
    slug TEXT NOT NULL,
    parents TEXT NOT NULL,                  -- a JSON list, sorted; empty means anywhere
    PRIMARY KEY (slug, organization)
) STRICT, WITHOUT ROWID;

CREATE TABLE resource (
    organization INTEGER NOT NULL REFERENCES organization (id),
    id INTEGER NOT NULL,                    -- 0 is the organization itself
    slug TEXT NOT NULL,
    parent INTEGER,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, slug),
    FOREIGN KEY (organization, parent) REFERENCES resource (organization, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX resource_by_parent ON resource (organization, parent);

CREATE TABLE assignment (
    organization INTEGER NOT NULL REFERENCES organization (id),
    id INTEGER NOT NULL,                    -- negative when on the organization itself
    holder INTEGER NOT NULL,                -- a membership (positive) or a group (negative)
    role INTEGER NOT NULL REFERENCES role (id),
    resource INTEGER NOT NULL,
    expires_at INTEGER,
    ended INTEGER,                          -- the revision that took it back: a tombstone
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, resource) REFERENCES resource (organization, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX assignment_by_holder ON assignment (organization, holder, resource, role) WHERE ended IS NULL;

CREATE INDEX assignment_by_resource ON assignment (organization, resource, role) WHERE ended IS NULL;

CREATE INDEX assignment_to_group ON assignment (organization, resource, role) WHERE ended IS NULL AND holder < 0;

CREATE INDEX assignment_by_role ON assignment (role, organization) WHERE ended IS NULL;

CREATE INDEX assignment_ended ON assignment (organization) WHERE ended IS NOT NULL;

CREATE TABLE effective_role (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    assignment INTEGER NOT NULL,
    expires_at INTEGER,                     -- when the last group membership behind it expires
    PRIMARY KEY (organization, membership, assignment)
) STRICT, WITHOUT ROWID;

CREATE TABLE role_reset (                   -- held, but not counted: the membership lost a higher role
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    assignment INTEGER NOT NULL,
    PRIMARY KEY (organization, membership, assignment)
) STRICT, WITHOUT ROWID;

CREATE TABLE change (
    organization INTEGER NOT NULL REFERENCES organization (id),
    revision INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    idempotency_key TEXT,
    direction TEXT NOT NULL CHECK (direction IN ('grants', 'revokes')),
    route TEXT NOT NULL,
    granted INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (organization, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    organization INTEGER NOT NULL REFERENCES organization (id),
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    revision INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (organization, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_time ON idempotency (organization, recorded_at);

-- The planner's statistics, stated and not measured: the shape that organizations have, so that plans are the
-- same for the first row and the millionth. The first number, of all rows, is higher than any estimate of
-- look-ups: else SQLite would fill a Bloom filter with an organization's rows for every check.

ANALYZE sqlite_schema;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('organization', 'sqlite_autoindex_organization_1', '10000000000 1'),
    ('membership', 'membership', '10000000000 10000 1'),
    ('membership', 'sqlite_autoindex_membership_2', '10000000000 10000 1'),
    ('group', 'group', '10000000000 1000 1'),
    ('group', 'sqlite_autoindex_group_2', '10000000000 1000 1'),
    ('group_member', 'group_member', '10000000000 50000 5 1'),
    ('group_member', 'group_member_by_group', '10000000000 50000 100 1 1'),
    ('nesting', 'nesting', '10000000000 1000 2 1'),
    ('nesting', 'nesting_by_parent', '10000000000 1000 5 1'),
    ('permission', 'sqlite_autoindex_permission_1', '10000000000 2 1'),
    ('permission', 'permission_by_organization', '10000000000 1000'),
    ('role', 'sqlite_autoindex_role_1', '10000000000 2 1'),
    ('role', 'role_by_organization', '10000000000 1000'),
    ('role_permission', 'role_permission', '10000000000 20 1'),
    ('role_permission', 'role_permission_by_permission', '10000000000 100 1'),
    ('resource', 'resource', '10000000000 10000 1'),
    ('resource', 'sqlite_autoindex_resource_2', '10000000000 10000 1'),
    ('resource', 'resource_by_parent', '10000000000 10000 20'),
    ('assignment', 'assignment', '10000000000 10000 1'),
    ('assignment', 'assignment_by_holder', '10000000000 10000 10 2 1'),
    ('assignment', 'assignment_by_resource', '10000000000 10000 10 3'),
    ('assignment', 'assignment_to_group', '10000000000 5000 5 2'),
    ('assignment', 'assignment_by_role', '10000000000 1000 100'),
    ('assignment', 'assignment_ended', '10000000000 10'),
    ('effective_role', 'effective_role', '10000000000 1000000 100 1'),
    ('role_reset', 'role_reset', '10000000000 100 2 1'),
    ('change', 'change', '10000000000 10000 1'),
    ('idempotency', 'idempotency', '10000000000 100 1'),
    ('idempotency', 'idempotency_by_time', '10000000000 100 1');
