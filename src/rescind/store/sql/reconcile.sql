-- Background work. A pending row (:o, :g, :kind, :ref) names what to look at. A chunk rereads the facts for a range
-- of pairs in key order, after (:from_m, :after_a) up to and including (:to_m, :up_to_a), and corrects the effective
-- roles.
--
-- The kinds: `assignment`: the group's assignments that were made or ended in the revisions :since to :revision, for
-- all its members. `whole`: all members of :g, for what flows to them from :top. `member`: the same for one
-- membership, :ref.
--
-- Concerned memberships are looked for along removed facts too; which rows are right depends on current facts only.

-- --- which work -----------------------------------------------------------------------------------

-- fragment: is_due
NOT p.parked AND p.not_before <= @engine.clock

-- Organizations with due work, for each urgency below :below: the first :limit after the organization :after, and the
-- first :limit of all, so that a round can start again. Each is one index look-up.

-- name: list_due_organizations
WITH RECURSIVE
class (urgency) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2),
start (organization) AS (SELECT CAST(:after AS INTEGER) UNION SELECT -1),
turn (urgency, organization, place) AS (
    SELECT t.urgency, (
        SELECT p.organization FROM rescind.pending AS p
        WHERE @engine.is_in_later_organization AND @reconcile.is_due
        ORDER BY p.urgency, p.organization LIMIT 1), 1
    FROM (SELECT c.urgency, s.organization FROM class AS c CROSS JOIN start AS s WHERE c.urgency < :below) AS t
    UNION ALL
    SELECT t.urgency, (
        SELECT p.organization FROM rescind.pending AS p
        WHERE @engine.is_in_later_organization AND @reconcile.is_due
        ORDER BY p.urgency, p.organization LIMIT 1), t.place + 1
    FROM turn AS t WHERE t.organization IS NOT NULL AND t.place < :limit)
SELECT DISTINCT t.urgency, t.organization FROM turn AS t WHERE t.organization IS NOT NULL

-- The groups of one organization with due work, likewise for each urgency, with the work that has waited longest.

-- name: list_due
WITH RECURSIVE
class (urgency) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2),
start ("group") AS (SELECT CAST(:after AS INTEGER) UNION SELECT CAST(-2147483648 AS INTEGER)),
turn (urgency, "group", place) AS (
    SELECT t.urgency, (
        SELECT p."group" FROM rescind.pending AS p
        WHERE @engine.is_in_later_group AND @reconcile.is_due
        ORDER BY p.urgency, p.organization, p."group" LIMIT 1), 1
    FROM (SELECT c.urgency, s."group" FROM class AS c CROSS JOIN start AS s) AS t
    UNION ALL
    SELECT t.urgency, (
        SELECT p."group" FROM rescind.pending AS p
        WHERE @engine.is_in_later_group AND @reconcile.is_due
        ORDER BY p.urgency, p.organization, p."group" LIMIT 1), t.place + 1
    FROM turn AS t WHERE t."group" IS NOT NULL AND t.place < :limit),
oldest ("group", kind, ref) AS MATERIALIZED (
    SELECT t."group", (
        SELECT p.kind
        FROM rescind.pending AS p
        WHERE @engine.is_in_same_group AND @reconcile.is_due
        ORDER BY p.urgency, p.organization, p."group", p.recorded_at, p.revision, p.kind, p.ref LIMIT 1
    ), (
        SELECT p.ref
        FROM rescind.pending AS p
        WHERE @engine.is_in_same_group AND @reconcile.is_due
        ORDER BY p.urgency, p.organization, p."group", p.recorded_at, p.revision, p.kind, p.ref LIMIT 1
    )
    FROM (SELECT DISTINCT t.urgency, t."group" FROM turn AS t WHERE t."group" IS NOT NULL) AS t)
SELECT
    p.organization, p."group", p.kind, p.ref, p.since, p.revision, p.cursor_membership, p.cursor_assignment, p.urgency, p.total,
    p.attempts, p.recorded_at
@engine.oldest_rows

-- Work is looked up by its key. `+ 0` keeps the indexes of revisions out: one revision may be that of a million rows.

-- name: list_first_pending_of_group
SELECT
p.organization, p."group", p.kind, p.ref, p.since, p.revision, p.cursor_membership, p.cursor_assignment, p.urgency, p.total,
p.attempts, p.recorded_at
FROM rescind.pending AS p WHERE p.organization = :o AND p."group" = :g AND p.since + 0 <= :up_to
ORDER BY p.organization, p."group", p.kind, p.ref LIMIT 1

-- name: read_last_pending
SELECT max(p.revision + 0) AS revision FROM rescind.pending AS p WHERE p.organization = :o AND p."group" = :g

-- name: find_pending
SELECT
p.organization, p."group", p.kind, p.ref, p.since, p.revision, p.cursor_membership, p.cursor_assignment, p.urgency, p.total,
p.attempts, p.recorded_at
FROM rescind.pending AS p WHERE p.organization = :o AND p."group" = :g AND p.kind = :kind AND p.ref = :ref

-- name: list_pending_groups
WITH RECURSIVE turn ("group") AS (
    SELECT CAST(-2147483648 AS INTEGER)
    UNION ALL
    SELECT (SELECT p."group" FROM rescind.pending AS p WHERE p.organization = :o AND p."group" > t."group"
            ORDER BY p.organization, p."group" LIMIT 1)
    FROM turn AS t WHERE t."group" IS NOT NULL)
SELECT t."group" FROM turn AS t WHERE (
    SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o AND p."group" = t."group" AND NOT p.parked LIMIT 1) IS NOT NULL

-- The memberships whose places in a group are pending, :limit of them from :first on, before :end. `is_ready` tells
-- whether one can be handled together with others of the urgency :urgency: it is due, not begun and has not failed.
-- :ref is always ready.

-- name: list_pending_members
SELECT p.ref, p.since, p.revision, p.recorded_at,
       p.urgency = :urgency AND p.cursor_membership = 0 AND p.cursor_assignment = 2147483647
       AND (p.ref = :ref OR (p.attempts = 0 AND @reconcile.is_due
)) AS is_ready
FROM rescind.pending AS p
WHERE p.organization = :o AND p."group" = :g AND p.kind = 'member' AND p.ref >= :first AND p.ref < :end
ORDER BY p.ref LIMIT :limit

-- name: list_pending
SELECT o.slug AS organization, g.slug AS "group", p.kind, COALESCE(m.subject, t.slug) AS about, p.direction, p.urgency, p.done, p.total,
@engine.clock
- p.recorded_at AS age, p.attempts, p.not_before -
@engine.clock
AS waits, p.parked, p.last_error, p.since, p.revision, p."group" AS group_number, o.id AS organization_number
FROM rescind.pending AS p JOIN rescind.organization AS o ON o.id = p.organization
LEFT JOIN rescind."group" AS g ON g.organization = p.organization AND g.id = p."group"
LEFT JOIN rescind.membership AS m ON p.kind = 'member' AND m.organization = p.organization AND m.id = p.ref
LEFT JOIN rescind."group" AS t ON p.kind = 'whole' AND t.organization = p.organization AND t.id = p.ref
WHERE CAST(:organization AS TEXT) IS NULL OR o.slug = :organization
ORDER BY p.urgency, p.recorded_at, p.organization, p."group", p.kind, p.ref LIMIT :limit

-- name: find_group
SELECT o.id AS organization, g.id AS "group" FROM rescind.organization AS o JOIN rescind."group" AS g ON g.organization = o.id AND g.slug = :group
WHERE o.slug = :organization

-- --- who and what is concerned --------------------------------------------------------------------

-- fragment: job_below_ever
below_ever (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below_ever AS b JOIN rescind.recorded_nesting AS n ON n.organization = :o AND n.parent = b.id)

-- fragment: job_holders
holder (id) AS (
    SELECT CAST(:top AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h JOIN rescind.recorded_nesting AS n ON n.organization = :o AND n.child = h.id)

-- Memberships whose place in a group is pending are concerned too: their rows may have come through it.

-- fragment: concerned_below
concerned (membership) AS MATERIALIZED (
    SELECT gm.membership FROM below_ever AS b
    JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id
         AND gm.membership >= :from_m AND gm.membership <= :to_m
    UNION
    SELECT CAST(p.ref AS INTEGER) FROM below_ever AS b
    JOIN rescind.pending AS p ON p.organization = :o AND p."group" = b.id AND p.kind = 'member'
         AND p.ref >= :from_m AND p.ref <= :to_m)

-- fragment: changed
changed (id, is_live) AS MATERIALIZED (
    SELECT l.id, TRUE FROM (
        SELECT a.id FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.holder = :g AND a.holder < 0 AND a.ended IS NULL
        AND a.made >= :since AND a.made <= :revision) AS l
    UNION ALL
    SELECT a.id, FALSE FROM rescind.assignment AS a
    WHERE a.organization = :o AND a.holder = :g AND a.ended IS NOT NULL AND a.ended >= :since AND a.ended <= :revision
    ORDER BY 1)

-- fragment: in_range
(c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a)

-- --- how much, and how far ------------------------------------------------------------------------

-- Memberships are counted only once for a job, for the estimate of all its pairs. It is measured each time that a worker
-- takes it up.

-- fragment: measured_members
CASE WHEN :is_measured THEN 0 ELSE (
    SELECT count(*) FROM below_ever AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id) END

-- name: measure_assignment
WITH RECURSIVE
@reconcile.job_below_ever,
@reconcile.changed
SELECT (SELECT count(*) FROM changed AS c WHERE c.is_live) AS live, (SELECT count(*) FROM changed AS c WHERE NOT c.is_live) AS ended,
       (SELECT count(*) FROM below_ever) AS groups,
@reconcile.measured_members AS members,
       (SELECT count(*) FROM rescind.pending WHERE @reconcile.unbegun) AS unbegun,
       (SELECT min(c.id) FROM changed AS c WHERE c.is_live) AS first, (SELECT max(c.id) FROM changed AS c WHERE c.is_live) AS last

-- name: measure_whole
WITH RECURSIVE
@reconcile.job_below_ever,
@reconcile.job_holders
SELECT (SELECT count(*) FROM holder AS h JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NULL) AS live,
       (SELECT count(*) FROM holder AS h JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NOT NULL) AS ended,
       (SELECT count(*) FROM below_ever) AS groups,
@reconcile.measured_members AS members,
       0 AS unbegun, NULL AS first, NULL AS last

-- name: measure_member
WITH RECURSIVE
@reconcile.job_holders
SELECT (SELECT count(*) FROM holder AS h JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NULL) AS live,
       (SELECT count(*) FROM holder AS h JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NOT NULL) AS ended,
       1 AS groups, 1 AS members, 0 AS unbegun, NULL AS first, NULL AS last

-- The membership before which each group has about :step memberships; no row if there are fewer.

-- name: find_membership_bound
WITH RECURSIVE
@reconcile.job_below_ever
SELECT min((SELECT gm.membership FROM rescind.group_member AS gm
            WHERE gm.organization = :o AND gm."group" = b.id AND gm.membership >= :from_m
            ORDER BY gm.membership LIMIT 1 OFFSET :step)) AS bound
FROM below_ever AS b

-- name: find_assignment_bound_assignment
WITH
@reconcile.changed
SELECT c.id AS bound FROM changed AS c WHERE c.id > :after_a ORDER BY c.id LIMIT 1 OFFSET :step

-- name: find_assignment_bound_whole
WITH RECURSIVE
@reconcile.job_holders
SELECT x.id AS bound FROM (
    SELECT a.id FROM holder AS h JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NULL
    UNION ALL
    SELECT a.id FROM holder AS h JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NOT NULL) AS x
WHERE x.id > :after_a ORDER BY x.id LIMIT 1 OFFSET :step

-- --- guards of a chunk ----------------------------------------------------------------------------

-- name: refuse_pending_moved
SELECT 'pending_moved' AS code, 'group' AS fact, CAST(:g AS TEXT) AS value
WHERE NOT EXISTS (
    SELECT 1 FROM rescind.pending AS p
    WHERE p.organization = :o AND p."group" = :g AND p.kind = :kind AND p.ref = :ref AND p.revision + 0 = :revision
      AND p.since + 0 = :since AND p.cursor_membership = :cursor_m AND p.cursor_assignment = :cursor_a)

-- --- making rows right ----------------------------------------------------------------------------

-- Who gets which rows. Assignments are compared as pairs (revision, id), so that the index finds those of one
-- revision by both ends. Each engine tells in its own way which memberships have some of the rows already.

-- fragment: who_gets_what
WITH RECURSIVE
below (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id),
reached (membership, expires_at) AS MATERIALIZED (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END
    FROM below AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    AND gm.membership >= :from_m AND gm.membership <= :to_m
    GROUP BY gm.membership),
changed (id) AS MATERIALIZED (
    SELECT a.id FROM rescind.assignment AS a
    WHERE a.organization = :o AND a.holder = :g AND a.holder < 0 AND a.ended IS NULL
    AND (a.made, a.id) > (:since, :above) AND (a.made, a.id) <= (:revision, :up_to)
    AND a.id > :above AND a.id <= :up_to
    ORDER BY a.id)

-- name: unmake_assignment
WITH RECURSIVE
below (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id),
@reconcile.job_below_ever,
reached (membership, expires_at) AS MATERIALIZED (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END
    FROM below AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    AND gm.membership >= :from_m AND gm.membership <= :to_m
    GROUP BY gm.membership),
@reconcile.concerned_below,
changed (id, is_live) AS MATERIALIZED (
    SELECT l.id, TRUE FROM (
        SELECT a.id FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.holder = :g AND a.holder < 0 AND a.ended IS NULL
        AND (a.made, a.id) > (:since, :above) AND (a.made, a.id) <= (:revision, :up_to)
        AND a.id > :above AND a.id <= :up_to
    ) AS l
    UNION ALL
    SELECT a.id, FALSE FROM rescind.assignment AS a
    WHERE a.organization = :o AND a.holder = :g AND a.ended IS NOT NULL
    AND (a.ended, a.id) > (:since, :above) AND (a.ended, a.id) <= (:revision, :up_to)
    AND a.id > :above AND a.id <= :up_to
    ORDER BY 1),
gone (membership) AS MATERIALIZED (
    SELECT c.membership FROM concerned AS c
    EXCEPT
    SELECT r.membership FROM reached AS r),
doomed (membership, assignment) AS MATERIALIZED (
    SELECT c.membership, a.id FROM gone AS c CROSS JOIN changed AS a WHERE a.is_live AND @reconcile.in_range
    UNION ALL
    SELECT c.membership, a.id FROM concerned AS c CROSS JOIN changed AS a WHERE NOT a.is_live AND @reconcile.in_range)
DELETE FROM rescind.effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- fragment: flows_reached
flow (membership, "group", expires_at) AS (     -- every way up that holds, of those who are concerned
    SELECT gm.membership, gm."group", gm.expires_at
    FROM concerned AS c JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = c.membership
    UNION
    SELECT f.membership, n.parent, f.expires_at
    FROM flow AS f JOIN rescind.nesting AS n ON n.organization = :o AND n.child = f."group"),
reached (membership, "group", expires_at) AS MATERIALIZED (
    SELECT f.membership, f."group", CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
    FROM flow AS f WHERE f."group" IN (SELECT h.id FROM holder AS h)
    GROUP BY f.membership, f."group")

-- fragment: make_flow
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT :o, c.membership, a.id, c.expires_at
FROM reached AS c JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = c."group" AND a.ended IS NULL
WHERE @reconcile.in_range
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- fragment: unmake_flow
gone (membership, "group") AS MATERIALIZED (    -- the limits: see pairs.doomed_ever
    SELECT c.membership, h.id FROM concerned AS c CROSS JOIN holder AS h
    EXCEPT
    SELECT r.membership, r."group" FROM reached AS r
    LIMIT 1000000000),
taken_back (id) AS MATERIALIZED (
    SELECT a.id FROM holder AS h JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = h.id AND a.ended IS NOT NULL),
doomed (membership, assignment) AS MATERIALIZED (
    SELECT c.membership, a.id
    FROM gone AS c JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = c."group" AND a.ended IS NULL WHERE @reconcile.in_range
    UNION ALL
    SELECT c.membership, a.id FROM concerned AS c CROSS JOIN taken_back AS a WHERE @reconcile.in_range)
DELETE FROM rescind.effective_role WHERE organization = :o
AND (membership, assignment) IN (SELECT d.membership, d.assignment FROM doomed AS d)

-- name: make_whole
WITH RECURSIVE
@reconcile.job_below_ever,
@reconcile.job_holders,
@reconcile.concerned_below,
@reconcile.flows_reached
@reconcile.make_flow

-- name: unmake_whole
WITH RECURSIVE
@reconcile.job_below_ever,
@reconcile.job_holders,
@reconcile.concerned_below,
@reconcile.flows_reached,
@reconcile.unmake_flow

-- name: make_members
WITH RECURSIVE
@reconcile.job_holders,
concerned (membership) AS MATERIALIZED (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:members) AS i),
@reconcile.flows_reached
@reconcile.make_flow

-- name: unmake_members
WITH RECURSIVE
@reconcile.job_holders,
concerned (membership) AS MATERIALIZED (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:members) AS i),
@reconcile.flows_reached,
@reconcile.unmake_flow

-- name: make_member
WITH RECURSIVE
@reconcile.job_holders,
concerned (membership) AS MATERIALIZED (SELECT CAST(:ref AS INTEGER)),
@reconcile.flows_reached
@reconcile.make_flow

-- name: unmake_member
WITH RECURSIVE
@reconcile.job_holders,
concerned (membership) AS MATERIALIZED (SELECT CAST(:ref AS INTEGER)),
@reconcile.flows_reached,
@reconcile.unmake_flow

-- --- checkpoint and end ---------------------------------------------------------------------------

-- name: advance_pending
UPDATE rescind.pending SET cursor_membership = :to_m, cursor_assignment = :up_to_a, done = done + :looked_at,
    total = COALESCE(total, :total), attempts = 0, last_error = NULL
WHERE organization = :o AND "group" = :g AND kind = :kind AND ref = :ref
AND revision + 0 = :revision

-- Finished rows are deleted. :settled lists ref, revision, since and recorded_at of each. A row to which a newer
-- change has come stays.

-- Settles the changes that waited for this work only, at the database's time. :spans lists the work's revisions: since,
-- revision, recorded_at.

-- name: settle_changes
WITH span (since, revision, recorded_at) AS MATERIALIZED (
    SELECT CAST(i.value ->> 0 AS INTEGER), CAST(i.value ->> 1 AS INTEGER), CAST(i.value ->> 2 AS BIGINT)
    FROM rescind.json_items(:spans) AS i)
UPDATE rescind.change SET settled_at = recorded_at +
@engine.clock
- (SELECT min(s.recorded_at) FROM span AS s WHERE s.since <= rescind.change.revision AND s.revision >= rescind.change.revision)
WHERE organization = :o AND settled_at IS NULL AND @engine.is_in_spans
AND (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o AND p.revision = rescind.change.revision LIMIT 1) IS NULL
AND (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o AND p.since < p.revision
     AND p.since <= rescind.change.revision AND p.revision > rescind.change.revision LIMIT 1) IS NULL
RETURNING direction, settled_at - recorded_at AS microseconds

-- Joins several assignment rows of a group that were not begun into one row with one cursor. A parked row stays
-- separate; nothing happens if this is one.
--
-- They are few, and beside them there may be a million members of the group. CASE and `+ 0` leave only the key to look
-- them up by.

-- fragment: unbegun
organization = :o AND "group" = :g AND kind = 'assignment' AND cursor_membership = 0 AND cursor_assignment = 2147483647
AND CASE WHEN parked THEN 1 ELSE 0 END = 0 AND urgency = :urgency
AND EXISTS (SELECT 1 FROM rescind.pending AS own WHERE own.organization = :o AND own."group" = :g AND own.kind = 'assignment'
            AND own.ref = :ref AND NOT own.parked)

-- name: gather_pending
UPDATE rescind.pending SET
    since = (SELECT min(since + 0) FROM rescind.pending WHERE @reconcile.unbegun
),
    revision = (SELECT max(revision + 0) FROM rescind.pending WHERE @reconcile.unbegun
),
    recorded_at = (SELECT min(recorded_at) FROM rescind.pending WHERE @reconcile.unbegun
),
    fence = (SELECT min(fence + 0) FROM rescind.pending WHERE @reconcile.unbegun)
WHERE organization = :o AND "group" = :g AND kind = :kind AND ref = :ref
AND revision + 0 = :revision AND NOT parked

-- Those that the row has taken over: its range covers theirs.

-- name: delete_gathered
DELETE FROM rescind.pending WHERE ref <> :ref AND revision + 0 <= (
    SELECT p.revision FROM rescind.pending AS p WHERE p.organization = :o AND p."group" = :g AND p.kind = :kind AND p.ref = :ref)
AND since + 0 >= (
    SELECT p.since FROM rescind.pending AS p WHERE p.organization = :o AND p."group" = :g AND p.kind = :kind AND p.ref = :ref)
AND @reconcile.unbegun

-- --- what nothing pending refers to any more --------------------------------------------------------

-- name: purge_assignments
DELETE FROM rescind.assignment WHERE organization = :o AND id IN (
    SELECT a.id FROM rescind.assignment AS a WHERE a.organization = :o AND a.ended IS NOT NULL AND a.ended > 0
    AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o AND p.since <= a.ended) LIMIT :limit)

-- name: purge_group_members
DELETE FROM rescind.group_member WHERE organization = :o AND (membership, "group") IN (
    SELECT gm.membership, gm."group" FROM rescind."group" AS g
    JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = g.id
    WHERE g.organization = :o AND g.ended IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o AND p."group" = g.id) LIMIT :limit)

-- --- failure ----------------------------------------------------------------------------------------

-- name: note_failure
UPDATE rescind.pending SET attempts = attempts + 1, last_error = :error, parked = (attempts + 1 >= :most_attempts), not_before =
@engine.clock
+ :delay
WHERE organization = :o AND "group" = :g AND kind = :kind AND ref = :ref
AND revision + 0 = :revision

-- name: park_pending
UPDATE rescind.pending SET parked = TRUE WHERE organization = :o AND "group" = :g AND NOT parked

-- name: retry_pending
UPDATE rescind.pending SET parked = FALSE, attempts = 0, not_before = 0 WHERE organization = :o AND "group" = :g
AND (parked OR attempts > 0 OR not_before > 0)

-- name: list_purgeable
SELECT a.organization FROM rescind.assignment AS a WHERE a.ended IS NOT NULL AND a.ended > 0
  AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = a.organization AND p.since <= a.ended)
UNION
SELECT n.organization FROM rescind.recorded_nesting AS n WHERE n.ended IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = n.organization AND p.since <= n.ended)
UNION
SELECT g.organization FROM rescind."group" AS g WHERE g.ended IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = g.organization)
ORDER BY 1 LIMIT :limit

-- name: read_purged
SELECT rescind.tallied('altered') AS altered
