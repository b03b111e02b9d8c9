-- The current schema on SQLite, whole: `rescind migrate` makes a new database from it. An existing database reaches it
-- by the migrations, and a test proves that both are equal. Blank lines separate statements.
--
-- Everything begins with `rescind_`, so that the file can also be an application's. Ids are small integers that count up
-- within an organization and are never reused, one series for memberships, groups, resources and assignments. Groups
-- have negative ids, so that a holder is a membership or a group by its sign. An assignment on the organization itself has
-- a negative id, so that a membership's organization-wide effective roles are one key range. Times are microseconds since
-- 1970, UTC; no time means never.

-- Alembic's version table, under a name of our own.

CREATE TABLE rescind_schema_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);

-- Which code may use this schema, and which incarnation of the database this is.

CREATE TABLE rescind_installation (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    usable_from TEXT NOT NULL,              -- the oldest schema version whose code may use this schema
    incarnation INTEGER NOT NULL,           -- another one after each restore
    salt TEXT NOT NULL                      -- tokens and cursors are sealed with it; empty before the first restore
) STRICT;

INSERT INTO rescind_installation VALUES (0, '0030', 1, '');

-- ---- facts ---------------------------------------------------------------------------------------------------------

-- Number 0 is `*`: definitions for all organizations.

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
    search_name TEXT NOT NULL DEFAULT ''    -- the name, normalized for searches
) STRICT;

CREATE INDEX rescind_organization_by_default_role ON rescind_organization (default_role) WHERE default_role IS NOT NULL;

CREATE INDEX rescind_organization_by_former_name ON rescind_organization (deleted_as) WHERE deleted_as IS NOT NULL;

INSERT INTO rescind_organization (id, slug, name, created_at) VALUES (0, '*', 'all organizations', 0);

-- A subject's place in an organization. Roles are given to memberships.

CREATE TABLE rescind_membership (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    name TEXT,
    active INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    folded TEXT,                            -- the form that look-alikes share, if it differs from the subject
    PRIMARY KEY (organization, id),
    UNIQUE (organization, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_membership_by_subject ON rescind_membership (subject, organization);

CREATE INDEX rescind_membership_deactivated ON rescind_membership (organization, subject) WHERE NOT active;

CREATE INDEX rescind_membership_by_folded ON rescind_membership (organization, folded) WHERE folded IS NOT NULL;

CREATE TABLE rescind_group (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    id INTEGER NOT NULL,
    slug TEXT NOT NULL,                     -- a deleted group has lost its name
    name TEXT,
    ended INTEGER,                          -- the revision that deleted it: a tombstone
    folded TEXT,                            -- as of a membership
    search_name TEXT NOT NULL DEFAULT '',   -- the name, or else the id, normalized for searches
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
    made INTEGER NOT NULL DEFAULT 0,        -- the revision that made it; 0 if unknown
    PRIMARY KEY (organization, membership, "group"),
    FOREIGN KEY (organization, membership) REFERENCES rescind_membership (organization, id),
    FOREIGN KEY (organization, "group") REFERENCES rescind_group (organization, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_group_member_by_group ON rescind_group_member (organization, "group", membership, expires_at);

-- Members that expire, the next first.

CREATE INDEX rescind_group_member_expiring ON rescind_group_member (organization, expires_at, membership, "group")
    WHERE expires_at IS NOT NULL;

-- Which group is in which. `nesting` has the present ones; `recorded_nesting` also has ended ones.

CREATE TABLE rescind_recorded_nesting (
    organization INTEGER NOT NULL,
    child INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    ended INTEGER,                          -- the revision that ended it: a tombstone
    made INTEGER NOT NULL DEFAULT 0,        -- the revision that made it; 0 if unknown
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
    resource_type TEXT,                     -- it can be given on resources of this type only
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

-- A role given to a membership or a group. `made` is the revision that made it. `ended` is negative while the change that
-- ends it is running. A tombstone keeps neither role nor resource, so that those can be deleted.

CREATE TABLE rescind_assignment (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    id INTEGER NOT NULL,                    -- negative when on the organization itself
    holder INTEGER NOT NULL,                -- a membership (positive) or a group (negative)
    role INTEGER REFERENCES rescind_role (id),
    resource INTEGER,
    expires_at INTEGER,
    made INTEGER NOT NULL,
    ended INTEGER,                          -- the revision that ended it: a tombstone
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, resource) REFERENCES rescind_resource (organization, id),
    CHECK (ended IS NOT NULL OR (role IS NOT NULL AND resource IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rescind_assignment_by_holder ON rescind_assignment (organization, holder, resource, role) WHERE ended IS NULL;

CREATE INDEX rescind_assignment_expiring ON rescind_assignment (organization, expires_at, id)
    WHERE ended IS NULL AND expires_at IS NOT NULL;

-- The holders of a role on a resource, in order. Lists of "who can" merge these, a page at a time.

CREATE INDEX rescind_assignment_by_role_held ON rescind_assignment (organization, role, resource, holder, expires_at, ended)
    WHERE ended IS NULL;

-- What a check reads about assignments of groups on a resource. It also serves the foreign key when a role or a resource
-- is deleted.

CREATE INDEX rescind_assignment_by_resource ON rescind_assignment (organization, resource, holder, role, expires_at, ended)
    WHERE resource IS NOT NULL;

CREATE INDEX rescind_assignment_by_role ON rescind_assignment (role, organization) WHERE role IS NOT NULL;

CREATE INDEX rescind_assignment_ended ON rescind_assignment (organization, holder, ended) WHERE ended IS NOT NULL;

CREATE INDEX rescind_assignment_ending ON rescind_assignment (organization) WHERE ended < 0;

-- A group's assignments that were made in a range of revisions. Background work reads these for each chunk.

CREATE INDEX rescind_assignment_by_made ON rescind_assignment (organization, holder, made, id, ended) WHERE ended IS NULL AND holder < 0;

-- ---- derived from the facts ------------------------------------------------------------------------------------------

CREATE TABLE rescind_effective_role (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    assignment INTEGER NOT NULL,
    expires_at INTEGER,                     -- when the last group membership behind it expires
    PRIMARY KEY (organization, membership, assignment)
) STRICT, WITHOUT ROWID;

CREATE TABLE rescind_role_reset (           -- roles set aside: the membership lost its winning role
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (organization, membership, role)
) STRICT, WITHOUT ROWID;

-- Winning roles that the running batch may take. Empty at rest.

CREATE TABLE rescind_role_before (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (organization, membership)
) STRICT, WITHOUT ROWID;

-- Required roles that had a holder before the running batch. Empty at rest.

CREATE TABLE rescind_required_before (
    organization INTEGER NOT NULL,
    role TEXT NOT NULL,
    is_lasting INTEGER NOT NULL,            -- a holder has it without an end
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
    fence INTEGER,                          -- whose effective roles are not trusted: a membership's, or 0 for all
    since INTEGER NOT NULL,                 -- the first revision of its range
    revision INTEGER NOT NULL,              -- the last one
    cursor_membership INTEGER NOT NULL DEFAULT 0,       -- pairs up to and including this one are done
    cursor_assignment INTEGER NOT NULL DEFAULT 2147483647,
    done INTEGER NOT NULL DEFAULT 0,        -- pairs examined
    total INTEGER,                          -- pairs to examine, estimated when the work began
    recorded_at INTEGER NOT NULL,           -- by the database's clock
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,  -- by the database's clock
    parked INTEGER NOT NULL DEFAULT FALSE,
    last_error TEXT,
    PRIMARY KEY (organization, "group", kind, ref)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_pending_fence ON rescind_pending (organization, fence) WHERE fence IS NOT NULL;

-- By organization and group, so that these can take turns. And by revisions, so that settled changes are found without
-- reading pending rows.

CREATE INDEX rescind_pending_due ON rescind_pending (urgency, organization, "group", recorded_at, revision, kind, ref) WHERE NOT parked;

CREATE INDEX rescind_pending_by_revision ON rescind_pending (organization, revision);

CREATE INDEX rescind_pending_by_since ON rescind_pending (organization, since);

CREATE INDEX rescind_pending_spanning ON rescind_pending (organization, since, revision) WHERE since < revision;

-- Remains of deleted organizations, which workers delete in chunks. No answer uses them: an organization is found by its
-- name, which is gone.

CREATE TABLE rescind_deletion (
    organization INTEGER PRIMARY KEY REFERENCES rescind_organization (id),
    revision INTEGER NOT NULL,              -- the change that deleted it
    recorded_at INTEGER NOT NULL,           -- by the database's clock
    done INTEGER NOT NULL DEFAULT 0,        -- rows deleted
    cursor INTEGER NOT NULL DEFAULT 0       -- memberships before this one have no effective roles left
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
    estimated INTEGER NOT NULL DEFAULT 0,   -- pairs left to background work
    settled_at INTEGER,
    caused_by INTEGER,                      -- the revision of `*` that caused it
    environment INTEGER,                    -- the revision of `*` at that time
    digest BLOB,                            -- over the digest before and the content; NULL while it is not chained
    PRIMARY KEY (organization, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_change_by_cause ON rescind_change (caused_by) WHERE caused_by IS NOT NULL;

CREATE INDEX rescind_change_unsettled ON rescind_change (organization, revision) WHERE settled_at IS NULL;

CREATE INDEX rescind_change_unchained ON rescind_change (organization, revision) WHERE digest IS NULL;

-- Where an organization's kept log begins, if not with its first change.

CREATE TABLE rescind_log_start (
    organization INTEGER NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,              -- the last change that is not in the log any more
    digest BLOB NOT NULL,                   -- its digest, from which the next one follows
    environment INTEGER,
    recorded_at INTEGER NOT NULL,           -- when it was taken out
    why TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- All facts of an organization at some of its revisions, compressed, so that the past can be asked without replaying the
-- whole log.

CREATE TABLE rescind_snapshot (
    organization INTEGER NOT NULL REFERENCES rescind_organization (id),
    revision INTEGER NOT NULL,
    environment INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    taken_at INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('replay', 'facts')), -- what it was made of
    format INTEGER NOT NULL,                -- of the body; bodies of other versions may not be readable
    digest BLOB NOT NULL,                   -- SHA-256 of the body
    body BLOB NOT NULL,
    PRIMARY KEY (organization, revision)
) STRICT;

-- When revoking changes were enforced. Written later, so that no call waits for it, and kept as long as the change is in
-- the log.

CREATE TABLE rescind_enforcement (
    organization INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    enforced_at INTEGER NOT NULL,
    record TEXT,                             -- the replicas and what each did, as JSON; none if it was not noted
    recorded_at INTEGER,                    -- of the change; NULL if older code wrote the row
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
    not_found TEXT,                         -- names to take away that did not exist: a JSON list of (what, name)
    PRIMARY KEY (organization, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_idempotency_by_time ON rescind_idempotency (organization, recorded_at);

-- ---- the background audit -------------------------------------------------------------------------------------------

-- Leases of tasks that one process at a time does, whichever it is.

CREATE TABLE rescind_task_lease (
    task TEXT PRIMARY KEY,
    holder TEXT NOT NULL,       -- a process
    expires_at INTEGER NOT NULL              -- by the database's clock
) STRICT, WITHOUT ROWID;

-- A round compares all organizations. Its row is its checkpoint.

CREATE TABLE rescind_audit_round (
    id INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    completed_at INTEGER,                    -- NULL while under way
    organization INTEGER NOT NULL DEFAULT 0, -- the checkpoint: what comes next
    membership INTEGER NOT NULL DEFAULT 0,
    organizations INTEGER NOT NULL DEFAULT 0,
    memberships INTEGER NOT NULL DEFAULT 0,
    effective_roles INTEGER NOT NULL DEFAULT 0,
    missing INTEGER NOT NULL DEFAULT 0,
    surplus INTEGER NOT NULL DEFAULT 0,
    unsettled INTEGER NOT NULL DEFAULT 0,
    repaired INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE rescind_audit_drift (
    organization INTEGER NOT NULL,
    "group" INTEGER NOT NULL,               -- 0 for what comes from no group
    since INTEGER NOT NULL,                  -- when it was seen first
    seen_at INTEGER NOT NULL,                -- when it was seen last
    round INTEGER NOT NULL,                 -- that saw it last
    missing INTEGER NOT NULL,
    surplus INTEGER NOT NULL,
    repaired INTEGER NOT NULL,
    example TEXT NOT NULL,
    ended_at INTEGER,                        -- when a later round found none
    PRIMARY KEY (organization, "group", since)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rescind_audit_drift_open ON rescind_audit_drift (organization, "group") WHERE ended_at IS NULL;

-- ---- access reviews ---------------------------------------------------------------------------------------------------

-- The lines of a review are not stored: they follow from the log up to its revision.

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

-- The log of service actions: what was done to keys, pending work, logs and the schema. Its numbers have no gap; a digest
-- covers the one before it and the action's own content.

CREATE TABLE rescind_action (
    number INTEGER NOT NULL PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    organization INTEGER,                   -- whose matter it is; NULL if it is the whole database's
    subject TEXT NOT NULL,                  -- what it was done to, such as a key's id
    detail TEXT NOT NULL,                   -- as JSON
    actor TEXT NOT NULL,
    request TEXT NOT NULL,                  -- id of the request over HTTP; else empty
    digest BLOB NOT NULL
) STRICT;

-- One row: the newest action. Whoever adds one locks it.

CREATE TABLE rescind_action_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 0),
    number INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;

INSERT INTO rescind_action_head (id, number, digest) VALUES (0, 0, X'94004ebc2754910587f92e1dad2378e837abbfa83bf59e2e9339dd8d56cd87f1');

-- ---- the HTTP service ------------------------------------------------------------------------------------------------

-- Keys of the service. The secret is not stored: `digest` is its SHA-256. `former_digest` is that of the secret before a
-- rotation, valid until `former_until`.

CREATE TABLE rescind_api_key (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    former_digest TEXT,
    former_until INTEGER,
    scopes TEXT NOT NULL,                   -- separated by blanks
    organization TEXT,                      -- the only organization that it is valid for, by name
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER,
    bound_to INTEGER                        -- that organization's number; a later one of the same name has another
) STRICT, WITHOUT ROWID;

-- What the management API keeps beside the facts. An entry belongs to an object by its number, which is never
-- reused: an object that is made again under an old name has a new entry.

CREATE TABLE rescind_directory (
    organization INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,                -- the object's; 0 for the organization itself
    public_id TEXT,                         -- if it is not derived from the number
    external_id TEXT,                       -- of an organization
    attributes TEXT NOT NULL DEFAULT '{}',  -- JSON
    created_at INTEGER,                     -- NULL if the object was not made by the management API
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organization, kind, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rescind_directory_by_public_id ON rescind_directory (public_id) WHERE public_id IS NOT NULL;

CREATE UNIQUE INDEX rescind_directory_by_external_id ON rescind_directory (external_id) WHERE external_id IS NOT NULL;

-- The secret from which public ids, tokens and cursors are derived.

CREATE TABLE rescind_directory_secret (secret TEXT NOT NULL) STRICT;

INSERT INTO rescind_directory_secret SELECT lower(hex(randomblob(16)));

-- Answers to requests with an idempotency key, kept as long as keys are.

CREATE TABLE rescind_directory_answer (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,                   -- of the request
    status INTEGER,
    body TEXT,
    receipts TEXT,                          -- JSON: changes to enforce before the answer is repeated
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_directory_answer_by_time ON rescind_directory_answer (recorded_at);

-- Events in the order in which they were committed.

CREATE TABLE rescind_directory_event (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    written_by INTEGER NOT NULL DEFAULT 0,  -- the transaction; on SQLite there is one at a time
    organization INTEGER NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,                     -- JSON
    actor TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX rescind_directory_event_by_organization ON rescind_directory_event (organization, position);

-- Events are derived from the change log. `directory_follower` has the last revision that was reported, and the known
-- numbers (of memberships and groups, roles, permissions). `directory_member` has the reported members of groups. Events
-- of the management API itself wait in `directory_note` with their content, for the changes `since` to `revision`.

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

CREATE TABLE rescind_directory_gone_id (           -- public ids of rows of `directory_gone`
    organization INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    PRIMARY KEY (organization, kind, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE rescind_directory_note (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization INTEGER NOT NULL,
    since INTEGER NOT NULL,                 -- more than `revision` if the facts did not change
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,                     -- JSON
    actor TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX rescind_directory_note_by_organization ON rescind_directory_note (organization, id);

CREATE INDEX rescind_directory_note_by_time ON rescind_directory_note (recorded_at);

-- Deleted objects, and the revision that deleted them, until the event is reported. Their numbers are nowhere else.

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

-- Stated, not measured: the typical shape of organizations, so that plans are the same for the first row and the
-- millionth. The first number (all rows) is higher than any estimate of look-ups. Otherwise SQLite would fill a Bloom
-- filter with an organization's rows for every check.

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
    ('rescind_change', 'rescind_change_unchained', '10000000000 1000 1'),
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
