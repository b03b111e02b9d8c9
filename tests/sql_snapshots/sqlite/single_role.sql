-- delete_role_resets_of_role
DELETE FROM rescind_role_reset WHERE (:o = 0 OR organization = :o)
AND role = (SELECT id FROM rescind_role WHERE slug = :role AND organization = :o)

-- forget_role_resets
DELETE FROM rescind_role_reset WHERE organization = :o AND
EXISTS (SELECT 1 FROM rescind_organization WHERE id = :o AND (role_mode <> :mode OR on_loss <> :on_loss))

-- forget_roles_before
DELETE FROM rescind_role_before WHERE organization = :o

-- forget_roles_before_mode
DELETE FROM rescind_role_before WHERE organization = :o AND
EXISTS (SELECT 1 FROM rescind_organization WHERE id = :o AND (role_mode <> :mode OR on_loss <> :on_loss))

-- give_back_by_nesting
WITH RECURSIVE
    below (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :child
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id),
    upward (id) AS (
    SELECT n.parent FROM rescind_group AS c CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = c.id
    CROSS JOIN rescind_group AS p ON p.organization = :o AND p.id = n.parent
    WHERE c.organization = :o AND c.slug = :child AND (CAST(:parent AS TEXT) IS NULL OR p.slug = :parent)
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = u.id)
DELETE FROM rescind_role_reset WHERE organization = :o
AND membership IN (
    SELECT gm.membership FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now)
AND role IN (
    SELECT a.role FROM upward AS u
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now)

-- give_back_to_holder
WITH RECURSIVE
    given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind_role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = :o),
            (SELECT r.id FROM rescind_role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
        (SELECT r.id FROM rescind_resource AS r WHERE r.organization = :o AND r.slug = i.value ->> 'on'),
        CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM json_each(:given) AS i),
    holder (id) AS (
    SELECT id FROM rescind_membership WHERE organization = :o AND subject = :subject
    UNION ALL
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group),
    below (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id)
DELETE FROM rescind_role_reset WHERE organization = :o
AND membership IN (
    SELECT id FROM rescind_membership WHERE organization = :o AND subject = :subject
    UNION ALL
    SELECT gm.membership FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now)
AND role IN (
    SELECT a.role FROM given AS g
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
    AND a.role = g.role AND a.ended IS NULL
    WHERE g.resource = 0 AND (a.expires_at IS NULL OR a.expires_at > :now))

-- give_back_to_members
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = u.id),
    listed (id) AS (
    SELECT (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value)
    FROM json_each(:members) AS i),
    touched (membership) AS (
    SELECT gm.membership FROM listed AS l CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = l.id
    AND gm."group" = (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group))
DELETE FROM rescind_role_reset WHERE organization = :o
AND membership IN (
    SELECT gm.membership FROM touched AS t
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    AND gm."group" = (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now)
AND role IN (
    SELECT a.role FROM upward AS u
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now)

-- remember_roles_below
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id),
    touched (membership) AS (
    SELECT id FROM rescind_membership WHERE organization = :o AND subject = :subject
    UNION
    SELECT gm.membership FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id),
    affected (membership) AS (
    SELECT t.membership FROM rescind_organization AS o CROSS JOIN touched AS t
    WHERE o.id = :o AND o.role_mode = 'single' AND o.on_loss = 'default'),
    reached (membership, "group") AS (
    SELECT gm.membership, gm."group" FROM affected AS t
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now
    UNION
    SELECT r.membership, n.parent FROM reached AS r CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = r."group"),
    held (membership, role) AS (
    SELECT t.membership, a.role FROM affected AS t
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now
    UNION
    SELECT r.membership, a.role FROM reached AS r
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now)
INSERT INTO rescind_role_before (organization, membership, role)
SELECT :o, c.membership, c.role FROM (
    SELECT h.membership, h.role, count(*) OVER (PARTITION BY h.membership) AS counting,
        row_number() OVER (PARTITION BY h.membership ORDER BY q.priority DESC, q.id) AS place
    FROM held AS h CROSS JOIN rescind_role AS q ON q.id = h.role
    WHERE NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x
        WHERE x.organization = :o AND x.membership = h.membership AND x.role = h.role)) AS c
WHERE c.place = 1 AND c.counting > 1
ON CONFLICT (organization, membership) DO NOTHING

-- remember_roles_of_holders
WITH RECURSIVE below (id) AS (
    SELECT a.holder FROM rescind_assignment AS a
    WHERE a.organization = :o AND a.role = (SELECT r.id FROM rescind_role AS r WHERE r.slug = :role AND r.organization = :owner)
    AND a.resource = 0 AND a.ended IS NULL
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id),
    touched (membership) AS (
    SELECT b.id FROM below AS b WHERE b.id > 0
    UNION
    SELECT gm.membership FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id WHERE b.id < 0),
    affected (membership) AS (
    SELECT t.membership FROM rescind_organization AS o CROSS JOIN touched AS t
    WHERE o.id = :o AND o.role_mode = 'single' AND o.on_loss = 'default'),
    reached (membership, "group") AS (
    SELECT gm.membership, gm."group" FROM affected AS t
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now
    UNION
    SELECT r.membership, n.parent FROM reached AS r CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = r."group"),
    held (membership, role) AS (
    SELECT t.membership, a.role FROM affected AS t
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now
    UNION
    SELECT r.membership, a.role FROM reached AS r
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now)
INSERT INTO rescind_role_before (organization, membership, role)
SELECT :o, c.membership, c.role FROM (
    SELECT h.membership, h.role, count(*) OVER (PARTITION BY h.membership) AS counting,
        row_number() OVER (PARTITION BY h.membership ORDER BY q.priority DESC, q.id) AS place
    FROM held AS h CROSS JOIN rescind_role AS q ON q.id = h.role
    WHERE NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x
        WHERE x.organization = :o AND x.membership = h.membership AND x.role = h.role)) AS c
WHERE c.place = 1 AND c.counting > 1
ON CONFLICT (organization, membership) DO NOTHING

-- remember_roles_of_members
WITH RECURSIVE
    listed (id) AS (
    SELECT (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value)
    FROM json_each(:members) AS i),
    touched (membership) AS (
    SELECT gm.membership FROM listed AS l CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = l.id
    AND gm."group" = (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)),
    affected (membership) AS (
    SELECT t.membership FROM rescind_organization AS o CROSS JOIN touched AS t
    WHERE o.id = :o AND o.role_mode = 'single' AND o.on_loss = 'default'),
    reached (membership, "group") AS (
    SELECT gm.membership, gm."group" FROM affected AS t
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now
    UNION
    SELECT r.membership, n.parent FROM reached AS r CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = r."group"),
    held (membership, role) AS (
    SELECT t.membership, a.role FROM affected AS t
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now
    UNION
    SELECT r.membership, a.role FROM reached AS r
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now)
INSERT INTO rescind_role_before (organization, membership, role)
SELECT :o, c.membership, c.role FROM (
    SELECT h.membership, h.role, count(*) OVER (PARTITION BY h.membership) AS counting,
        row_number() OVER (PARTITION BY h.membership ORDER BY q.priority DESC, q.id) AS place
    FROM held AS h CROSS JOIN rescind_role AS q ON q.id = h.role
    WHERE NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x
        WHERE x.organization = :o AND x.membership = h.membership AND x.role = h.role)) AS c
WHERE c.place = 1 AND c.counting > 1
ON CONFLICT (organization, membership) DO NOTHING

-- remember_roles_of_others
WITH RECURSIVE
    touched (membership) AS (
    SELECT gm.membership FROM rescind_group AS g CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = g.id
    WHERE g.organization = :o AND g.slug = :group
    AND gm.membership NOT IN (SELECT m.id FROM json_each(:members) AS i
        CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value)),
    affected (membership) AS (
    SELECT t.membership FROM rescind_organization AS o CROSS JOIN touched AS t
    WHERE o.id = :o AND o.role_mode = 'single' AND o.on_loss = 'default'),
    reached (membership, "group") AS (
    SELECT gm.membership, gm."group" FROM affected AS t
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now
    UNION
    SELECT r.membership, n.parent FROM reached AS r CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = r."group"),
    held (membership, role) AS (
    SELECT t.membership, a.role FROM affected AS t
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now
    UNION
    SELECT r.membership, a.role FROM reached AS r
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now)
INSERT INTO rescind_role_before (organization, membership, role)
SELECT :o, c.membership, c.role FROM (
    SELECT h.membership, h.role, count(*) OVER (PARTITION BY h.membership) AS counting,
        row_number() OVER (PARTITION BY h.membership ORDER BY q.priority DESC, q.id) AS place
    FROM held AS h CROSS JOIN rescind_role AS q ON q.id = h.role
    WHERE NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x
        WHERE x.organization = :o AND x.membership = h.membership AND x.role = h.role)) AS c
WHERE c.place = 1 AND c.counting > 1
ON CONFLICT (organization, membership) DO NOTHING

-- set_aside
WITH RECURSIVE affected (membership) AS (
    SELECT b.membership FROM rescind_role_before AS b WHERE b.organization = :o),
    reached (membership, "group") AS (
    SELECT gm.membership, gm."group" FROM affected AS t
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now
    UNION
    SELECT r.membership, n.parent FROM reached AS r CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = r."group"),
    held (membership, role) AS (
    SELECT t.membership, a.role FROM affected AS t
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now
    UNION
    SELECT r.membership, a.role FROM reached AS r
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now)
INSERT INTO rescind_role_reset (organization, membership, role)
SELECT :o, x.membership, x.role FROM (
    SELECT h.membership, h.role,
        max(CASE WHEN h.role = b.role THEN 1 ELSE 0 END) OVER (PARTITION BY h.membership) AS is_kept
    FROM held AS h CROSS JOIN rescind_role_before AS b ON b.organization = :o AND b.membership = h.membership) AS x
WHERE x.is_kept = 0
ON CONFLICT (organization, membership, role) DO NOTHING
