-- find_organization
SELECT o.id AS organization FROM rescind_organization AS o WHERE o.slug = :organization AND o.id <> 0

-- index_assignments
SELECT holder, role, resource FROM rescind_assignment WHERE organization = :o AND ended IS NULL AND expires_at IS NULL

-- index_expiring_assignments
SELECT holder, role, resource, expires_at FROM rescind_assignment
WHERE organization = :o AND ended IS NULL AND expires_at IS NOT NULL

-- index_expiring_members
SELECT membership, "group", expires_at FROM rescind_group_member WHERE organization = :o AND expires_at IS NOT NULL

-- index_group_members
SELECT "group", CAST(json_group_array(membership) AS TEXT) AS memberships
FROM rescind_group_member WHERE organization = :o AND expires_at IS NULL GROUP BY "group"

-- index_groups
SELECT id AS number, slug AS "group" FROM rescind_group WHERE organization = :o AND ended IS NULL

-- index_inactive
SELECT id AS number FROM rescind_membership WHERE organization = :o AND NOT active

-- index_memberships
SELECT subject, id AS number FROM rescind_membership WHERE organization = :o

-- index_nestings
SELECT child, parent FROM rescind_nesting WHERE organization = :o

-- index_permissions
SELECT id AS number, slug AS permission, critical FROM rescind_permission WHERE organization = :owner

-- index_resets
SELECT x.membership, x.role FROM rescind_role_reset AS x WHERE x.organization = :o

-- index_resources
SELECT slug AS resource, id AS number, parent FROM rescind_resource WHERE organization = :o

-- index_role_permissions
SELECT rp.role, rp.permission FROM rescind_role AS r CROSS JOIN rescind_role_permission AS rp ON rp.role = r.id WHERE r.organization = :owner

-- index_roles
SELECT id AS number, slug AS role, priority FROM rescind_role WHERE organization = :owner

-- index_state
SELECT o.id AS organization, o.slug AS name, o.revision, env.revision AS environment, o.role_mode, o.on_loss, o.default_role,
    (SELECT i.incarnation || '/' || i.usable_from FROM rescind_installation AS i) AS server,
    o.id_rule
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env ON env.id = 0 WHERE o.id = :o

-- tail_assigned
SELECT a.holder, a.role, a.resource, a.expires_at FROM json_each(:roles) AS i
CROSS JOIN rescind_role AS q ON q.slug = i.value AND q.organization IN (0, :o)
CROSS JOIN rescind_assignment AS a ON a.role = q.id AND a.organization = :o AND a.ended IS NULL

-- tail_assignments
SELECT a.holder, a.role, a.resource, a.expires_at FROM json_each(:assignments) AS i
CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.ended IS NULL
AND a.holder = COALESCE(
    (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = i.value ->> 'group' AND g.ended IS NULL),
        (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value ->> 'subject'))
AND a.resource = (SELECT r.id FROM rescind_resource AS r WHERE r.organization = :o AND r.slug = i.value ->> 'resource')

-- tail_groups
SELECT i.value AS "group", g.id AS number FROM json_each(:groups) AS i
LEFT JOIN rescind_group AS g ON g.organization = :o AND g.slug = i.value AND g.ended IS NULL

-- tail_held
SELECT a.holder, a.role, a.resource, a.expires_at FROM json_each(:holders) AS i
CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.ended IS NULL
AND a.holder = COALESCE(
    (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = i.value ->> 'group' AND g.ended IS NULL),
        (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value ->> 'subject'))

-- tail_log
SELECT c.revision, c.direction, c.body FROM rescind_change AS c
WHERE c.organization = :o AND c.revision > :after ORDER BY c.revision LIMIT :limit

-- tail_memberships
SELECT i.value AS subject, m.id AS number, m.active FROM json_each(:subjects) AS i
LEFT JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value

-- tail_nestings
SELECT g.id AS child, n.parent FROM json_each(:children) AS i
CROSS JOIN rescind_group AS g ON g.organization = :o AND g.slug = i.value AND g.ended IS NULL
CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = g.id

-- tail_permissions
SELECT p.id AS number, p.slug AS permission, p.critical FROM json_each(:permissions) AS i
CROSS JOIN rescind_permission AS p ON p.slug = i.value AND p.organization = :owner

-- tail_places
SELECT m.id AS membership, gm."group", gm.expires_at FROM json_each(:subjects) AS i
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value
CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = m.id
CROSS JOIN rescind_group AS g ON g.organization = :o AND g.id = gm."group" AND g.ended IS NULL

-- tail_resources
SELECT r.id AS number, r.slug AS resource, r.parent FROM json_each(:resources) AS i
CROSS JOIN rescind_resource AS r ON r.organization = :o AND r.slug = i.value

-- tail_revisions
WITH answering AS (
    SELECT
        (SELECT i.incarnation || '/' || i.usable_from FROM rescind_installation AS i) AS server
)
SELECT o.id AS organization, o.revision, (SELECT a.server FROM answering AS a) AS server
FROM json_each(:organizations) AS i CROSS JOIN rescind_organization AS o ON o.id = CAST(i.value AS INTEGER)

-- tail_role_permissions
SELECT rp.role, rp.permission FROM json_each(:roles) AS i
CROSS JOIN rescind_role AS r ON r.slug = i.value AND r.organization = :owner
CROSS JOIN rescind_role_permission AS rp ON rp.role = r.id

-- tail_roles
SELECT r.id AS number, r.slug AS role, r.priority FROM json_each(:roles) AS i CROSS JOIN rescind_role AS r ON r.slug = i.value AND r.organization = :owner

-- tail_rosters
SELECT g.id AS "group", gm.membership, gm.expires_at FROM json_each(:rosters) AS i
CROSS JOIN rescind_group AS g ON g.organization = :o AND g.slug = i.value AND g.ended IS NULL
CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = g.id
