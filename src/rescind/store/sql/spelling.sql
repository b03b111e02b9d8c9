-- Ids of people and groups: look-alikes, rules for spelling, and changed ids. Python computes the folded form of an
-- id; it is stored in `folded` if it differs from the id.

-- Look-alikes of some ids. :names lists each id and its folded form.

-- name: list_membership_look_alikes
SELECT i.value ->> 0 AS asked, m.subject AS look_alike FROM rescind.json_items(:names) AS i
JOIN rescind.membership AS m ON m.organization = :o AND m.subject = i.value ->> 1
WHERE m.subject <> i.value ->> 0
UNION ALL
SELECT i.value ->> 0, m.subject FROM rescind.json_items(:names) AS i
JOIN rescind.membership AS m ON m.organization = :o AND m.folded = i.value ->> 1 AND m.folded IS NOT NULL
WHERE m.subject <> i.value ->> 0
ORDER BY 1, 2 LIMIT :limit

-- name: list_group_look_alikes
SELECT i.value ->> 0 AS asked, g.slug AS look_alike FROM rescind.json_items(:names) AS i
JOIN rescind."group" AS g ON g.organization = :o AND g.slug = i.value ->> 1
WHERE g.slug <> i.value ->> 0
UNION ALL
SELECT i.value ->> 0, g.slug FROM rescind.json_items(:names) AS i
JOIN rescind."group" AS g ON g.organization = :o AND g.folded = i.value ->> 1 AND g.folded IS NOT NULL
WHERE g.slug <> i.value ->> 0
ORDER BY 1, 2 LIMIT :limit

-- All look-alikes of an organization, grouped by folded form.

-- name: list_memberships_alike
SELECT m.folded, m.subject AS name FROM rescind.membership AS m
WHERE m.organization = :o AND m.folded IS NOT NULL
  AND (EXISTS (SELECT 1 FROM rescind.membership AS x WHERE x.organization = :o AND x.subject = m.folded)
       OR EXISTS (SELECT 1 FROM rescind.membership AS x
                  WHERE x.organization = :o AND x.folded = m.folded AND x.folded IS NOT NULL AND x.id <> m.id))
UNION
SELECT x.subject, x.subject FROM rescind.membership AS m
JOIN rescind.membership AS x ON x.organization = :o AND x.subject = m.folded
WHERE m.organization = :o AND m.folded IS NOT NULL
ORDER BY 1, 2 LIMIT :limit

-- name: list_groups_alike
SELECT g.folded, g.slug AS name FROM rescind."group" AS g
WHERE g.organization = :o AND g.folded IS NOT NULL
  AND (EXISTS (SELECT 1 FROM rescind."group" AS x WHERE x.organization = :o AND x.slug = g.folded)
       OR EXISTS (SELECT 1 FROM rescind."group" AS x
                  WHERE x.organization = :o AND x.folded = g.folded AND x.folded IS NOT NULL AND x.id <> g.id))
UNION
SELECT x.slug, x.slug FROM rescind."group" AS g
JOIN rescind."group" AS x ON x.organization = :o AND x.slug = g.folded
WHERE g.organization = :o AND g.folded IS NOT NULL
ORDER BY 1, 2 LIMIT :limit

-- --- rules ---------------------------------------------------------------------------------------

-- name: read_id_rule
SELECT o.id_rule FROM rescind.organization AS o WHERE o.slug = :organization

-- name: refuse_id_rule_differs
SELECT 'organization_exists' AS code, 'organization' AS fact, o.slug || ', whose rule for ids is ' || o.id_rule AS value
FROM rescind.organization AS o WHERE o.id = :o AND o.id_rule <> :id_rule

-- name: set_id_rule
UPDATE rescind.organization SET id_rule = :id_rule WHERE id = :o AND id_rule <> :id_rule

-- Ids that may not be in canonical spelling: a canonical id is its own folded form.

-- name: list_uncanonical
SELECT 'memberships' AS kind, m.subject AS name FROM rescind.membership AS m WHERE m.organization = :o AND m.folded IS NOT NULL
UNION ALL
SELECT 'groups', g.slug FROM rescind."group" AS g WHERE g.organization = :o AND g.folded IS NOT NULL

-- `:respellings` lists each id, its canonical spelling, and the folded form of that.

-- name: respell_memberships
UPDATE rescind.membership SET subject = i.value ->> 1, folded = i.value ->> 2
FROM rescind.json_items(:respellings) AS i WHERE rescind.membership.organization = :o AND rescind.membership.subject = i.value ->> 0

-- name: respell_groups
UPDATE rescind."group" SET slug = i.value ->> 1, folded = i.value ->> 2
FROM rescind.json_items(:respellings) AS i WHERE rescind."group".organization = :o AND rescind."group".slug = i.value ->> 0

-- --- ids that change -----------------------------------------------------------------------------

-- name: rename_membership
UPDATE rescind.membership SET name = :name
WHERE organization = :o AND subject = :subject AND COALESCE(name, '') <> :name

-- name: refuse_membership_id_taken
SELECT 'membership_exists' AS code, 'subject' AS fact, m.subject AS value
FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = :new_id AND m.subject <> :subject

-- name: change_membership_id
UPDATE rescind.membership SET subject = :new_id, folded = :folded WHERE organization = :o AND subject = :subject

-- name: refuse_group_id_taken
SELECT 'group_exists' AS code, 'group' AS fact, g.slug AS value
FROM rescind."group" AS g WHERE g.organization = :o AND g.slug = :new_id AND g.slug <> :group

-- name: change_group_id
UPDATE rescind."group" SET slug = :new_id, folded = :folded, search_name = CASE WHEN name IS NULL THEN :search_name ELSE search_name END
WHERE organization = :o AND slug = :group
