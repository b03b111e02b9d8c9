-- advance_audit
UPDATE rescind.audit_round
SET organization = %(o)s, membership = %(m)s, organizations = organizations + %(organizations)s, memberships = memberships + %(memberships)s,
    effective_roles = effective_roles + %(effective_roles)s, missing = missing + %(missing)s, surplus = surplus + %(surplus)s,
    unsettled = unsettled + %(unsettled)s,
    completed_at = CASE WHEN %(is_complete)s THEN
        CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
END
WHERE id = %(round)s AND completed_at IS NULL AND organization = %(from_o)s AND membership = %(from_m)s

-- begin_audit_round
INSERT INTO rescind.audit_round (id, started_at)
SELECT COALESCE((SELECT max(r.id) FROM rescind.audit_round AS r), 0) + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.audit_round AS r WHERE r.completed_at IS NULL)

-- end_audit_drift
UPDATE rescind.audit_drift SET ended_at =
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
WHERE organization >= %(first)s AND organization <= %(last)s AND ended_at IS NULL AND round < %(round)s

-- find_audit_organization
SELECT o.id AS organization, o.slug AS name FROM rescind.organization AS o
WHERE o.id >= %(o)s AND o.id > 0 AND o.slug IS NOT NULL ORDER BY o.id LIMIT 1

-- forget_audit_drift
DELETE FROM rescind.audit_drift WHERE ended_at IS NOT NULL AND round + %(kept)s <= %(round)s

-- forget_audit_rounds
DELETE FROM rescind.audit_round WHERE id + %(kept)s <= %(round)s

-- list_audit_drift
SELECT o.slug AS organization, g.slug AS "group", d.since, d.seen_at, d.ended_at, d.missing, d.surplus, d.repaired, d.example
FROM rescind.audit_drift AS d CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = d.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = d.organization AND g.id = d."group" AND g.ended IS NULL OFFSET 0) AS g ON TRUE
WHERE CAST(%(organization)s AS TEXT) IS NULL OR o.slug = %(organization)s
ORDER BY CASE WHEN d.ended_at IS NULL THEN 0 ELSE 1 END, d.seen_at DESC, d.organization, d."group" LIMIT %(limit)s

-- list_audit_rounds
SELECT r.id AS round, r.started_at, r.completed_at, r.organizations, r.memberships, r.effective_roles, r.missing, r.surplus,
    r.unsettled, r.repaired
FROM rescind.audit_round AS r ORDER BY r.id DESC LIMIT %(limit)s

-- note_drift_repaired
UPDATE rescind.audit_drift SET repaired = repaired + %(repaired)s
WHERE organization = %(o)s AND "group" = %(g)s AND ended_at IS NULL AND round = %(round)s

-- note_round_repaired
UPDATE rescind.audit_round SET repaired = repaired + %(repaired)s WHERE id = %(round)s

-- read_audit_round
SELECT r.id AS round, r.completed_at, r.organization, r.membership,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
    AS now
FROM rescind.audit_round AS r ORDER BY r.id DESC LIMIT 1

-- read_audit_state
SELECT CAST(COALESCE(sum(d.missing + d.surplus), 0) AS BIGINT) AS drift_rows,
    (SELECT r.completed_at FROM rescind.audit_round AS r WHERE r.completed_at IS NOT NULL ORDER BY r.id DESC LIMIT 1)
    AS last_completed_at
FROM rescind.audit_drift AS d WHERE d.ended_at IS NULL

-- record_audit_drift
INSERT INTO rescind.audit_drift (organization, "group", since, seen_at, round, missing, surplus, repaired, example)
SELECT o.id, CAST(%(g)s AS INTEGER), t.now, t.now, CAST(%(round)s AS INTEGER), CAST(%(missing)s AS INTEGER), CAST(%(surplus)s AS INTEGER), 0,
    CAST(%(example)s AS TEXT)
FROM rescind.organization AS o CROSS JOIN (SELECT
        CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
        AS now) AS t
WHERE o.id = %(o)s
ON CONFLICT (organization, "group") WHERE ended_at IS NULL DO UPDATE SET seen_at = excluded.seen_at, round = excluded.round,
    missing = excluded.missing
    + CASE WHEN rescind.audit_drift.round = excluded.round THEN rescind.audit_drift.missing ELSE 0 END,
    surplus = excluded.surplus
    + CASE WHEN rescind.audit_drift.round = excluded.round THEN rescind.audit_drift.surplus ELSE 0 END,
    repaired = CASE WHEN rescind.audit_drift.round = excluded.round THEN rescind.audit_drift.repaired ELSE 0 END,
    example = CASE WHEN rescind.audit_drift.round = excluded.round THEN rescind.audit_drift.example ELSE excluded.example END

-- refuse_audit_moved
SELECT 'pending_moved' AS code, 'round' AS fact, CAST(%(round)s AS TEXT) AS value
