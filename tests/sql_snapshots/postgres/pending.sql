-- pend_ended
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind.tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o
CROSS JOIN (
    SELECT DISTINCT a.holder AS "group", 'assignment' AS kind, x.revision + 1 AS ref, CAST(NULL AS INTEGER) AS fence,
        TRUE AS revokes
    FROM rescind.organization AS x CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = x.id AND a.ended < 0 AND a.holder < 0 OFFSET 0) AS a
    WHERE x.id = %(o)s) AS w
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_ended_of_group
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, since, revision, recorded_at)
SELECT o.id, e.holder, 'assignment', e.ended, 'revokes', CASE WHEN
        COALESCE((SELECT q.critical FROM rescind.role AS q WHERE q.slug = %(role)s AND q.organization = %(o)s),
            (SELECT q.critical FROM rescind.role AS q WHERE q.slug = %(role)s AND q.organization = 0))
    THEN 0 ELSE 1 END, e.ended, e.ended,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o CROSS JOIN (
    SELECT a.id, a.holder, a.ended FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s) AND a.holder =
        (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s)
    LIMIT 1
) AS e
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL
RETURNING (
    WITH RECURSIVE below (id) AS (
        SELECT
            (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s)
        UNION
        SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
            WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n)
    SELECT (SELECT count(*) FROM (
            SELECT 1 FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
                WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm
            LIMIT %(most)s) AS counted)) AS pairs

-- pend_given
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind.tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o
CROSS JOIN (
    SELECT g.id AS "group", 'assignment' AS kind, x.revision + 1 AS ref, 0 AS fence, FALSE AS revokes
    FROM rescind.organization AS x CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
        WHERE g.organization = x.id AND g.slug = %(group)s OFFSET 0) AS g
    WHERE x.id = %(o)s AND EXISTS (
        SELECT 1 FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = g.id AND a.ended IS NULL AND a.made = x.revision + 1)) AS w
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_members_joining
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind.tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o
CROSS JOIN (
    SELECT l."group", l.kind, l.ref, l.fence, l.present IS NOT NULL
    AND COALESCE(CAST(%(expires_at)s AS BIGINT), 9223372036854775807) < COALESCE(l.expires_at, 9223372036854775807) AS revokes
    FROM (SELECT g.id AS "group", 'member' AS kind, m.id AS ref, m.id AS fence, gm.membership AS present, gm.expires_at
        FROM rescind."group" AS g CROSS JOIN rescind.json_texts(%(members)s) AS i
        CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m
        LEFT JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm.membership = m.id AND gm."group" = g.id OFFSET 0) AS gm ON TRUE
        WHERE g.organization = %(o)s AND g.slug = %(group)s) AS l
    WHERE l.present IS NULL
    OR COALESCE(l.expires_at, 9223372036854775807) <> COALESCE(CAST(%(expires_at)s AS BIGINT), 9223372036854775807)) AS w
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_members_leaving
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind.tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o
CROSS JOIN (
    SELECT l."group", l.kind, l.ref, l.fence, TRUE AS revokes FROM (SELECT g.id AS "group", 'member' AS kind, m.id AS ref, m.id AS fence, gm.membership AS present, gm.expires_at
        FROM rescind."group" AS g CROSS JOIN rescind.json_texts(%(members)s) AS i
        CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m
        LEFT JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm.membership = m.id AND gm."group" = g.id OFFSET 0) AS gm ON TRUE
        WHERE g.organization = %(o)s AND g.slug = %(group)s) AS l
    WHERE l.present IS NOT NULL) AS w
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_members_missing
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind.tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o
CROSS JOIN (
    SELECT l."group", l.kind, l.ref, l.fence, FALSE AS revokes FROM (SELECT g.id AS "group", 'member' AS kind, m.id AS ref, m.id AS fence, gm.membership AS present, gm.expires_at
        FROM rescind."group" AS g CROSS JOIN rescind.json_texts(%(members)s) AS i
        CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m
        LEFT JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm.membership = m.id AND gm."group" = g.id OFFSET 0) AS gm ON TRUE
        WHERE g.organization = %(o)s AND g.slug = %(group)s) AS l
    WHERE l.present IS NULL OR l.expires_at <= %(now)s) AS w
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_membership
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind.tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o
CROSS JOIN (
    SELECT gm."group", 'member' AS kind, m.id AS ref, m.id AS fence, TRUE AS revokes
    FROM rescind.membership AS m CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = m.id OFFSET 0) AS gm
    WHERE m.organization = %(o)s AND m.subject = %(subject)s) AS w
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_nesting
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind.tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o
CROSS JOIN (
    SELECT c.id AS "group", 'whole' AS kind, p.id AS ref, 0 AS fence, FALSE AS revokes
    FROM rescind."group" AS c CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS p
        WHERE p.organization = %(o)s AND p.slug = %(parent)s OFFSET 0) AS p
    WHERE c.organization = %(o)s AND c.slug = %(child)s
    AND NOT EXISTS (SELECT 1 FROM rescind.nesting AS n WHERE n.organization = %(o)s AND n.child = c.id AND n.parent = p.id)) AS w
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_others_leaving
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind.tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o
CROSS JOIN (
    SELECT g.id AS "group", 'member' AS kind, gm.membership AS ref, gm.membership AS fence, TRUE AS revokes
    FROM rescind."group" AS g CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = g.id OFFSET 0) AS gm
    WHERE g.organization = %(o)s AND g.slug = %(group)s
    AND gm.membership NOT IN (SELECT m.id FROM rescind.json_texts(%(members)s) AS i
        CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m)) AS w
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_unnesting
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind.tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o
CROSS JOIN (
    SELECT c.id AS "group", 'whole' AS kind, n.parent AS ref, 0 AS fence, TRUE AS revokes
    FROM rescind."group" AS c CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = c.id OFFSET 0) AS n
    CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS p
        WHERE p.organization = %(o)s AND p.id = n.parent OFFSET 0) AS p
    WHERE c.organization = %(o)s AND c.slug = %(child)s AND (CAST(%(parent)s AS TEXT) IS NULL OR p.slug = %(parent)s)) AS w
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- weigh_ended
WITH RECURSIVE upward (id) AS (
    SELECT DISTINCT a.holder FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.ended < 0 AND a.holder < 0),
    below (id) AS (
    SELECT u.id FROM upward AS u
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm
        LIMIT %(most)s) AS counted)
    * CASE WHEN (SELECT count(*) FROM upward) = 1
    THEN (SELECT count(*) FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.ended < 0 AND a.holder < 0)
    ELSE 1 END AS pairs,
    %(takes)s AND EXISTS (SELECT 1 FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
        WHERE q.id = a.role AND q.critical OFFSET 0) AS q
    WHERE a.organization = %(o)s AND a.ended < 0) AS is_critical,
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)
    THEN rescind.take_groups(CAST(%(o)s AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), %(waits)s) ELSE FALSE END AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled

-- weigh_ended_of_group
WITH RECURSIVE ended (id) AS (
    SELECT e.holder FROM (
        SELECT a.id, a.holder, a.ended FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s) AND a.holder =
            (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s)
        LIMIT %(most)s
    ) AS e),
    upward (id) AS (SELECT e.id FROM ended AS e LIMIT 1),
    below (id) AS (
    SELECT u.id FROM upward AS u
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm
        LIMIT %(most)s) AS counted)
    * (SELECT count(*) FROM ended) AS pairs,
    %(takes)s AND
    COALESCE((SELECT q.critical FROM rescind.role AS q WHERE q.slug = %(role)s AND q.organization = %(o)s),
        (SELECT q.critical FROM rescind.role AS q WHERE q.slug = %(role)s AND q.organization = 0))
    AS is_critical,
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)
    THEN rescind.take_groups(CAST(%(o)s AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), %(waits)s) ELSE FALSE END AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled

-- weigh_given
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    upward (id) AS (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s),
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
SELECT (
    SELECT count(*) FROM rescind.organization AS o CROSS JOIN given AS g
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
        AND a.role = g.role AND a.ended IS NULL AND a.made = o.revision + 1 OFFSET 0) AS a
    WHERE o.id = %(o)s) *
    (SELECT count(*) FROM (
        SELECT 1 FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm
        LIMIT %(most)s) AS counted) AS pairs, %(takes)s AND FALSE AS is_critical,
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)
    THEN rescind.take_groups(CAST(%(o)s AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), %(waits)s) ELSE FALSE END AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled

-- weigh_members
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM (SELECT l.id AS membership, gm.membership AS present, gm.expires_at
        FROM (SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value) AS id
            FROM rescind.json_texts(%(members)s) AS i) AS l
        LEFT JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm.membership = l.id AND gm."group" =
                (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s) OFFSET 0) AS gm ON TRUE
    ) AS p
    WHERE p.present IS NOT NULL) *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NOT NULL OFFSET 0) AS a
        WHERE %(takes)s
        LIMIT %(most)s) AS counted) AS pairs,
    (%(takes)s AND EXISTS (
        SELECT 1 FROM rescind.role AS q CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.role = q.id AND a.organization = %(o)s AND a.ended IS NULL OFFSET 0) AS a
        WHERE q.critical AND q.organization IN (0, %(o)s) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)
    THEN rescind.take_groups(CAST(%(o)s AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), %(waits)s) ELSE FALSE END AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled

-- weigh_members_joining
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM (SELECT l.id AS membership, gm.membership AS present, gm.expires_at
        FROM (SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value) AS id
            FROM rescind.json_texts(%(members)s) AS i) AS l
        LEFT JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm.membership = l.id AND gm."group" =
                (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s) OFFSET 0) AS gm ON TRUE
    ) AS p
    WHERE p.present IS NULL
    OR COALESCE(p.expires_at, 9223372036854775807) <> COALESCE(CAST(%(expires_at)s AS BIGINT), 9223372036854775807)) *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NOT NULL OFFSET 0) AS a
        WHERE %(takes)s
        LIMIT %(most)s) AS counted) AS pairs,
    (%(takes)s AND EXISTS (
        SELECT 1 FROM rescind.role AS q CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.role = q.id AND a.organization = %(o)s AND a.ended IS NULL OFFSET 0) AS a
        WHERE q.critical AND q.organization IN (0, %(o)s) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)
    THEN rescind.take_groups(CAST(%(o)s AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), %(waits)s) ELSE FALSE END AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled

-- weigh_members_missing
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM (SELECT l.id AS membership, gm.membership AS present, gm.expires_at
        FROM (SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value) AS id
            FROM rescind.json_texts(%(members)s) AS i) AS l
        LEFT JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm.membership = l.id AND gm."group" =
                (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s) OFFSET 0) AS gm ON TRUE
    ) AS p
    WHERE p.present IS NULL OR p.expires_at <= %(now)s) *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NOT NULL OFFSET 0) AS a
        WHERE %(takes)s
        LIMIT %(most)s) AS counted) AS pairs,
    (%(takes)s AND EXISTS (
        SELECT 1 FROM rescind.role AS q CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.role = q.id AND a.organization = %(o)s AND a.ended IS NULL OFFSET 0) AS a
        WHERE q.critical AND q.organization IN (0, %(o)s) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)
    THEN rescind.take_groups(CAST(%(o)s AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), %(waits)s) ELSE FALSE END AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled

-- weigh_membership
WITH RECURSIVE upward (id) AS (
    SELECT gm."group" FROM rescind.membership AS m CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = m.id OFFSET 0) AS gm
    WHERE m.organization = %(o)s AND m.subject = %(subject)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NOT NULL OFFSET 0) AS a
        WHERE %(takes)s
        LIMIT %(most)s) AS counted) AS pairs,
    (%(takes)s AND EXISTS (
        SELECT 1 FROM rescind.role AS q CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.role = q.id AND a.organization = %(o)s AND a.ended IS NULL OFFSET 0) AS a
        WHERE q.critical AND q.organization IN (0, %(o)s) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)
    THEN rescind.take_groups(CAST(%(o)s AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), %(waits)s) ELSE FALSE END AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled

-- weigh_nesting
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
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm
        LIMIT %(most)s) AS counted)
    *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NOT NULL OFFSET 0) AS a
        WHERE %(takes)s
        LIMIT %(most)s) AS counted) AS pairs,
    (%(takes)s AND EXISTS (
        SELECT 1 FROM rescind.role AS q CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.role = q.id AND a.organization = %(o)s AND a.ended IS NULL OFFSET 0) AS a
        WHERE q.critical AND q.organization IN (0, %(o)s) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)
    THEN rescind.take_groups(CAST(%(o)s AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), %(waits)s) ELSE FALSE END AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled

-- weigh_new_nesting
WITH RECURSIVE
    below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(child)s
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    upward (id) AS (
    SELECT p.id FROM rescind."group" AS p WHERE p.organization = %(o)s AND p.slug = %(parent)s AND NOT EXISTS (
        SELECT 1 FROM rescind.nesting AS n WHERE n.organization = %(o)s AND n.parent = p.id AND n.child = (
            SELECT c.id FROM rescind."group" AS c WHERE c.organization = %(o)s AND c.slug = %(child)s))
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm
        LIMIT %(most)s) AS counted)
    *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NOT NULL OFFSET 0) AS a
        WHERE %(takes)s
        LIMIT %(most)s) AS counted) AS pairs,
    (%(takes)s AND EXISTS (
        SELECT 1 FROM rescind.role AS q CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.role = q.id AND a.organization = %(o)s AND a.ended IS NULL OFFSET 0) AS a
        WHERE q.critical AND q.organization IN (0, %(o)s) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)
    THEN rescind.take_groups(CAST(%(o)s AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), %(waits)s) ELSE FALSE END AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled

-- weigh_others
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM rescind."group" AS g CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm."group" = g.id OFFSET 0) AS gm
        WHERE g.organization = %(o)s AND g.slug = %(group)s
        AND gm.membership NOT IN (SELECT m.id FROM rescind.json_texts(%(members)s) AS i
            CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
                WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m)
        LIMIT %(most)s) AS counted) *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NULL OFFSET 0) AS a
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = u.id AND a.ended IS NOT NULL OFFSET 0) AS a
        WHERE %(takes)s
        LIMIT %(most)s) AS counted) AS pairs,
    (%(takes)s AND EXISTS (
        SELECT 1 FROM rescind.role AS q CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.role = q.id AND a.organization = %(o)s AND a.ended IS NULL OFFSET 0) AS a
        WHERE q.critical AND q.organization IN (0, %(o)s) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)
    THEN rescind.take_groups(CAST(%(o)s AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), %(waits)s) ELSE FALSE END AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled
