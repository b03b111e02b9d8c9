-- The background audit: one round after the other compares all organizations. A round's row is its checkpoint: it is moved
-- in the transaction that records what was found, so that nothing is counted twice.

-- name: read_audit_round
SELECT r.id AS round, r.completed_at, r.organization, r.membership,
@engine.clock
AS now
FROM rescind.audit_round AS r ORDER BY r.id DESC LIMIT 1

-- name: begin_audit_round
INSERT INTO rescind.audit_round (id, started_at)
SELECT COALESCE((SELECT max(r.id) FROM rescind.audit_round AS r), 0) + 1,
@engine.clock
WHERE NOT EXISTS (SELECT 1 FROM rescind.audit_round AS r WHERE r.completed_at IS NULL)

-- name: find_audit_organization
SELECT o.id AS organization, o.slug AS name FROM rescind.organization AS o
WHERE o.id >= :o AND o.id > 0 AND o.slug IS NOT NULL ORDER BY o.id LIMIT 1

-- name: advance_audit
UPDATE rescind.audit_round
SET organization = :o, membership = :m, organizations = organizations + :organizations, memberships = memberships + :memberships,
    effective_roles = effective_roles + :effective_roles, missing = missing + :missing, surplus = surplus + :surplus,
    unsettled = unsettled + :unsettled,
    completed_at = CASE WHEN :is_complete THEN
@engine.clock
    END
WHERE id = :round AND completed_at IS NULL AND organization = :from_o AND membership = :from_m

-- name: refuse_audit_moved
SELECT 'pending_moved' AS code, 'round' AS fact, CAST(:round AS TEXT) AS value

-- name: record_audit_drift
INSERT INTO rescind.audit_drift (organization, "group", since, seen_at, round, missing, surplus, repaired, example)
SELECT o.id, CAST(:g AS INTEGER), t.now, t.now, CAST(:round AS INTEGER), CAST(:missing AS INTEGER), CAST(:surplus AS INTEGER), 0,
       CAST(:example AS TEXT)
FROM rescind.organization AS o CROSS JOIN (SELECT
@engine.clock
    AS now) AS t
WHERE o.id = :o
ON CONFLICT (organization, "group") WHERE ended_at IS NULL DO UPDATE SET seen_at = excluded.seen_at, round = excluded.round,
    missing = excluded.missing
        + CASE WHEN rescind.audit_drift.round = excluded.round THEN rescind.audit_drift.missing ELSE 0 END,
    surplus = excluded.surplus
        + CASE WHEN rescind.audit_drift.round = excluded.round THEN rescind.audit_drift.surplus ELSE 0 END,
    repaired = CASE WHEN rescind.audit_drift.round = excluded.round THEN rescind.audit_drift.repaired ELSE 0 END,
    example = CASE WHEN rescind.audit_drift.round = excluded.round THEN rescind.audit_drift.example ELSE excluded.example END

-- name: note_drift_repaired
UPDATE rescind.audit_drift SET repaired = repaired + :repaired
WHERE organization = :o AND "group" = :g AND ended_at IS NULL AND round = :round

-- name: note_round_repaired
UPDATE rescind.audit_round SET repaired = repaired + :repaired WHERE id = :round

-- Drift that the round has not seen again, in the organizations that it is through with.

-- name: end_audit_drift
UPDATE rescind.audit_drift SET ended_at =
@engine.clock
WHERE organization >= :first AND organization <= :last AND ended_at IS NULL AND round < :round

-- name: forget_audit_rounds
DELETE FROM rescind.audit_round WHERE id + :kept <= :round

-- name: forget_audit_drift
DELETE FROM rescind.audit_drift WHERE ended_at IS NOT NULL AND round + :kept <= :round

-- name: list_audit_rounds
SELECT r.id AS round, r.started_at, r.completed_at, r.organizations, r.memberships, r.effective_roles, r.missing, r.surplus,
       r.unsettled, r.repaired
FROM rescind.audit_round AS r ORDER BY r.id DESC LIMIT :limit

-- What is there now comes first, then what was seen last.

-- name: list_audit_drift
SELECT o.slug AS organization, g.slug AS "group", d.since, d.seen_at, d.ended_at, d.missing, d.surplus, d.repaired, d.example
FROM rescind.audit_drift AS d JOIN rescind.organization AS o ON o.id = d.organization
LEFT JOIN rescind."group" AS g ON g.organization = d.organization AND g.id = d."group" AND g.ended IS NULL
WHERE CAST(:organization AS TEXT) IS NULL OR o.slug = :organization
ORDER BY CASE WHEN d.ended_at IS NULL THEN 0 ELSE 1 END, d.seen_at DESC, d.organization, d."group" LIMIT :limit

-- name: read_audit_state
SELECT CAST(COALESCE(sum(d.missing + d.surplus), 0) AS BIGINT) AS drift_rows,
       (SELECT r.completed_at FROM rescind.audit_round AS r WHERE r.completed_at IS NOT NULL ORDER BY r.id DESC LIMIT 1)
           AS last_completed_at
FROM rescind.audit_drift AS d WHERE d.ended_at IS NULL
