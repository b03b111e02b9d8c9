-- The route of a change, and the pending work of the background route.
--
-- weigh_* estimate how many pairs a change concerns, counting at most :most on either side. They also tell whether it
-- takes critical roles away, whether a job is working on one of the groups (is_busy; otherwise the groups' rows are
-- locked so that no job starts on them), and whether anything is pending in the organization. `Transaction.weigh`
-- decides by that.
--
-- pend_* record what a job must look at. A newer change to the same thing coalesces into the existing row: it starts
-- again, and revoking wins over granting.

-- fragment: is_unsettled
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o)

-- A change that takes away also looks at assignments that were taken back before, because rows may remain that only
-- those gave.

-- fragment: upward_assignments
(SELECT count(*) FROM (
    SELECT 1 FROM upward AS u JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NULL
    UNION ALL
    SELECT 1 FROM upward AS u JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = u.id AND a.ended IS NOT NULL
    WHERE :takes
    LIMIT :most) AS counted)

-- fragment: upward_critical
(:takes AND EXISTS (
    SELECT 1 FROM rescind.role AS q JOIN rescind.assignment AS a ON a.role = q.id AND a.organization = :o AND a.ended IS NULL
    WHERE q.critical AND q.organization IN (0, :o) AND a.holder IN (SELECT u.id FROM upward AS u)))

-- Of the listed memberships, those count that are in the group, or whose place in it the change makes or alters.

-- name: weigh_members
WITH RECURSIVE
@pairs.upward_ever
SELECT (SELECT count(*) FROM @pairs.places
    WHERE p.present IS NOT NULL) *
    @pending.upward_assignments AS pairs,
    @pending.upward_critical AS is_critical,
    @engine.is_busy AS is_busy,
    @pending.is_unsettled AS is_unsettled

-- name: weigh_members_joining
WITH RECURSIVE
@pairs.upward_ever
SELECT (SELECT count(*) FROM @pairs.places
    WHERE p.present IS NULL
    OR COALESCE(p.expires_at, 9223372036854775807) <> COALESCE(CAST(:expires_at AS BIGINT), 9223372036854775807)) *
    @pending.upward_assignments AS pairs,
    @pending.upward_critical AS is_critical,
    @engine.is_busy AS is_busy,
    @pending.is_unsettled AS is_unsettled

-- name: weigh_members_missing
WITH RECURSIVE
@pairs.upward_ever
SELECT (SELECT count(*) FROM @pairs.places
    WHERE p.present IS NULL OR p.expires_at <= :now) *
    @pending.upward_assignments AS pairs,
    @pending.upward_critical AS is_critical,
    @engine.is_busy AS is_busy,
    @pending.is_unsettled AS is_unsettled

-- name: weigh_others
WITH RECURSIVE
@pairs.upward_ever
SELECT (SELECT count(*) FROM (
        SELECT 1 FROM rescind."group" AS g JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = g.id
        WHERE g.organization = :o AND g.slug = :group
          AND gm.membership NOT IN (SELECT m.id FROM rescind.json_texts(:members) AS i
                                    JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value)
        LIMIT :most) AS counted) *
@pending.upward_assignments AS pairs,
@pending.upward_critical AS is_critical,
@engine.is_busy AS is_busy,
@pending.is_unsettled AS is_unsettled

-- name: weigh_membership
WITH RECURSIVE upward (id) AS (
    SELECT gm."group" FROM rescind.membership AS m JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = m.id
    WHERE m.organization = :o AND m.subject = :subject
    UNION
    SELECT n.parent FROM upward AS u JOIN rescind.recorded_nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT @pending.upward_assignments AS pairs,
@pending.upward_critical AS is_critical,
@engine.is_busy AS is_busy,
@pending.is_unsettled AS is_unsettled

-- fragment: members_below
(SELECT count(*) FROM (
    SELECT 1 FROM below AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    LIMIT :most) AS counted)

-- name: weigh_nesting
WITH RECURSIVE
@pairs.below,
upward (id) AS (            -- the same; beyond the first step also by nestings that were
    SELECT n.parent FROM rescind."group" AS c JOIN rescind.nesting AS n ON n.organization = :o AND n.child = c.id
    JOIN rescind."group" AS p ON p.organization = :o AND p.id = n.parent
    WHERE c.organization = :o AND c.slug = :child AND (CAST(:parent AS TEXT) IS NULL OR p.slug = :parent)
    UNION
    SELECT n.parent FROM upward AS u JOIN rescind.recorded_nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT @pending.members_below
*
@pending.upward_assignments AS pairs,
@pending.upward_critical AS is_critical,
@engine.is_busy AS is_busy,
@pending.is_unsettled AS is_unsettled

-- name: weigh_new_nesting
WITH RECURSIVE
@pairs.below,
upward (id) AS (            -- none where it is nested already
    SELECT p.id FROM rescind."group" AS p WHERE p.organization = :o AND p.slug = :parent AND NOT EXISTS (
        SELECT 1 FROM rescind.nesting AS n WHERE n.organization = :o AND n.parent = p.id AND n.child = (
            SELECT c.id FROM rescind."group" AS c WHERE c.organization = :o AND c.slug = :child))
    UNION
    SELECT n.parent FROM upward AS u JOIN rescind.recorded_nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT @pending.members_below
*
@pending.upward_assignments AS pairs,
@pending.upward_critical AS is_critical,
@engine.is_busy AS is_busy,
@pending.is_unsettled AS is_unsettled

-- name: weigh_given
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id),
upward (id) AS (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group),
@changes.given
SELECT (    -- those that the change has made
    SELECT count(*) FROM rescind.organization AS o CROSS JOIN given AS g
    JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
         AND a.role = g.role AND a.ended IS NULL AND a.made = o.revision + 1
    WHERE o.id = :o) *
@pending.members_below AS pairs, :takes AND FALSE AS is_critical,
@engine.is_busy AS is_busy,
@pending.is_unsettled AS is_unsettled

-- For one group, everything that ended counts for each member; for several groups, pairs are counted up to :most.

-- name: weigh_ended
WITH RECURSIVE upward (id) AS (
    SELECT DISTINCT a.holder FROM rescind.assignment AS a WHERE a.organization = :o AND a.ended < 0 AND a.holder < 0),
below (id) AS (
    SELECT u.id FROM upward AS u
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id)
SELECT @pending.members_below
* CASE WHEN (SELECT count(*) FROM upward) = 1
       THEN (SELECT count(*) FROM rescind.assignment AS a WHERE a.organization = :o AND a.ended < 0 AND a.holder < 0)
       ELSE 1 END AS pairs,
:takes AND EXISTS (SELECT 1 FROM rescind.assignment AS a JOIN rescind.role AS q ON q.id = a.role AND q.critical
                   WHERE a.organization = :o AND a.ended < 0) AS is_critical,
@engine.is_busy AS is_busy,
@pending.is_unsettled AS is_unsettled

-- For one group: everything of it that this change has ended so far.

-- name: weigh_ended_of_group
WITH RECURSIVE ended (id) AS (
    SELECT e.holder FROM (
        SELECT a.id, a.holder, a.ended FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o) AND a.holder =
            (SELECT g.id FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :group)
        LIMIT :most
    ) AS e),
upward (id) AS (SELECT e.id FROM ended AS e LIMIT 1),
below (id) AS (
    SELECT u.id FROM upward AS u
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id)
SELECT @pending.members_below
    * (SELECT count(*) FROM ended) AS pairs,
    :takes AND
    COALESCE((SELECT q.critical FROM rescind.role AS q WHERE q.slug = :role AND q.organization = :o),
        (SELECT q.critical FROM rescind.role AS q WHERE q.slug = :role AND q.organization = 0))
    AS is_critical,
    @engine.is_busy AS is_busy,
    @pending.is_unsettled AS is_unsettled

-- --- pending work -------------------------------------------------------------------------------

-- fragment: into_pending
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, w."group", w.kind, w.ref,
       CASE WHEN w.revokes OR o.role_mode = 'single' THEN 'revokes' ELSE 'grants' END,
       CASE WHEN NOT w.revokes THEN 2 WHEN rescind.tallied('critical') > 0 THEN 0 ELSE 1 END,
       CASE WHEN o.role_mode = 'single' THEN 0 WHEN w.revokes THEN w.fence END,
       o.revision + 1, o.revision + 1,
@engine.clock
FROM rescind.organization AS o

-- fragment: coalescing
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
                       THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- fragment: listed_member
(SELECT g.id AS "group", 'member' AS kind, m.id AS ref, m.id AS fence, gm.membership AS present, gm.expires_at
 FROM rescind."group" AS g CROSS JOIN rescind.json_texts(:members) AS i
 JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value
 LEFT JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = m.id AND gm."group" = g.id
 WHERE g.organization = :o AND g.slug = :group) AS l

-- name: pend_members_joining
@pending.into_pending
CROSS JOIN (
    SELECT l."group", l.kind, l.ref, l.fence, l.present IS NOT NULL
           AND COALESCE(CAST(:expires_at AS BIGINT), 9223372036854775807) < COALESCE(l.expires_at, 9223372036854775807) AS revokes
    FROM @pending.listed_member
    WHERE l.present IS NULL
       OR COALESCE(l.expires_at, 9223372036854775807) <> COALESCE(CAST(:expires_at AS BIGINT), 9223372036854775807)) AS w
@pending.coalescing

-- name: pend_members_missing
@pending.into_pending
CROSS JOIN (
    SELECT l."group", l.kind, l.ref, l.fence, FALSE AS revokes FROM @pending.listed_member
    WHERE l.present IS NULL OR l.expires_at <= :now) AS w
@pending.coalescing

-- name: pend_members_leaving
@pending.into_pending
CROSS JOIN (
    SELECT l."group", l.kind, l.ref, l.fence, TRUE AS revokes FROM @pending.listed_member
    WHERE l.present IS NOT NULL) AS w
@pending.coalescing

-- name: pend_others_leaving
@pending.into_pending
CROSS JOIN (
    SELECT g.id AS "group", 'member' AS kind, gm.membership AS ref, gm.membership AS fence, TRUE AS revokes
    FROM rescind."group" AS g JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = g.id
    WHERE g.organization = :o AND g.slug = :group
      AND gm.membership NOT IN (SELECT m.id FROM rescind.json_texts(:members) AS i
                                JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value)) AS w
@pending.coalescing

-- name: pend_membership
@pending.into_pending
CROSS JOIN (
    SELECT gm."group", 'member' AS kind, m.id AS ref, m.id AS fence, TRUE AS revokes
    FROM rescind.membership AS m JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = m.id
    WHERE m.organization = :o AND m.subject = :subject) AS w
@pending.coalescing

-- name: pend_nesting
@pending.into_pending
CROSS JOIN (
    SELECT c.id AS "group", 'whole' AS kind, p.id AS ref, 0 AS fence, FALSE AS revokes
    FROM rescind."group" AS c JOIN rescind."group" AS p ON p.organization = :o AND p.slug = :parent
    WHERE c.organization = :o AND c.slug = :child
      AND NOT EXISTS (SELECT 1 FROM rescind.nesting AS n WHERE n.organization = :o AND n.child = c.id AND n.parent = p.id)) AS w
@pending.coalescing

-- name: pend_unnesting
@pending.into_pending
CROSS JOIN (
    SELECT c.id AS "group", 'whole' AS kind, n.parent AS ref, 0 AS fence, TRUE AS revokes
    FROM rescind."group" AS c JOIN rescind.nesting AS n ON n.organization = :o AND n.child = c.id
    JOIN rescind."group" AS p ON p.organization = :o AND p.id = n.parent
    WHERE c.organization = :o AND c.slug = :child AND (CAST(:parent AS TEXT) IS NULL OR p.slug = :parent)) AS w
@pending.coalescing

-- name: pend_given
@pending.into_pending
CROSS JOIN (
    SELECT g.id AS "group", 'assignment' AS kind, x.revision + 1 AS ref, 0 AS fence, FALSE AS revokes
    FROM rescind.organization AS x JOIN rescind."group" AS g ON g.organization = x.id AND g.slug = :group
    WHERE x.id = :o AND EXISTS (
        SELECT 1 FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.holder = g.id AND a.ended IS NULL AND a.made = x.revision + 1)) AS w
@pending.coalescing

-- Ended assignments are denied by their tombstones, so no fence is needed.

-- name: pend_ended
@pending.into_pending
CROSS JOIN (
    SELECT DISTINCT a.holder AS "group", 'assignment' AS kind, x.revision + 1 AS ref, CAST(NULL AS INTEGER) AS fence,
           TRUE AS revokes
    FROM rescind.organization AS x JOIN rescind.assignment AS a ON a.organization = x.id AND a.ended < 0 AND a.holder < 0
    WHERE x.id = :o) AS w
@pending.coalescing

-- One role of one group, where all roles count. It was not weighed before, so this returns whether the role is
-- critical and how many pairs it concerns.

-- name: pend_ended_of_group
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, since, revision, recorded_at)
SELECT o.id, e.holder, 'assignment', e.ended, 'revokes', CASE WHEN
        COALESCE((SELECT q.critical FROM rescind.role AS q WHERE q.slug = :role AND q.organization = :o),
            (SELECT q.critical FROM rescind.role AS q WHERE q.slug = :role AND q.organization = 0))
    THEN 0 ELSE 1 END, e.ended, e.ended,
@engine.clock
FROM rescind.organization AS o CROSS JOIN (
    SELECT a.id, a.holder, a.ended FROM rescind.assignment AS a
    WHERE a.organization = :o AND a.ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o) AND a.holder =
        (SELECT g.id FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :group)
    LIMIT 1
) AS e
@pending.coalescing
RETURNING (
    WITH RECURSIVE below (id) AS (
        SELECT
            (SELECT g.id FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :group)
        UNION
        SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id)
    SELECT @pending.members_below) AS pairs
