-- What SQLite does in its own way.

-- name: check_plan
SELECT 1 FROM organization WHERE id = :o AND slug = :organization AND role_mode = :mode

-- name: advance_revision
UPDATE organization
SET revision = revision + 1, last_number = last_number + CAST(rescind_tallied('numbers') AS INTEGER)
WHERE id = :o AND rescind_tallied('altered') > 0

-- name: record_change
INSERT INTO change (organization, revision, recorded_at, actor, reason, idempotency_key, direction, route,
                    granted, revoked, body)
SELECT o.id, o.revision, :now, :actor, :reason, :key,
       CASE WHEN rescind_tallied('revoked') + rescind_tallied('revokes') > 0
              OR (o.role_mode = 'single' AND rescind_tallied('granted') + rescind_tallied('gains') > 0)
            THEN 'revokes' ELSE 'grants' END,
       :route, rescind_tallied('granted'), rescind_tallied('revoked'), :body
FROM organization AS o WHERE o.id = :o AND rescind_tallied('altered') > 0

-- name: read_outcome
SELECT o.id, o.revision, env.revision AS environment, c.direction, c.route, c.granted + c.revoked AS fan_out,
       c.recorded_at
FROM organization AS o JOIN organization AS env ON env.id = 0
LEFT JOIN change AS c ON c.organization = o.id AND c.revision = o.revision AND rescind_tallied('altered') > 0
WHERE o.id = :o
