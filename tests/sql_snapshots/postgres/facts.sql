-- find_changes_about
SELECT c.revision FROM rescind.change AS c
WHERE c.organization = %(o)s AND c.revision > %(after)s AND c.revision <= %(up_to)s
AND c.recorded_at >= %(since)s AND c.recorded_at < %(until)s
AND (%(actor)s = '' OR REPLACE(c.actor, %(actor)s, '') <> c.actor)
AND (%(text)s = '' OR REPLACE(c.body, %(text)s, '') <> c.body)
ORDER BY c.revision LIMIT %(limit)s

-- find_log
SELECT x.id AS organization FROM (
    SELECT o.id, 0 AS is_deleted FROM rescind.organization AS o WHERE o.slug = %(organization)s
    UNION ALL
    SELECT o.id, 1 AS is_deleted FROM rescind.organization AS o WHERE o.deleted_as = %(organization)s) AS x
ORDER BY x.is_deleted, x.id DESC LIMIT 1

-- find_log_place
WITH RECURSIVE search (low, high) AS (
    SELECT CAST(0 AS BIGINT), (SELECT max(c.revision) + 1 FROM rescind.change AS c WHERE c.organization = %(o)s)
    UNION ALL
    SELECT CASE WHEN
            (SELECT c.recorded_at < %(at)s FROM rescind.change AS c
            WHERE c.organization = %(o)s AND c.revision >= (s.low + s.high) / 2 ORDER BY c.revision LIMIT 1)
        THEN (s.low + s.high) / 2 ELSE s.low END, CASE WHEN
            (SELECT c.recorded_at < %(at)s FROM rescind.change AS c
            WHERE c.organization = %(o)s AND c.revision >= (s.low + s.high) / 2 ORDER BY c.revision LIMIT 1)
        THEN s.high ELSE (s.low + s.high) / 2 END
    FROM search AS s WHERE s.high - s.low > 1)
SELECT max(low) AS low, min(high) AS high, (SELECT max(c.revision) FROM rescind.change AS c WHERE c.organization = %(o)s) AS last FROM search

-- list_organizations
SELECT slug AS organization, name, revision FROM rescind.organization WHERE slug IS NOT NULL AND slug > %(after)s AND id <> 0 ORDER BY slug LIMIT %(limit)s

-- read_assignments
SELECT COALESCE('group:' || g.slug, m.subject) AS holder, r.slug AS role, x.slug AS resource, a.expires_at
FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.role AS r
    WHERE r.id = a.role OFFSET 0) AS r CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = %(o)s AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = a.holder OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = a.holder OFFSET 0) AS g ON TRUE
WHERE a.organization = %(o)s AND a.ended IS NULL ORDER BY a.holder, a.id

-- read_group_members
SELECT m.subject, g.slug AS "group", gm.expires_at FROM rescind.group_member AS gm
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = gm.membership OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = gm."group" AND g.ended IS NULL OFFSET 0) AS g
WHERE gm.organization = %(o)s ORDER BY g.slug, m.subject

-- read_groups
SELECT slug AS "group", name FROM rescind."group" WHERE organization = %(o)s AND ended IS NULL ORDER BY slug

-- read_log
WITH RECURSIVE page (revision, characters, rows) AS (
    SELECT CAST(%(after)s AS BIGINT), CAST(%(characters)s AS BIGINT), CAST(%(limit)s AS BIGINT)
    UNION ALL
    SELECT c.revision, p.characters - LENGTH(c.body), p.rows - 1
    FROM page AS p CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
        WHERE c.organization = %(o)s AND c.revision = (
            SELECT MIN(n.revision) FROM rescind.change AS n WHERE n.organization = %(o)s AND n.revision > p.revision) OFFSET 0) AS c
    WHERE p.characters > 0 AND p.rows > 0)
SELECT c.revision, c.recorded_at, c.actor, c.reason, c.direction, c.route, c.granted + c.revoked + c.estimated AS fan_out, c.idempotency_key,
CASE WHEN c.direction = 'grants' THEN c.recorded_at ELSE e.enforced_at END AS enforced_at,
CASE WHEN c.settled_at IS NOT NULL OR c.organization <> 0 THEN c.settled_at ELSE (
        SELECT CASE WHEN count(*) = count(x.settled_at) THEN max(x.settled_at) END FROM rescind.change AS x
        WHERE x.caused_by = c.revision) END
    AS settled_at, c.body, e.record, c.caused_by, c.granted, c.revoked, c.estimated, c.environment, c.digest,
    COALESCE(s.digest, b.digest) AS digest_before
FROM page AS p CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = p.revision OFFSET 0) AS c
LEFT JOIN LATERAL (SELECT * FROM rescind.enforcement AS e
    WHERE e.organization = c.organization AND e.revision = c.revision OFFSET 0) AS e ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS b
    WHERE b.organization = c.organization AND b.revision = c.revision - 1 OFFSET 0) AS b ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.log_start AS s
    WHERE s.organization = c.organization AND s.revision = c.revision - 1 OFFSET 0) AS s ON TRUE
WHERE p.revision > %(after)s ORDER BY c.revision

-- read_memberships
SELECT subject, active, name FROM rescind.membership WHERE organization = %(o)s ORDER BY subject

-- read_nestings
SELECT c.slug AS child, p.slug AS parent FROM rescind.nesting AS n CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS c
    WHERE c.organization = %(o)s AND c.id = n.child OFFSET 0) AS c
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS p
    WHERE p.organization = %(o)s AND p.id = n.parent OFFSET 0) AS p
WHERE n.organization = %(o)s ORDER BY c.slug, p.slug

-- read_permissions
SELECT slug AS permission, critical, description, organization = 0 AS is_shared FROM rescind.permission WHERE organization IN (0, %(o)s) ORDER BY slug

-- read_resets
SELECT m.subject, q.slug AS role FROM rescind.role_reset AS x
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = x.membership OFFSET 0) AS m CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = x.role OFFSET 0) AS q
WHERE x.organization = %(o)s ORDER BY m.subject, q.id

-- read_resource_types
SELECT slug AS type, parents, organization = 0 AS is_shared FROM rescind.resource_type WHERE organization IN (0, %(o)s) ORDER BY slug

-- read_resources
SELECT r.slug AS resource, p.slug AS parent FROM rescind.resource AS r LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS p
    WHERE p.organization = %(o)s AND p.id = r.parent OFFSET 0) AS p ON TRUE
WHERE r.organization = %(o)s ORDER BY r.slug

-- read_role_permissions
SELECT rp.role, p.slug AS permission FROM rescind.role AS r CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
    WHERE rp.role = r.id OFFSET 0) AS rp
CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.id = rp.permission OFFSET 0) AS p
WHERE r.organization IN (0, %(o)s) ORDER BY rp.role, p.slug

-- read_roles
SELECT r.slug AS role, r.priority, r.id AS number, r.critical, r.name, r.resource_type, r.organization = 0 AS is_shared, r.required FROM rescind.role AS r WHERE r.organization IN (0, %(o)s) ORDER BY r.organization, r.slug

-- read_settings
SELECT o.id AS organization, o.revision, env.revision AS environment, o.name, o.id_rule, o.role_mode, o.on_loss, (SELECT slug FROM rescind.role WHERE id = o.default_role) AS default_role
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env WHERE o.slug = %(organization)s AND env.id = 0

-- record_enforced
INSERT INTO rescind.enforcement (organization, revision, enforced_at, record, recorded_at)
SELECT c.organization, c.revision, CAST(i.value ->> 'at' AS BIGINT), i.value ->> 'record',
CASE WHEN c.direction = 'revokes' THEN c.recorded_at END
FROM rescind.json_items(%(notes)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = CAST(i.value ->> 'o' AS INTEGER) AND c.revision = CAST(i.value ->> 'revision' AS BIGINT) OFFSET 0) AS c
WHERE TRUE
ON CONFLICT (organization, revision) DO UPDATE SET
    enforced_at = CASE WHEN excluded.enforced_at < rescind.enforcement.enforced_at
    THEN excluded.enforced_at ELSE rescind.enforcement.enforced_at END,
    record = COALESCE(rescind.enforcement.record, excluded.record),
    recorded_at = excluded.recorded_at
WHERE excluded.enforced_at < rescind.enforcement.enforced_at
OR (rescind.enforcement.record IS NULL AND excluded.record IS NOT NULL)
RETURNING revision

-- slice_assignments
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(m)s AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind.group_member AS gm WHERE gm.organization = %(o)s AND gm.membership = %(m)s
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    above (id) AS (
    SELECT CAST(%(r)s AS INTEGER)
    UNION ALL
    SELECT x.parent FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
        WHERE x.organization = %(o)s AND x.id = above.id OFFSET 0) AS x WHERE above.id <> 0)
SELECT COALESCE('group:' || g.slug, m.subject) AS holder, q.slug AS role, x.slug AS resource, a.expires_at
FROM (SELECT a.holder, a.role, a.resource, a.expires_at
    FROM (SELECT h.id AS holder, above.id AS place FROM holder AS h CROSS JOIN above LIMIT 1000000000) AS e
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = e.holder AND a.resource = e.place AND a.ended IS NULL OFFSET 0) AS a
    LIMIT 1000000000) AS a
CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = a.role OFFSET 0) AS q CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = %(o)s AND x.id = a.resource OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = a.holder OFFSET 0) AS m ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = a.holder OFFSET 0) AS g ON TRUE

-- slice_members
SELECT m.subject, g.slug AS "group", gm.expires_at FROM rescind.group_member AS gm
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = gm.membership OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = gm."group" AND g.ended IS NULL OFFSET 0) AS g
WHERE gm.organization = %(o)s AND gm.membership = %(m)s

-- slice_nestings
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(m)s AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind.group_member AS gm WHERE gm.organization = %(o)s AND gm.membership = %(m)s
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n)
SELECT c.slug AS child, p.slug AS parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
    WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS c
    WHERE c.organization = %(o)s AND c.id = n.child OFFSET 0) AS c
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS p
    WHERE p.organization = %(o)s AND p.id = n.parent OFFSET 0) AS p

-- slice_resets
SELECT m.subject, q.slug AS role FROM rescind.role_reset AS x
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.id = x.membership OFFSET 0) AS m CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = x.role OFFSET 0) AS q
WHERE x.organization = %(o)s AND x.membership = %(m)s

-- slice_resources
WITH RECURSIVE
    above (id) AS (
    SELECT CAST(%(r)s AS INTEGER)
    UNION ALL
    SELECT x.parent FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
        WHERE x.organization = %(o)s AND x.id = above.id OFFSET 0) AS x WHERE above.id <> 0)
SELECT x.slug AS resource, p.slug AS parent FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = %(o)s AND x.id = above.id OFFSET 0) AS x
LEFT JOIN LATERAL (SELECT * FROM rescind.resource AS p
    WHERE p.organization = %(o)s AND p.id = x.parent OFFSET 0) AS p ON TRUE

-- slice_roles
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(m)s AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind.group_member AS gm WHERE gm.organization = %(o)s AND gm.membership = %(m)s
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n),
    above (id) AS (
    SELECT CAST(%(r)s AS INTEGER)
    UNION ALL
    SELECT x.parent FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
        WHERE x.organization = %(o)s AND x.id = above.id OFFSET 0) AS x WHERE above.id <> 0),
    used (id) AS (
    SELECT a.role FROM (SELECT a.holder, a.role, a.resource, a.expires_at
        FROM (SELECT h.id AS holder, above.id AS place FROM holder AS h CROSS JOIN above LIMIT 1000000000) AS e
        CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.holder = e.holder AND a.resource = e.place AND a.ended IS NULL OFFSET 0) AS a
        LIMIT 1000000000) AS a
    UNION
    SELECT default_role FROM rescind.organization WHERE id = %(o)s)
SELECT q.slug AS role, q.priority, q.id AS number, EXISTS (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = q.id AND rp.permission = %(p)s) AS is_asked
FROM used CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
    WHERE q.id = used.id OFFSET 0) AS q
