-- Lists of facts. A page continues after a key in index order, so each page costs the same, however long the list is.
-- :now is the time of the question; 0 includes expired facts.

-- name: find_listed
SELECT o.id AS organization, o.revision, env.revision AS environment, o.last_number, o.role_mode,
       (SELECT g.id FROM rescind."group" AS g WHERE g.organization = o.id AND g.slug = :group AND g.ended IS NULL) AS "group",
       (SELECT m.id FROM rescind.membership AS m WHERE m.organization = o.id AND m.subject = :subject) AS membership,
       (SELECT q.id FROM rescind.role AS q WHERE q.slug = :role AND q.organization IN (0, o.id)
        ORDER BY q.organization DESC LIMIT 1) AS role,
       (SELECT x.id FROM rescind.resource AS x WHERE x.organization = o.id AND x.slug = :resource) AS resource
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env WHERE o.slug = :organization AND env.id = 0

-- --- groups and their members --------------------------------------------------------------------

-- name: listed_groups
SELECT g.slug AS "group", g.name FROM rescind."group" AS g
WHERE g.organization = :o AND g.slug > :after AND g.ended IS NULL ORDER BY g.slug LIMIT :limit

-- name: listed_groups_of_membership
SELECT g.id AS number, g.slug AS "group", g.name, c.recorded_at, c.actor, gm.expires_at
FROM rescind.group_member AS gm JOIN rescind."group" AS g ON g.organization = :o AND g.id = gm."group" AND g.ended IS NULL
LEFT JOIN rescind.change AS c ON c.organization = :o AND c.revision = gm.made
WHERE gm.organization = :o AND gm.membership = :m AND gm."group" > :after AND @changes.member_in_force
ORDER BY gm."group" LIMIT :limit

-- name: listed_groups_around
SELECT g.id AS number, g.slug AS "group", g.name, c.recorded_at, c.actor, CAST(NULL AS BIGINT) AS expires_at
FROM rescind.recorded_nesting AS n JOIN rescind."group" AS g ON g.organization = :o AND g.id = n.parent
LEFT JOIN rescind.change AS c ON c.organization = :o AND c.revision = n.made
WHERE n.organization = :o AND n.child = :g AND n.parent > :after AND n.ended IS NULL
ORDER BY n.parent LIMIT :limit

-- The groups nested in a group (negative numbers), then the memberships.

-- name: listed_members
SELECT p.id AS number, COALESCE(m.subject, 'group:' || g.slug) AS member, COALESCE(m.active, g.id IS NOT NULL) AS active, c.recorded_at, c.actor, p.expires_at
FROM (
    SELECT * FROM (
        SELECT n.child AS id, n.made, CAST(NULL AS BIGINT) AS expires_at FROM rescind.recorded_nesting AS n
        WHERE n.organization = :o AND n.parent = :g AND n.child > :after AND n.ended IS NULL
        ORDER BY n.child LIMIT :limit) AS nested
    UNION ALL
    SELECT * FROM (
        SELECT gm.membership AS id, gm.made, gm.expires_at FROM rescind.group_member AS gm
        WHERE gm.organization = :o AND gm."group" = :g AND gm.membership > :after AND @changes.member_in_force
        ORDER BY gm.membership LIMIT :limit) AS direct
    ORDER BY 1 LIMIT :limit) AS p
LEFT JOIN rescind.membership AS m ON m.organization = :o AND m.id = p.id
LEFT JOIN rescind."group" AS g ON g.organization = :o AND g.id = p.id
LEFT JOIN rescind.change AS c ON c.organization = :o AND c.revision = p.made
ORDER BY p.id

-- The memberships from :after to :up_to that a group or one below it holds, by the groups that hold them. Each group
-- below is looked up once, however long the list is.

-- fragment: places_below
SELECT gm.membership, gm."group", gm.made, gm.expires_at
FROM below AS b JOIN rescind.group_member AS gm
  ON gm.organization = :o AND gm."group" = b.id AND gm.membership > :after AND gm.membership <= :up_to
WHERE @changes.member_in_force

-- name: find_next_member_below
WITH RECURSIVE
below (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id)
SELECT min((
        SELECT gm.membership FROM rescind.group_member AS gm
        WHERE gm.organization = :o AND gm."group" = b.id AND gm.membership > :after AND @changes.member_in_force
        ORDER BY gm.membership LIMIT 1)) AS membership
FROM below AS b

-- name: listed_effective_members
WITH RECURSIVE
below (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below AS b JOIN rescind.nesting AS n ON n.organization = :o AND n.parent = b.id),
place (membership, "group", made, expires_at) AS (@listing.places_below
),
page (membership) AS (SELECT DISTINCT p.membership FROM place AS p ORDER BY p.membership LIMIT :limit)
SELECT p.membership, (SELECT m.subject FROM rescind.membership AS m WHERE m.organization = :o AND m.id = p.membership) AS subject,
       (SELECT m.active FROM rescind.membership AS m WHERE m.organization = :o AND m.id = p.membership) AS active,
       (SELECT g.slug FROM rescind."group" AS g WHERE g.organization = :o AND g.id = p."group") AS "group", p.made,
       (SELECT c.recorded_at FROM rescind.change AS c WHERE c.organization = :o AND c.revision = p.made) AS recorded_at,
       (SELECT c.actor FROM rescind.change AS c WHERE c.organization = :o AND c.revision = p.made) AS actor, p.expires_at
FROM place AS p
WHERE p.membership <= (SELECT max(page.membership) FROM page)
ORDER BY p.membership, p."group"

-- --- roles and permissions -----------------------------------------------------------------------

-- The organization's own (first) and those of all organizations, each ordered by name.

-- name: listed_roles
SELECT r.id AS number, r.slug AS role, r.name, r.organization = 0 AS is_shared, r.priority, r.critical, r.resource_type FROM (
    SELECT * FROM (
        SELECT * FROM rescind.role WHERE organization = :o AND slug > :after ORDER BY slug LIMIT :limit) AS own
    UNION ALL
    SELECT * FROM (
        SELECT * FROM rescind.role WHERE organization = 0 AND :o <> 0 AND slug > :after ORDER BY slug LIMIT :limit) AS shared) AS r
ORDER BY r.slug, r.organization DESC LIMIT :limit

-- name: listed_permissions_of_roles
SELECT rp.role, (SELECT p.slug FROM rescind.permission AS p WHERE p.id = rp.permission) AS permission
FROM rescind.role_permission AS rp WHERE rp.role IN (SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:roles) AS i)

-- name: listed_permissions
SELECT p.slug AS permission, p.description, p.organization = 0 AS is_shared, p.critical FROM (
    SELECT * FROM (
        SELECT * FROM rescind.permission WHERE organization = :o AND slug > :after ORDER BY slug LIMIT :limit) AS own
    UNION ALL
    SELECT * FROM (
        SELECT * FROM rescind.permission WHERE organization = 0 AND :o <> 0 AND slug > :after ORDER BY slug LIMIT :limit) AS shared) AS p
ORDER BY p.slug, p.organization DESC LIMIT :limit

-- name: listed_permissions_of_role
SELECT p.id AS number, p.slug AS permission, p.description, p.organization = 0 AS is_shared, p.critical
FROM rescind.role_permission AS rp JOIN rescind.permission AS p ON p.id = rp.permission
WHERE rp.role = :q AND rp.permission > :after ORDER BY rp.permission LIMIT :limit

-- What a group gives its members on a resource. In a single-role organization the highest of its organization-wide
-- roles counts, as for a member who has no other role.

-- name: listed_permissions_of_group
WITH RECURSIVE holder (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h JOIN rescind.nesting AS n ON n.organization = :o AND n.child = h.id),
@decisions.above,
given (role, resource) AS (
    SELECT a.role, a.resource FROM @decisions.held_at
    WHERE a.expires_at IS NULL OR a.expires_at > :now),
counting (role) AS (
    SELECT g.role FROM given AS g JOIN rescind.organization AS o ON o.id = :o
    WHERE o.role_mode = 'multiple' OR g.resource <> 0 OR g.role = (
        SELECT q.id FROM given AS w JOIN rescind.role AS q ON q.id = w.role WHERE w.resource = 0
        ORDER BY q.priority DESC, q.id LIMIT 1))
SELECT DISTINCT p.slug AS permission
FROM counting AS c JOIN rescind.role_permission AS rp ON rp.role = c.role JOIN rescind.permission AS p ON p.id = rp.permission
WHERE p.slug > :after ORDER BY p.slug LIMIT :limit

-- --- resources and memberships -------------------------------------------------------------------

-- name: listed_resources
SELECT r.slug AS resource, p.slug AS parent FROM rescind.resource AS r LEFT JOIN rescind.resource AS p ON p.organization = :o AND p.id = r.parent
WHERE r.organization = :o AND r.slug > :after AND (:end = '' OR r.slug < :end) AND r.id <> 0 ORDER BY r.slug LIMIT :limit

-- name: listed_resources_below
SELECT r.id AS number, r.slug AS resource FROM rescind.resource AS r
WHERE r.organization = :o AND r.parent = :r AND r.id > :after
ORDER BY r.id LIMIT :limit

-- name: listed_memberships
SELECT m.subject, m.name, m.active, m.created_at FROM rescind.membership AS m
WHERE m.organization = :o AND m.subject > :after AND (:end = '' OR m.subject < :end)
ORDER BY m.subject LIMIT :limit

-- name: listed_deactivated_memberships
SELECT m.subject, m.name, m.active, m.created_at FROM rescind.membership AS m
WHERE m.organization = :o AND m.subject > :after AND (:end = '' OR m.subject < :end) AND NOT m.active
ORDER BY m.subject LIMIT :limit

-- name: listed_active_memberships
SELECT m.subject, m.name, m.active, m.created_at FROM rescind.membership AS m
WHERE m.organization = :o AND m.subject > :after AND (:end = '' OR m.subject < :end) AND m.active
ORDER BY m.subject LIMIT :limit

-- --- assignments ---------------------------------------------------------------------------------

-- fragment: assignments_shown
SELECT a.id AS number, a.holder AS holder_number, a.resource AS resource_number, a.role AS role_number,
       COALESCE(m.subject, 'group:' || g.slug) AS holder, COALESCE(m.active, g.id IS NOT NULL) AS active, q.slug AS role, x.slug AS resource,
       c.recorded_at, c.actor, c.reason, a.expires_at

-- fragment: assignments_told
JOIN rescind.role AS q ON q.id = a.role
JOIN rescind.resource AS x ON x.organization = :o AND x.id = a.resource
LEFT JOIN rescind.membership AS m ON m.organization = :o AND m.id = a.holder
LEFT JOIN rescind."group" AS g ON g.organization = :o AND g.id = a.holder
LEFT JOIN rescind.change AS c ON c.organization = :o AND c.revision = a.made

-- name: listed_assignments
@listing.assignments_shown
FROM (
    SELECT * FROM rescind.assignment AS a WHERE a.organization = :o AND a.id > :id AND @changes.in_force
    ORDER BY a.id LIMIT :limit) AS a
@listing.assignments_told
ORDER BY a.id

-- name: listed_assignments_of_holder
@listing.assignments_shown
FROM (
    SELECT * FROM rescind.assignment AS a
    WHERE a.organization = :o AND a.holder = :holder AND (a.resource, a.role) > (:resource, :role) AND @changes.in_force
    ORDER BY a.resource, a.role LIMIT :limit) AS a
@listing.assignments_told
ORDER BY a.resource, a.role

-- name: listed_assignments_of_role
@listing.assignments_shown
FROM (
    SELECT * FROM rescind.assignment AS a WHERE a.role = :role AND a.organization = :o AND a.id > :id AND @changes.in_force
    ORDER BY a.id LIMIT :limit) AS a
@listing.assignments_told
ORDER BY a.id

-- name: listed_assignments_on_resource
@listing.assignments_shown
FROM (
    SELECT * FROM rescind.assignment AS a
    WHERE a.organization = :o AND a.resource = :resource AND (a.holder, a.role) > (:holder, :role) AND @changes.in_force
    ORDER BY a.holder, a.role LIMIT :limit) AS a
@listing.assignments_told
ORDER BY a.holder, a.role

-- The holders of a holder: itself and the groups that reach it now, if they hold anything.

-- name: listed_holders
WITH RECURSIVE holder (id) AS (
    SELECT CAST(:holder AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind.group_member AS gm WHERE gm.organization = :o AND gm.membership = :holder AND @changes.member_in_force
    UNION
    SELECT n.parent FROM holder AS h JOIN rescind.nesting AS n ON n.organization = :o AND n.child = h.id)
SELECT h.id AS holder FROM holder AS h
WHERE h.id >= :from AND EXISTS (
    SELECT 1 FROM rescind.assignment AS a WHERE a.organization = :o AND a.holder = h.id AND a.ended IS NULL)
ORDER BY h.id

-- --- what expires --------------------------------------------------------------------------------

-- Group memberships and assignments that end after a key and not after :until, the earliest first.

-- name: listed_expiring
SELECT e.expires_at, e.kind, e.x AS first, e.y AS second, COALESCE(m.subject, 'group:' || h.slug) AS holder, COALESCE(m.active, h.id IS NOT NULL) AS active,
       CASE WHEN g.ended IS NULL THEN g.slug END AS "group", q.slug AS role, r.slug AS resource, c.recorded_at, c.actor
FROM (
    SELECT * FROM (
        SELECT gm.expires_at, 0 AS kind, gm.membership AS x, gm."group" AS y, gm.membership AS holder, gm."group" AS place,
               CAST(NULL AS INTEGER) AS role, CAST(NULL AS INTEGER) AS resource, gm.made
        FROM rescind.group_member AS gm
        WHERE gm.organization = :o AND gm.expires_at <= :until
          AND (gm.expires_at, gm.membership, gm."group") > (:place_at, :place_x, :place_y)
        ORDER BY gm.expires_at, gm.membership, gm."group" LIMIT :limit) AS places
    UNION ALL
    SELECT * FROM (
        SELECT a.expires_at, 1, a.id, 0, a.holder, CAST(NULL AS INTEGER), a.role, a.resource, a.made
        FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.ended IS NULL AND a.expires_at <= :until
          AND (a.expires_at, a.id) > (:given_at, :given_x)
        ORDER BY a.expires_at, a.id LIMIT :limit) AS given
    ORDER BY 1, 2, 3, 4 LIMIT :limit) AS e
LEFT JOIN rescind.membership AS m ON m.organization = :o AND m.id = e.holder
LEFT JOIN rescind."group" AS h ON h.organization = :o AND h.id = e.holder
LEFT JOIN rescind."group" AS g ON g.organization = :o AND g.id = e.place
LEFT JOIN rescind.role AS q ON q.id = e.role
LEFT JOIN rescind.resource AS r ON r.organization = :o AND r.id = e.resource
LEFT JOIN rescind.change AS c ON c.organization = :o AND c.revision = e.made
ORDER BY e.expires_at, e.kind, e.x, e.y

-- --- names like one that is not there ------------------------------------------------------------

-- For each kind, some names near a given one in name order, and the first ones: a bounded number. Only of the
-- organization itself and of all organizations.

-- name: similar_groups
SELECT slug AS name FROM (
    SELECT slug FROM rescind."group" WHERE organization = :o AND slug < :name AND slug > :first AND ended IS NULL ORDER BY slug DESC LIMIT :limit) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind."group" WHERE organization = :o AND slug >= :name AND ended IS NULL ORDER BY slug LIMIT :limit) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind."group" WHERE organization = :o AND slug > :first AND ended IS NULL ORDER BY slug LIMIT :limit) AS c

-- name: similar_subjects
SELECT subject AS name FROM (
    SELECT subject FROM rescind.membership WHERE organization = :o AND subject < :name AND subject > :first ORDER BY subject DESC LIMIT :limit) AS a
UNION SELECT subject FROM (
    SELECT subject FROM rescind.membership WHERE organization = :o AND subject >= :name ORDER BY subject LIMIT :limit) AS b
UNION SELECT subject FROM (
    SELECT subject FROM rescind.membership WHERE organization = :o AND subject > :first ORDER BY subject LIMIT :limit) AS c

-- name: similar_resources
SELECT slug AS name FROM (
    SELECT slug FROM rescind.resource WHERE organization = :o AND slug < :name AND slug > :first ORDER BY slug DESC LIMIT :limit) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource WHERE organization = :o AND slug >= :name ORDER BY slug LIMIT :limit) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource WHERE organization = :o AND slug > :first ORDER BY slug LIMIT :limit) AS c

-- name: similar_roles
SELECT slug AS name FROM (
    SELECT slug FROM rescind.role WHERE organization = :o AND slug < :name AND slug > :first ORDER BY slug DESC LIMIT :limit) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind.role WHERE organization = :o AND slug >= :name ORDER BY slug LIMIT :limit) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind.role WHERE organization = :o AND slug > :first ORDER BY slug LIMIT :limit) AS c
UNION SELECT slug FROM (
    SELECT slug FROM rescind.role WHERE organization = 0 AND slug < :name AND slug > :first ORDER BY slug DESC LIMIT :limit) AS d
UNION SELECT slug FROM (
    SELECT slug FROM rescind.role WHERE organization = 0 AND slug >= :name ORDER BY slug LIMIT :limit) AS e
UNION SELECT slug FROM (
    SELECT slug FROM rescind.role WHERE organization = 0 AND slug > :first ORDER BY slug LIMIT :limit) AS f

-- name: similar_permissions
SELECT slug AS name FROM (
    SELECT slug FROM rescind.permission WHERE organization = :o AND slug < :name AND slug > :first ORDER BY slug DESC LIMIT :limit) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind.permission WHERE organization = :o AND slug >= :name ORDER BY slug LIMIT :limit) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind.permission WHERE organization = :o AND slug > :first ORDER BY slug LIMIT :limit) AS c
UNION SELECT slug FROM (
    SELECT slug FROM rescind.permission WHERE organization = 0 AND slug < :name AND slug > :first ORDER BY slug DESC LIMIT :limit) AS d
UNION SELECT slug FROM (
    SELECT slug FROM rescind.permission WHERE organization = 0 AND slug >= :name ORDER BY slug LIMIT :limit) AS e
UNION SELECT slug FROM (
    SELECT slug FROM rescind.permission WHERE organization = 0 AND slug > :first ORDER BY slug LIMIT :limit) AS f

-- name: similar_types
SELECT slug AS name FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = :o AND slug < :name AND slug > :first ORDER BY slug DESC LIMIT :limit) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = :o AND slug >= :name ORDER BY slug LIMIT :limit) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = :o AND slug > :first ORDER BY slug LIMIT :limit) AS c
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = 0 AND slug < :name AND slug > :first ORDER BY slug DESC LIMIT :limit) AS d
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = 0 AND slug >= :name ORDER BY slug LIMIT :limit) AS e
UNION SELECT slug FROM (
    SELECT slug FROM rescind.resource_type WHERE organization = 0 AND slug > :first ORDER BY slug LIMIT :limit) AS f

-- name: similar_organizations
SELECT slug AS name FROM (
    SELECT slug FROM rescind.organization WHERE id <> 0 AND slug < :name AND slug > :first ORDER BY slug DESC LIMIT :limit) AS a
UNION SELECT slug FROM (
    SELECT slug FROM rescind.organization WHERE id <> 0 AND slug >= :name ORDER BY slug LIMIT :limit) AS b
UNION SELECT slug FROM (
    SELECT slug FROM rescind.organization WHERE id <> 0 AND slug > :first ORDER BY slug LIMIT :limit) AS c

-- name: find_unknown
SELECT o.id AS organization,
       (SELECT 1 FROM rescind.membership AS m WHERE m.organization = o.id AND m.subject = :subject) AS has_subject,
       (SELECT 1 FROM rescind."group" AS g WHERE g.organization = o.id AND g.slug = :group AND g.ended IS NULL) AS has_group,
       (SELECT 1 FROM rescind.permission AS p WHERE p.slug = :permission AND p.organization IN (0, o.id) LIMIT 1) AS has_permission,
       (SELECT 1 FROM rescind.resource AS r WHERE r.organization = o.id AND r.slug = :resource) AS has_resource
FROM rescind.organization AS o WHERE o.slug = :organization
