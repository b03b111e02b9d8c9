-- advance_pending
UPDATE rescind_pending SET cursor_membership = :to_m, cursor_assignment = :up_to_a, done = done + :looked_at,
    total = COALESCE(total, :total), attempts = 0, last_error = NULL
WHERE organization = :o AND "group" = :g AND kind = :kind AND ref = :ref
AND revision + 0 = :revision

-- delete_gathered
DELETE FROM rescind_pending WHERE ref <> :ref AND revision + 0 <= (
    SELECT p.revision FROM rescind_pending AS p WHERE p.organization = :o AND p."group" = :g AND p.kind = :kind AND p.ref = :ref)
AND since + 0 >= (
    SELECT p.since FROM rescind_pending AS p WHERE p.organization = :o AND p."group" = :g AND p.kind = :kind AND p.ref = :ref)
AND organization = :o AND "group" = :g AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = :urgency
AND EXISTS (SELECT 1 FROM rescind_pending AS own WHERE own.organization = :o AND own."group" = :g AND own.kind = 'assignment'
    AND own.ref = :ref AND NOT own.parked)

-- find_assignment_bound_assignment
WITH
    changed (id, is_live) AS MATERIALIZED (
    SELECT l.id, TRUE FROM (
        SELECT a.id FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.holder = :g AND a.holder < 0 AND a.ended IS NULL
        AND a.made >= :since AND a.made <= :revision) AS l
    UNION ALL
    SELECT a.id, FALSE FROM rescind_assignment AS a
    WHERE a.organization = :o AND a.holder = :g AND a.ended IS NOT NULL AND a.ended >= :since AND a.ended <= :revision
    ORDER BY 1)
SELECT c.id AS bound FROM changed AS c WHERE c.id > :after_a ORDER BY c.id LIMIT 1 OFFSET :step

-- find_assignment_bound_whole
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = h.id)
SELECT x.id AS bound FROM (
    SELECT a.id FROM holder AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NULL
    UNION ALL
    SELECT a.id FROM holder AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NOT NULL) AS x
WHERE x.id > :after_a ORDER BY x.id LIMIT 1 OFFSET :step

-- find_group
SELECT o.id AS organization, g.id AS "group" FROM rescind_organization AS o CROSS JOIN rescind_group AS g ON g.organization = o.id AND g.slug = :group
WHERE o.slug = :organization

-- find_membership_bound
WITH RECURSIVE
    below_ever (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.parent = b.id)
SELECT min((SELECT gm.membership FROM rescind_group_member AS gm
        WHERE gm.organization = :o AND gm."group" = b.id AND gm.membership >= :from_m
        ORDER BY gm.membership LIMIT 1 OFFSET :step)) AS bound
FROM below_ever AS b

-- find_pending
SELECT
    p.organization, p."group", p.kind, p.ref, p.since, p.revision, p.cursor_membership, p.cursor_assignment, p.urgency, p.total,
    p.attempts, p.recorded_at
FROM rescind_pending AS p WHERE p.organization = :o AND p."group" = :g AND p.kind = :kind AND p.ref = :ref

-- gather_pending
UPDATE rescind_pending SET
    since = (SELECT min(since + 0) FROM rescind_pending WHERE organization = :o AND "group" = :g AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
    AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = :urgency
    AND EXISTS (SELECT 1 FROM rescind_pending AS own WHERE own.organization = :o AND own."group" = :g AND own.kind = 'assignment'
        AND own.ref = :ref AND NOT own.parked)
),
    revision = (SELECT max(revision + 0) FROM rescind_pending WHERE organization = :o AND "group" = :g AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
    AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = :urgency
    AND EXISTS (SELECT 1 FROM rescind_pending AS own WHERE own.organization = :o AND own."group" = :g AND own.kind = 'assignment'
        AND own.ref = :ref AND NOT own.parked)
),
    recorded_at = (SELECT min(recorded_at) FROM rescind_pending WHERE organization = :o AND "group" = :g AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
    AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = :urgency
    AND EXISTS (SELECT 1 FROM rescind_pending AS own WHERE own.organization = :o AND own."group" = :g AND own.kind = 'assignment'
        AND own.ref = :ref AND NOT own.parked)
),
    fence = (SELECT min(fence + 0) FROM rescind_pending WHERE organization = :o AND "group" = :g AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
    AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = :urgency
    AND EXISTS (SELECT 1 FROM rescind_pending AS own WHERE own.organization = :o AND own."group" = :g AND own.kind = 'assignment'
        AND own.ref = :ref AND NOT own.parked))
WHERE organization = :o AND "group" = :g AND kind = :kind AND ref = :ref
AND revision + 0 = :revision AND NOT parked

-- list_due
WITH RECURSIVE
    class (urgency) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2),
    start ("group") AS (SELECT CAST(:after AS INTEGER) UNION SELECT CAST(-2147483648 AS INTEGER)),
    turn (urgency, "group", place) AS (
    SELECT t.urgency, (
        SELECT p."group" FROM rescind_pending AS p
        WHERE p.urgency = t.urgency AND p.organization = :o AND p."group" > t."group" AND NOT p.parked AND p.not_before <= CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
        ORDER BY p.urgency, p.organization, p."group" LIMIT 1), 1
    FROM (SELECT c.urgency, s."group" FROM class AS c CROSS JOIN start AS s) AS t
    UNION ALL
    SELECT t.urgency, (
        SELECT p."group" FROM rescind_pending AS p
        WHERE p.urgency = t.urgency AND p.organization = :o AND p."group" > t."group" AND NOT p.parked AND p.not_before <= CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
        ORDER BY p.urgency, p.organization, p."group" LIMIT 1), t.place + 1
    FROM turn AS t WHERE t."group" IS NOT NULL AND t.place < :limit),
    oldest ("group", kind, ref) AS MATERIALIZED (
    SELECT t."group", (
        SELECT p.kind
        FROM rescind_pending AS p
        WHERE p.urgency = t.urgency AND p.organization = :o AND p."group" = t."group" AND NOT p.parked AND p.not_before <= CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
        ORDER BY p.urgency, p.organization, p."group", p.recorded_at, p.revision, p.kind, p.ref LIMIT 1
    ), (
        SELECT p.ref
        FROM rescind_pending AS p
        WHERE p.urgency = t.urgency AND p.organization = :o AND p."group" = t."group" AND NOT p.parked AND p.not_before <= CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
        ORDER BY p.urgency, p.organization, p."group", p.recorded_at, p.revision, p.kind, p.ref LIMIT 1
    )
    FROM (SELECT DISTINCT t.urgency, t."group" FROM turn AS t WHERE t."group" IS NOT NULL) AS t)
SELECT
    p.organization, p."group", p.kind, p.ref, p.since, p.revision, p.cursor_membership, p.cursor_assignment, p.urgency, p.total,
    p.attempts, p.recorded_at
FROM oldest AS x
CROSS JOIN rescind_pending AS p ON p.organization = :o AND p."group" = x."group" AND p.kind = x.kind AND p.ref = x.ref

-- list_due_organizations
WITH RECURSIVE
    class (urgency) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2),
    start (organization) AS (SELECT CAST(:after AS INTEGER) UNION SELECT -1),
    turn (urgency, organization, place) AS (
    SELECT t.urgency, (
        SELECT p.organization FROM rescind_pending AS p
        WHERE p.urgency = t.urgency AND p.organization > t.organization AND NOT p.parked AND p.not_before <= CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
        ORDER BY p.urgency, p.organization LIMIT 1), 1
    FROM (SELECT c.urgency, s.organization FROM class AS c CROSS JOIN start AS s WHERE c.urgency < :below) AS t
    UNION ALL
    SELECT t.urgency, (
        SELECT p.organization FROM rescind_pending AS p
        WHERE p.urgency = t.urgency AND p.organization > t.organization AND NOT p.parked AND p.not_before <= CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
        ORDER BY p.urgency, p.organization LIMIT 1), t.place + 1
    FROM turn AS t WHERE t.organization IS NOT NULL AND t.place < :limit)
SELECT DISTINCT t.urgency, t.organization FROM turn AS t WHERE t.organization IS NOT NULL

-- list_first_pending_of_group
SELECT
    p.organization, p."group", p.kind, p.ref, p.since, p.revision, p.cursor_membership, p.cursor_assignment, p.urgency, p.total,
    p.attempts, p.recorded_at
FROM rescind_pending AS p WHERE p.organization = :o AND p."group" = :g AND p.since + 0 <= :up_to
ORDER BY p.organization, p."group", p.kind, p.ref LIMIT 1

-- list_pending
SELECT o.slug AS organization, g.slug AS "group", p.kind, COALESCE(m.subject, t.slug) AS about, p.direction, p.urgency, p.done, p.total,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
    - p.recorded_at AS age, p.attempts, p.not_before -
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
    AS waits, p.parked, p.last_error, p.since, p.revision, p."group" AS group_number, o.id AS organization_number
FROM rescind_pending AS p CROSS JOIN rescind_organization AS o ON o.id = p.organization
LEFT JOIN rescind_group AS g ON g.organization = p.organization AND g.id = p."group"
LEFT JOIN rescind_membership AS m ON p.kind = 'member' AND m.organization = p.organization AND m.id = p.ref
LEFT JOIN rescind_group AS t ON p.kind = 'whole' AND t.organization = p.organization AND t.id = p.ref
WHERE CAST(:organization AS TEXT) IS NULL OR o.slug = :organization
ORDER BY p.urgency, p.recorded_at, p.organization, p."group", p.kind, p.ref LIMIT :limit

-- list_pending_groups
WITH RECURSIVE turn ("group") AS (
    SELECT CAST(-2147483648 AS INTEGER)
    UNION ALL
    SELECT (SELECT p."group" FROM rescind_pending AS p WHERE p.organization = :o AND p."group" > t."group"
        ORDER BY p.organization, p."group" LIMIT 1)
    FROM turn AS t WHERE t."group" IS NOT NULL)
SELECT t."group" FROM turn AS t WHERE (
    SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o AND p."group" = t."group" AND NOT p.parked LIMIT 1) IS NOT NULL

-- list_pending_members
SELECT p.ref, p.since, p.revision, p.recorded_at,
    p.urgency = :urgency AND p.cursor_membership = 0 AND p.cursor_assignment = 2147483647
AND (p.ref = :ref OR (p.attempts = 0 AND NOT p.parked AND p.not_before <= CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
)) AS is_ready
FROM rescind_pending AS p
WHERE p.organization = :o AND p."group" = :g AND p.kind = 'member' AND p.ref >= :first AND p.ref < :end
ORDER BY p.ref LIMIT :limit

-- list_purgeable
SELECT a.organization FROM rescind_assignment AS a WHERE a.ended IS NOT NULL AND a.ended > 0
AND NOT EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = a.organization AND p.since <= a.ended)
UNION
SELECT n.organization FROM rescind_recorded_nesting AS n WHERE n.ended IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = n.organization AND p.since <= n.ended)
UNION
SELECT g.organization FROM rescind_group AS g WHERE g.ended IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = g.organization)
ORDER BY 1 LIMIT :limit

-- make_member
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = h.id),
    concerned (membership) AS MATERIALIZED (SELECT CAST(:ref AS INTEGER)),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = c.membership
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = f."group"),
    reached (membership, "group", expires_at) AS MATERIALIZED (
    SELECT f.membership, f."group", CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
    FROM flow AS f WHERE f."group" IN (SELECT h.id FROM holder AS h)
    GROUP BY f.membership, f."group")
INSERT INTO rescind_effective_role (organization, membership, assignment, expires_at)
SELECT :o, c.membership, a.id, c.expires_at
FROM reached AS c CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = c."group" AND a.ended IS NULL
WHERE (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a)
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind_effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- make_members
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = h.id),
    concerned (membership) AS MATERIALIZED (SELECT CAST(i.value AS INTEGER) FROM json_each(:members) AS i),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = c.membership
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = f."group"),
    reached (membership, "group", expires_at) AS MATERIALIZED (
    SELECT f.membership, f."group", CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
    FROM flow AS f WHERE f."group" IN (SELECT h.id FROM holder AS h)
    GROUP BY f.membership, f."group")
INSERT INTO rescind_effective_role (organization, membership, assignment, expires_at)
SELECT :o, c.membership, a.id, c.expires_at
FROM reached AS c CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = c."group" AND a.ended IS NULL
WHERE (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a)
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind_effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- make_whole
WITH RECURSIVE
    below_ever (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.parent = b.id),
    holder (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = h.id),
    concerned (membership) AS MATERIALIZED (
    SELECT gm.membership FROM below_ever AS b
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    AND gm.membership >= :from_m AND gm.membership <= :to_m
    UNION
    SELECT CAST(p.ref AS INTEGER) FROM below_ever AS b
    CROSS JOIN rescind_pending AS p ON p.organization = :o AND p."group" = b.id AND p.kind = 'member'
    AND p.ref >= :from_m AND p.ref <= :to_m),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = c.membership
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = f."group"),
    reached (membership, "group", expires_at) AS MATERIALIZED (
    SELECT f.membership, f."group", CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
    FROM flow AS f WHERE f."group" IN (SELECT h.id FROM holder AS h)
    GROUP BY f.membership, f."group")
INSERT INTO rescind_effective_role (organization, membership, assignment, expires_at)
SELECT :o, c.membership, a.id, c.expires_at
FROM reached AS c CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = c."group" AND a.ended IS NULL
WHERE (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a)
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind_effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- measure_assignment
WITH RECURSIVE
    below_ever (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.parent = b.id),
    changed (id, is_live) AS MATERIALIZED (
    SELECT l.id, TRUE FROM (
        SELECT a.id FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.holder = :g AND a.holder < 0 AND a.ended IS NULL
        AND a.made >= :since AND a.made <= :revision) AS l
    UNION ALL
    SELECT a.id, FALSE FROM rescind_assignment AS a
    WHERE a.organization = :o AND a.holder = :g AND a.ended IS NOT NULL AND a.ended >= :since AND a.ended <= :revision
    ORDER BY 1)
SELECT (SELECT count(*) FROM changed AS c WHERE c.is_live) AS live, (SELECT count(*) FROM changed AS c WHERE NOT c.is_live) AS ended,
    (SELECT count(*) FROM below_ever) AS groups,
CASE WHEN :is_measured THEN 0 ELSE (
        SELECT count(*) FROM below_ever AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id) END AS members,
    (SELECT count(*) FROM rescind_pending WHERE organization = :o AND "group" = :g AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
    AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = :urgency
    AND EXISTS (SELECT 1 FROM rescind_pending AS own WHERE own.organization = :o AND own."group" = :g AND own.kind = 'assignment'
        AND own.ref = :ref AND NOT own.parked)) AS unbegun,
    (SELECT min(c.id) FROM changed AS c WHERE c.is_live) AS first, (SELECT max(c.id) FROM changed AS c WHERE c.is_live) AS last

-- measure_member
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = h.id)
SELECT (SELECT count(*) FROM holder AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NULL) AS live,
    (SELECT count(*) FROM holder AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NOT NULL) AS ended,
    1 AS groups, 1 AS members, 0 AS unbegun, NULL AS first, NULL AS last

-- measure_whole
WITH RECURSIVE
    below_ever (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.parent = b.id),
    holder (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = h.id)
SELECT (SELECT count(*) FROM holder AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NULL) AS live,
    (SELECT count(*) FROM holder AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NOT NULL) AS ended,
    (SELECT count(*) FROM below_ever) AS groups,
CASE WHEN :is_measured THEN 0 ELSE (
        SELECT count(*) FROM below_ever AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id) END AS members,
    0 AS unbegun, NULL AS first, NULL AS last

-- note_failure
UPDATE rescind_pending SET attempts = attempts + 1, last_error = :error, parked = (attempts + 1 >= :most_attempts), not_before =
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
    + :delay
WHERE organization = :o AND "group" = :g AND kind = :kind AND ref = :ref
AND revision + 0 = :revision

-- park_pending
UPDATE rescind_pending SET parked = TRUE WHERE organization = :o AND "group" = :g AND NOT parked

-- purge_assignments
DELETE FROM rescind_assignment WHERE organization = :o AND id IN (
    SELECT a.id FROM rescind_assignment AS a WHERE a.organization = :o AND a.ended IS NOT NULL AND a.ended > 0
    AND NOT EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o AND p.since <= a.ended) LIMIT :limit)

-- purge_group_members
DELETE FROM rescind_group_member WHERE organization = :o AND (membership, "group") IN (
    SELECT gm.membership, gm."group" FROM rescind_group AS g
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = g.id
    WHERE g.organization = :o AND g.ended IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o AND p."group" = g.id) LIMIT :limit)

-- read_last_pending
SELECT max(p.revision + 0) AS revision FROM rescind_pending AS p WHERE p.organization = :o AND p."group" = :g

-- read_purged
SELECT rescind_tallied('altered') AS altered

-- refuse_pending_moved
SELECT 'pending_moved' AS code, 'group' AS fact, CAST(:g AS TEXT) AS value
WHERE NOT EXISTS (
    SELECT 1 FROM rescind_pending AS p
    WHERE p.organization = :o AND p."group" = :g AND p.kind = :kind AND p.ref = :ref AND p.revision + 0 = :revision
    AND p.since + 0 = :since AND p.cursor_membership = :cursor_m AND p.cursor_assignment = :cursor_a)

-- retry_pending
UPDATE rescind_pending SET parked = FALSE, attempts = 0, not_before = 0 WHERE organization = :o AND "group" = :g
AND (parked OR attempts > 0 OR not_before > 0)

-- settle_changes
WITH span (since, revision, recorded_at) AS MATERIALIZED (
    SELECT CAST(i.value ->> 0 AS INTEGER), CAST(i.value ->> 1 AS INTEGER), CAST(i.value ->> 2 AS BIGINT)
    FROM json_each(:spans) AS i)
UPDATE rescind_change SET settled_at = recorded_at +
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
    - (SELECT min(s.recorded_at) FROM span AS s WHERE s.since <= rescind_change.revision AND s.revision >= rescind_change.revision)
WHERE organization = :o AND settled_at IS NULL AND revision IN (
    SELECT c.revision FROM span AS s CROSS JOIN rescind_change AS c ON c.organization = :o AND c.settled_at IS NULL
    AND c.revision >= s.since AND c.revision <= s.revision)
AND (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o AND p.revision = rescind_change.revision LIMIT 1) IS NULL
AND (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o AND p.since < p.revision
    AND p.since <= rescind_change.revision AND p.revision > rescind_change.revision LIMIT 1) IS NULL
RETURNING direction, settled_at - recorded_at AS microseconds

-- unmake_assignment
WITH RECURSIVE
    below (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id),
    below_ever (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.parent = b.id),
    reached (membership, expires_at) AS MATERIALIZED (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END
    FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    AND gm.membership >= :from_m AND gm.membership <= :to_m
    GROUP BY gm.membership),
    concerned (membership) AS MATERIALIZED (
    SELECT gm.membership FROM below_ever AS b
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    AND gm.membership >= :from_m AND gm.membership <= :to_m
    UNION
    SELECT CAST(p.ref AS INTEGER) FROM below_ever AS b
    CROSS JOIN rescind_pending AS p ON p.organization = :o AND p."group" = b.id AND p.kind = 'member'
    AND p.ref >= :from_m AND p.ref <= :to_m),
    changed (id, is_live) AS MATERIALIZED (
    SELECT l.id, TRUE FROM (
        SELECT a.id FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.holder = :g AND a.holder < 0 AND a.ended IS NULL
        AND (a.made, a.id) > (:since, :above) AND (a.made, a.id) <= (:revision, :up_to)
        AND a.id > :above AND a.id <= :up_to
    ) AS l
    UNION ALL
    SELECT a.id, FALSE FROM rescind_assignment AS a
    WHERE a.organization = :o AND a.holder = :g AND a.ended IS NOT NULL
    AND (a.ended, a.id) > (:since, :above) AND (a.ended, a.id) <= (:revision, :up_to)
    AND a.id > :above AND a.id <= :up_to
    ORDER BY 1),
    gone (membership) AS MATERIALIZED (
    SELECT c.membership FROM concerned AS c
    EXCEPT
    SELECT r.membership FROM reached AS r),
    doomed (membership, assignment) AS MATERIALIZED (
    SELECT c.membership, a.id FROM gone AS c CROSS JOIN changed AS a WHERE a.is_live AND (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a)
    UNION ALL
    SELECT c.membership, a.id FROM concerned AS c CROSS JOIN changed AS a WHERE NOT a.is_live AND (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a))
DELETE FROM rescind_effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- unmake_member
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = h.id),
    concerned (membership) AS MATERIALIZED (SELECT CAST(:ref AS INTEGER)),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = c.membership
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = f."group"),
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
    SELECT a.id FROM holder AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NOT NULL),
    doomed (membership, assignment) AS MATERIALIZED (
    SELECT c.membership, a.id
    FROM gone AS c CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = c."group" AND a.ended IS NULL WHERE (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a)
    UNION ALL
    SELECT c.membership, a.id FROM concerned AS c CROSS JOIN taken_back AS a WHERE (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a))
DELETE FROM rescind_effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- unmake_members
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = h.id),
    concerned (membership) AS MATERIALIZED (SELECT CAST(i.value AS INTEGER) FROM json_each(:members) AS i),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = c.membership
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = f."group"),
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
    SELECT a.id FROM holder AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NOT NULL),
    doomed (membership, assignment) AS MATERIALIZED (
    SELECT c.membership, a.id
    FROM gone AS c CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = c."group" AND a.ended IS NULL WHERE (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a)
    UNION ALL
    SELECT c.membership, a.id FROM concerned AS c CROSS JOIN taken_back AS a WHERE (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a))
DELETE FROM rescind_effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- unmake_whole
WITH RECURSIVE
    below_ever (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.parent = b.id),
    holder (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_recorded_nesting AS n ON n.organization = :o AND n.child = h.id),
    concerned (membership) AS MATERIALIZED (
    SELECT gm.membership FROM below_ever AS b
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    AND gm.membership >= :from_m AND gm.membership <= :to_m
    UNION
    SELECT CAST(p.ref AS INTEGER) FROM below_ever AS b
    CROSS JOIN rescind_pending AS p ON p.organization = :o AND p."group" = b.id AND p.kind = 'member'
    AND p.ref >= :from_m AND p.ref <= :to_m),
    flow (membership, "group", expires_at) AS (
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = c.membership
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = f."group"),
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
    SELECT a.id FROM holder AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NOT NULL),
    doomed (membership, assignment) AS MATERIALIZED (
    SELECT c.membership, a.id
    FROM gone AS c CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = c."group" AND a.ended IS NULL WHERE (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a)
    UNION ALL
    SELECT c.membership, a.id FROM concerned AS c CROSS JOIN taken_back AS a WHERE (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a))
DELETE FROM rescind_effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)
