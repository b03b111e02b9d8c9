-- drop_direct_for_ended
DELETE FROM rescind_effective_role WHERE organization = :o AND (membership, assignment) IN (
    SELECT a.holder, a.id FROM rescind_assignment AS a WHERE a.organization = :o AND a.ended < 0 AND a.holder > 0)

-- drop_ended_of_group
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id)
DELETE FROM rescind_effective_role WHERE organization = :o AND (membership, assignment) IN (
    SELECT gm.membership, e.id FROM (
        SELECT a.id, a.holder, a.ended FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.ended = (SELECT revision + 1 FROM rescind_organization WHERE id = :o) AND a.holder =
            (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = :group)
    ) AS e CROSS JOIN below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id)

-- drop_ended_of_subject
DELETE FROM rescind_effective_role WHERE organization = :o AND (membership, assignment) IN (
    SELECT e.holder, e.id FROM (
        SELECT a.id, a.holder, a.ended FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.ended = (SELECT revision + 1 FROM rescind_organization WHERE id = :o) AND a.holder =
            (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = :subject)
    ) AS e)

-- drop_for_ended
WITH RECURSIVE
    flow (assignment, id) AS (
    SELECT a.id, a.holder FROM rescind_assignment AS a WHERE a.organization = :o AND a.ended < 0
    UNION
    SELECT f.assignment, n.child FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = f.id),
    doomed (membership, assignment) AS (
    SELECT gm.membership, f.assignment FROM flow AS f
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = f.id WHERE f.id < 0
    UNION
    SELECT f.id, f.assignment FROM flow AS f WHERE f.id > 0)
DELETE FROM rescind_effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- drop_for_members
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = u.id),
    listed (id) AS (
    SELECT (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value)
    FROM json_each(:members) AS i),
    touched (membership) AS (
    SELECT gm.membership FROM listed AS l CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = l.id
    AND gm."group" = (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm."group" <> (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = k."group"),
    lost (membership, "group") AS (
    SELECT t.membership, u.id
    FROM (SELECT DISTINCT membership FROM touched) AS t CROSS JOIN upward AS u
    WHERE NOT EXISTS (SELECT 1 FROM kept AS k WHERE k.membership = t.membership AND k."group" = u.id)
    LIMIT 1000000000),
    doomed (membership, assignment) AS (
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = l."group" AND a.ended IS NULL
    UNION ALL
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = l."group" AND a.ended IS NOT NULL)
DELETE FROM rescind_effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- drop_for_nesting
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
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = u.id),
    touched (membership) AS (
    SELECT DISTINCT gm.membership FROM below AS b
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = k."group"
    WHERE NOT (n.child = (SELECT id FROM rescind_group WHERE organization = :o AND slug = :child)
        AND (CAST(:parent AS TEXT) IS NULL
            OR n.parent = (SELECT id FROM rescind_group WHERE organization = :o AND slug = :parent)))),
    lost (membership, "group") AS (
    SELECT t.membership, u.id
    FROM (SELECT DISTINCT membership FROM touched) AS t CROSS JOIN upward AS u
    WHERE NOT EXISTS (SELECT 1 FROM kept AS k WHERE k.membership = t.membership AND k."group" = u.id)
    LIMIT 1000000000),
    doomed (membership, assignment) AS (
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = l."group" AND a.ended IS NULL
    UNION ALL
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = l."group" AND a.ended IS NOT NULL)
DELETE FROM rescind_effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- drop_for_others
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = u.id),
    touched (membership) AS (
    SELECT gm.membership FROM rescind_group AS g CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = g.id
    WHERE g.organization = :o AND g.slug = :group
    AND gm.membership NOT IN (SELECT m.id FROM json_each(:members) AS i
        CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value)),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm."group" <> (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = k."group"),
    lost (membership, "group") AS (
    SELECT t.membership, u.id
    FROM (SELECT DISTINCT membership FROM touched) AS t CROSS JOIN upward AS u
    WHERE NOT EXISTS (SELECT 1 FROM kept AS k WHERE k.membership = t.membership AND k."group" = u.id)
    LIMIT 1000000000),
    doomed (membership, assignment) AS (
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = l."group" AND a.ended IS NULL
    UNION ALL
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = l."group" AND a.ended IS NOT NULL)
DELETE FROM rescind_effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- extend_for_group
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id),
    given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind_role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = :o),
            (SELECT r.id FROM rescind_role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
        (SELECT r.id FROM rescind_resource AS r WHERE r.organization = :o AND r.slug = i.value ->> 'on'),
        CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM json_each(:given) AS i),
    holder (id) AS (
    SELECT id FROM rescind_membership WHERE organization = :o AND subject = :subject
    UNION ALL
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)
INSERT INTO rescind_effective_role (organization, membership, assignment, expires_at)
SELECT :o, t.membership, a.id, t.expires_at
FROM rescind_organization AS o CROSS JOIN given AS g
CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
AND a.role = g.role AND a.ended IS NULL AND a.made = o.revision + 1
CROSS JOIN (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END AS expires_at
    FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    GROUP BY gm.membership) AS t
WHERE o.id = :o
ORDER BY t.membership, a.id
ON CONFLICT (organization, membership, assignment) DO NOTHING

-- extend_for_members_joining
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = u.id),
    joining (membership, until) AS (
    SELECT p.membership, CAST(:expires_at AS BIGINT) FROM (SELECT l.id AS membership, gm.membership AS present, gm.expires_at
        FROM (SELECT (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value) AS id
            FROM json_each(:members) AS i) AS l
        LEFT JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = l.id AND gm."group" =
            (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = :group)
    ) AS p
    WHERE p.membership IS NOT NULL AND (p.present IS NULL
        OR COALESCE(p.expires_at, 9223372036854775807) < COALESCE(CAST(:expires_at AS BIGINT), 9223372036854775807)))
INSERT INTO rescind_effective_role (organization, membership, assignment, expires_at)
SELECT :o, j.membership, a.id, j.until
FROM joining AS j CROSS JOIN upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
WHERE TRUE
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind_effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- extend_for_members_missing
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = u.id),
    joining (membership, until) AS (
    SELECT p.membership, CAST(NULL AS BIGINT) FROM (SELECT l.id AS membership, gm.membership AS present, gm.expires_at
        FROM (SELECT (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value) AS id
            FROM json_each(:members) AS i) AS l
        LEFT JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = l.id AND gm."group" =
            (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = :group)
    ) AS p
    WHERE p.membership IS NOT NULL AND (p.present IS NULL OR p.expires_at <= :now))
INSERT INTO rescind_effective_role (organization, membership, assignment, expires_at)
SELECT :o, j.membership, a.id, j.until
FROM joining AS j CROSS JOIN upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
WHERE TRUE
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind_effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- extend_for_nesting
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
INSERT INTO rescind_effective_role (organization, membership, assignment, expires_at)
SELECT :o, t.membership, a.id, t.expires_at
FROM (SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END AS expires_at
    FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    GROUP BY gm.membership) AS t
CROSS JOIN upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
WHERE TRUE
ORDER BY t.membership, a.id
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind_effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- extend_for_subject
WITH
    given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind_role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = :o),
            (SELECT r.id FROM rescind_role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
        (SELECT r.id FROM rescind_resource AS r WHERE r.organization = :o AND r.slug = i.value ->> 'on'),
        CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM json_each(:given) AS i),
    holder (id) AS (
    SELECT id FROM rescind_membership WHERE organization = :o AND subject = :subject
    UNION ALL
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)
INSERT INTO rescind_effective_role (organization, membership, assignment, expires_at)
SELECT :o, a.holder, a.id, CAST(NULL AS BIGINT)
FROM rescind_organization AS o CROSS JOIN given AS g
CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
AND a.role = g.role AND a.ended IS NULL AND a.made = o.revision + 1
WHERE o.id = :o
ON CONFLICT (organization, membership, assignment) DO NOTHING

-- shorten_for_members
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
    AND gm."group" = (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = k."group")
UPDATE rescind_effective_role AS e SET expires_at = s.expires_at
FROM (SELECT k.membership, a.id AS assignment,
    CASE WHEN count(*) = count(k.expires_at) THEN max(k.expires_at) END AS expires_at
    FROM upward AS u CROSS JOIN kept AS k ON k."group" = u.id
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
    GROUP BY k.membership, a.id) AS s
WHERE e.organization = :o AND e.membership = s.membership AND e.assignment = s.assignment
AND COALESCE(s.expires_at, 9223372036854775807) < COALESCE(e.expires_at, 9223372036854775807)

-- shorten_without_members
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
    AND gm."group" = (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm."group" <> (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = k."group")
UPDATE rescind_effective_role AS e SET expires_at = s.expires_at
FROM (SELECT k.membership, a.id AS assignment,
    CASE WHEN count(*) = count(k.expires_at) THEN max(k.expires_at) END AS expires_at
    FROM upward AS u CROSS JOIN kept AS k ON k."group" = u.id
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
    GROUP BY k.membership, a.id) AS s
WHERE e.organization = :o AND e.membership = s.membership AND e.assignment = s.assignment
AND COALESCE(s.expires_at, 9223372036854775807) < COALESCE(e.expires_at, 9223372036854775807)

-- shorten_without_nesting
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
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = u.id),
    touched (membership) AS (
    SELECT DISTINCT gm.membership FROM below AS b
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = k."group"
    WHERE NOT (n.child = (SELECT id FROM rescind_group WHERE organization = :o AND slug = :child)
        AND (CAST(:parent AS TEXT) IS NULL
            OR n.parent = (SELECT id FROM rescind_group WHERE organization = :o AND slug = :parent))))
UPDATE rescind_effective_role AS e SET expires_at = s.expires_at
FROM (SELECT k.membership, a.id AS assignment,
    CASE WHEN count(*) = count(k.expires_at) THEN max(k.expires_at) END AS expires_at
    FROM upward AS u CROSS JOIN kept AS k ON k."group" = u.id
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
    GROUP BY k.membership, a.id) AS s
WHERE e.organization = :o AND e.membership = s.membership AND e.assignment = s.assignment
AND COALESCE(s.expires_at, 9223372036854775807) < COALESCE(e.expires_at, 9223372036854775807)

-- shorten_without_others
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = u.id),
    touched (membership) AS (
    SELECT gm.membership FROM rescind_group AS g CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = g.id
    WHERE g.organization = :o AND g.slug = :group
    AND gm.membership NOT IN (SELECT m.id FROM json_each(:members) AS i
        CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value)),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm."group" <> (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group)
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = k."group")
UPDATE rescind_effective_role AS e SET expires_at = s.expires_at
FROM (SELECT k.membership, a.id AS assignment,
    CASE WHEN count(*) = count(k.expires_at) THEN max(k.expires_at) END AS expires_at
    FROM upward AS u CROSS JOIN kept AS k ON k."group" = u.id
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
    GROUP BY k.membership, a.id) AS s
WHERE e.organization = :o AND e.membership = s.membership AND e.assignment = s.assignment
AND COALESCE(s.expires_at, 9223372036854775807) < COALESCE(e.expires_at, 9223372036854775807)
