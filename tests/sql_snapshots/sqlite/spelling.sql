-- change_group_id
UPDATE rescind_group SET slug = :new_id, folded = :folded, search_name = CASE WHEN name IS NULL THEN :search_name ELSE search_name END
WHERE organization = :o AND slug = :group

-- change_membership_id
UPDATE rescind_membership SET subject = :new_id, folded = :folded WHERE organization = :o AND subject = :subject

-- list_group_look_alikes
SELECT i.value ->> 0 AS asked, g.slug AS look_alike FROM json_each(:names) AS i
CROSS JOIN rescind_group AS g ON g.organization = :o AND g.slug = i.value ->> 1
WHERE g.slug <> i.value ->> 0
UNION ALL
SELECT i.value ->> 0, g.slug FROM json_each(:names) AS i
CROSS JOIN rescind_group AS g ON g.organization = :o AND g.folded = i.value ->> 1 AND g.folded IS NOT NULL
WHERE g.slug <> i.value ->> 0
ORDER BY 1, 2 LIMIT :limit

-- list_groups_alike
SELECT g.folded, g.slug AS name FROM rescind_group AS g
WHERE g.organization = :o AND g.folded IS NOT NULL
AND (EXISTS (SELECT 1 FROM rescind_group AS x WHERE x.organization = :o AND x.slug = g.folded)
    OR EXISTS (SELECT 1 FROM rescind_group AS x
        WHERE x.organization = :o AND x.folded = g.folded AND x.folded IS NOT NULL AND x.id <> g.id))
UNION
SELECT x.slug, x.slug FROM rescind_group AS g
CROSS JOIN rescind_group AS x ON x.organization = :o AND x.slug = g.folded
WHERE g.organization = :o AND g.folded IS NOT NULL
ORDER BY 1, 2 LIMIT :limit

-- list_membership_look_alikes
SELECT i.value ->> 0 AS asked, m.subject AS look_alike FROM json_each(:names) AS i
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.subject = i.value ->> 1
WHERE m.subject <> i.value ->> 0
UNION ALL
SELECT i.value ->> 0, m.subject FROM json_each(:names) AS i
CROSS JOIN rescind_membership AS m ON m.organization = :o AND m.folded = i.value ->> 1 AND m.folded IS NOT NULL
WHERE m.subject <> i.value ->> 0
ORDER BY 1, 2 LIMIT :limit

-- list_memberships_alike
SELECT m.folded, m.subject AS name FROM rescind_membership AS m
WHERE m.organization = :o AND m.folded IS NOT NULL
AND (EXISTS (SELECT 1 FROM rescind_membership AS x WHERE x.organization = :o AND x.subject = m.folded)
    OR EXISTS (SELECT 1 FROM rescind_membership AS x
        WHERE x.organization = :o AND x.folded = m.folded AND x.folded IS NOT NULL AND x.id <> m.id))
UNION
SELECT x.subject, x.subject FROM rescind_membership AS m
CROSS JOIN rescind_membership AS x ON x.organization = :o AND x.subject = m.folded
WHERE m.organization = :o AND m.folded IS NOT NULL
ORDER BY 1, 2 LIMIT :limit

-- list_uncanonical
SELECT 'memberships' AS kind, m.subject AS name FROM rescind_membership AS m WHERE m.organization = :o AND m.folded IS NOT NULL
UNION ALL
SELECT 'groups', g.slug FROM rescind_group AS g WHERE g.organization = :o AND g.folded IS NOT NULL

-- read_id_rule
SELECT o.id_rule FROM rescind_organization AS o WHERE o.slug = :organization

-- refuse_group_id_taken
SELECT 'group_exists' AS code, 'group' AS fact, g.slug AS value
FROM rescind_group AS g WHERE g.organization = :o AND g.slug = :new_id AND g.slug <> :group

-- refuse_id_rule_differs
SELECT 'organization_exists' AS code, 'organization' AS fact, o.slug || ', whose rule for ids is ' || o.id_rule AS value
FROM rescind_organization AS o WHERE o.id = :o AND o.id_rule <> :id_rule

-- refuse_membership_id_taken
SELECT 'membership_exists' AS code, 'subject' AS fact, m.subject AS value
FROM rescind_membership AS m WHERE m.organization = :o AND m.subject = :new_id AND m.subject <> :subject

-- rename_membership
UPDATE rescind_membership SET name = :name
WHERE organization = :o AND subject = :subject AND COALESCE(name, '') <> :name

-- respell_groups
UPDATE rescind_group SET slug = i.value ->> 1, folded = i.value ->> 2
FROM json_each(:respellings) AS i WHERE rescind_group.organization = :o AND rescind_group.slug = i.value ->> 0

-- respell_memberships
UPDATE rescind_membership SET subject = i.value ->> 1, folded = i.value ->> 2
FROM json_each(:respellings) AS i WHERE rescind_membership.organization = :o AND rescind_membership.subject = i.value ->> 0

-- set_id_rule
UPDATE rescind_organization SET id_rule = :id_rule WHERE id = :o AND id_rule <> :id_rule
