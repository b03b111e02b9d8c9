-- add_reported_members
INSERT INTO rescind.directory_member (organization, "group", membership, expires_at)
SELECT %(o)s, %(g)s, CAST(i.value AS INTEGER), CAST(%(expires_at)s AS BIGINT) FROM rescind.json_texts(%(memberships)s) AS i WHERE TRUE
ON CONFLICT (organization, "group", membership) DO NOTHING RETURNING membership

-- add_reported_nesting
INSERT INTO rescind.directory_nesting (organization, child, parent) VALUES (%(o)s, %(child)s, %(parent)s)
ON CONFLICT (organization, child, parent) DO NOTHING RETURNING child, parent

-- add_reported_role
INSERT INTO rescind.directory_given (organization, holder, resource, role, expires_at)
VALUES (%(o)s, %(holder)s, %(resource)s, %(role)s, CAST(%(expires_at)s AS BIGINT))
ON CONFLICT (organization, holder, resource, role) DO NOTHING RETURNING holder, resource, role

-- begin_following
INSERT INTO rescind.directory_follower (organization, revision, number, role, permission) VALUES (%(o)s, 0, 0, 0, 0)
ON CONFLICT (organization) DO NOTHING RETURNING 1

-- end_following
UPDATE rescind.directory_follower SET revision = %(revision)s, number = %(number)s, role = %(role)s, permission = %(permission)s
WHERE organization = %(o)s RETURNING 1

-- expire_reported_members
DELETE FROM rescind.directory_member WHERE organization = %(o)s AND expires_at <= %(until)s RETURNING expires_at, "group", membership

-- expire_reported_roles
DELETE FROM rescind.directory_given WHERE organization = %(o)s AND expires_at <= %(until)s RETURNING expires_at, holder, resource, role

-- find_event
SELECT written_by, position FROM rescind.directory_event WHERE position = %(position)s AND (CAST(%(o)s AS INTEGER) IS NULL OR organization = %(o)s)

-- find_next_reported_expiry
SELECT min(x.expires_at) AS expires_at FROM (
    SELECT expires_at FROM rescind.directory_member WHERE organization = %(o)s AND expires_at IS NOT NULL
    UNION ALL
    SELECT expires_at FROM rescind.directory_given WHERE organization = %(o)s AND expires_at IS NOT NULL) AS x

-- forget_gone
DELETE FROM rescind.directory_gone WHERE organization = %(o)s
AND (revision <= %(revision)s OR EXISTS (SELECT 1 FROM rescind.organization AS d WHERE d.id = %(o)s AND d.slug IS NULL AND d.revision <= %(revision)s))
RETURNING 1

-- forget_gone_ids
DELETE FROM rescind.directory_gone_id WHERE organization = %(o)s AND NOT EXISTS (
    SELECT 1 FROM rescind.directory_gone AS g
    WHERE g.organization = rescind.directory_gone_id.organization AND g.kind = rescind.directory_gone_id.kind AND g.number = rescind.directory_gone_id.number)
RETURNING 1

-- forget_notes
DELETE FROM rescind.directory_note WHERE organization = %(o)s AND id IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(%(notes)s) AS i)
RETURNING 1

-- forget_old_events
DELETE FROM rescind.directory_event
WHERE position < (SELECT min(position) + 100 FROM rescind.directory_event) AND recorded_at < %(cutoff)s RETURNING 1

-- forget_old_notes
DELETE FROM rescind.directory_note WHERE recorded_at < %(cutoff)s RETURNING 1

-- keep_gone_resources
WITH RECURSIVE
    subtree (id) AS (
    SELECT id FROM rescind.resource WHERE organization = %(o)s AND slug = %(resource)s
    UNION
    SELECT r.id FROM subtree AS s CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
        WHERE r.organization = %(o)s AND r.parent = s.id OFFSET 0) AS r)
INSERT INTO rescind.directory_gone (organization, kind, number, name, revision)
SELECT DISTINCT r.organization, 'resource', r.id, r.slug, o.revision + 1
FROM subtree AS s CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = %(o)s AND r.id = s.id OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = r.organization OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.resource = r.id AND a.ended = -(o.revision + 1) OFFSET 0) AS a

-- keep_public_id
INSERT INTO rescind.directory_gone_id (organization, kind, number, public_id)
SELECT d.organization, d.kind, d.number, d.public_id FROM rescind.directory AS d
WHERE d.organization = %(o)s AND d.kind = %(kind)s AND d.number = %(number)s AND d.public_id IS NOT NULL RETURNING 1

-- list_gone
SELECT g.kind, g.name, g.number, g.revision, g.label, d.public_id, d.attributes, d.updated_at
FROM rescind.directory_gone AS g
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = g.organization AND d.kind = g.kind AND d.number = g.number OFFSET 0) AS d ON TRUE
WHERE g.organization = %(o)s AND g.kind <> 'resource' ORDER BY g.kind, g.number

-- list_groups_named
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind.json_texts(%(groups)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.slug = i.value AND g.ended IS NULL OFFSET 0) AS g
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = g.organization OFFSET 0) AS o
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = g.organization AND d.kind = 'group' AND d.number = g.id OFFSET 0) AS d ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS od
    WHERE od.organization = g.organization AND od.kind = 'organization' AND od.number = 0 OFFSET 0) AS od ON TRUE

-- list_notes
SELECT id, since, revision, name, data, actor, recorded_at FROM rescind.directory_note WHERE organization = %(o)s ORDER BY id

-- list_public_ids
SELECT d.number, d.public_id FROM rescind.json_texts(%(numbers)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = %(o)s AND d.kind = %(kind)s AND d.number = CAST(i.value AS INTEGER) OFFSET 0) AS d
WHERE d.public_id IS NOT NULL
UNION ALL
SELECT g.number, g.public_id FROM rescind.json_texts(%(numbers)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.directory_gone_id AS g
    WHERE g.organization = %(o)s AND g.kind = %(kind)s AND g.number = CAST(i.value AS INTEGER) OFFSET 0) AS g

-- list_reported_roles
SELECT resource, role FROM rescind.directory_given WHERE organization = %(o)s AND holder = %(holder)s

-- list_unreported
SELECT o.id AS organization FROM rescind.organization AS o LEFT JOIN LATERAL (SELECT * FROM rescind.directory_follower AS f
    WHERE f.organization = o.id OFFSET 0) AS f ON TRUE
WHERE (CAST(%(o)s AS INTEGER) IS NULL OR o.id = %(o)s) AND o.revision > COALESCE(f.revision, 0)
UNION
SELECT n.organization FROM rescind.directory_note AS n WHERE CAST(%(o)s AS INTEGER) IS NULL OR n.organization = %(o)s
UNION
SELECT t.organization FROM rescind.directory_member AS t WHERE t.expires_at <= %(now)s AND (CAST(%(o)s AS INTEGER) IS NULL OR t.organization = %(o)s)
UNION
SELECT t.organization FROM rescind.directory_given AS t WHERE t.expires_at <= %(now)s AND (CAST(%(o)s AS INTEGER) IS NULL OR t.organization = %(o)s)
ORDER BY 1

-- lock_following
UPDATE rescind.directory_follower SET revision = revision WHERE organization = %(o)s RETURNING revision, number, role, permission

-- page_events_asc
SELECT e.written_by, e.position, e.organization, e.name, length(e.data) AS characters, e.recorded_at
FROM rescind.directory_event AS e
WHERE (e.written_by, e.position) > (%(low_w)s, %(low)s) AND (e.written_by, e.position) < (%(high_w)s, %(high)s)
AND (CAST(%(o)s AS INTEGER) IS NULL OR e.organization = %(o)s)
AND (%(names)s = '[]' OR e.name IN (SELECT i.value FROM rescind.json_texts(%(names)s) AS i))
AND e.recorded_at >= %(since)s AND e.recorded_at <= %(until)s AND e.written_by < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
ORDER BY e.written_by, e.position LIMIT %(limit)s

-- page_events_desc
SELECT e.written_by, e.position, e.organization, e.name, length(e.data) AS characters, e.recorded_at
FROM rescind.directory_event AS e
WHERE (e.written_by, e.position) > (%(low_w)s, %(low)s) AND (e.written_by, e.position) < (%(high_w)s, %(high)s)
AND (CAST(%(o)s AS INTEGER) IS NULL OR e.organization = %(o)s)
AND (%(names)s = '[]' OR e.name IN (SELECT i.value FROM rescind.json_texts(%(names)s) AS i))
AND e.recorded_at >= %(since)s AND e.recorded_at <= %(until)s AND e.written_by < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
ORDER BY e.written_by DESC, e.position DESC LIMIT %(limit)s

-- read_events
SELECT e.position, e.data FROM rescind.json_texts(%(positions)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.directory_event AS e
    WHERE e.position = CAST(i.value AS BIGINT) OFFSET 0) AS e

-- record_events
INSERT INTO rescind.directory_event (organization, name, data, actor, recorded_at)
SELECT %(o)s, i.value ->> 'name', i.value ->> 'data', i.value ->> 'actor', CAST(i.value ->> 'at' AS BIGINT)
FROM rescind.json_items(%(events)s) AS i ORDER BY i.key RETURNING 1

-- record_note
INSERT INTO rescind.directory_note (organization, since, revision, name, data, actor, recorded_at)
SELECT %(o)s, COALESCE(CAST(%(since)s AS BIGINT), o.revision + 1), COALESCE(CAST(%(revision)s AS BIGINT), o.revision), %(name)s, %(data)s,
    %(actor)s, CAST(%(now)s AS BIGINT)
FROM rescind.organization AS o WHERE o.id = %(o)s RETURNING 1

-- remove_other_reported_members
DELETE FROM rescind.directory_member WHERE organization = %(o)s AND "group" = %(g)s
AND membership NOT IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(%(memberships)s) AS i) RETURNING membership

-- remove_reported_group
DELETE FROM rescind.directory_member WHERE organization = %(o)s AND "group" = %(g)s RETURNING membership

-- remove_reported_members
DELETE FROM rescind.directory_member WHERE organization = %(o)s AND "group" = %(g)s
AND membership IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(%(memberships)s) AS i) RETURNING membership

-- remove_reported_membership
DELETE FROM rescind.directory_member WHERE organization = %(o)s AND membership = %(m)s RETURNING "group"

-- remove_reported_nesting
DELETE FROM rescind.directory_nesting WHERE organization = %(o)s AND child = %(child)s AND parent = %(parent)s RETURNING child, parent

-- remove_reported_nestings
DELETE FROM rescind.directory_nesting WHERE organization = %(o)s AND (child = %(g)s OR parent = %(g)s) RETURNING child, parent

-- remove_reported_organization
DELETE FROM rescind.directory_member WHERE organization = %(o)s RETURNING 1

-- remove_reported_organization_nestings
DELETE FROM rescind.directory_nesting WHERE organization = %(o)s RETURNING 1

-- remove_reported_organization_roles
DELETE FROM rescind.directory_given WHERE organization = %(o)s RETURNING 1

-- remove_reported_role
DELETE FROM rescind.directory_given WHERE organization = %(o)s AND holder = %(holder)s AND resource = %(resource)s AND role = %(role)s
RETURNING holder, resource, role

-- remove_reported_roles_of_holder
DELETE FROM rescind.directory_given WHERE organization = %(o)s AND holder = %(holder)s RETURNING holder, resource, role

-- remove_reported_roles_of_role
DELETE FROM rescind.directory_given WHERE organization = %(o)s AND role = %(role)s RETURNING holder, resource, role

-- remove_reported_roles_on_gone
DELETE FROM rescind.directory_given WHERE organization = %(o)s
AND resource IN (SELECT g.name FROM rescind.directory_gone AS g WHERE g.organization = %(o)s AND g.kind = 'resource' AND g.revision = %(revision)s)
RETURNING holder, resource, role

-- set_reported_role_until
UPDATE rescind.directory_given SET expires_at = CAST(%(expires_at)s AS BIGINT)
WHERE organization = %(o)s AND holder = %(holder)s AND resource = %(resource)s AND role = %(role)s RETURNING 1

-- set_reported_until
UPDATE rescind.directory_member SET expires_at = CAST(%(expires_at)s AS BIGINT) WHERE organization = %(o)s AND "group" = %(g)s
AND membership IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(%(memberships)s) AS i) RETURNING 1

-- show_organization_ever
SELECT o.id AS organization, COALESCE(o.slug, o.deleted_as) AS slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at, o.role_mode
FROM rescind.organization AS o LEFT JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.organization = o.id AND d.kind = 'organization' AND d.number = 0 OFFSET 0) AS d ON TRUE
WHERE o.id = %(o)s
