-- The statements of changes. Each runs under the lock on the organization's row (:o), so it sees what the statement
-- before it wrote.
--
-- refuse_* are guards: they return no row if all is well, otherwise rows (code, fact, value), and the change is
-- refused for the first of them. If a change takes access away, what refuse_*_missing finds is noted on its receipt
-- instead. note_* return a row if the change takes access away.
--
-- Expired facts count as absent: they do not keep anything from being deleted, they are written anew when they are
-- given again, and no list shows them. Statements that take something away ignore the clock, because clocks differ:
-- they take expired facts too, and note_* count those.

-- fragment: in_force
a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)

-- fragment: member_in_force
(gm.expires_at IS NULL OR gm.expires_at > :now)

-- --- the frame of a change --------------------------------------------------------------------

-- name: plan
SELECT o.id AS organization, o.role_mode, (SELECT max(id) + 1 FROM rescind.organization) AS next_id,
EXISTS (SELECT 1 FROM rescind.role AS q WHERE q.organization IN (0, o.id) AND q.required)
AS has_required, o.id_rule
FROM rescind.organization AS env LEFT JOIN rescind.organization AS o ON o.slug = :organization
WHERE env.id = 0

-- While effective roles are behind the facts, the loss cannot be counted from them. Then a change that takes any fact
-- counts as revoking, and in a single-role organization every change does.

-- name: refuse_moved
SELECT 'precondition_failed' AS code, 'revision' AS fact, CAST(o.revision AS TEXT) AS value
FROM rescind.organization AS o WHERE o.id = :o AND o.revision <> :at

-- A change for all organizations has no effective roles of its own. It is settled when every change that follows from
-- it is settled.

-- name: claim_key
INSERT INTO rescind.idempotency (organization, key, digest, revision, recorded_at)
SELECT :o, :key, :digest, o.revision + 1, :now FROM rescind.organization AS o WHERE o.id = :o

-- A key that was used in a deleted organization, for the one that has its name now: the name is what callers know.

-- name: find_former_key
SELECT k.organization FROM rescind.organization AS o
JOIN rescind.idempotency AS k ON k.organization = o.id AND k.key = :key AND k.recorded_at >= :cutoff
WHERE o.deleted_as = :organization ORDER BY k.organization DESC LIMIT 1

-- name: has_former
SELECT o.id AS organization FROM rescind.organization AS o WHERE o.deleted_as = :organization LIMIT 1

-- name: forget_old_keys
DELETE FROM rescind.idempotency WHERE organization = :o AND recorded_at < :cutoff

-- name: read_keyed_outcome
SELECT o.id AS organization, k.revision, env.revision AS environment, c.direction, c.route,
       c.granted + c.revoked + c.estimated AS fan_out, k.recorded_at,
CASE WHEN c.settled_at IS NOT NULL OR c.organization <> 0 THEN c.settled_at ELSE (
    SELECT CASE WHEN count(*) = count(x.settled_at) THEN max(x.settled_at) END FROM rescind.change AS x
    WHERE x.caused_by = c.revision) END
AS settled_at, k.not_found, k.digest
FROM rescind.idempotency AS k JOIN rescind.organization AS o ON o.id = k.organization JOIN rescind.organization AS env ON env.id = 0
LEFT JOIN rescind.change AS c ON c.organization = k.organization AND c.revision = k.revision AND c.idempotency_key = k.key
WHERE k.organization = :o AND k.key = :key

-- A write whose commit waits for the synchronous standby, and so for every commit before it. The first commit may not
-- have waited.

-- name: confirm_keyed_outcome
UPDATE rescind.idempotency SET digest = digest WHERE organization = :o AND key = :key RETURNING 1 AS confirmed

-- name: read_recorded
SELECT c.recorded_at, e.enforced_at, e.record
FROM rescind.change AS c LEFT JOIN rescind.enforcement AS e ON e.organization = c.organization AND e.revision = c.revision
WHERE c.organization = :o AND c.revision = :revision

-- --- organizations ----------------------------------------------------------------------------

-- name: insert_organization
INSERT INTO rescind.organization (id, slug, name, created_at, id_rule, search_name)
SELECT CAST(:o AS INTEGER), :organization, :name, CAST(:now AS BIGINT), :id_rule, :search_name WHERE TRUE
ON CONFLICT (slug) DO NOTHING

-- name: insert_root
INSERT INTO rescind.resource (organization, id, slug, parent)
SELECT :o, 0, 'organization', NULL WHERE TRUE ON CONFLICT DO NOTHING

-- name: refuse_organization_differs
SELECT 'organization_exists' AS code, 'organization' AS fact, o.slug AS value
FROM rescind.organization AS o WHERE o.id = :o AND o.name <> :name

-- An organization can be found by its name and by the external id that the management API keeps. A new organization
-- must not have a name by which another one is found.

-- name: refuse_organization_known
SELECT 'organization_exists' AS code, 'organization' AS fact, o.slug || ', by its external id' AS value
FROM rescind.organization AS new JOIN rescind.directory AS d ON d.external_id = new.slug AND d.organization <> new.id
JOIN rescind.organization AS o ON o.id = d.organization AND o.slug IS NOT NULL
WHERE new.id = :o AND NOT EXISTS (SELECT 1 FROM rescind.resource AS r WHERE r.organization = :o AND r.id = 0)

-- name: rename_organization
UPDATE rescind.organization SET name = :name, search_name = :search_name WHERE id = :o AND name <> :name

-- name: refuse_organization_in_use
SELECT 'organization_in_use' AS code, 'contents' AS fact,
       (SELECT count(*) FROM rescind.membership WHERE organization = :o) || ' memberships, '
       || (SELECT count(*) FROM rescind."group" WHERE organization = :o AND ended IS NULL) || ' groups, '
       || (SELECT count(*) FROM rescind.resource WHERE organization = :o AND id <> 0) || ' resources, '
       || (SELECT count(*) FROM rescind.role WHERE organization = :o) || ' roles' AS value
WHERE EXISTS (SELECT 1 FROM rescind.membership WHERE organization = :o)
   OR EXISTS (SELECT 1 FROM rescind."group" WHERE organization = :o AND ended IS NULL)
   OR EXISTS (SELECT 1 FROM rescind.resource WHERE organization = :o AND id <> 0)
   OR EXISTS (SELECT 1 FROM rescind.role WHERE organization = :o)

-- name: note_default_role_in_force
SELECT 1 FROM rescind.organization AS o
WHERE o.id = :o AND o.role_mode = 'single' AND o.default_role IS NOT NULL
  AND EXISTS (SELECT 1 FROM rescind.membership AS m WHERE m.organization = o.id)

-- name: delete_all_effective_roles
DELETE FROM rescind.effective_role WHERE organization = :o

-- name: delete_all_pending
DELETE FROM rescind.pending WHERE organization = :o

-- name: delete_all_role_resets
DELETE FROM rescind.role_reset WHERE organization = :o

-- name: delete_all_assignments
DELETE FROM rescind.assignment WHERE organization = :o

-- name: delete_all_group_members
DELETE FROM rescind.group_member WHERE organization = :o

-- name: delete_all_nestings
DELETE FROM rescind.recorded_nesting WHERE organization = :o

-- name: delete_all_groups
DELETE FROM rescind."group" WHERE organization = :o

-- name: delete_all_memberships
DELETE FROM rescind.membership WHERE organization = :o

-- name: delete_all_resources
DELETE FROM rescind.resource WHERE organization = :o

-- name: delete_all_resource_types
DELETE FROM rescind.resource_type WHERE organization = :o

-- name: delete_all_role_permissions
DELETE FROM rescind.role_permission WHERE role IN (SELECT id FROM rescind.role WHERE organization = :o)

-- name: delete_all_roles
DELETE FROM rescind.role WHERE organization = :o

-- name: delete_all_permissions
DELETE FROM rescind.permission WHERE organization = :o

-- name: set_role_mode
UPDATE rescind.organization SET role_mode = :mode, on_loss = :on_loss
WHERE id = :o AND (role_mode <> :mode OR on_loss <> :on_loss)

-- A default role is held on the organization.

-- name: refuse_default_role
SELECT 'role_not_found' AS code, 'role' AS fact, CAST(:role AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.role WHERE slug = :role AND organization IN (0, :o))
UNION ALL
SELECT 'role_not_for_resource', 'role', r.slug || ', which is for resources of the type ' || r.resource_type
FROM rescind.role AS r WHERE r.slug = :role AND r.organization IN (0, :o) AND r.resource_type <> 'organization'
LIMIT 1

-- name: note_default_role_lost
SELECT 1 FROM rescind.organization AS o
WHERE o.id = :o AND o.role_mode = 'single' AND o.default_role IS NOT NULL
  AND (CAST(:role AS TEXT) IS NULL OR o.default_role <> (
      SELECT id FROM rescind.role WHERE slug = :role AND organization IN (0, :o) ORDER BY organization DESC LIMIT 1))

-- name: set_default_role
UPDATE rescind.organization SET default_role = (
    SELECT id FROM rescind.role WHERE slug = :role AND organization IN (0, :o) ORDER BY organization DESC LIMIT 1)
WHERE id = :o AND COALESCE(default_role, -1) <> COALESCE((
    SELECT id FROM rescind.role WHERE slug = :role AND organization IN (0, :o) ORDER BY organization DESC LIMIT 1), -1)

-- --- memberships ------------------------------------------------------------------------------

-- name: refuse_membership_missing
SELECT 'membership_not_found' AS code, 'subject' AS fact, CAST(:subject AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.membership WHERE organization = :o AND subject = :subject)

-- `:added` lists distinct subjects: subject, name, folded id.

-- name: refuse_memberships_differ
SELECT 'membership_exists' AS code, 'subject' AS fact,
       m.subject || CASE WHEN m.active THEN ', named ' || COALESCE(m.name, 'nothing')
                         ELSE ', deactivated: reactivate it' END AS value
FROM rescind.json_items(:added) AS i JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value ->> 0
WHERE NOT m.active OR COALESCE(m.name, '') <> COALESCE(i.value ->> 1, m.name, '')
ORDER BY i.key LIMIT 1

-- name: insert_memberships
INSERT INTO rescind.membership (organization, id, subject, name, active, created_at, folded)
SELECT o.id, o.last_number + rescind.tallied('numbers') + row_number() OVER (ORDER BY i.key), i.value ->> 0, i.value ->> 1,
       TRUE, :now, i.value ->> 2
FROM rescind.organization AS o CROSS JOIN rescind.json_items(:added) AS i
WHERE o.id = :o
  AND (SELECT 1 FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value ->> 0 LIMIT 1) IS NULL

-- name: note_membership_has_access
SELECT 1 FROM rescind.membership AS m JOIN rescind.organization AS o ON o.id = m.organization
WHERE m.organization = :o AND m.subject = :subject AND m.active
  AND ((o.role_mode = 'single' AND o.default_role IS NOT NULL)
       OR EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.organization = m.organization AND a.holder = m.id AND a.ended IS NULL)
       OR (SELECT 1 FROM rescind.group_member AS gm WHERE gm.organization = m.organization AND gm.membership = m.id AND EXISTS (
               WITH RECURSIVE holder (id) AS (
                   SELECT gm."group"
                   UNION
                   SELECT n.parent FROM holder AS h JOIN rescind.nesting AS n ON n.organization = m.organization AND n.child = h.id)
               SELECT 1 FROM holder AS h JOIN rescind.assignment AS a
               ON a.organization = m.organization AND a.holder = h.id AND a.ended IS NULL) LIMIT 1) IS NOT NULL)

-- name: set_membership_active
UPDATE rescind.membership SET active = :active
WHERE organization = :o AND subject = :subject AND active <> :active

-- name: delete_effective_roles_of_membership
DELETE FROM rescind.effective_role WHERE organization = :o
AND membership = (SELECT id FROM rescind.membership WHERE organization = :o AND subject = :subject)

-- name: delete_direct_effective_roles
DELETE FROM rescind.effective_role WHERE organization = :o AND (membership, assignment) IN (
    SELECT a.holder, a.id FROM rescind.membership AS m
    JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = m.id AND a.ended IS NULL
    WHERE m.organization = :o AND m.subject = :subject)

-- name: delete_role_resets_of_membership
DELETE FROM rescind.role_reset WHERE organization = :o
AND membership = (SELECT id FROM rescind.membership WHERE organization = :o AND subject = :subject)

-- name: delete_assignments_of_membership
DELETE FROM rescind.assignment WHERE organization = :o
AND holder = (SELECT id FROM rescind.membership WHERE organization = :o AND subject = :subject) AND ended IS NULL

-- name: delete_group_members_of_membership
DELETE FROM rescind.group_member WHERE organization = :o
AND membership = (SELECT id FROM rescind.membership WHERE organization = :o AND subject = :subject)

-- name: delete_membership
DELETE FROM rescind.membership WHERE organization = :o AND subject = :subject

-- --- groups -----------------------------------------------------------------------------------

-- name: refuse_group_missing
SELECT 'group_not_found' AS code, 'group' AS fact, CAST(:group AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = :o AND slug = :group)

-- name: refuse_group_differs
SELECT 'group_exists' AS code, 'group' AS fact, g.slug AS value
FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :group
AND COALESCE(g.name, '') <> COALESCE(:name, g.name, '')

-- name: insert_group
INSERT INTO rescind."group" (organization, id, slug, name, folded, search_name)
SELECT o.id, -(o.last_number + rescind.tallied('numbers') + 1), :group, :name, :folded, :search_name
FROM rescind.organization AS o WHERE o.id = :o
ON CONFLICT (organization, slug) DO NOTHING

-- name: rename_group
UPDATE rescind."group" SET name = :name, search_name = :search_name
WHERE organization = :o AND slug = :group AND COALESCE(name, '') <> :name

-- name: refuse_group_in_use
SELECT 'group_in_use' AS code, 'used_by' AS fact,
       u.members || ' members, ' || u.nested || ' nested groups, ' || u.around || ' groups around it, '
       || u.assignments || ' assignments' AS value
FROM (
    SELECT (SELECT count(*) FROM rescind.group_member AS gm WHERE gm.organization = :o AND gm."group" = g.id AND @changes.member_in_force) AS members,
           (SELECT count(*) FROM rescind.nesting AS x WHERE x.organization = :o AND x.parent = g.id) AS nested,
           (SELECT count(*) FROM rescind.nesting AS x WHERE x.organization = :o AND x.child = g.id) AS around,
           (SELECT count(*) FROM rescind.assignment AS a WHERE a.organization = :o AND a.holder = g.id AND @changes.in_force) AS assignments
    FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :group) AS u
WHERE u.members + u.nested + u.around + u.assignments > 0

-- Two statements, because each side has its own index.

-- name: end_nestings_of_group
UPDATE rescind.recorded_nesting SET ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o)
WHERE organization = :o AND ended IS NULL AND child = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)

-- name: end_nestings_into_group
UPDATE rescind.recorded_nesting SET ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o)
WHERE organization = :o AND ended IS NULL AND parent = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)

-- name: delete_members_of_group
DELETE FROM rescind.group_member WHERE organization = :o
AND "group" = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o AND p."group" = rescind.group_member."group")

-- Removed nestings and groups are kept while work is pending that is as old as their removal.

-- name: delete_ended_nestings
DELETE FROM rescind.recorded_nesting WHERE organization = :o AND ended IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o AND p.since <= rescind.recorded_nesting.ended)

-- name: delete_ended_groups
DELETE FROM rescind."group" WHERE organization = :o AND ended IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o AND p."group" = rescind."group".id)
AND NOT EXISTS (SELECT 1 FROM rescind.group_member AS gm WHERE gm.organization = :o AND gm."group" = rescind."group".id)
AND NOT EXISTS (SELECT 1 FROM rescind.recorded_nesting AS n WHERE n.organization = :o AND n.child = rescind."group".id)
AND NOT EXISTS (SELECT 1 FROM rescind.recorded_nesting AS n WHERE n.organization = :o AND n.parent = rescind."group".id)
AND NOT EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.organization = :o AND a.holder = rescind."group".id AND a.ended IS NOT NULL)

-- name: bury_group
UPDATE rescind."group" SET slug = :buried || CAST(-id AS TEXT), folded = NULL, ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o)
WHERE organization = :o AND slug = :group

-- name: refuse_members_missing
SELECT 'group_not_found' AS code, 'group' AS fact, CAST(:group AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = :o AND slug = :group)
UNION ALL
SELECT 'membership_not_found', 'subject', i.value FROM rescind.json_texts(:members) AS i
WHERE NOT EXISTS (SELECT 1 FROM rescind.membership WHERE organization = :o AND subject = i.value)

-- name: shorten_group_members
UPDATE rescind.group_member SET expires_at = :expires_at
WHERE organization = :o AND "group" = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)
  AND membership IN (SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value)
                     FROM rescind.json_texts(:members) AS i)
  AND :expires_at < COALESCE(expires_at, 9223372036854775807)

-- name: put_group_members
INSERT INTO rescind.group_member (organization, membership, "group", expires_at, made)
SELECT :o, l.membership, g.id, CAST(:expires_at AS BIGINT), (SELECT revision + 1 FROM rescind.organization WHERE id = :o)
FROM rescind."group" AS g CROSS JOIN (
    SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value) AS membership
    FROM rescind.json_texts(:members) AS i) AS l
WHERE g.organization = :o AND g.slug = :group AND l.membership IS NOT NULL
ON CONFLICT (organization, membership, "group") DO UPDATE SET expires_at = excluded.expires_at,
    made = CASE WHEN rescind.group_member.expires_at <= :now THEN excluded.made ELSE rescind.group_member.made END
WHERE COALESCE(rescind.group_member.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- name: delete_group_members
DELETE FROM rescind.group_member
WHERE organization = :o AND "group" = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)
  AND membership IN (SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value)
                     FROM rescind.json_texts(:members) AS i)

-- name: delete_other_group_members
DELETE FROM rescind.group_member
WHERE organization = :o AND "group" = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)
  AND membership NOT IN (SELECT m.id FROM rescind.json_texts(:members) AS i
                         JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value)

-- name: put_missing_group_members
INSERT INTO rescind.group_member (organization, membership, "group", expires_at, made)
SELECT :o, (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value),
       (SELECT g.id FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :group), CAST(NULL AS BIGINT),
       (SELECT revision + 1 FROM rescind.organization WHERE id = :o)
FROM rescind.json_texts(:members) AS i WHERE TRUE
ON CONFLICT (organization, membership, "group") DO UPDATE SET expires_at = NULL, made = excluded.made
WHERE rescind.group_member.expires_at <= :now

-- name: refuse_nesting
WITH RECURSIVE upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = :o AND slug = :parent
    UNION
    SELECT n.parent FROM upward AS u JOIN rescind.nesting AS n ON n.organization = :o AND n.child = u.id)
SELECT 'group_not_found' AS code, 'group' AS fact, CAST(:child AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = :o AND slug = :child)
UNION ALL
SELECT 'group_not_found', 'group', CAST(:parent AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = :o AND slug = :parent)
UNION ALL
SELECT 'nesting_cycle', 'nesting', CAST(:child AS TEXT) || ' into ' || CAST(:parent AS TEXT)
FROM upward AS u JOIN rescind."group" AS g ON g.organization = :o AND g.id = u.id AND g.slug = :child
LIMIT 1

-- name: insert_nesting
INSERT INTO rescind.recorded_nesting (organization, child, parent, made)
SELECT c.organization, c.id, p.id, (SELECT revision + 1 FROM rescind.organization WHERE id = :o) FROM rescind."group" AS c JOIN rescind."group" AS p ON p.organization = :o AND p.slug = :parent
WHERE c.organization = :o AND c.slug = :child
ON CONFLICT (organization, child, parent) DO UPDATE SET ended = NULL, made = excluded.made
WHERE rescind.recorded_nesting.ended IS NOT NULL

-- name: end_nesting
UPDATE rescind.recorded_nesting SET ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o)
WHERE organization = :o AND ended IS NULL
  AND child = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :child)
  AND parent = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :parent)

-- --- permissions ------------------------------------------------------------------------------

-- A name is defined either for all organizations or in some of them. Whoever defines it for all is told which ones have
-- it.

-- name: refuse_permission_missing
SELECT 'permission_not_found' AS code, 'permission' AS fact, CAST(:permission AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.permission WHERE slug = :permission AND organization = :o)

-- name: refuse_permission_elsewhere
SELECT 'permission_not_found' AS code, 'permission' AS fact, CAST(:permission AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.permission WHERE slug = :permission AND organization = :o)
  AND EXISTS (SELECT 1 FROM rescind.permission WHERE slug = :permission AND organization = 0)

-- name: refuse_permission_differs
SELECT 'permission_exists' AS code, 'permission' AS fact, p.slug || CASE WHEN p.organization = :o THEN ''
       WHEN p.organization = 0 THEN ', for all organizations'
       ELSE ', in the organization ' || o.slug || COALESCE((
           SELECT ' and ' || (count(*) - 1) || ' more' FROM rescind.permission AS x
           WHERE x.slug = :permission AND x.organization <> 0 HAVING count(*) > 1), '') END AS value
FROM rescind.permission AS p JOIN rescind.organization AS o ON o.id = p.organization WHERE p.slug = :permission
AND CASE WHEN p.organization = :o THEN p.critical <> :critical OR p.description <> :description
         ELSE p.organization = 0 OR :o = 0 END
LIMIT 1

-- name: insert_permission
INSERT INTO rescind.permission (organization, slug, description, critical)
SELECT o.id, :permission, :description, :critical FROM rescind.organization AS o WHERE o.id = :o
ON CONFLICT (slug, organization) DO NOTHING

-- name: set_permission_critical
UPDATE rescind.permission SET critical = :critical WHERE slug = :permission AND organization = :o AND critical <> :critical

-- name: set_permission_description
UPDATE rescind.permission SET description = :description
WHERE slug = :permission AND organization = :o AND description <> :description

-- name: refuse_permission_in_use
SELECT 'permission_in_use' AS code, 'roles' AS fact, CAST(count(*) AS TEXT) || ', such as ' || min(r.slug) AS value
FROM rescind.permission AS p JOIN rescind.role_permission AS rp ON rp.permission = p.id JOIN rescind.role AS r ON r.id = rp.role
WHERE p.slug = :permission AND p.organization = :o
HAVING count(*) > 0

-- name: note_permission_in_force
SELECT 1 FROM rescind.permission AS p JOIN rescind.role_permission AS rp ON rp.permission = p.id
WHERE p.slug = :permission AND p.organization = :o
  AND (EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.role = rp.role AND a.ended IS NULL)
       OR EXISTS (SELECT 1 FROM rescind.organization AS o WHERE o.default_role = rp.role))
LIMIT 1

-- name: delete_permission_from_roles
DELETE FROM rescind.role_permission
WHERE permission = (SELECT id FROM rescind.permission WHERE slug = :permission AND organization = :o)

-- name: delete_permission
DELETE FROM rescind.permission WHERE slug = :permission AND organization = :o

-- --- roles ------------------------------------------------------------------------------------

-- name: refuse_permissions_missing
SELECT 'permission_not_found' AS code, 'permission' AS fact, i.value AS value FROM rescind.json_texts(:permissions) AS i
WHERE NOT EXISTS (SELECT 1 FROM rescind.permission AS p WHERE p.slug = i.value AND p.organization IN (0, :o))

-- name: refuse_role_differs
SELECT 'role_exists' AS code, 'role' AS fact, r.slug || CASE WHEN r.organization = :o THEN ''
       WHEN r.organization = 0 THEN ', for all organizations'
       ELSE ', in the organization ' || o.slug || COALESCE((
           SELECT ' and ' || (count(*) - 1) || ' more' FROM rescind.role AS x
           WHERE x.slug = :role AND x.organization <> 0 HAVING count(*) > 1), '') END AS value
FROM rescind.role AS r JOIN rescind.organization AS o ON o.id = r.organization WHERE r.slug = :role
AND CASE WHEN r.organization = :o
    THEN r.priority <> :priority OR r.critical <> :critical OR r.required <> :required OR COALESCE(r.name, '') <> COALESCE(:name, r.name, '')
         OR COALESCE(r.resource_type, '') <> COALESCE(:resource_type, r.resource_type, '')
         OR EXISTS (SELECT 1 FROM rescind.role_permission AS rp JOIN rescind.permission AS p ON p.id = rp.permission
                    WHERE rp.role = r.id AND p.slug NOT IN (SELECT i.value FROM rescind.json_texts(:permissions) AS i))
         OR EXISTS (SELECT 1 FROM rescind.json_texts(:permissions) AS i WHERE i.value NOT IN (
                    SELECT p.slug FROM rescind.role_permission AS rp JOIN rescind.permission AS p ON p.id = rp.permission
                    WHERE rp.role = r.id))
    ELSE r.organization = 0 OR :o = 0 END
LIMIT 1

-- name: insert_role
INSERT INTO rescind.role (organization, slug, name, priority, critical, required, resource_type)
SELECT o.id, :role, :name, :priority, :critical, :required, :resource_type FROM rescind.organization AS o WHERE o.id = :o
ON CONFLICT (slug, organization) DO NOTHING

-- name: refuse_own_role_missing
SELECT 'role_not_found' AS code, 'role' AS fact, CAST(:role AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.role WHERE slug = :role AND organization = :o)

-- name: refuse_role_elsewhere
SELECT 'role_not_found' AS code, 'role' AS fact, CAST(:role AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.role WHERE slug = :role AND organization = :o)
  AND EXISTS (SELECT 1 FROM rescind.role WHERE slug = :role AND organization = 0)

-- name: note_role_permissions_lost
SELECT 1 FROM rescind.role AS r JOIN rescind.role_permission AS rp ON rp.role = r.id JOIN rescind.permission AS p ON p.id = rp.permission
WHERE r.slug = :role AND r.organization = :o
  AND (EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.role = r.id AND a.ended IS NULL)
       OR EXISTS (SELECT 1 FROM rescind.organization AS o WHERE o.default_role = r.id))
  AND (p.slug IN (SELECT i.value FROM rescind.json_texts(:permissions) AS i)) = :listed
LIMIT 1

-- name: delete_role_permissions
DELETE FROM rescind.role_permission
WHERE role = (SELECT id FROM rescind.role WHERE slug = :role AND organization = :o)
  AND permission IN (SELECT p.id FROM rescind.permission AS p
                     WHERE p.slug IN (SELECT i.value FROM rescind.json_texts(:permissions) AS i))

-- name: delete_other_role_permissions
DELETE FROM rescind.role_permission
WHERE role = (SELECT id FROM rescind.role WHERE slug = :role AND organization = :o)
  AND permission NOT IN (SELECT p.id FROM rescind.permission AS p
                         WHERE p.slug IN (SELECT i.value FROM rescind.json_texts(:permissions) AS i))

-- name: put_role_permissions
INSERT INTO rescind.role_permission (role, permission)
SELECT r.id, min(p.id) FROM rescind.role AS r CROSS JOIN rescind.json_texts(:permissions) AS i
JOIN rescind.permission AS p ON p.slug = i.value AND p.organization IN (0, :o)
WHERE r.slug = :role AND r.organization = :o
GROUP BY r.id, p.slug
ON CONFLICT (role, permission) DO NOTHING

-- A role of one organization is used in that organization only.

-- name: note_role_ranks
SELECT 1 FROM rescind.role AS r
WHERE r.slug = :role AND r.organization = :o AND r.priority <> :priority
  AND (:o = 0 OR (SELECT o.role_mode FROM rescind.organization AS o WHERE o.id = :o) = 'single')
  AND (SELECT 1 FROM rescind.assignment AS a
       WHERE a.role = r.id AND a.ended IS NULL AND a.id + 0 < 0     -- by the role, not by the sign
         AND (SELECT o.role_mode FROM rescind.organization AS o WHERE o.id = a.organization) = 'single' LIMIT 1) IS NOT NULL

-- name: set_role_priority
UPDATE rescind.role SET priority = :priority WHERE slug = :role AND organization = :o AND priority <> :priority

-- name: set_role_critical
UPDATE rescind.role SET critical = :critical WHERE slug = :role AND organization = :o AND critical <> :critical

-- name: set_role_required
UPDATE rescind.role SET required = :required WHERE slug = :role AND organization = :o AND required <> :required

-- name: set_role_name
UPDATE rescind.role SET name = :name WHERE slug = :role AND organization = :o AND COALESCE(name, '') <> :name

-- The first few holders of a role, shown after a bar.

-- fragment: uses_of_role
SELECT COALESCE(m.subject, 'group:' || g.slug) || ' on ' || x.slug
        || CASE WHEN :o = 0 THEN ' of ' || o.slug ELSE '' END
 FROM rescind.assignment AS a JOIN rescind.organization AS o ON o.id = a.organization
 JOIN rescind.resource AS x ON x.organization = a.organization AND x.id = a.resource
 LEFT JOIN rescind.membership AS m ON m.organization = a.organization AND m.id = a.holder
 LEFT JOIN rescind."group" AS g ON g.organization = a.organization AND g.id = a.holder
 WHERE a.role = u.id AND @changes.in_force
 ORDER BY a.organization, a.id

-- name: refuse_role_in_use
SELECT 'role_in_use' AS code, 'used_by' AS fact,
       u.assignments || ' assignments, default role of ' || u.organizations || ' organizations'
       || COALESCE(' | ' || (@changes.uses_of_role LIMIT 1), '')
       || COALESCE(', ' || (@changes.uses_of_role LIMIT 1 OFFSET 1), '')
       || COALESCE(', ' || (@changes.uses_of_role LIMIT 1 OFFSET 2), '') AS value
FROM (
    SELECT (SELECT count(*) FROM rescind.assignment AS a WHERE a.role = r.id AND @changes.in_force) AS assignments,
           (SELECT count(*) FROM rescind.organization AS o WHERE o.default_role = r.id) AS organizations, r.id
    FROM rescind.role AS r WHERE r.slug = :role AND r.organization = :o) AS u
WHERE u.assignments + u.organizations > 0

-- name: list_organizations_using_role
SELECT DISTINCT u.organization, o.slug AS name, o.role_mode,
EXISTS (SELECT 1 FROM rescind.role AS q WHERE q.organization IN (0, o.id) AND q.required)
AS has_required FROM (
    SELECT a.organization FROM rescind.role AS r JOIN rescind.assignment AS a ON a.role = r.id AND a.ended IS NULL
    WHERE r.slug = :role AND r.organization = 0
    UNION SELECT d.id FROM rescind.role AS r JOIN rescind.organization AS d ON d.default_role = r.id
    WHERE r.slug = :role AND r.organization = 0) AS u
JOIN rescind.organization AS o ON o.id = u.organization AND o.slug IS NOT NULL
ORDER BY u.organization

-- name: note_taken_elsewhere
SELECT 1

-- name: note_pended_elsewhere
SELECT 1 FROM rescind.organization AS env JOIN rescind.change AS c ON c.caused_by = env.revision + 1
WHERE env.id = 0 AND c.settled_at IS NULL LIMIT 1

-- name: end_assignments_of_role
UPDATE rescind.assignment SET ended = -(SELECT revision + 1 FROM rescind.organization WHERE id = :o)
WHERE organization = :o AND ended IS NULL
  AND role = (SELECT id FROM rescind.role WHERE slug = :role AND organization = :owner)

-- name: end_expired_assignments_of_role
UPDATE rescind.assignment SET ended = -(SELECT revision + 1 FROM rescind.organization WHERE id = :o)
WHERE organization = :o AND ended IS NULL AND expires_at <= :now
  AND role = (SELECT id FROM rescind.role WHERE slug = :role AND organization = :owner)

-- name: note_is_default_role
SELECT 1 FROM rescind.organization AS o
WHERE o.id = :o AND o.role_mode = 'single'
  AND o.default_role = (SELECT id FROM rescind.role WHERE slug = :role AND organization = :owner)

-- name: unset_default_role
UPDATE rescind.organization SET default_role = NULL
WHERE id = :o AND default_role = (SELECT id FROM rescind.role WHERE slug = :role AND organization = :owner)

-- name: delete_all_permissions_of_role
DELETE FROM rescind.role_permission WHERE role = (SELECT id FROM rescind.role WHERE slug = :role AND organization = :o)

-- name: delete_role
DELETE FROM rescind.role WHERE slug = :role AND organization = :o

-- --- resources --------------------------------------------------------------------------------

-- name: refuse_resource_type_differs
SELECT 'resource_type_exists' AS code, 'type' AS fact, t.slug || CASE WHEN t.organization = :o THEN ''
       WHEN t.organization = 0 THEN ', for all organizations'
       ELSE ', in the organization ' || o.slug || COALESCE((
           SELECT ' and ' || (count(*) - 1) || ' more' FROM rescind.resource_type AS x
           WHERE x.slug = :type AND x.organization <> 0 HAVING count(*) > 1), '') END AS value
FROM rescind.resource_type AS t JOIN rescind.organization AS o ON o.id = t.organization WHERE t.slug = :type
AND CASE WHEN t.organization = :o THEN t.parents <> :parents ELSE t.organization = 0 OR :o = 0 END
LIMIT 1

-- name: refuse_resource_types_missing
SELECT 'resource_type_not_found' AS code, 'type' AS fact, i.value AS value FROM rescind.json_texts(:parents) AS i
WHERE i.value NOT IN ('organization', :type)
  AND NOT EXISTS (SELECT 1 FROM rescind.resource_type AS t WHERE t.slug = i.value AND t.organization IN (0, :o))
LIMIT 1

-- name: insert_resource_type
INSERT INTO rescind.resource_type (organization, slug, parents)
SELECT o.id, :type, :parents FROM rescind.organization AS o WHERE o.id = :o
ON CONFLICT (slug, organization) DO NOTHING

-- name: refuse_resource_type_missing
SELECT 'resource_type_not_found' AS code, 'type' AS fact, CAST(:type AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource_type WHERE slug = :type AND organization = :o)

-- What is defined for all organizations cannot be deleted by one.

-- name: refuse_resource_type_elsewhere
SELECT 'resource_type_not_found' AS code, 'type' AS fact, CAST(:type AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource_type WHERE slug = :type AND organization = :o)
  AND EXISTS (SELECT 1 FROM rescind.resource_type WHERE slug = :type AND organization = 0)

-- name: refuse_resource_type_in_use
SELECT 'resource_type_in_use' AS code, 'resources' AS fact, min(r.slug || ' of ' || o.slug) AS value
FROM rescind.resource AS r JOIN rescind.organization AS o ON o.id = r.organization
WHERE EXISTS (SELECT 1 FROM rescind.resource_type WHERE slug = :type AND organization = :o) AND (:o = 0 OR o.id = :o) AND o.slug IS NOT NULL AND r.slug > CAST(:type AS TEXT) || ':' AND r.slug < CAST(:type AS TEXT) || ';'
HAVING count(*) > 0

-- name: delete_resource_type
DELETE FROM rescind.resource_type WHERE slug = :type AND organization = :o

-- name: refuse_resource_missing
SELECT 'resource_not_found' AS code, 'resource' AS fact, CAST(:resource AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource WHERE organization = :o AND slug = :resource)

-- name: refuse_resource_placing
SELECT 'resource_not_found' AS code, 'resource' AS fact, CAST(:parent AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource WHERE organization = :o AND slug = :parent)
UNION ALL
SELECT 'resource_type_not_found', 'type', CAST(:type AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource_type WHERE slug = :type AND organization IN (0, :o))
UNION ALL
SELECT 'parent_type_refused', 'allowed', t.parents FROM rescind.resource_type AS t
WHERE t.slug = :type AND t.organization IN (0, :o) AND t.parents <> '[]'
  AND NOT EXISTS (SELECT 1 FROM rescind.json_texts(t.parents) AS i WHERE i.value = :parent_type)
LIMIT 1

-- name: refuse_resource_elsewhere
SELECT 'resource_exists' AS code, 'below' AS fact, p.slug AS value
FROM rescind.resource AS r JOIN rescind.resource AS p ON p.organization = :o AND p.id = r.parent
WHERE r.organization = :o AND r.slug = :resource AND p.slug <> :parent

-- name: insert_resource
INSERT INTO rescind.resource (organization, id, slug, parent)
SELECT o.id, o.last_number + rescind.tallied('numbers') + 1, :resource, p.id
FROM rescind.organization AS o JOIN rescind.resource AS p ON p.organization = o.id AND p.slug = :parent WHERE o.id = :o
ON CONFLICT (organization, slug) DO NOTHING

-- COALESCE on the way up: see decisions.scoped_live.

-- name: refuse_resource_cycle
WITH RECURSIVE above (id) AS (
    SELECT id FROM rescind.resource WHERE organization = :o AND slug = :parent
    UNION
    SELECT r.parent FROM above AS a JOIN rescind.resource AS r ON r.organization = :o AND r.id = a.id
    WHERE COALESCE(r.parent, -1) <> -1)
SELECT 'resource_cycle' AS code, 'move' AS fact, CAST(:resource AS TEXT) || ' below ' || CAST(:parent AS TEXT) AS value
FROM above AS a JOIN rescind.resource AS r ON r.organization = :o AND r.id = a.id AND r.slug = :resource

-- name: note_move_loses_access
WITH RECURSIVE old (id) AS (
    SELECT parent FROM rescind.resource WHERE organization = :o AND slug = :resource
    UNION
    SELECT r.parent FROM old JOIN rescind.resource AS r ON r.organization = :o AND r.id = old.id WHERE COALESCE(r.parent, -1) <> -1),
new (id) AS (
    SELECT id FROM rescind.resource WHERE organization = :o AND slug = :parent
    UNION
    SELECT r.parent FROM new JOIN rescind.resource AS r ON r.organization = :o AND r.id = new.id WHERE COALESCE(r.parent, -1) <> -1)
SELECT 1 FROM old JOIN rescind.assignment AS a ON a.organization = :o AND a.resource = old.id AND a.ended IS NULL
WHERE old.id NOT IN (SELECT new.id FROM new)
LIMIT 1

-- name: move_resource
UPDATE rescind.resource SET parent = (SELECT id FROM rescind.resource AS p WHERE p.organization = :o AND p.slug = :parent)
WHERE organization = :o AND slug = :resource
  AND parent <> (SELECT id FROM rescind.resource AS p WHERE p.organization = :o AND p.slug = :parent)

-- name: refuse_resource_in_use
SELECT 'resource_in_use' AS code, 'used_by' AS fact,
       (SELECT count(*) FROM rescind.resource AS x WHERE x.organization = :o AND x.parent = r.id) || ' resources below it, '
       || (SELECT count(*) FROM rescind.assignment AS a WHERE a.organization = :o AND a.resource = r.id AND @changes.in_force) || ' assignments' AS value
FROM rescind.resource AS r WHERE r.organization = :o AND r.slug = :resource
AND (EXISTS (SELECT 1 FROM rescind.resource AS x WHERE x.organization = :o AND x.parent = r.id)
     OR EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.organization = :o AND a.resource = r.id AND @changes.in_force
))

-- fragment: subtree
subtree (id) AS (
    SELECT id FROM rescind.resource WHERE organization = :o AND slug = :resource
    UNION
    SELECT r.id FROM subtree AS s JOIN rescind.resource AS r ON r.organization = :o AND r.parent = s.id)

-- name: note_resource_has_holders
WITH RECURSIVE
@changes.subtree,
above (id) AS (
    SELECT id FROM rescind.resource WHERE organization = :o AND slug = :resource
    UNION
    SELECT r.parent FROM above JOIN rescind.resource AS r ON r.organization = :o AND r.id = above.id WHERE COALESCE(r.parent, -1) <> -1)
SELECT 1 FROM rescind.organization AS o
WHERE o.id = :o AND EXISTS (SELECT 1 FROM subtree) AND ((o.role_mode = 'single' AND o.default_role IS NOT NULL)
    OR EXISTS (SELECT 1 FROM above JOIN rescind.assignment AS a ON a.organization = :o AND a.resource = above.id AND a.ended IS NULL)
    OR EXISTS (SELECT 1 FROM subtree JOIN rescind.assignment AS a ON a.organization = :o AND a.resource = subtree.id AND a.ended IS NULL))

-- name: end_assignments_in_subtree
WITH RECURSIVE
@changes.subtree
UPDATE rescind.assignment SET ended = -(SELECT revision + 1 FROM rescind.organization WHERE id = :o)
WHERE organization = :o AND ended IS NULL AND resource IN (SELECT id FROM subtree)

-- name: delete_resources_in_subtree
WITH RECURSIVE
@changes.subtree
DELETE FROM rescind.resource WHERE organization = :o AND id IN (SELECT id FROM subtree)

-- --- assignments ------------------------------------------------------------------------------

-- fragment: given
given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = :o),
                    (SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
           (SELECT r.id FROM rescind.resource AS r WHERE r.organization = :o AND r.slug = i.value ->> 'on'),
           CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM rescind.json_items(:given) AS i),
holder (id) AS (            -- asked for as one value: a join would go through all who hold the role on the resource
    SELECT id FROM rescind.membership WHERE organization = :o AND subject = :subject
    UNION ALL
    SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)

-- fragment: assignments_unknown
SELECT 'membership_not_found' AS code, 'subject' AS fact, CAST(:subject AS TEXT) AS value
WHERE CAST(:subject AS TEXT) IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM rescind.membership WHERE organization = :o AND subject = :subject)
UNION ALL
SELECT 'group_not_found', 'group', CAST(:group AS TEXT)
WHERE CAST(:group AS TEXT) IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = :o AND slug = :group)
UNION ALL
SELECT 'role_not_found', 'role', i.value ->> 'role' FROM rescind.json_items(:given) AS i
WHERE NOT EXISTS (SELECT 1 FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization IN (0, :o))
UNION ALL
SELECT 'resource_not_found', 'resource', i.value ->> 'on' FROM rescind.json_items(:given) AS i
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource AS r WHERE r.organization = :o AND r.slug = i.value ->> 'on')

-- name: refuse_assignments
@changes.assignments_unknown

-- A role can only be given on resources of its type; it can be taken back anywhere.

-- name: refuse_given
@changes.assignments_unknown
UNION ALL
SELECT 'role_not_for_resource', 'role', r.slug || ', which is for resources of the type ' || r.resource_type
FROM rescind.json_items(:given) AS i JOIN rescind.role AS r ON r.slug = i.value ->> 'role' AND r.organization IN (0, :o)
WHERE r.resource_type IS NOT NULL AND i.value ->> 'on' <> r.resource_type
  AND substr(i.value ->> 'on', 1, length(r.resource_type) + 1) <> r.resource_type || ':'
LIMIT 1

-- name: shorten_assignments
WITH
@changes.given,
chosen (id, expires_at, until) AS (
    SELECT a.id, a.expires_at, g.expires_at FROM given AS g
    JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = (SELECT h.id FROM holder AS h)
         AND a.resource = g.resource AND a.role = g.role AND a.ended IS NULL)
UPDATE rescind.assignment SET expires_at = (SELECT c.until FROM chosen AS c WHERE c.id = rescind.assignment.id)
WHERE organization = :o AND id IN (
    SELECT c.id FROM chosen AS c
    WHERE COALESCE(c.until, 9223372036854775807) < COALESCE(c.expires_at, 9223372036854775807))

-- name: lengthen_assignments
WITH
@changes.given,
chosen (id, expires_at, until) AS (
    SELECT a.id, a.expires_at, g.expires_at FROM given AS g
    JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = (SELECT h.id FROM holder AS h)
         AND a.resource = g.resource AND a.role = g.role AND a.ended IS NULL)
UPDATE rescind.assignment SET expires_at = (SELECT c.until FROM chosen AS c WHERE c.id = rescind.assignment.id)
WHERE organization = :o AND id IN (
    SELECT c.id FROM chosen AS c
    WHERE COALESCE(c.until, 9223372036854775807) > COALESCE(c.expires_at, 9223372036854775807))

-- name: insert_assignments
WITH
@changes.given
INSERT INTO rescind.assignment (organization, id, holder, role, resource, expires_at, made)
SELECT o.id,
       (o.last_number + rescind.tallied('numbers') + row_number() OVER (ORDER BY g.resource, g.role))
       * CASE WHEN g.resource = 0 THEN -1 ELSE 1 END,
       h.id, g.role, g.resource, g.expires_at, o.revision + 1
FROM rescind.organization AS o CROSS JOIN holder AS h CROSS JOIN given AS g
WHERE o.id = :o AND NOT EXISTS (
    SELECT 1 FROM rescind.assignment AS a
    WHERE a.organization = :o AND a.holder = (SELECT x.id FROM holder AS x) AND a.resource = g.resource AND a.role = g.role
      AND a.ended IS NULL)

-- One role of one holder, where all roles count: its tombstone is made at once. Later steps find what this change
-- ended by its revision. That may include more than this step's rows; those are handled again, which does no harm.

-- name: end_role_of_group
UPDATE rescind.assignment SET ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o), role = NULL, resource = NULL
WHERE organization = :o AND ended IS NULL
  AND resource = (SELECT x.id FROM rescind.resource AS x WHERE x.organization = :o AND x.slug = :on) AND role =
COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = :role AND r.organization = :o),
         (SELECT r.id FROM rescind.role AS r WHERE r.slug = :role AND r.organization = 0))
AND holder =
(SELECT g.id FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :group)

-- name: end_role_of_subject
UPDATE rescind.assignment SET ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o), role = NULL, resource = NULL
WHERE organization = :o AND ended IS NULL
  AND resource = (SELECT x.id FROM rescind.resource AS x WHERE x.organization = :o AND x.slug = :on) AND role =
COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = :role AND r.organization = :o),
         (SELECT r.id FROM rescind.role AS r WHERE r.slug = :role AND r.organization = 0))
AND holder =
(SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = :subject)

-- name: refuse_role_of_group
SELECT 'group_not_found' AS code, 'group' AS fact, CAST(:group AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = :o AND slug = :group)
UNION ALL
SELECT 'role_not_found', 'role', CAST(:role AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.role WHERE slug = :role AND organization IN (0, :o))
UNION ALL
SELECT 'resource_not_found', 'resource', CAST(:on AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource WHERE organization = :o AND slug = :on)

-- name: refuse_role_of_subject
SELECT 'membership_not_found' AS code, 'subject' AS fact, CAST(:subject AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.membership WHERE organization = :o AND subject = :subject)
UNION ALL
SELECT 'role_not_found', 'role', CAST(:role AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.role WHERE slug = :role AND organization IN (0, :o))
UNION ALL
SELECT 'resource_not_found', 'resource', CAST(:on AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource WHERE organization = :o AND slug = :on)

-- name: end_other_assignments
WITH
@changes.given
UPDATE rescind.assignment AS a SET ended = -(SELECT revision + 1 FROM rescind.organization WHERE id = :o)
WHERE a.organization = :o AND a.ended IS NULL
  AND a.holder = (SELECT h.id FROM holder AS h)
  AND NOT EXISTS (SELECT 1 FROM given AS g WHERE g.resource = a.resource AND g.role = a.role)

-- name: end_assignments_of_group
UPDATE rescind.assignment SET ended = -(SELECT revision + 1 FROM rescind.organization WHERE id = :o)
WHERE organization = :o AND holder = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)
  AND ended IS NULL

-- Assignments that were taken back: deleted, or kept while work is pending.

-- name: delete_ended_assignments
DELETE FROM rescind.assignment WHERE organization = :o AND ended < 0
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o)

-- name: delete_ended_of_group
DELETE FROM rescind.assignment WHERE organization = :o AND ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o)
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o) AND holder =
(SELECT g.id FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :group)

-- name: delete_ended_of_subject
DELETE FROM rescind.assignment WHERE organization = :o AND ended = (SELECT revision + 1 FROM rescind.organization WHERE id = :o)
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o) AND holder =
(SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = :subject)

-- name: bury_ended_assignments
UPDATE rescind.assignment SET ended = -ended, role = NULL, resource = NULL WHERE organization = :o AND ended < 0
