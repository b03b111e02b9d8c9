-- advance_deletion
UPDATE rescind_deletion SET done = done + rescind_tallied('altered'), cursor = COALESCE((
        SELECT x.membership FROM rescind_effective_role AS x WHERE x.organization = :o AND x.membership >= rescind_deletion.cursor
        ORDER BY x.membership LIMIT 1), cursor)
WHERE organization = :o

-- bury_organization
UPDATE rescind_organization SET deleted_as = slug, slug = NULL, default_role = NULL WHERE id = :o

-- bury_roles
UPDATE rescind_role SET slug = :buried || CAST(id AS TEXT) WHERE organization = :o

-- clear_assignments
DELETE FROM rescind_assignment WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind_assignment AS x WHERE x.organization = :o
    LIMIT CASE WHEN rescind_tallied('altered') < :limit THEN :limit - rescind_tallied('altered') ELSE 0 END)

-- clear_effective_roles
DELETE FROM rescind_effective_role WHERE organization = :o AND (membership, assignment) IN (
    SELECT x.membership, x.assignment FROM rescind_effective_role AS x
    WHERE x.organization = :o AND x.membership >= (SELECT d.cursor FROM rescind_deletion AS d WHERE d.organization = :o)
    ORDER BY x.membership, x.assignment
    LIMIT CASE WHEN rescind_tallied('altered') < :limit THEN :limit - rescind_tallied('altered') ELSE 0 END)

-- clear_group_members
DELETE FROM rescind_group_member WHERE organization = :o AND (membership, "group") IN (
    SELECT x.membership, x."group" FROM rescind_group_member AS x WHERE x.organization = :o
    LIMIT CASE WHEN rescind_tallied('altered') < :limit THEN :limit - rescind_tallied('altered') ELSE 0 END)

-- clear_groups
DELETE FROM rescind_group WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind_group AS x WHERE x.organization = :o
    LIMIT CASE WHEN rescind_tallied('altered') < :limit THEN :limit - rescind_tallied('altered') ELSE 0 END)

-- clear_memberships
DELETE FROM rescind_membership WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind_membership AS x WHERE x.organization = :o
    LIMIT CASE WHEN rescind_tallied('altered') < :limit THEN :limit - rescind_tallied('altered') ELSE 0 END)

-- clear_nestings
DELETE FROM rescind_recorded_nesting WHERE organization = :o AND (child, parent) IN (
    SELECT x.child, x.parent FROM rescind_recorded_nesting AS x WHERE x.organization = :o
    LIMIT CASE WHEN rescind_tallied('altered') < :limit THEN :limit - rescind_tallied('altered') ELSE 0 END)

-- clear_parents
UPDATE rescind_resource SET parent = NULL WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind_resource AS x WHERE x.organization = :o AND x.parent IS NOT NULL
    LIMIT CASE WHEN rescind_tallied('altered') < :limit THEN :limit - rescind_tallied('altered') ELSE 0 END)

-- clear_resources
DELETE FROM rescind_resource WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind_resource AS x WHERE x.organization = :o
    LIMIT CASE WHEN rescind_tallied('altered') < :limit THEN :limit - rescind_tallied('altered') ELSE 0 END)

-- clear_role_resets
DELETE FROM rescind_role_reset WHERE organization = :o AND (membership, role) IN (
    SELECT x.membership, x.role FROM rescind_role_reset AS x WHERE x.organization = :o
    LIMIT CASE WHEN rescind_tallied('altered') < :limit THEN :limit - rescind_tallied('altered') ELSE 0 END)

-- clear_roles
DELETE FROM rescind_role WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind_role AS x WHERE x.organization = :o
    LIMIT CASE WHEN rescind_tallied('altered') < :limit THEN :limit - rescind_tallied('altered') ELSE 0 END)

-- end_deletion
DELETE FROM rescind_deletion WHERE organization = :o AND rescind_tallied('altered') < :limit

-- find_deletion
SELECT d.organization FROM rescind_deletion AS d WHERE d.organization = :o

-- forget_gone_of_deleted
DELETE FROM rescind_directory_gone WHERE organization = :o AND EXISTS (
    SELECT 1 FROM rescind_organization AS d CROSS JOIN rescind_directory_follower AS f ON f.organization = d.id
    WHERE d.id = :o AND d.slug IS NULL AND f.revision >= d.revision)

-- forget_role_of_deleted
DELETE FROM rescind_assignment WHERE role = (SELECT id FROM rescind_role WHERE slug = :role AND organization = :o)
AND organization IN (SELECT d.organization FROM rescind_deletion AS d)

-- list_deletions
SELECT o.deleted_as AS name, d.done,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
    - d.recorded_at AS age, d.revision, d.organization
FROM rescind_deletion AS d CROSS JOIN rescind_organization AS o ON o.id = d.organization
WHERE CAST(:organization AS TEXT) IS NULL OR (
    o.deleted_as = :organization AND NOT EXISTS (SELECT 1 FROM rescind_organization AS x WHERE x.slug = :organization))
ORDER BY d.recorded_at, d.organization LIMIT :limit

-- note_assignments_in_force
SELECT 1 FROM rescind_assignment AS a WHERE a.organization = :o AND a.ended IS NULL LIMIT 1

-- pend_deletion
INSERT INTO rescind_deletion (organization, revision, recorded_at)
SELECT o.id, o.revision + 1,
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
FROM rescind_organization AS o WHERE o.id = :o

-- settle_changes_of_deleted
UPDATE rescind_change SET settled_at = :now WHERE organization = :o AND settled_at IS NULL

-- settle_deletion
UPDATE rescind_change SET settled_at = recorded_at + (SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
        - d.recorded_at FROM rescind_deletion AS d WHERE d.organization = :o)
WHERE organization = :o AND settled_at IS NULL AND rescind_tallied('altered') < :limit
AND EXISTS (SELECT 1 FROM rescind_deletion AS d WHERE d.organization = :o)

-- weigh_organization
SELECT (SELECT count(*) FROM (SELECT 1 FROM rescind_effective_role WHERE organization = :o LIMIT :most) AS counted)
    + (SELECT count(*) FROM (SELECT 1 FROM rescind_assignment WHERE organization = :o LIMIT :most) AS counted)
    + (SELECT count(*) FROM (SELECT 1 FROM rescind_group_member WHERE organization = :o LIMIT :most) AS counted)
    + (SELECT count(*) FROM (SELECT 1 FROM rescind_membership WHERE organization = :o LIMIT :most) AS counted)
    + (SELECT count(*) FROM (SELECT 1 FROM rescind_resource WHERE organization = :o LIMIT :most) AS counted) AS pairs,
    :takes AND FALSE AS is_critical, FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind_pending AS p WHERE p.organization = :o) AS is_unsettled
