-- Events of the management API: told from the change log, and from what the API has noted of its own writes.

-- Told events, in the order in which they can be read on; how they come to be told is below.

-- name: forget_old_events
DELETE FROM rescind.directory_event
WHERE position < (SELECT min(position) + 100 FROM rescind.directory_event) AND recorded_at < :cutoff RETURNING 1

-- name: find_event
SELECT written_by, position FROM rescind.directory_event WHERE position = :position AND (CAST(:o AS INTEGER) IS NULL OR organization = :o)

-- fragment: events_between
SELECT e.written_by, e.position, e.organization, e.name, length(e.data), e.recorded_at
FROM rescind.directory_event AS e
WHERE (e.written_by, e.position) > (:low_w, :low) AND (e.written_by, e.position) < (:high_w, :high)
  AND (CAST(:o AS INTEGER) IS NULL OR e.organization = :o)
  AND (:names = '[]' OR e.name IN (SELECT i.value FROM rescind.json_texts(:names) AS i))
  AND e.recorded_at >= :since AND e.recorded_at <= :until AND
@is_visible

-- name: page_events_asc
@events_between
ORDER BY e.written_by, e.position LIMIT :limit

-- name: page_events_desc
@events_between
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

-- Whose changes, or notes, have not been told: of one organization or all.

-- name: list_untold
SELECT o.id FROM rescind.organization AS o LEFT JOIN rescind.directory_follower AS f ON f.organization = o.id
WHERE (CAST(:o AS INTEGER) IS NULL OR o.id = :o) AND o.revision > COALESCE(f.revision, 0)
UNION
SELECT n.organization FROM rescind.directory_note AS n WHERE CAST(:o AS INTEGER) IS NULL OR n.organization = :o
ORDER BY 1

-- name: begin_following
INSERT INTO rescind.directory_follower (organization, revision, number, role, permission) VALUES (:o, 0, 0, 0, 0)
ON CONFLICT (organization) DO NOTHING RETURNING 1

-- From here to the end of the transaction nobody else follows the organization.

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

-- What names stand for: what there is, and what has gone since.

-- name: list_groups_named
@group_columns
FROM rescind.json_texts(:groups) AS i JOIN rescind."group" AS g ON g.organization = :o AND g.slug = i.value AND g.ended IS NULL
@group_entries

-- name: list_gone
SELECT g.kind, g.name, g.number, g.revision, g.label, d.public_id, d.attributes, d.updated_at
FROM rescind.directory_gone AS g
LEFT JOIN rescind.directory AS d ON d.organization = g.organization AND d.kind = g.kind AND d.number = g.number
WHERE g.organization = :o ORDER BY g.kind, g.number

-- name: forget_gone
DELETE FROM rescind.directory_gone WHERE organization = :o
AND (revision <= :revision OR EXISTS (SELECT 1 FROM rescind.organization AS d WHERE d.id = :o AND d.slug IS NULL AND d.revision <= :revision))
RETURNING 1

-- name: show_organization_ever
SELECT o.id, COALESCE(o.slug, o.deleted_as), o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at, o.role_mode
FROM rescind.organization AS o LEFT JOIN rescind.directory AS d ON d.organization = o.id AND d.kind = 'organization' AND d.number = 0
WHERE o.id = :o

-- Who is told to be in a group. Each gives the memberships for which that was news.

-- name: add_told_members
INSERT INTO rescind.directory_member (organization, "group", membership)
SELECT :o, :g, CAST(i.value AS INTEGER) FROM rescind.json_texts(:memberships) AS i WHERE TRUE
ON CONFLICT (organization, "group", membership) DO NOTHING RETURNING membership

-- name: remove_told_members
DELETE FROM rescind.directory_member WHERE organization = :o AND "group" = :g
AND membership IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:memberships) AS i) RETURNING membership

-- name: remove_other_told_members
DELETE FROM rescind.directory_member WHERE organization = :o AND "group" = :g
AND membership NOT IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:memberships) AS i) RETURNING membership

-- name: forget_told_membership
DELETE FROM rescind.directory_member WHERE organization = :o AND membership = :m RETURNING 1

-- name: forget_told_group
DELETE FROM rescind.directory_member WHERE organization = :o AND "group" = :g RETURNING 1

-- name: forget_told_organization
DELETE FROM rescind.directory_member WHERE organization = :o RETURNING 1
