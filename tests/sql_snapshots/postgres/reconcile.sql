-- advance_pending
UPDATE rescind.pending SET cursor_membership = %(to_m)s, cursor_assignment = %(up_to_a)s, done = done + %(looked_at)s,
    total = COALESCE(total, %(total)s), attempts = 0, last_error = NULL
WHERE organization = %(o)s AND "group" = %(g)s AND kind = %(kind)s AND ref = %(ref)s
AND revision + 0 = %(revision)s

-- delete_gathered
DELETE FROM rescind.pending WHERE ref <> %(ref)s AND revision + 0 <= (
    SELECT p.revision FROM rescind.pending AS p WHERE p.organization = %(o)s AND p."group" = %(g)s AND p.kind = %(kind)s AND p.ref = %(ref)s)
AND since + 0 >= (
    SELECT p.since FROM rescind.pending AS p WHERE p.organization = %(o)s AND p."group" = %(g)s AND p.kind = %(kind)s AND p.ref = %(ref)s)
AND organization = %(o)s AND "group" = %(g)s AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = %(urgency)s
AND EXISTS (SELECT 1 FROM rescind.pending AS own WHERE own.organization = %(o)s AND own."group" = %(g)s AND own.kind = 'assignment'
    AND own.ref = %(ref)s AND NOT own.parked)

-- find_assignment_bound_assignment
WITH
    changed (id, is_live) AS MATERIALIZED (
    SELECT l.id, TRUE FROM (
        SELECT a.id FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = %(g)s AND a.holder < 0 AND a.ended IS NULL
        AND a.made >= %(since)s AND a.made <= %(revision)s) AS l
    UNION ALL
    SELECT a.id, FALSE FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = %(g)s AND a.ended IS NOT NULL AND a.ended >= %(since)s AND a.ended <= %(revision)s
    ORDER BY 1)
SELECT c.id AS bound FROM changed AS c WHERE c.id > %(after_a)s ORDER BY c.id LIMIT 1 OFFSET %(step)s

-- find_assignment_bound_whole
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(top)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n)
SELECT x.id AS bound FROM (
    SELECT a.id FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id AND a.ended IS NULL OFFSET 0) AS a
    UNION ALL
    SELECT a.id FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id AND a.ended IS NOT NULL OFFSET 0) AS a) AS x
WHERE x.id > %(after_a)s ORDER BY x.id LIMIT 1 OFFSET %(step)s

-- find_group
SELECT o.id AS organization, g.id AS "group" FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = o.id AND g.slug = %(group)s OFFSET 0) AS g
WHERE o.slug = %(organization)s

-- find_membership_bound
WITH RECURSIVE
    below_ever (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n)
SELECT min((SELECT gm.membership FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id AND gm.membership >= %(from_m)s
        ORDER BY gm.membership LIMIT 1 OFFSET %(step)s)) AS bound
FROM below_ever AS b

-- find_pending
SELECT
    p.organization, p."group", p.kind, p.ref, p.since, p.revision, p.cursor_membership, p.cursor_assignment, p.urgency, p.total,
    p.attempts, p.recorded_at
FROM rescind.pending AS p WHERE p.organization = %(o)s AND p."group" = %(g)s AND p.kind = %(kind)s AND p.ref = %(ref)s

-- gather_pending
UPDATE rescind.pending SET
    since = (SELECT min(since + 0) FROM rescind.pending WHERE organization = %(o)s AND "group" = %(g)s AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
    AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = %(urgency)s
    AND EXISTS (SELECT 1 FROM rescind.pending AS own WHERE own.organization = %(o)s AND own."group" = %(g)s AND own.kind = 'assignment'
        AND own.ref = %(ref)s AND NOT own.parked)
),
    revision = (SELECT max(revision + 0) FROM rescind.pending WHERE organization = %(o)s AND "group" = %(g)s AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
    AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = %(urgency)s
    AND EXISTS (SELECT 1 FROM rescind.pending AS own WHERE own.organization = %(o)s AND own."group" = %(g)s AND own.kind = 'assignment'
        AND own.ref = %(ref)s AND NOT own.parked)
),
    recorded_at = (SELECT min(recorded_at) FROM rescind.pending WHERE organization = %(o)s AND "group" = %(g)s AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
    AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = %(urgency)s
    AND EXISTS (SELECT 1 FROM rescind.pending AS own WHERE own.organization = %(o)s AND own."group" = %(g)s AND own.kind = 'assignment'
        AND own.ref = %(ref)s AND NOT own.parked)
),
    fence = (SELECT min(fence + 0) FROM rescind.pending WHERE organization = %(o)s AND "group" = %(g)s AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
    AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = %(urgency)s
    AND EXISTS (SELECT 1 FROM rescind.pending AS own WHERE own.organization = %(o)s AND own."group" = %(g)s AND own.kind = 'assignment'
        AND own.ref = %(ref)s AND NOT own.parked))
WHERE organization = %(o)s AND "group" = %(g)s AND kind = %(kind)s AND ref = %(ref)s
AND revision + 0 = %(revision)s AND NOT parked

-- list_due
WITH RECURSIVE
    class (urgency) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2),
    start ("group") AS (SELECT CAST(%(after)s AS INTEGER) UNION SELECT CAST(-2147483648 AS INTEGER)),
    turn (urgency, "group", place) AS (
    SELECT t.urgency, (
        SELECT p."group" FROM rescind.pending AS p
        WHERE (p.urgency, p.organization, p."group") > (t.urgency, CAST(%(o)s AS INTEGER), t."group")
        AND (p.urgency, p.organization) <= (t.urgency, CAST(%(o)s AS INTEGER)) AND NOT p.parked AND p.not_before <= CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
        ORDER BY p.urgency, p.organization, p."group" LIMIT 1), 1
    FROM (SELECT c.urgency, s."group" FROM class AS c CROSS JOIN start AS s) AS t
    UNION ALL
    SELECT t.urgency, (
        SELECT p."group" FROM rescind.pending AS p
        WHERE (p.urgency, p.organization, p."group") > (t.urgency, CAST(%(o)s AS INTEGER), t."group")
        AND (p.urgency, p.organization) <= (t.urgency, CAST(%(o)s AS INTEGER)) AND NOT p.parked AND p.not_before <= CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
        ORDER BY p.urgency, p.organization, p."group" LIMIT 1), t.place + 1
    FROM turn AS t WHERE t."group" IS NOT NULL AND t.place < %(limit)s),
    oldest ("group", kind, ref) AS MATERIALIZED (
    SELECT t."group", (
        SELECT p.kind
        FROM rescind.pending AS p
        WHERE (p.urgency, p.organization, p."group") >= (t.urgency, CAST(%(o)s AS INTEGER), t."group")
        AND (p.urgency, p.organization, p."group") <= (t.urgency, CAST(%(o)s AS INTEGER), t."group") AND NOT p.parked AND p.not_before <= CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
        ORDER BY p.urgency, p.organization, p."group", p.recorded_at, p.revision, p.kind, p.ref LIMIT 1
    ), (
        SELECT p.ref
        FROM rescind.pending AS p
        WHERE (p.urgency, p.organization, p."group") >= (t.urgency, CAST(%(o)s AS INTEGER), t."group")
        AND (p.urgency, p.organization, p."group") <= (t.urgency, CAST(%(o)s AS INTEGER), t."group") AND NOT p.parked AND p.not_before <= CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
        ORDER BY p.urgency, p.organization, p."group", p.recorded_at, p.revision, p.kind, p.ref LIMIT 1
    )
    FROM (SELECT DISTINCT t.urgency, t."group" FROM turn AS t WHERE t."group" IS NOT NULL) AS t)
SELECT
    p.organization, p."group", p.kind, p.ref, p.since, p.revision, p.cursor_membership, p.cursor_assignment, p.urgency, p.total,
    p.attempts, p.recorded_at
FROM oldest AS x CROSS JOIN LATERAL (
    SELECT y.* FROM rescind.pending AS y
    WHERE y.organization = %(o)s AND y."group" = x."group" AND y.kind = x.kind AND y.ref = x.ref OFFSET 0) AS p

-- list_due_organizations
WITH RECURSIVE
    class (urgency) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2),
    start (organization) AS (SELECT CAST(%(after)s AS INTEGER) UNION SELECT -1),
    turn (urgency, organization, place) AS (
    SELECT t.urgency, (
        SELECT p.organization FROM rescind.pending AS p
        WHERE (p.urgency, p.organization) > (t.urgency, t.organization) AND p.urgency <= t.urgency AND NOT p.parked AND p.not_before <= CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
        ORDER BY p.urgency, p.organization LIMIT 1), 1
    FROM (SELECT c.urgency, s.organization FROM class AS c CROSS JOIN start AS s WHERE c.urgency < %(below)s) AS t
    UNION ALL
    SELECT t.urgency, (
        SELECT p.organization FROM rescind.pending AS p
        WHERE (p.urgency, p.organization) > (t.urgency, t.organization) AND p.urgency <= t.urgency AND NOT p.parked AND p.not_before <= CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
        ORDER BY p.urgency, p.organization LIMIT 1), t.place + 1
    FROM turn AS t WHERE t.organization IS NOT NULL AND t.place < %(limit)s)
SELECT DISTINCT t.urgency, t.organization FROM turn AS t WHERE t.organization IS NOT NULL

-- list_first_pending_of_group
SELECT
    p.organization, p."group", p.kind, p.ref, p.since, p.revision, p.cursor_membership, p.cursor_assignment, p.urgency, p.total,
    p.attempts, p.recorded_at
FROM rescind.pending AS p WHERE p.organization = %(o)s AND p."group" = %(g)s AND p.since + 0 <= %(up_to)s
ORDER BY p.organization, p."group", p.kind, p.ref LIMIT 1

-- list_pending
SELECT o.slug AS organization, g.slug AS "group", p.kind, COALESCE(m.subject, t.slug) AS about, p.direction, p.urgency, p.done, p.total,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
    - p.recorded_at AS age, p.attempts, p.not_before -
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
    AS waits, p.parked, p.last_error, p.since, p.revision, p."group" AS group_number, o.id AS organization_number
FROM rescind.pending AS p CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = p.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = p.organization AND g.id = p."group" OFFSET 0) AS g ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE p.kind = 'member' AND m.organization = p.organization AND m.id = p.ref OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS t
    WHERE p.kind = 'whole' AND t.organization = p.organization AND t.id = p.ref OFFSET 0) AS t ON TRUE
WHERE CAST(%(organization)s AS TEXT) IS NULL OR o.slug = %(organization)s
ORDER BY p.urgency, p.recorded_at, p.organization, p."group", p.kind, p.ref LIMIT %(limit)s

-- list_pending_groups
WITH RECURSIVE turn ("group") AS (
    SELECT CAST(-2147483648 AS INTEGER)
    UNION ALL
    SELECT (SELECT p."group" FROM rescind.pending AS p WHERE p.organization = %(o)s AND p."group" > t."group"
        ORDER BY p.organization, p."group" LIMIT 1)
    FROM turn AS t WHERE t."group" IS NOT NULL)
SELECT t."group" FROM turn AS t WHERE (
    SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s AND p."group" = t."group" AND NOT p.parked LIMIT 1) IS NOT NULL

-- list_pending_members
SELECT p.ref, p.since, p.revision, p.recorded_at,
    p.urgency = %(urgency)s AND p.cursor_membership = 0 AND p.cursor_assignment = 2147483647
AND (p.ref = %(ref)s OR (p.attempts = 0 AND NOT p.parked AND p.not_before <= CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
)) AS is_ready
FROM rescind.pending AS p
WHERE p.organization = %(o)s AND p."group" = %(g)s AND p.kind = 'member' AND p.ref >= %(first)s AND p.ref < %(end)s
ORDER BY p.ref LIMIT %(limit)s

-- list_purgeable
SELECT a.organization FROM rescind.assignment AS a WHERE a.ended IS NOT NULL AND a.ended > 0
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = a.organization AND p.since <= a.ended)
UNION
SELECT n.organization FROM rescind.recorded_nesting AS n WHERE n.ended IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = n.organization AND p.since <= n.ended)
UNION
SELECT g.organization FROM rescind."group" AS g WHERE g.ended IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = g.organization)
ORDER BY 1 LIMIT %(limit)s

-- make_member
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(top)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    concerned (membership) AS MATERIALIZED (SELECT CAST(%(ref)s AS INTEGER)),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = c.membership OFFSET 0) AS gm
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = f."group" OFFSET 0) AS n),
    reached (membership, "group", expires_at) AS MATERIALIZED (
    SELECT f.membership, f."group", CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
    FROM flow AS f WHERE f."group" IN (SELECT h.id FROM holder AS h)
    GROUP BY f.membership, f."group")
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, c.membership, a.id, c.expires_at
FROM reached AS c CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = c."group" AND a.ended IS NULL OFFSET 0) AS a
WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s)
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- make_members
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(top)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    concerned (membership) AS MATERIALIZED (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(%(members)s) AS i),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = c.membership OFFSET 0) AS gm
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = f."group" OFFSET 0) AS n),
    reached (membership, "group", expires_at) AS MATERIALIZED (
    SELECT f.membership, f."group", CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
    FROM flow AS f WHERE f."group" IN (SELECT h.id FROM holder AS h)
    GROUP BY f.membership, f."group")
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, c.membership, a.id, c.expires_at
FROM reached AS c CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = c."group" AND a.ended IS NULL OFFSET 0) AS a
WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s)
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- make_whole
WITH RECURSIVE
    below_ever (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    holder (id) AS (
    SELECT CAST(%(top)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    concerned (membership) AS MATERIALIZED (
    SELECT gm.membership FROM below_ever AS b
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id
        AND gm.membership >= %(from_m)s AND gm.membership <= %(to_m)s OFFSET 0) AS gm
    UNION
    SELECT CAST(p.ref AS INTEGER) FROM below_ever AS b
    CROSS JOIN LATERAL (SELECT * FROM rescind.pending AS p
        WHERE p.organization = %(o)s AND p."group" = b.id AND p.kind = 'member'
        AND p.ref >= %(from_m)s AND p.ref <= %(to_m)s OFFSET 0) AS p),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = c.membership OFFSET 0) AS gm
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = f."group" OFFSET 0) AS n),
    reached (membership, "group", expires_at) AS MATERIALIZED (
    SELECT f.membership, f."group", CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
    FROM flow AS f WHERE f."group" IN (SELECT h.id FROM holder AS h)
    GROUP BY f.membership, f."group")
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, c.membership, a.id, c.expires_at
FROM reached AS c CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = c."group" AND a.ended IS NULL OFFSET 0) AS a
WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s)
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- measure_assignment
WITH RECURSIVE
    below_ever (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    changed (id, is_live) AS MATERIALIZED (
    SELECT l.id, TRUE FROM (
        SELECT a.id FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = %(g)s AND a.holder < 0 AND a.ended IS NULL
        AND a.made >= %(since)s AND a.made <= %(revision)s) AS l
    UNION ALL
    SELECT a.id, FALSE FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = %(g)s AND a.ended IS NOT NULL AND a.ended >= %(since)s AND a.ended <= %(revision)s
    ORDER BY 1)
SELECT (SELECT count(*) FROM changed AS c WHERE c.is_live) AS live, (SELECT count(*) FROM changed AS c WHERE NOT c.is_live) AS ended,
    (SELECT count(*) FROM below_ever) AS groups,
CASE WHEN %(is_measured)s THEN 0 ELSE (
        SELECT count(*) FROM below_ever AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm) END AS members,
    (SELECT count(*) FROM rescind.pending WHERE organization = %(o)s AND "group" = %(g)s AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
    AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = %(urgency)s
    AND EXISTS (SELECT 1 FROM rescind.pending AS own WHERE own.organization = %(o)s AND own."group" = %(g)s AND own.kind = 'assignment'
        AND own.ref = %(ref)s AND NOT own.parked)) AS unbegun,
    (SELECT min(c.id) FROM changed AS c WHERE c.is_live) AS first, (SELECT max(c.id) FROM changed AS c WHERE c.is_live) AS last

-- measure_member
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(top)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id AND a.ended IS NULL OFFSET 0) AS a) AS live,
    (SELECT count(*) FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id AND a.ended IS NOT NULL OFFSET 0) AS a) AS ended,
    1 AS groups, 1 AS members, 0 AS unbegun, NULL AS first, NULL AS last

-- measure_whole
WITH RECURSIVE
    below_ever (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    holder (id) AS (
    SELECT CAST(%(top)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n)
SELECT (SELECT count(*) FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id AND a.ended IS NULL OFFSET 0) AS a) AS live,
    (SELECT count(*) FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id AND a.ended IS NOT NULL OFFSET 0) AS a) AS ended,
    (SELECT count(*) FROM below_ever) AS groups,
CASE WHEN %(is_measured)s THEN 0 ELSE (
        SELECT count(*) FROM below_ever AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
            WHERE gm.organization = %(o)s AND gm."group" = b.id OFFSET 0) AS gm) END AS members,
    0 AS unbegun, NULL AS first, NULL AS last

-- note_failure
UPDATE rescind.pending SET attempts = attempts + 1, last_error = %(error)s, parked = (attempts + 1 >= %(most_attempts)s), not_before =
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
    + %(delay)s
WHERE organization = %(o)s AND "group" = %(g)s AND kind = %(kind)s AND ref = %(ref)s
AND revision + 0 = %(revision)s

-- park_pending
UPDATE rescind.pending SET parked = TRUE WHERE organization = %(o)s AND "group" = %(g)s AND NOT parked

-- purge_assignments
DELETE FROM rescind.assignment WHERE organization = %(o)s AND id IN (
    SELECT a.id FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.ended IS NOT NULL AND a.ended > 0
    AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s AND p.since <= a.ended) LIMIT %(limit)s)

-- purge_group_members
DELETE FROM rescind.group_member WHERE organization = %(o)s AND (membership, "group") IN (
    SELECT gm.membership, gm."group" FROM rescind."group" AS g
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = g.id OFFSET 0) AS gm
    WHERE g.organization = %(o)s AND g.ended IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s AND p."group" = g.id) LIMIT %(limit)s)

-- read_last_pending
SELECT max(p.revision + 0) AS revision FROM rescind.pending AS p WHERE p.organization = %(o)s AND p."group" = %(g)s

-- read_purged
SELECT rescind.tallied('altered') AS altered

-- refuse_pending_moved
SELECT 'pending_moved' AS code, 'group' AS fact, CAST(%(g)s AS TEXT) AS value
WHERE NOT EXISTS (
    SELECT 1 FROM rescind.pending AS p
    WHERE p.organization = %(o)s AND p."group" = %(g)s AND p.kind = %(kind)s AND p.ref = %(ref)s AND p.revision + 0 = %(revision)s
    AND p.since + 0 = %(since)s AND p.cursor_membership = %(cursor_m)s AND p.cursor_assignment = %(cursor_a)s)

-- retry_pending
UPDATE rescind.pending SET parked = FALSE, attempts = 0, not_before = 0 WHERE organization = %(o)s AND "group" = %(g)s
AND (parked OR attempts > 0 OR not_before > 0)

-- settle_changes
WITH span (since, revision, recorded_at) AS MATERIALIZED (
    SELECT CAST(i.value ->> 0 AS INTEGER), CAST(i.value ->> 1 AS INTEGER), CAST(i.value ->> 2 AS BIGINT)
    FROM rescind.json_items(%(spans)s) AS i)
UPDATE rescind.change SET settled_at = recorded_at +
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
    - (SELECT min(s.recorded_at) FROM span AS s WHERE s.since <= rescind.change.revision AND s.revision >= rescind.change.revision)
WHERE organization = %(o)s AND settled_at IS NULL AND revision = ANY (ARRAY(
        SELECT c.revision FROM span AS s CROSS JOIN LATERAL (
            SELECT x.revision FROM rescind.change AS x
            WHERE x.organization = %(o)s AND x.settled_at IS NULL AND x.revision >= s.since AND x.revision <= s.revision
                OFFSET 0) AS c))
AND (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s AND p.revision = rescind.change.revision LIMIT 1) IS NULL
AND (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s AND p.since < p.revision
    AND p.since <= rescind.change.revision AND p.revision > rescind.change.revision LIMIT 1) IS NULL
RETURNING direction, settled_at - recorded_at AS microseconds

-- unmake_assignment
WITH RECURSIVE
    below (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    below_ever (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    reached (membership, expires_at) AS MATERIALIZED (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END
    FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id
        AND gm.membership >= %(from_m)s AND gm.membership <= %(to_m)s OFFSET 0) AS gm
    GROUP BY gm.membership),
    concerned (membership) AS MATERIALIZED (
    SELECT gm.membership FROM below_ever AS b
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id
        AND gm.membership >= %(from_m)s AND gm.membership <= %(to_m)s OFFSET 0) AS gm
    UNION
    SELECT CAST(p.ref AS INTEGER) FROM below_ever AS b
    CROSS JOIN LATERAL (SELECT * FROM rescind.pending AS p
        WHERE p.organization = %(o)s AND p."group" = b.id AND p.kind = 'member'
        AND p.ref >= %(from_m)s AND p.ref <= %(to_m)s OFFSET 0) AS p),
    changed (id, is_live) AS MATERIALIZED (
    SELECT l.id, TRUE FROM (
        SELECT a.id FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = %(g)s AND a.holder < 0 AND a.ended IS NULL
        AND (a.made, a.id) > (%(since)s, %(above)s) AND (a.made, a.id) <= (%(revision)s, %(up_to)s)
        AND a.id > %(above)s AND a.id <= %(up_to)s
    ) AS l
    UNION ALL
    SELECT a.id, FALSE FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = %(g)s AND a.ended IS NOT NULL
    AND (a.ended, a.id) > (%(since)s, %(above)s) AND (a.ended, a.id) <= (%(revision)s, %(up_to)s)
    AND a.id > %(above)s AND a.id <= %(up_to)s
    ORDER BY 1),
    gone (membership) AS MATERIALIZED (
    SELECT c.membership FROM concerned AS c
    EXCEPT
    SELECT r.membership FROM reached AS r),
    doomed (membership, assignment) AS MATERIALIZED (
    SELECT c.membership, a.id FROM gone AS c CROSS JOIN changed AS a WHERE a.is_live AND (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s)
    UNION ALL
    SELECT c.membership, a.id FROM concerned AS c CROSS JOIN changed AS a WHERE NOT a.is_live AND (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s))
DELETE FROM rescind.effective_role WHERE organization = %(o)s
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- unmake_member
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(top)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    concerned (membership) AS MATERIALIZED (SELECT CAST(%(ref)s AS INTEGER)),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = c.membership OFFSET 0) AS gm
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = f."group" OFFSET 0) AS n),
    reached (membership, "group", expires_at) AS MATERIALIZED (
    SELECT f.membership, f."group", CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
    FROM flow AS f WHERE f."group" IN (SELECT h.id FROM holder AS h)
    GROUP BY f.membership, f."group"),
    gone (membership, "group") AS MATERIALIZED (
    SELECT c.membership, h.id FROM concerned AS c CROSS JOIN holder AS h
    EXCEPT
    SELECT r.membership, r."group" FROM reached AS r
    LIMIT 1000000000),
    taken_back (id) AS MATERIALIZED (
    SELECT a.id FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id AND a.ended IS NOT NULL OFFSET 0) AS a),
    doomed (membership, assignment) AS MATERIALIZED (
    SELECT c.membership, a.id
    FROM gone AS c CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = c."group" AND a.ended IS NULL OFFSET 0) AS a WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s)
    UNION ALL
    SELECT c.membership, a.id FROM concerned AS c CROSS JOIN taken_back AS a WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s))
DELETE FROM rescind.effective_role WHERE organization = %(o)s
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- unmake_members
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(top)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    concerned (membership) AS MATERIALIZED (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(%(members)s) AS i),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = c.membership OFFSET 0) AS gm
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = f."group" OFFSET 0) AS n),
    reached (membership, "group", expires_at) AS MATERIALIZED (
    SELECT f.membership, f."group", CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
    FROM flow AS f WHERE f."group" IN (SELECT h.id FROM holder AS h)
    GROUP BY f.membership, f."group"),
    gone (membership, "group") AS MATERIALIZED (
    SELECT c.membership, h.id FROM concerned AS c CROSS JOIN holder AS h
    EXCEPT
    SELECT r.membership, r."group" FROM reached AS r
    LIMIT 1000000000),
    taken_back (id) AS MATERIALIZED (
    SELECT a.id FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id AND a.ended IS NOT NULL OFFSET 0) AS a),
    doomed (membership, assignment) AS MATERIALIZED (
    SELECT c.membership, a.id
    FROM gone AS c CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = c."group" AND a.ended IS NULL OFFSET 0) AS a WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s)
    UNION ALL
    SELECT c.membership, a.id FROM concerned AS c CROSS JOIN taken_back AS a WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s))
DELETE FROM rescind.effective_role WHERE organization = %(o)s
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- unmake_whole
WITH RECURSIVE
    below_ever (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    holder (id) AS (
    SELECT CAST(%(top)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    concerned (membership) AS MATERIALIZED (
    SELECT gm.membership FROM below_ever AS b
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id
        AND gm.membership >= %(from_m)s AND gm.membership <= %(to_m)s OFFSET 0) AS gm
    UNION
    SELECT CAST(p.ref AS INTEGER) FROM below_ever AS b
    CROSS JOIN LATERAL (SELECT * FROM rescind.pending AS p
        WHERE p.organization = %(o)s AND p."group" = b.id AND p.kind = 'member'
        AND p.ref >= %(from_m)s AND p.ref <= %(to_m)s OFFSET 0) AS p),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = c.membership OFFSET 0) AS gm
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = f."group" OFFSET 0) AS n),
    reached (membership, "group", expires_at) AS MATERIALIZED (
    SELECT f.membership, f."group", CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
    FROM flow AS f WHERE f."group" IN (SELECT h.id FROM holder AS h)
    GROUP BY f.membership, f."group"),
    gone (membership, "group") AS MATERIALIZED (
    SELECT c.membership, h.id FROM concerned AS c CROSS JOIN holder AS h
    EXCEPT
    SELECT r.membership, r."group" FROM reached AS r
    LIMIT 1000000000),
    taken_back (id) AS MATERIALIZED (
    SELECT a.id FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = h.id AND a.ended IS NOT NULL OFFSET 0) AS a),
    doomed (membership, assignment) AS MATERIALIZED (
    SELECT c.membership, a.id
    FROM gone AS c CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = c."group" AND a.ended IS NULL OFFSET 0) AS a WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s)
    UNION ALL
    SELECT c.membership, a.id FROM concerned AS c CROSS JOIN taken_back AS a WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s))
DELETE FROM rescind.effective_role WHERE organization = %(o)s
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)
