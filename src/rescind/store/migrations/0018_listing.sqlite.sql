-- Who put a membership into a group, and a group into another, and when: the revision that did, as assignments have it.
-- Of what is there already that is not known (0).

ALTER TABLE group_member ADD COLUMN made INTEGER NOT NULL DEFAULT 0;

ALTER TABLE recorded_nesting ADD COLUMN made INTEGER NOT NULL DEFAULT 0;

-- What ends soon, the first to end first; of what ends at all.

CREATE INDEX group_member_expiring ON group_member (organization, expires_at, membership, "group")
    WHERE expires_at IS NOT NULL;

CREATE INDEX assignment_expiring ON assignment (organization, expires_at, id)
    WHERE ended IS NULL AND expires_at IS NOT NULL;

CREATE INDEX membership_deactivated ON membership (organization, subject) WHERE NOT active;

-- An organization's roles, permissions and types in the order of their names.

DROP INDEX role_by_organization;

CREATE INDEX role_by_organization ON role (organization, slug);

DROP INDEX permission_by_organization;

CREATE INDEX permission_by_organization ON permission (organization, slug);

CREATE INDEX resource_type_by_organization ON resource_type (organization, slug);

DELETE FROM sqlite_stat1 WHERE idx IN ('role_by_organization', 'permission_by_organization');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('group_member', 'group_member_expiring', '10000000000 50000 100 1 1'),
    ('assignment', 'assignment_expiring', '10000000000 10000 100 1'),
    ('membership', 'membership_deactivated', '10000000000 10000 1'),
    ('role', 'role_by_organization', '10000000000 1000 1'),
    ('permission', 'permission_by_organization', '10000000000 1000 1'),
    ('resource_type', 'resource_type_by_organization', '10000000000 1000 1');
