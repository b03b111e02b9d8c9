-- Effective roles follow the facts here, by their difference only: the memberships that a change touches
-- times the assignments that it touches. A pair's expires_at is when the last path of group
-- memberships behind it expires; time itself plays no part.
--
-- doomed_* name the pairs that a change is about to unmake; they run before the facts go.

-- fragment: upward
upward (id) AS (            -- the group, and every group that its members flow into
    SELECT id FROM "group" WHERE organization = :o AND slug = :group
    UNION
    SELECT n.parent FROM upward AS u JOIN nesting AS n ON n.organization = :o AND n.child = u.id)

-- --- members ----------------------------------------------------------------------------------

-- fragment: listed
listed (id) AS (            -- a scalar subquery: whatever the statistics say, it is a look-up by key
    SELECT (SELECT m.id FROM membership AS m WHERE m.organization = :o AND m.subject = i.value)
    FROM json_texts(:members) AS i),
touched (membership) AS (
    SELECT gm.membership FROM listed AS l JOIN group_member AS gm ON gm.organization = :o AND gm.membership = l.id
    AND gm."group" = (SELECT id FROM "group" WHERE organization = :o AND slug = :group))

-- fragment: others
touched (membership) AS (
    SELECT gm.membership FROM "group" AS g JOIN group_member AS gm ON gm.organization = :o AND gm."group" = g.id
    WHERE g.organization = :o AND g.slug = :group
      AND gm.membership NOT IN (SELECT m.id FROM json_texts(:members) AS i
                                JOIN membership AS m ON m.organization = :o AND m.subject = i.value))

-- fragment: kept_without_members
kept (membership, "group", expires_at) AS (     -- the paths that remain without these places in the group
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t JOIN group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm."group" <> (SELECT id FROM "group" WHERE organization = :o AND slug = :group)
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k JOIN nesting AS n ON n.organization = :o AND n.child = k."group")

-- fragment: kept_with_members
kept (membership, "group", expires_at) AS (     -- all paths as they are
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t JOIN group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k JOIN nesting AS n ON n.organization = :o AND n.child = k."group")

-- fragment: doomed
doomed (membership, assignment) AS (
    SELECT t.membership, a.id
    FROM (SELECT DISTINCT membership FROM touched) AS t CROSS JOIN upward AS u
    JOIN assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
    WHERE NOT EXISTS (SELECT 1 FROM kept AS k WHERE k.membership = t.membership AND k."group" = u.id))

-- fragment: drop
DELETE FROM effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- fragment: shorten
UPDATE effective_role AS e SET expires_at = s.expires_at
FROM (SELECT k.membership, a.id AS assignment,
             CASE WHEN count(*) = count(k.expires_at) THEN max(k.expires_at) END AS expires_at
      FROM upward AS u JOIN kept AS k ON k."group" = u.id
      JOIN assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
      GROUP BY k.membership, a.id) AS s
WHERE e.organization = :o AND e.membership = s.membership AND e.assignment = s.assignment
  AND COALESCE(s.expires_at, 9223372036854775807) < COALESCE(e.expires_at, 9223372036854775807)

-- fragment: reset
INSERT INTO role_reset (organization, membership, assignment)
SELECT :o, e.membership, e.assignment
FROM organization AS o
JOIN (SELECT DISTINCT d.membership, (           -- the winning role, before the change
          SELECT r.id FROM effective_role AS w
          JOIN assignment AS a ON a.organization = :o AND a.id = w.assignment JOIN role AS r ON r.id = a.role
          WHERE w.organization = :o AND w.membership = d.membership AND w.assignment < 0
            AND NOT EXISTS (SELECT 1 FROM role_reset AS x WHERE x.organization = :o
                            AND x.membership = w.membership AND x.assignment = w.assignment)
          ORDER BY r.priority DESC, r.id LIMIT 1) AS role
      FROM doomed AS d WHERE d.assignment < 0) AS winner ON TRUE
JOIN effective_role AS e ON e.organization = :o AND e.membership = winner.membership AND e.assignment < 0
WHERE o.id = :o AND o.role_mode = 'single' AND o.on_loss = 'default'
  AND NOT EXISTS (                              -- no source of it remains
      SELECT 1 FROM effective_role AS w JOIN assignment AS a ON a.organization = :o AND a.id = w.assignment
      WHERE w.organization = :o AND w.membership = winner.membership AND w.assignment < 0 AND a.role = winner.role
        AND NOT EXISTS (SELECT 1 FROM role_reset AS x WHERE x.organization = :o
                        AND x.membership = w.membership AND x.assignment = w.assignment)
        AND NOT EXISTS (SELECT 1 FROM doomed AS d
                        WHERE d.membership = w.membership AND d.assignment = w.assignment))
  AND winner.role IS NOT NULL
ON CONFLICT (organization, membership, assignment) DO NOTHING

-- fragment: forget
DELETE FROM role_reset WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- name: extend_for_members
WITH RECURSIVE
@upward
,
@listed
INSERT INTO effective_role (organization, membership, assignment, expires_at)
SELECT :o, gm.membership, a.id, gm.expires_at
FROM touched AS t JOIN group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
     AND gm."group" = (SELECT id FROM "group" WHERE organization = :o AND slug = :group)
CROSS JOIN upward AS u JOIN assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
WHERE TRUE
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- name: shorten_for_members
WITH RECURSIVE
@upward
,
@listed
,
@kept_with_members
@shorten

-- name: reset_for_members
WITH RECURSIVE
@upward
,
@listed
,
@kept_without_members
,
@doomed
@reset

-- name: forget_for_members
WITH RECURSIVE
@upward
,
@listed
,
@kept_without_members
,
@doomed
@forget

-- name: drop_for_members
WITH RECURSIVE
@upward
,
@listed
,
@kept_without_members
,
@doomed
@drop

-- name: shorten_without_members
WITH RECURSIVE
@upward
,
@listed
,
@kept_without_members
@shorten

-- name: reset_for_others
WITH RECURSIVE
@upward
,
@others
,
@kept_without_members
,
@doomed
@reset

-- name: forget_for_others
WITH RECURSIVE
@upward
,
@others
,
@kept_without_members
,
@doomed
@forget

-- name: drop_for_others
WITH RECURSIVE
@upward
,
@others
,
@kept_without_members
,
@doomed
@drop

-- name: shorten_without_others
WITH RECURSIVE
@upward
,
@others
,
@kept_without_members
@shorten

-- --- nestings ---------------------------------------------------------------------------------

-- fragment: below
below (id) AS (             -- the group, and every group that flows into it
    SELECT id FROM "group" WHERE organization = :o AND slug = :child
    UNION
    SELECT n.child FROM below AS b JOIN nesting AS n ON n.organization = :o AND n.parent = b.id)

-- fragment: around
upward (id) AS (            -- where the nesting leads: every group around the child through it
    SELECT n.parent FROM "group" AS c JOIN nesting AS n ON n.organization = :o AND n.child = c.id
    JOIN "group" AS p ON p.organization = :o AND p.id = n.parent
    WHERE c.organization = :o AND c.slug = :child AND (CAST(:parent AS TEXT) IS NULL OR p.slug = :parent)
    UNION
    SELECT n.parent FROM upward AS u JOIN nesting AS n ON n.organization = :o AND n.child = u.id)

-- fragment: of_child
touched (membership) AS (
    SELECT DISTINCT gm.membership FROM below AS b
    JOIN group_member AS gm ON gm.organization = :o AND gm."group" = b.id)

-- fragment: kept_without_nesting
kept (membership, "group", expires_at) AS (     -- the paths that remain without the nesting
    SELECT gm.membership, gm."group", gm.expires_at
    FROM touched AS t JOIN group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    UNION
    SELECT k.membership, n.parent, k.expires_at
    FROM kept AS k JOIN nesting AS n ON n.organization = :o AND n.child = k."group"
    WHERE NOT (n.child = (SELECT id FROM "group" WHERE organization = :o AND slug = :child)
               AND (CAST(:parent AS TEXT) IS NULL
                    OR n.parent = (SELECT id FROM "group" WHERE organization = :o AND slug = :parent))))

-- name: extend_for_nesting
WITH RECURSIVE
@below
,
@around
INSERT INTO effective_role (organization, membership, assignment, expires_at)
SELECT :o, t.membership, a.id, t.expires_at
FROM (SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END AS expires_at
      FROM below AS b JOIN group_member AS gm ON gm.organization = :o AND gm."group" = b.id
      GROUP BY gm.membership) AS t
CROSS JOIN upward AS u JOIN assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
WHERE TRUE
ORDER BY t.membership, a.id
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(effective_role.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- name: reset_for_nesting
WITH RECURSIVE
@below
,
@around
,
@of_child
,
@kept_without_nesting
,
@doomed
@reset

-- name: forget_for_nesting
WITH RECURSIVE
@below
,
@around
,
@of_child
,
@kept_without_nesting
,
@doomed
@forget

-- name: drop_for_nesting
WITH RECURSIVE
@below
,
@around
,
@of_child
,
@kept_without_nesting
,
@doomed
@drop

-- name: shorten_without_nesting
WITH RECURSIVE
@below
,
@around
,
@of_child
,
@kept_without_nesting
@shorten

-- --- assignments ------------------------------------------------------------------------------

-- fragment: ending
flow (assignment, id) AS (      -- the groups that flow into the holder of an assignment taken back
    SELECT a.id, a.holder FROM assignment AS a WHERE a.organization = :o AND a.ended IS NOT NULL
    UNION
    SELECT f.assignment, n.child FROM flow AS f JOIN nesting AS n ON n.organization = :o AND n.parent = f.id),
doomed (membership, assignment) AS (
    SELECT gm.membership, f.assignment FROM flow AS f
    JOIN group_member AS gm ON gm.organization = :o AND gm."group" = f.id WHERE f.id < 0
    UNION
    SELECT f.id, f.assignment FROM flow AS f WHERE f.id > 0)

-- name: extend_for_holder
WITH RECURSIVE below (id) AS (
    SELECT id FROM "group" WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b JOIN nesting AS n ON n.organization = :o AND n.parent = b.id),
@given
INSERT INTO effective_role (organization, membership, assignment, expires_at)
SELECT :o, t.membership, a.id, t.expires_at
FROM organization AS o CROSS JOIN holder AS h CROSS JOIN given AS g
JOIN assignment AS a ON a.organization = :o AND a.holder = h.id AND a.resource = g.resource AND a.role = g.role
     AND a.ended IS NULL AND abs(a.id) > o.last_number      -- made by this very transaction
CROSS JOIN (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END AS expires_at
    FROM below AS b JOIN group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    GROUP BY gm.membership
    UNION ALL
    SELECT m.id, NULL FROM membership AS m WHERE m.organization = :o AND m.subject = :subject) AS t
WHERE o.id = :o
ORDER BY t.membership, a.id
ON CONFLICT (organization, membership, assignment) DO NOTHING

-- name: reset_for_ended
WITH RECURSIVE
@ending
@reset

-- name: forget_for_ended
WITH RECURSIVE
@ending
@forget

-- name: drop_for_ended
WITH RECURSIVE
@ending
@drop
