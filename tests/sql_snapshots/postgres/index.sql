-- find_organization
SELECT o.id AS organization FROM rescind.organization AS o WHERE o.slug = %(organization)s AND o.id <> 0

-- index_assignments
SELECT holder, role, resource FROM rescind.assignment WHERE organization = %(o)s AND ended IS NULL AND expires_at IS NULL

-- index_expiring_assignments
SELECT holder, role, resource, expires_at FROM rescind.assignment
WHERE organization = %(o)s AND ended IS NULL AND expires_at IS NOT NULL

-- index_expiring_members
SELECT membership, "group", expires_at FROM rescind.group_member WHERE organization = %(o)s AND expires_at IS NOT NULL

-- index_group_members
SELECT "group", string_agg(int4send(membership), CAST('' AS BYTEA)) AS memberships
FROM rescind.group_member WHERE organization = %(o)s AND expires_at IS NULL GROUP BY "group"

-- index_groups
SELECT id AS number, slug AS "group" FROM rescind."group" WHERE organization = %(o)s AND ended IS NULL

-- index_inactive
SELECT id AS number FROM rescind.membership WHERE organization = %(o)s AND NOT active

-- index_memberships
SELECT subject, id AS number FROM rescind.membership WHERE organization = %(o)s

-- index_nestings
SELECT child, parent FROM rescind.nesting WHERE organization = %(o)s

-- index_permissions
SELECT id AS number, slug AS permission, critical FROM rescind.permission WHERE organization = %(owner)s

-- index_resets
SELECT x.membership, x.role FROM rescind.role_reset AS x WHERE x.organization = %(o)s

-- index_resources
SELECT slug AS resource, id AS number, parent FROM rescind.resource WHERE organization = %(o)s

-- index_role_permissions
SELECT rp.role, rp.permission FROM rescind.role AS r CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
    WHERE rp.role = r.id OFFSET 0) AS rp WHERE r.organization = %(owner)s

-- index_roles
SELECT id AS number, slug AS role, priority FROM rescind.role WHERE organization = %(owner)s

-- index_state
SELECT o.id AS organization, o.slug AS name, o.revision, env.revision AS environment, o.role_mode, o.on_loss, o.default_role,
    rescind.server() AS server,
    o.id_rule
FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS env
    WHERE env.id = 0 OFFSET 0) AS env WHERE o.id = %(o)s

-- tail_assigned
SELECT a.holder, a.role, a.resource, a.expires_at FROM rescind.json_texts(%(roles)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.slug = i.value AND q.organization IN (0, %(o)s) OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.role = q.id AND a.organization = %(o)s AND a.ended IS NULL OFFSET 0) AS a

-- tail_assignments
SELECT a.holder, a.role, a.resource, a.expires_at FROM rescind.json_items(%(assignments)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.ended IS NULL
    AND a.holder = COALESCE(
        (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = i.value ->> 'group' AND g.ended IS NULL),
            (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value ->> 'subject'))
    AND a.resource = (SELECT r.id FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = i.value ->> 'resource') OFFSET 0) AS a

-- tail_groups
SELECT i.value AS "group", g.id AS number FROM rescind.json_texts(%(groups)s) AS i
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.slug = i.value AND g.ended IS NULL OFFSET 0) AS g ON TRUE

-- tail_held
SELECT a.holder, a.role, a.resource, a.expires_at FROM rescind.json_items(%(holders)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.ended IS NULL
    AND a.holder = COALESCE(
        (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = i.value ->> 'group' AND g.ended IS NULL),
            (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value ->> 'subject')) OFFSET 0) AS a

-- tail_log
SELECT c.revision, c.direction, c.body FROM rescind.change AS c
WHERE c.organization = %(o)s AND c.revision > %(after)s ORDER BY c.revision LIMIT %(limit)s

-- tail_memberships
SELECT i.value AS subject, m.id AS number, m.active FROM rescind.json_texts(%(subjects)s) AS i
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m ON TRUE

-- tail_nestings
SELECT g.id AS child, n.parent FROM rescind.json_texts(%(children)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.slug = i.value AND g.ended IS NULL OFFSET 0) AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
    WHERE n.organization = %(o)s AND n.child = g.id OFFSET 0) AS n

-- tail_permissions
SELECT p.id AS number, p.slug AS permission, p.critical FROM rescind.json_texts(%(permissions)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.slug = i.value AND p.organization = %(owner)s OFFSET 0) AS p

-- tail_places
SELECT m.id AS membership, gm."group", gm.expires_at FROM rescind.json_texts(%(subjects)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
    WHERE gm.organization = %(o)s AND gm.membership = m.id OFFSET 0) AS gm
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = gm."group" AND g.ended IS NULL OFFSET 0) AS g

-- tail_resources
SELECT r.id AS number, r.slug AS resource, r.parent FROM rescind.json_texts(%(resources)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = %(o)s AND r.slug = i.value OFFSET 0) AS r

-- tail_revisions
WITH answering AS (
    SELECT
        rescind.server() AS server
)
SELECT o.id AS organization, o.revision, (SELECT a.server FROM answering AS a) AS server
FROM rescind.json_texts(%(organizations)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = CAST(i.value AS INTEGER) OFFSET 0) AS o

-- tail_role_permissions
SELECT rp.role, rp.permission FROM rescind.json_texts(%(roles)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS r
    WHERE r.slug = i.value AND r.organization = %(owner)s OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
    WHERE rp.role = r.id OFFSET 0) AS rp

-- tail_roles
SELECT r.id AS number, r.slug AS role, r.priority FROM rescind.json_texts(%(roles)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.role AS r
    WHERE r.slug = i.value AND r.organization = %(owner)s OFFSET 0) AS r

-- tail_rosters
SELECT g.id AS "group", gm.membership, gm.expires_at FROM rescind.json_texts(%(rosters)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.slug = i.value AND g.ended IS NULL OFFSET 0) AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
    WHERE gm.organization = %(o)s AND gm."group" = g.id OFFSET 0) AS gm
