-- The directory: objects with their entries, page by page. A page is the objects whose numbers lie strictly between
-- :low and :high, from one end (…_asc) or the other (…_desc), so that every page costs the same.

-- name: read_directory_secret
SELECT secret FROM rescind.directory_secret

-- name: read_revision
SELECT o.id AS incarnation, o.revision AS organization, env.revision AS environment FROM rescind.organization AS o JOIN rescind.organization AS env ON env.id = 0 WHERE o.id = :o

-- name: find_public_id
SELECT organization, kind, number FROM rescind.directory WHERE public_id = :public_id

-- --- organizations -------------------------------------------------------------------------------

-- name: show_organization
SELECT o.id AS organization, o.slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at
FROM rescind.organization AS o LEFT JOIN rescind.directory AS d ON d.organization = o.id AND d.kind = 'organization' AND d.number = 0
WHERE o.id = :o AND o.slug IS NOT NULL AND o.id <> 0

-- name: find_organization_named
SELECT id AS organization FROM rescind.organization WHERE slug = :organization AND id <> 0

-- name: find_external_id
SELECT d.organization FROM rescind.directory AS d JOIN rescind.organization AS o ON o.id = d.organization
WHERE d.external_id = :external_id AND o.slug IS NOT NULL

-- name: page_organizations_asc
SELECT o.id AS organization, o.slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at
FROM rescind.organization AS o LEFT JOIN rescind.directory AS d ON d.organization = o.id AND d.kind = 'organization' AND d.number = 0
WHERE o.id > :low AND o.id < :high AND o.id <> 0 AND o.slug IS NOT NULL
  AND o.search_name LIKE :search ESCAPE '!'
  AND (:domains = '[]' OR EXISTS (SELECT 1 FROM rescind.json_texts(:domains) AS i WHERE d.attributes LIKE i.value ESCAPE '!'))
ORDER BY o.id LIMIT :limit

-- name: page_organizations_desc
SELECT o.id AS organization, o.slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at
FROM rescind.organization AS o LEFT JOIN rescind.directory AS d ON d.organization = o.id AND d.kind = 'organization' AND d.number = 0
WHERE o.id > :low AND o.id < :high AND o.id <> 0 AND o.slug IS NOT NULL
  AND o.search_name LIKE :search ESCAPE '!'
  AND (:domains = '[]' OR EXISTS (SELECT 1 FROM rescind.json_texts(:domains) AS i WHERE d.attributes LIKE i.value ESCAPE '!'))
ORDER BY o.id DESC LIMIT :limit

-- --- memberships ---------------------------------------------------------------------------------

-- fragment: membership_columns
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
       od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode

-- fragment: membership_entries
JOIN rescind.organization AS o ON o.id = m.organization
LEFT JOIN rescind.directory AS d ON d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id
LEFT JOIN rescind.directory AS od ON od.organization = m.organization AND od.kind = 'organization' AND od.number = 0

-- name: show_membership
@directory.membership_columns
FROM rescind.membership AS m
@directory.membership_entries
WHERE m.organization = :o AND m.id = :m AND o.slug IS NOT NULL

-- name: list_memberships_of_subject
@directory.membership_columns
FROM rescind.membership AS m
@directory.membership_entries
WHERE m.subject = :subject AND o.slug IS NOT NULL ORDER BY m.created_at, m.organization

-- name: name_membership
SELECT o.slug AS organization_slug, m.subject FROM rescind.organization AS o JOIN rescind.membership AS m ON m.organization = o.id AND m.id = :m
WHERE o.id = :o AND o.slug IS NOT NULL

-- name: page_memberships_asc
@directory.membership_columns
FROM rescind.membership AS m
@directory.membership_entries
WHERE m.organization = :o AND m.id > :low AND m.id < :high
  AND (:status = 'all' OR (m.active AND :status = 'active') OR (NOT m.active AND :status = 'inactive'))
ORDER BY m.id LIMIT :limit

-- name: page_memberships_desc
@directory.membership_columns
FROM rescind.membership AS m
@directory.membership_entries
WHERE m.organization = :o AND m.id > :low AND m.id < :high
  AND (:status = 'all' OR (m.active AND :status = 'active') OR (NOT m.active AND :status = 'inactive'))
ORDER BY m.id DESC LIMIT :limit

-- name: page_members_asc
@directory.membership_columns
FROM rescind.group_member AS gm JOIN rescind.membership AS m ON m.organization = :o AND m.id = gm.membership
@directory.membership_entries
WHERE gm.organization = :o AND gm."group" = :g AND gm.membership > :low AND gm.membership < :high
  AND @changes.member_in_force
ORDER BY gm.membership LIMIT :limit

-- name: page_members_desc
@directory.membership_columns
FROM rescind.group_member AS gm JOIN rescind.membership AS m ON m.organization = :o AND m.id = gm.membership
@directory.membership_entries
WHERE gm.organization = :o AND gm."group" = :g AND gm.membership > :low AND gm.membership < :high
  AND @changes.member_in_force
ORDER BY gm.membership DESC LIMIT :limit

-- name: find_member
SELECT gm.expires_at FROM rescind.group_member AS gm WHERE gm.organization = :o AND gm.membership = :m AND gm."group" = :g
  AND @changes.member_in_force

-- name: page_memberships_among_asc
@directory.membership_columns
FROM rescind.json_texts(:subjects) AS i JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value
@directory.membership_entries
WHERE m.id > :low AND m.id < :high
ORDER BY m.id LIMIT :limit

-- name: page_memberships_among_desc
@directory.membership_columns
FROM rescind.json_texts(:subjects) AS i JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value
@directory.membership_entries
WHERE m.id > :low AND m.id < :high
ORDER BY m.id DESC LIMIT :limit

-- Organization-wide roles that memberships hold now, directly or through groups, the highest first.

-- name: list_roles_held
WITH RECURSIVE holder (membership, id) AS (
    SELECT CAST(i.value AS INTEGER), CAST(i.value AS INTEGER) FROM rescind.json_texts(:memberships) AS i
    UNION
    SELECT gm.membership, gm."group" FROM rescind.json_texts(:memberships) AS i
    JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = CAST(i.value AS INTEGER)
     AND @changes.member_in_force
    UNION
    SELECT h.membership, n.parent FROM holder AS h JOIN rescind.nesting AS n ON n.organization = :o AND n.child = h.id)
SELECT DISTINCT h.membership, q.slug AS role, q.priority, q.id AS number
FROM holder AS h
JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = h.id AND a.resource = 0 AND @changes.in_force
JOIN rescind.role AS q ON q.id = a.role
ORDER BY q.priority DESC, q.id

-- --- groups --------------------------------------------------------------------------------------

-- fragment: group_entries
JOIN rescind.organization AS o ON o.id = g.organization
LEFT JOIN rescind.directory AS d ON d.organization = g.organization AND d.kind = 'group' AND d.number = g.id
LEFT JOIN rescind.directory AS od ON od.organization = g.organization AND od.kind = 'organization' AND od.number = 0

-- name: show_group
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
       od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind."group" AS g
@directory.group_entries
WHERE g.organization = :o AND g.id = :g AND g.ended IS NULL AND o.slug IS NOT NULL

-- name: find_group_named
SELECT id AS number FROM rescind."group" WHERE organization = :o AND slug = :group AND ended IS NULL

-- name: page_groups_asc
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
       od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind."group" AS g
@directory.group_entries
WHERE g.organization = :o AND g.id < -CAST(:low AS INTEGER) AND g.id > -CAST(:high AS INTEGER) AND g.ended IS NULL
  AND (:search = '%' OR g.search_name LIKE :search ESCAPE '!' OR g.id = :g)
ORDER BY g.id DESC LIMIT :limit

-- name: page_groups_desc
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
       od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind."group" AS g
@directory.group_entries
WHERE g.organization = :o AND g.id < -CAST(:low AS INTEGER) AND g.id > -CAST(:high AS INTEGER) AND g.ended IS NULL
  AND (:search = '%' OR g.search_name LIKE :search ESCAPE '!' OR g.id = :g)
ORDER BY g.id LIMIT :limit

-- fragment: groups_of_membership_between
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
       od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind.group_member AS gm JOIN rescind."group" AS g ON g.organization = :o AND g.id = gm."group" AND g.ended IS NULL
@directory.group_entries
WHERE gm.organization = :o AND gm.membership = :m
  AND gm."group" < -CAST(:low AS INTEGER) AND gm."group" > -CAST(:high AS INTEGER)
  AND @changes.member_in_force

-- name: page_groups_of_membership_asc
@directory.groups_of_membership_between
ORDER BY gm."group" DESC LIMIT :limit

-- name: page_groups_of_membership_desc
@directory.groups_of_membership_between
ORDER BY gm."group" LIMIT :limit

-- --- permissions and roles -----------------------------------------------------------------------

-- name: show_permission
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind.permission AS p
LEFT JOIN rescind.directory AS d ON d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id
WHERE p.slug = :permission AND p.organization IN (0, :o) ORDER BY p.organization LIMIT 1

-- name: page_permissions_asc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind.permission AS p
LEFT JOIN rescind.directory AS d ON d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id
WHERE p.organization IN (0, :o) AND p.id > :low AND p.id < :high
ORDER BY p.id LIMIT :limit

-- name: page_permissions_desc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind.permission AS p
LEFT JOIN rescind.directory AS d ON d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id
WHERE p.organization IN (0, :o) AND p.id > :low AND p.id < :high
ORDER BY p.id DESC LIMIT :limit

-- name: page_permissions_among_asc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind.json_texts(:permissions) AS i JOIN rescind.permission AS p ON p.slug = i.value AND p.organization IN (0, :o)
LEFT JOIN rescind.directory AS d ON d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id
WHERE p.id > :low AND p.id < :high
ORDER BY p.id LIMIT :limit

-- name: page_permissions_among_desc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind.json_texts(:permissions) AS i JOIN rescind.permission AS p ON p.slug = i.value AND p.organization IN (0, :o)
LEFT JOIN rescind.directory AS d ON d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id
WHERE p.id > :low AND p.id < :high
ORDER BY p.id DESC LIMIT :limit

-- name: find_resource_type
SELECT slug FROM rescind.resource_type WHERE slug = :type AND (organization IN (0, :o) OR :o = -1) LIMIT 1

-- name: show_roles
SELECT r.organization, r.id AS number, r.slug, r.name, r.priority, d.attributes, d.created_at, d.updated_at, r.resource_type
FROM rescind.role AS r LEFT JOIN rescind.directory AS d ON d.organization = r.organization AND d.kind = 'role' AND d.number = r.id
WHERE r.organization IN (0, :o) AND (:role = '' OR r.slug = :role)
ORDER BY r.priority DESC, r.id

-- --- resources -----------------------------------------------------------------------------------

-- fragment: resource_columns
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
       pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
       o.created_at AS organization_created_at

-- fragment: resource_entries
JOIN rescind.organization AS o ON o.id = r.organization
LEFT JOIN rescind.directory AS d ON d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id
LEFT JOIN rescind.directory AS pd ON pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent
LEFT JOIN rescind.directory AS od ON od.organization = r.organization AND od.kind = 'organization' AND od.number = 0

-- name: show_resource
@directory.resource_columns
FROM rescind.resource AS r
@directory.resource_entries
WHERE r.organization = :o AND r.id = :r AND o.slug IS NOT NULL

-- name: show_resource_named
@directory.resource_columns
FROM rescind.resource AS r
@directory.resource_entries
WHERE r.organization = :o AND r.slug = :resource AND o.slug IS NOT NULL

-- fragment: resources_between
@directory.resource_columns
FROM rescind.resource AS r
@directory.resource_entries
WHERE (r.organization, r.id) > (:low_o, :low) AND (r.organization, r.id) < (:high_o, :high) AND r.id <> 0
  AND o.slug IS NOT NULL
  AND (CAST(:parent AS INTEGER) IS NULL OR r.parent = :parent)
  AND (:type = '' OR (r.slug > :type AND r.slug < :type_end))
  AND (:external_id = '' OR (
       substr(r.slug, length(r.slug) - length(:external_id)) = ':' || :external_id
       AND length(replace(substr(r.slug, 1, length(r.slug) - length(:external_id) - 1), ':', ''))
         = length(r.slug) - length(:external_id) - 1))

-- name: page_resources_asc
@directory.resources_between
ORDER BY r.organization, r.id LIMIT :limit

-- name: page_resources_desc
@directory.resources_between
ORDER BY r.organization DESC, r.id DESC LIMIT :limit

-- name: page_resources_among_asc
@directory.resource_columns
FROM rescind.json_texts(:resources) AS i JOIN rescind.resource AS r ON r.organization = :o AND r.slug = i.value
@directory.resource_entries
WHERE r.id > :low AND r.id < :high AND r.parent = :parent
ORDER BY r.id LIMIT :limit

-- name: page_resources_among_desc
@directory.resource_columns
FROM rescind.json_texts(:resources) AS i JOIN rescind.resource AS r ON r.organization = :o AND r.slug = i.value
@directory.resource_entries
WHERE r.id > :low AND r.id < :high AND r.parent = :parent
ORDER BY r.id DESC LIMIT :limit

-- --- role assignments ----------------------------------------------------------------------------

-- fragment: group_assignments
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
       xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
       COALESCE(c.recorded_at, o.created_at) AS created_at
FROM rescind.assignment AS a
JOIN rescind.organization AS o ON o.id = a.organization AND o.slug IS NOT NULL
JOIN rescind.role AS q ON q.id = a.role
JOIN rescind.resource AS x ON x.organization = a.organization AND x.id = a.resource
LEFT JOIN rescind.directory AS xd ON xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource
LEFT JOIN rescind.directory AS od ON od.organization = a.organization AND od.kind = 'organization' AND od.number = 0
LEFT JOIN rescind.change AS c ON c.organization = a.organization AND c.revision = a.made
WHERE a.organization = :o AND a.holder = :g AND @changes.in_force AND abs(a.id) > :low AND abs(a.id) < :high

-- name: page_group_assignments_asc
@directory.group_assignments
ORDER BY abs(a.id) LIMIT :limit

-- name: page_group_assignments_desc
@directory.group_assignments
ORDER BY abs(a.id) DESC LIMIT :limit

-- name: find_assignments
SELECT a.id AS number, q.slug AS role, x.slug AS resource, a.expires_at FROM rescind.assignment AS a JOIN rescind.role AS q ON q.id = a.role
JOIN rescind.resource AS x ON x.organization = a.organization AND x.id = a.resource
WHERE a.organization = :o AND a.holder = :holder AND @changes.in_force

-- A membership's assignments, its own and those of its groups, as pairs (assignment, membership).

-- fragment: held_by_membership
holder (id) AS (
    SELECT CAST(:m AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind.group_member AS gm
    WHERE gm.organization = :o AND gm.membership = :m AND @changes.member_in_force
    UNION
    SELECT n.parent FROM holder AS h JOIN rescind.nesting AS n ON n.organization = :o AND n.child = h.id),
held (assignment, membership) AS (
    SELECT a.id, CAST(:m AS INTEGER) FROM holder AS h
    JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = h.id
    WHERE @changes.in_force AND (CAST(:r AS INTEGER) IS NULL OR a.resource = :r))

-- A resource's assignments and who holds them, as pairs (assignment, membership).

-- fragment: held_on_resource
flow (assignment, holder) AS (
    SELECT a.id, a.holder FROM rescind.assignment AS a WHERE a.organization = :o AND a.resource = :r AND @changes.in_force
    UNION
    SELECT f.assignment, n.child FROM flow AS f JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = f.holder),
held (assignment, membership) AS (
    SELECT f.assignment, f.holder FROM flow AS f WHERE f.holder > 0
    UNION
    SELECT f.assignment, gm.membership FROM flow AS f
    JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = f.holder
    WHERE @changes.member_in_force)

-- fragment: assignments_held
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
       xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
       COALESCE(c.recorded_at, o.created_at) AS created_at
, h.membership, md.public_id AS membership_public_id, g.id AS group_number, COALESCE(g.name, g.slug) AS group_name,
       gd.public_id AS group_public_id
FROM held AS h JOIN rescind.assignment AS a ON a.organization = :o AND a.id = h.assignment
JOIN rescind.organization AS o ON o.id = a.organization AND o.slug IS NOT NULL
JOIN rescind.role AS q ON q.id = a.role
JOIN rescind.resource AS x ON x.organization = a.organization AND x.id = a.resource
LEFT JOIN rescind.directory AS xd ON xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource
LEFT JOIN rescind.directory AS od ON od.organization = a.organization AND od.kind = 'organization' AND od.number = 0
LEFT JOIN rescind.change AS c ON c.organization = a.organization AND c.revision = a.made
LEFT JOIN rescind.directory AS md ON md.organization = a.organization AND md.kind = 'membership' AND md.number = h.membership
LEFT JOIN rescind."group" AS g ON g.organization = a.organization AND g.id = a.holder
LEFT JOIN rescind.directory AS gd ON gd.organization = a.organization AND gd.kind = 'group' AND gd.number = a.holder
WHERE (abs(a.id), h.membership) > (:low, :low_m) AND (abs(a.id), h.membership) < (:high, :high_m)
  AND (:role = '' OR q.slug = :role)

-- name: list_subjects_given
WITH RECURSIVE
@directory.held_on_resource
SELECT DISTINCT m.subject
FROM held AS h JOIN rescind.assignment AS a ON a.organization = :o AND a.id = h.assignment
JOIN rescind.role_permission AS rp ON rp.role = a.role
JOIN rescind.permission AS p ON p.id = rp.permission AND p.slug = :permission
JOIN rescind.membership AS m ON m.organization = :o AND m.id = h.membership

-- name: page_assignments_of_membership_asc
WITH RECURSIVE
@directory.held_by_membership
@directory.assignments_held
ORDER BY abs(a.id), h.membership LIMIT :limit

-- name: page_assignments_of_membership_desc
WITH RECURSIVE
@directory.held_by_membership
@directory.assignments_held
ORDER BY abs(a.id) DESC, h.membership DESC LIMIT :limit

-- name: page_assignments_on_resource_asc
WITH RECURSIVE
@directory.held_on_resource
@directory.assignments_held
ORDER BY abs(a.id), h.membership LIMIT :limit

-- name: page_assignments_on_resource_desc
WITH RECURSIVE
@directory.held_on_resource
@directory.assignments_held
ORDER BY abs(a.id) DESC, h.membership DESC LIMIT :limit

-- --- writing -------------------------------------------------------------------------------------

-- name: touch_entry
INSERT INTO rescind.directory (organization, kind, number, updated_at) VALUES (:o, :kind, :number, :now)
ON CONFLICT (organization, kind, number) DO UPDATE SET updated_at = :now
RETURNING attributes

-- name: set_entry
UPDATE rescind.directory SET attributes = :attributes WHERE organization = :o AND kind = :kind AND number = :number RETURNING 1

-- name: set_entry_made
UPDATE rescind.directory SET created_at = :now WHERE organization = :o AND kind = :kind AND number = :number RETURNING 1

-- name: set_public_id
UPDATE rescind.directory SET public_id = :public_id WHERE organization = :o AND kind = :kind AND number = :number RETURNING 1

-- name: set_external_id
UPDATE rescind.directory SET external_id = :external_id WHERE organization = :o AND kind = :kind AND number = :number RETURNING 1

-- name: forget_entry
DELETE FROM rescind.directory WHERE organization = :o AND kind = :kind AND number = :number RETURNING 1

-- name: forget_entries_of_organization
DELETE FROM rescind.directory WHERE organization = :o RETURNING 1

-- name: forget_entries_of_resources
DELETE FROM rescind.directory WHERE organization = :o AND kind = 'resource' AND NOT EXISTS (
    SELECT 1 FROM rescind.resource AS r WHERE r.organization = :o AND r.id = rescind.directory.number) RETURNING 1

-- Ids of deleted organizations are free again, also where the management API did not delete them.

-- name: forget_entries_of_deleted
DELETE FROM rescind.directory WHERE (external_id = :external_id OR public_id = :public_id) AND NOT EXISTS (
    SELECT 1 FROM rescind.organization AS o WHERE o.id = rescind.directory.organization AND o.slug IS NOT NULL) RETURNING 1

-- name: claim_answer
INSERT INTO rescind.directory_answer (caller, key, digest, recorded_at) VALUES (:caller, :key, :digest, :now)
ON CONFLICT (caller, key) DO NOTHING RETURNING 1

-- It writes, so that the commit waits for the synchronous standby: the first request's commit may not have.

-- name: read_answer
UPDATE rescind.directory_answer SET digest = digest WHERE caller = :caller AND key = :key RETURNING digest, status, body, receipts

-- name: keep_answer
UPDATE rescind.directory_answer SET status = :status, body = :body, receipts = :receipts WHERE caller = :caller AND key = :key RETURNING 1

-- name: forget_old_answers
DELETE FROM rescind.directory_answer WHERE recorded_at < :cutoff RETURNING 1
