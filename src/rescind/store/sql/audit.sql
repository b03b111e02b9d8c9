-- Compares effective roles with a recomputation from the facts, for the memberships from :from_m to :to_m. Each
-- assignment has one holder, so counting a membership's rows by holder is enough.

-- An organization that is being deleted has neither all facts nor all effective roles.

-- name: read_audited
SELECT o.slug AS name, o.role_mode FROM rescind.organization AS o WHERE o.id = :o AND o.slug IS NOT NULL

-- name: find_audit_bound
SELECT m.id AS bound FROM rescind.membership AS m WHERE m.organization = :o AND m.id >= :from_m ORDER BY m.id LIMIT 1 OFFSET :step

-- fragment: audit_flow
flow (membership, holder, expires_at) AS (
    SELECT m.id, m.id, CAST(NULL AS BIGINT) FROM rescind.membership AS m
    WHERE m.organization = :o AND m.id >= :from_m AND m.id <= :to_m
    UNION
    SELECT gm.membership, gm."group", gm.expires_at FROM rescind.membership AS m
    JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = m.id
    WHERE m.organization = :o AND m.id >= :from_m AND m.id <= :to_m
    UNION
    SELECT f.membership, n.parent, f.expires_at FROM flow AS f JOIN rescind.nesting AS n ON n.organization = :o AND n.child = f.holder)

-- name: audit_expected
WITH RECURSIVE
@audit.audit_flow
SELECT f.membership, f.holder, CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END AS expires_at
FROM flow AS f GROUP BY f.membership, f.holder

-- Assignments per holder, for holders from which those memberships have any role.

-- name: audit_assignments
WITH RECURSIVE
@audit.audit_flow
SELECT a.holder, count(*) AS assignments FROM (SELECT DISTINCT f.holder FROM flow AS f) AS h
JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = h.holder AND a.ended IS NULL GROUP BY a.holder

-- name: audit_found
SELECT e.membership, a.holder, e.expires_at, count(*) AS assignments, min(e.assignment) AS first
FROM rescind.effective_role AS e
LEFT JOIN rescind.assignment AS a ON a.organization = :o AND a.id = e.assignment AND a.ended IS NULL
WHERE e.organization = :o AND e.membership >= :from_m AND e.membership <= :to_m
GROUP BY e.membership, a.holder, e.expires_at

-- name: audit_pending
SELECT DISTINCT p.kind, CASE WHEN p.kind = 'assignment' THEN p."group" END AS "group", CASE WHEN p.kind = 'member' THEN p.ref END AS membership
FROM rescind.pending AS p WHERE p.organization = :o AND (p.kind <> 'member' OR (p.ref >= :from_m AND p.ref <= :to_m))

-- The assignment of a holder that a membership lacks.

-- name: find_missing
SELECT min(a.id) AS assignment FROM rescind.assignment AS a
WHERE a.organization = :o AND a.holder = :holder AND a.ended IS NULL
  AND NOT EXISTS (SELECT 1 FROM rescind.effective_role AS e WHERE e.organization = :o AND e.membership = :m AND e.assignment = a.id)

-- name: audit_group
SELECT g.slug AS "group" FROM rescind."group" AS g WHERE g.organization = :o AND g.id = :holder AND g.ended IS NULL

-- name: audit_names
SELECT (SELECT subject FROM rescind.membership WHERE organization = :o AND id = :m) AS subject,
       (SELECT q.slug FROM rescind.assignment AS a JOIN rescind.role AS q ON q.id = a.role WHERE a.organization = :o AND a.id = :a) AS role,
       (SELECT x.slug FROM rescind.assignment AS a JOIN rescind.resource AS x ON x.organization = :o AND x.id = a.resource
        WHERE a.organization = :o AND a.id = :a) AS resource

-- Repairs. What a membership has through a group becomes pending work; direct assignments, and rows of deleted
-- assignments or memberships, are corrected at once. No facts change, so there is no new revision: the work gets the
-- current one. The next change has the next revision, so a job can tell them apart.

-- name: pend_repair
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, g.id, 'member', CAST(:m AS INTEGER), 'revokes', 1, CAST(:m AS INTEGER), o.revision, o.revision,
@engine.clock
FROM rescind.organization AS o JOIN rescind."group" AS g ON g.organization = o.id AND g.id = :holder
@pending.coalescing

-- A repair has no revision of its own. The organization's row is rewritten unchanged, so that a transaction with an
-- older snapshot cannot lock it.

-- name: mark_repaired
UPDATE rescind.organization SET revision = revision WHERE id = :o

-- name: repair_direct
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT :o, a.holder, a.id, CAST(NULL AS BIGINT) FROM rescind.assignment AS a JOIN rescind.membership AS m ON m.organization = :o AND m.id = a.holder
WHERE a.organization = :o AND a.holder = :m AND a.ended IS NULL
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = NULL WHERE rescind.effective_role.expires_at IS NOT NULL

-- name: repair_dangling
DELETE FROM rescind.effective_role WHERE organization = :o AND membership = :m AND (
    NOT EXISTS (SELECT 1 FROM rescind.membership AS m WHERE m.organization = :o AND m.id = :m)
    OR NOT EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.organization = :o AND a.id = rescind.effective_role.assignment
                   AND a.ended IS NULL AND (a.holder < 0 OR a.holder = rescind.effective_role.membership)))
