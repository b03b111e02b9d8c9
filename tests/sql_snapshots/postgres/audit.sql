-- audit_assignments
WITH RECURSIVE
    flow (membership, holder, expires_at) AS (
    SELECT m.id, m.id, CAST(NULL AS BIGINT) FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id >= %(from_m)s AND m.id <= %(to_m)s
    UNION
    SELECT gm.membership, gm."group", gm.expires_at FROM rescind.membership AS m
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = m.id OFFSET 0) AS gm
    WHERE m.organization = %(o)s AND m.id >= %(from_m)s AND m.id <= %(to_m)s
    UNION
    SELECT f.membership, n.parent, f.expires_at FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = f.holder OFFSET 0) AS n)
SELECT a.holder, count(*) AS assignments FROM (SELECT DISTINCT f.holder FROM flow AS f) AS h
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = h.holder AND a.ended IS NULL OFFSET 0) AS a GROUP BY a.holder

-- audit_expected
WITH RECURSIVE
    flow (membership, holder, expires_at) AS (
    SELECT m.id, m.id, CAST(NULL AS BIGINT) FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id >= %(from_m)s AND m.id <= %(to_m)s
    UNION
    SELECT gm.membership, gm."group", gm.expires_at FROM rescind.membership AS m
    CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm.membership = m.id OFFSET 0) AS gm
    WHERE m.organization = %(o)s AND m.id >= %(from_m)s AND m.id <= %(to_m)s
    UNION
    SELECT f.membership, n.parent, f.expires_at FROM flow AS f CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = f.holder OFFSET 0) AS n)
SELECT f.membership, f.holder, CASE WHEN count(*) = count(f.expires_at) THEN max(f.expires_at) END AS expires_at
FROM flow AS f GROUP BY f.membership, f.holder

-- audit_found
SELECT e.membership, a.holder, e.expires_at, count(*) AS assignments, min(e.assignment) AS first
FROM rescind.effective_role AS e
LEFT JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.id = e.assignment AND a.ended IS NULL OFFSET 0) AS a ON TRUE
WHERE e.organization = %(o)s AND e.membership >= %(from_m)s AND e.membership <= %(to_m)s
GROUP BY e.membership, a.holder, e.expires_at

-- audit_group
SELECT g.slug AS "group" FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.id = %(holder)s AND g.ended IS NULL

-- audit_names
SELECT (SELECT subject FROM rescind.membership WHERE organization = %(o)s AND id = %(m)s) AS subject,
    (SELECT q.slug FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
        WHERE q.id = a.role OFFSET 0) AS q WHERE a.organization = %(o)s AND a.id = %(a)s) AS role,
    (SELECT x.slug FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
        WHERE x.organization = %(o)s AND x.id = a.resource OFFSET 0) AS x
    WHERE a.organization = %(o)s AND a.id = %(a)s) AS resource

-- audit_pending
SELECT DISTINCT p.kind, CASE WHEN p.kind = 'assignment' THEN p."group" END AS "group", CASE WHEN p.kind = 'member' THEN p.ref END AS membership
FROM rescind.pending AS p WHERE p.organization = %(o)s AND (p.kind <> 'member' OR (p.ref >= %(from_m)s AND p.ref <= %(to_m)s))

-- find_audit_bound
SELECT m.id AS bound FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.id >= %(from_m)s ORDER BY m.id LIMIT 1 OFFSET %(step)s

-- find_missing
SELECT min(a.id) AS assignment FROM rescind.assignment AS a
WHERE a.organization = %(o)s AND a.holder = %(holder)s AND a.ended IS NULL
AND NOT EXISTS (SELECT 1 FROM rescind.effective_role AS e WHERE e.organization = %(o)s AND e.membership = %(m)s AND e.assignment = a.id)

-- mark_repaired
UPDATE rescind.organization SET revision = revision WHERE id = %(o)s

-- pend_repair
INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, fence, since, revision, recorded_at)
SELECT o.id, g.id, 'member', CAST(%(m)s AS INTEGER), 'revokes', 1, CAST(%(m)s AS INTEGER), o.revision, o.revision,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = o.id AND g.id = %(holder)s OFFSET 0) AS g
WHERE o.id = %(o)s
ON CONFLICT (organization, "group", kind, ref) DO UPDATE SET
    direction = CASE WHEN excluded.direction = 'revokes' THEN 'revokes' ELSE rescind.pending.direction END,
    urgency = CASE WHEN excluded.urgency < rescind.pending.urgency THEN excluded.urgency ELSE rescind.pending.urgency END,
    fence = COALESCE(excluded.fence, rescind.pending.fence),
    recorded_at = CASE WHEN excluded.direction = 'revokes' AND rescind.pending.direction = 'grants'
    THEN excluded.recorded_at ELSE rescind.pending.recorded_at END,
    revision = excluded.revision, cursor_membership = 0, cursor_assignment = 2147483647, done = 0, total = NULL,
    attempts = 0, not_before = 0, parked = FALSE, last_error = NULL

-- read_audited
SELECT o.slug AS name, o.role_mode FROM rescind.organization AS o WHERE o.id = %(o)s AND o.slug IS NOT NULL

-- repair_dangling
DELETE FROM rescind.effective_role WHERE organization = %(o)s AND membership = %(m)s AND (
    NOT EXISTS (SELECT 1 FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.id = %(m)s)
    OR NOT EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.id = rescind.effective_role.assignment
        AND a.ended IS NULL AND (a.holder < 0 OR a.holder = rescind.effective_role.membership)))

-- repair_direct
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, a.holder, a.id, CAST(NULL AS BIGINT) FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = a.holder OFFSET 0) AS m
WHERE a.organization = %(o)s AND a.holder = %(m)s AND a.ended IS NULL
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = NULL WHERE rescind.effective_role.expires_at IS NOT NULL
