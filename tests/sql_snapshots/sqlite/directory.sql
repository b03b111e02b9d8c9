-- claim_answer
INSERT INTO rescind_directory_answer (caller, key, digest, recorded_at) VALUES (:caller, :key, :digest, :now)
ON CONFLICT (caller, key) DO NOTHING RETURNING 1

-- find_assignments
SELECT a.id AS number, q.slug AS role, x.slug AS resource, a.expires_at FROM rescind_assignment AS a CROSS JOIN rescind_role AS q ON q.id = a.role
CROSS JOIN rescind_resource AS x ON x.organization = a.organization AND x.id = a.resource
WHERE a.organization = :o AND a.holder = :holder AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)

-- find_external_id
SELECT d.organization FROM rescind_directory AS d CROSS JOIN rescind_organization AS o ON o.id = d.organization
WHERE d.external_id = :external_id AND o.slug IS NOT NULL

-- find_group_named
SELECT id AS number FROM rescind_group WHERE organization = :o AND slug = :group AND ended IS NULL

-- find_member
SELECT gm.expires_at FROM rescind_group_member AS gm WHERE gm.organization = :o AND gm.membership = :m AND gm."group" = :g
AND (gm.expires_at IS NULL OR gm.expires_at > :now)

-- find_organization_named
SELECT id AS organization FROM rescind_organization WHERE slug = :organization AND id <> 0

-- find_public_id
SELECT organization, kind, number FROM rescind_directory WHERE public_id = :public_id

-- find_resource_type
SELECT slug FROM rescind_resource_type WHERE slug = :type AND (organization IN (0, :o) OR :o = -1) LIMIT 1

-- forget_entries_of_deleted
DELETE FROM rescind_directory WHERE (external_id = :external_id OR public_id = :public_id) AND NOT EXISTS (
    SELECT 1 FROM rescind_organization AS o WHERE o.id = rescind_directory.organization AND o.slug IS NOT NULL) RETURNING 1

-- forget_entries_of_organization
DELETE FROM rescind_directory WHERE organization = :o RETURNING 1

-- forget_entries_of_resources
DELETE FROM rescind_directory WHERE organization = :o AND kind = 'resource' AND NOT EXISTS (
    SELECT 1 FROM rescind_resource AS r WHERE r.organization = :o AND r.id = rescind_directory.number) RETURNING 1

-- forget_entry
DELETE FROM rescind_directory WHERE organization = :o AND kind = :kind AND number = :number RETURNING 1

-- forget_old_answers
DELETE FROM rescind_directory_answer WHERE recorded_at < :cutoff RETURNING 1

-- keep_answer
UPDATE rescind_directory_answer SET status = :status, body = :body, receipts = :receipts WHERE caller = :caller AND key = :key RETURNING 1

-- list_memberships_of_subject
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind_membership AS m
CROSS JOIN rescind_organization AS o ON o.id = m.organization
LEFT JOIN rescind_directory AS d ON d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id
LEFT JOIN rescind_directory AS od ON od.organization = m.organization AND od.kind = 'organization' AND od.number = 0
WHERE m.subject = :subject AND o.slug IS NOT NULL ORDER BY m.created_at, m.organization

-- list_roles_held
WITH RECURSIVE holder (membership, id) AS (
    SELECT CAST(i.value AS INTEGER), CAST(i.value AS INTEGER) FROM json_each(:memberships) AS i
    UNION
    SELECT gm.membership, gm."group" FROM json_each(:memberships) AS i
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = CAST(i.value AS INTEGER)
    AND (gm.expires_at IS NULL OR gm.expires_at > :now)
    UNION
    SELECT h.membership, n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = h.id)
SELECT DISTINCT h.membership, q.slug AS role, q.priority, q.id AS number
FROM holder AS h
CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)
CROSS JOIN rescind_role AS q ON q.id = a.role
ORDER BY q.priority DESC, q.id

-- list_subjects_given
WITH RECURSIVE
    flow (assignment, holder) AS (
    SELECT a.id, a.holder FROM rescind_assignment AS a WHERE a.organization = :o AND a.resource = :r AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)
    UNION
    SELECT f.assignment, n.child FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = f.holder),
    held (assignment, membership) AS (
    SELECT f.assignment, f.holder FROM flow AS f WHERE f.holder > 0
    UNION
    SELECT f.assignment, gm.membership FROM flow AS f
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = f.holder
    WHERE (gm.expires_at IS NULL OR gm.expires_at > :now))
SELECT DISTINCT m.subject
FROM held AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.id = h.assignment
CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role
CROSS JOIN rescind_permission AS p ON p.id = rp.permission AND p.slug = :permission
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.id = h.membership

-- name_membership
SELECT o.slug AS organization_slug, m.subject FROM rescind_organization AS o CROSS JOIN rescind_membership AS m ON m.organization = o.id AND m.id = :m
WHERE o.id = :o AND o.slug IS NOT NULL

-- page_assignments_of_membership_asc
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:m AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind_group_member AS gm
    WHERE gm.organization = :o AND gm.membership = :m AND (gm.expires_at IS NULL OR gm.expires_at > :now)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = h.id),
    held (assignment, membership) AS (
    SELECT a.id, CAST(:m AS INTEGER) FROM holder AS h
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id
    WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now) AND (CAST(:r AS INTEGER) IS NULL OR a.resource = :r))
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
    , h.membership, md.public_id AS membership_public_id, g.id AS group_number, COALESCE(g.name, g.slug) AS group_name,
    gd.public_id AS group_public_id
FROM held AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.id = h.assignment
CROSS JOIN rescind_organization AS o ON o.id = a.organization AND o.slug IS NOT NULL
CROSS JOIN rescind_role AS q ON q.id = a.role
CROSS JOIN rescind_resource AS x ON x.organization = a.organization AND x.id = a.resource
LEFT JOIN rescind_directory AS xd ON xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource
LEFT JOIN rescind_directory AS od ON od.organization = a.organization AND od.kind = 'organization' AND od.number = 0
LEFT JOIN rescind_change AS c ON c.organization = a.organization AND c.revision = a.made
LEFT JOIN rescind_directory AS md ON md.organization = a.organization AND md.kind = 'membership' AND md.number = h.membership
LEFT JOIN rescind_group AS g ON g.organization = a.organization AND g.id = a.holder
LEFT JOIN rescind_directory AS gd ON gd.organization = a.organization AND gd.kind = 'group' AND gd.number = a.holder
WHERE (abs(a.id), h.membership) > (:low, :low_m) AND (abs(a.id), h.membership) < (:high, :high_m)
AND (:role = '' OR q.slug = :role)
ORDER BY abs(a.id), h.membership LIMIT :limit

-- page_assignments_of_membership_desc
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(:m AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind_group_member AS gm
    WHERE gm.organization = :o AND gm.membership = :m AND (gm.expires_at IS NULL OR gm.expires_at > :now)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.child = h.id),
    held (assignment, membership) AS (
    SELECT a.id, CAST(:m AS INTEGER) FROM holder AS h
    CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.holder = h.id
    WHERE a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now) AND (CAST(:r AS INTEGER) IS NULL OR a.resource = :r))
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
    , h.membership, md.public_id AS membership_public_id, g.id AS group_number, COALESCE(g.name, g.slug) AS group_name,
    gd.public_id AS group_public_id
FROM held AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.id = h.assignment
CROSS JOIN rescind_organization AS o ON o.id = a.organization AND o.slug IS NOT NULL
CROSS JOIN rescind_role AS q ON q.id = a.role
CROSS JOIN rescind_resource AS x ON x.organization = a.organization AND x.id = a.resource
LEFT JOIN rescind_directory AS xd ON xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource
LEFT JOIN rescind_directory AS od ON od.organization = a.organization AND od.kind = 'organization' AND od.number = 0
LEFT JOIN rescind_change AS c ON c.organization = a.organization AND c.revision = a.made
LEFT JOIN rescind_directory AS md ON md.organization = a.organization AND md.kind = 'membership' AND md.number = h.membership
LEFT JOIN rescind_group AS g ON g.organization = a.organization AND g.id = a.holder
LEFT JOIN rescind_directory AS gd ON gd.organization = a.organization AND gd.kind = 'group' AND gd.number = a.holder
WHERE (abs(a.id), h.membership) > (:low, :low_m) AND (abs(a.id), h.membership) < (:high, :high_m)
AND (:role = '' OR q.slug = :role)
ORDER BY abs(a.id) DESC, h.membership DESC LIMIT :limit

-- page_assignments_on_resource_asc
WITH RECURSIVE
    flow (assignment, holder) AS (
    SELECT a.id, a.holder FROM rescind_assignment AS a WHERE a.organization = :o AND a.resource = :r AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)
    UNION
    SELECT f.assignment, n.child FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = f.holder),
    held (assignment, membership) AS (
    SELECT f.assignment, f.holder FROM flow AS f WHERE f.holder > 0
    UNION
    SELECT f.assignment, gm.membership FROM flow AS f
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = f.holder
    WHERE (gm.expires_at IS NULL OR gm.expires_at > :now))
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
    , h.membership, md.public_id AS membership_public_id, g.id AS group_number, COALESCE(g.name, g.slug) AS group_name,
    gd.public_id AS group_public_id
FROM held AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.id = h.assignment
CROSS JOIN rescind_organization AS o ON o.id = a.organization AND o.slug IS NOT NULL
CROSS JOIN rescind_role AS q ON q.id = a.role
CROSS JOIN rescind_resource AS x ON x.organization = a.organization AND x.id = a.resource
LEFT JOIN rescind_directory AS xd ON xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource
LEFT JOIN rescind_directory AS od ON od.organization = a.organization AND od.kind = 'organization' AND od.number = 0
LEFT JOIN rescind_change AS c ON c.organization = a.organization AND c.revision = a.made
LEFT JOIN rescind_directory AS md ON md.organization = a.organization AND md.kind = 'membership' AND md.number = h.membership
LEFT JOIN rescind_group AS g ON g.organization = a.organization AND g.id = a.holder
LEFT JOIN rescind_directory AS gd ON gd.organization = a.organization AND gd.kind = 'group' AND gd.number = a.holder
WHERE (abs(a.id), h.membership) > (:low, :low_m) AND (abs(a.id), h.membership) < (:high, :high_m)
AND (:role = '' OR q.slug = :role)
ORDER BY abs(a.id), h.membership LIMIT :limit

-- page_assignments_on_resource_desc
WITH RECURSIVE
    flow (assignment, holder) AS (
    SELECT a.id, a.holder FROM rescind_assignment AS a WHERE a.organization = :o AND a.resource = :r AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)
    UNION
    SELECT f.assignment, n.child FROM flow AS f CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = f.holder),
    held (assignment, membership) AS (
    SELECT f.assignment, f.holder FROM flow AS f WHERE f.holder > 0
    UNION
    SELECT f.assignment, gm.membership FROM flow AS f
    CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = f.holder
    WHERE (gm.expires_at IS NULL OR gm.expires_at > :now))
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
    , h.membership, md.public_id AS membership_public_id, g.id AS group_number, COALESCE(g.name, g.slug) AS group_name,
    gd.public_id AS group_public_id
FROM held AS h CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.id = h.assignment
CROSS JOIN rescind_organization AS o ON o.id = a.organization AND o.slug IS NOT NULL
CROSS JOIN rescind_role AS q ON q.id = a.role
CROSS JOIN rescind_resource AS x ON x.organization = a.organization AND x.id = a.resource
LEFT JOIN rescind_directory AS xd ON xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource
LEFT JOIN rescind_directory AS od ON od.organization = a.organization AND od.kind = 'organization' AND od.number = 0
LEFT JOIN rescind_change AS c ON c.organization = a.organization AND c.revision = a.made
LEFT JOIN rescind_directory AS md ON md.organization = a.organization AND md.kind = 'membership' AND md.number = h.membership
LEFT JOIN rescind_group AS g ON g.organization = a.organization AND g.id = a.holder
LEFT JOIN rescind_directory AS gd ON gd.organization = a.organization AND gd.kind = 'group' AND gd.number = a.holder
WHERE (abs(a.id), h.membership) > (:low, :low_m) AND (abs(a.id), h.membership) < (:high, :high_m)
AND (:role = '' OR q.slug = :role)
ORDER BY abs(a.id) DESC, h.membership DESC LIMIT :limit

-- page_group_assignments_asc
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
FROM rescind_assignment AS a
CROSS JOIN rescind_organization AS o ON o.id = a.organization AND o.slug IS NOT NULL
CROSS JOIN rescind_role AS q ON q.id = a.role
CROSS JOIN rescind_resource AS x ON x.organization = a.organization AND x.id = a.resource
LEFT JOIN rescind_directory AS xd ON xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource
LEFT JOIN rescind_directory AS od ON od.organization = a.organization AND od.kind = 'organization' AND od.number = 0
LEFT JOIN rescind_change AS c ON c.organization = a.organization AND c.revision = a.made
WHERE a.organization = :o AND a.holder = :g AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now) AND abs(a.id) > :low AND abs(a.id) < :high
ORDER BY abs(a.id) LIMIT :limit

-- page_group_assignments_desc
SELECT a.organization, a.id AS number, q.slug AS role, x.id AS resource, x.slug AS resource_slug,
    xd.public_id AS resource_public_id, od.public_id AS organization_public_id,
    COALESCE(c.recorded_at, o.created_at) AS created_at
FROM rescind_assignment AS a
CROSS JOIN rescind_organization AS o ON o.id = a.organization AND o.slug IS NOT NULL
CROSS JOIN rescind_role AS q ON q.id = a.role
CROSS JOIN rescind_resource AS x ON x.organization = a.organization AND x.id = a.resource
LEFT JOIN rescind_directory AS xd ON xd.organization = a.organization AND xd.kind = 'resource' AND xd.number = a.resource
LEFT JOIN rescind_directory AS od ON od.organization = a.organization AND od.kind = 'organization' AND od.number = 0
LEFT JOIN rescind_change AS c ON c.organization = a.organization AND c.revision = a.made
WHERE a.organization = :o AND a.holder = :g AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now) AND abs(a.id) > :low AND abs(a.id) < :high
ORDER BY abs(a.id) DESC LIMIT :limit

-- page_groups_asc
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind_group AS g
CROSS JOIN rescind_organization AS o ON o.id = g.organization
LEFT JOIN rescind_directory AS d ON d.organization = g.organization AND d.kind = 'group' AND d.number = g.id
LEFT JOIN rescind_directory AS od ON od.organization = g.organization AND od.kind = 'organization' AND od.number = 0
WHERE g.organization = :o AND g.id < -CAST(:low AS INTEGER) AND g.id > -CAST(:high AS INTEGER) AND g.ended IS NULL
AND (:search = '%' OR g.search_name LIKE :search ESCAPE '!' OR g.id = :g)
ORDER BY g.id DESC LIMIT :limit

-- page_groups_desc
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind_group AS g
CROSS JOIN rescind_organization AS o ON o.id = g.organization
LEFT JOIN rescind_directory AS d ON d.organization = g.organization AND d.kind = 'group' AND d.number = g.id
LEFT JOIN rescind_directory AS od ON od.organization = g.organization AND od.kind = 'organization' AND od.number = 0
WHERE g.organization = :o AND g.id < -CAST(:low AS INTEGER) AND g.id > -CAST(:high AS INTEGER) AND g.ended IS NULL
AND (:search = '%' OR g.search_name LIKE :search ESCAPE '!' OR g.id = :g)
ORDER BY g.id LIMIT :limit

-- page_groups_of_membership_asc
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind_group_member AS gm CROSS JOIN rescind_group AS g ON g.organization = :o AND g.id = gm."group" AND g.ended IS NULL
CROSS JOIN rescind_organization AS o ON o.id = g.organization
LEFT JOIN rescind_directory AS d ON d.organization = g.organization AND d.kind = 'group' AND d.number = g.id
LEFT JOIN rescind_directory AS od ON od.organization = g.organization AND od.kind = 'organization' AND od.number = 0
WHERE gm.organization = :o AND gm.membership = :m
AND gm."group" < -CAST(:low AS INTEGER) AND gm."group" > -CAST(:high AS INTEGER)
AND (gm.expires_at IS NULL OR gm.expires_at > :now)
ORDER BY gm."group" DESC LIMIT :limit

-- page_groups_of_membership_desc
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind_group_member AS gm CROSS JOIN rescind_group AS g ON g.organization = :o AND g.id = gm."group" AND g.ended IS NULL
CROSS JOIN rescind_organization AS o ON o.id = g.organization
LEFT JOIN rescind_directory AS d ON d.organization = g.organization AND d.kind = 'group' AND d.number = g.id
LEFT JOIN rescind_directory AS od ON od.organization = g.organization AND od.kind = 'organization' AND od.number = 0
WHERE gm.organization = :o AND gm.membership = :m
AND gm."group" < -CAST(:low AS INTEGER) AND gm."group" > -CAST(:high AS INTEGER)
AND (gm.expires_at IS NULL OR gm.expires_at > :now)
ORDER BY gm."group" LIMIT :limit

-- page_members_asc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind_group_member AS gm CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.id = gm.membership
CROSS JOIN rescind_organization AS o ON o.id = m.organization
LEFT JOIN rescind_directory AS d ON d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id
LEFT JOIN rescind_directory AS od ON od.organization = m.organization AND od.kind = 'organization' AND od.number = 0
WHERE gm.organization = :o AND gm."group" = :g AND gm.membership > :low AND gm.membership < :high
AND (gm.expires_at IS NULL OR gm.expires_at > :now)
ORDER BY gm.membership LIMIT :limit

-- page_members_desc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind_group_member AS gm CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.id = gm.membership
CROSS JOIN rescind_organization AS o ON o.id = m.organization
LEFT JOIN rescind_directory AS d ON d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id
LEFT JOIN rescind_directory AS od ON od.organization = m.organization AND od.kind = 'organization' AND od.number = 0
WHERE gm.organization = :o AND gm."group" = :g AND gm.membership > :low AND gm.membership < :high
AND (gm.expires_at IS NULL OR gm.expires_at > :now)
ORDER BY gm.membership DESC LIMIT :limit

-- page_memberships_among_asc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM json_each(:subjects) AS i CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value
CROSS JOIN rescind_organization AS o ON o.id = m.organization
LEFT JOIN rescind_directory AS d ON d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id
LEFT JOIN rescind_directory AS od ON od.organization = m.organization AND od.kind = 'organization' AND od.number = 0
WHERE m.id > :low AND m.id < :high
ORDER BY m.id LIMIT :limit

-- page_memberships_among_desc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM json_each(:subjects) AS i CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value
CROSS JOIN rescind_organization AS o ON o.id = m.organization
LEFT JOIN rescind_directory AS d ON d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id
LEFT JOIN rescind_directory AS od ON od.organization = m.organization AND od.kind = 'organization' AND od.number = 0
WHERE m.id > :low AND m.id < :high
ORDER BY m.id DESC LIMIT :limit

-- page_memberships_asc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind_membership AS m
CROSS JOIN rescind_organization AS o ON o.id = m.organization
LEFT JOIN rescind_directory AS d ON d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id
LEFT JOIN rescind_directory AS od ON od.organization = m.organization AND od.kind = 'organization' AND od.number = 0
WHERE m.organization = :o AND m.id > :low AND m.id < :high
AND (:status = 'all' OR (m.active AND :status = 'active') OR (NOT m.active AND :status = 'inactive'))
ORDER BY m.id LIMIT :limit

-- page_memberships_desc
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind_membership AS m
CROSS JOIN rescind_organization AS o ON o.id = m.organization
LEFT JOIN rescind_directory AS d ON d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id
LEFT JOIN rescind_directory AS od ON od.organization = m.organization AND od.kind = 'organization' AND od.number = 0
WHERE m.organization = :o AND m.id > :low AND m.id < :high
AND (:status = 'all' OR (m.active AND :status = 'active') OR (NOT m.active AND :status = 'inactive'))
ORDER BY m.id DESC LIMIT :limit

-- page_organizations_asc
SELECT o.id AS organization, o.slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at
FROM rescind_organization AS o LEFT JOIN rescind_directory AS d ON d.organization = o.id AND d.kind = 'organization' AND d.number = 0
WHERE o.id > :low AND o.id < :high AND o.id <> 0 AND o.slug IS NOT NULL
AND o.search_name LIKE :search ESCAPE '!'
AND (:domains = '[]' OR EXISTS (SELECT 1 FROM json_each(:domains) AS i WHERE d.attributes LIKE i.value ESCAPE '!'))
ORDER BY o.id LIMIT :limit

-- page_organizations_desc
SELECT o.id AS organization, o.slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at
FROM rescind_organization AS o LEFT JOIN rescind_directory AS d ON d.organization = o.id AND d.kind = 'organization' AND d.number = 0
WHERE o.id > :low AND o.id < :high AND o.id <> 0 AND o.slug IS NOT NULL
AND o.search_name LIKE :search ESCAPE '!'
AND (:domains = '[]' OR EXISTS (SELECT 1 FROM json_each(:domains) AS i WHERE d.attributes LIKE i.value ESCAPE '!'))
ORDER BY o.id DESC LIMIT :limit

-- page_permissions_among_asc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM json_each(:permissions) AS i CROSS JOIN rescind_permission AS p ON p.slug = i.value AND p.organization IN (0, :o)
LEFT JOIN rescind_directory AS d ON d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id
WHERE p.id > :low AND p.id < :high
ORDER BY p.id LIMIT :limit

-- page_permissions_among_desc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM json_each(:permissions) AS i CROSS JOIN rescind_permission AS p ON p.slug = i.value AND p.organization IN (0, :o)
LEFT JOIN rescind_directory AS d ON d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id
WHERE p.id > :low AND p.id < :high
ORDER BY p.id DESC LIMIT :limit

-- page_permissions_asc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind_permission AS p
LEFT JOIN rescind_directory AS d ON d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id
WHERE p.organization IN (0, :o) AND p.id > :low AND p.id < :high
ORDER BY p.id LIMIT :limit

-- page_permissions_desc
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind_permission AS p
LEFT JOIN rescind_directory AS d ON d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id
WHERE p.organization IN (0, :o) AND p.id > :low AND p.id < :high
ORDER BY p.id DESC LIMIT :limit

-- page_resources_among_asc
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM json_each(:resources) AS i CROSS JOIN rescind_resource AS r ON r.organization = :o AND r.slug = i.value
CROSS JOIN rescind_organization AS o ON o.id = r.organization
LEFT JOIN rescind_directory AS d ON d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id
LEFT JOIN rescind_directory AS pd ON pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent
LEFT JOIN rescind_directory AS od ON od.organization = r.organization AND od.kind = 'organization' AND od.number = 0
WHERE r.id > :low AND r.id < :high AND r.parent = :parent
ORDER BY r.id LIMIT :limit

-- page_resources_among_desc
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM json_each(:resources) AS i CROSS JOIN rescind_resource AS r ON r.organization = :o AND r.slug = i.value
CROSS JOIN rescind_organization AS o ON o.id = r.organization
LEFT JOIN rescind_directory AS d ON d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id
LEFT JOIN rescind_directory AS pd ON pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent
LEFT JOIN rescind_directory AS od ON od.organization = r.organization AND od.kind = 'organization' AND od.number = 0
WHERE r.id > :low AND r.id < :high AND r.parent = :parent
ORDER BY r.id DESC LIMIT :limit

-- page_resources_asc
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM rescind_resource AS r
CROSS JOIN rescind_organization AS o ON o.id = r.organization
LEFT JOIN rescind_directory AS d ON d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id
LEFT JOIN rescind_directory AS pd ON pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent
LEFT JOIN rescind_directory AS od ON od.organization = r.organization AND od.kind = 'organization' AND od.number = 0
WHERE (r.organization, r.id) > (:low_o, :low) AND (r.organization, r.id) < (:high_o, :high) AND r.id <> 0
AND o.slug IS NOT NULL
AND (CAST(:parent AS INTEGER) IS NULL OR r.parent = :parent)
AND (:type = '' OR (r.slug > :type AND r.slug < :type_end))
AND (:external_id = '' OR (
        substr(r.slug, length(r.slug) - length(:external_id)) = ':' || :external_id
        AND length(replace(substr(r.slug, 1, length(r.slug) - length(:external_id) - 1), ':', ''))
            = length(r.slug) - length(:external_id) - 1))
ORDER BY r.organization, r.id LIMIT :limit

-- page_resources_desc
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM rescind_resource AS r
CROSS JOIN rescind_organization AS o ON o.id = r.organization
LEFT JOIN rescind_directory AS d ON d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id
LEFT JOIN rescind_directory AS pd ON pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent
LEFT JOIN rescind_directory AS od ON od.organization = r.organization AND od.kind = 'organization' AND od.number = 0
WHERE (r.organization, r.id) > (:low_o, :low) AND (r.organization, r.id) < (:high_o, :high) AND r.id <> 0
AND o.slug IS NOT NULL
AND (CAST(:parent AS INTEGER) IS NULL OR r.parent = :parent)
AND (:type = '' OR (r.slug > :type AND r.slug < :type_end))
AND (:external_id = '' OR (
        substr(r.slug, length(r.slug) - length(:external_id)) = ':' || :external_id
        AND length(replace(substr(r.slug, 1, length(r.slug) - length(:external_id) - 1), ':', ''))
            = length(r.slug) - length(:external_id) - 1))
ORDER BY r.organization DESC, r.id DESC LIMIT :limit

-- read_answer
UPDATE rescind_directory_answer SET digest = digest WHERE caller = :caller AND key = :key RETURNING digest, status, body, receipts

-- read_directory_secret
SELECT secret FROM rescind_directory_secret

-- read_revision
SELECT o.id AS incarnation, o.revision AS organization, env.revision AS environment FROM rescind_organization AS o CROSS JOIN rescind_organization AS env ON env.id = 0 WHERE o.id = :o

-- set_entry
UPDATE rescind_directory SET attributes = :attributes WHERE organization = :o AND kind = :kind AND number = :number RETURNING 1

-- set_entry_made
UPDATE rescind_directory SET created_at = :now WHERE organization = :o AND kind = :kind AND number = :number RETURNING 1

-- set_external_id
UPDATE rescind_directory SET external_id = :external_id WHERE organization = :o AND kind = :kind AND number = :number RETURNING 1

-- set_public_id
UPDATE rescind_directory SET public_id = :public_id WHERE organization = :o AND kind = :kind AND number = :number RETURNING 1

-- show_group
SELECT g.organization, g.id AS number, g.slug, g.name, d.public_id, d.attributes, d.created_at, d.updated_at,
    od.public_id AS organization_public_id, o.created_at AS organization_created_at
FROM rescind_group AS g
CROSS JOIN rescind_organization AS o ON o.id = g.organization
LEFT JOIN rescind_directory AS d ON d.organization = g.organization AND d.kind = 'group' AND d.number = g.id
LEFT JOIN rescind_directory AS od ON od.organization = g.organization AND od.kind = 'organization' AND od.number = 0
WHERE g.organization = :o AND g.id = :g AND g.ended IS NULL AND o.slug IS NOT NULL

-- show_membership
SELECT m.organization, m.id AS number, m.subject, m.name, m.active AS is_active, m.created_at, d.public_id, d.updated_at,
    od.public_id AS organization_public_id, o.name AS organization_name, o.slug AS organization_slug, o.role_mode
FROM rescind_membership AS m
CROSS JOIN rescind_organization AS o ON o.id = m.organization
LEFT JOIN rescind_directory AS d ON d.organization = m.organization AND d.kind = 'membership' AND d.number = m.id
LEFT JOIN rescind_directory AS od ON od.organization = m.organization AND od.kind = 'organization' AND od.number = 0
WHERE m.organization = :o AND m.id = :m AND o.slug IS NOT NULL

-- show_organization
SELECT o.id AS organization, o.slug, o.name, o.created_at, d.public_id, d.external_id, d.attributes, d.updated_at
FROM rescind_organization AS o LEFT JOIN rescind_directory AS d ON d.organization = o.id AND d.kind = 'organization' AND d.number = 0
WHERE o.id = :o AND o.slug IS NOT NULL AND o.id <> 0

-- show_permission
SELECT p.organization, p.id AS number, p.slug, p.description, d.attributes, d.created_at, d.updated_at
FROM rescind_permission AS p
LEFT JOIN rescind_directory AS d ON d.organization = p.organization AND d.kind = 'permission' AND d.number = p.id
WHERE p.slug = :permission AND p.organization IN (0, :o) ORDER BY p.organization LIMIT 1

-- show_resource
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM rescind_resource AS r
CROSS JOIN rescind_organization AS o ON o.id = r.organization
LEFT JOIN rescind_directory AS d ON d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id
LEFT JOIN rescind_directory AS pd ON pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent
LEFT JOIN rescind_directory AS od ON od.organization = r.organization AND od.kind = 'organization' AND od.number = 0
WHERE r.organization = :o AND r.id = :r AND o.slug IS NOT NULL

-- show_resource_named
SELECT r.organization, r.id AS number, r.slug, r.parent, d.public_id, d.attributes, d.created_at, d.updated_at,
    pd.public_id AS parent_public_id, od.public_id AS organization_public_id, o.name AS organization_name,
    o.created_at AS organization_created_at
FROM rescind_resource AS r
CROSS JOIN rescind_organization AS o ON o.id = r.organization
LEFT JOIN rescind_directory AS d ON d.organization = r.organization AND d.kind = 'resource' AND d.number = r.id
LEFT JOIN rescind_directory AS pd ON pd.organization = r.organization AND pd.kind = 'resource' AND pd.number = r.parent
LEFT JOIN rescind_directory AS od ON od.organization = r.organization AND od.kind = 'organization' AND od.number = 0
WHERE r.organization = :o AND r.slug = :resource AND o.slug IS NOT NULL

-- show_roles
SELECT r.organization, r.id AS number, r.slug, r.name, r.priority, d.attributes, d.created_at, d.updated_at, r.resource_type
FROM rescind_role AS r LEFT JOIN rescind_directory AS d ON d.organization = r.organization AND d.kind = 'role' AND d.number = r.id
WHERE r.organization IN (0, :o) AND (:role = '' OR r.slug = :role)
ORDER BY r.priority DESC, r.id

-- touch_entry
INSERT INTO rescind_directory (organization, kind, number, updated_at) VALUES (:o, :kind, :number, :now)
ON CONFLICT (organization, kind, number) DO UPDATE SET updated_at = :now
RETURNING attributes
