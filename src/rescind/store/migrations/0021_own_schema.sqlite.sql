-- Every object's name begins with `rescind_`, so that an application can have the file too.

-- SQLite rewrites what refers to a table that is renamed, whoever made that. An index and a trigger cannot be renamed, so
-- they are made anew; an index of a table of its own, `PRIMARY KEY` or `UNIQUE`, goes with the table.

ALTER TABLE organization RENAME TO rescind_organization;

ALTER TABLE membership RENAME TO rescind_membership;

ALTER TABLE "group" RENAME TO rescind_group;

ALTER TABLE group_member RENAME TO rescind_group_member;

ALTER TABLE recorded_nesting RENAME TO rescind_recorded_nesting;

ALTER TABLE permission RENAME TO rescind_permission;

ALTER TABLE role RENAME TO rescind_role;

ALTER TABLE role_permission RENAME TO rescind_role_permission;

ALTER TABLE resource_type RENAME TO rescind_resource_type;

ALTER TABLE resource RENAME TO rescind_resource;

ALTER TABLE assignment RENAME TO rescind_assignment;

ALTER TABLE effective_role RENAME TO rescind_effective_role;

ALTER TABLE role_reset RENAME TO rescind_role_reset;

ALTER TABLE role_before RENAME TO rescind_role_before;

ALTER TABLE required_before RENAME TO rescind_required_before;

ALTER TABLE pending RENAME TO rescind_pending;

ALTER TABLE deletion RENAME TO rescind_deletion;

ALTER TABLE change RENAME TO rescind_change;

ALTER TABLE enforcement RENAME TO rescind_enforcement;

ALTER TABLE idempotency RENAME TO rescind_idempotency;

ALTER TABLE api_key RENAME TO rescind_api_key;

ALTER TABLE directory RENAME TO rescind_directory;

ALTER TABLE directory_secret RENAME TO rescind_directory_secret;

ALTER TABLE directory_answer RENAME TO rescind_directory_answer;

ALTER TABLE directory_event RENAME TO rescind_directory_event;

ALTER TABLE directory_follower RENAME TO rescind_directory_follower;

ALTER TABLE directory_member RENAME TO rescind_directory_member;

ALTER TABLE directory_note RENAME TO rescind_directory_note;

ALTER TABLE directory_gone RENAME TO rescind_directory_gone;

DROP INDEX organization_by_default_role;

CREATE INDEX rescind_organization_by_default_role ON rescind_organization (default_role) WHERE default_role IS NOT NULL;

DROP INDEX membership_by_subject;

CREATE INDEX rescind_membership_by_subject ON rescind_membership (subject, organization);

DROP INDEX membership_deactivated;

CREATE INDEX rescind_membership_deactivated ON rescind_membership (organization, subject) WHERE NOT active;

DROP INDEX group_ended;

CREATE INDEX rescind_group_ended ON rescind_group (organization) WHERE ended IS NOT NULL;

DROP INDEX group_member_by_group;

CREATE INDEX rescind_group_member_by_group ON rescind_group_member (organization, "group", membership, expires_at);

DROP INDEX group_member_expiring;

CREATE INDEX rescind_group_member_expiring ON rescind_group_member (organization, expires_at, membership, "group")
    WHERE expires_at IS NOT NULL;

DROP INDEX nesting_by_parent;

CREATE INDEX rescind_nesting_by_parent ON rescind_recorded_nesting (organization, parent, child, ended);

DROP INDEX nesting_ended;

CREATE INDEX rescind_nesting_ended ON rescind_recorded_nesting (organization) WHERE ended IS NOT NULL;

DROP INDEX permission_by_organization;

CREATE INDEX rescind_permission_by_organization ON rescind_permission (organization, slug);

DROP INDEX role_by_organization;

CREATE INDEX rescind_role_by_organization ON rescind_role (organization, slug);

DROP INDEX role_critical;

CREATE INDEX rescind_role_critical ON rescind_role (organization) WHERE critical;

DROP INDEX role_required;

CREATE INDEX rescind_role_required ON rescind_role (organization) WHERE required;

DROP INDEX role_permission_by_permission;

CREATE INDEX rescind_role_permission_by_permission ON rescind_role_permission (permission, role);

DROP INDEX resource_type_by_organization;

CREATE INDEX rescind_resource_type_by_organization ON rescind_resource_type (organization, slug);

DROP INDEX resource_by_parent;

CREATE INDEX rescind_resource_by_parent ON rescind_resource (organization, parent);

DROP INDEX assignment_by_holder;

CREATE UNIQUE INDEX rescind_assignment_by_holder ON rescind_assignment (organization, holder, resource, role) WHERE ended IS NULL;

DROP INDEX assignment_expiring;

CREATE INDEX rescind_assignment_expiring ON rescind_assignment (organization, expires_at, id)
    WHERE ended IS NULL AND expires_at IS NOT NULL;

DROP INDEX assignment_by_role_held;

CREATE INDEX rescind_assignment_by_role_held ON rescind_assignment (organization, role, resource, holder, expires_at, ended)
    WHERE ended IS NULL;

DROP INDEX assignment_by_resource;

CREATE INDEX rescind_assignment_by_resource ON rescind_assignment (organization, resource, holder, role, expires_at, ended)
    WHERE resource IS NOT NULL;

DROP INDEX assignment_by_role;

CREATE INDEX rescind_assignment_by_role ON rescind_assignment (role, organization) WHERE role IS NOT NULL;

DROP INDEX assignment_ended;

CREATE INDEX rescind_assignment_ended ON rescind_assignment (organization, holder, ended) WHERE ended IS NOT NULL;

DROP INDEX assignment_ending;

CREATE INDEX rescind_assignment_ending ON rescind_assignment (organization) WHERE ended < 0;

DROP INDEX assignment_by_made;

CREATE INDEX rescind_assignment_by_made ON rescind_assignment (organization, holder, made, id, ended) WHERE ended IS NULL AND holder < 0;

DROP INDEX pending_fence;

CREATE INDEX rescind_pending_fence ON rescind_pending (organization, fence) WHERE fence IS NOT NULL;

DROP INDEX pending_due;

CREATE INDEX rescind_pending_due ON rescind_pending (urgency, organization, "group", recorded_at, revision, kind, ref) WHERE NOT parked;

DROP INDEX pending_by_revision;

CREATE INDEX rescind_pending_by_revision ON rescind_pending (organization, revision);

DROP INDEX pending_by_since;

CREATE INDEX rescind_pending_by_since ON rescind_pending (organization, since);

DROP INDEX pending_spanning;

CREATE INDEX rescind_pending_spanning ON rescind_pending (organization, since, revision) WHERE since < revision;

DROP INDEX change_by_cause;

CREATE INDEX rescind_change_by_cause ON rescind_change (caused_by) WHERE caused_by IS NOT NULL;

DROP INDEX change_unsettled;

CREATE INDEX rescind_change_unsettled ON rescind_change (organization, revision) WHERE settled_at IS NULL;

DROP TRIGGER change_gone;

CREATE TRIGGER rescind_change_gone AFTER DELETE ON rescind_change BEGIN
    DELETE FROM rescind_enforcement WHERE organization = OLD.organization AND revision = OLD.revision;
END;

DROP INDEX idempotency_by_time;

CREATE INDEX rescind_idempotency_by_time ON rescind_idempotency (organization, recorded_at);

DROP INDEX directory_by_public_id;

CREATE UNIQUE INDEX rescind_directory_by_public_id ON rescind_directory (public_id) WHERE public_id IS NOT NULL;

DROP INDEX directory_by_external_id;

CREATE UNIQUE INDEX rescind_directory_by_external_id ON rescind_directory (external_id) WHERE external_id IS NOT NULL;

DROP INDEX directory_answer_by_time;

CREATE INDEX rescind_directory_answer_by_time ON rescind_directory_answer (recorded_at);

DROP INDEX directory_event_by_organization;

CREATE INDEX rescind_directory_event_by_organization ON rescind_directory_event (organization, position);

DROP INDEX directory_member_by_membership;

CREATE INDEX rescind_directory_member_by_membership ON rescind_directory_member (organization, membership);

DROP INDEX directory_note_by_organization;

CREATE INDEX rescind_directory_note_by_organization ON rescind_directory_note (organization, id);

DROP INDEX directory_note_by_time;

CREATE INDEX rescind_directory_note_by_time ON rescind_directory_note (recorded_at);

DROP TRIGGER membership_gone;

CREATE TRIGGER rescind_membership_gone AFTER DELETE ON rescind_membership BEGIN
    INSERT INTO rescind_directory_gone SELECT OLD.organization, 'membership', OLD.id, OLD.subject, OLD.name, o.revision + 1
    FROM rescind_organization AS o WHERE o.id = OLD.organization;
END;

DROP TRIGGER group_buried;

CREATE TRIGGER rescind_group_buried AFTER UPDATE OF ended ON rescind_group WHEN OLD.ended IS NULL AND NEW.ended IS NOT NULL BEGIN
    INSERT INTO rescind_directory_gone SELECT OLD.organization, 'group', OLD.id, OLD.slug, OLD.name, o.revision + 1
    FROM rescind_organization AS o WHERE o.id = OLD.organization;
END;

DROP TRIGGER group_gone;

CREATE TRIGGER rescind_group_gone AFTER DELETE ON rescind_group WHEN OLD.ended IS NULL BEGIN
    INSERT INTO rescind_directory_gone SELECT OLD.organization, 'group', OLD.id, OLD.slug, OLD.name, o.revision + 1
    FROM rescind_organization AS o WHERE o.id = OLD.organization;
END;

DROP TRIGGER role_gone;

CREATE TRIGGER rescind_role_gone AFTER DELETE ON rescind_role BEGIN
    INSERT INTO rescind_directory_gone SELECT OLD.organization, 'role', OLD.id, OLD.slug, OLD.name, o.revision + 1
    FROM rescind_organization AS o WHERE o.id = OLD.organization;
END;

DROP TRIGGER permission_gone;

CREATE TRIGGER rescind_permission_gone AFTER DELETE ON rescind_permission BEGIN
    INSERT INTO rescind_directory_gone SELECT OLD.organization, 'permission', OLD.id, OLD.slug, OLD.description, o.revision + 1
    FROM rescind_organization AS o WHERE o.id = OLD.organization;
END;

-- A view of the users on `nesting` is told to them by its error; what was built on `effective_permission` stays.

CREATE VIEW rescind_nesting AS SELECT organization, child, parent FROM rescind_recorded_nesting WHERE ended IS NULL;

DROP VIEW nesting;

-- The planner's statistics, stated as in 0001, under the new names.

DELETE FROM sqlite_stat1 WHERE tbl IN (
    'organization', 'rescind_organization', 'membership', 'rescind_membership', 'group', 'rescind_group',
    'group_member', 'rescind_group_member', 'recorded_nesting', 'rescind_recorded_nesting', 'permission', 'rescind_permission',
    'role', 'rescind_role', 'role_permission', 'rescind_role_permission', 'resource_type', 'rescind_resource_type',
    'resource', 'rescind_resource', 'assignment', 'rescind_assignment', 'effective_role', 'rescind_effective_role',
    'role_reset', 'rescind_role_reset', 'role_before', 'rescind_role_before', 'required_before', 'rescind_required_before',
    'pending', 'rescind_pending', 'deletion', 'rescind_deletion', 'change', 'rescind_change',
    'enforcement', 'rescind_enforcement', 'idempotency', 'rescind_idempotency', 'api_key', 'rescind_api_key',
    'directory', 'rescind_directory', 'directory_secret', 'rescind_directory_secret', 'directory_answer', 'rescind_directory_answer',
    'directory_event', 'rescind_directory_event', 'directory_follower', 'rescind_directory_follower', 'directory_member', 'rescind_directory_member',
    'directory_note', 'rescind_directory_note', 'directory_gone', 'rescind_directory_gone');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('rescind_organization', 'sqlite_autoindex_rescind_organization_1', '10000000000 1'),
    ('rescind_membership', 'rescind_membership', '10000000000 10000 1'),
    ('rescind_membership', 'sqlite_autoindex_rescind_membership_2', '10000000000 10000 1'),
    ('rescind_membership', 'rescind_membership_by_subject', '10000000000 3 1'),
    ('rescind_membership', 'rescind_membership_deactivated', '10000000000 10000 1'),
    ('rescind_group', 'rescind_group', '10000000000 1000 1'),
    ('rescind_group', 'sqlite_autoindex_rescind_group_2', '10000000000 1000 1'),
    ('rescind_group', 'rescind_group_ended', '10000000000 10'),
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
    ('rescind_directory_note', 'rescind_directory_note_by_organization', '100000 10 1'),
    ('rescind_directory_note', 'rescind_directory_note_by_time', '100000 1'),
    ('rescind_directory_gone', 'rescind_directory_gone', '10000000 1000 500 1');
