-- What a batch sets aside and gives back in a single-role organization; docs/explanation/guarantees.md has the rule.
-- A batch is judged by its end. Before its first change, the winning roles that it may take are kept in
-- `role_before`; after its last change they are compared with the roles held then. Between batches `role_before` is
-- empty.

-- fragment: held_wide
reached (membership, "group") AS (      -- the groups that reach those affected now
    SELECT gm.membership, gm."group" FROM affected AS t
    JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now
    UNION
    SELECT r.membership, n.parent FROM reached AS r JOIN rescind.nesting AS n ON n.organization = :o AND n.child = r."group"),
held (membership, role) AS (            -- the organization-wide roles that they hold now, each once
    SELECT t.membership, a.role FROM affected AS t
    JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = t.membership AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now
    UNION
    SELECT r.membership, a.role FROM reached AS r
    JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = r."group" AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now)

-- --- before the first change: what may be lost ------------------------------------------------------

-- A membership without another role that counts has nothing to set aside.

-- fragment: remember_roles
affected (membership) AS (
    SELECT t.membership FROM rescind.organization AS o CROSS JOIN touched AS t
    WHERE o.id = :o AND o.role_mode = 'single' AND o.on_loss = 'default'),
@single_role.held_wide
INSERT INTO rescind.role_before (organization, membership, role)
SELECT :o, c.membership, c.role FROM (
    SELECT h.membership, h.role, count(*) OVER (PARTITION BY h.membership) AS counting,
           row_number() OVER (PARTITION BY h.membership ORDER BY q.priority DESC, q.id) AS place
    FROM held AS h JOIN rescind.role AS q ON q.id = h.role
    WHERE NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x
                      WHERE x.organization = :o AND x.membership = h.membership AND x.role = h.role)) AS c
WHERE c.place = 1 AND c.counting > 1
ON CONFLICT (organization, membership) DO NOTHING

-- name: remember_roles_of_members
WITH RECURSIVE
@pairs.listed,
@single_role.remember_roles

-- name: remember_roles_of_others
WITH RECURSIVE
@pairs.others,
@single_role.remember_roles

-- name: remember_roles_below
WITH RECURSIVE below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id),
touched (membership) AS (
    SELECT id FROM rescind.membership WHERE organization = :o AND subject = :subject
    UNION
    SELECT gm.membership FROM below AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id),
@single_role.remember_roles

-- name: remember_roles_of_holders
WITH RECURSIVE below (id) AS (          -- who holds a role, and the groups that flow into such a group
    SELECT a.holder FROM rescind.assignment AS a
    WHERE a.organization = :o AND a.role = (SELECT r.id FROM rescind.role AS r WHERE r.slug = :role AND r.organization = :owner)
      AND a.resource = 0 AND a.ended IS NULL
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id),
touched (membership) AS (
    SELECT b.id FROM below AS b WHERE b.id > 0
    UNION
    SELECT gm.membership FROM below AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id WHERE b.id < 0),
@single_role.remember_roles

-- --- after the last change --------------------------------------------------------------------------

-- name: set_aside
WITH RECURSIVE affected (membership) AS (
    SELECT b.membership FROM rescind.role_before AS b WHERE b.organization = :o),
@single_role.held_wide
INSERT INTO rescind.role_reset (organization, membership, role)
SELECT :o, x.membership, x.role FROM (
    SELECT h.membership, h.role,
           max(CASE WHEN h.role = b.role THEN 1 ELSE 0 END) OVER (PARTITION BY h.membership) AS is_kept
    FROM held AS h JOIN rescind.role_before AS b ON b.organization = :o AND b.membership = h.membership) AS x
WHERE x.is_kept = 0
ON CONFLICT (organization, membership, role) DO NOTHING

-- name: forget_roles_before
DELETE FROM rescind.role_before WHERE organization = :o

-- What the batch named counts again for everybody who has it by that name at the end.

-- name: give_back_to_holder
WITH RECURSIVE
@changes.given,
below (id) AS (
    SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id)
DELETE FROM rescind.role_reset WHERE organization = :o
AND membership IN (
    SELECT id FROM rescind.membership WHERE organization = :o AND subject = :subject
    UNION ALL
    SELECT gm.membership FROM below AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now)
AND role IN (
    SELECT a.role FROM given AS g
    JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = (SELECT h.id FROM holder AS h) AND a.resource = g.resource
         AND a.role = g.role AND a.ended IS NULL
    WHERE g.resource = 0 AND (a.expires_at IS NULL OR a.expires_at > :now))

-- name: give_back_to_members
WITH RECURSIVE
@pairs.upward,
@pairs.listed
DELETE FROM rescind.role_reset WHERE organization = :o
AND membership IN (
    SELECT gm.membership FROM touched AS t
    JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = t.membership
         AND gm."group" = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now)
AND role IN (
    SELECT a.role FROM upward AS u
    JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = u.id AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now)

-- name: give_back_by_nesting
WITH RECURSIVE
@pairs.below,
@pairs.around
DELETE FROM rescind.role_reset WHERE organization = :o
AND membership IN (
    SELECT gm.membership FROM below AS b JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    WHERE gm.expires_at IS NULL OR gm.expires_at > :now)
AND role IN (
    SELECT a.role FROM upward AS u
    JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = u.id AND a.resource = 0 AND a.ended IS NULL
    WHERE a.expires_at IS NULL OR a.expires_at > :now)

-- --- forgotten --------------------------------------------------------------------------------------

-- A batch that changes the role mode sets nothing aside, and cancels what was set aside before.

-- name: forget_role_resets
DELETE FROM rescind.role_reset WHERE organization = :o AND
EXISTS (SELECT 1 FROM rescind.organization WHERE id = :o AND (role_mode <> :mode OR on_loss <> :on_loss))

-- name: forget_roles_before_mode
DELETE FROM rescind.role_before WHERE organization = :o AND
EXISTS (SELECT 1 FROM rescind.organization WHERE id = :o AND (role_mode <> :mode OR on_loss <> :on_loss))

-- A later role may get the number of a deleted one.

-- name: delete_role_resets_of_role
DELETE FROM rescind.role_reset WHERE (:o = 0 OR organization = :o)
AND role = (SELECT id FROM rescind.role WHERE slug = :role AND organization = :o)
