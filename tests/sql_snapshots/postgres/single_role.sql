-- delete_role_resets_of_role
DELETE FROM rescind.role_reset WHERE (%(o)s = 0 OR organization = %(o)s)
AND role = (SELECT id FROM rescind.role WHERE slug = %(role)s AND organization = %(o)s)

-- forget_role_resets
DELETE FROM rescind.role_reset WHERE organization = %(o)s AND
EXISTS (SELECT 1 FROM rescind.organization WHERE id = %(o)s AND (role_mode <> %(mode)s OR on_loss <> %(on_loss)s))

-- forget_roles_before
DELETE FROM rescind.role_before WHERE organization = %(o)s

-- forget_roles_before_mode
DELETE FROM rescind.role_before WHERE organization = %(o)s AND
EXISTS (SELECT 1 FROM rescind.organization WHERE id = %(o)s AND (role_mode <> %(mode)s OR on_loss <> %(on_loss)s))

-- give_back_by_nesting
WITH RECURSIVE
    below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(child)s
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    upward (id) AS (
    SELECT n.parent FROM rescind."group" AS c CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = c.id OFFSET 0) AS n
    CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS p
        WHERE p.organization = %(o)s AND p.id = n.parent OFFSET 0) AS p
    WHERE c.organization = %(o)s AND c.slug = %(child)s AND (CAST(%(parent)s AS TEXT) IS NULL OR p.slug = %(parent)s)
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n)
DELETE FROM rescind.role_reset WHERE organization = %(o)s
AND membership IN (
    SELECT gm.membership FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm
    WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s)
AND role IN (
    SELECT a.role FROM upward AS u
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = u.id AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s)

-- give_back_to_holder
WITH RECURSIVE
    given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = %(o)s),
            (SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
        (SELECT r.id FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = i.value ->> 'on'),
        CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM rescind.json_items(%(given)s) AS i),
    holder (id) AS (
    SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s
    UNION ALL
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s),
    below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n)
DELETE FROM rescind.role_reset WHERE organization = %(o)s
AND membership IN (
    SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s
    UNION ALL
    SELECT gm.membership FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm
    WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s)
AND role IN (
    SELECT a.role FROM given AS g
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
        AND a.role = g.role AND a.ended IS NULL OFFSET 0) AS a
    WHERE g.resource = 0 AND (a.expires_at IS NULL OR a.expires_at > %(now)s))

-- give_back_to_members
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n),
    listed (id) AS (
    SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value)
    FROM rescind.json_texts(%(members)s) AS i),
    touched (membership) AS (
    SELECT gm.membership FROM listed AS l CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = l.id
        AND gm."group" = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s) OFFSET 0) AS gm)
DELETE FROM rescind.role_reset WHERE organization = %(o)s
AND membership IN (
    SELECT gm.membership FROM touched AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership
        AND gm."group" = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s) OFFSET 0) AS gm
    WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s)
AND role IN (
    SELECT a.role FROM upward AS u
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = u.id AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s)

-- remember_roles_below
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    touched (membership) AS (
    SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s
    UNION
    SELECT gm.membership FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm),
    affected (membership) AS (
    SELECT t.membership FROM rescind.organization AS o CROSS JOIN touched AS t
    WHERE o.id = %(o)s AND o.role_mode = 'single' AND o.on_loss = 'default'),
    reached (membership, "group") AS (
    SELECT gm.membership, gm."group" FROM affected AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s
    UNION
    SELECT r.membership, n.parent FROM reached AS r CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = r."group" OFFSET 0) AS n),
    held (membership, role) AS (
    SELECT t.membership, a.role FROM affected AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s
    UNION
    SELECT r.membership, a.role FROM reached AS r
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s)
INSERT INTO rescind.role_before (organization, membership, role)
SELECT %(o)s, c.membership, c.role FROM (
    SELECT h.membership, h.role, count(*) OVER (PARTITION BY h.membership) AS counting,
        row_number() OVER (PARTITION BY h.membership ORDER BY q.priority DESC, q.id) AS place
    FROM held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
        WHERE q.id = h.role OFFSET 0) AS q
    WHERE NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x
        WHERE x.organization = %(o)s AND x.membership = h.membership AND x.role = h.role)) AS c
WHERE c.place = 1 AND c.counting > 1
ON CONFLICT (organization, membership) DO NOTHING

-- remember_roles_of_holders
WITH RECURSIVE below (id) AS (
    SELECT a.holder FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.role = (SELECT r.id FROM rescind.role AS r WHERE r.slug = %(role)s AND r.organization = %(owner)s)
    AND a.resource = 0 AND a.ended IS NULL
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    touched (membership) AS (
    SELECT b.id FROM below AS b WHERE b.id > 0
    UNION
    SELECT gm.membership FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm WHERE b.id < 0),
    affected (membership) AS (
    SELECT t.membership FROM rescind.organization AS o CROSS JOIN touched AS t
    WHERE o.id = %(o)s AND o.role_mode = 'single' AND o.on_loss = 'default'),
    reached (membership, "group") AS (
    SELECT gm.membership, gm."group" FROM affected AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s
    UNION
    SELECT r.membership, n.parent FROM reached AS r CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = r."group" OFFSET 0) AS n),
    held (membership, role) AS (
    SELECT t.membership, a.role FROM affected AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s
    UNION
    SELECT r.membership, a.role FROM reached AS r
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s)
INSERT INTO rescind.role_before (organization, membership, role)
SELECT %(o)s, c.membership, c.role FROM (
    SELECT h.membership, h.role, count(*) OVER (PARTITION BY h.membership) AS counting,
        row_number() OVER (PARTITION BY h.membership ORDER BY q.priority DESC, q.id) AS place
    FROM held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
        WHERE q.id = h.role OFFSET 0) AS q
    WHERE NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x
        WHERE x.organization = %(o)s AND x.membership = h.membership AND x.role = h.role)) AS c
WHERE c.place = 1 AND c.counting > 1
ON CONFLICT (organization, membership) DO NOTHING

-- remember_roles_of_members
WITH RECURSIVE
    listed (id) AS (
    SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value)
    FROM rescind.json_texts(%(members)s) AS i),
    touched (membership) AS (
    SELECT gm.membership FROM listed AS l CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = l.id
        AND gm."group" = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s) OFFSET 0) AS gm),
    affected (membership) AS (
    SELECT t.membership FROM rescind.organization AS o CROSS JOIN touched AS t
    WHERE o.id = %(o)s AND o.role_mode = 'single' AND o.on_loss = 'default'),
    reached (membership, "group") AS (
    SELECT gm.membership, gm."group" FROM affected AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s
    UNION
    SELECT r.membership, n.parent FROM reached AS r CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = r."group" OFFSET 0) AS n),
    held (membership, role) AS (
    SELECT t.membership, a.role FROM affected AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s
    UNION
    SELECT r.membership, a.role FROM reached AS r
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s)
INSERT INTO rescind.role_before (organization, membership, role)
SELECT %(o)s, c.membership, c.role FROM (
    SELECT h.membership, h.role, count(*) OVER (PARTITION BY h.membership) AS counting,
        row_number() OVER (PARTITION BY h.membership ORDER BY q.priority DESC, q.id) AS place
    FROM held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
        WHERE q.id = h.role OFFSET 0) AS q
    WHERE NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x
        WHERE x.organization = %(o)s AND x.membership = h.membership AND x.role = h.role)) AS c
WHERE c.place = 1 AND c.counting > 1
ON CONFLICT (organization, membership) DO NOTHING

-- remember_roles_of_others
WITH RECURSIVE
    touched (membership) AS (
    SELECT gm.membership FROM rescind."group" AS g CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = g.id OFFSET 0) AS gm
    WHERE g.organization = %(o)s AND g.slug = %(group)s
    AND gm.membership NOT IN (SELECT m.id FROM rescind.json_texts(%(members)s) AS i
        CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m)),
    affected (membership) AS (
    SELECT t.membership FROM rescind.organization AS o CROSS JOIN touched AS t
    WHERE o.id = %(o)s AND o.role_mode = 'single' AND o.on_loss = 'default'),
    reached (membership, "group") AS (
    SELECT gm.membership, gm."group" FROM affected AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s
    UNION
    SELECT r.membership, n.parent FROM reached AS r CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = r."group" OFFSET 0) AS n),
    held (membership, role) AS (
    SELECT t.membership, a.role FROM affected AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s
    UNION
    SELECT r.membership, a.role FROM reached AS r
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s)
INSERT INTO rescind.role_before (organization, membership, role)
SELECT %(o)s, c.membership, c.role FROM (
    SELECT h.membership, h.role, count(*) OVER (PARTITION BY h.membership) AS counting,
        row_number() OVER (PARTITION BY h.membership ORDER BY q.priority DESC, q.id) AS place
    FROM held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
        WHERE q.id = h.role OFFSET 0) AS q
    WHERE NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x
        WHERE x.organization = %(o)s AND x.membership = h.membership AND x.role = h.role)) AS c
WHERE c.place = 1 AND c.counting > 1
ON CONFLICT (organization, membership) DO NOTHING

-- set_aside
WITH RECURSIVE affected (membership) AS (
    SELECT b.membership FROM rescind.role_before AS b WHERE b.organization = %(o)s),
    reached (membership, "group") AS (
    SELECT gm.membership, gm."group" FROM affected AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s
    UNION
    SELECT r.membership, n.parent FROM reached AS r CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = r."group" OFFSET 0) AS n),
    held (membership, role) AS (
    SELECT t.membership, a.role FROM affected AS t
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s
    UNION
    SELECT r.membership, a.role FROM reached AS r
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
    WHERE a.expires_at IS NULL OR a.expires_at > %(now)s)
INSERT INTO rescind.role_reset (organization, membership, role)
SELECT %(o)s, x.membership, x.role FROM (
    SELECT h.membership, h.role,
        max(CASE WHEN h.role = b.role THEN 1 ELSE 0 END) OVER (PARTITION BY h.membership) AS is_kept
    FROM held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.role_before AS b
        WHERE b.organization = %(o)s AND b.membership = h.membership OFFSET 0) AS b) AS x
WHERE x.is_kept = 0
ON CONFLICT (organization, membership, role) DO NOTHING
