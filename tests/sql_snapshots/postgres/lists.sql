-- list_any_with
SELECT 1 AS is_given FROM rescind.json_texts(%(roles)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
    WHERE rp.role = CAST(i.value AS INTEGER) AND rp.permission = %(p)s OFFSET 0) AS rp
LIMIT 1

-- list_below
WITH RECURSIVE below (id) AS (
    SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(%(places)s) AS i
    UNION
    SELECT x.id FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
        WHERE x.organization = %(o)s AND x.parent = b.id OFFSET 0) AS x)
SELECT id AS number FROM below LIMIT %(most)s

-- list_groups_by_place
WITH RECURSIVE below (id) AS (
    SELECT a.holder FROM rescind.json_texts(%(places)s) AS x
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.resource = CAST(x.value AS INTEGER) AND a.holder < 0 OFFSET 0) AS a
    WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    AND (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = %(p)s) IS NOT NULL
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n)
SELECT id AS number FROM below LIMIT %(most)s

-- list_groups_by_role
WITH RECURSIVE below (id) AS (
    SELECT a.holder FROM rescind.json_texts(%(places)s) AS x CROSS JOIN rescind.json_texts(%(roles)s) AS i
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.role = CAST(i.value AS INTEGER) AND a.organization = %(o)s
        AND a.resource = CAST(x.value AS INTEGER) AND a.holder < 0 OFFSET 0) AS a
    WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n)
SELECT id AS number FROM below LIMIT %(most)s

-- list_holders
WITH RECURSIVE holder (id) AS (
    SELECT CAST(%(m)s AS INTEGER)
    UNION ALL
    SELECT gm."group" FROM rescind.group_member AS gm
    WHERE gm.organization = %(o)s AND gm.membership = %(m)s AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n)
SELECT id AS number FROM holder

-- list_line
WITH RECURSIVE
    above (id) AS (
    SELECT CAST(%(r)s AS INTEGER)
    UNION ALL
    SELECT x.parent FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
        WHERE x.organization = %(o)s AND x.id = above.id OFFSET 0) AS x WHERE above.id <> 0)
SELECT id AS number FROM above

-- list_lines
WITH RECURSIVE line (id) AS (
    SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(%(ids)s) AS i
    UNION
    SELECT x.parent FROM line AS l CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
        WHERE x.organization = %(o)s AND x.id = l.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x)
SELECT l.id AS number, COALESCE(x.parent, 0) AS parent, EXISTS (
    SELECT 1 FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.resource = l.id AND a.holder
        = ANY (ARRAY(SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(%(holders)s) AS i)) AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
    AND (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = %(p)s) IS NOT NULL) AS is_given
FROM line AS l CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = %(o)s AND x.id = l.id OFFSET 0) AS x

-- list_parents
WITH RECURSIVE parent (id) AS (
    SELECT (SELECT x.parent FROM rescind.resource AS x WHERE x.organization = %(o)s AND x.parent > 0 ORDER BY x.parent LIMIT 1)
    UNION ALL
    SELECT (SELECT x.parent FROM rescind.resource AS x WHERE x.organization = %(o)s AND x.parent > p.id ORDER BY x.parent LIMIT 1)
    FROM parent AS p WHERE p.id IS NOT NULL)
SELECT id AS number FROM parent WHERE id IS NOT NULL LIMIT %(most)s

-- list_permissions
SELECT p.id AS number, p.slug AS name FROM rescind.json_texts(%(ids)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.id = CAST(i.value AS INTEGER) OFFSET 0) AS p
WHERE p.organization IN (0, %(o)s)

-- list_places
SELECT a.resource,
    a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
AND (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = %(p)s) IS NOT NULL AS is_given
FROM rescind.json_texts(%(holders)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = CAST(i.value AS INTEGER) AND a.resource > 0 AND a.ended IS NULL OFFSET 0) AS a
LIMIT %(most)s

-- list_resources
SELECT r.id AS number, r.slug AS name FROM rescind.json_texts(%(ids)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = %(o)s AND r.id = CAST(i.value AS INTEGER) OFFSET 0) AS r

-- list_resources_of_kind
SELECT r.id AS number FROM rescind.resource AS r
WHERE r.organization = %(o)s AND r.slug >= %(kind)s AND r.slug < %(kind_end)s ORDER BY r.slug LIMIT %(most)s

-- list_role_won
SELECT COALESCE((
        SELECT a.role FROM rescind.json_texts(%(holders)s) AS i
        CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = o.id AND a.holder = CAST(i.value AS INTEGER) AND a.resource = 0 OFFSET 0) AS a
        CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
            WHERE q.id = a.role OFFSET 0) AS q
        WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
        AND NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = %(m)s AND x.role = a.role)
        ORDER BY q.priority DESC, q.id LIMIT 1), o.default_role) AS number
FROM rescind.organization AS o WHERE o.id = %(o)s

-- list_roles_on
SELECT DISTINCT a.role AS number FROM rescind.json_texts(%(places)s) AS x CROSS JOIN rescind.json_texts(%(holders)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = CAST(i.value AS INTEGER) AND a.resource = CAST(x.value AS INTEGER) OFFSET 0) AS a
WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)

-- list_roles_with
SELECT x.role, q.organization
FROM (SELECT rp.role FROM rescind.role_permission AS rp WHERE rp.permission = %(p)s ORDER BY rp.role LIMIT %(most)s) AS x
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = x.role OFFSET 0) AS q

-- list_subjects
SELECT m.id AS number, m.subject AS name FROM rescind.json_texts(%(ids)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = CAST(i.value AS INTEGER) OFFSET 0) AS m
WHERE m.active

-- list_subjects_allowed
SELECT m.id AS number FROM rescind.json_texts(%(ids)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = CAST(i.value AS INTEGER) OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = %(o)s OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.id = %(p)s OFFSET 0) AS p
CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = %(o)s AND r.id = %(r)s OFFSET 0) AS r
WHERE
    (CASE WHEN o.role_mode = 'multiple' THEN EXISTS (
            WITH RECURSIVE
                holder (id) AS (
                SELECT m.id
                UNION ALL
                SELECT gm."group" FROM rescind.group_member AS gm
                WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
                UNION
                SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                    WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n),
                up (id) AS (
                SELECT r.id WHERE r.id <> 0
                UNION ALL
                SELECT x.parent FROM up CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                    WHERE x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x),
                place (id) AS (SELECT up.id FROM up UNION ALL SELECT 0)
            SELECT 1 FROM rescind.assignment AS a
            WHERE a.organization = o.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
            AND a.holder = ANY (ARRAY(SELECT id FROM holder)) AND a.resource = ANY (ARRAY(SELECT id FROM place)) AND
                (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL) ELSE EXISTS (
            SELECT 1 FROM rescind.role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
                    WITH RECURSIVE
                        holder (id) AS (
                        SELECT m.id
                        UNION ALL
                        SELECT gm."group" FROM rescind.group_member AS gm
                        WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
                        UNION
                        SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                            WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n)
                    SELECT a.role FROM holder AS h
                    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                        WHERE a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
                    CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
                        WHERE q.id = a.role OFFSET 0) AS q
                    WHERE (a.expires_at IS NULL OR a.expires_at > %(now)s)
                    AND
                    NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                    ORDER BY q.priority DESC, q.id
                    LIMIT 1), o.default_role)) OR EXISTS (
            WITH RECURSIVE
                holder (id) AS (
                SELECT m.id
                UNION ALL
                SELECT gm."group" FROM rescind.group_member AS gm
                WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
                UNION
                SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                    WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n),
                up (id) AS (
                SELECT r.id WHERE r.id <> 0
                UNION ALL
                SELECT x.parent FROM up CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                    WHERE x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x),
                place (id) AS (SELECT up.id FROM up)
            SELECT 1 FROM rescind.assignment AS a
            WHERE a.organization = o.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
            AND a.holder = ANY (ARRAY(SELECT id FROM holder)) AND a.resource = ANY (ARRAY(SELECT id FROM place)) AND
                (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL) END)

-- list_subjects_of_kind
SELECT m.id AS number, m.active FROM rescind.membership AS m
WHERE m.organization = %(o)s AND m.subject >= %(kind)s AND m.subject < %(kind_end)s ORDER BY m.subject LIMIT %(most)s

-- read_asked
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.id AS permission,
    r.id AS resource, o.role_mode = 'single' AS is_single,
EXISTS (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = o.default_role AND rp.permission = p.id) AS default_is_given
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = o.id AND m.subject = %(subject)s OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (
    SELECT x.id, x.critical FROM rescind.permission AS x WHERE x.slug = %(permission)s AND x.organization IN (0, o.id)
    ORDER BY x.organization DESC LIMIT 1) AS p ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = o.id AND r.slug = %(resource)s OFFSET 0) AS r ON TRUE
WHERE o.slug = %(organization)s AND env.id = 0

-- stream_memberships
SELECT 0 AS key, m.id AS number, TRUE AS is_in_force FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.id > %(after)s ORDER BY m.id LIMIT %(most)s

-- stream_resources
SELECT 0 AS key, r.id AS number, TRUE AS is_in_force FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.id > %(after)s ORDER BY r.id LIMIT %(most)s
