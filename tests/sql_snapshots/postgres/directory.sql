-- claim_answer
INSERT INTO rescind.directory_answer (caller, key, digest, recorded_at) VALUES (%(caller)s, %(key)s, %(digest)s, %(now)s)
ON CONFLICT (caller, key) DO NOTHING RETURNING 1

-- find_assignments
SELECT a.id AS number, q.slug AS role, x.slug AS resource, a.expires_at FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = a.organization AND x.id = a.resource OFFSET 0) AS x
WHERE a.organization = %(o)s AND a.holder = %(holder)s AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)

-- find_external_id
SELECT d.organization FROM rescind.directory AS d CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = d.organization OFFSET 0) AS o
WHERE d.external_id = %(external_id)s AND o.slug IS NOT NULL

-- find_group_named
SELECT id AS number FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s AND ended IS NULL

-- find_member
SELECT gm.expires_at FROM rescind.group_member AS gm WHERE gm.organization = %(o)s AND gm.membership = %(m)s AND gm."group" = %(g)s
AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)

-- find_organization_named
SELECT id AS organization FROM rescind.organization WHERE slug = %(organization)s AND id <> 0

-- find_public_id
SELECT organization, kind, number FROM rescind.directory WHERE public_id = %(public_id)s

-- find_resource_type
SELECT slug FROM rescind.resource_type WHERE slug = %(type)s AND (organization IN (0, %(o)s) OR %(o)s = -1) LIMIT 1

-- forget_entries_of_deleted
DELETE FROM rescind.directory WHERE (external_id = %(external_id)s OR public_id = %(public_id)s) AND NOT EXISTS (
    SELECT 1 FROM rescind.organization AS o WHERE o.id = rescind.directory.organization AND o.slug IS NOT NULL) RETURNING 1

-- forget_entries_of_organization
DELETE FROM rescind.directory WHERE organization = %(o)s RETURNING 1

-- forget_entries_of_resources
DELETE FROM rescind.directory WHERE organization = %(o)s AND kind = 'resource' AND NOT EXISTS (
    SELECT 1 FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.id = rescind.directory.number) RETURNING 1

-- forget_entry
DELETE FROM rescind.directory WHERE organization = %(o)s AND kind = %(kind)s AND number = %(number)s RETURNING 1

-- forget_old_answers
DELETE FROM rescind.directory_answer WHERE recorded_at < %(cutoff)s RETURNING 1

-- keep_answer
UPDATE rescind.directory_answer SET status = %(status)s, body = %(body)s, receipts = %(receipts)s WHERE caller = %(caller)s AND key = %(key)s RETURNING 1

-- list_memberships_of_subject
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind.membership AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = m.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = m.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE m.subject = %(subject)s AND o.slug IS NOT NULL ORDER BY m.created_at, m.organization

-- list_roles_held
WITH RECURSIVE holder (membership, id) AS (
    SELECT CAST(i.value AS INTEGER), CAST(i.value AS INTEGER) FROM rescind.json_texts(%(memberships)s) AS i
    UNION
    SELECT gm.membership, gm."group" FROM rescind.json_texts(%(memberships)s) AS i
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = CAST(i.value AS INTEGER)
        AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s) OFFSET 0) AS gm
    UNION
    SELECT h.membership, n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n)
SELECT DISTINCT h.membership, q.slug AS role, q.priority, q.id AS number
FROM holder AS h
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s) OFFSET 0) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
ORDER BY q.priority DESC, q.id

-- list_subjects_given
WITH RECURSIVE
    flow (assignment, holder) AS (
    SELECT a.id, a.holder FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.resource = %(r)s AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    UNION
    SELECT f.assignment, n.child FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = f.holder OFFSET 0) AS n),
    held (assignment, membership) AS (
    SELECT f.assignment, f.holder FROM flow AS f WHERE f.holder > 0
    UNION
    SELECT f.assignment, gm.membership FROM flow AS f
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = f.holder OFFSET 0) AS gm
    WHERE (gm.expires_at IS NULL OR gm.expires_at > %(now)s))
SELECT DISTINCT m.subject
FROM held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.id = h.assignment OFFSET 0) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
    WHERE rp.role = a.role OFFSET 0) AS rp
CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.id = rp.permission AND p.slug = %(permission)s OFFSET 0) AS p
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = h.membership OFFSET 0) AS m

-- name_membership
SELECT o.slug AS organization_slug, m.subject FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = o.id AND m.id = %(m)s OFFSET 0) AS m
WHERE o.id = %(o)s AND o.slug IS NOT NULL

-- page_assignments_of_membership_asc
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(m)s AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind.group_member AS gm
    WHERE gm.organization = %(o)s AND gm.membership = %(m)s AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    held (assignment, membership) AS (
    SELECT a.id, CAST(%(m)s AS INTEGER) FROM holder AS h
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id OFFSET 0) AS a
    WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s) AND (CAST(%(r)s AS INTEGER) IS NULL OR a.resource = %(r)s))
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
    , h.membership, md.public_id AS membership_public_id, g.id AS group_number, COALESCE(g.name, g.slug) AS group_name,
    gd.public_id AS group_public_id
FROM held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.id = h.assignment OFFSET 0) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = a.organization AND o.slug IS NOT NULL OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = a.organization AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS xd
    WHERE xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource OFFSET 0) AS xd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = a.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = a.organization AND c.revision = a.made OFFSET 0) AS c ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS md
    WHERE md.organization = a.organization AND md.kind = 'membership' AND md.number = h.membership OFFSET 0) AS md ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = a.organization AND g.id = a.holder OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS gd
    WHERE gd.organization = a.organization AND gd.kind = 'group' AND gd.number = a.holder OFFSET 0) AS gd ON TRUE
WHERE (abs(a.id), h.membership) > (%(low)s, %(low_m)s) AND (abs(a.id), h.membership) < (%(high)s, %(high_m)s)
AND (%(role)s = '' OR q.slug = %(role)s)
ORDER BY abs(a.id), h.membership LIMIT %(limit)s

-- page_assignments_of_membership_desc
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(m)s AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind.group_member AS gm
    WHERE gm.organization = %(o)s AND gm.membership = %(m)s AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    held (assignment, membership) AS (
    SELECT a.id, CAST(%(m)s AS INTEGER) FROM holder AS h
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id OFFSET 0) AS a
    WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s) AND (CAST(%(r)s AS INTEGER) IS NULL OR a.resource = %(r)s))
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
    , h.membership, md.public_id AS membership_public_id, g.id AS group_number, COALESCE(g.name, g.slug) AS group_name,
    gd.public_id AS group_public_id
FROM held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.id = h.assignment OFFSET 0) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = a.organization AND o.slug IS NOT NULL OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = a.organization AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS xd
    WHERE xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource OFFSET 0) AS xd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = a.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = a.organization AND c.revision = a.made OFFSET 0) AS c ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS md
    WHERE md.organization = a.organization AND md.kind = 'membership' AND md.number = h.membership OFFSET 0) AS md ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = a.organization AND g.id = a.holder OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS gd
    WHERE gd.organization = a.organization AND gd.kind = 'group' AND gd.number = a.holder OFFSET 0) AS gd ON TRUE
WHERE (abs(a.id), h.membership) > (%(low)s, %(low_m)s) AND (abs(a.id), h.membership) < (%(high)s, %(high_m)s)
AND (%(role)s = '' OR q.slug = %(role)s)
ORDER BY abs(a.id) DESC, h.membership DESC LIMIT %(limit)s

-- page_assignments_on_resource_asc
WITH RECURSIVE
    flow (assignment, holder) AS (
    SELECT a.id, a.holder FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.resource = %(r)s AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    UNION
    SELECT f.assignment, n.child FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = f.holder OFFSET 0) AS n),
    held (assignment, membership) AS (
    SELECT f.assignment, f.holder FROM flow AS f WHERE f.holder > 0
    UNION
    SELECT f.assignment, gm.membership FROM flow AS f
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = f.holder OFFSET 0) AS gm
    WHERE (gm.expires_at IS NULL OR gm.expires_at > %(now)s))
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
    , h.membership, md.public_id AS membership_public_id, g.id AS group_number, COALESCE(g.name, g.slug) AS group_name,
    gd.public_id AS group_public_id
FROM held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.id = h.assignment OFFSET 0) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = a.organization AND o.slug IS NOT NULL OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = a.organization AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS xd
    WHERE xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource OFFSET 0) AS xd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = a.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = a.organization AND c.revision = a.made OFFSET 0) AS c ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS md
    WHERE md.organization = a.organization AND md.kind = 'membership' AND md.number = h.membership OFFSET 0) AS md ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = a.organization AND g.id = a.holder OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS gd
    WHERE gd.organization = a.organization AND gd.kind = 'group' AND gd.number = a.holder OFFSET 0) AS gd ON TRUE
WHERE (abs(a.id), h.membership) > (%(low)s, %(low_m)s) AND (abs(a.id), h.membership) < (%(high)s, %(high_m)s)
AND (%(role)s = '' OR q.slug = %(role)s)
ORDER BY abs(a.id), h.membership LIMIT %(limit)s

-- page_assignments_on_resource_desc
WITH RECURSIVE
    flow (assignment, holder) AS (
    SELECT a.id, a.holder FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.resource = %(r)s AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    UNION
    SELECT f.assignment, n.child FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = f.holder OFFSET 0) AS n),
    held (assignment, membership) AS (
    SELECT f.assignment, f.holder FROM flow AS f WHERE f.holder > 0
    UNION
    SELECT f.assignment, gm.membership FROM flow AS f
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = f.holder OFFSET 0) AS gm
    WHERE (gm.expires_at IS NULL OR gm.expires_at > %(now)s))
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
    , h.membership, md.public_id AS membership_public_id, g.id AS group_number, COALESCE(g.name, g.slug) AS group_name,
    gd.public_id AS group_public_id
FROM held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.id = h.assignment OFFSET 0) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = a.organization AND o.slug IS NOT NULL OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = a.organization AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS xd
    WHERE xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource OFFSET 0) AS xd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = a.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = a.organization AND c.revision = a.made OFFSET 0) AS c ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS md
    WHERE md.organization = a.organization AND md.kind = 'membership' AND md.number = h.membership OFFSET 0) AS md ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = a.organization AND g.id = a.holder OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS gd
    WHERE gd.organization = a.organization AND gd.kind = 'group' AND gd.number = a.holder OFFSET 0) AS gd ON TRUE
WHERE (abs(a.id), h.membership) > (%(low)s, %(low_m)s) AND (abs(a.id), h.membership) < (%(high)s, %(high_m)s)
AND (%(role)s = '' OR q.slug = %(role)s)
ORDER BY abs(a.id) DESC, h.membership DESC LIMIT %(limit)s

-- page_group_assignments_asc
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
FROM rescind.assignment AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = a.organization AND o.slug IS NOT NULL OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = a.organization AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS xd
    WHERE xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource OFFSET 0) AS xd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = a.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = a.organization AND c.revision = a.made OFFSET 0) AS c ON TRUE
WHERE a.organization = %(o)s AND a.holder = %(g)s AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s) AND abs(a.id) > %(low)s AND abs(a.id) < %(high)s
ORDER BY abs(a.id) LIMIT %(limit)s

-- page_group_assignments_desc
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
FROM rescind.assignment AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = a.organization AND o.slug IS NOT NULL OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = a.organization AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS xd
    WHERE xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource OFFSET 0) AS xd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = a.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = a.organization AND c.revision = a.made OFFSET 0) AS c ON TRUE
WHERE a.organization = %(o)s AND a.holder = %(g)s AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s) AND abs(a.id) > %(low)s AND abs(a.id) < %(high)s
ORDER BY abs(a.id) DESC LIMIT %(limit)s

-- page_groups_asc
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind."group" AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = g.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = g.organization AND d.kind = 'group' AND d.number = g.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = g.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE g.organization = %(o)s AND g.id < -CAST(%(low)s AS INTEGER) AND g.id > -CAST(%(high)s AS INTEGER) AND g.ended IS NULL
AND (%(search)s = '%%' OR g.search_name LIKE %(search)s ESCAPE '!' OR g.id = %(g)s)
ORDER BY g.id DESC LIMIT %(limit)s

-- page_groups_desc
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind."group" AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = g.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = g.organization AND d.kind = 'group' AND d.number = g.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = g.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE g.organization = %(o)s AND g.id < -CAST(%(low)s AS INTEGER) AND g.id > -CAST(%(high)s AS INTEGER) AND g.ended IS NULL
AND (%(search)s = '%%' OR g.search_name LIKE %(search)s ESCAPE '!' OR g.id = %(g)s)
ORDER BY g.id LIMIT %(limit)s

-- page_groups_of_membership_asc
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind.group_member AS gm CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = gm."group" AND g.ended IS NULL OFFSET 0) AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = g.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = g.organization AND d.kind = 'group' AND d.number = g.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = g.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE gm.organization = %(o)s AND gm.membership = %(m)s
AND gm."group" < -CAST(%(low)s AS INTEGER) AND gm."group" > -CAST(%(high)s AS INTEGER)
AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
ORDER BY gm."group" DESC LIMIT %(limit)s

-- page_groups_of_membership_desc
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind.group_member AS gm CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = gm."group" AND g.ended IS NULL OFFSET 0) AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = g.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = g.organization AND d.kind = 'group' AND d.number = g.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = g.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE gm.organization = %(o)s AND gm.membership = %(m)s
AND gm."group" < -CAST(%(low)s AS INTEGER) AND gm."group" > -CAST(%(high)s AS INTEGER)
AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
ORDER BY gm."group" LIMIT %(limit)s

-- page_members_asc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind.group_member AS gm CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = gm.membership OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = m.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = m.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE gm.organization = %(o)s AND gm."group" = %(g)s AND gm.membership > %(low)s AND gm.membership < %(high)s
AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
ORDER BY gm.membership LIMIT %(limit)s

-- page_members_desc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind.group_member AS gm CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = gm.membership OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = m.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = m.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE gm.organization = %(o)s AND gm."group" = %(g)s AND gm.membership > %(low)s AND gm.membership < %(high)s
AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
ORDER BY gm.membership DESC LIMIT %(limit)s

-- page_memberships_among_asc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind.json_texts(%(subjects)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = m.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = m.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE m.id > %(low)s AND m.id < %(high)s
ORDER BY m.id LIMIT %(limit)s

-- page_memberships_among_desc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind.json_texts(%(subjects)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = m.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = m.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE m.id > %(low)s AND m.id < %(high)s
ORDER BY m.id DESC LIMIT %(limit)s

-- page_memberships_asc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind.membership AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = m.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = m.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE m.organization = %(o)s AND m.id > %(low)s AND m.id < %(high)s
AND (%(status)s = 'all' OR (m.active AND %(status)s = 'active') OR (NOT m.active AND %(status)s = 'inactive'))
ORDER BY m.id LIMIT %(limit)s

-- page_memberships_desc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind.membership AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = m.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = m.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE m.organization = %(o)s AND m.id > %(low)s AND m.id < %(high)s
AND (%(status)s = 'all' OR (m.active AND %(status)s = 'active') OR (NOT m.active AND %(status)s = 'inactive'))
ORDER BY m.id DESC LIMIT %(limit)s

-- page_organizations_asc
SELECT o.id AS organization, o.slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at
FROM rescind.organization AS o LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = o.id AND d.kind = 'organization' AND d.number = 0 OFFSET 0) AS d ON TRUE
WHERE o.id > %(low)s AND o.id < %(high)s AND o.id <> 0 AND o.slug IS NOT NULL
AND o.search_name LIKE %(search)s ESCAPE '!'
AND (%(domains)s = '[]' OR EXISTS (SELECT 1 FROM rescind.json_texts(%(domains)s) AS i WHERE d.attributes LIKE i.value ESCAPE '!'))
ORDER BY o.id LIMIT %(limit)s

-- page_organizations_desc
SELECT o.id AS organization, o.slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at
FROM rescind.organization AS o LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = o.id AND d.kind = 'organization' AND d.number = 0 OFFSET 0) AS d ON TRUE
WHERE o.id > %(low)s AND o.id < %(high)s AND o.id <> 0 AND o.slug IS NOT NULL
AND o.search_name LIKE %(search)s ESCAPE '!'
AND (%(domains)s = '[]' OR EXISTS (SELECT 1 FROM rescind.json_texts(%(domains)s) AS i WHERE d.attributes LIKE i.value ESCAPE '!'))
ORDER BY o.id DESC LIMIT %(limit)s

-- page_permissions_among_asc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind.json_texts(%(permissions)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.slug = i.value AND p.organization IN (0, %(o)s) OFFSET 0) AS p
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id OFFSET 0) AS d ON TRUE
WHERE p.id > %(low)s AND p.id < %(high)s
ORDER BY p.id LIMIT %(limit)s

-- page_permissions_among_desc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind.json_texts(%(permissions)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.slug = i.value AND p.organization IN (0, %(o)s) OFFSET 0) AS p
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id OFFSET 0) AS d ON TRUE
WHERE p.id > %(low)s AND p.id < %(high)s
ORDER BY p.id DESC LIMIT %(limit)s

-- page_permissions_asc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind.permission AS p
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id OFFSET 0) AS d ON TRUE
WHERE p.organization IN (0, %(o)s) AND p.id > %(low)s AND p.id < %(high)s
ORDER BY p.id LIMIT %(limit)s

-- page_permissions_desc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind.permission AS p
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id OFFSET 0) AS d ON TRUE
WHERE p.organization IN (0, %(o)s) AND p.id > %(low)s AND p.id < %(high)s
ORDER BY p.id DESC LIMIT %(limit)s

-- page_resources_among_asc
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM rescind.json_texts(%(resources)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = %(o)s AND r.slug = i.value OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = r.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS pd
    WHERE pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent OFFSET 0) AS pd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = r.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE r.id > %(low)s AND r.id < %(high)s AND r.parent = %(parent)s
ORDER BY r.id LIMIT %(limit)s

-- page_resources_among_desc
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM rescind.json_texts(%(resources)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = %(o)s AND r.slug = i.value OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = r.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS pd
    WHERE pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent OFFSET 0) AS pd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = r.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE r.id > %(low)s AND r.id < %(high)s AND r.parent = %(parent)s
ORDER BY r.id DESC LIMIT %(limit)s

-- page_resources_asc
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM rescind.resource AS r
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = r.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS pd
    WHERE pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent OFFSET 0) AS pd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = r.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE (r.organization, r.id) > (%(low_o)s, %(low)s) AND (r.organization, r.id) < (%(high_o)s, %(high)s) AND r.id <> 0
AND o.slug IS NOT NULL
AND (CAST(%(parent)s AS INTEGER) IS NULL OR r.parent = %(parent)s)
AND (%(type)s = '' OR (r.slug > %(type)s AND r.slug < %(type_end)s))
AND (%(external_id)s = '' OR (
        substr(r.slug, length(r.slug) - length(%(external_id)s)) = ':' || %(external_id)s
        AND length(replace(substr(r.slug, 1, length(r.slug) - length(%(external_id)s) - 1), ':', ''))
            = length(r.slug) - length(%(external_id)s) - 1))
ORDER BY r.organization, r.id LIMIT %(limit)s

-- page_resources_desc
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM rescind.resource AS r
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = r.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS pd
    WHERE pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent OFFSET 0) AS pd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = r.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE (r.organization, r.id) > (%(low_o)s, %(low)s) AND (r.organization, r.id) < (%(high_o)s, %(high)s) AND r.id <> 0
AND o.slug IS NOT NULL
AND (CAST(%(parent)s AS INTEGER) IS NULL OR r.parent = %(parent)s)
AND (%(type)s = '' OR (r.slug > %(type)s AND r.slug < %(type_end)s))
AND (%(external_id)s = '' OR (
        substr(r.slug, length(r.slug) - length(%(external_id)s)) = ':' || %(external_id)s
        AND length(replace(substr(r.slug, 1, length(r.slug) - length(%(external_id)s) - 1), ':', ''))
            = length(r.slug) - length(%(external_id)s) - 1))
ORDER BY r.organization DESC, r.id DESC LIMIT %(limit)s

-- read_answer
UPDATE rescind.directory_answer SET digest = digest WHERE caller = %(caller)s AND key = %(key)s RETURNING digest, status, body, receipts

-- read_directory_secret
SELECT secret FROM rescind.directory_secret

-- read_revision
SELECT o.id AS incarnation, o.revision AS organization, env.revision AS environment FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS env
    WHERE env.id = 0 OFFSET 0) AS env WHERE o.id = %(o)s

-- set_entry
UPDATE rescind.directory SET attributes = %(attributes)s WHERE organization = %(o)s AND kind = %(kind)s AND number = %(number)s RETURNING 1

-- set_entry_made
UPDATE rescind.directory SET created_at = %(now)s WHERE organization = %(o)s AND kind = %(kind)s AND number = %(number)s RETURNING 1

-- set_external_id
UPDATE rescind.directory SET external_id = %(external_id)s WHERE organization = %(o)s AND kind = %(kind)s AND number = %(number)s RETURNING 1

-- set_public_id
UPDATE rescind.directory SET public_id = %(public_id)s WHERE organization = %(o)s AND kind = %(kind)s AND number = %(number)s RETURNING 1

-- show_group
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind."group" AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = g.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = g.organization AND d.kind = 'group' AND d.number = g.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = g.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE g.organization = %(o)s AND g.id = %(g)s AND g.ended IS NULL AND o.slug IS NOT NULL

-- show_membership
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind.membership AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = m.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = m.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE m.organization = %(o)s AND m.id = %(m)s AND o.slug IS NOT NULL

-- show_organization
SELECT o.id AS organization, o.slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at
FROM rescind.organization AS o LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = o.id AND d.kind = 'organization' AND d.number = 0 OFFSET 0) AS d ON TRUE
WHERE o.id = %(o)s AND o.slug IS NOT NULL AND o.id <> 0

-- show_permission
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind.permission AS p
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id OFFSET 0) AS d ON TRUE
WHERE p.slug = %(permission)s AND p.organization IN (0, %(o)s) ORDER BY p.organization LIMIT 1

-- show_resource
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM rescind.resource AS r
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = r.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS pd
    WHERE pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent OFFSET 0) AS pd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = r.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE r.organization = %(o)s AND r.id = %(r)s AND o.slug IS NOT NULL

-- show_resource_named
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM rescind.resource AS r
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = r.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS pd
    WHERE pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent OFFSET 0) AS pd ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = r.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE
WHERE r.organization = %(o)s AND r.slug = %(resource)s AND o.slug IS NOT NULL

-- show_roles
SELECT r.organization, r.id AS number, r.slug, r.name, r.priority, d.attributes, d.created_at, d.updated_at, r.resource_type
FROM rescind.role AS r LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = r.organization AND d.kind = 'role' AND d.number = r.id OFFSET 0) AS d ON TRUE
WHERE r.organization IN (0, %(o)s) AND (%(role)s = '' OR r.slug = %(role)s)
ORDER BY r.priority DESC, r.id

-- touch_entry
INSERT INTO rescind.directory (organization, kind, number, updated_at) VALUES (%(o)s, %(kind)s, %(number)s, %(now)s)
ON CONFLICT (organization, kind, number) DO UPDATE SET updated_at = %(now)s
RETURNING attributes
