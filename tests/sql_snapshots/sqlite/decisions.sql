-- check
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE
        WHEN :live OR p.critical THEN
        CASE WHEN (CASE WHEN o.role_mode = 'multiple' THEN EXISTS (
                        WITH RECURSIVE
                            holder (id) AS (
                            SELECT m.id
                            UNION ALL
                            SELECT gm."group" FROM rescind_group_member AS gm
                            WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                            UNION
                            SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id),
                            up (id) AS (
                            SELECT r.id WHERE r.id <> 0
                            UNION ALL
                            SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
                            place (id) AS (SELECT up.id FROM up UNION ALL SELECT 0)
                        SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
                            SELECT 1 FROM rescind_assignment AS a
                            WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
                            AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
                            AND (a.expires_at IS NULL OR a.expires_at > :now) AND
                                (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
                            LIMIT 1) IS NOT NULL)
                    ELSE EXISTS (
                        SELECT 1 FROM rescind_role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
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
                                CROSS JOIN rescind_role AS q ON q.id = a.role
                                WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                                AND
                                NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                                ORDER BY q.priority DESC, q.id
                                LIMIT 1), o.default_role)) OR EXISTS (
                        WITH RECURSIVE
                            holder (id) AS (
                            SELECT m.id
                            UNION ALL
                            SELECT gm."group" FROM rescind_group_member AS gm
                            WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                            UNION
                            SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id),
                            up (id) AS (
                            SELECT r.id WHERE r.id <> 0
                            UNION ALL
                            SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
                            place (id) AS (SELECT up.id FROM up)
                        SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
                            SELECT 1 FROM rescind_assignment AS a
                            WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
                            AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
                            AND (a.expires_at IS NULL OR a.expires_at > :now) AND
                                (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
                            LIMIT 1) IS NOT NULL) END) THEN 2 ELSE 3 END
        WHEN (CASE WHEN o.role_mode = 'multiple' THEN NOT (
                    EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id)
                    AND EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id))) AND EXISTS (
                    SELECT 1 FROM rescind_effective_role AS e
                    CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL
                    CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                    WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                    AND (e.expires_at IS NULL OR e.expires_at > :now) AND (a.expires_at IS NULL OR a.expires_at > :now))
                ELSE NOT EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id) AND EXISTS (
                    SELECT 1 FROM rescind_role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
                            SELECT a.role FROM rescind_effective_role AS e
                            CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL
                            CROSS JOIN rescind_role AS q ON q.id = a.role
                            WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                            AND (e.expires_at IS NULL OR e.expires_at > :now) AND (a.expires_at IS NULL OR a.expires_at > :now)
                            AND
                            NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                            ORDER BY q.priority DESC, q.id
                            LIMIT 1), o.default_role)) END
            OR CASE WHEN o.role_mode = 'multiple' THEN NOT (
                    EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id)
                    AND EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id)))
                ELSE NOT EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id) END
            AND EXISTS (
                WITH RECURSIVE
                    up (id) AS (
                    SELECT r.id WHERE r.id <> 0
                    UNION ALL
                    SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0)
                SELECT 1 FROM up WHERE (
                    SELECT 1 FROM rescind_assignment AS a CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                    WHERE a.organization = o.id AND a.holder = m.id AND a.resource = up.id AND a.ended IS NULL
                    AND (a.expires_at IS NULL OR a.expires_at > :now) LIMIT 1) IS NOT NULL
                OR (
                    SELECT 1 FROM rescind_assignment AS a
                    CROSS JOIN rescind_effective_role AS e ON e.organization = o.id AND e.membership = m.id AND e.assignment = a.id
                    CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                    WHERE a.organization = o.id AND a.resource = up.id AND a.ended IS NULL AND a.holder < 0
                    AND (a.expires_at IS NULL OR a.expires_at > :now)
                    AND (e.expires_at IS NULL OR e.expires_at > :now) LIMIT 1) IS NOT NULL)) THEN 1
        WHEN EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id) THEN
        CASE WHEN (CASE WHEN o.role_mode = 'multiple' THEN EXISTS (
                        WITH RECURSIVE
                            holder (id) AS (
                            SELECT m.id
                            UNION ALL
                            SELECT gm."group" FROM rescind_group_member AS gm
                            WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                            UNION
                            SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id),
                            up (id) AS (
                            SELECT r.id WHERE r.id <> 0
                            UNION ALL
                            SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
                            place (id) AS (SELECT up.id FROM up UNION ALL SELECT 0)
                        SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
                            SELECT 1 FROM rescind_assignment AS a
                            WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
                            AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
                            AND (a.expires_at IS NULL OR a.expires_at > :now) AND
                                (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
                            LIMIT 1) IS NOT NULL)
                    ELSE EXISTS (
                        SELECT 1 FROM rescind_role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
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
                                CROSS JOIN rescind_role AS q ON q.id = a.role
                                WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                                AND
                                NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                                ORDER BY q.priority DESC, q.id
                                LIMIT 1), o.default_role)) OR EXISTS (
                        WITH RECURSIVE
                            holder (id) AS (
                            SELECT m.id
                            UNION ALL
                            SELECT gm."group" FROM rescind_group_member AS gm
                            WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                            UNION
                            SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id),
                            up (id) AS (
                            SELECT r.id WHERE r.id <> 0
                            UNION ALL
                            SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
                            place (id) AS (SELECT up.id FROM up)
                        SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
                            SELECT 1 FROM rescind_assignment AS a
                            WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
                            AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
                            AND (a.expires_at IS NULL OR a.expires_at > :now) AND
                                (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
                            LIMIT 1) IS NOT NULL) END) THEN 2 ELSE 3 END
        ELSE 0
    END
END AS verdict, o.role_mode
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env
LEFT JOIN rescind_membership AS m ON m.organization = o.id AND m.subject = :subject
LEFT JOIN rescind_permission AS p ON p.id = COALESCE(
    (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = o.id),
        (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = 0))
LEFT JOIN rescind_resource AS r ON r.organization = o.id AND r.slug = :resource
WHERE o.slug = :organization AND env.id = 0

-- check_effective_multiple
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE
        WHEN NOT (
            EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id)
            AND EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id)))
        AND (EXISTS (
                SELECT 1 FROM rescind_effective_role AS e
                CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL
                CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                AND (e.expires_at IS NULL OR e.expires_at > :now) AND (a.expires_at IS NULL OR a.expires_at > :now)) OR EXISTS (
                WITH RECURSIVE
                    up (id) AS (
                    SELECT r.id WHERE r.id <> 0
                    UNION ALL
                    SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0)
                SELECT 1 FROM up WHERE (
                    SELECT 1 FROM rescind_assignment AS a CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                    WHERE a.organization = o.id AND a.holder = m.id AND a.resource = up.id AND a.ended IS NULL
                    AND (a.expires_at IS NULL OR a.expires_at > :now) LIMIT 1) IS NOT NULL
                OR (
                    SELECT 1 FROM rescind_assignment AS a
                    CROSS JOIN rescind_effective_role AS e ON e.organization = o.id AND e.membership = m.id AND e.assignment = a.id
                    CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                    WHERE a.organization = o.id AND a.resource = up.id AND a.ended IS NULL AND a.holder < 0
                    AND (a.expires_at IS NULL OR a.expires_at > :now)
                    AND (e.expires_at IS NULL OR e.expires_at > :now) LIMIT 1) IS NOT NULL)) THEN 1
        WHEN EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id) THEN 4
        ELSE 0
    END
END AS verdict, o.role_mode
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env
LEFT JOIN rescind_membership AS m ON m.organization = o.id AND m.subject = :subject
LEFT JOIN rescind_permission AS p ON p.id = COALESCE(
    (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = o.id),
        (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = 0))
LEFT JOIN rescind_resource AS r ON r.organization = o.id AND r.slug = :resource
WHERE o.slug = :organization AND env.id = 0

-- check_effective_single
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE
        WHEN EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id) THEN 4
        WHEN EXISTS (
            SELECT 1 FROM rescind_role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
                    SELECT a.role FROM rescind_effective_role AS e
                    CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL
                    CROSS JOIN rescind_role AS q ON q.id = a.role
                    WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                    AND (e.expires_at IS NULL OR e.expires_at > :now) AND (a.expires_at IS NULL OR a.expires_at > :now)
                    AND
                    NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                    ORDER BY q.priority DESC, q.id
                    LIMIT 1), o.default_role)) OR EXISTS (
            WITH RECURSIVE
                up (id) AS (
                SELECT r.id WHERE r.id <> 0
                UNION ALL
                SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0)
            SELECT 1 FROM up WHERE (
                SELECT 1 FROM rescind_assignment AS a CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                WHERE a.organization = o.id AND a.holder = m.id AND a.resource = up.id AND a.ended IS NULL
                AND (a.expires_at IS NULL OR a.expires_at > :now) LIMIT 1) IS NOT NULL
            OR (
                SELECT 1 FROM rescind_assignment AS a
                CROSS JOIN rescind_effective_role AS e ON e.organization = o.id AND e.membership = m.id AND e.assignment = a.id
                CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                WHERE a.organization = o.id AND a.resource = up.id AND a.ended IS NULL AND a.holder < 0
                AND (a.expires_at IS NULL OR a.expires_at > :now)
                AND (e.expires_at IS NULL OR e.expires_at > :now) LIMIT 1) IS NOT NULL) THEN 1
        ELSE 0
    END
END AS verdict, o.role_mode
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env
LEFT JOIN rescind_membership AS m ON m.organization = o.id AND m.subject = :subject
LEFT JOIN rescind_permission AS p ON p.id = COALESCE(
    (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = o.id),
        (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = 0))
LEFT JOIN rescind_resource AS r ON r.organization = o.id AND r.slug = :resource
WHERE o.slug = :organization AND env.id = 0

-- check_live_multiple
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE WHEN EXISTS (
            WITH RECURSIVE
                holder (id) AS (
                SELECT m.id
                UNION ALL
                SELECT gm."group" FROM rescind_group_member AS gm
                WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                UNION
                SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id),
                up (id) AS (
                SELECT r.id WHERE r.id <> 0
                UNION ALL
                SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
                place (id) AS (SELECT up.id FROM up UNION ALL SELECT 0)
            SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
                SELECT 1 FROM rescind_assignment AS a
                WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
                AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
                AND (a.expires_at IS NULL OR a.expires_at > :now) AND
                    (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
                LIMIT 1) IS NOT NULL) THEN 2 ELSE 3 END
END AS verdict, o.role_mode
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env
LEFT JOIN rescind_membership AS m ON m.organization = o.id AND m.subject = :subject
LEFT JOIN rescind_permission AS p ON p.id = COALESCE(
    (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = o.id),
        (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = 0))
LEFT JOIN rescind_resource AS r ON r.organization = o.id AND r.slug = :resource
WHERE o.slug = :organization AND env.id = 0

-- check_live_single
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE WHEN (EXISTS (
                SELECT 1 FROM rescind_role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
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
                        CROSS JOIN rescind_role AS q ON q.id = a.role
                        WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                        AND
                        NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                        ORDER BY q.priority DESC, q.id
                        LIMIT 1), o.default_role)) OR EXISTS (
                WITH RECURSIVE
                    holder (id) AS (
                    SELECT m.id
                    UNION ALL
                    SELECT gm."group" FROM rescind_group_member AS gm
                    WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                    UNION
                    SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id),
                    up (id) AS (
                    SELECT r.id WHERE r.id <> 0
                    UNION ALL
                    SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
                    place (id) AS (SELECT up.id FROM up)
                SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
                    SELECT 1 FROM rescind_assignment AS a
                    WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
                    AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
                    AND (a.expires_at IS NULL OR a.expires_at > :now) AND
                        (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
                    LIMIT 1) IS NOT NULL)) THEN 2 ELSE 3 END
END AS verdict, o.role_mode
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env
LEFT JOIN rescind_membership AS m ON m.organization = o.id AND m.subject = :subject
LEFT JOIN rescind_permission AS p ON p.id = COALESCE(
    (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = o.id),
        (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = 0))
LEFT JOIN rescind_resource AS r ON r.organization = o.id AND r.slug = :resource
WHERE o.slug = :organization AND env.id = 0

-- effective_permission_view
CREATE VIEW rescind_effective_permission AS
SELECT o.slug AS organization, m.subject, p.slug AS permission, r.slug AS resource
FROM rescind_organization AS o
CROSS JOIN rescind_membership AS m ON m.organization = o.id
CROSS JOIN rescind_permission AS p ON p.organization IN (0, o.id)
CROSS JOIN rescind_resource AS r ON r.organization = o.id
WHERE o.slug IS NOT NULL AND m.active
AND CASE WHEN p.critical THEN
        (CASE WHEN o.role_mode = 'multiple' THEN EXISTS (
                WITH RECURSIVE
                    holder (id) AS (
                    SELECT m.id
                    UNION ALL
                    SELECT gm."group" FROM rescind_group_member AS gm
                    WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                    UNION
                    SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id),
                    up (id) AS (
                    SELECT r.id WHERE r.id <> 0
                    UNION ALL
                    SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
                    place (id) AS (SELECT up.id FROM up UNION ALL SELECT 0)
                SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
                    SELECT 1 FROM rescind_assignment AS a
                    WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
                    AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
                    AND (a.expires_at IS NULL OR a.expires_at > :now) AND
                        (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
                    LIMIT 1) IS NOT NULL)
            ELSE EXISTS (
                SELECT 1 FROM rescind_role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
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
                        CROSS JOIN rescind_role AS q ON q.id = a.role
                        WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                        AND
                        NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                        ORDER BY q.priority DESC, q.id
                        LIMIT 1), o.default_role)) OR EXISTS (
                WITH RECURSIVE
                    holder (id) AS (
                    SELECT m.id
                    UNION ALL
                    SELECT gm."group" FROM rescind_group_member AS gm
                    WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                    UNION
                    SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id),
                    up (id) AS (
                    SELECT r.id WHERE r.id <> 0
                    UNION ALL
                    SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
                    place (id) AS (SELECT up.id FROM up)
                SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
                    SELECT 1 FROM rescind_assignment AS a
                    WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
                    AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
                    AND (a.expires_at IS NULL OR a.expires_at > :now) AND
                        (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
                    LIMIT 1) IS NOT NULL) END)
    ELSE ((CASE WHEN o.role_mode = 'multiple' THEN NOT (
                    EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id)
                    AND EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id))) AND EXISTS (
                    SELECT 1 FROM rescind_effective_role AS e
                    CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL
                    CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                    WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                    AND (e.expires_at IS NULL OR e.expires_at > :now) AND (a.expires_at IS NULL OR a.expires_at > :now))
                ELSE NOT EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id) AND EXISTS (
                    SELECT 1 FROM rescind_role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
                            SELECT a.role FROM rescind_effective_role AS e
                            CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL
                            CROSS JOIN rescind_role AS q ON q.id = a.role
                            WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                            AND (e.expires_at IS NULL OR e.expires_at > :now) AND (a.expires_at IS NULL OR a.expires_at > :now)
                            AND
                            NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                            ORDER BY q.priority DESC, q.id
                            LIMIT 1), o.default_role)) END
            OR CASE WHEN o.role_mode = 'multiple' THEN NOT (
                    EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id)
                    AND EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id)))
                ELSE NOT EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id) END
            AND EXISTS (
                WITH RECURSIVE
                    up (id) AS (
                    SELECT r.id WHERE r.id <> 0
                    UNION ALL
                    SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0)
                SELECT 1 FROM up WHERE (
                    SELECT 1 FROM rescind_assignment AS a CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                    WHERE a.organization = o.id AND a.holder = m.id AND a.resource = up.id AND a.ended IS NULL
                    AND (a.expires_at IS NULL OR a.expires_at > :now) LIMIT 1) IS NOT NULL
                OR (
                    SELECT 1 FROM rescind_assignment AS a
                    CROSS JOIN rescind_effective_role AS e ON e.organization = o.id AND e.membership = m.id AND e.assignment = a.id
                    CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
                    WHERE a.organization = o.id AND a.resource = up.id AND a.ended IS NULL AND a.holder < 0
                    AND (a.expires_at IS NULL OR a.expires_at > :now)
                    AND (e.expires_at IS NULL OR e.expires_at > :now) LIMIT 1) IS NOT NULL))
        OR EXISTS (SELECT 1 FROM rescind_pending AS f WHERE f.organization = o.id)
        AND (CASE WHEN o.role_mode = 'multiple' THEN EXISTS (
                    WITH RECURSIVE
                        holder (id) AS (
                        SELECT m.id
                        UNION ALL
                        SELECT gm."group" FROM rescind_group_member AS gm
                        WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                        UNION
                        SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id),
                        up (id) AS (
                        SELECT r.id WHERE r.id <> 0
                        UNION ALL
                        SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
                        place (id) AS (SELECT up.id FROM up UNION ALL SELECT 0)
                    SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
                        SELECT 1 FROM rescind_assignment AS a
                        WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
                        AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
                        AND (a.expires_at IS NULL OR a.expires_at > :now) AND
                            (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
                        LIMIT 1) IS NOT NULL)
                ELSE EXISTS (
                    SELECT 1 FROM rescind_role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
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
                            CROSS JOIN rescind_role AS q ON q.id = a.role
                            WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                            AND
                            NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                            ORDER BY q.priority DESC, q.id
                            LIMIT 1), o.default_role)) OR EXISTS (
                    WITH RECURSIVE
                        holder (id) AS (
                        SELECT m.id
                        UNION ALL
                        SELECT gm."group" FROM rescind_group_member AS gm
                        WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                        UNION
                        SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id),
                        up (id) AS (
                        SELECT r.id WHERE r.id <> 0
                        UNION ALL
                        SELECT x.parent FROM up CROSS JOIN rescind_resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
                        place (id) AS (SELECT up.id FROM up)
                    SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
                        SELECT 1 FROM rescind_assignment AS a
                        WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
                        AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
                        AND (a.expires_at IS NULL OR a.expires_at > :now) AND
                            (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
                        LIMIT 1) IS NOT NULL) END))
END

-- list_names
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, p.id AS permission, r.id AS resource
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env
LEFT JOIN rescind_membership AS m ON m.organization = o.id AND m.subject = :subject
LEFT JOIN rescind_permission AS p ON p.id = COALESCE(
    (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = o.id),
        (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = 0))
LEFT JOIN rescind_resource AS r ON r.organization = o.id AND r.slug = :resource
WHERE o.slug = :organization AND env.id = 0
