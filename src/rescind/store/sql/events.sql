-- Events of the management API: made from the change log, and from the API's notes of its own writes.

-- Recorded events, in an order in which reading on misses none. How they are recorded is below.

-- name: forget_old_events
DELETE FROM rescind.directory_event
WHERE position < (SELECT min(position) + 100 FROM rescind.directory_event) AND recorded_at < :cutoff RETURNING 1

-- name: find_event
SELECT written_by, position FROM rescind.directory_event WHERE position = :position AND (CAST(:o AS INTEGER) IS NULL OR organization = :o)

-- fragment: events_between
SELECT e.written_by, e.position, e.organization, e.name, length(e.data) AS characters, e.recorded_at
FROM rescind.directory_event AS e
WHERE (e.written_by, e.position) > (:low_w, :low) AND (e.written_by, e.position) < (:high_w, :high)
  AND (CAST(:o AS INTEGER) IS NULL OR e.organization = :o)
  AND (:names = '[]' OR e.name IN (SELECT i.value FROM rescind.json_texts(:names) AS i))
  AND e.recorded_at >= :since AND e.recorded_at <= :until AND @engine.is_visible

-- name: page_events_asc
@events.events_between
ORDER BY e.written_by, e.position LIMIT :limit

-- name: page_events_desc
@events.events_between
ORDER BY e.written_by DESC, e.position DESC LIMIT :limit

-- name: read_events
SELECT e.position, e.data FROM rescind.json_texts(:positions) AS i JOIN rescind.directory_event AS e ON e.position = CAST(i.value AS BIGINT)

-- --- following the log ---------------------------------------------------------------------------

-- name: record_note
INSERT INTO rescind.directory_note (organization, since, revision, name, data, actor, recorded_at)
SELECT :o, COALESCE(CAST(:since AS BIGINT), o.revision + 1), COALESCE(CAST(:revision AS BIGINT), o.revision), :name, :data,
       :actor, CAST(:now AS BIGINT)
FROM rescind.organization AS o WHERE o.id = :o RETURNING 1

-- name: forget_old_notes
DELETE FROM rescind.directory_note WHERE recorded_at < :cutoff RETURNING 1

-- Organizations with unreported changes, notes or expiries: one organization, or all.

-- name: list_unreported
SELECT o.id AS organization FROM rescind.organization AS o LEFT JOIN rescind.directory_follower AS f ON f.organization = o.id
WHERE (CAST(:o AS INTEGER) IS NULL OR o.id = :o) AND o.revision > COALESCE(f.revision, 0)
UNION
SELECT n.organization FROM rescind.directory_note AS n WHERE CAST(:o AS INTEGER) IS NULL OR n.organization = :o
UNION
SELECT t.organization FROM rescind.directory_member AS t WHERE t.expires_at <= :now AND (CAST(:o AS INTEGER) IS NULL OR t.organization = :o)
UNION
SELECT t.organization FROM rescind.directory_given AS t WHERE t.expires_at <= :now AND (CAST(:o AS INTEGER) IS NULL OR t.organization = :o)
ORDER BY 1

-- name: begin_following
INSERT INTO rescind.directory_follower (organization, revision, number, role, permission) VALUES (:o, 0, 0, 0, 0)
ON CONFLICT (organization) DO NOTHING RETURNING 1

-- Until the transaction ends, nobody else follows the organization's log.

-- name: lock_following
UPDATE rescind.directory_follower SET revision = revision WHERE organization = :o RETURNING revision, number, role, permission

-- name: end_following
UPDATE rescind.directory_follower SET revision = :revision, number = :number, role = :role, permission = :permission
WHERE organization = :o RETURNING 1

-- name: list_notes
SELECT id, since, revision, name, data, actor, recorded_at FROM rescind.directory_note WHERE organization = :o ORDER BY id

-- name: forget_notes
DELETE FROM rescind.directory_note WHERE organization = :o AND id IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:notes) AS i)
RETURNING 1

-- name: record_events
INSERT INTO rescind.directory_event (organization, name, data, actor, recorded_at)
SELECT :o, i.value ->> 'name', i.value ->> 'data', i.value ->> 'actor', CAST(i.value ->> 'at' AS BIGINT)
FROM rescind.json_items(:events) AS i ORDER BY i.key RETURNING 1

-- The objects that names mean: present ones, and deleted ones whose end is not reported yet.

-- name: list_groups_named
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
       od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind.json_texts(:groups) AS i JOIN rescind."group" AS g ON g.organization = :o AND g.slug = i.value AND g.ended IS NULL
@directory.group_entries

-- name: list_gone
SELECT g.kind, g.name, g.number, g.revision, g.label, d.public_id, d.attributes, d.updated_at
FROM rescind.directory_gone AS g
LEFT JOIN rescind.directory AS d ON d.organization = g.organization AND d.kind = g.kind AND d.number = g.number
WHERE g.organization = :o AND g.kind <> 'resource' ORDER BY g.kind, g.number

-- name: forget_gone
DELETE FROM rescind.directory_gone WHERE organization = :o
AND (revision <= :revision OR EXISTS (SELECT 1 FROM rescind.organization AS d WHERE d.id = :o AND d.slug IS NULL AND d.revision <= :revision))
RETURNING 1

-- name: show_organization_ever
SELECT o.id AS organization, COALESCE(o.slug, o.deleted_as) AS slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at, o.role_mode
FROM rescind.organization AS o LEFT JOIN rescind.directory AS d ON d.organization = o.id AND d.kind = 'organization' AND d.number = 0
WHERE o.id = :o

-- Reported members of groups. Each statement returns the memberships that it moved.

-- name: add_reported_members
INSERT INTO rescind.directory_member (organization, "group", membership, expires_at)
SELECT :o, :g, CAST(i.value AS INTEGER), CAST(:expires_at AS BIGINT) FROM rescind.json_texts(:memberships) AS i WHERE TRUE
ON CONFLICT (organization, "group", membership) DO NOTHING RETURNING membership

-- name: set_reported_until
UPDATE rescind.directory_member SET expires_at = CAST(:expires_at AS BIGINT) WHERE organization = :o AND "group" = :g
AND membership IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:memberships) AS i) RETURNING 1

-- name: remove_reported_members
DELETE FROM rescind.directory_member WHERE organization = :o AND "group" = :g
AND membership IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:memberships) AS i) RETURNING membership

-- name: remove_other_reported_members
DELETE FROM rescind.directory_member WHERE organization = :o AND "group" = :g
AND membership NOT IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:memberships) AS i) RETURNING membership

-- name: remove_reported_membership
DELETE FROM rescind.directory_member WHERE organization = :o AND membership = :m RETURNING "group"

-- name: remove_reported_group
DELETE FROM rescind.directory_member WHERE organization = :o AND "group" = :g RETURNING membership

-- name: remove_reported_organization
DELETE FROM rescind.directory_member WHERE organization = :o RETURNING 1

-- name: remove_reported_organization_roles
DELETE FROM rescind.directory_given WHERE organization = :o RETURNING 1

-- name: remove_reported_organization_nestings
DELETE FROM rescind.directory_nesting WHERE organization = :o RETURNING 1

-- Reported nestings of groups.

-- name: add_reported_nesting
INSERT INTO rescind.directory_nesting (organization, child, parent) VALUES (:o, :child, :parent)
ON CONFLICT (organization, child, parent) DO NOTHING RETURNING child, parent

-- name: remove_reported_nesting
DELETE FROM rescind.directory_nesting WHERE organization = :o AND child = :child AND parent = :parent RETURNING child, parent

-- name: remove_reported_nestings
DELETE FROM rescind.directory_nesting WHERE organization = :o AND (child = :g OR parent = :g) RETURNING child, parent

-- Reported roles held: by a membership or (negative) a group, on a resource, until a time.

-- name: add_reported_role
INSERT INTO rescind.directory_given (organization, holder, resource, role, expires_at)
VALUES (:o, :holder, :resource, :role, CAST(:expires_at AS BIGINT))
ON CONFLICT (organization, holder, resource, role) DO NOTHING RETURNING holder, resource, role

-- name: set_reported_role_until
UPDATE rescind.directory_given SET expires_at = CAST(:expires_at AS BIGINT)
WHERE organization = :o AND holder = :holder AND resource = :resource AND role = :role RETURNING 1

-- name: remove_reported_role
DELETE FROM rescind.directory_given WHERE organization = :o AND holder = :holder AND resource = :resource AND role = :role
RETURNING holder, resource, role

-- name: list_reported_roles
SELECT resource, role FROM rescind.directory_given WHERE organization = :o AND holder = :holder

-- name: remove_reported_roles_of_holder
DELETE FROM rescind.directory_given WHERE organization = :o AND holder = :holder RETURNING holder, resource, role

-- name: remove_reported_roles_of_role
DELETE FROM rescind.directory_given WHERE organization = :o AND role = :role RETURNING holder, resource, role

-- name: remove_reported_roles_on_gone
DELETE FROM rescind.directory_given WHERE organization = :o
AND resource IN (SELECT g.name FROM rescind.directory_gone AS g WHERE g.organization = :o AND g.kind = 'resource' AND g.revision = :revision)
RETURNING holder, resource, role

-- What has expired by a time. It leaves the reported state, so it is reported once.

-- name: expire_reported_members
DELETE FROM @engine.expiring_members WHERE organization = :o AND expires_at <= :until RETURNING expires_at, "group", membership

-- name: expire_reported_roles
DELETE FROM @engine.expiring_roles WHERE organization = :o AND expires_at <= :until RETURNING expires_at, holder, resource, role

-- name: find_next_reported_expiry
SELECT min(x.expires_at) AS expires_at FROM (
    SELECT expires_at FROM @engine.expiring_members WHERE organization = :o AND expires_at IS NOT NULL
    UNION ALL
    SELECT expires_at FROM @engine.expiring_roles WHERE organization = :o AND expires_at IS NOT NULL) AS x

-- name: list_public_ids
SELECT d.number, d.public_id FROM rescind.json_texts(:numbers) AS i
JOIN rescind.directory AS d ON d.organization = :o AND d.kind = :kind AND d.number = CAST(i.value AS INTEGER)
WHERE d.public_id IS NOT NULL
UNION ALL
SELECT g.number, g.public_id FROM rescind.json_texts(:numbers) AS i
JOIN rescind.directory_gone_id AS g ON g.organization = :o AND g.kind = :kind AND g.number = CAST(i.value AS INTEGER)

-- Public ids of objects that the management API deletes with their entries, kept until their end is reported.

-- name: keep_public_id
INSERT INTO rescind.directory_gone_id (organization, kind, number, public_id)
SELECT d.organization, d.kind, d.number, d.public_id FROM rescind.directory AS d
WHERE d.organization = :o AND d.kind = :kind AND d.number = :number AND d.public_id IS NOT NULL RETURNING 1

-- name: forget_gone_ids
DELETE FROM rescind.directory_gone_id WHERE organization = :o AND NOT EXISTS (
    SELECT 1 FROM rescind.directory_gone AS g
    WHERE g.organization = rescind.directory_gone_id.organization AND g.kind = rescind.directory_gone_id.kind AND g.number = rescind.directory_gone_id.number)
RETURNING 1

-- Resources that a change deletes and on which somebody holds a role: the end of that role is to be reported.

-- name: keep_gone_resources
WITH RECURSIVE
@changes.subtree
INSERT INTO rescind.directory_gone (organization, kind, number, name, revision)
SELECT DISTINCT r.organization, 'resource', r.id, r.slug, o.revision + 1
FROM subtree AS s JOIN rescind.resource AS r ON r.organization = :o AND r.id = s.id
JOIN rescind.organization AS o ON o.id = r.organization
JOIN rescind.assignment AS a ON a.organization = :o AND a.resource = r.id AND a.ended = -(o.revision + 1)
