-- What PostgreSQL does in its own way.

-- name: begin
SELECT rescind_begin(CAST(:o AS INTEGER), :organization, :mode)

-- Arrays instead of IN: looked up by key whatever the statistics say, where a semi-join might scan the group.

-- name: delete_group_members
DELETE FROM group_member
WHERE organization = :o AND "group" = (SELECT id FROM "group" WHERE organization = :o AND slug = :group)
  AND membership = ANY (ARRAY(
      SELECT (SELECT m.id FROM membership AS m WHERE m.organization = :o AND m.subject = i.value)
      FROM json_texts(:members) AS i))

-- name: shorten_group_members
UPDATE group_member SET expires_at = :expires_at
WHERE organization = :o AND "group" = (SELECT id FROM "group" WHERE organization = :o AND slug = :group)
  AND membership = ANY (ARRAY(
      SELECT (SELECT m.id FROM membership AS m WHERE m.organization = :o AND m.subject = i.value)
      FROM json_texts(:members) AS i))
  AND :expires_at < COALESCE(expires_at, 9223372036854775807)

-- One statement at the end of a change instead of three.

-- name: close_change
WITH advanced AS (
    UPDATE organization
    SET revision = revision + 1, last_number = last_number + CAST(rescind_tallied('numbers') AS INTEGER)
    WHERE id = :o AND rescind_tallied('altered') > 0
    RETURNING id, revision, role_mode),
recorded AS (
    INSERT INTO change (organization, revision, recorded_at, actor, reason, idempotency_key, direction, route,
                        granted, revoked, body)
    SELECT a.id, a.revision, :now, :actor, :reason, :key,
           CASE WHEN rescind_tallied('revoked') + rescind_tallied('revokes') > 0
                  OR (a.role_mode = 'single' AND rescind_tallied('granted') + rescind_tallied('gains') > 0)
                THEN 'revokes' ELSE 'grants' END,
           :route, rescind_tallied('granted'), rescind_tallied('revoked'), :body
    FROM advanced AS a
    RETURNING organization, revision, direction, route, granted + revoked AS fan_out, recorded_at)
SELECT o.id, COALESCE(r.revision, o.revision),
       CASE WHEN o.id = 0 THEN COALESCE(r.revision, o.revision) ELSE env.revision END, r.direction, r.route, r.fan_out, r.recorded_at
FROM organization AS o JOIN organization AS env ON env.id = 0 LEFT JOIN recorded AS r ON TRUE
WHERE o.id = :o
