-- Deletes an organization: at once if it is small, otherwise its name at once and its rows chunk by chunk. A row
-- counts as a pair.

-- name: weigh_organization
SELECT (SELECT count(*) FROM (SELECT 1 FROM rescind.effective_role WHERE organization = :o LIMIT :most) AS counted)
     + (SELECT count(*) FROM (SELECT 1 FROM rescind.assignment WHERE organization = :o LIMIT :most) AS counted)
     + (SELECT count(*) FROM (SELECT 1 FROM rescind.group_member WHERE organization = :o LIMIT :most) AS counted)
     + (SELECT count(*) FROM (SELECT 1 FROM rescind.membership WHERE organization = :o LIMIT :most) AS counted)
     + (SELECT count(*) FROM (SELECT 1 FROM rescind.resource WHERE organization = :o LIMIT :most) AS counted) AS pairs,
       :takes AND FALSE AS is_critical, FALSE AS is_busy,
       EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o) AS is_unsettled

-- name: note_assignments_in_force
SELECT 1 FROM rescind.assignment AS a WHERE a.organization = :o AND a.ended IS NULL LIMIT 1

-- name: bury_organization
UPDATE rescind.organization SET deleted_as = slug, slug = NULL, default_role = NULL WHERE id = :o

-- There are few roles, but assignments may still refer to them, so they only give up their names.

-- name: bury_roles
UPDATE rescind.role SET slug = :buried || CAST(id AS TEXT) WHERE organization = :o

-- name: pend_deletion
INSERT INTO rescind.deletion (organization, revision, recorded_at)
SELECT o.id, o.revision + 1,
@engine.clock
FROM rescind.organization AS o WHERE o.id = :o

-- Settles changes that waited for work that is gone with the organization.

-- name: settle_changes_of_deleted
UPDATE rescind.change SET settled_at = :now WHERE organization = :o AND settled_at IS NULL

-- A name means the organization that has it now. Remains of an earlier one do not belong to it.

-- name: list_deletions
SELECT o.deleted_as AS name, d.done,
@engine.clock
- d.recorded_at AS age, d.revision, d.organization
FROM rescind.deletion AS d JOIN rescind.organization AS o ON o.id = d.organization
WHERE CAST(:organization AS TEXT) IS NULL OR (
    o.deleted_as = :organization AND NOT EXISTS (SELECT 1 FROM rescind.organization AS x WHERE x.slug = :organization))
ORDER BY d.recorded_at, d.organization LIMIT :limit

-- name: find_deletion
SELECT d.organization FROM rescind.deletion AS d WHERE d.organization = :o

-- A role of all organizations is taken from a deleted organization before its other rows go.

-- name: forget_role_of_deleted
DELETE FROM rescind.assignment WHERE role = (SELECT id FROM rescind.role WHERE slug = :role AND organization = :o)
AND organization IN (SELECT d.organization FROM rescind.deletion AS d)

-- --- a chunk: no more than :limit rows, in an order in which nothing refers to what goes -----------------

-- fragment: rest
LIMIT CASE WHEN rescind.tallied('altered') < :limit THEN :limit - rescind.tallied('altered') ELSE 0 END

-- name: clear_role_resets
DELETE FROM rescind.role_reset WHERE organization = :o AND (membership, role) IN (
    SELECT x.membership, x.role FROM rescind.role_reset AS x WHERE x.organization = :o
        @deletion.rest)

-- name: clear_assignments
DELETE FROM rescind.assignment WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind.assignment AS x WHERE x.organization = :o
        @deletion.rest)

-- name: clear_group_members
DELETE FROM rescind.group_member WHERE organization = :o AND (membership, "group") IN (
    SELECT x.membership, x."group" FROM rescind.group_member AS x WHERE x.organization = :o
        @deletion.rest)

-- name: clear_nestings
DELETE FROM rescind.recorded_nesting WHERE organization = :o AND (child, parent) IN (
    SELECT x.child, x.parent FROM rescind.recorded_nesting AS x WHERE x.organization = :o
        @deletion.rest)

-- A job that was running when the organization was deleted has the groups locked. After this none is running.

-- name: clear_groups
DELETE FROM rescind."group" WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind."group" AS x WHERE x.organization = :o
        @deletion.rest)

-- name: clear_effective_roles
DELETE FROM rescind.effective_role WHERE organization = :o AND (membership, assignment) IN (
    SELECT x.membership, x.assignment FROM rescind.effective_role AS x
    WHERE x.organization = :o AND x.membership >= (SELECT d.cursor FROM rescind.deletion AS d WHERE d.organization = :o)
    ORDER BY x.membership, x.assignment
        @deletion.rest)

-- The cursor keeps the next chunk from scanning rows that are dead already.

-- name: advance_deletion
UPDATE rescind.deletion SET done = done + rescind.tallied('altered'), cursor = COALESCE((
    SELECT x.membership FROM rescind.effective_role AS x WHERE x.organization = :o AND x.membership >= rescind.deletion.cursor
    ORDER BY x.membership LIMIT 1), cursor)
WHERE organization = :o

-- name: clear_memberships
DELETE FROM rescind.membership WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind.membership AS x WHERE x.organization = :o
        @deletion.rest)

-- name: clear_parents
UPDATE rescind.resource SET parent = NULL WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind.resource AS x WHERE x.organization = :o AND x.parent IS NOT NULL
        @deletion.rest)

-- name: clear_resources
DELETE FROM rescind.resource WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind.resource AS x WHERE x.organization = :o
        @deletion.rest)

-- name: clear_roles
DELETE FROM rescind.role WHERE organization = :o AND id IN (
    SELECT x.id FROM rescind.role AS x WHERE x.organization = :o
        @deletion.rest)

-- The rest was deleted with the organization. Once the organization's end is reported, nothing more is to report.

-- name: forget_gone_of_deleted
DELETE FROM rescind.directory_gone WHERE organization = :o AND EXISTS (
    SELECT 1 FROM rescind.organization AS d JOIN rescind.directory_follower AS f ON f.organization = d.id
    WHERE d.id = :o AND d.slug IS NULL AND f.revision >= d.revision)

-- name: settle_deletion
UPDATE rescind.change SET settled_at = recorded_at + (SELECT @engine.clock
        - d.recorded_at FROM rescind.deletion AS d WHERE d.organization = :o)
WHERE organization = :o AND settled_at IS NULL AND rescind.tallied('altered') < :limit
AND EXISTS (SELECT 1 FROM rescind.deletion AS d WHERE d.organization = :o)

-- name: end_deletion
DELETE FROM rescind.deletion WHERE organization = :o AND rescind.tallied('altered') < :limit
