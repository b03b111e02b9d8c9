-- find_logs_named
SELECT x.id AS organization FROM (
    SELECT o.id FROM rescind.organization AS o WHERE o.slug = %(organization)s
    UNION ALL
    SELECT o.id FROM rescind.organization AS o WHERE o.deleted_as = %(organization)s) AS x
ORDER BY x.id DESC

-- find_named_assignments
SELECT i.value ->> 0 AS role, i.value ->> 1 AS holder, i.value ->> 2 AS resource FROM rescind.json_items(%(assignments)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS r
    WHERE r.slug = i.value ->> 0 AND r.organization IN (0, %(o)s) OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = %(o)s AND x.slug = i.value ->> 2 OFFSET 0) AS x
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.resource = x.id AND a.role = r.id AND a.ended IS NULL
    AND a.holder = COALESCE(
        (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value ->> 1),
            (SELECT g.id FROM rescind."group" AS g
            WHERE g.organization = %(o)s AND g.slug = CASE WHEN substr(i.value ->> 1, 1, 6) = 'group:'
                THEN substr(i.value ->> 1, 7) END AND g.ended IS NULL)) OFFSET 0) AS a

-- find_named_groups
SELECT i.value AS "group" FROM rescind.json_texts(%(groups)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.slug = i.value AND g.ended IS NULL OFFSET 0) AS g

-- find_named_members
SELECT i.value ->> 0 AS "group", i.value ->> 1 AS subject FROM rescind.json_items(%(members)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.slug = i.value ->> 0 AND g.ended IS NULL OFFSET 0) AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.subject = i.value ->> 1 OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
    WHERE gm.organization = %(o)s AND gm.membership = m.id AND gm."group" = g.id OFFSET 0) AS gm

-- find_named_memberships
SELECT i.value AS subject, m.active, m.name FROM rescind.json_texts(%(subjects)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m

-- find_named_permissions
SELECT i.value AS permission FROM rescind.json_texts(%(permissions)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.slug = i.value AND p.organization IN (0, %(o)s) OFFSET 0) AS p

-- find_named_resources
SELECT i.value AS resource FROM rescind.json_texts(%(resources)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = %(o)s AND r.slug = i.value OFFSET 0) AS r

-- find_named_roles
SELECT i.value AS role, r.resource_type FROM rescind.json_texts(%(roles)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS r
    WHERE r.slug = i.value AND r.organization IN (0, %(o)s) OFFSET 0) AS r
