-- pend_ended
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind_tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o
CROSS JOIN (
    SELECT DISTINCT a.holder AS "group", 'assignment' AS kind, x.revision + 1 AS ref, CAST(NULL AS INTEGER) AS fence,
        TRUE AS revokes
    FROM rescind_organization AS x CROSS JOIN rescind_assignment AS a ON a.organization = x.id AND a.ended < 0 AND a.holder < 0
    WHERE x.id = :o) AS w
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_ended_of_group
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, since, revision, recorded_at)
SELECT o.id, e.holder, 'assignment', e.ended, 'revokes', CASE WHEN
        COALESCE((SELECT q.critical FROM rescind_role AS q WHERE q.slug = :role AND q.organization = :o),
            (SELECT q.critical FROM rescind_role AS q WHERE q.slug = :role AND q.organization = 0))
    THEN 0 ELSE 1 END, e.ended, e.ended,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o CROSS JOIN (
    SELECT a.id, a.holder, a.ended FROM rescind_assignment AS a
    WHERE a.organization = :o AND a.ended = (SELECT revision + 1 FROM rescind_organization WHERE id = :o) AND a.holder =
        (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = :group)
    LIMIT 1
) AS e
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL
RETURNING (
    WITH RECURSIVE below (id) AS (
        SELECT
            (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = :group)
        UNION
        SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id)
    SELECT (SELECT count(*) FROM (
            SELECT 1 FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
            LIMIT :most) AS counted)) AS pairs

-- pend_given
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind_tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o
CROSS JOIN (
    SELECT g.id AS "group", 'assignment' AS kind, x.revision + 1 AS ref, 0 AS fence, FALSE AS revokes
    FROM rescind_organization AS x CROSS JOIN rescind_group AS g ON g.organization = x.id AND g.slug = :group
    WHERE x.id = :o AND EXISTS (
        SELECT 1 FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.holder = g.id AND a.ended IS NULL AND a.made = x.revision + 1)) AS w
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_members_joining
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind_tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o
CROSS JOIN (
    SELECT l."group", l.kind, l.ref, l.fence, l.present IS NOT NULL
    AND COALESCE(CAST(:expires_at AS BIGINT), 9223372036854775807) < COALESCE(l.expires_at, 9223372036854775807) AS revokes
    FROM (SELECT g.id AS "group", 'member' AS kind, m.id AS ref, m.id AS fence, gm.membership AS present, gm.expires_at
        FROM rescind_group AS g CROSS JOIN json_each(:members) AS i
        CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value
        LEFT JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = m.id AND gm."group" = g.id
        WHERE g.organization = :o AND g.slug = :group) AS l
    WHERE l.present IS NULL
    OR COALESCE(l.expires_at, 9223372036854775807) <> COALESCE(CAST(:expires_at AS BIGINT), 9223372036854775807)) AS w
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_members_leaving
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind_tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o
CROSS JOIN (
    SELECT l."group", l.kind, l.ref, l.fence, TRUE AS revokes FROM (SELECT g.id AS "group", 'member' AS kind, m.id AS ref, m.id AS fence, gm.membership AS present, gm.expires_at
        FROM rescind_group AS g CROSS JOIN json_each(:members) AS i
        CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value
        LEFT JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = m.id AND gm."group" = g.id
        WHERE g.organization = :o AND g.slug = :group) AS l
    WHERE l.present IS NOT NULL) AS w
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_members_missing
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind_tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o
CROSS JOIN (
    SELECT l."group", l.kind, l.ref, l.fence, FALSE AS revokes FROM (SELECT g.id AS "group", 'member' AS kind, m.id AS ref, m.id AS fence, gm.membership AS present, gm.expires_at
        FROM rescind_group AS g CROSS JOIN json_each(:members) AS i
        CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value
        LEFT JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = m.id AND gm."group" = g.id
        WHERE g.organization = :o AND g.slug = :group) AS l
    WHERE l.present IS NULL OR l.expires_at <= :now) AS w
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_membership
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind_tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o
CROSS JOIN (
    SELECT gm."group", 'member' AS kind, m.id AS ref, m.id AS fence, TRUE AS revokes
    FROM rescind_membership AS m CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = m.id
    WHERE m.organization = :o AND m.subject = :subject) AS w
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_nesting
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind_tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o
CROSS JOIN (
    SELECT c.id AS "group", 'whole' AS kind, p.id AS ref, 0 AS fence, FALSE AS revokes
    FROM rescind_group AS c CROSS JOIN rescind_group AS p ON p.organization = :o AND p.slug = :parent
    WHERE c.organization = :o AND c.slug = :child
    AND NOT EXISTS (SELECT 1 FROM rescind_nesting AS n WHERE n.organization = :o AND n.child = c.id AND n.parent = p.id)) AS w
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_others_leaving
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind_tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o
CROSS JOIN (
    SELECT g.id AS "group", 'member' AS kind, gm.membership AS ref, gm.membership AS fence, TRUE AS revokes
    FROM rescind_group AS g CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = g.id
    WHERE g.organization = :o AND g.slug = :group
    AND gm.membership NOT IN (SELECT m.id FROM json_each(:members) AS i
        CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value)) AS w
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- pend_unnesting
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
CASE WHEN NOT w.revokes THEN 2 WHEN rescind_tallied('critical') > 0 THEN 0 ELSE 1 END,
CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
    o.revision + 1, o.revision + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o
CROSS JOIN (
    SELECT c.id AS "group", 'whole' AS kind, n.parent AS ref, 0 AS fence, TRUE AS revokes
    FROM rescind_group AS c CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = c.id
    CROSS JOIN rescind_group AS p ON p.organization = :o AND p.id = n.parent
    WHERE c.organization = :o AND c.slug = :child AND (CAST(:parent AS TEXT) IS NULL OR p.slug = :parent)) AS w
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- weigh_ended
WITH RECURSIVE upward (id) AS (
    SELECT DISTINCT a.holder FROM rescind_assignment AS a WHERE a.organization = :o AND a.ended < 0 AND a.holder < 0),
    below (id) AS (
    SELECT u.id FROM upward AS u
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
        LIMIT :most) AS counted)
    * CASE WHEN (SELECT count(*) FROM upward) = 1
    THEN (SELECT count(*) FROM rescind_assignment AS a WHERE a.organization = :o AND a.ended < 0 AND a.holder < 0)
    ELSE 1 END AS pairs,
    :takes AND EXISTS (SELECT 1 FROM rescind_assignment AS a CROSS JOIN rescind_role AS q ON q.id = a.role AND q.critical
    WHERE a.organization = :o AND a.ended < 0) AS is_critical,
    FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled

-- weigh_ended_of_group
WITH RECURSIVE ended (id) AS (
    SELECT e.holder FROM (
        SELECT a.id, a.holder, a.ended FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.ended = (SELECT revision + 1 FROM rescind_organization WHERE id = :o) AND a.holder =
            (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = :group)
        LIMIT :most
    ) AS e),
    upward (id) AS (SELECT e.id FROM ended AS e LIMIT 1),
    below (id) AS (
    SELECT u.id FROM upward AS u
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
        LIMIT :most) AS counted)
    * (SELECT count(*) FROM ended) AS pairs,
    :takes AND
    COALESCE((SELECT q.critical FROM rescind_role AS q WHERE q.slug = :role AND q.organization = :o),
        (SELECT q.critical FROM rescind_role AS q WHERE q.slug = :role AND q.organization = 0))
    AS is_critical,
    FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled

-- weigh_given
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id),
    upward (id) AS (SELECT id FROM rescind_group WHERE organization = :o AND slug = :group),
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
SELECT (
    SELECT count(*) FROM rescind_organization AS o CROSS JOIN given AS g
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
    AND a.role = g.role AND a.ended IS NULL AND a.made = o.revision + 1
    WHERE o.id = :o) *
    (SELECT count(*) FROM (
        SELECT 1 FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
        LIMIT :most) AS counted) AS pairs, :takes AND FALSE AS is_critical,
    FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled

-- weigh_members
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT (SELECT count(*) FROM (SELECT l.id AS membership, gm.membership AS present, gm.expires_at
        FROM (SELECT (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value) AS id
            FROM json_each(:members) AS i) AS l
        LEFT JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = l.id AND gm."group" =
            (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = :group)
    ) AS p
    WHERE p.present IS NOT NULL) *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NOT NULL
        WHERE :takes
        LIMIT :most) AS counted) AS pairs,
    (:takes AND EXISTS (
        SELECT 1 FROM rescind_role AS q CROSS JOIN rescind_assignment AS a ON a.role = q.id AND a.organization = :o AND a.ended IS NULL
        WHERE q.critical AND q.organization IN (0, :o) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
    FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled

-- weigh_members_joining
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT (SELECT count(*) FROM (SELECT l.id AS membership, gm.membership AS present, gm.expires_at
        FROM (SELECT (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value) AS id
            FROM json_each(:members) AS i) AS l
        LEFT JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = l.id AND gm."group" =
            (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = :group)
    ) AS p
    WHERE p.present IS NULL
    OR COALESCE(p.expires_at, 9223372036854775807) <> COALESCE(CAST(:expires_at AS BIGINT), 9223372036854775807)) *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NOT NULL
        WHERE :takes
        LIMIT :most) AS counted) AS pairs,
    (:takes AND EXISTS (
        SELECT 1 FROM rescind_role AS q CROSS JOIN rescind_assignment AS a ON a.role = q.id AND a.organization = :o AND a.ended IS NULL
        WHERE q.critical AND q.organization IN (0, :o) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
    FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled

-- weigh_members_missing
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT (SELECT count(*) FROM (SELECT l.id AS membership, gm.membership AS present, gm.expires_at
        FROM (SELECT (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value) AS id
            FROM json_each(:members) AS i) AS l
        LEFT JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = l.id AND gm."group" =
            (SELECT g.id FROM rescind_group AS g WHERE g.organization = :o AND g.slug = :group)
    ) AS p
    WHERE p.present IS NULL OR p.expires_at <= :now) *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NOT NULL
        WHERE :takes
        LIMIT :most) AS counted) AS pairs,
    (:takes AND EXISTS (
        SELECT 1 FROM rescind_role AS q CROSS JOIN rescind_assignment AS a ON a.role = q.id AND a.organization = :o AND a.ended IS NULL
        WHERE q.critical AND q.organization IN (0, :o) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
    FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled

-- weigh_membership
WITH RECURSIVE upward (id) AS (
    SELECT gm."group" FROM rescind_membership AS m CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = m.id
    WHERE m.organization = :o AND m.subject = :subject
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NOT NULL
        WHERE :takes
        LIMIT :most) AS counted) AS pairs,
    (:takes AND EXISTS (
        SELECT 1 FROM rescind_role AS q CROSS JOIN rescind_assignment AS a ON a.role = q.id AND a.organization = :o AND a.ended IS NULL
        WHERE q.critical AND q.organization IN (0, :o) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
    FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled

-- weigh_nesting
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
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
        LIMIT :most) AS counted)
    *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NOT NULL
        WHERE :takes
        LIMIT :most) AS counted) AS pairs,
    (:takes AND EXISTS (
        SELECT 1 FROM rescind_role AS q CROSS JOIN rescind_assignment AS a ON a.role = q.id AND a.organization = :o AND a.ended IS NULL
        WHERE q.critical AND q.organization IN (0, :o) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
    FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled

-- weigh_new_nesting
WITH RECURSIVE
    below (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :child
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id),
    upward (id) AS (
    SELECT p.id FROM rescind_group AS p WHERE p.organization = :o AND p.slug = :parent AND NOT EXISTS (
        SELECT 1 FROM rescind_nesting AS n WHERE n.organization = :o AND n.parent = p.id AND n.child = (
            SELECT c.id FROM rescind_group AS c WHERE c.organization = :o AND c.slug = :child))
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
        LIMIT :most) AS counted)
    *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NOT NULL
        WHERE :takes
        LIMIT :most) AS counted) AS pairs,
    (:takes AND EXISTS (
        SELECT 1 FROM rescind_role AS q CROSS JOIN rescind_assignment AS a ON a.role = q.id AND a.organization = :o AND a.ended IS NULL
        WHERE q.critical AND q.organization IN (0, :o) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
    FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled

-- weigh_others
WITH RECURSIVE
    upward (id) AS (
    SELECT id FROM rescind_group WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM rescind_group AS g CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = g.id
        WHERE g.organization = :o AND g.slug = :group
        AND gm.membership NOT IN (SELECT m.id FROM json_each(:members) AS i
            CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value)
        LIMIT :most) AS counted) *
    (SELECT count(*) FROM (
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
        UNION ALL
        SELECT 1 FROM upward AS u CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NOT NULL
        WHERE :takes
        LIMIT :most) AS counted) AS pairs,
    (:takes AND EXISTS (
        SELECT 1 FROM rescind_role AS q CROSS JOIN rescind_assignment AS a ON a.role = q.id AND a.organization = :o AND a.ended IS NULL
        WHERE q.critical AND q.organization IN (0, :o) AND a.holder IN (SELECT u.id FROM upward AS u))) AS is_critical,
    FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled
