-- forget_required
DELETE FROM rescind_required_before WHERE organization = :o

-- refuse_required_expiring
SELECT 'last_holder' AS code, 'role' AS fact, b.role || ', which nobody would hold for good' AS value
FROM rescind_organization AS o CROSS JOIN rescind_required_before AS b ON b.organization = o.id AND b.is_lasting = :is_lasting
LEFT JOIN rescind_role AS q ON q.slug = b.role AND q.organization IN (0, o.id)
WHERE o.id = :o AND CASE WHEN q.id IS NULL THEN TRUE WHEN q.required THEN NOT EXISTS (
        WITH RECURSIVE given (id) AS (
            SELECT a.holder FROM rescind_assignment AS a
            WHERE a.role = q.id AND a.organization = o.id AND a.resource = 0 AND a.ended IS NULL
            AND (a.expires_at IS NULL OR a.expires_at > :now)
            UNION
            SELECT n.child FROM given AS g CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.parent = g.id),
            candidate (id) AS (
            SELECT g.id FROM given AS g WHERE g.id > 0
            UNION ALL
            SELECT gm.membership FROM given AS g CROSS JOIN rescind_group_member AS gm ON gm.organization = o.id AND gm."group" = g.id
            WHERE gm.expires_at IS NULL OR gm.expires_at > :now
            UNION ALL
            SELECT x.id FROM rescind_membership AS x WHERE x.organization = o.id AND o.role_mode = 'single' AND o.default_role = q.id)
        SELECT 1 FROM candidate AS c CROSS JOIN rescind_membership AS m ON m.organization = o.id AND m.id = c.id
        WHERE m.active AND CASE WHEN o.role_mode = 'multiple' THEN TRUE ELSE q.id =
                COALESCE((
                    WITH RECURSIVE
                        holder (id) AS (
                        SELECT m.id
                        UNION ALL
                        SELECT gm."group" FROM rescind_group_member AS gm
                        WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                        UNION
                        SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id)
                    SELECT a.role FROM holder AS h
                    CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL
                    CROSS JOIN rescind_role AS z ON z.id = a.role
                    WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                    AND
                    NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                    ORDER BY z.priority DESC, z.id
                    LIMIT 1), o.default_role)
        END)
    ELSE FALSE END
AND (CAST(:roles AS TEXT) IS NULL OR b.role IN (SELECT i.value FROM json_each(:roles) AS i))
ORDER BY b.role LIMIT 1

-- refuse_required_lost
SELECT 'last_holder' AS code, 'role' AS fact, b.role || CASE WHEN :is_elsewhere THEN ', in the organization ' || o.slug ELSE '' END AS value
FROM rescind_organization AS o CROSS JOIN rescind_required_before AS b ON b.organization = o.id AND b.is_lasting = :is_lasting
LEFT JOIN rescind_role AS q ON q.slug = b.role AND q.organization IN (0, o.id)
WHERE o.id = :o AND CASE WHEN q.id IS NULL THEN TRUE WHEN q.required THEN NOT EXISTS (
        WITH RECURSIVE given (id) AS (
            SELECT a.holder FROM rescind_assignment AS a
            WHERE a.role = q.id AND a.organization = o.id AND a.resource = 0 AND a.ended IS NULL
            AND (a.expires_at IS NULL OR a.expires_at > :now)
            UNION
            SELECT n.child FROM given AS g CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.parent = g.id),
            candidate (id) AS (
            SELECT g.id FROM given AS g WHERE g.id > 0
            UNION ALL
            SELECT gm.membership FROM given AS g CROSS JOIN rescind_group_member AS gm ON gm.organization = o.id AND gm."group" = g.id
            WHERE gm.expires_at IS NULL OR gm.expires_at > :now
            UNION ALL
            SELECT x.id FROM rescind_membership AS x WHERE x.organization = o.id AND o.role_mode = 'single' AND o.default_role = q.id)
        SELECT 1 FROM candidate AS c CROSS JOIN rescind_membership AS m ON m.organization = o.id AND m.id = c.id
        WHERE m.active AND CASE WHEN o.role_mode = 'multiple' THEN TRUE ELSE q.id =
                COALESCE((
                    WITH RECURSIVE
                        holder (id) AS (
                        SELECT m.id
                        UNION ALL
                        SELECT gm."group" FROM rescind_group_member AS gm
                        WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                        UNION
                        SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id)
                    SELECT a.role FROM holder AS h
                    CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL
                    CROSS JOIN rescind_role AS z ON z.id = a.role
                    WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                    AND
                    NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                    ORDER BY z.priority DESC, z.id
                    LIMIT 1), o.default_role)
        END)
    ELSE FALSE END
ORDER BY b.role LIMIT 1

-- remember_required
INSERT INTO rescind_required_before (organization, role, is_lasting)
SELECT o.id, q.slug, :is_lasting FROM rescind_organization AS o CROSS JOIN rescind_role AS q ON q.organization IN (0, o.id) AND q.required
WHERE o.id = :o AND EXISTS (
    WITH RECURSIVE given (id) AS (
        SELECT a.holder FROM rescind_assignment AS a
        WHERE a.role = q.id AND a.organization = o.id AND a.resource = 0 AND a.ended IS NULL
        AND (a.expires_at IS NULL OR a.expires_at > :now)
        UNION
        SELECT n.child FROM given AS g CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.parent = g.id),
        candidate (id) AS (
        SELECT g.id FROM given AS g WHERE g.id > 0
        UNION ALL
        SELECT gm.membership FROM given AS g CROSS JOIN rescind_group_member AS gm ON gm.organization = o.id AND gm."group" = g.id
        WHERE gm.expires_at IS NULL OR gm.expires_at > :now
        UNION ALL
        SELECT x.id FROM rescind_membership AS x WHERE x.organization = o.id AND o.role_mode = 'single' AND o.default_role = q.id)
    SELECT 1 FROM candidate AS c CROSS JOIN rescind_membership AS m ON m.organization = o.id AND m.id = c.id
    WHERE m.active AND CASE WHEN o.role_mode = 'multiple' THEN TRUE ELSE q.id =
            COALESCE((
                WITH RECURSIVE
                    holder (id) AS (
                    SELECT m.id
                    UNION ALL
                    SELECT gm."group" FROM rescind_group_member AS gm
                    WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                    UNION
                    SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id)
                SELECT a.role FROM holder AS h
                CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL
                CROSS JOIN rescind_role AS z ON z.id = a.role
                WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                AND
                NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                ORDER BY z.priority DESC, z.id
                LIMIT 1), o.default_role)
    END)

-- warn_required_expiring
SELECT '' AS code, 'lasting_holder' AS fact, b.role AS value
FROM rescind_organization AS o CROSS JOIN rescind_required_before AS b ON b.organization = o.id AND b.is_lasting = :is_lasting
LEFT JOIN rescind_role AS q ON q.slug = b.role AND q.organization IN (0, o.id)
WHERE o.id = :o AND CASE WHEN q.id IS NULL THEN TRUE WHEN q.required THEN NOT EXISTS (
        WITH RECURSIVE given (id) AS (
            SELECT a.holder FROM rescind_assignment AS a
            WHERE a.role = q.id AND a.organization = o.id AND a.resource = 0 AND a.ended IS NULL
            AND (a.expires_at IS NULL OR a.expires_at > :now)
            UNION
            SELECT n.child FROM given AS g CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.parent = g.id),
            candidate (id) AS (
            SELECT g.id FROM given AS g WHERE g.id > 0
            UNION ALL
            SELECT gm.membership FROM given AS g CROSS JOIN rescind_group_member AS gm ON gm.organization = o.id AND gm."group" = g.id
            WHERE gm.expires_at IS NULL OR gm.expires_at > :now
            UNION ALL
            SELECT x.id FROM rescind_membership AS x WHERE x.organization = o.id AND o.role_mode = 'single' AND o.default_role = q.id)
        SELECT 1 FROM candidate AS c CROSS JOIN rescind_membership AS m ON m.organization = o.id AND m.id = c.id
        WHERE m.active AND CASE WHEN o.role_mode = 'multiple' THEN TRUE ELSE q.id =
                COALESCE((
                    WITH RECURSIVE
                        holder (id) AS (
                        SELECT m.id
                        UNION ALL
                        SELECT gm."group" FROM rescind_group_member AS gm
                        WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                        UNION
                        SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id)
                    SELECT a.role FROM holder AS h
                    CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL
                    CROSS JOIN rescind_role AS z ON z.id = a.role
                    WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                    AND
                    NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                    ORDER BY z.priority DESC, z.id
                    LIMIT 1), o.default_role)
        END)
    ELSE FALSE END
AND q.id IS NOT NULL
