-- Lists: who can, what a subject reaches, what it can do. Each query reads an index range or looks up given keys,
-- with a limit. All read facts, which background work does not change. Aliases as in decisions.sql.

-- name: read_asked
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.id AS permission,
       r.id AS resource, o.role_mode = 'single' AS is_single,
       EXISTS (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = o.default_role AND rp.permission = p.id) AS default_is_given
@decisions.asked

-- --- the roles and places that count ---------------------------------------------------------------

-- Of one organization, with a limit: roles of other organizations do not slow down a permission of all organizations.

-- name: list_roles_with
SELECT x.role, q.organization
FROM (SELECT rp.role FROM rescind.role_permission AS rp WHERE rp.permission = :p ORDER BY rp.role LIMIT :most) AS x
JOIN rescind.role AS q ON q.id = x.role

-- name: list_line
WITH RECURSIVE
@decisions.above
SELECT id AS number FROM above

-- fragment: is_unexpired
a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)

-- name: list_groups_by_role
WITH RECURSIVE below (id) AS (
    SELECT a.holder FROM rescind.json_texts(:places) AS x CROSS JOIN rescind.json_texts(:roles) AS i
    JOIN rescind.assignment AS a ON a.role = CAST(i.value AS INTEGER) AND a.organization = :o
    AND a.resource = CAST(x.value AS INTEGER) AND a.holder < 0
    WHERE @lists.is_unexpired
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id)
SELECT id AS number FROM below LIMIT :most

-- name: list_groups_by_place
WITH RECURSIVE below (id) AS (
    SELECT a.holder FROM rescind.json_texts(:places) AS x
    JOIN rescind.assignment AS a ON a.organization = :o AND a.resource = CAST(x.value AS INTEGER) AND a.holder < 0
    WHERE @lists.is_unexpired
    AND (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = :p) IS NOT NULL
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id)
SELECT id AS number FROM below LIMIT :most

-- --- streams: `streams` is a JSON list of [key, …, after, most] ---------------------------------------

-- name: stream_memberships
SELECT 0 AS key, m.id AS number, TRUE AS is_in_force FROM rescind.membership AS m WHERE m.organization = :o AND m.id > :after ORDER BY m.id LIMIT :most

-- name: stream_resources
SELECT 0 AS key, r.id AS number, TRUE AS is_in_force FROM rescind.resource AS r WHERE r.organization = :o AND r.id > :after ORDER BY r.id LIMIT :most

-- Whether a holder has a role with the permission on a resource, among all its roles there.

-- fragment: is_given
EXISTS (
    SELECT 1 FROM rescind.assignment AS a JOIN rescind.role_permission AS rp ON rp.role = a.role AND rp.permission = :p
    WHERE a.organization = :o AND a.holder = x.holder AND a.resource = x.resource AND @lists.is_unexpired)

-- --- subjects ---------------------------------------------------------------------------------------

-- name: list_subjects
SELECT m.id AS number, m.subject AS name FROM rescind.json_texts(:ids) AS i
JOIN rescind.membership AS m ON m.organization = :o AND m.id = CAST(i.value AS INTEGER)
WHERE m.active

-- name: list_subjects_of_kind
SELECT m.id AS number, m.active FROM rescind.membership AS m
WHERE m.organization = :o AND m.subject >= :kind AND m.subject < :kind_end ORDER BY m.subject LIMIT :most

-- name: list_subjects_allowed
SELECT m.id AS number FROM rescind.json_texts(:ids) AS i
JOIN rescind.membership AS m ON m.organization = :o AND m.id = CAST(i.value AS INTEGER)
JOIN rescind.organization AS o ON o.id = :o
JOIN rescind.permission AS p ON p.id = :p
JOIN rescind.resource AS r ON r.organization = :o AND r.id = :r
WHERE
    (CASE WHEN o.role_mode = 'multiple' THEN @decisions.all_live ELSE @decisions.wide_live_single OR @decisions.scoped_live END)

-- --- resources --------------------------------------------------------------------------------------

-- The membership, and the groups that reach it now, each once.

-- name: list_holders
WITH RECURSIVE holder (id) AS (
    SELECT CAST(:m AS INTEGER)
    UNION ALL
    SELECT gm."group" FROM rescind.group_member AS gm
    WHERE gm.organization = :o AND gm.membership = :m AND (gm.expires_at IS NULL OR gm.expires_at > :now)
    UNION
    SELECT n.parent FROM holder AS h JOIN rescind.nesting AS n ON n.organization = :o AND n.child = h.id)
SELECT id AS number FROM holder

-- What some holders have below the organization, whatever the role, with a limit.

-- name: list_places
SELECT a.resource,
@lists.is_unexpired
 AND (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = :p) IS NOT NULL AS is_given
FROM rescind.json_texts(:holders) AS i
JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = CAST(i.value AS INTEGER) AND a.resource > 0 AND a.ended IS NULL
LIMIT :most

-- name: list_below
WITH RECURSIVE below (id) AS (
    SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:places) AS i
    UNION
    SELECT x.id FROM below AS b JOIN rescind.resource AS x ON x.organization = :o AND x.parent = b.id)
SELECT id AS number FROM below LIMIT :most

-- Each resource that has others below it, found by stepping from one index key to the next.

-- name: list_parents
WITH RECURSIVE parent (id) AS (
    SELECT (SELECT x.parent FROM rescind.resource AS x WHERE x.organization = :o AND x.parent > 0 ORDER BY x.parent LIMIT 1)
    UNION ALL
    SELECT (SELECT x.parent FROM rescind.resource AS x WHERE x.organization = :o AND x.parent > p.id ORDER BY x.parent LIMIT 1)
    FROM parent AS p WHERE p.id IS NOT NULL)
SELECT id AS number FROM parent WHERE id IS NOT NULL LIMIT :most

-- Some resources and all above them, once each, with the parent, and whether one of the holders has a role with the
-- permission there.

-- name: list_lines
WITH RECURSIVE line (id) AS (
    SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:ids) AS i
    UNION
    SELECT x.parent FROM line AS l JOIN rescind.resource AS x ON x.organization = :o AND x.id = l.id AND COALESCE(x.parent, 0) <> 0)
SELECT l.id AS number, COALESCE(x.parent, 0) AS parent, EXISTS (
    SELECT 1 FROM rescind.assignment AS a
    WHERE a.organization = :o AND a.resource = l.id AND a.holder
        @engine.is_listed_holder AND @lists.is_unexpired
    AND (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = :p) IS NOT NULL) AS is_given
FROM line AS l JOIN rescind.resource AS x ON x.organization = :o AND x.id = l.id

-- name: list_resources
SELECT r.id AS number, r.slug AS name FROM rescind.json_texts(:ids) AS i JOIN rescind.resource AS r ON r.organization = :o AND r.id = CAST(i.value AS INTEGER)

-- name: list_resources_of_kind
SELECT r.id AS number FROM rescind.resource AS r
WHERE r.organization = :o AND r.slug >= :kind AND r.slug < :kind_end ORDER BY r.slug LIMIT :most

-- name: list_any_with
SELECT 1 AS is_given FROM rescind.json_texts(:roles) AS i JOIN rescind.role_permission AS rp ON rp.role = CAST(i.value AS INTEGER) AND rp.permission = :p
LIMIT 1

-- --- permissions ------------------------------------------------------------------------------------

-- Roles on some resources, and for a single-role organization the one role that counts on the organization itself.

-- name: list_roles_on
SELECT DISTINCT a.role AS number FROM rescind.json_texts(:places) AS x CROSS JOIN rescind.json_texts(:holders) AS i
JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = CAST(i.value AS INTEGER) AND a.resource = CAST(x.value AS INTEGER)
WHERE @lists.is_unexpired

-- name: list_role_won
SELECT COALESCE((
    SELECT a.role FROM rescind.json_texts(:holders) AS i
    JOIN rescind.assignment AS a ON a.organization = o.id AND a.holder = CAST(i.value AS INTEGER) AND a.resource = 0
    JOIN rescind.role AS q ON q.id = a.role
    WHERE @lists.is_unexpired
 AND NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = :m AND x.role = a.role)
    ORDER BY q.priority DESC, q.id LIMIT 1), o.default_role) AS number
FROM rescind.organization AS o WHERE o.id = :o

-- name: list_permissions
SELECT p.id AS number, p.slug AS name FROM rescind.json_texts(:ids) AS i JOIN rescind.permission AS p ON p.id = CAST(i.value AS INTEGER)
WHERE p.organization IN (0, :o)
