-- The current schema on PostgreSQL, whole: `rescind migrate` makes a new database from it. An existing database reaches it
-- by the migrations, and a test proves that both are equal. Blank lines separate statements.
--
-- `rescind` stands for the schema that the URL names. Every name is written with it, also within functions, so that the
-- search path does not matter. Ids are small integers that count up within an organization and are never reused: one series
-- for memberships, groups, resources and assignments. Groups have negative ids, so that a holder is a membership or a
-- group by its sign. An assignment on the organization itself has a negative id, so that a membership's organization-wide
-- effective roles are one key range. Times are microseconds since 1970, UTC; no time means never.

-- Alembic's version table, under a name of our own.

CREATE TABLE rescind.schema_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);

-- Which code may use this schema, and which incarnation of the database this is.

CREATE TABLE rescind.installation (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    usable_from TEXT COLLATE "C" NOT NULL,  -- the oldest schema version whose code may use this schema
    incarnation BIGINT NOT NULL,            -- another one after each restore
    salt TEXT COLLATE "C" NOT NULL          -- tokens and cursors are sealed with it; empty before the first restore
);

INSERT INTO rescind.installation VALUES (0, '0030', 1, '');

-- ---- facts ---------------------------------------------------------------------------------------------------------

-- Number 0 is `*`: definitions for all organizations.

CREATE TABLE rescind.organization (
    id INTEGER PRIMARY KEY,
    slug TEXT COLLATE "C" UNIQUE,           -- NULL once deleted
    name TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL DEFAULT 0,     -- goes up by one with each change
    last_number INTEGER NOT NULL DEFAULT 0, -- the last id given to anything in it
    role_mode TEXT COLLATE "C" NOT NULL DEFAULT 'multiple' CHECK (role_mode IN ('multiple', 'single')),
    on_loss TEXT COLLATE "C" NOT NULL DEFAULT 'default' CHECK (on_loss IN ('default', 'next-highest')),
    default_role INTEGER,
    created_at BIGINT NOT NULL,
    deleted_as TEXT COLLATE "C"
    -- `id_rule` and `search_name` are at the end of this file
);

CREATE INDEX organization_by_default_role ON rescind.organization (default_role) WHERE default_role IS NOT NULL;

CREATE INDEX organization_by_former_name ON rescind.organization (deleted_as) WHERE deleted_as IS NOT NULL;

INSERT INTO rescind.organization (id, slug, name, created_at) VALUES (0, '*', 'all organizations', 0);

-- A subject's place in an organization. Roles are given to memberships.

CREATE TABLE rescind.membership (
    organization INTEGER NOT NULL REFERENCES rescind.organization (id),
    id INTEGER NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    folded TEXT COLLATE "C",                -- the form that look-alikes share, if it differs from the subject
    PRIMARY KEY (organization, id),
    UNIQUE (organization, subject)
);

CREATE INDEX membership_by_subject ON rescind.membership (subject, organization);

CREATE INDEX membership_deactivated ON rescind.membership (organization, subject) WHERE NOT active;

CREATE INDEX membership_by_folded ON rescind.membership (organization, folded) WHERE folded IS NOT NULL;

CREATE TABLE rescind."group" (
    organization INTEGER NOT NULL REFERENCES rescind.organization (id),
    id INTEGER NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,         -- a deleted group has lost its name
    name TEXT COLLATE "C",
    ended BIGINT,                           -- the revision that deleted it: a tombstone
    folded TEXT COLLATE "C",                -- as of a membership
    -- `search_name` is at the end of this file
    PRIMARY KEY (organization, id),
    UNIQUE (organization, slug)
);

CREATE INDEX group_ended ON rescind."group" (organization) WHERE ended IS NOT NULL;

CREATE INDEX group_by_folded ON rescind."group" (organization, folded) WHERE folded IS NOT NULL;

CREATE TABLE rescind.group_member (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    "group" INTEGER NOT NULL,
    expires_at BIGINT,
    made BIGINT NOT NULL DEFAULT 0,         -- the revision that made it; 0 if unknown
    PRIMARY KEY (organization, membership, "group"),
    FOREIGN KEY (organization, membership) REFERENCES rescind.membership (organization, id),
    FOREIGN KEY (organization, "group") REFERENCES rescind."group" (organization, id)
);

CREATE INDEX group_member_by_group ON rescind.group_member (organization, "group", membership, expires_at);

-- Members that expire, the next first.

CREATE INDEX group_member_expiring ON rescind.group_member (organization, expires_at, membership, "group")
    WHERE expires_at IS NOT NULL;

-- Which group is in which. `nesting` has the present ones; `recorded_nesting` also has ended ones.

CREATE TABLE rescind.recorded_nesting (
    organization INTEGER NOT NULL,
    child INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    ended BIGINT,                           -- the revision that ended it: a tombstone
    made BIGINT NOT NULL DEFAULT 0,         -- the revision that made it; 0 if unknown
    CONSTRAINT nesting_pkey PRIMARY KEY (organization, child, parent),
    CONSTRAINT nesting_organization_child_fkey FOREIGN KEY (organization, child) REFERENCES rescind."group" (organization, id),
    CONSTRAINT nesting_organization_parent_fkey FOREIGN KEY (organization, parent) REFERENCES rescind."group" (organization, id)
);

CREATE INDEX nesting_by_parent ON rescind.recorded_nesting (organization, parent, child, ended);

CREATE INDEX nesting_ended ON rescind.recorded_nesting (organization) WHERE ended IS NOT NULL;

CREATE VIEW rescind.nesting AS SELECT organization, child, parent FROM rescind.recorded_nesting WHERE ended IS NULL;

CREATE TABLE rescind.permission (
    id INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    organization INTEGER NOT NULL REFERENCES rescind.organization (id),
    slug TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    critical BOOLEAN NOT NULL,
    UNIQUE (slug, organization)
);

CREATE INDEX permission_by_organization ON rescind.permission (organization, slug);

CREATE TABLE rescind.role (
    id INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    organization INTEGER NOT NULL REFERENCES rescind.organization (id),
    slug TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    priority INTEGER NOT NULL,
    critical BOOLEAN NOT NULL,
    resource_type TEXT COLLATE "C",         -- it can be given on resources of this type only
    required BOOLEAN NOT NULL DEFAULT FALSE, -- it keeps its last active holder in each organization
    UNIQUE (slug, organization)
);

ALTER TABLE rescind.organization ADD FOREIGN KEY (default_role) REFERENCES rescind.role (id);

CREATE INDEX role_by_organization ON rescind.role (organization, slug);

CREATE INDEX role_critical ON rescind.role (organization) WHERE critical;

CREATE INDEX role_required ON rescind.role (organization) WHERE required;

CREATE TABLE rescind.role_permission (
    role INTEGER NOT NULL REFERENCES rescind.role (id),
    permission INTEGER NOT NULL REFERENCES rescind.permission (id),
    PRIMARY KEY (role, permission)
);

CREATE INDEX role_permission_by_permission ON rescind.role_permission (permission, role);

CREATE TABLE rescind.resource_type (
    organization INTEGER NOT NULL REFERENCES rescind.organization (id),
    slug TEXT COLLATE "C" NOT NULL,
    parents TEXT COLLATE "C" NOT NULL,      -- a JSON list, sorted; empty means anywhere
    PRIMARY KEY (slug, organization)
);

CREATE INDEX resource_type_by_organization ON rescind.resource_type (organization, slug);

CREATE TABLE rescind.resource (
    organization INTEGER NOT NULL REFERENCES rescind.organization (id),
    id INTEGER NOT NULL,                    -- 0 is the organization itself
    slug TEXT COLLATE "C" NOT NULL,
    parent INTEGER,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, slug),
    FOREIGN KEY (organization, parent) REFERENCES rescind.resource (organization, id)
);

CREATE INDEX resource_by_parent ON rescind.resource (organization, parent, id);

-- A role given to a membership or a group. `made` is the revision that made it. `ended` is negative while the change that
-- ends it is running. A tombstone keeps neither role nor resource, so that those can be deleted.

CREATE TABLE rescind.assignment (
    organization INTEGER NOT NULL REFERENCES rescind.organization (id),
    id INTEGER NOT NULL,                    -- negative when on the organization itself
    holder INTEGER NOT NULL,                -- a membership (positive) or a group (negative)
    role INTEGER REFERENCES rescind.role (id),
    resource INTEGER,
    expires_at BIGINT,
    ended BIGINT,                           -- the revision that ended it: a tombstone
    made BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, resource) REFERENCES rescind.resource (organization, id),
    CHECK (ended IS NOT NULL OR (role IS NOT NULL AND resource IS NOT NULL))
);

CREATE UNIQUE INDEX assignment_by_holder ON rescind.assignment (organization, holder, resource, role) WHERE ended IS NULL;

CREATE INDEX assignment_expiring ON rescind.assignment (organization, expires_at, id)
    WHERE ended IS NULL AND expires_at IS NOT NULL;

-- The holders of a role on a resource, in order. Lists of "who can" merge these, a page at a time.

CREATE INDEX assignment_by_role_held ON rescind.assignment (organization, role, resource, holder)
    WHERE ended IS NULL;

-- Assignments of groups on a resource are one range. It also serves the foreign key when a role or a resource is deleted.

CREATE INDEX assignment_by_resource ON rescind.assignment (organization, resource, holder, role) WHERE resource IS NOT NULL;

CREATE INDEX assignment_by_role ON rescind.assignment (role, organization, id) WHERE role IS NOT NULL;

CREATE INDEX assignment_ended ON rescind.assignment (organization, holder, ended) WHERE ended IS NOT NULL;

CREATE INDEX assignment_ending ON rescind.assignment (organization) WHERE ended < 0;

-- A group's assignments that were made in a range of revisions. Background work reads these for each chunk.

CREATE INDEX assignment_by_made ON rescind.assignment (organization, holder, made, id, ended) WHERE ended IS NULL AND holder < 0;

-- ---- derived from the facts ------------------------------------------------------------------------------------------

CREATE TABLE rescind.effective_role (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    assignment INTEGER NOT NULL,
    expires_at BIGINT,                      -- when the last group membership behind it expires
    PRIMARY KEY (organization, membership, assignment)
);

CREATE TABLE rescind.role_reset (           -- roles set aside: the membership lost its winning role
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (organization, membership, role)
);

-- Winning roles that the running batch may take. Empty at rest.

CREATE TABLE rescind.role_before (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (organization, membership)
);

-- Required roles that had a holder before the running batch. Empty at rest.

CREATE TABLE rescind.required_before (
    organization INTEGER NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    is_lasting BOOLEAN NOT NULL,            -- a holder has it without an end
    PRIMARY KEY (organization, is_lasting, role)
);

-- Background work: what to look at again. It is the job, the checkpoint, the fence and the lag metric in one.

-- There is no foreign key on the organization here, nor in `change` and `idempotency`. Every change writes these rows while
-- it has locked the organization's row, which is never deleted.

CREATE TABLE rescind.pending (
    organization INTEGER NOT NULL,
    "group" INTEGER NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('member', 'assignment', 'whole')),
    ref BIGINT NOT NULL,                    -- the membership; the first revision; the group that the flow goes to
    direction TEXT COLLATE "C" NOT NULL CHECK (direction IN ('grants', 'revokes')),
    urgency INTEGER NOT NULL,               -- 0 revokes critical roles, 1 revokes, 2 grants
    fence INTEGER,                          -- whose effective roles are not trusted: a membership's, or 0 for all
    since BIGINT NOT NULL,                  -- the first revision of its range
    revision BIGINT NOT NULL,               -- the last one
    cursor_membership INTEGER NOT NULL DEFAULT 0, -- pairs up to and including this one are done
    cursor_assignment INTEGER NOT NULL DEFAULT 2147483647,
    done BIGINT NOT NULL DEFAULT 0,         -- pairs examined
    total BIGINT,                           -- pairs to examine, estimated when the work began
    recorded_at BIGINT NOT NULL,            -- by the database's clock
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before BIGINT NOT NULL DEFAULT 0,   -- by the database's clock
    parked BOOLEAN NOT NULL DEFAULT FALSE,
    last_error TEXT COLLATE "C",
    PRIMARY KEY (organization, "group", kind, ref)
);

CREATE INDEX pending_fence ON rescind.pending (organization, fence) WHERE fence IS NOT NULL;

-- By organization and group, so that these can take turns. And by revisions, so that settled changes are found without
-- reading pending rows.

CREATE INDEX pending_due ON rescind.pending (urgency, organization, "group", recorded_at, revision, kind, ref) WHERE NOT parked;

CREATE INDEX pending_by_revision ON rescind.pending (organization, revision);

CREATE INDEX pending_by_since ON rescind.pending (organization, since);

CREATE INDEX pending_spanning ON rescind.pending (organization, since, revision) WHERE since < revision;

-- Remains of deleted organizations, which workers delete in chunks. No answer uses them: an organization is found by its
-- name, which is gone.

CREATE TABLE rescind.deletion (
    organization INTEGER PRIMARY KEY REFERENCES rescind.organization (id),
    revision BIGINT NOT NULL,               -- the change that deleted it
    recorded_at BIGINT NOT NULL,            -- by the database's clock
    done BIGINT NOT NULL DEFAULT 0,         -- rows deleted
    cursor INTEGER NOT NULL DEFAULT 0       -- memberships before this one have no effective roles left
);

-- ---- the log of changes ----------------------------------------------------------------------------------------------

CREATE TABLE rescind.change (
    organization INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C",
    direction TEXT COLLATE "C" NOT NULL CHECK (direction IN ('grants', 'revokes')),
    route TEXT COLLATE "C" NOT NULL,
    granted BIGINT NOT NULL,
    revoked BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,         -- the changes, as JSON
    estimated BIGINT NOT NULL DEFAULT 0,    -- pairs left to background work
    settled_at BIGINT,
    caused_by BIGINT,                       -- the revision of `*` that caused it
    environment BIGINT,                     -- the revision of `*` at that time
    digest BYTEA,                           -- over the digest before and the content; NULL while it is not chained
    PRIMARY KEY (organization, revision)
);

CREATE INDEX change_by_cause ON rescind.change (caused_by) WHERE caused_by IS NOT NULL;

CREATE INDEX change_unsettled ON rescind.change (organization, revision) WHERE settled_at IS NULL;

CREATE INDEX change_unchained ON rescind.change (organization, revision) WHERE digest IS NULL;

-- Where an organization's kept log begins, if not with its first change.

CREATE TABLE rescind.log_start (
    organization INTEGER NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,               -- the last change that is not in the log any more
    digest BYTEA NOT NULL,                  -- its digest, from which the next one follows
    environment BIGINT,
    recorded_at BIGINT NOT NULL,            -- when it was taken out
    why TEXT COLLATE "C" NOT NULL
);

-- All facts of an organization at some of its revisions, compressed, so that the past can be asked without replaying the
-- whole log.

CREATE TABLE rescind.snapshot (
    organization INTEGER NOT NULL REFERENCES rescind.organization (id),
    revision BIGINT NOT NULL,
    environment BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL CHECK (source IN ('replay', 'facts')), -- what it was made of
    format INTEGER NOT NULL,                -- of the body; bodies of other versions may not be readable
    digest BYTEA NOT NULL,                   -- SHA-256 of the body
    body BYTEA NOT NULL,
    PRIMARY KEY (organization, revision)
);

ALTER TABLE rescind.snapshot ALTER COLUMN body SET STORAGE EXTERNAL;

-- When revoking changes were enforced. Written later, so that no call waits for it, and kept as long as the change is in
-- the log.

CREATE TABLE rescind.enforcement (
    organization INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    enforced_at BIGINT NOT NULL,
    record TEXT COLLATE "C",                 -- the replicas and what each did, as JSON; none if it was not noted
    recorded_at BIGINT,                     -- of the change; NULL if older code wrote the row
    PRIMARY KEY (organization, revision)
);

CREATE FUNCTION rescind.changes_gone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM rescind.enforcement AS e USING gone AS g
    WHERE e.organization = g.organization AND e.revision = g.revision;
    RETURN NULL;
END
$$;

CREATE TRIGGER change_gone AFTER DELETE ON rescind.change REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION rescind.changes_gone();

CREATE TABLE rescind.idempotency (
    organization INTEGER NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,       -- of the request
    revision BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    not_found TEXT COLLATE "C",             -- names to take away that did not exist: a JSON list of (what, name)
    PRIMARY KEY (organization, key)
);

CREATE INDEX idempotency_by_time ON rescind.idempotency (organization, recorded_at);

-- ---- processes that answer from memory ------------------------------------------------------------------------------

-- Processes that have indexes in memory, and the organizations that they hold. A revocation waits for the rows of its
-- organization. There are no times of day: the waiting process measures on its own clock, from when it read the row.

CREATE TABLE rescind.replica (
    id TEXT COLLATE "C" PRIMARY KEY,        -- one incarnation of one process
    name TEXT COLLATE "C" NOT NULL,         -- for people
    ttl BIGINT NOT NULL,                    -- length of its lease, microseconds
    beat BIGINT NOT NULL DEFAULT 0          -- incremented with every renewal
) WITH (fillfactor = 50);

CREATE TABLE rescind.replica_held (
    organization INTEGER NOT NULL,          -- 0 for definitions for all organizations
    replica TEXT COLLATE "C" NOT NULL REFERENCES rescind.replica (id) ON DELETE CASCADE,
    revision BIGINT NOT NULL,               -- the replica answers no check from an older one
    PRIMARY KEY (organization, replica)
) WITH (fillfactor = 50);

CREATE INDEX replica_held_by_replica ON rescind.replica_held (replica);

-- ---- the background audit -------------------------------------------------------------------------------------------

-- Leases of tasks that one process at a time does, whichever it is.

CREATE TABLE rescind.task_lease (
    task TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,       -- a process
    expires_at BIGINT NOT NULL              -- by the database's clock
);

-- A round compares all organizations. Its row is its checkpoint.

CREATE TABLE rescind.audit_round (
    id INTEGER PRIMARY KEY,
    started_at BIGINT NOT NULL,
    completed_at BIGINT,                    -- NULL while under way
    organization INTEGER NOT NULL DEFAULT 0, -- the checkpoint: what comes next
    membership INTEGER NOT NULL DEFAULT 0,
    organizations BIGINT NOT NULL DEFAULT 0,
    memberships BIGINT NOT NULL DEFAULT 0,
    effective_roles BIGINT NOT NULL DEFAULT 0,
    missing BIGINT NOT NULL DEFAULT 0,
    surplus BIGINT NOT NULL DEFAULT 0,
    unsettled BIGINT NOT NULL DEFAULT 0,
    repaired BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE rescind.audit_drift (
    organization INTEGER NOT NULL,
    "group" INTEGER NOT NULL,               -- 0 for what comes from no group
    since BIGINT NOT NULL,                  -- when it was seen first
    seen_at BIGINT NOT NULL,                -- when it was seen last
    round INTEGER NOT NULL,                 -- that saw it last
    missing BIGINT NOT NULL,
    surplus BIGINT NOT NULL,
    repaired BIGINT NOT NULL,
    example TEXT COLLATE "C" NOT NULL,
    ended_at BIGINT,                        -- when a later round found none
    PRIMARY KEY (organization, "group", since)
);

CREATE UNIQUE INDEX audit_drift_open ON rescind.audit_drift (organization, "group") WHERE ended_at IS NULL;

-- ---- access reviews ---------------------------------------------------------------------------------------------------

-- The lines of a review are not stored: they follow from the log up to its revision.

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

-- The log of service actions: what was done to keys, pending work, logs and the schema. Its numbers have no gap; a digest
-- covers the one before it and the action's own content.

CREATE TABLE rescind.action (
    number BIGINT NOT NULL PRIMARY KEY,
    recorded_at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    organization INTEGER,                   -- whose matter it is; NULL if it is the whole database's
    subject TEXT COLLATE "C" NOT NULL,                  -- what it was done to, such as a key's id
    detail TEXT COLLATE "C" NOT NULL,                   -- as JSON
    actor TEXT COLLATE "C" NOT NULL,
    request TEXT COLLATE "C" NOT NULL,                  -- id of the request over HTTP; else empty
    digest BYTEA NOT NULL
);

-- One row: the newest action. Whoever adds one locks it.

CREATE TABLE rescind.action_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 0),
    number BIGINT NOT NULL,
    digest BYTEA NOT NULL
);

INSERT INTO rescind.action_head (id, number, digest) VALUES (0, 0, '\x94004ebc2754910587f92e1dad2378e837abbfa83bf59e2e9339dd8d56cd87f1');

-- ---- the HTTP service ------------------------------------------------------------------------------------------------

-- Keys of the service. The secret is not stored: `digest` is its SHA-256. `former_digest` is that of the secret before a
-- rotation, valid until `former_until`.

CREATE TABLE rescind.api_key (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    former_digest TEXT COLLATE "C",
    former_until BIGINT,
    scopes TEXT COLLATE "C" NOT NULL,       -- separated by blanks
    organization TEXT COLLATE "C",          -- the only organization that it is valid for, by name
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT,
    bound_to INTEGER                        -- that organization's number; a later one of the same name has another
);

-- What the management API keeps beside the facts. An entry belongs to an object by its number, which is never
-- reused: an object that is made again under an old name has a new entry.

CREATE TABLE rescind.directory (
    organization INTEGER NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,                -- the object's; 0 for the organization itself
    public_id TEXT COLLATE "C",             -- if it is not derived from the number
    external_id TEXT COLLATE "C",           -- of an organization
    attributes TEXT COLLATE "C" NOT NULL DEFAULT '{}', -- JSON
    created_at BIGINT,                      -- NULL if the object was not made by the management API
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organization, kind, number)
);

CREATE UNIQUE INDEX directory_by_public_id ON rescind.directory (public_id) WHERE public_id IS NOT NULL;

CREATE UNIQUE INDEX directory_by_external_id ON rescind.directory (external_id) WHERE external_id IS NOT NULL;

-- The secret from which public ids, tokens and cursors are derived.

CREATE TABLE rescind.directory_secret (secret TEXT COLLATE "C" NOT NULL);

INSERT INTO rescind.directory_secret SELECT replace(CAST(gen_random_uuid() AS text), '-', '');

-- Answers to requests with an idempotency key, kept as long as keys are.

CREATE TABLE rescind.directory_answer (
    caller TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,       -- of the request
    status INTEGER,
    body TEXT COLLATE "C",
    receipts TEXT COLLATE "C",              -- JSON: changes to enforce before the answer is repeated
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (caller, key)
);

CREATE INDEX directory_answer_by_time ON rescind.directory_answer (recorded_at);

-- Events in the order in which a reader misses none: by the transaction that wrote them, and only those that are older than
-- every running transaction.

CREATE TABLE rescind.directory_event (
    position BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    written_by BIGINT NOT NULL DEFAULT CAST(CAST(pg_current_xact_id() AS text) AS bigint),
    organization INTEGER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C" NOT NULL,         -- JSON
    actor TEXT COLLATE "C" NOT NULL,
    recorded_at BIGINT NOT NULL
);

CREATE INDEX directory_event_by_writer ON rescind.directory_event (written_by, position);

CREATE INDEX directory_event_by_organization ON rescind.directory_event (organization, written_by, position);

-- Events are derived from the change log. `directory_follower` has the last revision that was reported, and the known
-- numbers (of memberships and groups, roles, permissions). `directory_member` has the reported members of groups. Events
-- of the management API itself wait in `directory_note` with their content, for the changes `since` to `revision`.

CREATE TABLE rescind.directory_follower (
    organization INTEGER PRIMARY KEY,
    revision BIGINT NOT NULL,
    number INTEGER NOT NULL,
    role INTEGER NOT NULL,
    permission INTEGER NOT NULL
);

INSERT INTO rescind.directory_follower (organization, revision, number, role, permission) VALUES (0, 0, 0, 0, 0);

CREATE TABLE rescind.directory_member (
    organization INTEGER NOT NULL,
    "group" INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (organization, "group", membership)
);

CREATE INDEX directory_member_by_membership ON rescind.directory_member (organization, membership);

CREATE INDEX directory_member_expiring ON rescind.directory_member (expires_at, organization) WHERE expires_at IS NOT NULL;

CREATE TABLE rescind.directory_nesting (
    organization INTEGER NOT NULL,
    child INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    PRIMARY KEY (organization, child, parent)
);

CREATE INDEX directory_nesting_by_parent ON rescind.directory_nesting (organization, parent);

CREATE TABLE rescind.directory_given (
    organization INTEGER NOT NULL,
    holder INTEGER NOT NULL,                -- a membership, or (negative) a group
    resource TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (organization, holder, resource, role)
);

CREATE INDEX directory_given_by_role ON rescind.directory_given (organization, role);

CREATE INDEX directory_given_by_resource ON rescind.directory_given (organization, resource);

CREATE INDEX directory_given_expiring ON rescind.directory_given (expires_at, organization) WHERE expires_at IS NOT NULL;

CREATE TABLE rescind.directory_gone_id (           -- public ids of rows of `directory_gone`
    organization INTEGER NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    public_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization, kind, number)
);

CREATE TABLE rescind.directory_note (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    organization INTEGER NOT NULL,
    since BIGINT NOT NULL,                  -- more than `revision` if the facts did not change
    revision BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C" NOT NULL,         -- JSON
    actor TEXT COLLATE "C" NOT NULL,
    recorded_at BIGINT NOT NULL
);

CREATE INDEX directory_note_by_organization ON rescind.directory_note (organization, id);

CREATE INDEX directory_note_by_time ON rescind.directory_note (recorded_at);

-- Deleted objects, and the revision that deleted them, until the event is reported. Their numbers are nowhere else.

CREATE TABLE rescind.directory_gone (
    organization INTEGER NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C",
    revision BIGINT NOT NULL,
    PRIMARY KEY (organization, kind, number)
);

CREATE FUNCTION rescind.memberships_gone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rescind.directory_gone SELECT g.organization, 'membership', g.id, g.subject, g.name, o.revision + 1
    FROM gone AS g JOIN rescind.organization AS o ON o.id = g.organization;
    RETURN NULL;
END
$$;

CREATE TRIGGER memberships_gone AFTER DELETE ON rescind.membership REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION rescind.memberships_gone();

CREATE FUNCTION rescind.gone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rescind.directory_gone SELECT OLD.organization, TG_ARGV[0], OLD.id, OLD.slug, to_jsonb(OLD) ->> TG_ARGV[1], o.revision + 1
    FROM rescind.organization AS o WHERE o.id = OLD.organization;
    RETURN NULL;
END
$$;

CREATE TRIGGER group_buried AFTER UPDATE OF ended ON rescind."group" FOR EACH ROW
WHEN (OLD.ended IS NULL AND NEW.ended IS NOT NULL) EXECUTE FUNCTION rescind.gone('group', 'name');

CREATE TRIGGER group_gone AFTER DELETE ON rescind."group" FOR EACH ROW
WHEN (OLD.ended IS NULL) EXECUTE FUNCTION rescind.gone('group', 'name');

CREATE TRIGGER role_gone AFTER DELETE ON rescind.role FOR EACH ROW EXECUTE FUNCTION rescind.gone('role', 'name');

CREATE TRIGGER permission_gone AFTER DELETE ON rescind.permission FOR EACH ROW
EXECUTE FUNCTION rescind.gone('permission', 'description');

-- ---- functions that the queries call -----------------------------------------------------------------------------------

-- The items of a JSON list with their positions; `json_each` on SQLite.
CREATE FUNCTION rescind.json_texts(list text, OUT key bigint, OUT value text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 5 AS $$
    SELECT ordinality - 1, item FROM jsonb_array_elements_text(CAST(list AS jsonb)) WITH ORDINALITY AS i (item)
$$;

CREATE FUNCTION rescind.json_items(list text, OUT key bigint, OUT value jsonb) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 5 AS $$
    SELECT ordinality - 1, item FROM jsonb_array_elements(CAST(list AS jsonb)) WITH ORDINALITY AS i (item)
$$;

-- Refuse the change: SQLSTATE RS001, the error's code as message, its facts as detail.
CREATE FUNCTION rescind.refuse(code text, fact text, value text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'RS001', MESSAGE = code, DETAIL = jsonb_build_object(fact, value)::text;
END
$$;

-- Counters of the running transaction, gone when it ends.
CREATE FUNCTION rescind.tallied(counter text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT CAST(COALESCE(NULLIF(current_setting('rescind.' || counter, true), ''), '0') AS bigint)
$$;

CREATE FUNCTION rescind.tally(counter text, more bigint) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT CAST(set_config('rescind.' || counter,
        CAST(CAST(COALESCE(NULLIF(current_setting('rescind.' || counter, true), ''), '0') AS bigint) + more AS text),
        true) AS bigint)
$$;

-- Lock the organization for one change and start its counters at zero. Refuses if the organization, its role mode, or
-- whether it has required roles has changed since the change was planned.
CREATE FUNCTION rescind.begin(organization_id integer, expected_slug text, expected_mode text,
                              expects_required boolean DEFAULT NULL, expected_rule text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    found rescind.organization;
BEGIN
    SELECT * INTO found FROM rescind.organization WHERE id = organization_id FOR NO KEY UPDATE;
    IF found.slug IS DISTINCT FROM expected_slug OR found.role_mode <> expected_mode OR found.id_rule <> expected_rule THEN
        RAISE EXCEPTION USING ERRCODE = 'RS002', MESSAGE = 'the organization is not as planned';
    END IF;
    IF expects_required <> EXISTS (SELECT 1 FROM rescind.role WHERE organization IN (0, organization_id) AND required) THEN
        RAISE EXCEPTION USING ERRCODE = 'RS002', MESSAGE = 'the required roles are not as planned';
    END IF;
    -- Counters are gone with the transaction; one that holds several changes starts them anew.
    IF COALESCE(current_setting('rescind.begun', true), '') = '' THEN
        PERFORM set_config('rescind.begun', '1', true);
        RETURN found.revision;
    END IF;
    PERFORM set_config('rescind.' || counter, '', true)
    FROM unnest(ARRAY['altered', 'numbers', 'granted', 'revoked', 'revokes', 'gains', 'takes', 'critical',
                      'unsettled', 'pairs', 'estimated', 'pended']) AS counter;
    RETURN found.revision;
END
$$;

-- Add the cost of a step to the counters `pairs`, `critical` and `unsettled`. Refuses an inline step, with SQLSTATE RS003,
-- if it touches more pairs than the budget, or a job has locked one of its groups.
CREATE FUNCTION rescind.choose(pairs bigint, is_critical boolean, is_busy boolean, is_unsettled boolean,
                               is_background boolean, budget bigint, critical_budget bigint, step bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_background AND (is_busy OR pairs > CASE WHEN is_critical THEN critical_budget ELSE budget END) THEN
        RAISE EXCEPTION USING ERRCODE = 'RS003', MESSAGE = 'the step is not for the inline route',
            DETAIL = jsonb_build_object('step', step, 'pairs', pairs, 'is_busy', is_busy)::text;
    END IF;
    IF is_critical THEN
        PERFORM set_config('rescind.critical', '1', true);
    ELSE
        PERFORM set_config('rescind.critical', '', true);
    END IF;
    IF is_unsettled THEN
        PERFORM set_config('rescind.unsettled', '1', true);
    END IF;
    IF is_background THEN
        PERFORM rescind.tally('estimated', pairs);
    END IF;
    RETURN rescind.tally('pairs', pairs);
END
$$;

-- Lock groups for a change, in one order. Returns whether a job has locked some of them; with `waits`, waits and locks all.
-- Called only while anything is pending, so that other changes need not prepare it.
CREATE FUNCTION rescind.take_groups(organization_id integer, groups integer[], waits boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
BEGIN
    IF waits THEN
        SELECT count(*) INTO taken FROM (
            SELECT g.id FROM rescind."group" AS g WHERE g.organization = organization_id AND g.id = ANY (groups)
            ORDER BY g.id FOR NO KEY UPDATE) AS had;
    ELSE
        SELECT count(*) INTO taken FROM (
            SELECT g.id FROM rescind."group" AS g WHERE g.organization = organization_id AND g.id = ANY (groups)
            ORDER BY g.id FOR NO KEY UPDATE SKIP LOCKED) AS had;
    END IF;
    RETURN taken < cardinality(groups);
END
$$;

-- Claim groups for a chunk of background work: lock their rows and write them as they are. False if a change or another
-- chunk has locked one of them. A transaction with one snapshot cannot lock a row that was written since. So a change in it
-- is a serialization failure if a chunk wrote effective roles that the change does not see.
CREATE FUNCTION rescind.claim_groups(organization_id integer, groups integer[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    claimed bigint;
BEGIN
    SELECT count(*) INTO claimed FROM (
        SELECT g.id FROM rescind."group" AS g WHERE g.organization = organization_id AND g.id = ANY (groups)
        ORDER BY g.id FOR NO KEY UPDATE SKIP LOCKED) AS locked;
    IF claimed < cardinality(groups) THEN
        RETURN FALSE;
    END IF;
    UPDATE rescind."group" AS g SET name = g.name WHERE g.organization = organization_id AND g.id = ANY (groups);
    RETURN TRUE;
END
$$;

-- Add names that the running transaction did not find, as a JSON list. At most 10,000 are kept.
CREATE FUNCTION rescind.note_missing(list text, number bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    noted text := COALESCE(current_setting('rescind.not_found', true), '');
BEGIN
    IF number = 0 THEN
        RETURN 0;
    END IF;
    IF rescind.tallied('missing') < 10000 THEN
        PERFORM set_config('rescind.not_found',
            noted || CASE WHEN noted = '' THEN '' ELSE ', ' END || substr(list, 2, length(list) - 2), true);
    END IF;
    RETURN rescind.tally('missing', number);
END
$$;

-- Return the names that were not found, as a JSON list, and clear them.
CREATE FUNCTION rescind.take_missing() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    noted text := COALESCE(current_setting('rescind.not_found', true), '');
BEGIN
    PERFORM set_config('rescind.not_found', '', true), set_config('rescind.missing', '', true);
    RETURN '[' || noted || ']';
END
$$;

-- The database, wherever its server runs: a promoted standby has the same, a restored dump or a copy has another.

CREATE FUNCTION rescind.identity() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    cluster text := '';
BEGIN
    BEGIN
        SELECT CAST(system_identifier AS text) INTO cluster FROM pg_control_system();
    EXCEPTION WHEN feature_not_supported OR insufficient_privilege THEN
        cluster := '';
    END;
    RETURN cluster || '/' || (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
        || '/' || (SELECT CAST(i.tableoid AS text) FROM rescind.installation AS i);
END
$$;

-- What a lease and everything read under it must have in common: the server's timeline, which changes when a standby is
-- promoted or a back-up is restored (empty where it is not told), the incarnation, and the oldest code that may go on.

CREATE FUNCTION rescind.server() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    timeline text := '';
BEGIN
    BEGIN
        timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
    EXCEPTION WHEN feature_not_supported OR insufficient_privilege OR object_not_in_prerequisite_state THEN
        timeline := '';
    END;
    RETURN timeline || (SELECT '/' || i.incarnation || '/' || i.usable_from || '/' || CAST(i.tableoid AS text)
                        FROM rescind.installation AS i);
END
$$;

-- The planner's estimate for a row of the view `effective_permission`: about as much as reading it from a table and an
-- index. It is PL/pgSQL, since a function in SQL is inlined. The view does not need its result.
CREATE FUNCTION rescind.weight(is_allowed boolean) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 400 AS $$
BEGIN
    RETURN is_allowed;
END
$$;

-- A role that may read the view needs no other grant than USAGE of the schema, even if functions are not public by default.

GRANT EXECUTE ON FUNCTION rescind.weight(boolean) TO PUBLIC;

-- ---- the planner's statistics ----------------------------------------------------------------------------------------

-- Stated, not measured: the typical shape of organizations, so that plans made for the first row fit the millionth. A
-- column's number of distinct values survives every later ANALYZE (negative: a share of the rows).

ALTER TABLE rescind.membership ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN id SET (n_distinct = -1),
    ALTER COLUMN subject SET (n_distinct = -1);

ALTER TABLE rescind."group" ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN id SET (n_distinct = -1),
    ALTER COLUMN slug SET (n_distinct = -1);

ALTER TABLE rescind.group_member ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN membership SET (n_distinct = -0.2),
    ALTER COLUMN "group" SET (n_distinct = -0.02);

ALTER TABLE rescind.recorded_nesting ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN child SET (n_distinct = -0.5),
    ALTER COLUMN parent SET (n_distinct = -0.2);

ALTER TABLE rescind.resource ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN id SET (n_distinct = -1),
    ALTER COLUMN slug SET (n_distinct = -1), ALTER COLUMN parent SET (n_distinct = -0.1);

ALTER TABLE rescind.assignment ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN id SET (n_distinct = -1),
    ALTER COLUMN holder SET (n_distinct = -0.1), ALTER COLUMN resource SET (n_distinct = -0.2),
    ALTER COLUMN role SET (n_distinct = -0.02), ALTER COLUMN ended SET (n_distinct = -0.3);

ALTER TABLE rescind.effective_role ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN membership SET (n_distinct = -0.01),
    ALTER COLUMN assignment SET (n_distinct = -0.01);

ALTER TABLE rescind.role_permission ALTER COLUMN role SET (n_distinct = -0.05), ALTER COLUMN permission SET (n_distinct = -0.2);

ALTER TABLE rescind.pending ALTER COLUMN organization SET (n_distinct = -0.1), ALTER COLUMN "group" SET (n_distinct = -0.5);

ALTER TABLE rescind.role_reset ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN membership SET (n_distinct = -0.5),
    ALTER COLUMN role SET (n_distinct = -0.02);

ALTER TABLE rescind.role_before ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN membership SET (n_distinct = -1);

-- A sample for the statistics, deleted again at once. Its values are all different, so that none counts as common.

INSERT INTO rescind.organization (id, slug, name, created_at) SELECT -n, '-' || n, '', 0 FROM generate_series(1, 300) AS n;

INSERT INTO rescind.membership SELECT -n, n, 'user:' || n, NULL, TRUE, n FROM generate_series(1, 300) AS n;

INSERT INTO rescind."group" SELECT -n, -n, 'group ' || n, NULL, NULL FROM generate_series(1, 300) AS n;

INSERT INTO rescind.group_member (organization, membership, "group", expires_at) SELECT -n, n, -n, NULL FROM generate_series(1, 300) AS n;

INSERT INTO rescind.recorded_nesting (organization, child, parent, ended) SELECT -n, -n, -n, NULL FROM generate_series(1, 300) AS n;

INSERT INTO rescind.permission OVERRIDING SYSTEM VALUE SELECT -n, -n, 'p' || n, '', FALSE FROM generate_series(1, 300) AS n;

INSERT INTO rescind.role (id, organization, slug, name, priority, critical) OVERRIDING SYSTEM VALUE
SELECT -n, -n, 'r' || n, NULL, n, FALSE FROM generate_series(1, 300) AS n;

INSERT INTO rescind.role_permission SELECT -n, -n FROM generate_series(1, 300) AS n;

INSERT INTO rescind.resource SELECT -n, n, 'doc:' || n, NULL FROM generate_series(1, 300) AS n;

INSERT INTO rescind.assignment (organization, id, holder, role, resource, made)
SELECT -n, n, -n, -n, n, n FROM generate_series(1, 300) AS n;

INSERT INTO rescind.effective_role SELECT -n, n, n, NULL FROM generate_series(1, 300) AS n;

INSERT INTO rescind.role_reset SELECT -n, n, n FROM generate_series(1, 300) AS n;

INSERT INTO rescind.role_before SELECT -n, n, n FROM generate_series(1, 300) AS n;

INSERT INTO rescind.change (organization, revision, recorded_at, actor, reason, direction, route, granted, revoked, body, digest)
SELECT -n, n, n, '', '', 'grants', 'inline', 0, 0, '[]', '' FROM generate_series(1, 300) AS n;

ANALYZE rescind.organization, rescind.membership, rescind."group",
    rescind.group_member (organization, membership, "group", expires_at),
    rescind.recorded_nesting (organization, child, parent, ended),
    rescind.permission, rescind.role (id, organization, slug, name, priority, critical, resource_type),
    rescind.role_permission, rescind.resource, rescind.assignment, rescind.effective_role,
    rescind.role_reset, rescind.role_before, rescind.change;

TRUNCATE rescind.membership, rescind."group", rescind.group_member, rescind.recorded_nesting, rescind.role_permission,
    rescind.resource, rescind.assignment, rescind.effective_role, rescind.role_before, rescind.change, rescind.idempotency,
    rescind.pending;

ANALYZE rescind.role_before;

DELETE FROM rescind.role_reset WHERE organization < 0;

DELETE FROM rescind.permission WHERE organization < 0;

DELETE FROM rescind.role WHERE organization < 0;

DELETE FROM rescind.organization WHERE id < 0;

-- Columns without stated statistics. `id_rule` says which spellings of an id are equal. `search_name` is the name, or else
-- the id, normalized for searches.

ALTER TABLE rescind.organization ADD COLUMN id_rule TEXT COLLATE "C" NOT NULL DEFAULT 'exact' CHECK (id_rule IN ('exact', 'casefold'));

ALTER TABLE rescind.organization ADD COLUMN search_name TEXT COLLATE "C" NOT NULL DEFAULT '';

ALTER TABLE rescind."group" ADD COLUMN search_name TEXT COLLATE "C" NOT NULL DEFAULT '';
