-- find_changes_about
SELECT c.revision FROM rescind_change AS c
WHERE c.organization = :o AND c.revision > :after AND c.revision <= :up_to
AND c.recorded_at >= :since AND c.recorded_at < :until
AND (:actor = '' OR REPLACE(c.actor, :actor, '') <> c.actor)
AND (:text = '' OR REPLACE(c.body, :text, '') <> c.body)
ORDER BY c.revision LIMIT :limit

-- find_log
SELECT x.id AS organization FROM (
    SELECT o.id, 0 AS is_deleted FROM rescind_organization AS o WHERE o.slug = :organization
    UNION ALL
    SELECT o.id, 1 AS is_deleted FROM rescind_organization AS o WHERE o.deleted_as = :organization) AS x
ORDER BY x.is_deleted, x.id DESC LIMIT 1

-- find_log_place
WITH RECURSIVE search (low, high) AS (
    SELECT CAST(0 AS BIGINT), (SELECT max(c.revision) + 1 FROM rescind_change AS c WHERE c.organization = :o)
    UNION ALL
    SELECT CASE WHEN
            (SELECT c.recorded_at < :at FROM rescind_change AS c
            WHERE c.organization = :o AND c.revision >= (s.low + s.high) / 2 ORDER BY c.revision LIMIT 1)
        THEN (s.low + s.high) / 2 ELSE s.low END, CASE WHEN
            (SELECT c.recorded_at < :at FROM rescind_change AS c
            WHERE c.organization = :o AND c.revision >= (s.low + s.high) / 2 ORDER BY c.revision LIMIT 1)
        THEN s.high ELSE (s.low + s.high) / 2 END
    FROM search AS s WHERE s.high - s.low > 1)
SELECT max(low) AS low, min(high) AS high, (SELECT max(c.revision) FROM rescind_change AS c WHERE c.organization = :o) AS last FROM search

-- list_organizations
SELECT slug AS organization, name, revision FROM rescind_organization WHERE slug IS NOT NULL AND slug > :after AND id <> 0 ORDER BY slug LIMIT :limit

-- read_assignments
SELECT COALESCE('group:' || g.slug, m.subject) AS holder, r.slug AS role, x.slug AS resource, a.expires_at
FROM rescind_assignment AS a CROSS JOIN rescind_role AS r ON r.id = a.role CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.id = a.resource
LEFT JOIN rescind_membership AS m ON m.organization = :o AND m.id = a.holder
LEFT JOIN rescind_group AS g ON g.organization = :o AND g.id = a.holder
WHERE a.organization = :o AND a.ended IS NULL ORDER BY a.holder, a.id

-- read_group_members
SELECT m.subject, g.slug AS "group", gm.expires_at FROM rescind_group_member AS gm
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.id = gm.membership
CROSS JOIN rescind_group AS g ON g.organization = :o AND g.id = gm."group" AND g.ended IS NULL
WHERE gm.organization = :o ORDER BY g.slug, m.subject

-- read_groups
SELECT slug AS "group", name FROM rescind_group WHERE organization = :o AND ended IS NULL ORDER BY slug

-- read_log
WITH RECURSIVE page (revision, characters, rows) AS (
    SELECT CAST(:after AS BIGINT), CAST(:characters AS BIGINT), CAST(:limit AS BIGINT)
    UNION ALL
    SELECT c.revision, p.characters - LENGTH(c.body), p.rows - 1
    FROM page AS p CROSS JOIN rescind_change AS c ON c.organization = :o AND c.revision = (
        SELECT MIN(n.revision) FROM rescind_change AS n WHERE n.organization = :o AND n.revision > p.revision)
    WHERE p.characters > 0 AND p.rows > 0)
SELECT c.revision, c.recorded_at, c.actor, c.reason, c.direction, c.route, c.granted + c.revoked + c.estimated AS fan_out, c.idempotency_key,
CASE WHEN c.direction = 'grants' THEN c.recorded_at ELSE e.enforced_at END AS enforced_at,
CASE WHEN c.settled_at IS NOT NULL OR c.organization <> 0 THEN c.settled_at ELSE (
        SELECT CASE WHEN count(*) = count(x.settled_at) THEN max(x.settled_at) END FROM rescind_change AS x
        WHERE x.caused_by = c.revision) END
    AS settled_at, c.body, e.record, c.caused_by, c.granted, c.revoked, c.estimated, c.environment, c.digest,
    COALESCE(s.digest, b.digest) AS digest_before
FROM page AS p CROSS JOIN rescind_change AS c ON c.organization = :o AND c.revision = p.revision
LEFT JOIN rescind_enforcement AS e ON e.organization = c.organization AND e.revision = c.revision
LEFT JOIN rescind_change AS b ON b.organization = c.organization AND b.revision = c.revision - 1
LEFT JOIN rescind_log_start AS s ON s.organization = c.organization AND s.revision = c.revision - 1
WHERE p.revision > :after ORDER BY c.revision

-- read_memberships
SELECT subject, active, name FROM rescind_membership WHERE organization = :o ORDER BY subject

-- read_nestings
SELECT c.slug AS child, p.slug AS parent FROM rescind_nesting AS n CROSS JOIN rescind_group AS c ON c.organization = :o AND c.id = n.child
CROSS JOIN rescind_group AS p ON p.organization = :o AND p.id = n.parent
WHERE n.organization = :o ORDER BY c.slug, p.slug

-- read_permissions
SELECT slug AS permission, critical, description, organization = 0 AS is_shared FROM rescind_permission WHERE organization IN (0, :o) ORDER BY slug

-- read_resets
SELECT m.subject, q.slug AS role FROM rescind_role_reset AS x
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.id = x.membership CROSS JOIN rescind_role AS q ON q.id = x.role
WHERE x.organization = :o ORDER BY m.subject, q.id

-- read_resource_types
SELECT slug AS type, parents, organization = 0 AS is_shared FROM rescind_resource_type WHERE organization IN (0, :o) ORDER BY slug

-- read_resources
SELECT r.slug AS resource, p.slug AS parent FROM rescind_resource AS r LEFT JOIN rescind_resource AS p ON p.organization = :o AND p.id = r.parent
WHERE r.organization = :o ORDER BY r.slug

-- read_role_permissions
SELECT rp.role, p.slug AS permission FROM rescind_role AS r CROSS JOIN rescind_role_permission AS rp ON rp.role = r.id
CROSS JOIN rescind_permission AS p ON p.id = rp.permission
WHERE r.organization IN (0, :o) ORDER BY rp.role, p.slug

-- read_roles
SELECT r.slug AS role, r.priority, r.id AS number, r.critical, r.name, r.resource_type, r.organization = 0 AS is_shared, r.required FROM rescind_role AS r WHERE r.organization IN (0, :o) ORDER BY r.organization, r.slug

-- read_settings
SELECT o.id AS organization, o.revision, env.revision AS environment, o.name, o.id_rule, o.role_mode, o.on_loss, (SELECT slug FROM rescind_role WHERE id = o.default_role) AS default_role
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env WHERE o.slug = :organization AND env.id = 0

-- record_enforced
INSERT INTO rescind_enforcement (organization, revision, enforced_at, record, recorded_at)
SELECT c.organization, c.revision, CAST(i.value ->> 'at' AS BIGINT), i.value ->> 'record',
CASE WHEN c.direction = 'revokes' THEN c.recorded_at END
FROM json_each(:notes) AS i
CROSS JOIN rescind_change AS c ON c.organization = CAST(i.value ->> 'o' AS INTEGER) AND c.revision = CAST(i.value ->> 'revision' AS BIGINT)
WHERE TRUE
ON CONFLICT (organization, revision) DO UPDATE SET
    enforced_at = CASE WHEN excluded.enforced_at < rescind_enforcement.enforced_at
    THEN excluded.enforced_at ELSE rescind_enforcement.enforced_at END,
    record = COALESCE(rescind_enforcement.record, excluded.record),
    recorded_at = excluded.recorded_at
WHERE excluded.enforced_at < rescind_enforcement.enforced_at
OR (rescind_enforcement.record IS NULL AND excluded.record IS NOT NULL)
RETURNING revision

-- slice_assignments
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:m AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind_group_member AS gm WHERE gm.organization = :o AND gm.membership = :m
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = h.id),
    above (id) AS (
    SELECT CAST(:r AS INTEGER)
    UNION ALL
    SELECT x.parent FROM above CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.id = above.id WHERE above.id <> 0)
SELECT COALESCE('group:' || g.slug, m.subject) AS holder, q.slug AS role, x.slug AS resource, a.expires_at
FROM (SELECT a.holder, a.role, a.resource, a.expires_at
    FROM (SELECT h.id AS holder, above.id AS place FROM holder AS h CROSS JOIN above LIMIT 1000000000) AS e
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = e.holder AND a.resource = e.place AND a.ended IS NULL
    LIMIT 1000000000) AS a
CROSS JOIN rescind_role AS q ON q.id = a.role CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.id = a.resource
LEFT JOIN rescind_membership AS m ON m.organization = :o AND m.id = a.holder
LEFT JOIN rescind_group AS g ON g.organization = :o AND g.id = a.holder

-- slice_members
SELECT m.subject, g.slug AS "group", gm.expires_at FROM rescind_group_member AS gm
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.id = gm.membership
CROSS JOIN rescind_group AS g ON g.organization = :o AND g.id = gm."group" AND g.ended IS NULL
WHERE gm.organization = :o AND gm.membership = :m

-- slice_nestings
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:m AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind_group_member AS gm WHERE gm.organization = :o AND gm.membership = :m
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = h.id)
SELECT c.slug AS child, p.slug AS parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = h.id
CROSS JOIN rescind_group AS c ON c.organization = :o AND c.id = n.child
CROSS JOIN rescind_group AS p ON p.organization = :o AND p.id = n.parent

-- slice_resets
SELECT m.subject, q.slug AS role FROM rescind_role_reset AS x
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.id = x.membership CROSS JOIN rescind_role AS q ON q.id = x.role
WHERE x.organization = :o AND x.membership = :m

-- slice_resources
WITH RECURSIVE
    above (id) AS (
    SELECT CAST(:r AS INTEGER)
    UNION ALL
    SELECT x.parent FROM above CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.id = above.id WHERE above.id <> 0)
SELECT x.slug AS resource, p.slug AS parent FROM above CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.id = above.id
LEFT JOIN rescind_resource AS p ON p.organization = :o AND p.id = x.parent

-- slice_roles
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:m AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind_group_member AS gm WHERE gm.organization = :o AND gm.membership = :m
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = h.id),
    above (id) AS (
    SELECT CAST(:r AS INTEGER)
    UNION ALL
    SELECT x.parent FROM above CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.id = above.id WHERE above.id <> 0),
    used (id) AS (
    SELECT a.role FROM (SELECT a.holder, a.role, a.resource, a.expires_at
        FROM (SELECT h.id AS holder, above.id AS place FROM holder AS h CROSS JOIN above LIMIT 1000000000) AS e
        CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = e.holder AND a.resource = e.place AND a.ended IS NULL
        LIMIT 1000000000) AS a
    UNION
    SELECT default_role FROM rescind_organization WHERE id = :o)
SELECT q.slug AS role, q.priority, q.id AS number, EXISTS (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = q.id AND rp.permission = :p) AS is_asked
FROM used CROSS JOIN rescind_role AS q ON q.id = used.id
