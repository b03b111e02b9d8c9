-- advance_audit
UPDATE rescind_audit_round
SET organization = :o, membership = :m, organizations = organizations + :organizations, memberships = memberships + :memberships,
    effective_roles = effective_roles + :effective_roles, missing = missing + :missing, surplus = surplus + :surplus,
    unsettled = unsettled + :unsettled,
    completed_at = CASE WHEN :is_complete THEN
        CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
END
WHERE id = :round AND completed_at IS NULL AND organization = :from_o AND membership = :from_m

-- begin_audit_round
INSERT INTO rescind_audit_round (id, started_at)
SELECT COALESCE((SELECT max(r.id) FROM rescind_audit_round AS r), 0) + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
WHERE NOT EXISTS (SELECT 1 FROM rescind_audit_round AS r WHERE r.completed_at IS NULL)

-- end_audit_drift
UPDATE rescind_audit_drift SET ended_at =
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
WHERE organization >= :first AND organization <= :last AND ended_at IS NULL AND round < :round

-- find_audit_organization
SELECT o.id AS organization, o.slug AS name FROM rescind_organization AS o
WHERE o.id >= :o AND o.id > 0 AND o.slug IS NOT NULL ORDER BY o.id LIMIT 1

-- forget_audit_drift
DELETE FROM rescind_audit_drift WHERE ended_at IS NOT NULL AND round + :kept <= :round

-- forget_audit_rounds
DELETE FROM rescind_audit_round WHERE id + :kept <= :round

-- list_audit_drift
SELECT o.slug AS organization, g.slug AS "group", d.since, d.seen_at, d.ended_at, d.missing, d.surplus, d.repaired, d.example
FROM rescind_audit_drift AS d CROSS JOIN rescind_organization AS o ON o.id = d.organization
LEFT JOIN rescind_group AS g ON g.organization = d.organization AND g.id = d."group" AND g.ended IS NULL
WHERE CAST(:organization AS TEXT) IS NULL OR o.slug = :organization
ORDER BY CASE WHEN d.ended_at IS NULL THEN 0 ELSE 1 END, d.seen_at DESC, d.organization, d."group" LIMIT :limit

-- list_audit_rounds
SELECT r.id AS round, r.started_at, r.completed_at, r.organizations, r.memberships, r.effective_roles, r.missing, r.surplus,
    r.unsettled, r.repaired
FROM rescind_audit_round AS r ORDER BY r.id DESC LIMIT :limit

-- note_drift_repaired
UPDATE rescind_audit_drift SET repaired = repaired + :repaired
WHERE organization = :o AND "group" = :g AND ended_at IS NULL AND round = :round

-- note_round_repaired
UPDATE rescind_audit_round SET repaired = repaired + :repaired WHERE id = :round

-- read_audit_round
SELECT r.id AS round, r.completed_at, r.organization, r.membership,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
    AS now
FROM rescind_audit_round AS r ORDER BY r.id DESC LIMIT 1

-- read_audit_state
SELECT CAST(COALESCE(sum(d.missing + d.surplus), 0) AS BIGINT) AS drift_rows,
    (SELECT r.completed_at FROM rescind_audit_round AS r WHERE r.completed_at IS NOT NULL ORDER BY r.id DESC LIMIT 1)
    AS last_completed_at
FROM rescind_audit_drift AS d WHERE d.ended_at IS NULL

-- record_audit_drift
INSERT INTO rescind_audit_drift (organization, "group", since, seen_at, round, missing, surplus, repaired, example)
SELECT o.id, CAST(:g AS INTEGER), t.now, t.now, CAST(:round AS INTEGER), CAST(:missing AS INTEGER), CAST(:surplus AS INTEGER), 0,
    CAST(:example AS TEXT)
FROM rescind_organization AS o CROSS JOIN (SELECT
        CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
        AS now) AS t
WHERE o.id = :o
ON CONFLICT (organization, "group") WHERE ended_at IS NULL DO UPDATE SET seen_at = excluded.seen_at, round = excluded.round,
    missing = excluded.missing
    + CASE WHEN rescind_audit_drift.round = excluded.round THEN rescind_audit_drift.missing ELSE 0 END,
    surplus = excluded.surplus
    + CASE WHEN rescind_audit_drift.round = excluded.round THEN rescind_audit_drift.surplus ELSE 0 END,
    repaired = CASE WHEN rescind_audit_drift.round = excluded.round THEN rescind_audit_drift.repaired ELSE 0 END,
    example = CASE WHEN rescind_audit_drift.round = excluded.round THEN rescind_audit_drift.example ELSE excluded.example END

-- refuse_audit_moved
SELECT 'pending_moved' AS code, 'round' AS fact, CAST(:round AS TEXT) AS value
