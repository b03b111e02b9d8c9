-- Inline changes of effective roles. Each statement changes only the difference: the memberships that a change
-- touches times the assignments that it touches. The expires_at of an effective role is when the last path of group
-- memberships behind it expires; the current time plays no part.
--
-- drop_* and shorten_* run before the facts are deleted.
--
-- While work is pending, removed rows are looked for along removed nestings and assignments too (*_ever), because
-- effective roles may still exist that only those gave.

-- fragment: upward
upward (id) AS (            -- the group, and every group that its members flow into
    SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u JOIN rescind.nesting AS n ON n.organization = :o AND n.child = u.id)

-- fragment: upward_ever
upward (id) AS (            -- the same, by nestings that are or were
    SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u JOIN rescind.recorded_nesting AS n ON n.organization = :o AND n.child = u.id)

-- --- members ----------------------------------------------------------------------------------

-- fragment: listed
listed (id) AS (            -- a scalar subquery: whatever the statistics say, it is a look-up by key
    SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value)
    FROM rescind.json_texts(:members) AS i),
touched (membership) AS (
    SELECT gm.membership FROM listed AS l JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = l.id
    AND gm."group" = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group))

-- fragment: others
touched (membership) AS (
    SELECT gm.membership FROM rescind."group" AS g JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = g.id
    WHERE g.organization = :o AND g.slug = :group
      AND gm.membership NOT IN (SELECT m.id FROM rescind.json_texts(:members) AS i
                                JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value))

-- fragment: kept_without_members
kept (membership, "group", expires_at) AS (     -- the paths that remain without these places in the group
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm."group" <> (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k JOIN rescind.nesting AS n ON n.organization = :o AND n.child = k."group")

-- SQLite estimates a product of two recursive sets as larger than any table, and would build a Bloom filter over all
-- assignments. A LIMIT that is never reached lowers the estimate.

-- fragment: doomed_ever
lost (membership, "group") AS (
    SELECT t.membership, u.id
    FROM (SELECT DISTINCT membership FROM touched) AS t CROSS JOIN upward AS u
    WHERE NOT EXISTS (SELECT 1 FROM kept AS k WHERE k.membership = t.membership AND k."group" = u.id)
    LIMIT 1000000000),
doomed (membership, assignment) AS (
    SELECT l.membership, a.id
    FROM lost AS l JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = l."group" AND a.ended IS NULL
    UNION ALL
    SELECT l.membership, a.id
    FROM lost AS l JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = l."group" AND a.ended IS NOT NULL)

-- fragment: shorten
UPDATE rescind.effective_role AS e SET expires_at = s.expires_at
FROM (SELECT k.membership, a.id AS assignment,
             CASE WHEN count(*) = count(k.expires_at) THEN max(k.expires_at) END AS expires_at
      FROM upward AS u JOIN kept AS k ON k."group" = u.id
      JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
      GROUP BY k.membership, a.id) AS s
WHERE e.organization = :o AND e.membership = s.membership AND e.assignment = s.assignment
  AND COALESCE(s.expires_at, 9223372036854775807) < COALESCE(e.expires_at, 9223372036854775807)

-- Members of the group already have what it holds, or pending work gives it to them. Only memberships whose place in
-- the group is about to be made or lengthened get it here. These run before the places are written.

-- fragment: places
(SELECT l.id AS membership, gm.membership AS present, gm.expires_at
    FROM (SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value) AS id
        FROM rescind.json_texts(:members) AS i) AS l
    LEFT JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = l.id AND gm."group" =
        (SELECT g.id FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :group)
) AS p

-- name: extend_for_members_joining
WITH RECURSIVE
@pairs.upward,
joining (membership, until) AS (
    SELECT p.membership, CAST(:expires_at AS BIGINT) FROM @pairs.places
    WHERE p.membership IS NOT NULL AND (p.present IS NULL
        OR COALESCE(p.expires_at, 9223372036854775807) < COALESCE(CAST(:expires_at AS BIGINT), 9223372036854775807)))
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT :o, j.membership, a.id, j.until
FROM joining AS j CROSS JOIN upward AS u JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
WHERE TRUE
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- name: extend_for_members_missing
WITH RECURSIVE
@pairs.upward,
joining (membership, until) AS (
    SELECT p.membership, CAST(NULL AS BIGINT) FROM @pairs.places
    WHERE p.membership IS NOT NULL AND (p.present IS NULL OR p.expires_at <= :now))
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT :o, j.membership, a.id, j.until
FROM joining AS j CROSS JOIN upward AS u JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
WHERE TRUE
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- name: shorten_for_members
WITH RECURSIVE
@pairs.upward,
@pairs.listed,
kept (membership, "group", expires_at) AS (     -- all paths as they are
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k JOIN rescind.nesting AS n ON n.organization = :o AND n.child = k."group")
@pairs.shorten

-- name: drop_for_members
WITH RECURSIVE
@pairs.upward_ever,
@pairs.listed,
@pairs.kept_without_members,
@pairs.doomed_ever
DELETE FROM rescind.effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- name: shorten_without_members
WITH RECURSIVE
@pairs.upward,
@pairs.listed,
@pairs.kept_without_members
@pairs.shorten

-- name: drop_for_others
WITH RECURSIVE
@pairs.upward_ever,
@pairs.others,
@pairs.kept_without_members,
@pairs.doomed_ever
DELETE FROM rescind.effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- name: shorten_without_others
WITH RECURSIVE
@pairs.upward,
@pairs.others,
@pairs.kept_without_members
@pairs.shorten

-- --- nestings ---------------------------------------------------------------------------------

-- fragment: below
below (id) AS (             -- the group, and every group that flows into it
    SELECT id FROM rescind."group" WHERE organization = :o AND slug = :child
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id)

-- fragment: around
upward (id) AS (            -- where the nesting leads: every group around the child through it
    SELECT n.parent FROM rescind."group" AS c JOIN rescind.nesting AS n ON n.organization = :o AND n.child = c.id
    JOIN rescind."group" AS p ON p.organization = :o AND p.id = n.parent
    WHERE c.organization = :o AND c.slug = :child AND (CAST(:parent AS TEXT) IS NULL OR p.slug = :parent)
    UNION
    SELECT n.parent FROM upward AS u JOIN rescind.nesting AS n ON n.organization = :o AND n.child = u.id)

-- fragment: kept_without_nesting
kept (membership, "group", expires_at) AS (     -- the paths that remain without the nesting
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k JOIN rescind.nesting AS n ON n.organization = :o AND n.child = k."group"
    WHERE NOT (n.child = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :child)
               AND (CAST(:parent AS TEXT) IS NULL
                    OR n.parent = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :parent))))

-- name: extend_for_nesting
WITH RECURSIVE
@pairs.below,
@pairs.around
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT :o, t.membership, a.id, t.expires_at
FROM (SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END AS expires_at
      FROM below AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id
      GROUP BY gm.membership) AS t
CROSS JOIN upward AS u JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
WHERE TRUE
ORDER BY t.membership, a.id
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- name: drop_for_nesting
WITH RECURSIVE
@pairs.below,
upward (id) AS (            -- the same; beyond the first step also by nestings that were
    SELECT n.parent FROM rescind."group" AS c JOIN rescind.nesting AS n ON n.organization = :o AND n.child = c.id
    JOIN rescind."group" AS p ON p.organization = :o AND p.id = n.parent
    WHERE c.organization = :o AND c.slug = :child AND (CAST(:parent AS TEXT) IS NULL OR p.slug = :parent)
    UNION
    SELECT n.parent FROM upward AS u JOIN rescind.recorded_nesting AS n ON n.organization = :o AND n.child = u.id),
touched (membership) AS (
    SELECT DISTINCT gm.membership FROM below AS b
    JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id),
@pairs.kept_without_nesting,
@pairs.doomed_ever
DELETE FROM rescind.effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- name: shorten_without_nesting
WITH RECURSIVE
@pairs.below,
@pairs.around,
touched (membership) AS (
    SELECT DISTINCT gm.membership FROM below AS b
    JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id),
@pairs.kept_without_nesting
@pairs.shorten

-- --- assignments ------------------------------------------------------------------------------

-- name: extend_for_subject
WITH
@changes.given
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT :o, a.holder, a.id, CAST(NULL AS BIGINT)
FROM rescind.organization AS o CROSS JOIN given AS g
JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
     AND a.role = g.role AND a.ended IS NULL AND a.made = o.revision + 1
WHERE o.id = :o
ON CONFLICT (organization, membership, assignment) DO NOTHING

-- name: extend_for_group
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id),
@changes.given
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT :o, t.membership, a.id, t.expires_at
FROM rescind.organization AS o CROSS JOIN given AS g
JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
     AND a.role = g.role AND a.ended IS NULL AND a.made = o.revision + 1
CROSS JOIN (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END AS expires_at
    FROM below AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    GROUP BY gm.membership) AS t
WHERE o.id = :o
ORDER BY t.membership, a.id
ON CONFLICT (organization, membership, assignment) DO NOTHING

-- name: drop_for_ended
WITH RECURSIVE
flow (assignment, id) AS (      -- the groups that flow into the holder of an assignment taken back
    SELECT a.id, a.holder FROM rescind.assignment AS a WHERE a.organization = :o AND a.ended < 0
    UNION
    SELECT f.assignment, n.child FROM flow AS f JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = f.id),
doomed (membership, assignment) AS (
    SELECT gm.membership, f.assignment FROM flow AS f
    JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = f.id WHERE f.id < 0
    UNION
    SELECT f.id, f.assignment FROM flow AS f WHERE f.id > 0)
DELETE FROM rescind.effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- name: drop_direct_for_ended
DELETE FROM rescind.effective_role WHERE organization = :o AND (membership, assignment) IN (
    SELECT a.holder, a.id FROM rescind.assignment AS a WHERE a.organization = :o AND a.ended < 0 AND a.holder > 0)

-- Everything of one holder that this change has ended so far.

-- name: drop_ended_of_group
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id)
DELETE FROM rescind.effective_role WHERE organization = :o AND (membership, assignment) IN (
    SELECT gm.membership, e.id FROM (
        SELECT a.id, a.holder, a.ended FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o) AND a.holder =
            (SELECT g.id FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :group)
    ) AS e CROSS JOIN below AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id)

-- name: drop_ended_of_subject
DELETE FROM rescind.effective_role WHERE organization = :o AND (membership, assignment) IN (
    SELECT e.holder, e.id FROM (
        SELECT a.id, a.holder, a.ended FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o) AND a.holder =
            (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = :subject)
    ) AS e)
