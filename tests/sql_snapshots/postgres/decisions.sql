-- check
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE
        WHEN %(live)s OR p.critical THEN
        CASE WHEN (CASE WHEN o.role_mode = 'multiple' THEN EXISTS (
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
                            (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL)
                    ELSE EXISTS (
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
                            (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL) END) THEN 2 ELSE 3 END
        WHEN (CASE WHEN o.role_mode = 'multiple' THEN NOT EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id)) AND EXISTS (
                    SELECT 1 FROM rescind.effective_role AS e
                    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                        WHERE a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL OFFSET 0) AS a
                    CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                        WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                    WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                    AND (e.expires_at IS NULL OR e.expires_at > %(now)s) AND (a.expires_at IS NULL OR a.expires_at > %(now)s))
                ELSE NOT EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id) AND EXISTS (
                    SELECT 1 FROM rescind.role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
                            SELECT a.role FROM rescind.effective_role AS e
                            CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                                WHERE a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL OFFSET 0) AS a
                            CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
                                WHERE q.id = a.role OFFSET 0) AS q
                            WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                            AND (e.expires_at IS NULL OR e.expires_at > %(now)s) AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                            AND
                            NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                            ORDER BY q.priority DESC, q.id
                            LIMIT 1), o.default_role)) END
            OR CASE WHEN o.role_mode = 'multiple' THEN NOT EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id))
                ELSE NOT EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id) END
            AND EXISTS (
                WITH RECURSIVE
                    up (id) AS (
                    SELECT r.id WHERE r.id <> 0
                    UNION ALL
                    SELECT x.parent FROM up CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                        WHERE x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x)
                SELECT 1 FROM up WHERE (
                    SELECT 1 FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                        WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                    WHERE a.organization = o.id AND a.holder = m.id AND a.resource = up.id AND a.ended IS NULL
                    AND (a.expires_at IS NULL OR a.expires_at > %(now)s) LIMIT 1) IS NOT NULL
                OR (
                    SELECT 1 FROM rescind.assignment AS a
                    CROSS JOIN LATERAL (SELECT * FROM rescind.effective_role AS e
                        WHERE e.organization = o.id AND e.membership = m.id AND e.assignment = a.id OFFSET 0) AS e
                    CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                        WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                    WHERE a.organization = o.id AND a.resource = up.id AND a.ended IS NULL AND a.holder < 0
                    AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                    AND (e.expires_at IS NULL OR e.expires_at > %(now)s) LIMIT 1) IS NOT NULL)) THEN 1
        WHEN EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id) THEN
        CASE WHEN (CASE WHEN o.role_mode = 'multiple' THEN EXISTS (
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
                            (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL)
                    ELSE EXISTS (
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
                            (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL) END) THEN 2 ELSE 3 END
        ELSE 0
    END
END AS verdict, o.role_mode
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = o.id AND m.subject = %(subject)s OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (
    SELECT x.id, x.critical FROM rescind.permission AS x WHERE x.slug = %(permission)s AND x.organization IN (0, o.id)
    ORDER BY x.organization DESC LIMIT 1) AS p ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = o.id AND r.slug = %(resource)s OFFSET 0) AS r ON TRUE
WHERE o.slug = %(organization)s AND env.id = 0

-- check_effective_multiple
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE
        WHEN NOT EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id))
        AND (EXISTS (
                SELECT 1 FROM rescind.effective_role AS e
                CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                    WHERE a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL OFFSET 0) AS a
                CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                    WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                AND (e.expires_at IS NULL OR e.expires_at > %(now)s) AND (a.expires_at IS NULL OR a.expires_at > %(now)s)) OR EXISTS (
                WITH RECURSIVE
                    up (id) AS (
                    SELECT r.id WHERE r.id <> 0
                    UNION ALL
                    SELECT x.parent FROM up CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                        WHERE x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x)
                SELECT 1 FROM up WHERE (
                    SELECT 1 FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                        WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                    WHERE a.organization = o.id AND a.holder = m.id AND a.resource = up.id AND a.ended IS NULL
                    AND (a.expires_at IS NULL OR a.expires_at > %(now)s) LIMIT 1) IS NOT NULL
                OR (
                    SELECT 1 FROM rescind.assignment AS a
                    CROSS JOIN LATERAL (SELECT * FROM rescind.effective_role AS e
                        WHERE e.organization = o.id AND e.membership = m.id AND e.assignment = a.id OFFSET 0) AS e
                    CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                        WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                    WHERE a.organization = o.id AND a.resource = up.id AND a.ended IS NULL AND a.holder < 0
                    AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                    AND (e.expires_at IS NULL OR e.expires_at > %(now)s) LIMIT 1) IS NOT NULL)) THEN 1
        WHEN EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id) THEN 4
        ELSE 0
    END
END AS verdict, o.role_mode
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = o.id AND m.subject = %(subject)s OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (
    SELECT x.id, x.critical FROM rescind.permission AS x WHERE x.slug = %(permission)s AND x.organization IN (0, o.id)
    ORDER BY x.organization DESC LIMIT 1) AS p ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = o.id AND r.slug = %(resource)s OFFSET 0) AS r ON TRUE
WHERE o.slug = %(organization)s AND env.id = 0

-- check_effective_single
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE
        WHEN EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id) THEN 4
        WHEN EXISTS (
            SELECT 1 FROM rescind.role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
                    SELECT a.role FROM rescind.effective_role AS e
                    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                        WHERE a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL OFFSET 0) AS a
                    CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
                        WHERE q.id = a.role OFFSET 0) AS q
                    WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                    AND (e.expires_at IS NULL OR e.expires_at > %(now)s) AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                    AND
                    NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                    ORDER BY q.priority DESC, q.id
                    LIMIT 1), o.default_role)) OR EXISTS (
            WITH RECURSIVE
                up (id) AS (
                SELECT r.id WHERE r.id <> 0
                UNION ALL
                SELECT x.parent FROM up CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                    WHERE x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x)
            SELECT 1 FROM up WHERE (
                SELECT 1 FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                    WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                WHERE a.organization = o.id AND a.holder = m.id AND a.resource = up.id AND a.ended IS NULL
                AND (a.expires_at IS NULL OR a.expires_at > %(now)s) LIMIT 1) IS NOT NULL
            OR (
                SELECT 1 FROM rescind.assignment AS a
                CROSS JOIN LATERAL (SELECT * FROM rescind.effective_role AS e
                    WHERE e.organization = o.id AND e.membership = m.id AND e.assignment = a.id OFFSET 0) AS e
                CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                    WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                WHERE a.organization = o.id AND a.resource = up.id AND a.ended IS NULL AND a.holder < 0
                AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                AND (e.expires_at IS NULL OR e.expires_at > %(now)s) LIMIT 1) IS NOT NULL) THEN 1
        ELSE 0
    END
END AS verdict, o.role_mode
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = o.id AND m.subject = %(subject)s OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (
    SELECT x.id, x.critical FROM rescind.permission AS x WHERE x.slug = %(permission)s AND x.organization IN (0, o.id)
    ORDER BY x.organization DESC LIMIT 1) AS p ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = o.id AND r.slug = %(resource)s OFFSET 0) AS r ON TRUE
WHERE o.slug = %(organization)s AND env.id = 0

-- check_live_multiple
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE WHEN EXISTS (
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
                (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL) THEN 2 ELSE 3 END
END AS verdict, o.role_mode
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = o.id AND m.subject = %(subject)s OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (
    SELECT x.id, x.critical FROM rescind.permission AS x WHERE x.slug = %(permission)s AND x.organization IN (0, o.id)
    ORDER BY x.organization DESC LIMIT 1) AS p ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = o.id AND r.slug = %(resource)s OFFSET 0) AS r ON TRUE
WHERE o.slug = %(organization)s AND env.id = 0

-- check_live_single
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE WHEN (EXISTS (
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
                    (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL)) THEN 2 ELSE 3 END
END AS verdict, o.role_mode
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = o.id AND m.subject = %(subject)s OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (
    SELECT x.id, x.critical FROM rescind.permission AS x WHERE x.slug = %(permission)s AND x.organization IN (0, o.id)
    ORDER BY x.organization DESC LIMIT 1) AS p ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = o.id AND r.slug = %(resource)s OFFSET 0) AS r ON TRUE
WHERE o.slug = %(organization)s AND env.id = 0

-- list_names
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, p.id AS permission, r.id AS resource
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = o.id AND m.subject = %(subject)s OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (
    SELECT x.id, x.critical FROM rescind.permission AS x WHERE x.slug = %(permission)s AND x.organization IN (0, o.id)
    ORDER BY x.organization DESC LIMIT 1) AS p ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = o.id AND r.slug = %(resource)s OFFSET 0) AS r ON TRUE
WHERE o.slug = %(organization)s AND env.id = 0
