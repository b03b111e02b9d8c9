-- Who put a membership into a group, and a group into another, and when: the revision that did, as assignments have it.
-- Of what is there already that is not known (0).

ALTER TABLE group_member ADD COLUMN made BIGINT NOT NULL DEFAULT 0;

ALTER TABLE recorded_nesting ADD COLUMN made BIGINT NOT NULL DEFAULT 0;

-- What ends soon, the first to end first; of what ends at all.

CREATE INDEX group_member_expiring ON group_member (organization, expires_at, membership, "group")
    WHERE expires_at IS NOT NULL;

CREATE INDEX assignment_expiring ON assignment (organization, expires_at, id)
    WHERE ended IS NULL AND expires_at IS NOT NULL;

CREATE INDEX membership_deactivated ON membership (organization, subject) WHERE NOT active;

-- An organization's roles, permissions and types in the order of their names; what is below a resource, and what a role
-- is assigned as, in the order of their numbers.

DROP INDEX role_by_organization;

CREATE INDEX role_by_organization ON role (organization, slug);

DROP INDEX permission_by_organization;

CREATE INDEX permission_by_organization ON permission (organization, slug);

CREATE INDEX resource_type_by_organization ON resource_type (organization, slug);

DROP INDEX resource_by_parent;

CREATE INDEX resource_by_parent ON resource (organization, parent, id);

DROP INDEX assignment_by_role;

CREATE INDEX assignment_by_role ON assignment (role, organization, id) WHERE role IS NOT NULL;
