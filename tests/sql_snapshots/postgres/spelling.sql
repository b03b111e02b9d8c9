-- change_group_id
UPDATE rescind."group" SET slug = %(new_id)s, folded = %(folded)s, search_name = CASE WHEN name IS NULL THEN %(search_name)s ELSE search_name END
WHERE organization = %(o)s AND slug = %(group)s

-- change_membership_id
UPDATE rescind.membership SET subject = %(new_id)s, folded = %(folded)s WHERE organization = %(o)s AND subject = %(subject)s

-- list_group_look_alikes
SELECT i.value ->> 0 AS asked, g.slug AS look_alike FROM rescind.json_items(%(names)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.slug = i.value ->> 1 OFFSET 0) AS g
WHERE g.slug <> i.value ->> 0
UNION ALL
SELECT i.value ->> 0, g.slug FROM rescind.json_items(%(names)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS g
    WHERE g.organization = %(o)s AND g.folded = i.value ->> 1 AND g.folded IS NOT NULL OFFSET 0) AS g
WHERE g.slug <> i.value ->> 0
ORDER BY 1, 2 LIMIT %(limit)s

-- list_groups_alike
SELECT g.folded, g.slug AS name FROM rescind."group" AS g
WHERE g.organization = %(o)s AND g.folded IS NOT NULL
AND (EXISTS (SELECT 1 FROM rescind."group" AS x WHERE x.organization = %(o)s AND x.slug = g.folded)
    OR EXISTS (SELECT 1 FROM rescind."group" AS x
        WHERE x.organization = %(o)s AND x.folded = g.folded AND x.folded IS NOT NULL AND x.id <> g.id))
UNION
SELECT x.slug, x.slug FROM rescind."group" AS g
CROSS JOIN LATERAL (SELECT * FROM rescind."group" AS x
    WHERE x.organization = %(o)s AND x.slug = g.folded OFFSET 0) AS x
WHERE g.organization = %(o)s AND g.folded IS NOT NULL
ORDER BY 1, 2 LIMIT %(limit)s

-- list_membership_look_alikes
SELECT i.value ->> 0 AS asked, m.subject AS look_alike FROM rescind.json_items(%(names)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.subject = i.value ->> 1 OFFSET 0) AS m
WHERE m.subject <> i.value ->> 0
UNION ALL
SELECT i.value ->> 0, m.subject FROM rescind.json_items(%(names)s) AS i
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS m
    WHERE m.organization = %(o)s AND m.folded = i.value ->> 1 AND m.folded IS NOT NULL OFFSET 0) AS m
WHERE m.subject <> i.value ->> 0
ORDER BY 1, 2 LIMIT %(limit)s

-- list_memberships_alike
SELECT m.folded, m.subject AS name FROM rescind.membership AS m
WHERE m.organization = %(o)s AND m.folded IS NOT NULL
AND (EXISTS (SELECT 1 FROM rescind.membership AS x WHERE x.organization = %(o)s AND x.subject = m.folded)
    OR EXISTS (SELECT 1 FROM rescind.membership AS x
        WHERE x.organization = %(o)s AND x.folded = m.folded AND x.folded IS NOT NULL AND x.id <> m.id))
UNION
SELECT x.subject, x.subject FROM rescind.membership AS m
CROSS JOIN LATERAL (SELECT * FROM rescind.membership AS x
    WHERE x.organization = %(o)s AND x.subject = m.folded OFFSET 0) AS x
WHERE m.organization = %(o)s AND m.folded IS NOT NULL
ORDER BY 1, 2 LIMIT %(limit)s

-- list_uncanonical
SELECT 'memberships' AS kind, m.subject AS name FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.folded IS NOT NULL
UNION ALL
SELECT 'groups', g.slug FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.folded IS NOT NULL

-- read_id_rule
SELECT o.id_rule FROM rescind.organization AS o WHERE o.slug = %(organization)s

-- refuse_group_id_taken
SELECT 'group_exists' AS code, 'group' AS fact, g.slug AS value
FROM rescind."group" AS g WHERE g.organization = %(o)s AND g.slug = %(new_id)s AND g.slug <> %(group)s

-- refuse_id_rule_differs
SELECT 'organization_exists' AS code, 'organization' AS fact, o.slug || ', whose rule for ids is ' || o.id_rule AS value
FROM rescind.organization AS o WHERE o.id = %(o)s AND o.id_rule <> %(id_rule)s

-- refuse_membership_id_taken
SELECT 'membership_exists' AS code, 'subject' AS fact, m.subject AS value
FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = %(new_id)s AND m.subject <> %(subject)s

-- rename_membership
UPDATE rescind.membership SET name = %(name)s
WHERE organization = %(o)s AND subject = %(subject)s AND COALESCE(name, '') <> %(name)s

-- respell_groups
UPDATE rescind."group" SET slug = i.value ->> 1, folded = i.value ->> 2
FROM rescind.json_items(%(respellings)s) AS i WHERE rescind."group".organization = %(o)s AND rescind."group".slug = i.value ->> 0

-- respell_memberships
UPDATE rescind.membership SET subject = i.value ->> 1, folded = i.value ->> 2
FROM rescind.json_items(%(respellings)s) AS i WHERE rescind.membership.organization = %(o)s AND rescind.membership.subject = i.value ->> 0

-- set_id_rule
UPDATE rescind.organization SET id_rule = %(id_rule)s WHERE id = %(o)s AND id_rule <> %(id_rule)s
