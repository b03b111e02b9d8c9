-- find_logs_named
SELECT x.id AS organization FROM (
    SELECT o.id FROM rescind_organization AS o WHERE o.slug = :organization
    UNION ALL
    SELECT o.id FROM rescind_organization AS o WHERE o.deleted_as = :organization) AS x
ORDER BY x.id DESC

-- find_named_assignments
SELECT i.value ->> 0 AS role, i.value ->> 1 AS holder, i.value ->> 2 AS resource FROM json_each(:assignments) AS i
CROSS JOIN rescind_role AS r ON r.slug = i.value ->> 0 AND r.organization IN (0, :o)
CROSS JOIN rescind_resource AS x ON x.organization = :o AND x.slug = i.value ->> 2
CROSS JOIN rescind_assignment AS a ON a.organization = :o AND a.resource = x.id AND a.role = r.id AND a.ended IS NULL
AND a.holder = COALESCE(
    (SELECT m.id FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = i.value ->> 1),
        (SELECT g.id FROM rescind_group AS g
        WHERE g.organization = :o AND g.slug = CASE WHEN substr(i.value ->> 1, 1, 6) = 'group:'
            THEN substr(i.value ->> 1, 7) END AND g.ended IS NULL))

-- find_named_groups
SELECT i.value AS "group" FROM json_each(:groups) AS i
CROSS JOIN rescind_group AS g ON g.organization = :o AND g.slug = i.value AND g.ended IS NULL

-- find_named_members
SELECT i.value ->> 0 AS "group", i.value ->> 1 AS subject FROM json_each(:members) AS i
CROSS JOIN rescind_group AS g ON g.organization = :o AND g.slug = i.value ->> 0 AND g.ended IS NULL
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value ->> 1
CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm.membership = m.id AND gm."group" = g.id

-- find_named_memberships
SELECT i.value AS subject, m.active, m.name FROM json_each(:subjects) AS i
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value

-- find_named_permissions
SELECT i.value AS permission FROM json_each(:permissions) AS i
CROSS JOIN rescind_permission AS p ON p.slug = i.value AND p.organization IN (0, :o)

-- find_named_resources
SELECT i.value AS resource FROM json_each(:resources) AS i
CROSS JOIN rescind_resource AS r ON r.organization = :o AND r.slug = i.value

-- find_named_roles
SELECT i.value AS role, r.resource_type FROM json_each(:roles) AS i
CROSS JOIN rescind_role AS r ON r.slug = i.value AND r.organization IN (0, :o)
