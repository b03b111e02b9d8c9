-- What an index in memory reads: a whole organization by number, later the current state of what logged changes name.

-- name: find_organization
SELECT o.id AS organization FROM rescind.organization AS o WHERE o.slug = :organization AND o.id <> 0

-- name: index_state
SELECT o.id AS organization, o.slug AS name, o.revision, env.revision AS environment, o.role_mode, o.on_loss, o.default_role,
@engine.server,
o.id_rule
FROM rescind.organization AS o JOIN rescind.organization AS env ON env.id = 0 WHERE o.id = :o

-- Where there are many, one row has up to 8,192 of them, as a JSON array for each column: reading a row costs more than reading
-- a value in it.

-- name: index_memberships
SELECT subject, id AS number FROM rescind.membership WHERE organization = :o

-- name: index_inactive
SELECT id AS number FROM rescind.membership WHERE organization = :o AND NOT active

-- name: index_groups
SELECT id AS number, slug AS "group" FROM rescind."group" WHERE organization = :o AND ended IS NULL

-- name: index_group_members
SELECT "group", @engine.packed_members AS memberships
FROM rescind.group_member WHERE organization = :o AND expires_at IS NULL GROUP BY "group"

-- name: index_expiring_members
SELECT membership, "group", expires_at FROM rescind.group_member WHERE organization = :o AND expires_at IS NOT NULL

-- name: index_nestings
SELECT child, parent FROM rescind.nesting WHERE organization = :o

-- name: index_permissions
SELECT id AS number, slug AS permission, critical FROM rescind.permission WHERE organization = :owner

-- name: index_roles
SELECT id AS number, slug AS role, priority FROM rescind.role WHERE organization = :owner

-- name: index_role_permissions
SELECT rp.role, rp.permission FROM rescind.role AS r JOIN rescind.role_permission AS rp ON rp.role = r.id WHERE r.organization = :owner

-- name: index_resources
SELECT slug AS resource, id AS number, parent FROM rescind.resource WHERE organization = :o

-- name: index_assignments
SELECT holder, role, resource FROM rescind.assignment WHERE organization = :o AND ended IS NULL AND expires_at IS NULL

-- name: index_expiring_assignments
SELECT holder, role, resource, expires_at FROM rescind.assignment
WHERE organization = :o AND ended IS NULL AND expires_at IS NOT NULL

-- name: index_resets
SELECT x.membership, x.role FROM rescind.role_reset AS x WHERE x.organization = :o

-- --- the tail of the log -------------------------------------------------------------------------

-- name: tail_revisions
WITH answering AS (
    SELECT
@engine.server
)
SELECT o.id AS organization, o.revision, (SELECT a.server FROM answering AS a) AS server
FROM rescind.json_texts(:organizations) AS i JOIN rescind.organization AS o ON o.id = CAST(i.value AS INTEGER)

-- name: tail_log
SELECT c.revision, c.direction, c.body FROM rescind.change AS c
WHERE c.organization = :o AND c.revision > :after ORDER BY c.revision LIMIT :limit

-- name: tail_memberships
SELECT i.value AS subject, m.id AS number, m.active FROM rescind.json_texts(:subjects) AS i
LEFT JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value

-- name: tail_places
SELECT m.id AS membership, gm."group", gm.expires_at FROM rescind.json_texts(:subjects) AS i
JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value
JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = m.id
JOIN rescind."group" AS g ON g.organization = :o AND g.id = gm."group" AND g.ended IS NULL

-- name: tail_groups
SELECT i.value AS "group", g.id AS number FROM rescind.json_texts(:groups) AS i
LEFT JOIN rescind."group" AS g ON g.organization = :o AND g.slug = i.value AND g.ended IS NULL

-- name: tail_rosters
SELECT g.id AS "group", gm.membership, gm.expires_at FROM rescind.json_texts(:rosters) AS i
JOIN rescind."group" AS g ON g.organization = :o AND g.slug = i.value AND g.ended IS NULL
JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = g.id

-- name: tail_nestings
SELECT g.id AS child, n.parent FROM rescind.json_texts(:children) AS i
JOIN rescind."group" AS g ON g.organization = :o AND g.slug = i.value AND g.ended IS NULL
JOIN rescind.nesting AS n ON n.organization = :o AND n.child = g.id

-- name: tail_permissions
SELECT p.id AS number, p.slug AS permission, p.critical FROM rescind.json_texts(:permissions) AS i
JOIN rescind.permission AS p ON p.slug = i.value AND p.organization = :owner

-- name: tail_roles
SELECT r.id AS number, r.slug AS role, r.priority FROM rescind.json_texts(:roles) AS i JOIN rescind.role AS r ON r.slug = i.value AND r.organization = :owner

-- name: tail_role_permissions
SELECT rp.role, rp.permission FROM rescind.json_texts(:roles) AS i
JOIN rescind.role AS r ON r.slug = i.value AND r.organization = :owner
JOIN rescind.role_permission AS rp ON rp.role = r.id

-- name: tail_resources
SELECT r.id AS number, r.slug AS resource, r.parent FROM rescind.json_texts(:resources) AS i
JOIN rescind.resource AS r ON r.organization = :o AND r.slug = i.value

-- name: tail_assignments
SELECT a.holder, a.role, a.resource, a.expires_at FROM rescind.json_items(:assignments) AS i
JOIN rescind.assignment AS a ON a.organization = :o AND a.ended IS NULL
AND a.holder = COALESCE(
    (SELECT g.id FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = i.value ->> 'group' AND g.ended IS NULL),
    (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value ->> 'subject'))
AND a.resource = (SELECT r.id FROM rescind.resource AS r WHERE r.organization = :o AND r.slug = i.value ->> 'resource')

-- name: tail_held
SELECT a.holder, a.role, a.resource, a.expires_at FROM rescind.json_items(:holders) AS i
JOIN rescind.assignment AS a ON a.organization = :o AND a.ended IS NULL
AND a.holder = COALESCE(
    (SELECT g.id FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = i.value ->> 'group' AND g.ended IS NULL),
    (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value ->> 'subject'))

-- name: tail_assigned
SELECT a.holder, a.role, a.resource, a.expires_at FROM rescind.json_texts(:roles) AS i
JOIN rescind.role AS q ON q.slug = i.value AND q.organization IN (0, :o)
JOIN rescind.assignment AS a ON a.role = q.id AND a.organization = :o AND a.ended IS NULL
