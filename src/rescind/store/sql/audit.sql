-- Effective roles compared with a recomputation from facts, for a range of memberships (:from_m to :to_m). Each assignment
-- has one holder, so it is enough to count a membership's rows by holder.

-- name: find_audit_bound
SELECT m.id FROM membership AS m WHERE m.organization = :o AND m.id >= :from_m ORDER BY m.id LIMIT 1 OFFSET :step

-- name: audit_expected
WITH RECURSIVE flow (membership, holder, expires_at) AS (
    SELECT m.id, m.id, CAST(NULL AS BIGINT) FROM membership AS m
    WHERE m.organization = :o AND m.id >= :from_m AND m.id <= :to_m
    UNION
    SELECT gm.membership, gm."group", gm.expires_at FROM membership AS m
    JOIN group_member AS gm ON gm.organization = :o AND gm.membership = m.id
    WHERE m.organization = :o AND m.id >= :from_m AND m.id <= :to_m
    UNION
    SELECT f.membership, n.parent, f.expires_at FROM flow AS f JOIN nesting AS n ON n.organization = :o AND n.child = f.holder)
SELECT f.membership, f.holder, CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END
FROM flow AS f GROUP BY f.membership, f.holder

-- name: audit_found
SELECT e.membership, a.holder, e.expires_at, count(*), min(e.assignment)
FROM effective_role AS e
LEFT JOIN assignment AS a ON a.organization = :o AND a.id = e.assignment AND a.ended IS NULL
WHERE e.organization = :o AND e.membership >= :from_m AND e.membership <= :to_m
GROUP BY e.membership, a.holder, e.expires_at

-- name: audit_assignments
SELECT a.holder, count(*), min(a.id) FROM assignment AS a WHERE a.organization = :o AND a.ended IS NULL GROUP BY a.holder

-- name: audit_pending
SELECT p.kind, p."group", p.ref FROM pending AS p WHERE p.organization = :o

-- name: audit_names
SELECT (SELECT subject FROM membership WHERE organization = :o AND id = :m),
       (SELECT slug FROM "group" WHERE organization = :o AND id = :holder),
       (SELECT q.slug FROM assignment AS a JOIN role AS q ON q.id = a.role WHERE a.organization = :o AND a.id = :a),
       (SELECT x.slug FROM assignment AS a JOIN resource AS x ON x.organization = :o AND x.id = a.resource
        WHERE a.organization = :o AND a.id = :a)

-- Repairs: what a membership has through a group is looked at again as any pending work; what it holds itself, and rows
-- of assignments or memberships that are gone, are put right at once.

-- name: pend_repair
INSERT INTO pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, g.id, 'member', CAST(:m AS INTEGER), 'revokes', 1, CAST(:m AS INTEGER), o.revision + 1, o.revision + 1,
@clock
FROM organization AS o JOIN "group" AS g ON g.organization = o.id AND g.id = :holder
@coalescing

-- name: repair_direct
INSERT INTO effective_role (organization, membership, assignment, expires_at)
SELECT :o, a.holder, a.id, CAST(NULL AS BIGINT) FROM assignment AS a JOIN membership AS m ON m.organization = :o AND m.id = a.holder
WHERE a.organization = :o AND a.holder = :m AND a.ended IS NULL
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = NULL WHERE effective_role.expires_at IS NOT NULL

-- name: repair_dangling
DELETE FROM effective_role WHERE organization = :o AND membership = :m AND (
    NOT EXISTS (SELECT 1 FROM membership AS m WHERE m.organization = :o AND m.id = :m)
    OR NOT EXISTS (SELECT 1 FROM assignment AS a WHERE a.organization = :o AND a.id = effective_role.assignment
                   AND (a.holder < 0 OR (a.holder = effective_role.membership AND a.ended IS NULL))))
