-- The current schema on SQLite, whole: `rescind migrate` makes a new database from it. A database that is there already
-- comes to it by the migrations, and a test proves that both are the same. Statements are parted by blank lines.
--
-- Everything begins with `rescind_`, so that the file can be an application's too. Ids are small integers that count up
-- within an organization and are never used again, one series for memberships, groups, resources and assignments. Groups
-- have negative ids, so that a holder is a membership or a group by its sign. An assignment on the organization itself has
-- a negative id, so that a membership's organization-wide effective roles are one key range. Times are microseconds since
-- 1970, UTC; no time means never.

-- Alembic's version table, under a name of our own.

CREATE TABLE rescind_schema_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);

-- ---- facts ---------------------------------------------------------------------------------------------------------

-- Number 0 is `*`: what is defined for all organizations.

CREATE TABLE rescind_organization (
    id INTEGER PRIMARY KEY,
    slug TEXT UNIQUE,                       -- NULL once deleted
    name TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,    -- goes up by one with each change
    last_number INTEGER NOT NULL DEFAULT 0, -- the last id given to anything in it
    role_mode TEXT NOT NULL DEFAULT 'multiple' CHECK (role_mode IN ('multiple', 'single')),
    on_loss TEXT NOT NULL DEFAULT 'default' CHECK (on_loss IN ('default', 'next-highest')),
    default_role INTEGER REFERENCES rescind_role (id),
    created_at INTEGER NOT NULL,
    deleted_as TEXT,
    id_rule TEXT NOT NULL DEFAULT 'exact' CHECK (id_rule IN ('exact', 'casefold')),
    search_name TEXT NOT NULL DEFAULT ''    -- the name as a search looks for it
) STRICT;

CREATE INDEX rescind_organization_by_default_role ON rescind_organization (default_role) WHERE default_role IS NOT NULL;

INSERT INTO rescind_organization (id, slug, name, created_at) VALUES (0, '*', 'all organizations', 0);

-- A subject's place in an organization: what roles are given to.

CREATE TABLE rescind_membership (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    name TEXT,
    active INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    folded TEXT,                            -- what look-alikes have in common, where that is not the subject
    PRIMARY KEY (organization, id),
    UNIQUE (organization, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_membership_by_subject ON rescind_membership (subject, organization);

CREATE INDEX rescind_membership_deactivated ON rescind_membership (organization, subject) WHERE NOT active;

CREATE INDEX rescind_membership_by_folded ON rescind_membership (organization, folded) WHERE folded IS NOT NULL;

CREATE TABLE rescind_group (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    id INTEGER NOT NULL,
    slug TEXT NOT NULL,                     -- one that was deleted has given up its name
    name TEXT,
    ended INTEGER,                          -- the revision that deleted it: a tombstone
    folded TEXT,                            -- as of a membership
    search_name TEXT NOT NULL DEFAULT '',   -- the name, or else the id, as a search looks for it
    PRIMARY KEY (organization, id),
    UNIQUE (organization, slug)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_group_ended ON rescind_group (organization) WHERE ended IS NOT NULL;

CREATE INDEX rescind_group_by_folded ON rescind_group (organization, folded) WHERE folded IS NOT NULL;

CREATE TABLE rescind_group_member (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    "group" INTEGER NOT NULL,
    expires_at INTEGER,
    made INTEGER NOT NULL DEFAULT 0,        -- the revision that put it there; 0 where that is not known
    PRIMARY KEY (organization, membership, "group"),
    FOREIGN KEY (organization, membership) REFERENCES rescind_membership (organization, id),
    FOREIGN KEY (organization, "group") REFERENCES rescind_group (organization, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_group_member_by_group ON rescind_group_member (organization, "group", membership, expires_at);

-- What ends soon, the first to end first; of what ends at all.

CREATE INDEX rescind_group_member_expiring ON rescind_group_member (organization, expires_at, membership, "group")
    WHERE expires_at IS NOT NULL;

-- Which group is in which: `nesting` is what holds; `recorded_nesting` also has what was taken back.

CREATE TABLE rescind_recorded_nesting (
    organization INTEGER NOT NULL,
    child INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    ended INTEGER,                          -- the revision that took it back: a tombstone
    made INTEGER NOT NULL DEFAULT 0,        -- the revision that put it there; 0 where that is not known
    PRIMARY KEY (organization, child, parent),
    FOREIGN KEY (organization, child) REFERENCES rescind_group (organization, id),
    FOREIGN KEY (organization, parent) REFERENCES rescind_group (organization, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_nesting_by_parent ON rescind_recorded_nesting (organization, parent, child, ended);

CREATE INDEX rescind_nesting_ended ON rescind_recorded_nesting (organization) WHERE ended IS NOT NULL;

CREATE VIEW rescind_nesting AS SELECT organization, child, parent FROM rescind_recorded_nesting WHERE ended IS NULL;

CREATE TABLE rescind_permission (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    slug TEXT NOT NULL,
    description TEXT NOT NULL,
    critical INTEGER NOT NULL,
    UNIQUE (slug, organization)
) STRICT;

CREATE INDEX rescind_permission_by_organization ON rescind_permission (organization, slug);

CREATE TABLE rescind_role (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    slug TEXT NOT NULL,
    name TEXT,
    priority INTEGER NOT NULL,
    critical INTEGER NOT NULL,
    resource_type TEXT,                     -- the only one whose resources it can be given on
    required INTEGER NOT NULL DEFAULT FALSE, -- it keeps its last active holder in each organization
    UNIQUE (slug, organization)
) STRICT;

CREATE INDEX rescind_role_by_organization ON rescind_role (organization, slug);

CREATE INDEX rescind_role_critical ON rescind_role (organization) WHERE critical;

CREATE INDEX rescind_role_required ON rescind_role (organization) WHERE required;

CREATE TABLE rescind_role_permission (
    role INTEGER NOT NULL REFERENCES rescind_role (id),
    permission INTEGER NOT NULL REFERENCES rescind_permission (id),
    PRIMARY KEY (role, permission)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_role_permission_by_permission ON rescind_role_permission (permission, role);

CREATE TABLE rescind_resource_type (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    slug TEXT NOT NULL,
    parents TEXT NOT NULL,                  -- a JSON list, sorted; empty means anywhere
    PRIMARY KEY (slug, organization)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_resource_type_by_organization ON rescind_resource_type (organization, slug);

CREATE TABLE rescind_resource (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    id INTEGER NOT NULL,                    -- 0 is the organization itself
    slug TEXT NOT NULL,
    parent INTEGER,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, slug),
    FOREIGN KEY (organization, parent) REFERENCES rescind_resource (organization, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_resource_by_parent ON rescind_resource (organization, parent);

-- A role that is given to a membership or a group. `made` is the revision that made it; the one in `ended` is negative
-- while the change that does it is under way. A tombstone keeps neither role nor resource, so that those can be deleted.

CREATE TABLE rescind_assignment (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    id INTEGER NOT NULL,                    -- negative when on the organization itself
    holder INTEGER NOT NULL,                -- a membership (positive) or a group (negative)
    role INTEGER REFERENCES rescind_role (id),
    resource INTEGER,
    expires_at INTEGER,
    made INTEGER NOT NULL,
    ended INTEGER,                          -- the revision that took it back: a tombstone
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, resource) REFERENCES rescind_resource (organization, id),
    CHECK (ended IS NOT NULL OR (role IS NOT NULL AND resource IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rescind_assignment_by_holder ON rescind_assignment (organization, holder, resource, role) WHERE ended IS NULL;

CREATE INDEX rescind_assignment_expiring ON rescind_assignment (organization, expires_at, id)
    WHERE ended IS NULL AND expires_at IS NOT NULL;

-- Who holds a role on a resource, in the order of holders: what a list of who can merges, a page at a time.

CREATE INDEX rescind_assignment_by_role_held ON rescind_assignment (organization, role, resource, holder, expires_at, ended)
    WHERE ended IS NULL;

-- All that a check reads of what groups hold on a resource. It serves whoever deletes a role or a resource too, for the
-- foreign key.

CREATE INDEX rescind_assignment_by_resource ON rescind_assignment (organization, resource, holder, role, expires_at, ended)
    WHERE resource IS NOT NULL;

CREATE INDEX rescind_assignment_by_role ON rescind_assignment (role, organization) WHERE role IS NOT NULL;

CREATE INDEX rescind_assignment_ended ON rescind_assignment (organization, holder, ended) WHERE ended IS NOT NULL;

CREATE INDEX rescind_assignment_ending ON rescind_assignment (organization) WHERE ended < 0;

-- Which of a group's assignments were made in some revisions: what background work reads for each chunk.

CREATE INDEX rescind_assignment_by_made ON rescind_assignment (organization, holder, made, id, ended) WHERE ended IS NULL AND holder < 0;

-- ---- what follows from the facts -------------------------------------------------------------------------------------

CREATE TABLE rescind_effective_role (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    assignment INTEGER NOT NULL,
    expires_at INTEGER,                     -- when the last group membership behind it expires
    PRIMARY KEY (organization, membership, assignment)
) STRICT, WITHOUT ROWID;

CREATE TABLE rescind_role_reset (           -- held, but not counted: the membership lost its winning role
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (organization, membership, role)
) STRICT, WITHOUT ROWID;

-- The winning roles that the batch under way may take. Empty when none is.

CREATE TABLE rescind_role_before (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (organization, membership)
) STRICT, WITHOUT ROWID;

-- The required roles that somebody holds before the batch under way. Empty when none is.

CREATE TABLE rescind_required_before (
    organization INTEGER NOT NULL,
    role TEXT NOT NULL,
    is_lasting INTEGER NOT NULL,            -- somebody holds it for good
    PRIMARY KEY (organization, is_lasting, role)
) STRICT, WITHOUT ROWID;

-- Background work: what to look at again. It is the job, the checkpoint, the fence and the lag metric in one.

CREATE TABLE rescind_pending (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
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

CREATE INDEX rescind_pending_fence ON rescind_pending (organization, fence) WHERE fence IS NOT NULL;

-- Found by organization and group, so that these can take turns; and by the revisions that it stands for, so that what
-- is settled is seen without reading what is not.

CREATE INDEX rescind_pending_due ON rescind_pending (urgency, organization, "group", recorded_at, revision, kind, ref) WHERE NOT parked;

CREATE INDEX rescind_pending_by_revision ON rescind_pending (organization, revision);

CREATE INDEX rescind_pending_by_since ON rescind_pending (organization, since);

CREATE INDEX rescind_pending_spanning ON rescind_pending (organization, since, revision) WHERE since < revision;

-- What is left of deleted organizations, to be cleared away little by little. Nobody is answered from it: an organization
-- is found by its name, and that is gone.

CREATE TABLE rescind_deletion (
    organization INTEGER PRIMARY KEY REFERENCES rescind_organization (id),
    revision INTEGER NOT NULL,              -- the change that deleted it
    recorded_at INTEGER NOT NULL,           -- by the database's clock
    done INTEGER NOT NULL DEFAULT 0,        -- rows cleared away
    cursor INTEGER NOT NULL DEFAULT 0       -- no effective role is left of memberships before this one
) STRICT;

-- ---- the log of changes ----------------------------------------------------------------------------------------------

CREATE TABLE rescind_change (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    revision INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    idempotency_key TEXT,
    direction TEXT NOT NULL CHECK (direction IN ('grants', 'revokes')),
    route TEXT NOT NULL,
    granted INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    body TEXT NOT NULL,                     -- the changes, as JSON
    estimated INTEGER NOT NULL DEFAULT 0,   -- pairs that were left to background work
    settled_at INTEGER,
    caused_by INTEGER,                      -- the revision of all organizations that it follows from
    PRIMARY KEY (organization, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_change_by_cause ON rescind_change (caused_by) WHERE caused_by IS NOT NULL;

CREATE INDEX rescind_change_unsettled ON rescind_change (organization, revision) WHERE settled_at IS NULL;

-- When revoking changes were enforced. Written after the fact, so that nobody waits for it, and kept as long as the change
-- is in the log, whoever clears that.

CREATE TABLE rescind_enforcement (
    organization INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    enforced_at INTEGER NOT NULL,
    PRIMARY KEY (organization, revision)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER rescind_change_gone AFTER DELETE ON rescind_change BEGIN
    DELETE FROM rescind_enforcement WHERE organization = OLD.organization AND revision = OLD.revision;
END;

CREATE TABLE rescind_idempotency (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    key TEXT NOT NULL,
    digest TEXT NOT NULL,                   -- of the request
    revision INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    not_found TEXT,                         -- what was to be taken away and was not there: a JSON list of (what, name)
    PRIMARY KEY (organization, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_idempotency_by_time ON rescind_idempotency (organization, recorded_at);

-- ---- the HTTP service ------------------------------------------------------------------------------------------------

-- Keys of the service. The secret is nowhere: `digest` is the SHA-256 of it. `former_digest` is the one before a rotation,
-- good until `former_until`.

CREATE TABLE rescind_api_key (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    former_digest TEXT,
    former_until INTEGER,
    scopes TEXT NOT NULL,                   -- parted by blanks
    organization TEXT,                      -- the only one that it is good for, by name
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER,
    bound_to INTEGER                        -- that organization's number: another one of the same name is another
) STRICT, WITHOUT ROWID;

-- What the management API keeps beside the facts. An entry belongs to an object by the object's number, which is never
-- used again: whatever is made anew under an old name starts afresh.

CREATE TABLE rescind_directory (
    organization INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,                -- the object's; 0 for the organization itself
    public_id TEXT,                         -- where it is not the one that follows from the number
    external_id TEXT,                       -- of an organization
    attributes TEXT NOT NULL DEFAULT '{}',  -- JSON
    created_at INTEGER,                     -- NULL where the object was not made by the management API
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organization, kind, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rescind_directory_by_public_id ON rescind_directory (public_id) WHERE public_id IS NOT NULL;

CREATE UNIQUE INDEX rescind_directory_by_external_id ON rescind_directory (external_id) WHERE external_id IS NOT NULL;

-- From this secret follow the public ids of what has no other, and the seals of tokens and cursors.

CREATE TABLE rescind_directory_secret (secret TEXT NOT NULL) STRICT;

INSERT INTO rescind_directory_secret SELECT lower(hex(randomblob(16)));

-- The answer to each request with an idempotency key, for as long as keys are kept.

CREATE TABLE rescind_directory_answer (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,                   -- of the request
    status INTEGER,
    body TEXT,
    receipts TEXT,                          -- JSON: what has to be enforced before it is given again
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_directory_answer_by_time ON rescind_directory_answer (recorded_at);

-- Events in the order in which they were committed.

CREATE TABLE rescind_directory_event (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    written_by INTEGER NOT NULL DEFAULT 0,  -- the transaction; here there is one at a time
    organization INTEGER NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,                     -- JSON
    actor TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX rescind_directory_event_by_organization ON rescind_directory_event (organization, position);

-- Events come from the change log. `directory_follower` says up to which revision they have been told, and which numbers
-- (of memberships and groups, roles, permissions) are known; `directory_member` who was told to be in a group. An event
-- of the management API itself waits in `directory_note` with all that it tells, for the changes `since` to `revision`.

CREATE TABLE rescind_directory_follower (
    organization INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    number INTEGER NOT NULL,
    role INTEGER NOT NULL,
    permission INTEGER NOT NULL
) STRICT;

INSERT INTO rescind_directory_follower (organization, revision, number, role, permission) VALUES (0, 0, 0, 0, 0);

CREATE TABLE rescind_directory_member (
    organization INTEGER NOT NULL,
    "group" INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (organization, "group", membership)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_directory_member_by_membership ON rescind_directory_member (organization, membership);

CREATE INDEX rescind_directory_member_expiring ON rescind_directory_member (expires_at, organization) WHERE expires_at IS NOT NULL;

CREATE TABLE rescind_directory_nesting (
    organization INTEGER NOT NULL,
    child INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    PRIMARY KEY (organization, child, parent)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_directory_nesting_by_parent ON rescind_directory_nesting (organization, parent);

CREATE TABLE rescind_directory_given (
    organization INTEGER NOT NULL,
    holder INTEGER NOT NULL,                -- a membership, or (negative) a group
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (organization, holder, resource, role)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_directory_given_by_role ON rescind_directory_given (organization, role);

CREATE INDEX rescind_directory_given_by_resource ON rescind_directory_given (organization, resource);

CREATE INDEX rescind_directory_given_expiring ON rescind_directory_given (expires_at, organization) WHERE expires_at IS NOT NULL;

CREATE TABLE rescind_directory_gone_id (           -- of what is in `directory_gone`, where it has no entry any more
    organization INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    PRIMARY KEY (organization, kind, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE rescind_directory_note (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization INTEGER NOT NULL,
    since INTEGER NOT NULL,                 -- more than `revision` where the facts did not change
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,                     -- JSON
    actor TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX rescind_directory_note_by_organization ON rescind_directory_note (organization, id);

CREATE INDEX rescind_directory_note_by_time ON rescind_directory_note (recorded_at);

-- What was deleted, and by which revision, until the event of it has been told: its number is nowhere else.

CREATE TABLE rescind_directory_gone (
    organization INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    label TEXT,
    revision INTEGER NOT NULL,
    PRIMARY KEY (organization, kind, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER rescind_membership_gone AFTER DELETE ON rescind_membership BEGIN
    INSERT INTO rescind_directory_gone SELECT OLD.organization, 'membership', OLD.id, OLD.subject, OLD.name, o.revision + 1
    FROM rescind_organization AS o WHERE o.id = OLD.organization;
END;

CREATE TRIGGER rescind_group_buried AFTER UPDATE OF ended ON rescind_group WHEN OLD.ended IS NULL AND NEW.ended IS NOT NULL BEGIN
    INSERT INTO rescind_directory_gone SELECT OLD.organization, 'group', OLD.id, OLD.slug, OLD.name, o.revision + 1
    FROM rescind_organization AS o WHERE o.id = OLD.organization;
END;

CREATE TRIGGER rescind_group_gone AFTER DELETE ON rescind_group WHEN OLD.ended IS NULL BEGIN
    INSERT INTO rescind_directory_gone SELECT OLD.organization, 'group', OLD.id, OLD.slug, OLD.name, o.revision + 1
    FROM rescind_organization AS o WHERE o.id = OLD.organization;
END;

CREATE TRIGGER rescind_role_gone AFTER DELETE ON rescind_role BEGIN
    INSERT INTO rescind_directory_gone SELECT OLD.organization, 'role', OLD.id, OLD.slug, OLD.name, o.revision + 1
    FROM rescind_organization AS o WHERE o.id = OLD.organization;
END;

CREATE TRIGGER rescind_permission_gone AFTER DELETE ON rescind_permission BEGIN
    INSERT INTO rescind_directory_gone SELECT OLD.organization, 'permission', OLD.id, OLD.slug, OLD.description, o.revision + 1
    FROM rescind_organization AS o WHERE o.id = OLD.organization;
END;

-- ---- the planner's statistics ----------------------------------------------------------------------------------------

-- Stated and not measured: the shape that organizations have, so that plans are the same for the first row and the
-- millionth. The first number, of all rows, is higher than any estimate of look-ups: else SQLite would fill a Bloom filter
-- with an organization's rows for every check.

ANALYZE sqlite_schema;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('rescind_organization', 'sqlite_autoindex_rescind_organization_1', '10000000000 1'),
    ('rescind_membership', 'rescind_membership', '10000000000 10000 1'),
    ('rescind_membership', 'sqlite_autoindex_rescind_membership_2', '10000000000 10000 1'),
    ('rescind_membership', 'rescind_membership_by_subject', '10000000000 3 1'),
    ('rescind_membership', 'rescind_membership_by_folded', '10000000000 1000 1'),
    ('rescind_membership', 'rescind_membership_deactivated', '10000000000 10000 1'),
    ('rescind_group', 'rescind_group', '10000000000 1000 1'),
    ('rescind_group', 'sqlite_autoindex_rescind_group_2', '10000000000 1000 1'),
    ('rescind_group', 'rescind_group_ended', '10000000000 10'),
    ('rescind_group', 'rescind_group_by_folded', '10000000000 100 1'),
    ('rescind_group_member', 'rescind_group_member', '10000000000 50000 5 1'),
    ('rescind_group_member', 'rescind_group_member_by_group', '10000000000 50000 100 1 1'),
    ('rescind_group_member', 'rescind_group_member_expiring', '10000000000 50000 100 1 1'),
    ('rescind_recorded_nesting', 'rescind_recorded_nesting', '10000000000 1000 2 1'),
    ('rescind_recorded_nesting', 'rescind_nesting_by_parent', '10000000000 1000 5 1 1'),
    ('rescind_recorded_nesting', 'rescind_nesting_ended', '10000000000 10'),
    ('rescind_permission', 'sqlite_autoindex_rescind_permission_1', '10000000000 2 1'),
    ('rescind_permission', 'rescind_permission_by_organization', '10000000000 1000 1'),
    ('rescind_role', 'sqlite_autoindex_rescind_role_1', '10000000000 2 1'),
    ('rescind_role', 'rescind_role_critical', '10000000000 3'),
    ('rescind_role', 'rescind_role_by_organization', '10000000000 1000 1'),
    ('rescind_role_permission', 'rescind_role_permission', '10000000000 20 1'),
    ('rescind_role_permission', 'rescind_role_permission_by_permission', '10000000000 100 1'),
    ('rescind_resource_type', 'rescind_resource_type_by_organization', '10000000000 1000 1'),
    ('rescind_resource', 'rescind_resource', '10000000000 10000 1'),
    ('rescind_resource', 'sqlite_autoindex_rescind_resource_2', '10000000000 10000 1'),
    ('rescind_resource', 'rescind_resource_by_parent', '10000000000 10000 20'),
    ('rescind_assignment', 'rescind_assignment', '10000000000 10000 1'),
    ('rescind_assignment', 'rescind_assignment_by_holder', '10000000000 10000 10 2 1'),
    ('rescind_assignment', 'rescind_assignment_by_resource', '10000000000 10000 10 2 1 1 1'),
    ('rescind_assignment', 'rescind_assignment_by_role', '10000000000 1000 100'),
    ('rescind_assignment', 'rescind_assignment_ended', '10000000000 10 3 1'),
    ('rescind_assignment', 'rescind_assignment_ending', '10000000000 5'),
    ('rescind_assignment', 'rescind_assignment_by_made', '10000000000 10000 10 3 1'),
    ('rescind_assignment', 'rescind_assignment_expiring', '10000000000 10000 100 1'),
    ('rescind_assignment', 'rescind_assignment_by_role_held', '10000000000 10000 1000 3 1 1 1'),
    ('rescind_effective_role', 'rescind_effective_role', '10000000000 1000000 100 1'),
    ('rescind_role_reset', 'rescind_role_reset', '10000000000 100 2 1'),
    ('rescind_role_before', 'rescind_role_before', '10000000000 100 1'),
    ('rescind_required_before', 'rescind_required_before', '1000 2 1 1'),
    ('rescind_pending', 'rescind_pending_fence', '10000000000 5 2'),
    ('rescind_pending', 'rescind_pending', '10000000000 100000 1000 500 1'),
    ('rescind_pending', 'rescind_pending_due', '10000000000 100000 10000 300 100 50 2 1'),
    ('rescind_pending', 'rescind_pending_by_revision', '10000000000 10000 10'),
    ('rescind_pending', 'rescind_pending_by_since', '10000000000 10000 10'),
    ('rescind_pending', 'rescind_pending_spanning', '10000000000 1000 5 2'),
    ('rescind_change', 'rescind_change', '10000000000 10000 1'),
    ('rescind_change', 'rescind_change_by_cause', '10000000000 100'),
    ('rescind_change', 'rescind_change_unsettled', '10000000000 1000 1'),
    ('rescind_enforcement', 'rescind_enforcement', '10000000000 10000 1'),
    ('rescind_idempotency', 'rescind_idempotency', '10000000000 100 1'),
    ('rescind_idempotency', 'rescind_idempotency_by_time', '10000000000 100 1'),
    ('rescind_directory', 'rescind_directory', '10000000000 10000 5000 1'),
    ('rescind_directory', 'rescind_directory_by_public_id', '10000000000 1'),
    ('rescind_directory', 'rescind_directory_by_external_id', '10000000000 1'),
    ('rescind_directory_answer', 'rescind_directory_answer', '10000000000 1000 1'),
    ('rescind_directory_answer', 'rescind_directory_answer_by_time', '10000000000 1'),
    ('rescind_directory_event', 'rescind_directory_event_by_organization', '10000000000 10000 1'),
    ('rescind_directory_member', 'rescind_directory_member', '10000000000 100000 1000 1'),
    ('rescind_directory_member', 'rescind_directory_member_by_membership', '10000000000 100000 10'),
    ('rescind_directory_nesting', 'rescind_directory_nesting', '1000000 1000 2 1'),
    ('rescind_directory_given', 'rescind_directory_given', '10000000 10000 10 2 1'),
    ('rescind_directory_note', 'rescind_directory_note_by_organization', '100000 10 1'),
    ('rescind_directory_note', 'rescind_directory_note_by_time', '100000 1'),
    ('rescind_directory_gone', 'rescind_directory_gone', '10000000 1000 500 1');
