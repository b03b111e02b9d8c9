-- find_listed
SELECT o.id AS organization, o.revision, env.revision AS environment, o.last_number, o.role_mode,
    (SELECT g.id FROM rescind."group" AS g WHERE g.organization = o.id AND g.slug = %(group)s AND g.ended IS NULL) AS "group",
    (SELECT m.id FROM rescind.membership AS m WHERE m.organization = o.id AND m.subject = %(subject)s) AS membership,
    (SELECT q.id FROM rescind.role AS q WHERE q.slug = %(role)s AND q.organization IN (0, o.id)
    ORDER BY q.organization DESC LIMIT 1) AS role,
    (SELECT x.id FROM rescind.resource AS x WHERE x.organization = o.id AND x.slug = %(resource)s) AS resource
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env WHERE o.slug = %(organization)s AND env.id = 0

-- find_next_member_below
WITH RECURSIVE
    below (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n)
SELECT min((
        SELECT gm.membership FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id AND gm.membership > %(after)s AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
        ORDER BY gm.membership LIMIT 1)) AS membership
FROM below AS b

-- find_unknown
SELECT o.id AS organization,
    (SELECT 1 FROM rescind.membership AS m WHERE m.organization = o.id AND m.subject = %(subject)s) AS has_subject,
    (SELECT 1 FROM rescind."group" AS g WHERE g.organization = o.id AND g.slug = %(group)s AND g.ended IS NULL) AS has_group,
    (SELECT 1 FROM rescind.permission AS p WHERE p.slug = %(permission)s AND p.organization IN (0, o.id) LIMIT 1) AS has_permission,
    (SELECT 1 FROM rescind.resource AS r WHERE r.organization = o.id AND r.slug = %(resource)s) AS has_resource
FROM rescind.organization AS o WHERE o.slug = %(organization)s

-- listed_active_memberships
SELECT m.subject, m.name, m.active, m.created_at FROM rescind.membership AS m
WHERE m.organization = %(o)s AND m.subject > %(after)s AND (%(end)s = '' OR m.subject < %(end)s) AND m.active
ORDER BY m.subject LIMIT %(limit)s

-- listed_assignments
SELECT a.id AS number, a.holder AS holder_number, a.resource AS resource_number, a.role AS role_number,
    COALESCE(m.subject, 'group:' || g.slug) AS holder, COALESCE(m.active, g.id IS NOT NULL) AS active, q.slug AS role, x.slug AS resource,
    c.recorded_at, c.actor, c.reason, a.expires_at
FROM (
    SELECT * FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.id > %(id)s AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    ORDER BY a.id LIMIT %(limit)s) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = %(o)s AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = a.holder OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = a.holder OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = a.made OFFSET 0) AS c ON TRUE
ORDER BY a.id

-- listed_assignments_of_holder
SELECT a.id AS number, a.holder AS holder_number, a.resource AS resource_number, a.role AS role_number,
    COALESCE(m.subject, 'group:' || g.slug) AS holder, COALESCE(m.active, g.id IS NOT NULL) AS active, q.slug AS role, x.slug AS resource,
    c.recorded_at, c.actor, c.reason, a.expires_at
FROM (
    SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = %(holder)s AND (a.resource, a.role) > (%(resource)s, %(role)s) AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    ORDER BY a.resource, a.role LIMIT %(limit)s) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = %(o)s AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = a.holder OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = a.holder OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = a.made OFFSET 0) AS c ON TRUE
ORDER BY a.resource, a.role

-- listed_assignments_of_role
SELECT a.id AS number, a.holder AS holder_number, a.resource AS resource_number, a.role AS role_number,
    COALESCE(m.subject, 'group:' || g.slug) AS holder, COALESCE(m.active, g.id IS NOT NULL) AS active, q.slug AS role, x.slug AS resource,
    c.recorded_at, c.actor, c.reason, a.expires_at
FROM (
    SELECT * FROM rescind.assignment AS a WHERE a.role = %(role)s AND a.organization = %(o)s AND a.id > %(id)s AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    ORDER BY a.id LIMIT %(limit)s) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = %(o)s AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = a.holder OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = a.holder OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = a.made OFFSET 0) AS c ON TRUE
ORDER BY a.id

-- listed_assignments_on_resource
SELECT a.id AS number, a.holder AS holder_number, a.resource AS resource_number, a.role AS role_number,
    COALESCE(m.subject, 'group:' || g.slug) AS holder, COALESCE(m.active, g.id IS NOT NULL) AS active, q.slug AS role, x.slug AS resource,
    c.recorded_at, c.actor, c.reason, a.expires_at
FROM (
    SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.resource = %(resource)s AND (a.holder, a.role) > (%(holder)s, %(role)s) AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    ORDER BY a.holder, a.role LIMIT %(limit)s) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = %(o)s AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = a.holder OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = a.holder OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = a.made OFFSET 0) AS c ON TRUE
ORDER BY a.holder, a.role

-- listed_deactivated_memberships
SELECT m.subject, m.name, m.active, m.created_at FROM rescind.membership AS m
WHERE m.organization = %(o)s AND m.subject > %(after)s AND (%(end)s = '' OR m.subject < %(end)s) AND NOT m.active
ORDER BY m.subject LIMIT %(limit)s

-- listed_effective_members
WITH RECURSIVE
    below (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    place (membership, "group", made, expires_at) AS (SELECT l.* FROM below AS b CROSS JOIN LATERAL (
        SELECT gm.membership, gm."group", gm.made, gm.expires_at FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id AND gm.membership > %(after)s AND gm.membership <= %(up_to)s AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
            OFFSET 0) AS l
),
    page (membership) AS (SELECT DISTINCT p.membership FROM place AS p ORDER BY p.membership LIMIT %(limit)s)
SELECT p.membership, (SELECT m.subject FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.id = p.membership) AS subject,
    (SELECT m.active FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.id = p.membership) AS active,
    (SELECT g.slug FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.id = p."group") AS "group", p.made,
    (SELECT c.recorded_at FROM rescind.change AS c WHERE c.organization = %(o)s AND c.revision = p.made) AS recorded_at,
    (SELECT c.actor FROM rescind.change AS c WHERE c.organization = %(o)s AND c.revision = p.made) AS actor, p.expires_at
FROM place AS p
WHERE p.membership <= (SELECT max(page.membership) FROM page)
ORDER BY p.membership, p."group"

-- listed_expiring
SELECT e.expires_at, e.kind, e.x AS first, e.y AS second, COALESCE(m.subject, 'group:' || h.slug) AS holder, COALESCE(m.active, h.id IS NOT NULL) AS active,
CASE WHEN g.ended IS NULL THEN g.slug END AS "group", q.slug AS role, r.slug AS resource, c.recorded_at, c.actor
FROM (
    SELECT * FROM (
        SELECT gm.expires_at, 0 AS kind, gm.membership AS x, gm."group" AS y, gm.membership AS holder, gm."group" AS place,
            CAST(NULL AS INTEGER) AS role, CAST(NULL AS INTEGER) AS resource, gm.made
        FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.expires_at <= %(until)s
        AND (gm.expires_at, gm.membership, gm."group") > (%(place_at)s, %(place_x)s, %(place_y)s)
        ORDER BY gm.expires_at, gm.membership, gm."group" LIMIT %(limit)s) AS places
    UNION ALL
    SELECT * FROM (
        SELECT a.expires_at, 1, a.id, 0, a.holder, CAST(NULL AS INTEGER), a.role, a.resource, a.made
        FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.ended IS NULL AND a.expires_at <= %(until)s
        AND (a.expires_at, a.id) > (%(given_at)s, %(given_x)s)
        ORDER BY a.expires_at, a.id LIMIT %(limit)s) AS given
    ORDER BY 1, 2, 3, 4 LIMIT %(limit)s) AS e
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = e.holder OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS h
    WHERE h.organization = %(o)s AND h.id = e.holder OFFSET 0) AS h ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = e.place OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = e.role OFFSET 0) AS q ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = %(o)s AND r.id = e.resource OFFSET 0) AS r ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = e.made OFFSET 0) AS c ON TRUE
ORDER BY e.expires_at, e.kind, e.x, e.y

-- listed_groups
SELECT g.slug AS "group", g.name FROM rescind."group" AS g
WHERE g.organization = %(o)s AND g.slug > %(after)s AND g.ended IS NULL ORDER BY g.slug LIMIT %(limit)s

-- listed_groups_around
SELECT g.id AS number, g.slug AS "group", g.name, c.recorded_at, c.actor, CAST(NULL AS BIGINT) AS expires_at
FROM rescind.recorded_nesting AS n CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = n.parent OFFSET 0) AS g
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = n.made OFFSET 0) AS c ON TRUE
WHERE n.organization = %(o)s AND n.child = %(g)s AND n.parent > %(after)s AND n.ended IS NULL
ORDER BY n.parent LIMIT %(limit)s

-- listed_groups_of_membership
SELECT g.id AS number, g.slug AS "group", g.name, c.recorded_at, c.actor, gm.expires_at
FROM rescind.group_member AS gm CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = gm."group" AND g.ended IS NULL OFFSET 0) AS g
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = gm.made OFFSET 0) AS c ON TRUE
WHERE gm.organization = %(o)s AND gm.membership = %(m)s AND gm."group" > %(after)s AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
ORDER BY gm."group" LIMIT %(limit)s

-- listed_holders
WITH RECURSIVE holder (id) AS (
    SELECT CAST(%(holder)s AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind.group_member AS gm WHERE gm.organization = %(o)s AND gm.membership = %(holder)s AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n)
SELECT h.id AS holder FROM holder AS h
WHERE h.id >= %(from)s AND EXISTS (
    SELECT 1 FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.holder = h.id AND a.ended IS NULL)
ORDER BY h.id

-- listed_members
SELECT p.id AS number, COALESCE(m.subject, 'group:' || g.slug) AS member, COALESCE(m.active, g.id IS NOT NULL) AS active, c.recorded_at, c.actor, p.expires_at
FROM (
    SELECT * FROM (
        SELECT n.child AS id, n.made, CAST(NULL AS BIGINT) AS expires_at FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.parent = %(g)s AND n.child > %(after)s AND n.ended IS NULL
        ORDER BY n.child LIMIT %(limit)s) AS nested
    UNION ALL
    SELECT * FROM (
        SELECT gm.membership AS id, gm.made, gm.expires_at FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = %(g)s AND gm.membership > %(after)s AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
        ORDER BY gm.membership LIMIT %(limit)s) AS direct
    ORDER BY 1 LIMIT %(limit)s) AS p
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = p.id OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = p.id OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = p.made OFFSET 0) AS c ON TRUE
ORDER BY p.id

-- listed_memberships
SELECT m.subject, m.name, m.active, m.created_at FROM rescind.membership AS m
WHERE m.organization = %(o)s AND m.subject > %(after)s AND (%(end)s = '' OR m.subject < %(end)s)
ORDER BY m.subject LIMIT %(limit)s

-- listed_permissions
SELECT p.slug AS permission, p.description, p.organization = 0 AS is_shared, p.critical FROM (
    SELECT * FROM (
        SELECT * FROM rescind.permission WHERE organization = %(o)s AND slug > %(after)s ORDER BY slug LIMIT %(limit)s) AS own
    UNION ALL
    SELECT * FROM (
        SELECT * FROM rescind.permission WHERE organization = 0 AND %(o)s <> 0 AND slug > %(after)s ORDER BY slug LIMIT %(limit)s) AS shared) AS p
ORDER BY p.slug, p.organization DESC LIMIT %(limit)s

-- listed_permissions_of_group
WITH RECURSIVE holder (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    above (id) AS (
    SELECT CAST(%(r)s AS INTEGER)
    UNION ALL
    SELECT x.parent FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
        WHERE x.organization = %(o)s AND x.id = above.id OFFSET 0) AS x WHERE above.id <> 0),
    given (role, resource) AS (
    SELECT a.role, a.resource FROM (SELECT a.holder, a.role, a.resource, a.expires_at
        FROM (SELECT h.id AS holder, above.id AS place FROM holder AS h CROSS JOIN above LIMIT 1000000000) AS e
        CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = e.holder AND a.resource = e.place AND a.ended IS NULL OFFSET 0) AS a
        LIMIT 1000000000) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s),
    counting (role) AS (
    SELECT g.role FROM given AS g CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
        WHERE o.id = %(o)s OFFSET 0) AS o
    WHERE o.role_mode = 'multiple' OR g.resource <> 0 OR g.role = (
        SELECT q.id FROM given AS w CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
            WHERE q.id = w.role OFFSET 0) AS q WHERE w.resource = 0
        ORDER BY q.priority DESC, q.id LIMIT 1))
SELECT DISTINCT p.slug AS permission
FROM counting AS c CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
    WHERE rp.role = c.role OFFSET 0) AS rp CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.id = rp.permission OFFSET 0) AS p
WHERE p.slug > %(after)s ORDER BY p.slug LIMIT %(limit)s

-- listed_permissions_of_role
SELECT p.id AS number, p.slug AS permission, p.description, p.organization = 0 AS is_shared, p.critical
FROM rescind.role_permission AS rp CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.id = rp.permission OFFSET 0) AS p
WHERE rp.role = %(q)s AND rp.permission > %(after)s ORDER BY rp.permission LIMIT %(limit)s

-- listed_resources
SELECT r.slug AS resource, p.slug AS parent FROM rescind.resource AS r LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS p
    WHERE p.organization = %(o)s AND p.id = r.parent OFFSET 0) AS p ON TRUE
WHERE r.organization = %(o)s AND r.slug > %(after)s AND (%(end)s = '' OR r.slug < %(end)s) AND r.id <> 0 ORDER BY r.slug LIMIT %(limit)s

-- listed_resources_below
SELECT r.id AS number, r.slug AS resource FROM rescind.resource AS r
WHERE r.organization = %(o)s AND r.parent = %(r)s AND r.id > %(after)s
ORDER BY r.id LIMIT %(limit)s

-- listed_roles
SELECT r.id AS number, r.slug AS role, r.name, r.organization = 0 AS is_shared, r.priority, r.critical, r.resource_type FROM (
    SELECT * FROM (
        SELECT * FROM rescind.role WHERE organization = %(o)s AND slug > %(after)s ORDER BY slug LIMIT %(limit)s) AS own
    UNION ALL
    SELECT * FROM (
        SELECT * FROM rescind.role WHERE organization = 0 AND %(o)s <> 0 AND slug > %(after)s ORDER BY slug LIMIT %(limit)s) AS shared) AS r
ORDER BY r.slug, r.organization DESC LIMIT %(limit)s

-- similar_groups
SELECT slug AS name FROM (
    SELECT slug FROM rescind."group" WHERE organization = %(o)s AND slug < %(name)s AND slug > %(first)s AND ended IS NULL ORDER BY slug DESC LIMIT %(limit)s) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind."group" WHERE organization = %(o)s AND slug >= %(name)s AND ended IS NULL ORDER BY slug LIMIT %(limit)s) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind."group" WHERE organization = %(o)s AND slug > %(first)s AND ended IS NULL ORDER BY slug LIMIT %(limit)s) AS c

-- similar_organizations
SELECT slug AS name FROM (
    SELECT slug FROM rescind.organization WHERE id <> 0 AND slug < %(name)s AND slug > %(first)s ORDER BY slug DESC LIMIT %(limit)s) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind.organization WHERE id <> 0 AND slug >= %(name)s ORDER BY slug LIMIT %(limit)s) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind.organization WHERE id <> 0 AND slug > %(first)s ORDER BY slug LIMIT %(limit)s) AS c

-- similar_permissions
SELECT slug AS name FROM (
    SELECT slug FROM rescind.permission WHERE organization = %(o)s AND slug < %(name)s AND slug > %(first)s ORDER BY slug DESC LIMIT %(limit)s) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind.permission WHERE organization = %(o)s AND slug >= %(name)s ORDER BY slug LIMIT %(limit)s) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind.permission WHERE organization = %(o)s AND slug > %(first)s ORDER BY slug LIMIT %(limit)s) AS c
UNION SELECT slug FROM (
    SELECT slug FROM rescind.permission WHERE organization = 0 AND slug < %(name)s AND slug > %(first)s ORDER BY slug DESC LIMIT %(limit)s) AS d
UNION SELECT slug FROM (
    SELECT slug FROM rescind.permission WHERE organization = 0 AND slug >= %(name)s ORDER BY slug LIMIT %(limit)s) AS e
UNION SELECT slug FROM (
    SELECT slug FROM rescind.permission WHERE organization = 0 AND slug > %(first)s ORDER BY slug LIMIT %(limit)s) AS f

-- similar_resources
SELECT slug AS name FROM (
    SELECT slug FROM rescind.resource WHERE organization = %(o)s AND slug < %(name)s AND slug > %(first)s ORDER BY slug DESC LIMIT %(limit)s) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource WHERE organization = %(o)s AND slug >= %(name)s ORDER BY slug LIMIT %(limit)s) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource WHERE organization = %(o)s AND slug > %(first)s ORDER BY slug LIMIT %(limit)s) AS c

-- similar_roles
SELECT slug AS name FROM (
    SELECT slug FROM rescind.role WHERE organization = %(o)s AND slug < %(name)s AND slug > %(first)s ORDER BY slug DESC LIMIT %(limit)s) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind.role WHERE organization = %(o)s AND slug >= %(name)s ORDER BY slug LIMIT %(limit)s) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind.role WHERE organization = %(o)s AND slug > %(first)s ORDER BY slug LIMIT %(limit)s) AS c
UNION SELECT slug FROM (
    SELECT slug FROM rescind.role WHERE organization = 0 AND slug < %(name)s AND slug > %(first)s ORDER BY slug DESC LIMIT %(limit)s) AS d
UNION SELECT slug FROM (
    SELECT slug FROM rescind.role WHERE organization = 0 AND slug >= %(name)s ORDER BY slug LIMIT %(limit)s) AS e
UNION SELECT slug FROM (
    SELECT slug FROM rescind.role WHERE organization = 0 AND slug > %(first)s ORDER BY slug LIMIT %(limit)s) AS f

-- similar_subjects
SELECT subject AS name FROM (
    SELECT subject FROM rescind.membership WHERE organization = %(o)s AND subject < %(name)s AND subject > %(first)s ORDER BY subject DESC LIMIT %(limit)s) AS a
UNION SELECT subject FROM (
    SELECT subject FROM rescind.membership WHERE organization = %(o)s AND subject >= %(name)s ORDER BY subject LIMIT %(limit)s) AS b
UNION SELECT subject FROM (
    SELECT subject FROM rescind.membership WHERE organization = %(o)s AND subject > %(first)s ORDER BY subject LIMIT %(limit)s) AS c

-- similar_types
SELECT slug AS name FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = %(o)s AND slug < %(name)s AND slug > %(first)s ORDER BY slug DESC LIMIT %(limit)s) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = %(o)s AND slug >= %(name)s ORDER BY slug LIMIT %(limit)s) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = %(o)s AND slug > %(first)s ORDER BY slug LIMIT %(limit)s) AS c
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = 0 AND slug < %(name)s AND slug > %(first)s ORDER BY slug DESC LIMIT %(limit)s) AS d
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = 0 AND slug >= %(name)s ORDER BY slug LIMIT %(limit)s) AS e
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = 0 AND slug > %(first)s ORDER BY slug LIMIT %(limit)s) AS f
