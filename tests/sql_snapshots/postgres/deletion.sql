-- advance_deletion
UPDATE rescind.deletion SET done = done + rescind.tallied('altered'), cursor = COALESCE((
        SELECT x.membership FROM rescind.effective_role AS x WHERE x.organization = %(o)s AND x.membership >= rescind.deletion.cursor
        ORDER BY x.membership LIMIT 1), cursor)
WHERE organization = %(o)s

-- bury_organization
UPDATE rescind.organization SET deleted_as = slug, slug = NULL, default_role = NULL WHERE id = %(o)s

-- bury_roles
UPDATE rescind.role SET slug = %(buried)s || CAST(id AS TEXT) WHERE organization = %(o)s

-- clear_assignments
DELETE FROM rescind.assignment WHERE organization = %(o)s AND id IN (
    SELECT x.id FROM rescind.assignment AS x WHERE x.organization = %(o)s
    LIMIT CASE WHEN rescind.tallied('altered') < %(limit)s THEN %(limit)s - rescind.tallied('altered') ELSE 0 END)

-- clear_effective_roles
DELETE FROM rescind.effective_role WHERE organization = %(o)s AND (membership, assignment) IN (
    SELECT x.membership, x.assignment FROM rescind.effective_role AS x
    WHERE x.organization = %(o)s AND x.membership >= (SELECT d.cursor FROM rescind.deletion AS d WHERE d.organization = %(o)s)
    ORDER BY x.membership, x.assignment
    LIMIT CASE WHEN rescind.tallied('altered') < %(limit)s THEN %(limit)s - rescind.tallied('altered') ELSE 0 END)

-- clear_group_members
DELETE FROM rescind.group_member WHERE organization = %(o)s AND (membership, "group") IN (
    SELECT x.membership, x."group" FROM rescind.group_member AS x WHERE x.organization = %(o)s
    LIMIT CASE WHEN rescind.tallied('altered') < %(limit)s THEN %(limit)s - rescind.tallied('altered') ELSE 0 END)

-- clear_groups
DELETE FROM rescind."group" WHERE organization = %(o)s AND id IN (
    SELECT x.id FROM rescind."group" AS x WHERE x.organization = %(o)s
    LIMIT CASE WHEN rescind.tallied('altered') < %(limit)s THEN %(limit)s - rescind.tallied('altered') ELSE 0 END)

-- clear_memberships
DELETE FROM rescind.membership WHERE organization = %(o)s AND id IN (
    SELECT x.id FROM rescind.membership AS x WHERE x.organization = %(o)s
    LIMIT CASE WHEN rescind.tallied('altered') < %(limit)s THEN %(limit)s - rescind.tallied('altered') ELSE 0 END)

-- clear_nestings
DELETE FROM rescind.recorded_nesting WHERE organization = %(o)s AND (child, parent) IN (
    SELECT x.child, x.parent FROM rescind.recorded_nesting AS x WHERE x.organization = %(o)s
    LIMIT CASE WHEN rescind.tallied('altered') < %(limit)s THEN %(limit)s - rescind.tallied('altered') ELSE 0 END)

-- clear_parents
UPDATE rescind.resource SET parent = NULL WHERE organization = %(o)s AND id IN (
    SELECT x.id FROM rescind.resource AS x WHERE x.organization = %(o)s AND x.parent IS NOT NULL
    LIMIT CASE WHEN rescind.tallied('altered') < %(limit)s THEN %(limit)s - rescind.tallied('altered') ELSE 0 END)

-- clear_resources
DELETE FROM rescind.resource WHERE organization = %(o)s AND id IN (
    SELECT x.id FROM rescind.resource AS x WHERE x.organization = %(o)s
    LIMIT CASE WHEN rescind.tallied('altered') < %(limit)s THEN %(limit)s - rescind.tallied('altered') ELSE 0 END)

-- clear_role_resets
DELETE FROM rescind.role_reset WHERE organization = %(o)s AND (membership, role) IN (
    SELECT x.membership, x.role FROM rescind.role_reset AS x WHERE x.organization = %(o)s
    LIMIT CASE WHEN rescind.tallied('altered') < %(limit)s THEN %(limit)s - rescind.tallied('altered') ELSE 0 END)

-- clear_roles
DELETE FROM rescind.role WHERE organization = %(o)s AND id IN (
    SELECT x.id FROM rescind.role AS x WHERE x.organization = %(o)s
    LIMIT CASE WHEN rescind.tallied('altered') < %(limit)s THEN %(limit)s - rescind.tallied('altered') ELSE 0 END)

-- end_deletion
DELETE FROM rescind.deletion WHERE organization = %(o)s AND rescind.tallied('altered') < %(limit)s

-- find_deletion
SELECT d.organization FROM rescind.deletion AS d WHERE d.organization = %(o)s

-- forget_gone_of_deleted
DELETE FROM rescind.directory_gone WHERE organization = %(o)s AND EXISTS (
    SELECT 1 FROM rescind.organization AS d CROSS JOIN LATERAL (SELECT * FROM rescind.directory_follower AS f
        WHERE f.organization = d.id OFFSET 0) AS f
    WHERE d.id = %(o)s AND d.slug IS NULL AND f.revision >= d.revision)

-- forget_role_of_deleted
DELETE FROM rescind.assignment WHERE role = (SELECT id FROM rescind.role WHERE slug = %(role)s AND organization = %(o)s)
AND organization IN (SELECT d.organization FROM rescind.deletion AS d)

-- list_deletions
SELECT o.deleted_as AS name, d.done,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
    - d.recorded_at AS age, d.revision, d.organization
FROM rescind.deletion AS d CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = d.organization OFFSET 0) AS o
WHERE CAST(%(organization)s AS TEXT) IS NULL OR (
    o.deleted_as = %(organization)s AND NOT EXISTS (SELECT 1 FROM rescind.organization AS x WHERE x.slug = %(organization)s))
ORDER BY d.recorded_at, d.organization LIMIT %(limit)s

-- note_assignments_in_force
SELECT 1 FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.ended IS NULL LIMIT 1

-- pend_deletion
INSERT INTO rescind.deletion (organization, revision, recorded_at)
SELECT o.id, o.revision + 1,
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
FROM rescind.organization AS o WHERE o.id = %(o)s

-- settle_changes_of_deleted
UPDATE rescind.change SET settled_at = %(now)s WHERE organization = %(o)s AND settled_at IS NULL

-- settle_deletion
UPDATE rescind.change SET settled_at = recorded_at + (SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
        - d.recorded_at FROM rescind.deletion AS d WHERE d.organization = %(o)s)
WHERE organization = %(o)s AND settled_at IS NULL AND rescind.tallied('altered') < %(limit)s
AND EXISTS (SELECT 1 FROM rescind.deletion AS d WHERE d.organization = %(o)s)

-- weigh_organization
SELECT (SELECT count(*) FROM (SELECT 1 FROM rescind.effective_role WHERE organization = %(o)s LIMIT %(most)s) AS counted)
    + (SELECT count(*) FROM (SELECT 1 FROM rescind.assignment WHERE organization = %(o)s LIMIT %(most)s) AS counted)
    + (SELECT count(*) FROM (SELECT 1 FROM rescind.group_member WHERE organization = %(o)s LIMIT %(most)s) AS counted)
    + (SELECT count(*) FROM (SELECT 1 FROM rescind.membership WHERE organization = %(o)s LIMIT %(most)s) AS counted)
    + (SELECT count(*) FROM (SELECT 1 FROM rescind.resource WHERE organization = %(o)s LIMIT %(most)s) AS counted) AS pairs,
    %(takes)s AND FALSE AS is_critical, FALSE AS is_busy,
EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AS is_unsettled
