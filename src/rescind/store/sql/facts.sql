-- Facts: for explanations (of one subject and resource), differences, exports and the log.

-- name: read_settings
SELECT o.id AS organization, o.revision, env.revision AS environment, o.name, o.id_rule, o.role_mode, o.on_loss, (SELECT slug FROM rescind.role WHERE id = o.default_role) AS default_role
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env WHERE o.slug = :organization AND env.id = 0

-- name: read_memberships
SELECT subject, active, name FROM rescind.membership WHERE organization = :o ORDER BY subject

-- name: read_groups
SELECT slug AS "group", name FROM rescind."group" WHERE organization = :o AND ended IS NULL ORDER BY slug

-- name: read_group_members
SELECT m.subject, g.slug AS "group", gm.expires_at FROM rescind.group_member AS gm
JOIN rescind.membership AS m ON m.organization = :o AND m.id = gm.membership
JOIN rescind."group" AS g ON g.organization = :o AND g.id = gm."group" AND g.ended IS NULL
WHERE gm.organization = :o ORDER BY g.slug, m.subject

-- name: read_nestings
SELECT c.slug AS child, p.slug AS parent FROM rescind.nesting AS n JOIN rescind."group" AS c ON c.organization = :o AND c.id = n.child
JOIN rescind."group" AS p ON p.organization = :o AND p.id = n.parent
WHERE n.organization = :o ORDER BY c.slug, p.slug

-- name: read_permissions
SELECT slug AS permission, critical, description, organization = 0 AS is_shared FROM rescind.permission WHERE organization IN (0, :o) ORDER BY slug

-- name: read_roles
SELECT r.slug AS role, r.priority, r.id AS number, r.critical, r.name, r.resource_type, r.organization = 0 AS is_shared, r.required FROM rescind.role AS r WHERE r.organization IN (0, :o) ORDER BY r.organization, r.slug

-- name: read_role_permissions
SELECT rp.role, p.slug AS permission FROM rescind.role AS r JOIN rescind.role_permission AS rp ON rp.role = r.id
JOIN rescind.permission AS p ON p.id = rp.permission
WHERE r.organization IN (0, :o) ORDER BY rp.role, p.slug

-- name: read_resource_types
SELECT slug AS type, parents, organization = 0 AS is_shared FROM rescind.resource_type WHERE organization IN (0, :o) ORDER BY slug

-- name: read_resources
SELECT r.slug AS resource, p.slug AS parent FROM rescind.resource AS r LEFT JOIN rescind.resource AS p ON p.organization = :o AND p.id = r.parent
WHERE r.organization = :o ORDER BY r.slug

-- name: read_assignments
SELECT COALESCE('group:' || g.slug, m.subject) AS holder, r.slug AS role, x.slug AS resource, a.expires_at
FROM rescind.assignment AS a JOIN rescind.role AS r ON r.id = a.role JOIN rescind.resource AS x ON x.organization = :o AND x.id = a.resource
LEFT JOIN rescind.membership AS m ON m.organization = :o AND m.id = a.holder
LEFT JOIN rescind."group" AS g ON g.organization = :o AND g.id = a.holder
WHERE a.organization = :o AND a.ended IS NULL ORDER BY a.holder, a.id

-- name: read_resets
SELECT m.subject, q.slug AS role FROM rescind.role_reset AS x
JOIN rescind.membership AS m ON m.organization = :o AND m.id = x.membership JOIN rescind.role AS q ON q.id = x.role
WHERE x.organization = :o ORDER BY m.subject, q.id

-- --- the part that one question needs -----------------------------------------------------------

-- name: slice_members
SELECT m.subject, g.slug AS "group", gm.expires_at FROM rescind.group_member AS gm
JOIN rescind.membership AS m ON m.organization = :o AND m.id = gm.membership
JOIN rescind."group" AS g ON g.organization = :o AND g.id = gm."group" AND g.ended IS NULL
WHERE gm.organization = :o AND gm.membership = :m

-- name: slice_nestings
WITH RECURSIVE
@decisions.holders_of_subject
SELECT c.slug AS child, p.slug AS parent FROM holder AS h JOIN rescind.nesting AS n ON n.organization = :o AND n.child = h.id
JOIN rescind."group" AS c ON c.organization = :o AND c.id = n.child
JOIN rescind."group" AS p ON p.organization = :o AND p.id = n.parent

-- name: slice_resources
WITH RECURSIVE
@decisions.above
SELECT x.slug AS resource, p.slug AS parent FROM above JOIN rescind.resource AS x ON x.organization = :o AND x.id = above.id
LEFT JOIN rescind.resource AS p ON p.organization = :o AND p.id = x.parent

-- name: slice_assignments
WITH RECURSIVE
@decisions.holders_of_subject,
@decisions.above
SELECT COALESCE('group:' || g.slug, m.subject) AS holder, q.slug AS role, x.slug AS resource, a.expires_at
FROM @decisions.held_at
JOIN rescind.role AS q ON q.id = a.role JOIN rescind.resource AS x ON x.organization = :o AND x.id = a.resource
LEFT JOIN rescind.membership AS m ON m.organization = :o AND m.id = a.holder
LEFT JOIN rescind."group" AS g ON g.organization = :o AND g.id = a.holder

-- name: slice_roles
WITH RECURSIVE
@decisions.holders_of_subject,
@decisions.above,
used (id) AS (
    SELECT a.role FROM @decisions.held_at
    UNION
    SELECT default_role FROM rescind.organization WHERE id = :o)
SELECT q.slug AS role, q.priority, q.id AS number, EXISTS (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = q.id AND rp.permission = :p) AS is_asked
FROM used JOIN rescind.role AS q ON q.id = used.id

-- name: slice_resets
SELECT m.subject, q.slug AS role FROM rescind.role_reset AS x
JOIN rescind.membership AS m ON m.organization = :o AND m.id = x.membership JOIN rescind.role AS q ON q.id = x.role
WHERE x.organization = :o AND x.membership = :m

-- --- the change log ------------------------------------------------------------------------------

-- name: read_log
-- A page ends with the row that reaches the limit of characters, so it has at least one row.
WITH RECURSIVE page (revision, characters, rows) AS (
    SELECT CAST(:after AS BIGINT), CAST(:characters AS BIGINT), CAST(:limit AS BIGINT)
    UNION ALL
    SELECT c.revision, p.characters - LENGTH(c.body), p.rows - 1
    FROM page AS p JOIN rescind.change AS c ON c.organization = :o AND c.revision = (
        SELECT MIN(n.revision) FROM rescind.change AS n WHERE n.organization = :o AND n.revision > p.revision)
    WHERE p.characters > 0 AND p.rows > 0)
SELECT c.revision, c.recorded_at, c.actor, c.reason, c.direction, c.route, c.granted + c.revoked + c.estimated AS fan_out, c.idempotency_key,
       CASE WHEN c.direction = 'grants' THEN c.recorded_at ELSE e.enforced_at END AS enforced_at,
CASE WHEN c.settled_at IS NOT NULL OR c.organization <> 0 THEN c.settled_at ELSE (
    SELECT CASE WHEN count(*) = count(x.settled_at) THEN max(x.settled_at) END FROM rescind.change AS x
    WHERE x.caused_by = c.revision) END
AS settled_at, c.body, e.record, c.caused_by, c.granted, c.revoked, c.estimated, c.environment, c.digest,
       COALESCE(s.digest, b.digest) AS digest_before
FROM page AS p JOIN rescind.change AS c ON c.organization = :o AND c.revision = p.revision
LEFT JOIN rescind.enforcement AS e ON e.organization = c.organization AND e.revision = c.revision
LEFT JOIN rescind.change AS b ON b.organization = c.organization AND b.revision = c.revision - 1
LEFT JOIN rescind.log_start AS s ON s.organization = c.organization AND s.revision = c.revision - 1
WHERE p.revision > :after ORDER BY c.revision

-- name: record_enforced
INSERT INTO rescind.enforcement (organization, revision, enforced_at, record, recorded_at)
SELECT c.organization, c.revision, CAST(i.value ->> 'at' AS BIGINT), i.value ->> 'record',
       CASE WHEN c.direction = 'revokes' THEN c.recorded_at END
FROM rescind.json_items(:notes) AS i
JOIN rescind.change AS c ON c.organization = CAST(i.value ->> 'o' AS INTEGER) AND c.revision = CAST(i.value ->> 'revision' AS BIGINT)
WHERE TRUE
ON CONFLICT (organization, revision) DO UPDATE SET
    enforced_at = CASE WHEN excluded.enforced_at < rescind.enforcement.enforced_at
        THEN excluded.enforced_at ELSE rescind.enforcement.enforced_at END,
    record = COALESCE(rescind.enforcement.record, excluded.record),
    recorded_at = excluded.recorded_at
WHERE excluded.enforced_at < rescind.enforcement.enforced_at
   OR (rescind.enforcement.record IS NULL AND excluded.record IS NOT NULL)
RETURNING revision

-- name: list_organizations
SELECT slug AS organization, name, revision FROM rescind.organization WHERE slug IS NOT NULL AND slug > :after AND id <> 0 ORDER BY slug LIMIT :limit

-- name: find_log
SELECT x.id AS organization FROM (
    SELECT o.id, 0 AS is_deleted FROM rescind.organization AS o WHERE o.slug = :organization
    UNION ALL
    SELECT o.id, 1 AS is_deleted FROM rescind.organization AS o WHERE o.deleted_as = :organization) AS x
ORDER BY x.is_deleted, x.id DESC LIMIT 1

-- Changes in a range that may be about something. Their bodies tell what they are about.

-- name: find_changes_about
SELECT c.revision FROM rescind.change AS c
WHERE c.organization = :o AND c.revision > :after AND c.revision <= :up_to
  AND c.recorded_at >= :since AND c.recorded_at < :until
  AND (:actor = '' OR REPLACE(c.actor, :actor, '') <> c.actor)
  AND (:text = '' OR REPLACE(c.body, :text, '') <> c.body)
ORDER BY c.revision LIMIT :limit

-- The revisions between which the changes of a time begin, by bisection: those up to the first were recorded before the
-- time, those from the second on were not. Writers' clocks may differ a little, so callers leave a margin.

-- name: find_log_place
WITH RECURSIVE search (low, high) AS (
    SELECT CAST(0 AS BIGINT), (SELECT max(c.revision) + 1 FROM rescind.change AS c WHERE c.organization = :o)
    UNION ALL
    SELECT CASE WHEN
            (SELECT c.recorded_at < :at FROM rescind.change AS c
            WHERE c.organization = :o AND c.revision >= (s.low + s.high) / 2 ORDER BY c.revision LIMIT 1)
        THEN (s.low + s.high) / 2 ELSE s.low END, CASE WHEN
            (SELECT c.recorded_at < :at FROM rescind.change AS c
            WHERE c.organization = :o AND c.revision >= (s.low + s.high) / 2 ORDER BY c.revision LIMIT 1)
        THEN s.high ELSE (s.low + s.high) / 2 END
    FROM search AS s WHERE s.high - s.low > 1)
SELECT max(low) AS low, min(high) AS high, (SELECT max(c.revision) FROM rescind.change AS c WHERE c.organization = :o) AS last FROM search
