-- What exists of what an import names. Each query costs in proportion to the names it is given.

-- name: find_logs_named
SELECT x.id AS organization FROM (
    SELECT o.id FROM rescind.organization AS o WHERE o.slug = :organization
    UNION ALL
    SELECT o.id FROM rescind.organization AS o WHERE o.deleted_as = :organization) AS x
ORDER BY x.id DESC

-- name: find_named_memberships
SELECT i.value AS subject, m.active, m.name FROM rescind.json_texts(:subjects) AS i
JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value

-- name: find_named_groups
SELECT i.value AS "group" FROM rescind.json_texts(:groups) AS i
JOIN rescind."group" AS g ON g.organization = :o AND g.slug = i.value AND g.ended IS NULL

-- name: find_named_roles
SELECT i.value AS role, r.resource_type FROM rescind.json_texts(:roles) AS i
JOIN rescind.role AS r ON r.slug = i.value AND r.organization IN (0, :o)

-- name: find_named_permissions
SELECT i.value AS permission FROM rescind.json_texts(:permissions) AS i
JOIN rescind.permission AS p ON p.slug = i.value AND p.organization IN (0, :o)

-- name: find_named_resources
SELECT i.value AS resource FROM rescind.json_texts(:resources) AS i
JOIN rescind.resource AS r ON r.organization = :o AND r.slug = i.value

-- :members lists pairs: group, subject.

-- name: find_named_members
SELECT i.value ->> 0 AS "group", i.value ->> 1 AS subject FROM rescind.json_items(:members) AS i
JOIN rescind."group" AS g ON g.organization = :o AND g.slug = i.value ->> 0 AND g.ended IS NULL
JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value ->> 1
JOIN rescind.group_member AS gm ON gm.organization = :o AND gm.membership = m.id AND gm."group" = g.id

-- :assignments lists role, holder, resource; the holder is a subject or `group:…`.

-- name: find_named_assignments
SELECT i.value ->> 0 AS role, i.value ->> 1 AS holder, i.value ->> 2 AS resource FROM rescind.json_items(:assignments) AS i
JOIN rescind.role AS r ON r.slug = i.value ->> 0 AND r.organization IN (0, :o)
JOIN rescind.resource AS x ON x.organization = :o AND x.slug = i.value ->> 2
JOIN rescind.assignment AS a ON a.organization = :o AND a.resource = x.id AND a.role = r.id AND a.ended IS NULL
     AND a.holder = COALESCE(
         (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value ->> 1),
         (SELECT g.id FROM rescind."group" AS g
          WHERE g.organization = :o AND g.slug = CASE WHEN substr(i.value ->> 1, 1, 6) = 'group:'
                                                      THEN substr(i.value ->> 1, 7) END AND g.ended IS NULL))
