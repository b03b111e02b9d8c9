-- list_any_with
SELECT 1 AS is_given FROM json_each(:roles) AS i CROSS JOIN rescind_role_permission AS rp ON rp.role = CAST(i.value AS INTEGER) AND rp.permission = :p
LIMIT 1

-- list_below
WITH RECURSIVE below (id) AS (
    SELECT CAST(i.value AS INTEGER) FROM json_each(:places) AS i
    UNION
    SELECT x.id FROM below AS b CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.parent = b.id)
SELECT id AS number FROM below LIMIT :most

-- list_groups_by_place
WITH RECURSIVE below (id) AS (
    SELECT a.holder FROM json_each(:places) AS x
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.resource = CAST(x.value AS INTEGER) AND a.holder < 0
    WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)
    AND (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = :p) IS NOT NULL
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id)
SELECT id AS number FROM below LIMIT :most

-- list_groups_by_role
WITH RECURSIVE below (id) AS (
    SELECT a.holder FROM json_each(:places) AS x CROSS JOIN json_each(:roles) AS i
    CROSS JOIN rescind_assignment AS a ON a.role = CAST(i.value AS INTEGER) AND a.organization = :o
    AND a.resource = CAST(x.value AS INTEGER) AND a.holder < 0
    WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id)
SELECT id AS number FROM below LIMIT :most

-- list_holders
WITH RECURSIVE holder (id) AS (
    SELECT CAST(:m AS INTEGER)
    UNION ALL
    SELECT gm."group" FROM rescind_group_member AS gm
    WHERE gm.organization = :o AND gm.membership = :m AND (gm.expires_at IS NULL OR gm.expires_at > :now)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = h.id)
SELECT id AS number FROM holder

-- list_line
WITH RECURSIVE
    above (id) AS (
    SELECT CAST(:r AS INTEGER)
    UNION ALL
    SELECT x.parent FROM above CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.id = above.id WHERE above.id <> 0)
SELECT id AS number FROM above

-- list_lines
WITH RECURSIVE line (id) AS (
    SELECT CAST(i.value AS INTEGER) FROM json_each(:ids) AS i
    UNION
    SELECT x.parent FROM line AS l CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.id = l.id AND COALESCE(x.parent, 0) <> 0)
SELECT l.id AS number, COALESCE(x.parent, 0) AS parent, EXISTS (
    SELECT 1 FROM rescind_assignment AS a
    WHERE a.organization = :o AND a.resource = l.id AND a.holder
        IN (SELECT i.value FROM json_each(:holders) AS i) AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)
    AND (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = :p) IS NOT NULL) AS is_given
FROM line AS l CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.id = l.id

-- list_parents
WITH RECURSIVE parent (id) AS (
    SELECT (SELECT x.parent FROM rescind_resource AS x WHERE x.organization = :o AND x.parent > 0 ORDER BY x.parent LIMIT 1)
    UNION ALL
    SELECT (SELECT x.parent FROM rescind_resource AS x WHERE x.organization = :o AND x.parent > p.id ORDER BY x.parent LIMIT 1)
    FROM parent AS p WHERE p.id IS NOT NULL)
SELECT id AS number FROM parent WHERE id IS NOT NULL LIMIT :most

-- list_permissions
SELECT p.id AS number, p.slug AS name FROM json_each(:ids) AS i CROSS JOIN rescind_permission AS p ON p.id = CAST(i.value AS INTEGER)
WHERE p.organization IN (0, :o)

-- list_places
SELECT a.resource,
    a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)
AND (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = :p) IS NOT NULL AS is_given
FROM json_each(:holders) AS i
CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = CAST(i.value AS INTEGER) AND a.resource > 0 AND a.ended IS NULL
LIMIT :most

-- list_resources
SELECT r.id AS number, r.slug AS name FROM json_each(:ids) AS i CROSS JOIN rescind_resource AS r ON r.organization = :o AND r.id = CAST(i.value AS INTEGER)

-- list_resources_of_kind
SELECT r.id AS number FROM rescind_resource AS r
WHERE r.organization = :o AND r.slug >= :kind AND r.slug < :kind_end ORDER BY r.slug LIMIT :most

-- list_role_won
SELECT COALESCE((
        SELECT a.role FROM json_each(:holders) AS i
        CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.holder = CAST(i.value AS INTEGER) AND a.resource = 0
        CROSS JOIN rescind_role AS q ON q.id = a.role
        WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)
        AND NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = :m AND x.role = a.role)
        ORDER BY q.priority DESC, q.id LIMIT 1), o.default_role) AS number
FROM rescind_organization AS o WHERE o.id = :o

-- list_roles_on
SELECT DISTINCT a.role AS number FROM json_each(:places) AS x CROSS JOIN json_each(:holders) AS i
CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = CAST(i.value AS INTEGER) AND a.resource = CAST(x.value AS INTEGER)
WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)

-- list_roles_with
SELECT x.role, q.organization
FROM (SELECT rp.role FROM rescind_role_permission AS rp WHERE rp.permission = :p ORDER BY rp.role LIMIT :most) AS x
CROSS JOIN rescind_role AS q ON q.id = x.role

-- list_subjects
SELECT m.id AS number, m.subject AS name FROM json_each(:ids) AS i
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.id = CAST(i.value AS INTEGER)
WHERE m.active

-- list_subjects_allowed
SELECT m.id AS number FROM json_each(:ids) AS i
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.id = CAST(i.value AS INTEGER)
CROSS JOIN rescind_organization AS o ON o.id = :o
CROSS JOIN rescind_permission AS p ON p.id = :p
CROSS JOIN rescind_resource AS r ON r.organization = :o AND r.id = :r
WHERE
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
                LIMIT 1) IS NOT NULL) ELSE EXISTS (
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

-- list_subjects_of_kind
SELECT m.id AS number, m.active FROM rescind_membership AS m
WHERE m.organization = :o AND m.subject >= :kind AND m.subject < :kind_end ORDER BY m.subject LIMIT :most

-- read_asked
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.id AS permission,
    r.id AS resource, o.role_mode = 'single' AS is_single,
EXISTS (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = o.default_role AND rp.permission = p.id) AS default_is_given
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env
LEFT JOIN rescind_membership AS m ON m.organization = o.id AND m.subject = :subject
LEFT JOIN rescind_permission AS p ON p.id = COALESCE(
    (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = o.id),
        (SELECT x.id FROM rescind_permission AS x WHERE x.slug = :permission AND x.organization = 0))
LEFT JOIN rescind_resource AS r ON r.organization = o.id AND r.slug = :resource
WHERE o.slug = :organization AND env.id = 0

-- stream_memberships
SELECT 0 AS key, m.id AS number, TRUE AS is_in_force FROM rescind_membership AS m WHERE m.organization = :o AND m.id > :after ORDER BY m.id LIMIT :most

-- stream_resources
SELECT 0 AS key, r.id AS number, TRUE AS is_in_force FROM rescind_resource AS r WHERE r.organization = :o AND r.id > :after ORDER BY r.id LIMIT :most
