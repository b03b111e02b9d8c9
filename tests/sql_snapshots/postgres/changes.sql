-- bury_ended_assignments
UPDATE rescind.assignment SET ended = -ended, role = NULL, resource = NULL WHERE organization = %(o)s AND ended < 0

-- bury_group
UPDATE rescind."group" SET slug = %(buried)s || CAST(-id AS TEXT), folded = NULL, ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
WHERE organization = %(o)s AND slug = %(group)s

-- claim_key
INSERT INTO rescind.idempotency (organization, key, digest, revision, recorded_at)
SELECT %(o)s, %(key)s, %(digest)s, o.revision + 1, %(now)s FROM rescind.organization AS o WHERE o.id = %(o)s

-- confirm_keyed_outcome
UPDATE rescind.idempotency SET digest = digest WHERE organization = %(o)s AND key = %(key)s RETURNING 1 AS confirmed

-- delete_all_assignments
DELETE FROM rescind.assignment WHERE organization = %(o)s

-- delete_all_effective_roles
DELETE FROM rescind.effective_role WHERE organization = %(o)s

-- delete_all_group_members
DELETE FROM rescind.group_member WHERE organization = %(o)s

-- delete_all_groups
DELETE FROM rescind."group" WHERE organization = %(o)s

-- delete_all_memberships
DELETE FROM rescind.membership WHERE organization = %(o)s

-- delete_all_nestings
DELETE FROM rescind.recorded_nesting WHERE organization = %(o)s

-- delete_all_pending
DELETE FROM rescind.pending WHERE organization = %(o)s

-- delete_all_permissions
DELETE FROM rescind.permission WHERE organization = %(o)s

-- delete_all_permissions_of_role
DELETE FROM rescind.role_permission WHERE role = (SELECT id FROM rescind.role WHERE slug = %(role)s AND organization = %(o)s)

-- delete_all_resource_types
DELETE FROM rescind.resource_type WHERE organization = %(o)s

-- delete_all_resources
DELETE FROM rescind.resource WHERE organization = %(o)s

-- delete_all_role_permissions
DELETE FROM rescind.role_permission WHERE role IN (SELECT id FROM rescind.role WHERE organization = %(o)s)

-- delete_all_role_resets
DELETE FROM rescind.role_reset WHERE organization = %(o)s

-- delete_all_roles
DELETE FROM rescind.role WHERE organization = %(o)s

-- delete_assignments_of_membership
DELETE FROM rescind.assignment WHERE organization = %(o)s
AND holder = (SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s) AND ended IS NULL

-- delete_direct_effective_roles
DELETE FROM rescind.effective_role WHERE organization = %(o)s AND (membership, assignment) IN (
    SELECT a.holder, a.id FROM rescind.membership AS m
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = m.id AND a.ended IS NULL OFFSET 0) AS a
    WHERE m.organization = %(o)s AND m.subject = %(subject)s)

-- delete_effective_roles_of_membership
DELETE FROM rescind.effective_role WHERE organization = %(o)s
AND membership = (SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s)

-- delete_ended_assignments
DELETE FROM rescind.assignment WHERE organization = %(o)s AND ended < 0
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s)

-- delete_ended_groups
DELETE FROM rescind."group" WHERE organization = %(o)s AND ended IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s AND p."group" = rescind."group".id)
AND NOT EXISTS (SELECT 1 FROM rescind.group_member AS gm WHERE gm.organization = %(o)s AND gm."group" = rescind."group".id)
AND NOT EXISTS (SELECT 1 FROM rescind.recorded_nesting AS n WHERE n.organization = %(o)s AND n.child = rescind."group".id)
AND NOT EXISTS (SELECT 1 FROM rescind.recorded_nesting AS n WHERE n.organization = %(o)s AND n.parent = rescind."group".id)
AND NOT EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.holder = rescind."group".id AND a.ended IS NOT NULL)

-- delete_ended_nestings
DELETE FROM rescind.recorded_nesting WHERE organization = %(o)s AND ended IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s AND p.since <= rescind.recorded_nesting.ended)

-- delete_ended_of_group
DELETE FROM rescind.assignment WHERE organization = %(o)s AND ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AND holder =
    (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s)

-- delete_ended_of_subject
DELETE FROM rescind.assignment WHERE organization = %(o)s AND ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s) AND holder =
    (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = %(subject)s)

-- delete_group_members_of_membership
DELETE FROM rescind.group_member WHERE organization = %(o)s
AND membership = (SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s)

-- delete_members_of_group
DELETE FROM rescind.group_member WHERE organization = %(o)s
AND "group" = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
AND NOT EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = %(o)s AND p."group" = rescind.group_member."group")

-- delete_membership
DELETE FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s

-- delete_other_group_members
DELETE FROM rescind.group_member
WHERE organization = %(o)s AND "group" = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
AND membership NOT IN (SELECT m.id FROM rescind.json_texts(%(members)s) AS i
    CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
        WHERE m.organization = %(o)s AND m.subject = i.value OFFSET 0) AS m)

-- delete_other_role_permissions
DELETE FROM rescind.role_permission
WHERE role = (SELECT id FROM rescind.role WHERE slug = %(role)s AND organization = %(o)s)
AND permission NOT IN (SELECT p.id FROM rescind.permission AS p
    WHERE p.slug IN (SELECT i.value FROM rescind.json_texts(%(permissions)s) AS i))

-- delete_permission
DELETE FROM rescind.permission WHERE slug = %(permission)s AND organization = %(o)s

-- delete_permission_from_roles
DELETE FROM rescind.role_permission
WHERE permission = (SELECT id FROM rescind.permission WHERE slug = %(permission)s AND organization = %(o)s)

-- delete_resource_type
DELETE FROM rescind.resource_type WHERE slug = %(type)s AND organization = %(o)s

-- delete_resources_in_subtree
WITH RECURSIVE
    subtree (id) AS (
    SELECT id FROM rescind.resource WHERE organization = %(o)s AND slug = %(resource)s
    UNION
    SELECT r.id FROM subtree AS s CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
        WHERE r.organization = %(o)s AND r.parent = s.id OFFSET 0) AS r)
DELETE FROM rescind.resource WHERE organization = %(o)s AND id IN (SELECT id FROM subtree)

-- delete_role
DELETE FROM rescind.role WHERE slug = %(role)s AND organization = %(o)s

-- delete_role_permissions
DELETE FROM rescind.role_permission
WHERE role = (SELECT id FROM rescind.role WHERE slug = %(role)s AND organization = %(o)s)
AND permission IN (SELECT p.id FROM rescind.permission AS p
    WHERE p.slug IN (SELECT i.value FROM rescind.json_texts(%(permissions)s) AS i))

-- delete_role_resets_of_membership
DELETE FROM rescind.role_reset WHERE organization = %(o)s
AND membership = (SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s)

-- end_assignments_in_subtree
WITH RECURSIVE
    subtree (id) AS (
    SELECT id FROM rescind.resource WHERE organization = %(o)s AND slug = %(resource)s
    UNION
    SELECT r.id FROM subtree AS s CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
        WHERE r.organization = %(o)s AND r.parent = s.id OFFSET 0) AS r)
UPDATE rescind.assignment SET ended = -(SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
WHERE organization = %(o)s AND ended IS NULL AND resource IN (SELECT id FROM subtree)

-- end_assignments_of_group
UPDATE rescind.assignment SET ended = -(SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
WHERE organization = %(o)s AND holder = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
AND ended IS NULL

-- end_assignments_of_role
UPDATE rescind.assignment SET ended = -(SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
WHERE organization = %(o)s AND ended IS NULL
AND role = (SELECT id FROM rescind.role WHERE slug = %(role)s AND organization = %(owner)s)

-- end_expired_assignments_of_role
UPDATE rescind.assignment SET ended = -(SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
WHERE organization = %(o)s AND ended IS NULL AND expires_at <= %(now)s
AND role = (SELECT id FROM rescind.role WHERE slug = %(role)s AND organization = %(owner)s)

-- end_nesting
UPDATE rescind.recorded_nesting SET ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
WHERE organization = %(o)s AND ended IS NULL
AND child = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(child)s)
AND parent = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(parent)s)

-- end_nestings_into_group
UPDATE rescind.recorded_nesting SET ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
WHERE organization = %(o)s AND ended IS NULL AND parent = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)

-- end_nestings_of_group
UPDATE rescind.recorded_nesting SET ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
WHERE organization = %(o)s AND ended IS NULL AND child = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)

-- end_other_assignments
WITH
    given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = %(o)s),
            (SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
        (SELECT r.id FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = i.value ->> 'on'),
        CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM rescind.json_items(%(given)s) AS i),
    holder (id) AS (
    SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s
    UNION ALL
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
UPDATE rescind.assignment AS a SET ended = -(SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
WHERE a.organization = %(o)s AND a.ended IS NULL
AND a.holder = (SELECT h.id FROM holder AS h)
AND NOT EXISTS (SELECT 1 FROM given AS g WHERE g.resource = a.resource AND g.role = a.role)

-- end_role_of_group
UPDATE rescind.assignment SET ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s), role = NULL, resource = NULL
WHERE organization = %(o)s AND ended IS NULL
AND resource = (SELECT x.id FROM rescind.resource AS x WHERE x.organization = %(o)s AND x.slug = %(on)s) AND role =
    COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = %(role)s AND r.organization = %(o)s),
        (SELECT r.id FROM rescind.role AS r WHERE r.slug = %(role)s AND r.organization = 0))
AND holder =
    (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s)

-- end_role_of_subject
UPDATE rescind.assignment SET ended = (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s), role = NULL, resource = NULL
WHERE organization = %(o)s AND ended IS NULL
AND resource = (SELECT x.id FROM rescind.resource AS x WHERE x.organization = %(o)s AND x.slug = %(on)s) AND role =
    COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = %(role)s AND r.organization = %(o)s),
        (SELECT r.id FROM rescind.role AS r WHERE r.slug = %(role)s AND r.organization = 0))
AND holder =
    (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = %(subject)s)

-- find_former_key
SELECT k.organization FROM rescind.organization AS o
CROSS JOIN LATERAL (SELECT * FROM rescind.idempotency AS k
    WHERE k.organization = o.id AND k.key = %(key)s AND k.recorded_at >= %(cutoff)s OFFSET 0) AS k
WHERE o.deleted_as = %(organization)s ORDER BY k.organization DESC LIMIT 1

-- forget_old_keys
DELETE FROM rescind.idempotency WHERE organization = %(o)s AND recorded_at < %(cutoff)s

-- has_former
SELECT o.id AS organization FROM rescind.organization AS o WHERE o.deleted_as = %(organization)s LIMIT 1

-- insert_assignments
WITH
    given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = %(o)s),
            (SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
        (SELECT r.id FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = i.value ->> 'on'),
        CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM rescind.json_items(%(given)s) AS i),
    holder (id) AS (
    SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s
    UNION ALL
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
INSERT INTO rescind.assignment (organization, id, holder, role, resource, expires_at, made)
SELECT o.id,
    (o.last_number + rescind.tallied('numbers') + row_number() OVER (ORDER BY g.resource, g.role))
    * CASE WHEN g.resource = 0 THEN -1 ELSE 1 END,
    h.id, g.role, g.resource, g.expires_at, o.revision + 1
FROM rescind.organization AS o CROSS JOIN holder AS h CROSS JOIN given AS g
WHERE o.id = %(o)s AND NOT EXISTS (
    SELECT 1 FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = (SELECT x.id FROM holder AS x) AND a.resource = g.resource AND a.role = g.role
    AND a.ended IS NULL)

-- insert_group
INSERT INTO rescind."group" (organization, id, slug, name, folded, search_name)
SELECT o.id, -(o.last_number + rescind.tallied('numbers') + 1), %(group)s, %(name)s, %(folded)s, %(search_name)s
FROM rescind.organization AS o WHERE o.id = %(o)s
ON CONFLICT (organization, slug) DO NOTHING

-- insert_memberships
INSERT INTO rescind.membership (organization, id, subject, name, active, created_at, folded)
SELECT o.id, o.last_number + rescind.tallied('numbers') + row_number() OVER (ORDER BY i.key), i.value ->> 0, i.value ->> 1,
    TRUE, %(now)s, i.value ->> 2
FROM rescind.organization AS o CROSS JOIN rescind.json_items(%(added)s) AS i
WHERE o.id = %(o)s
AND (SELECT 1 FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value ->> 0 LIMIT 1) IS NULL

-- insert_nesting
INSERT INTO rescind.recorded_nesting (organization, child, parent, made)
SELECT c.organization, c.id, p.id, (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s) FROM rescind."group" AS c CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS p
    WHERE p.organization = %(o)s AND p.slug = %(parent)s OFFSET 0) AS p
WHERE c.organization = %(o)s AND c.slug = %(child)s
ON CONFLICT (organization, child, parent) DO UPDATE SET ended = NULL, made = excluded.made
WHERE rescind.recorded_nesting.ended IS NOT NULL

-- insert_organization
INSERT INTO rescind.organization (id, slug, name, created_at, id_rule, search_name)
SELECT CAST(%(o)s AS INTEGER), %(organization)s, %(name)s, CAST(%(now)s AS BIGINT), %(id_rule)s, %(search_name)s WHERE TRUE
ON CONFLICT (slug) DO NOTHING

-- insert_permission
INSERT INTO rescind.permission (organization, slug, description, critical)
SELECT o.id, %(permission)s, %(description)s, %(critical)s FROM rescind.organization AS o WHERE o.id = %(o)s
ON CONFLICT (slug, organization) DO NOTHING

-- insert_resource
INSERT INTO rescind.resource (organization, id, slug, parent)
SELECT o.id, o.last_number + rescind.tallied('numbers') + 1, %(resource)s, p.id
FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS p
    WHERE p.organization = o.id AND p.slug = %(parent)s OFFSET 0) AS p WHERE o.id = %(o)s
ON CONFLICT (organization, slug) DO NOTHING

-- insert_resource_type
INSERT INTO rescind.resource_type (organization, slug, parents)
SELECT o.id, %(type)s, %(parents)s FROM rescind.organization AS o WHERE o.id = %(o)s
ON CONFLICT (slug, organization) DO NOTHING

-- insert_role
INSERT INTO rescind.role (organization, slug, name, priority, critical, required, resource_type)
SELECT o.id, %(role)s, %(name)s, %(priority)s, %(critical)s, %(required)s, %(resource_type)s FROM rescind.organization AS o WHERE o.id = %(o)s
ON CONFLICT (slug, organization) DO NOTHING

-- insert_root
INSERT INTO rescind.resource (organization, id, slug, parent)
SELECT %(o)s, 0, 'organization', NULL WHERE TRUE ON CONFLICT DO NOTHING

-- lengthen_assignments
WITH
    given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = %(o)s),
            (SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
        (SELECT r.id FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = i.value ->> 'on'),
        CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM rescind.json_items(%(given)s) AS i),
    holder (id) AS (
    SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s
    UNION ALL
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s),
    chosen (id, expires_at, until) AS (
    SELECT a.id, a.expires_at, g.expires_at FROM given AS g
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = (SELECT h.id FROM holder AS h)
        AND a.resource = g.resource AND a.role = g.role AND a.ended IS NULL OFFSET 0) AS a)
UPDATE rescind.assignment SET expires_at = (SELECT c.until FROM chosen AS c WHERE c.id = rescind.assignment.id)
WHERE organization = %(o)s AND id IN (
    SELECT c.id FROM chosen AS c
    WHERE COALESCE(c.until, 9223372036854775807) > COALESCE(c.expires_at, 9223372036854775807))

-- list_organizations_using_role
SELECT DISTINCT u.organization, o.slug AS name, o.role_mode,
EXISTS (SELECT 1 FROM rescind.role AS q WHERE q.organization IN (0, o.id) AND q.required)
    AS has_required FROM (
    SELECT a.organization FROM rescind.role AS r CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.role = r.id AND a.ended IS NULL OFFSET 0) AS a
    WHERE r.slug = %(role)s AND r.organization = 0
    UNION SELECT d.id FROM rescind.role AS r CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS d
        WHERE d.default_role = r.id OFFSET 0) AS d
    WHERE r.slug = %(role)s AND r.organization = 0) AS u
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = u.organization AND o.slug IS NOT NULL OFFSET 0) AS o
ORDER BY u.organization

-- move_resource
UPDATE rescind.resource SET parent = (SELECT id FROM rescind.resource AS p WHERE p.organization = %(o)s AND p.slug = %(parent)s)
WHERE organization = %(o)s AND slug = %(resource)s
AND parent <> (SELECT id FROM rescind.resource AS p WHERE p.organization = %(o)s AND p.slug = %(parent)s)

-- note_default_role_in_force
SELECT 1 FROM rescind.organization AS o
WHERE o.id = %(o)s AND o.role_mode = 'single' AND o.default_role IS NOT NULL
AND EXISTS (SELECT 1 FROM rescind.membership AS m WHERE m.organization = o.id)

-- note_default_role_lost
SELECT 1 FROM rescind.organization AS o
WHERE o.id = %(o)s AND o.role_mode = 'single' AND o.default_role IS NOT NULL
AND (CAST(%(role)s AS TEXT) IS NULL OR o.default_role <> (
        SELECT id FROM rescind.role WHERE slug = %(role)s AND organization IN (0, %(o)s) ORDER BY organization DESC LIMIT 1))

-- note_is_default_role
SELECT 1 FROM rescind.organization AS o
WHERE o.id = %(o)s AND o.role_mode = 'single'
AND o.default_role = (SELECT id FROM rescind.role WHERE slug = %(role)s AND organization = %(owner)s)

-- note_membership_has_access
SELECT 1 FROM rescind.membership AS m CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = m.organization OFFSET 0) AS o
WHERE m.organization = %(o)s AND m.subject = %(subject)s AND m.active
AND ((o.role_mode = 'single' AND o.default_role IS NOT NULL)
    OR EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.organization = m.organization AND a.holder = m.id AND a.ended IS NULL)
    OR (SELECT 1 FROM rescind.group_member AS gm WHERE gm.organization = m.organization AND gm.membership = m.id AND EXISTS (
            WITH RECURSIVE holder (id) AS (
                SELECT gm."group"
                UNION
                SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                    WHERE n.organization = m.organization AND n.child = h.id OFFSET 0) AS n)
            SELECT 1 FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                WHERE a.organization = m.organization AND a.holder = h.id AND a.ended IS NULL OFFSET 0) AS a) LIMIT 1) IS NOT NULL)

-- note_move_loses_access
WITH RECURSIVE old (id) AS (
    SELECT parent FROM rescind.resource WHERE organization = %(o)s AND slug = %(resource)s
    UNION
    SELECT r.parent FROM old CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
        WHERE r.organization = %(o)s AND r.id = old.id OFFSET 0) AS r WHERE COALESCE(r.parent, -1) <> -1),
    new (id) AS (
    SELECT id FROM rescind.resource WHERE organization = %(o)s AND slug = %(parent)s
    UNION
    SELECT r.parent FROM new CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
        WHERE r.organization = %(o)s AND r.id = new.id OFFSET 0) AS r WHERE COALESCE(r.parent, -1) <> -1)
SELECT 1 FROM old CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.resource = old.id AND a.ended IS NULL OFFSET 0) AS a
WHERE old.id NOT IN (SELECT new.id FROM new)
LIMIT 1

-- note_pended_elsewhere
SELECT 1 FROM rescind.organization AS env CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.caused_by = env.revision + 1 OFFSET 0) AS c
WHERE env.id = 0 AND c.settled_at IS NULL LIMIT 1

-- note_permission_in_force
SELECT 1 FROM rescind.permission AS p CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
    WHERE rp.permission = p.id OFFSET 0) AS rp
WHERE p.slug = %(permission)s AND p.organization = %(o)s
AND (EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.role = rp.role AND a.ended IS NULL)
    OR EXISTS (SELECT 1 FROM rescind.organization AS o WHERE o.default_role = rp.role))
LIMIT 1

-- note_resource_has_holders
WITH RECURSIVE
    subtree (id) AS (
    SELECT id FROM rescind.resource WHERE organization = %(o)s AND slug = %(resource)s
    UNION
    SELECT r.id FROM subtree AS s CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
        WHERE r.organization = %(o)s AND r.parent = s.id OFFSET 0) AS r),
    above (id) AS (
    SELECT id FROM rescind.resource WHERE organization = %(o)s AND slug = %(resource)s
    UNION
    SELECT r.parent FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
        WHERE r.organization = %(o)s AND r.id = above.id OFFSET 0) AS r WHERE COALESCE(r.parent, -1) <> -1)
SELECT 1 FROM rescind.organization AS o
WHERE o.id = %(o)s AND EXISTS (SELECT 1 FROM subtree) AND ((o.role_mode = 'single' AND o.default_role IS NOT NULL)
    OR EXISTS (SELECT 1 FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.resource = above.id AND a.ended IS NULL OFFSET 0) AS a)
    OR EXISTS (SELECT 1 FROM subtree CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
            WHERE a.organization = %(o)s AND a.resource = subtree.id AND a.ended IS NULL OFFSET 0) AS a))

-- note_role_permissions_lost
SELECT 1 FROM rescind.role AS r CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
    WHERE rp.role = r.id OFFSET 0) AS rp CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.id = rp.permission OFFSET 0) AS p
WHERE r.slug = %(role)s AND r.organization = %(o)s
AND (EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.role = r.id AND a.ended IS NULL)
    OR EXISTS (SELECT 1 FROM rescind.organization AS o WHERE o.default_role = r.id))
AND (p.slug IN (SELECT i.value FROM rescind.json_texts(%(permissions)s) AS i)) = %(listed)s
LIMIT 1

-- note_role_ranks
SELECT 1 FROM rescind.role AS r
WHERE r.slug = %(role)s AND r.organization = %(o)s AND r.priority <> %(priority)s
AND (%(o)s = 0 OR (SELECT o.role_mode FROM rescind.organization AS o WHERE o.id = %(o)s) = 'single')
AND (SELECT 1 FROM rescind.assignment AS a
    WHERE a.role = r.id AND a.ended IS NULL AND a.id + 0 < 0
    AND (SELECT o.role_mode FROM rescind.organization AS o WHERE o.id = a.organization) = 'single' LIMIT 1) IS NOT NULL

-- note_taken_elsewhere
SELECT 1

-- plan
SELECT o.id AS organization, o.role_mode, (SELECT max(id) + 1 FROM rescind.organization) AS next_id,
EXISTS (SELECT 1 FROM rescind.role AS q WHERE q.organization IN (0, o.id) AND q.required)
    AS has_required, o.id_rule
FROM rescind.organization AS env LEFT JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.slug = %(organization)s OFFSET 0) AS o ON TRUE
WHERE env.id = 0

-- put_group_members
INSERT INTO rescind.group_member (organization, membership, "group", expires_at, made)
SELECT %(o)s, l.membership, g.id, CAST(%(expires_at)s AS BIGINT), (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
FROM rescind."group" AS g CROSS JOIN (
    SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value) AS membership
    FROM rescind.json_texts(%(members)s) AS i) AS l
WHERE g.organization = %(o)s AND g.slug = %(group)s AND l.membership IS NOT NULL
ON CONFLICT (organization, membership, "group") DO UPDATE SET expires_at = excluded.expires_at,
    made = CASE WHEN rescind.group_member.expires_at <= %(now)s THEN excluded.made ELSE rescind.group_member.made END
WHERE COALESCE(rescind.group_member.expires_at, 9223372036854775807) < COALESCE(excluded.expires_at, 9223372036854775807)

-- put_missing_group_members
INSERT INTO rescind.group_member (organization, membership, "group", expires_at, made)
SELECT %(o)s, (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value),
    (SELECT g.id FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s), CAST(NULL AS BIGINT),
    (SELECT revision + 1 FROM rescind.organization WHERE id = %(o)s)
FROM rescind.json_texts(%(members)s) AS i WHERE TRUE
ON CONFLICT (organization, membership, "group") DO UPDATE SET expires_at = NULL, made = excluded.made
WHERE rescind.group_member.expires_at <= %(now)s

-- put_role_permissions
INSERT INTO rescind.role_permission (role, permission)
SELECT r.id, min(p.id) FROM rescind.role AS r CROSS JOIN rescind.json_texts(%(permissions)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
    WHERE p.slug = i.value AND p.organization IN (0, %(o)s) OFFSET 0) AS p
WHERE r.slug = %(role)s AND r.organization = %(o)s
GROUP BY r.id, p.slug
ON CONFLICT (role, permission) DO NOTHING

-- read_keyed_outcome
SELECT o.id AS organization, k.revision, env.revision AS environment, c.direction, c.route,
    c.granted + c.revoked + c.estimated AS fan_out, k.recorded_at,
CASE WHEN c.settled_at IS NOT NULL OR c.organization <> 0 THEN c.settled_at ELSE (
        SELECT CASE WHEN count(*) = count(x.settled_at) THEN max(x.settled_at) END FROM rescind.change AS x
        WHERE x.caused_by = c.revision) END
    AS settled_at, k.not_found, k.digest
FROM rescind.idempotency AS k CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = k.organization OFFSET 0) AS o CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS env
    WHERE env.id = 0 OFFSET 0) AS env
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = k.organization AND c.revision = k.revision AND c.idempotency_key = k.key OFFSET 0) AS c ON TRUE
WHERE k.organization = %(o)s AND k.key = %(key)s

-- read_recorded
SELECT c.recorded_at, e.enforced_at, e.record
FROM rescind.change AS c LEFT JOIN LATERAL (SELECT * FROM rescind.enforcement AS e
    WHERE e.organization = c.organization AND e.revision = c.revision OFFSET 0) AS e ON TRUE
WHERE c.organization = %(o)s AND c.revision = %(revision)s

-- refuse_assignments
SELECT 'membership_not_found' AS code, 'subject' AS fact, CAST(%(subject)s AS TEXT) AS value
WHERE CAST(%(subject)s AS TEXT) IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s)
UNION ALL
SELECT 'group_not_found', 'group', CAST(%(group)s AS TEXT)
WHERE CAST(%(group)s AS TEXT) IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
UNION ALL
SELECT 'role_not_found', 'role', i.value ->> 'role' FROM rescind.json_items(%(given)s) AS i
WHERE NOT EXISTS (SELECT 1 FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization IN (0, %(o)s))
UNION ALL
SELECT 'resource_not_found', 'resource', i.value ->> 'on' FROM rescind.json_items(%(given)s) AS i
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = i.value ->> 'on')

-- refuse_default_role
SELECT 'role_not_found' AS code, 'role' AS fact, CAST(%(role)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.role WHERE slug = %(role)s AND organization IN (0, %(o)s))
UNION ALL
SELECT 'role_not_for_resource', 'role', r.slug || ', which is for resources of the type ' || r.resource_type
FROM rescind.role AS r WHERE r.slug = %(role)s AND r.organization IN (0, %(o)s) AND r.resource_type <> 'organization'
LIMIT 1

-- refuse_given
SELECT 'membership_not_found' AS code, 'subject' AS fact, CAST(%(subject)s AS TEXT) AS value
WHERE CAST(%(subject)s AS TEXT) IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s)
UNION ALL
SELECT 'group_not_found', 'group', CAST(%(group)s AS TEXT)
WHERE CAST(%(group)s AS TEXT) IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
UNION ALL
SELECT 'role_not_found', 'role', i.value ->> 'role' FROM rescind.json_items(%(given)s) AS i
WHERE NOT EXISTS (SELECT 1 FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization IN (0, %(o)s))
UNION ALL
SELECT 'resource_not_found', 'resource', i.value ->> 'on' FROM rescind.json_items(%(given)s) AS i
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = i.value ->> 'on')
UNION ALL
SELECT 'role_not_for_resource', 'role', r.slug || ', which is for resources of the type ' || r.resource_type
FROM rescind.json_items(%(given)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.role AS r
    WHERE r.slug = i.value ->> 'role' AND r.organization IN (0, %(o)s) OFFSET 0) AS r
WHERE r.resource_type IS NOT NULL AND i.value ->> 'on' <> r.resource_type
AND substr(i.value ->> 'on', 1, length(r.resource_type) + 1) <> r.resource_type || ':'
LIMIT 1

-- refuse_group_differs
SELECT 'group_exists' AS code, 'group' AS fact, g.slug AS value
FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s
AND COALESCE(g.name, '') <> COALESCE(%(name)s, g.name, '')

-- refuse_group_in_use
SELECT 'group_in_use' AS code, 'used_by' AS fact,
    u.members || ' members, ' || u.nested || ' nested groups, ' || u.around || ' groups around it, '
    || u.assignments || ' assignments' AS value
FROM (
    SELECT (SELECT count(*) FROM rescind.group_member AS gm WHERE gm.organization = %(o)s AND gm."group" = g.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)) AS members,
        (SELECT count(*) FROM rescind.nesting AS x WHERE x.organization = %(o)s AND x.parent = g.id) AS nested,
        (SELECT count(*) FROM rescind.nesting AS x WHERE x.organization = %(o)s AND x.child = g.id) AS around,
        (SELECT count(*) FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.holder = g.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)) AS assignments
    FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(group)s) AS u
WHERE u.members + u.nested + u.around + u.assignments > 0

-- refuse_group_missing
SELECT 'group_not_found' AS code, 'group' AS fact, CAST(%(group)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)

-- refuse_members_missing
SELECT 'group_not_found' AS code, 'group' AS fact, CAST(%(group)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
UNION ALL
SELECT 'membership_not_found', 'subject', i.value FROM rescind.json_texts(%(members)s) AS i
WHERE NOT EXISTS (SELECT 1 FROM rescind.membership WHERE organization = %(o)s AND subject = i.value)

-- refuse_membership_missing
SELECT 'membership_not_found' AS code, 'subject' AS fact, CAST(%(subject)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s)

-- refuse_memberships_differ
SELECT 'membership_exists' AS code, 'subject' AS fact,
    m.subject || CASE WHEN m.active THEN ', named ' || COALESCE(m.name, 'nothing')
    ELSE ', deactivated: reactivate it' END AS value
FROM rescind.json_items(%(added)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.subject = i.value ->> 0 OFFSET 0) AS m
WHERE NOT m.active OR COALESCE(m.name, '') <> COALESCE(i.value ->> 1, m.name, '')
ORDER BY i.key LIMIT 1

-- refuse_moved
SELECT 'precondition_failed' AS code, 'revision' AS fact, CAST(o.revision AS TEXT) AS value
FROM rescind.organization AS o WHERE o.id = %(o)s AND o.revision <> %(at)s

-- refuse_nesting
WITH RECURSIVE upward (id) AS (
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(parent)s
    UNION
    SELECT n.parent FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.child = u.id OFFSET 0) AS n)
SELECT 'group_not_found' AS code, 'group' AS fact, CAST(%(child)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = %(o)s AND slug = %(child)s)
UNION ALL
SELECT 'group_not_found', 'group', CAST(%(parent)s AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = %(o)s AND slug = %(parent)s)
UNION ALL
SELECT 'nesting_cycle', 'nesting', CAST(%(child)s AS TEXT) || ' into ' || CAST(%(parent)s AS TEXT)
FROM upward AS u CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.id = u.id AND g.slug = %(child)s OFFSET 0) AS g
LIMIT 1

-- refuse_organization_differs
SELECT 'organization_exists' AS code, 'organization' AS fact, o.slug AS value
FROM rescind.organization AS o WHERE o.id = %(o)s AND o.name <> %(name)s

-- refuse_organization_in_use
SELECT 'organization_in_use' AS code, 'contents' AS fact,
    (SELECT count(*) FROM rescind.membership WHERE organization = %(o)s) || ' memberships, '
    || (SELECT count(*) FROM rescind."group" WHERE organization = %(o)s AND ended IS NULL) || ' groups, '
    || (SELECT count(*) FROM rescind.resource WHERE organization = %(o)s AND id <> 0) || ' resources, '
    || (SELECT count(*) FROM rescind.role WHERE organization = %(o)s) || ' roles' AS value
WHERE EXISTS (SELECT 1 FROM rescind.membership WHERE organization = %(o)s)
OR EXISTS (SELECT 1 FROM rescind."group" WHERE organization = %(o)s AND ended IS NULL)
OR EXISTS (SELECT 1 FROM rescind.resource WHERE organization = %(o)s AND id <> 0)
OR EXISTS (SELECT 1 FROM rescind.role WHERE organization = %(o)s)

-- refuse_organization_known
SELECT 'organization_exists' AS code, 'organization' AS fact, o.slug || ', by its external id' AS value
FROM rescind.organization AS new CROSS JOIN LATERAL (SELECT * FROM rescind.directory AS d
    WHERE d.external_id = new.slug AND d.organization <> new.id OFFSET 0) AS d
CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = d.organization AND o.slug IS NOT NULL OFFSET 0) AS o
WHERE new.id = %(o)s AND NOT EXISTS (SELECT 1 FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.id = 0)

-- refuse_own_role_missing
SELECT 'role_not_found' AS code, 'role' AS fact, CAST(%(role)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.role WHERE slug = %(role)s AND organization = %(o)s)

-- refuse_permission_differs
SELECT 'permission_exists' AS code, 'permission' AS fact, p.slug || CASE WHEN p.organization = %(o)s THEN ''
    WHEN p.organization = 0 THEN ', for all organizations'
    ELSE ', in the organization ' || o.slug || COALESCE((
            SELECT ' and ' || (count(*) - 1) || ' more' FROM rescind.permission AS x
            WHERE x.slug = %(permission)s AND x.organization <> 0 HAVING count(*) > 1), '') END AS value
FROM rescind.permission AS p CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = p.organization OFFSET 0) AS o WHERE p.slug = %(permission)s
AND CASE WHEN p.organization = %(o)s THEN p.critical <> %(critical)s OR p.description <> %(description)s
    ELSE p.organization = 0 OR %(o)s = 0 END
LIMIT 1

-- refuse_permission_elsewhere
SELECT 'permission_not_found' AS code, 'permission' AS fact, CAST(%(permission)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.permission WHERE slug = %(permission)s AND organization = %(o)s)
AND EXISTS (SELECT 1 FROM rescind.permission WHERE slug = %(permission)s AND organization = 0)

-- refuse_permission_in_use
SELECT 'permission_in_use' AS code, 'roles' AS fact, CAST(count(*) AS TEXT) || ', such as ' || min(r.slug) AS value
FROM rescind.permission AS p CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
    WHERE rp.permission = p.id OFFSET 0) AS rp CROSS JOIN LATERAL (SELECT * FROM rescind.role AS r
    WHERE r.id = rp.role OFFSET 0) AS r
WHERE p.slug = %(permission)s AND p.organization = %(o)s
HAVING count(*) > 0

-- refuse_permission_missing
SELECT 'permission_not_found' AS code, 'permission' AS fact, CAST(%(permission)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.permission WHERE slug = %(permission)s AND organization = %(o)s)

-- refuse_permissions_missing
SELECT 'permission_not_found' AS code, 'permission' AS fact, i.value AS value FROM rescind.json_texts(%(permissions)s) AS i
WHERE NOT EXISTS (SELECT 1 FROM rescind.permission AS p WHERE p.slug = i.value AND p.organization IN (0, %(o)s))

-- refuse_resource_cycle
WITH RECURSIVE above (id) AS (
    SELECT id FROM rescind.resource WHERE organization = %(o)s AND slug = %(parent)s
    UNION
    SELECT r.parent FROM above AS a CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
        WHERE r.organization = %(o)s AND r.id = a.id OFFSET 0) AS r
    WHERE COALESCE(r.parent, -1) <> -1)
SELECT 'resource_cycle' AS code, 'move' AS fact, CAST(%(resource)s AS TEXT) || ' below ' || CAST(%(parent)s AS TEXT) AS value
FROM above AS a CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS r
    WHERE r.organization = %(o)s AND r.id = a.id AND r.slug = %(resource)s OFFSET 0) AS r

-- refuse_resource_elsewhere
SELECT 'resource_exists' AS code, 'below' AS fact, p.slug AS value
FROM rescind.resource AS r CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS p
    WHERE p.organization = %(o)s AND p.id = r.parent OFFSET 0) AS p
WHERE r.organization = %(o)s AND r.slug = %(resource)s AND p.slug <> %(parent)s

-- refuse_resource_in_use
SELECT 'resource_in_use' AS code, 'used_by' AS fact,
    (SELECT count(*) FROM rescind.resource AS x WHERE x.organization = %(o)s AND x.parent = r.id) || ' resources below it, '
    || (SELECT count(*) FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.resource = r.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)) || ' assignments' AS value
FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = %(resource)s
AND (EXISTS (SELECT 1 FROM rescind.resource AS x WHERE x.organization = %(o)s AND x.parent = r.id)
    OR EXISTS (SELECT 1 FROM rescind.assignment AS a WHERE a.organization = %(o)s AND a.resource = r.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
))

-- refuse_resource_missing
SELECT 'resource_not_found' AS code, 'resource' AS fact, CAST(%(resource)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource WHERE organization = %(o)s AND slug = %(resource)s)

-- refuse_resource_placing
SELECT 'resource_not_found' AS code, 'resource' AS fact, CAST(%(parent)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource WHERE organization = %(o)s AND slug = %(parent)s)
UNION ALL
SELECT 'resource_type_not_found', 'type', CAST(%(type)s AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource_type WHERE slug = %(type)s AND organization IN (0, %(o)s))
UNION ALL
SELECT 'parent_type_refused', 'allowed', t.parents FROM rescind.resource_type AS t
WHERE t.slug = %(type)s AND t.organization IN (0, %(o)s) AND t.parents <> '[]'
AND NOT EXISTS (SELECT 1 FROM rescind.json_texts(t.parents) AS i WHERE i.value = %(parent_type)s)
LIMIT 1

-- refuse_resource_type_differs
SELECT 'resource_type_exists' AS code, 'type' AS fact, t.slug || CASE WHEN t.organization = %(o)s THEN ''
    WHEN t.organization = 0 THEN ', for all organizations'
    ELSE ', in the organization ' || o.slug || COALESCE((
            SELECT ' and ' || (count(*) - 1) || ' more' FROM rescind.resource_type AS x
            WHERE x.slug = %(type)s AND x.organization <> 0 HAVING count(*) > 1), '') END AS value
FROM rescind.resource_type AS t CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = t.organization OFFSET 0) AS o WHERE t.slug = %(type)s
AND CASE WHEN t.organization = %(o)s THEN t.parents <> %(parents)s ELSE t.organization = 0 OR %(o)s = 0 END
LIMIT 1

-- refuse_resource_type_elsewhere
SELECT 'resource_type_not_found' AS code, 'type' AS fact, CAST(%(type)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource_type WHERE slug = %(type)s AND organization = %(o)s)
AND EXISTS (SELECT 1 FROM rescind.resource_type WHERE slug = %(type)s AND organization = 0)

-- refuse_resource_type_in_use
SELECT 'resource_type_in_use' AS code, 'resources' AS fact, min(r.slug || ' of ' || o.slug) AS value
FROM rescind.resource AS r CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = r.organization OFFSET 0) AS o
WHERE EXISTS (SELECT 1 FROM rescind.resource_type WHERE slug = %(type)s AND organization = %(o)s) AND (%(o)s = 0 OR o.id = %(o)s) AND o.slug IS NOT NULL AND r.slug > CAST(%(type)s AS TEXT) || ':' AND r.slug < CAST(%(type)s AS TEXT) || ';'
HAVING count(*) > 0

-- refuse_resource_type_missing
SELECT 'resource_type_not_found' AS code, 'type' AS fact, CAST(%(type)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource_type WHERE slug = %(type)s AND organization = %(o)s)

-- refuse_resource_types_missing
SELECT 'resource_type_not_found' AS code, 'type' AS fact, i.value AS value FROM rescind.json_texts(%(parents)s) AS i
WHERE i.value NOT IN ('organization', %(type)s)
AND NOT EXISTS (SELECT 1 FROM rescind.resource_type AS t WHERE t.slug = i.value AND t.organization IN (0, %(o)s))
LIMIT 1

-- refuse_role_differs
SELECT 'role_exists' AS code, 'role' AS fact, r.slug || CASE WHEN r.organization = %(o)s THEN ''
    WHEN r.organization = 0 THEN ', for all organizations'
    ELSE ', in the organization ' || o.slug || COALESCE((
            SELECT ' and ' || (count(*) - 1) || ' more' FROM rescind.role AS x
            WHERE x.slug = %(role)s AND x.organization <> 0 HAVING count(*) > 1), '') END AS value
FROM rescind.role AS r CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = r.organization OFFSET 0) AS o WHERE r.slug = %(role)s
AND CASE WHEN r.organization = %(o)s
    THEN r.priority <> %(priority)s OR r.critical <> %(critical)s OR r.required <> %(required)s OR COALESCE(r.name, '') <> COALESCE(%(name)s, r.name, '')
    OR COALESCE(r.resource_type, '') <> COALESCE(%(resource_type)s, r.resource_type, '')
    OR EXISTS (SELECT 1 FROM rescind.role_permission AS rp CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
            WHERE p.id = rp.permission OFFSET 0) AS p
        WHERE rp.role = r.id AND p.slug NOT IN (SELECT i.value FROM rescind.json_texts(%(permissions)s) AS i))
    OR EXISTS (SELECT 1 FROM rescind.json_texts(%(permissions)s) AS i WHERE i.value NOT IN (
            SELECT p.slug FROM rescind.role_permission AS rp CROSS JOIN LATERAL (SELECT * FROM rescind.permission AS p
                WHERE p.id = rp.permission OFFSET 0) AS p
            WHERE rp.role = r.id))
    ELSE r.organization = 0 OR %(o)s = 0 END
LIMIT 1

-- refuse_role_elsewhere
SELECT 'role_not_found' AS code, 'role' AS fact, CAST(%(role)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.role WHERE slug = %(role)s AND organization = %(o)s)
AND EXISTS (SELECT 1 FROM rescind.role WHERE slug = %(role)s AND organization = 0)

-- refuse_role_in_use
SELECT 'role_in_use' AS code, 'used_by' AS fact,
    u.assignments || ' assignments, default role of ' || u.organizations || ' organizations'
    || COALESCE(' | ' || (SELECT COALESCE(m.subject, 'group:' || g.slug) || ' on ' || x.slug
            || CASE WHEN %(o)s = 0 THEN ' of ' || o.slug ELSE '' END
        FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
            WHERE o.id = a.organization OFFSET 0) AS o
        CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
            WHERE x.organization = a.organization AND x.id = a.resource OFFSET 0) AS x
        LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = a.organization AND m.id = a.holder OFFSET 0) AS m ON TRUE
        LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
            WHERE g.organization = a.organization AND g.id = a.holder OFFSET 0) AS g ON TRUE
        WHERE a.role = u.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
        ORDER BY a.organization, a.id LIMIT 1), '')
    || COALESCE(', ' || (SELECT COALESCE(m.subject, 'group:' || g.slug) || ' on ' || x.slug
            || CASE WHEN %(o)s = 0 THEN ' of ' || o.slug ELSE '' END
        FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
            WHERE o.id = a.organization OFFSET 0) AS o
        CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
            WHERE x.organization = a.organization AND x.id = a.resource OFFSET 0) AS x
        LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = a.organization AND m.id = a.holder OFFSET 0) AS m ON TRUE
        LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
            WHERE g.organization = a.organization AND g.id = a.holder OFFSET 0) AS g ON TRUE
        WHERE a.role = u.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
        ORDER BY a.organization, a.id LIMIT 1 OFFSET 1), '')
    || COALESCE(', ' || (SELECT COALESCE(m.subject, 'group:' || g.slug) || ' on ' || x.slug
            || CASE WHEN %(o)s = 0 THEN ' of ' || o.slug ELSE '' END
        FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS o
            WHERE o.id = a.organization OFFSET 0) AS o
        CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
            WHERE x.organization = a.organization AND x.id = a.resource OFFSET 0) AS x
        LEFT JOIN LATERAL (SELECT * FROM rescind.membership AS m
            WHERE m.organization = a.organization AND m.id = a.holder OFFSET 0) AS m ON TRUE
        LEFT JOIN LATERAL (SELECT * FROM rescind."group" AS g
            WHERE g.organization = a.organization AND g.id = a.holder OFFSET 0) AS g ON TRUE
        WHERE a.role = u.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
        ORDER BY a.organization, a.id LIMIT 1 OFFSET 2), '') AS value
FROM (
    SELECT (SELECT count(*) FROM rescind.assignment AS a WHERE a.role = r.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)) AS assignments,
        (SELECT count(*) FROM rescind.organization AS o WHERE o.default_role = r.id) AS organizations, r.id
    FROM rescind.role AS r WHERE r.slug = %(role)s AND r.organization = %(o)s) AS u
WHERE u.assignments + u.organizations > 0

-- refuse_role_of_group
SELECT 'group_not_found' AS code, 'group' AS fact, CAST(%(group)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
UNION ALL
SELECT 'role_not_found', 'role', CAST(%(role)s AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.role WHERE slug = %(role)s AND organization IN (0, %(o)s))
UNION ALL
SELECT 'resource_not_found', 'resource', CAST(%(on)s AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource WHERE organization = %(o)s AND slug = %(on)s)

-- refuse_role_of_subject
SELECT 'membership_not_found' AS code, 'subject' AS fact, CAST(%(subject)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s)
UNION ALL
SELECT 'role_not_found', 'role', CAST(%(role)s AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.role WHERE slug = %(role)s AND organization IN (0, %(o)s))
UNION ALL
SELECT 'resource_not_found', 'resource', CAST(%(on)s AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM rescind.resource WHERE organization = %(o)s AND slug = %(on)s)

-- rename_group
UPDATE rescind."group" SET name = %(name)s, search_name = %(search_name)s
WHERE organization = %(o)s AND slug = %(group)s AND COALESCE(name, '') <> %(name)s

-- rename_organization
UPDATE rescind.organization SET name = %(name)s, search_name = %(search_name)s WHERE id = %(o)s AND name <> %(name)s

-- set_default_role
UPDATE rescind.organization SET default_role = (
    SELECT id FROM rescind.role WHERE slug = %(role)s AND organization IN (0, %(o)s) ORDER BY organization DESC LIMIT 1)
WHERE id = %(o)s AND COALESCE(default_role, -1) <> COALESCE((
        SELECT id FROM rescind.role WHERE slug = %(role)s AND organization IN (0, %(o)s) ORDER BY organization DESC LIMIT 1), -1)

-- set_membership_active
UPDATE rescind.membership SET active = %(active)s
WHERE organization = %(o)s AND subject = %(subject)s AND active <> %(active)s

-- set_permission_critical
UPDATE rescind.permission SET critical = %(critical)s WHERE slug = %(permission)s AND organization = %(o)s AND critical <> %(critical)s

-- set_permission_description
UPDATE rescind.permission SET description = %(description)s
WHERE slug = %(permission)s AND organization = %(o)s AND description <> %(description)s

-- set_role_critical
UPDATE rescind.role SET critical = %(critical)s WHERE slug = %(role)s AND organization = %(o)s AND critical <> %(critical)s

-- set_role_mode
UPDATE rescind.organization SET role_mode = %(mode)s, on_loss = %(on_loss)s
WHERE id = %(o)s AND (role_mode <> %(mode)s OR on_loss <> %(on_loss)s)

-- set_role_name
UPDATE rescind.role SET name = %(name)s WHERE slug = %(role)s AND organization = %(o)s AND COALESCE(name, '') <> %(name)s

-- set_role_priority
UPDATE rescind.role SET priority = %(priority)s WHERE slug = %(role)s AND organization = %(o)s AND priority <> %(priority)s

-- set_role_required
UPDATE rescind.role SET required = %(required)s WHERE slug = %(role)s AND organization = %(o)s AND required <> %(required)s

-- shorten_assignments
WITH
    given (role, resource, expires_at) AS (
    SELECT COALESCE((SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = %(o)s),
            (SELECT r.id FROM rescind.role AS r WHERE r.slug = i.value ->> 'role' AND r.organization = 0)),
        (SELECT r.id FROM rescind.resource AS r WHERE r.organization = %(o)s AND r.slug = i.value ->> 'on'),
        CAST(i.value ->> 'expires_at' AS BIGINT)
    FROM rescind.json_items(%(given)s) AS i),
    holder (id) AS (
    SELECT id FROM rescind.membership WHERE organization = %(o)s AND subject = %(subject)s
    UNION ALL
    SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s),
    chosen (id, expires_at, until) AS (
    SELECT a.id, a.expires_at, g.expires_at FROM given AS g
    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = (SELECT h.id FROM holder AS h)
        AND a.resource = g.resource AND a.role = g.role AND a.ended IS NULL OFFSET 0) AS a)
UPDATE rescind.assignment SET expires_at = (SELECT c.until FROM chosen AS c WHERE c.id = rescind.assignment.id)
WHERE organization = %(o)s AND id IN (
    SELECT c.id FROM chosen AS c
    WHERE COALESCE(c.until, 9223372036854775807) < COALESCE(c.expires_at, 9223372036854775807))

-- unset_default_role
UPDATE rescind.organization SET default_role = NULL
WHERE id = %(o)s AND default_role = (SELECT id FROM rescind.role WHERE slug = %(role)s AND organization = %(owner)s)
