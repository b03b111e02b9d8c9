-- audit_assignments
WITH RECURSIVE
    flow (membership, holder, expires_at) AS (
    SELECT m.id, m.id, CAST(NULL AS BIGINT) FROM rescind_membership AS m
    WHERE m.organization = :o AND m.id >= :from_m AND m.id <= :to_m
    UNION
    SELECT gm.membership, gm."group", gm.expires_at FROM rescind_membership AS m
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = m.id
    WHERE m.organization = :o AND m.id >= :from_m AND m.id <= :to_m
    UNION
    SELECT f.membership, n.parent, f.expires_at FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = f.holder)
SELECT a.holder, count(*) AS assignments FROM (SELECT DISTINCT f.holder FROM flow AS f) AS h
CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.holder AND a.ended IS NULL GROUP BY a.holder

-- audit_expected
WITH RECURSIVE
    flow (membership, holder, expires_at) AS (
    SELECT m.id, m.id, CAST(NULL AS BIGINT) FROM rescind_membership AS m
    WHERE m.organization = :o AND m.id >= :from_m AND m.id <= :to_m
    UNION
    SELECT gm.membership, gm."group", gm.expires_at FROM rescind_membership AS m
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = m.id
    WHERE m.organization = :o AND m.id >= :from_m AND m.id <= :to_m
    UNION
    SELECT f.membership, n.parent, f.expires_at FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = f.holder)
SELECT f.membership, f.holder, CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END AS expires_at
FROM flow AS f GROUP BY f.membership, f.holder

-- audit_found
SELECT e.membership, a.holder, e.expires_at, count(*) AS assignments, min(e.assignment) AS first
FROM rescind_effective_role AS e
LEFT JOIN rescind_assignment AS a ON a.organization = :o AND a.id = e.assignment AND a.ended IS NULL
WHERE e.organization = :o AND e.membership >= :from_m AND e.membership <= :to_m
GROUP BY e.membership, a.holder, e.expires_at

-- audit_group
SELECT g.slug AS "group" FROM rescind_group AS g WHERE g.organization = :o AND g.id = :holder AND g.ended IS NULL

-- audit_names
SELECT (SELECT subject FROM rescind_membership WHERE organization = :o AND id = :m) AS subject,
    (SELECT q.slug FROM rescind_assignment AS a CROSS JOIN rescind_role AS q ON q.id = a.role WHERE a.organization = :o AND a.id = :a) AS role,
    (SELECT x.slug FROM rescind_assignment AS a CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.id = a.resource
    WHERE a.organization = :o AND a.id = :a) AS resource

-- audit_pending
SELECT DISTINCT p.kind, CASE WHEN p.kind = 'assignment' THEN p."group" END AS "group", CASE WHEN p.kind = 'member' THEN p.ref END AS membership
FROM rescind_pending AS p WHERE p.organization = :o AND (p.kind <> 'member' OR (p.ref >= :from_m AND p.ref <= :to_m))

-- find_audit_bound
SELECT m.id AS bound FROM rescind_membership AS m WHERE m.organization = :o AND m.id >= :from_m ORDER BY m.id LIMIT 1 OFFSET :step

-- find_missing
SELECT min(a.id) AS assignment FROM rescind_assignment AS a
WHERE a.organization = :o AND a.holder = :holder AND a.ended IS NULL
AND NOT EXISTS (SELECT 1 FROM rescind_effective_role AS e WHERE e.organization = :o AND e.membership = :m AND e.assignment = a.id)

-- mark_repaired
UPDATE rescind_organization SET revision = revision WHERE id = :o

-- pend_repair
INSERT INTO rescind_pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, g.id, 'member', CAST(:m AS INTEGER), 'revokes', 1, CAST(:m AS INTEGER), o.revision, o.revision,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o CROSS JOIN rescind_group AS g ON g.organization = o.id AND g.id = :holder
WHERE o.id = :o
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind_pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind_pending.urgency THEN excluded.urgency ELSE rescind_pending.urgency END,
    fence = COALESCE(excluded.fence, rescind_pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind_pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind_pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- read_audited
SELECT o.slug AS name, o.role_mode FROM rescind_organization AS o WHERE o.id = :o AND o.slug IS NOT NULL

-- repair_dangling
DELETE FROM rescind_effective_role WHERE organization = :o AND membership = :m AND (
    NOT EXISTS (SELECT 1 FROM rescind_membership AS m WHERE m.organization = :o AND m.id = :m)
    OR NOT EXISTS (SELECT 1 FROM rescind_assignment AS a WHERE a.organization = :o AND a.id = rescind_effective_role.assignment
        AND a.ended IS NULL AND (a.holder < 0 OR a.holder = rescind_effective_role.membership)))

-- repair_direct
INSERT INTO rescind_effective_role (organization, membership, assignment, expires_at)
SELECT :o, a.holder, a.id, CAST(NULL AS BIGINT) FROM rescind_assignment AS a CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.id = a.holder
WHERE a.organization = :o AND a.holder = :m AND a.ended IS NULL
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = NULL WHERE rescind_effective_role.expires_at IS NOT NULL
