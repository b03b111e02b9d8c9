-- drop_direct_for_ended
DELETE FROM rescind.effective_role WHERE organization = %(o)s AND (membership, assignment) IN (
    SELECT a.holder, a.id FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.ended < 0 AND a.holder > 0)

-- drop_ended_of_group
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n)
DELETE FROM rescind.effective_role WHERE organization = %(o)s AND (membership, assignment) IN (
    SELECT gm.membership, e.id FROM (
        SELECT a.id, a.holder, a.ended FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s) AND a.holder =
            (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s)
    ) AS e CROSS JOIN below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm)

-- drop_ended_of_subject
DELETE FROM rescind.effective_role WHERE organization = %(o)s AND (membership, assignment) IN (
    SELECT e.holder, e.id FROM (
        SELECT a.id, a.holder, a.ended FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s) AND a.holder =
            (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = %(subject)s)
    ) AS e)

-- drop_for_ended
WITH RECURSIVE
    flow (assignment, id) AS (
    SELECT a.id, a.holder FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.ended < 0
    UNION
    SELECT f.assignment, n.child FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = f.id OFFSET 0) AS n),
    doomed (membership, assignment) AS (
    SELECT gm.membership, f.assignment FROM flow AS f
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = f.id OFFSET 0) AS gm WHERE f.id < 0
    UNION
    SELECT f.id, f.assignment FROM flow AS f WHERE f.id > 0)
DELETE FROM rescind.effective_role WHERE organization = %(o)s
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- drop_for_members
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n),
    listed (id) AS (
    SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value)
    FROM rescind.json_texts(%(members)s) AS i),
    touched (membership) AS (
    SELECT gm.membership FROM listed AS l CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = l.id
        AND gm."group" = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s) OFFSET 0) AS gm),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    WHERE gm."group" <> (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = k."group" OFFSET 0) AS n),
    lost (membership, "group") AS (
    SELECT t.membership, u.id
    FROM (SELECT DISTINCT membership FROM touched) AS t CROSS JOIN upward AS u
    WHERE NOT EXISTS (SELECT 1 FROM kept AS k WHERE k.membership = t.membership AND k."group" = u.id)
    LIMIT 1000000000),
    doomed (membership, assignment) AS (
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = l."group" AND a.ended IS NULL OFFSET 0) AS a
    UNION ALL
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = l."group" AND a.ended IS NOT NULL OFFSET 0) AS a)
DELETE FROM rescind.effective_role WHERE organization = %(o)s
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- drop_for_nesting
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
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n),
    touched (membership) AS (
    SELECT DISTINCT gm.membership FROM below AS b
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = k."group" OFFSET 0) AS n
    WHERE NOT (n.child = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(child)s)
        AND (CAST(%(parent)s AS TEXT) IS NULL
            OR n.parent = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(parent)s)))),
    lost (membership, "group") AS (
    SELECT t.membership, u.id
    FROM (SELECT DISTINCT membership FROM touched) AS t CROSS JOIN upward AS u
    WHERE NOT EXISTS (SELECT 1 FROM kept AS k WHERE k.membership = t.membership AND k."group" = u.id)
    LIMIT 1000000000),
    doomed (membership, assignment) AS (
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = l."group" AND a.ended IS NULL OFFSET 0) AS a
    UNION ALL
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = l."group" AND a.ended IS NOT NULL OFFSET 0) AS a)
DELETE FROM rescind.effective_role WHERE organization = %(o)s
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- drop_for_others
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n),
    touched (membership) AS (
    SELECT gm.membership FROM rescind."group" AS g CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = g.id OFFSET 0) AS gm
    WHERE g.organization = %(o)s AND g.slug = %(group)s
    AND gm.membership NOT IN (SELECT m.id FROM rescind.json_texts(%(members)s) AS i
        CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m)),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    WHERE gm."group" <> (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = k."group" OFFSET 0) AS n),
    lost (membership, "group") AS (
    SELECT t.membership, u.id
    FROM (SELECT DISTINCT membership FROM touched) AS t CROSS JOIN upward AS u
    WHERE NOT EXISTS (SELECT 1 FROM kept AS k WHERE k.membership = t.membership AND k."group" = u.id)
    LIMIT 1000000000),
    doomed (membership, assignment) AS (
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = l."group" AND a.ended IS NULL OFFSET 0) AS a
    UNION ALL
    SELECT l.membership, a.id
    FROM lost AS l CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = l."group" AND a.ended IS NOT NULL OFFSET 0) AS a)
DELETE FROM rescind.effective_role WHERE organization = %(o)s
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- extend_for_group
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = %(o)s),
            (SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
        (SELECT r.id FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = i.value ->> 'on'),
        CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM rescind.json_items(%(given)s) AS i),
    holder (id) AS (
    SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s
    UNION ALL
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, t.membership, a.id, t.expires_at
FROM rescind.organization AS o CROSS JOIN given AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
    AND a.role = g.role AND a.ended IS NULL AND a.made = o.revision + 1 OFFSET 0) AS a
CROSS JOIN (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END AS expires_at
    FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm
    GROUP BY gm.membership) AS t
WHERE o.id = %(o)s
ORDER BY t.membership, a.id
ON CONFLICT (organization, membership, assignment) DO NOTHING

-- extend_for_members_joining
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n),
    joining (membership, until) AS (
    SELECT p.membership, CAST(%(expires_at)s AS BIGINT) FROM (SELECT l.id AS membership, gm.membership AS present, gm.expires_at
        FROM (SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value) AS id
            FROM rescind.json_texts(%(members)s) AS i) AS l
        LEFT JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm.membership = l.id AND gm."group" =
                (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s) OFFSET 0) AS gm ON TRUE
    ) AS p
    WHERE p.membership IS NOT NULL AND (p.present IS NULL
        OR COALESCE(p.expires_at, 9223372036854775807) < COALESCE(CAST(%(expires_at)s AS BIGINT), 9223372036854775807)))
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, j.membership, a.id, j.until
FROM joining AS j CROSS JOIN upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
WHERE TRUE
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- extend_for_members_missing
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n),
    joining (membership, until) AS (
    SELECT p.membership, CAST(NULL AS BIGINT) FROM (SELECT l.id AS membership, gm.membership AS present, gm.expires_at
        FROM (SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value) AS id
            FROM rescind.json_texts(%(members)s) AS i) AS l
        LEFT JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm.membership = l.id AND gm."group" =
                (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s) OFFSET 0) AS gm ON TRUE
    ) AS p
    WHERE p.membership IS NOT NULL AND (p.present IS NULL OR p.expires_at <= %(now)s))
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, j.membership, a.id, j.until
FROM joining AS j CROSS JOIN upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
WHERE TRUE
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- extend_for_nesting
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
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, t.membership, a.id, t.expires_at
FROM (SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END AS expires_at
    FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm
    GROUP BY gm.membership) AS t
CROSS JOIN upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
WHERE TRUE
ORDER BY t.membership, a.id
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- extend_for_subject
WITH
    given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = %(o)s),
            (SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
        (SELECT r.id FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = i.value ->> 'on'),
        CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM rescind.json_items(%(given)s) AS i),
    holder (id) AS (
    SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s
    UNION ALL
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, a.holder, a.id, CAST(NULL AS BIGINT)
FROM rescind.organization AS o CROSS JOIN given AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
    AND a.role = g.role AND a.ended IS NULL AND a.made = o.revision + 1 OFFSET 0) AS a
WHERE o.id = %(o)s
ON CONFLICT (organization, membership, assignment) DO NOTHING

-- shorten_for_members
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
        AND gm."group" = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s) OFFSET 0) AS gm),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = k."group" OFFSET 0) AS n)
UPDATE rescind.effective_role AS e SET expires_at = s.expires_at
FROM (SELECT k.membership, a.id AS assignment,
    CASE WHEN count(*) = count(k.expires_at) THEN max(k.expires_at) END AS expires_at
    FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM kept AS k
        WHERE k."group" = u.id OFFSET 0) AS k
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
    GROUP BY k.membership, a.id) AS s
WHERE e.organization = %(o)s AND e.membership = s.membership AND e.assignment = s.assignment
AND COALESCE(s.expires_at, 9223372036854775807) < COALESCE(e.expires_at, 9223372036854775807)

-- shorten_without_members
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
        AND gm."group" = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s) OFFSET 0) AS gm),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    WHERE gm."group" <> (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = k."group" OFFSET 0) AS n)
UPDATE rescind.effective_role AS e SET expires_at = s.expires_at
FROM (SELECT k.membership, a.id AS assignment,
    CASE WHEN count(*) = count(k.expires_at) THEN max(k.expires_at) END AS expires_at
    FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM kept AS k
        WHERE k."group" = u.id OFFSET 0) AS k
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
    GROUP BY k.membership, a.id) AS s
WHERE e.organization = %(o)s AND e.membership = s.membership AND e.assignment = s.assignment
AND COALESCE(s.expires_at, 9223372036854775807) < COALESCE(e.expires_at, 9223372036854775807)

-- shorten_without_nesting
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
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n),
    touched (membership) AS (
    SELECT DISTINCT gm.membership FROM below AS b
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = k."group" OFFSET 0) AS n
    WHERE NOT (n.child = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(child)s)
        AND (CAST(%(parent)s AS TEXT) IS NULL
            OR n.parent = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(parent)s))))
UPDATE rescind.effective_role AS e SET expires_at = s.expires_at
FROM (SELECT k.membership, a.id AS assignment,
    CASE WHEN count(*) = count(k.expires_at) THEN max(k.expires_at) END AS expires_at
    FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM kept AS k
        WHERE k."group" = u.id OFFSET 0) AS k
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
    GROUP BY k.membership, a.id) AS s
WHERE e.organization = %(o)s AND e.membership = s.membership AND e.assignment = s.assignment
AND COALESCE(s.expires_at, 9223372036854775807) < COALESCE(e.expires_at, 9223372036854775807)

-- shorten_without_others
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n),
    touched (membership) AS (
    SELECT gm.membership FROM rescind."group" AS g CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = g.id OFFSET 0) AS gm
    WHERE g.organization = %(o)s AND g.slug = %(group)s
    AND gm.membership NOT IN (SELECT m.id FROM rescind.json_texts(%(members)s) AS i
        CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m)),
    kept (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = t.membership OFFSET 0) AS gm
    WHERE gm."group" <> (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = k."group" OFFSET 0) AS n)
UPDATE rescind.effective_role AS e SET expires_at = s.expires_at
FROM (SELECT k.membership, a.id AS assignment,
    CASE WHEN count(*) = count(k.expires_at) THEN max(k.expires_at) END AS expires_at
    FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM kept AS k
        WHERE k."group" = u.id OFFSET 0) AS k
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
    GROUP BY k.membership, a.id) AS s
WHERE e.organization = %(o)s AND e.membership = s.membership AND e.assignment = s.assignment
AND COALESCE(s.expires_at, 9223372036854775807) < COALESCE(e.expires_at, 9223372036854775807)
