-- forget_required
DELETE FROM rescind.required_before WHERE organization = %(o)s

-- refuse_required_expiring
SELECT 'last_holder' AS code, 'role' AS fact, b.role || ', which nobody would hold for good' AS value
FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.required_before AS b
    WHERE b.organization = o.id AND b.is_lasting = %(is_lasting)s OFFSET 0) AS b
LEFT JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.slug = b.role AND q.organization IN (0, o.id) OFFSET 0) AS q ON TRUE
WHERE o.id = %(o)s AND CASE WHEN q.id IS NULL THEN TRUE WHEN q.required THEN NOT EXISTS (
        WITH RECURSIVE given (id) AS (
            SELECT a.holder FROM rescind.assignment AS a
            WHERE a.role = q.id AND a.organization = o.id AND a.resource = 0 AND a.ended IS NULL
            AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
            UNION
            SELECT n.child FROM given AS g CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                WHERE n.organization = o.id AND n.parent = g.id OFFSET 0) AS n),
            candidate (id) AS (
            SELECT g.id FROM given AS g WHERE g.id > 0
            UNION ALL
            SELECT gm.membership FROM given AS g CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
                WHERE gm.organization = o.id AND gm."group" = g.id OFFSET 0) AS gm
            WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s
            UNION ALL
            SELECT x.id FROM rescind.membership AS x WHERE x.organization = o.id AND o.role_mode = 'single' AND o.default_role = q.id)
        SELECT 1 FROM candidate AS c CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = o.id AND m.id = c.id OFFSET 0) AS m
        WHERE m.active AND CASE WHEN o.role_mode = 'multiple' THEN TRUE ELSE q.id =
                COALESCE((
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
                    CROSS JOIN LATERAL (SELECT * FROM rescind.role AS z
                        WHERE z.id = a.role OFFSET 0) AS z
                    WHERE (a.expires_at IS NULL OR a.expires_at > %(now)s)
                    AND
                    NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                    ORDER BY z.priority DESC, z.id
                    LIMIT 1), o.default_role)
        END)
    ELSE FALSE END
AND (CAST(%(roles)s AS TEXT) IS NULL OR b.role IN (SELECT i.value FROM rescind.json_texts(%(roles)s) AS i))
ORDER BY b.role LIMIT 1

-- refuse_required_lost
SELECT 'last_holder' AS code, 'role' AS fact, b.role || CASE WHEN %(is_elsewhere)s THEN ', in the organization ' || o.slug ELSE '' END AS value
FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.required_before AS b
    WHERE b.organization = o.id AND b.is_lasting = %(is_lasting)s OFFSET 0) AS b
LEFT JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.slug = b.role AND q.organization IN (0, o.id) OFFSET 0) AS q ON TRUE
WHERE o.id = %(o)s AND CASE WHEN q.id IS NULL THEN TRUE WHEN q.required THEN NOT EXISTS (
        WITH RECURSIVE given (id) AS (
            SELECT a.holder FROM rescind.assignment AS a
            WHERE a.role = q.id AND a.organization = o.id AND a.resource = 0 AND a.ended IS NULL
            AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
            UNION
            SELECT n.child FROM given AS g CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                WHERE n.organization = o.id AND n.parent = g.id OFFSET 0) AS n),
            candidate (id) AS (
            SELECT g.id FROM given AS g WHERE g.id > 0
            UNION ALL
            SELECT gm.membership FROM given AS g CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
                WHERE gm.organization = o.id AND gm."group" = g.id OFFSET 0) AS gm
            WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s
            UNION ALL
            SELECT x.id FROM rescind.membership AS x WHERE x.organization = o.id AND o.role_mode = 'single' AND o.default_role = q.id)
        SELECT 1 FROM candidate AS c CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = o.id AND m.id = c.id OFFSET 0) AS m
        WHERE m.active AND CASE WHEN o.role_mode = 'multiple' THEN TRUE ELSE q.id =
                COALESCE((
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
                    CROSS JOIN LATERAL (SELECT * FROM rescind.role AS z
                        WHERE z.id = a.role OFFSET 0) AS z
                    WHERE (a.expires_at IS NULL OR a.expires_at > %(now)s)
                    AND
                    NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                    ORDER BY z.priority DESC, z.id
                    LIMIT 1), o.default_role)
        END)
    ELSE FALSE END
ORDER BY b.role LIMIT 1

-- remember_required
INSERT INTO rescind.required_before (organization, role, is_lasting)
SELECT o.id, q.slug, %(is_lasting)s FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.organization IN (0, o.id) AND q.required OFFSET 0) AS q
WHERE o.id = %(o)s AND EXISTS (
    WITH RECURSIVE given (id) AS (
        SELECT a.holder FROM rescind.assignment AS a
        WHERE a.role = q.id AND a.organization = o.id AND a.resource = 0 AND a.ended IS NULL
        AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
        UNION
        SELECT n.child FROM given AS g CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
            WHERE n.organization = o.id AND n.parent = g.id OFFSET 0) AS n),
        candidate (id) AS (
        SELECT g.id FROM given AS g WHERE g.id > 0
        UNION ALL
        SELECT gm.membership FROM given AS g CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = o.id AND gm."group" = g.id OFFSET 0) AS gm
        WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s
        UNION ALL
        SELECT x.id FROM rescind.membership AS x WHERE x.organization = o.id AND o.role_mode = 'single' AND o.default_role = q.id)
    SELECT 1 FROM candidate AS c CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
        WHERE m.organization = o.id AND m.id = c.id OFFSET 0) AS m
    WHERE m.active AND CASE WHEN o.role_mode = 'multiple' THEN TRUE ELSE q.id =
            COALESCE((
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
                CROSS JOIN LATERAL (SELECT * FROM rescind.role AS z
                    WHERE z.id = a.role OFFSET 0) AS z
                WHERE (a.expires_at IS NULL OR a.expires_at > %(now)s)
                AND
                NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                ORDER BY z.priority DESC, z.id
                LIMIT 1), o.default_role)
    END)

-- warn_required_expiring
SELECT '' AS code, 'lasting_holder' AS fact, b.role AS value
FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.required_before AS b
    WHERE b.organization = o.id AND b.is_lasting = %(is_lasting)s OFFSET 0) AS b
LEFT JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.slug = b.role AND q.organization IN (0, o.id) OFFSET 0) AS q ON TRUE
WHERE o.id = %(o)s AND CASE WHEN q.id IS NULL THEN TRUE WHEN q.required THEN NOT EXISTS (
        WITH RECURSIVE given (id) AS (
            SELECT a.holder FROM rescind.assignment AS a
            WHERE a.role = q.id AND a.organization = o.id AND a.resource = 0 AND a.ended IS NULL
            AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
            UNION
            SELECT n.child FROM given AS g CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                WHERE n.organization = o.id AND n.parent = g.id OFFSET 0) AS n),
            candidate (id) AS (
            SELECT g.id FROM given AS g WHERE g.id > 0
            UNION ALL
            SELECT gm.membership FROM given AS g CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
                WHERE gm.organization = o.id AND gm."group" = g.id OFFSET 0) AS gm
            WHERE gm.expires_at IS NULL OR gm.expires_at > %(now)s
            UNION ALL
            SELECT x.id FROM rescind.membership AS x WHERE x.organization = o.id AND o.role_mode = 'single' AND o.default_role = q.id)
        SELECT 1 FROM candidate AS c CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = o.id AND m.id = c.id OFFSET 0) AS m
        WHERE m.active AND CASE WHEN o.role_mode = 'multiple' THEN TRUE ELSE q.id =
                COALESCE((
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
                    CROSS JOIN LATERAL (SELECT * FROM rescind.role AS z
                        WHERE z.id = a.role OFFSET 0) AS z
                    WHERE (a.expires_at IS NULL OR a.expires_at > %(now)s)
                    AND
                    NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                    ORDER BY z.priority DESC, z.id
                    LIMIT 1), o.default_role)
        END)
    ELSE FALSE END
AND q.id IS NOT NULL
