-- Queries and fragments that are written differently for SQLite.

-- name: check_plan
SELECT 1 FROM rescind.organization AS o WHERE o.id = :o AND o.slug = :organization AND o.role_mode = :mode
AND (:has_required IS NULL OR :has_required =
    EXISTS (SELECT 1 FROM rescind.role AS q WHERE q.organization IN (0, o.id) AND q.required)
)
AND (:id_rule IS NULL OR o.id_rule = :id_rule)

-- Returns what the change will have in the log, and the digest before it. SQLite has no SHA-256, so this process makes the
-- digest of the two.

-- name: advance_revision
UPDATE rescind.organization
SET revision = revision + 1, last_number = last_number + CAST(rescind.tallied('numbers') AS INTEGER)
WHERE id = :o
RETURNING id AS organization, revision, CAST(:now AS INTEGER) AS recorded_at, rescind.tallied('granted') AS granted,
          rescind.tallied('revoked') AS revoked, rescind.tallied('estimated') AS estimated,
CASE WHEN :is_elsewhere THEN (SELECT env.revision + 1 FROM rescind.organization AS env WHERE env.id = 0) END AS caused_by,
CASE WHEN id = 0 THEN revision
     ELSE (SELECT env.revision + CASE WHEN :is_elsewhere THEN 1 ELSE 0 END FROM rescind.organization AS env WHERE env.id = 0)
     END AS environment, :actor AS actor, :reason AS reason, :key AS idempotency_key,
CASE WHEN rescind.tallied('revoked') + rescind.tallied('revokes') > 0
       OR (rescind.tallied('takes') > 0 AND rescind.tallied('unsettled') + rescind.tallied('pended') > 0)
       OR (role_mode = 'single' AND (rescind.tallied('granted') + rescind.tallied('gains') > 0
                                     OR rescind.tallied('unsettled') > 0))
     THEN 'revokes' ELSE 'grants' END AS direction,
       CASE WHEN rescind.tallied('pended') > 0 THEN 'background' ELSE 'inline' END AS route, :body AS body,
(SELECT p.digest FROM rescind.change AS p
 WHERE p.organization = rescind.organization.id AND p.revision < rescind.organization.revision
 ORDER BY p.revision DESC LIMIT 1) AS digest_before

-- name: record_change
INSERT INTO rescind.change (organization, revision, recorded_at, actor, reason, idempotency_key, direction, route,
                    granted, revoked, estimated, settled_at, body, caused_by, environment, digest)
VALUES (:organization, :revision, :recorded_at, :actor, :reason, :idempotency_key, :direction, :route,
        :granted, :revoked, :estimated, CASE WHEN :route = 'inline' THEN :recorded_at END, :body, :caused_by, :environment,
        CAST(:digest AS BLOB))
RETURNING organization, revision, (SELECT env.revision FROM rescind.organization AS env WHERE env.id = 0) AS environment, direction,
          route, granted + revoked + estimated AS fan_out, recorded_at, settled_at, :not_found AS not_found,
          rescind.tallied('pairs') AS pairs

-- A JSON array: SQLite has no function that packs numbers.

-- fragment: engine.packed_members
CAST(json_group_array(membership) AS TEXT)

-- The canonical form of a change in the log: see `semantics/chain.py`, which makes the same bytes.

-- fragment: engine.digested
CAST(c.organization || ',' || c.revision || ',' || c.recorded_at || ',' || c.granted || ',' || c.revoked || ',' || c.estimated || ','
|| ifnull(c.caused_by, '') || ',' || ifnull(c.environment, '') || ','
|| length(CAST(c.actor AS BLOB)) || ':' || c.actor || ',' || length(CAST(c.reason AS BLOB)) || ':' || c.reason || ','
|| ifnull(length(CAST(c.idempotency_key AS BLOB)), '') || ':' || ifnull(c.idempotency_key, '') || ','
|| length(CAST(c.direction AS BLOB)) || ':' || c.direction || ',' || length(CAST(c.route AS BLOB)) || ':' || c.route || ','
|| length(CAST(c.body AS BLOB)) || ':' || c.body || ',' AS BLOB)

-- The same bytes in half the time: each `||` copies all that is before it. `printf` would end a text at a NUL, which is in
-- none that Rescind wrote.

-- fragment: engine.digested_at_once
CASE WHEN instr(c.actor, char(0)) + instr(c.reason, char(0)) + ifnull(instr(c.idempotency_key, char(0)), 0)
    + instr(c.direction, char(0)) + instr(c.route, char(0)) + instr(c.body, char(0)) = 0
THEN CAST(printf('%d,%d,%d,%d,%d,%d,%s,%s,%d:%s,%d:%s,%s:%s,%d:%s,%d:%s,%d:%s,', c.organization, c.revision, c.recorded_at,
    c.granted, c.revoked, c.estimated, c.caused_by, c.environment, length(CAST(c.actor AS BLOB)), c.actor,
    length(CAST(c.reason AS BLOB)), c.reason, length(CAST(c.idempotency_key AS BLOB)), c.idempotency_key,
    length(CAST(c.direction AS BLOB)), c.direction, length(CAST(c.route AS BLOB)), c.route,
    length(CAST(c.body AS BLOB)), c.body) AS BLOB)
ELSE @engine.digested END

-- fragment: engine.is_short
length(c.body) <= :long

-- The changes without digest, of which there are few or none. By its statistics, SQLite would as soon go through the whole log.

-- fragment: engine.unchained
rescind.change AS x INDEXED BY rescind.change_unchained

-- What was reported and will end, which is little of all that was reported: likewise.

-- fragment: engine.expiring_members
rescind.directory_member INDEXED BY rescind.directory_member_expiring

-- fragment: engine.expiring_roles
rescind.directory_given INDEXED BY rescind.directory_given_expiring

-- fragment: engine.digests
:digests

-- fragment: engine.action_content
CAST(a.number || ',' || a.recorded_at || ',' || ifnull(a.organization, '') || ','
|| length(CAST(a.kind AS BLOB)) || ':' || a.kind || ',' || length(CAST(a.subject AS BLOB)) || ':' || a.subject || ','
|| length(CAST(a.detail AS BLOB)) || ':' || a.detail || ',' || length(CAST(a.actor AS BLOB)) || ':' || a.actor || ','
|| length(CAST(a.request AS BLOB)) || ':' || a.request || ',' AS BLOB)

-- A service action is logged in two steps, with its digest made between them.

-- name: draft_action
WITH a AS (
    SELECT h.number + 1 AS number, CAST(:now AS INTEGER) AS recorded_at, CAST(:kind AS TEXT) AS kind,
           COALESCE(CAST(:o AS INTEGER), (SELECT k.bound_to FROM rescind.api_key AS k WHERE k.id = :key)) AS organization,
           CAST(:subject AS TEXT) AS subject, CAST(:detail AS TEXT) AS detail, CAST(:actor AS TEXT) AS actor,
           CAST(:request AS TEXT) AS request, h.digest AS digest_before
    FROM rescind.action_head AS h)
SELECT a.number, a.recorded_at, a.kind, a.organization, a.subject, a.detail, a.actor, a.request, a.digest_before,
       @engine.action_content AS content
FROM a

-- name: record_action
INSERT INTO rescind.action (number, recorded_at, kind, organization, subject, detail, actor, request, digest)
VALUES (:number, :recorded_at, :kind, :organization, :subject, :detail, :actor, :request, :digest)

-- name: advance_actions
UPDATE rescind.action_head SET number = :number, digest = :digest

-- name: keep_not_found
UPDATE rescind.idempotency SET not_found = :not_found WHERE organization = :o AND key = :key

-- name: read_unaltered
SELECT o.id AS organization, o.revision, env.revision AS environment, NULL AS direction, NULL AS route, NULL AS fan_out, NULL AS recorded_at,
       NULL AS settled_at, :not_found AS not_found, rescind.tallied('pairs') AS pairs
FROM rescind.organization AS o JOIN rescind.organization AS env ON env.id = 0 WHERE o.id = :o

-- What everything in one cached index must have in common: the incarnation, and the oldest code that may go on.

-- fragment: engine.server
(SELECT i.incarnation || '/' || i.usable_from FROM rescind.installation AS i) AS server

-- fragment: engine.clock
CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)

-- SQLite has one writer at a time, so no job runs during a change.

-- fragment: engine.is_busy
FALSE

-- name: hold_definitions
SELECT 1 WHERE FALSE

-- name: remember_definitions
SELECT 1 WHERE FALSE

-- name: refuse_moved_definitions
SELECT 'definitions_moved' AS code, 'revision' AS fact, CAST(:o AS TEXT) AS value WHERE FALSE

-- name: refuse_group_busy
SELECT 'group_busy' AS code, 'group' AS fact, CAST(:g AS TEXT) AS value WHERE FALSE

-- name: refuse_one_group_busy
SELECT 'group_busy' AS code, 'group' AS fact, CAST(:g AS TEXT) AS value WHERE FALSE

-- name: refuse_deletion_busy
SELECT 'group_busy' AS code, 'organization' AS fact, CAST(:o AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.deletion WHERE organization = :o)

-- name: read_held
SELECT revision FROM rescind.organization WHERE id = :o

-- The organization's own permission comes before the one of all organizations. Two look-ups by key; IN with ORDER BY
-- would sort.

-- fragment: engine.permission_asked
LEFT JOIN rescind.permission AS p ON p.id = COALESCE(
    (SELECT x.id FROM rescind.permission AS x WHERE x.slug = :permission AND x.organization = o.id),
    (SELECT x.id FROM rescind.permission AS x WHERE x.slug = :permission AND x.organization = 0))

-- Usually nothing is pending, and IN would build a table of its own.

-- fragment: decisions.is_trusted_multiple
NOT (
    EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id)
    AND EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id)))

-- Lists the holders once; SQLite would compute them again for each place.

-- fragment: engine.any_given
SELECT 1 FROM (SELECT json_group_array(id) AS ids FROM holder) AS listed CROSS JOIN place WHERE (
    SELECT 1 FROM rescind.assignment AS a
    WHERE a.organization = o.id AND a.resource = place.id AND a.ended IS NULL
    AND a.holder IN (SELECT i.value FROM json_each(listed.ids) AS i)
    AND (a.expires_at IS NULL OR a.expires_at > :now) AND
        (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
    LIMIT 1) IS NOT NULL

-- fragment: engine.is_visible
TRUE

-- name: lock_organization
SELECT id FROM rescind.organization WHERE id = :o

-- Checking for conflicts costs nothing on SQLite; reading the table that is being written does.

-- name: make_assignment
@reconcile.who_gets_what
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT :o, c.membership, a.id, c.expires_at FROM
reached AS c CROSS JOIN changed AS a WHERE @reconcile.in_range
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- name: make_assignment_again
SELECT 1 WHERE FALSE

-- name: settle_pending
DELETE FROM rescind.pending WHERE organization = :o AND "group" = :g AND kind = :kind AND ref IN (
    SELECT p.ref FROM rescind.json_items(:settled) AS i
    JOIN rescind.pending AS p ON p.organization = :o AND p."group" = :g AND p.kind = :kind
         AND p.ref = CAST(i.value ->> 0 AS INTEGER) AND p.revision + 0 = CAST(i.value ->> 1 AS INTEGER))

-- fragment: engine.is_in_spans
revision IN (
    SELECT c.revision FROM span AS s JOIN rescind.change AS c ON c.organization = :o AND c.settled_at IS NULL
         AND c.revision >= s.since AND c.revision <= s.revision)

-- fragment: engine.is_in_later_organization
p.urgency = t.urgency AND p.organization > t.organization

-- fragment: engine.is_in_later_group
p.urgency = t.urgency AND p.organization = :o AND p."group" > t."group"

-- fragment: engine.is_in_same_group
p.urgency = t.urgency AND p.organization = :o AND p."group" = t."group"

-- fragment: engine.oldest_rows
FROM oldest AS x
JOIN rescind.pending AS p ON p.organization = :o AND p."group" = x."group" AND p.kind = x.kind AND p.ref = x.ref

-- --- lists ----------------------------------------------------------------------------------------

-- fragment: engine.is_listed_holder
IN (SELECT i.value FROM json_each(:holders) AS i)

-- Walks a stream step by step, because a subquery in FROM cannot use a key of this query in SQLite.

-- name: stream_members
WITH RECURSIVE walk (key, "group", most, number) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 2, (
        SELECT gm.membership FROM rescind.group_member AS gm
        WHERE gm.organization = :o AND gm."group" = i.value ->> 0 AND gm.membership > i.value ->> 1
        ORDER BY gm.membership LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT w.key, w."group", w.most - 1, (
        SELECT gm.membership FROM rescind.group_member AS gm
        WHERE gm.organization = :o AND gm."group" = w."group" AND gm.membership > w.number
        ORDER BY gm.membership LIMIT 1)
    FROM walk AS w WHERE w.most > 1 AND w.number IS NOT NULL)
SELECT w.key, w.number, (gm.expires_at IS NULL OR gm.expires_at > :now) AS is_in_force
FROM walk AS w JOIN rescind.group_member AS gm ON gm.organization = :o AND gm."group" = w."group" AND gm.membership = w.number
WHERE w.number IS NOT NULL

-- name: stream_holders
WITH RECURSIVE walk (key, role, resource, most, number) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 1, i.value ->> 3, (
        SELECT a.holder FROM rescind.assignment AS a
        WHERE a.role = i.value ->> 0 AND a.organization = :o AND a.resource = i.value ->> 1 AND a.holder > i.value ->> 2
          AND a.ended IS NULL
        ORDER BY a.holder LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT w.key, w.role, w.resource, w.most - 1, (
        SELECT a.holder FROM rescind.assignment AS a
        WHERE a.role = w.role AND a.organization = :o AND a.resource = w.resource AND a.holder > w.number
          AND a.ended IS NULL
        ORDER BY a.holder LIMIT 1)
    FROM walk AS w WHERE w.most > 1 AND w.number IS NOT NULL)
SELECT w.key, w.number,
(@lists.is_unexpired) AS is_in_force
FROM walk AS w
JOIN rescind.assignment AS a ON a.role = w.role AND a.organization = :o AND a.resource = w.resource AND a.holder = w.number
WHERE w.number IS NOT NULL

-- name: stream_holders_of_any
WITH RECURSIVE x (key, resource, most, holder) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 2, (
        SELECT a.holder FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.resource = i.value ->> 0 AND a.holder > i.value ->> 1 ORDER BY a.holder LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT x.key, x.resource, x.most - 1, (
        SELECT a.holder FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.resource = x.resource AND a.holder > x.holder ORDER BY a.holder LIMIT 1)
    FROM x WHERE x.most > 1 AND x.holder IS NOT NULL)
SELECT x.key, x.holder AS number,
@lists.is_given AS is_in_force
FROM x WHERE x.holder IS NOT NULL

-- name: stream_places
WITH RECURSIVE x (key, holder, most, resource) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 2, (
        SELECT a.resource FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.holder = i.value ->> 0 AND a.resource > i.value ->> 1 AND a.ended IS NULL
        ORDER BY a.resource LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT x.key, x.holder, x.most - 1, (
        SELECT a.resource FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.holder = x.holder AND a.resource > x.resource AND a.ended IS NULL
        ORDER BY a.resource LIMIT 1)
    FROM x WHERE x.most > 1 AND x.resource IS NOT NULL)
SELECT x.key, x.resource AS number,
@lists.is_given AS is_in_force
FROM x WHERE x.resource IS NOT NULL

-- name: stream_children
WITH RECURSIVE walk (key, parent, most, number) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 2, (
        SELECT r.id FROM rescind.resource AS r
        WHERE r.organization = :o AND r.parent = i.value ->> 0 AND r.id > i.value ->> 1 ORDER BY r.id LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT w.key, w.parent, w.most - 1, (
        SELECT r.id FROM rescind.resource AS r
        WHERE r.organization = :o AND r.parent = w.parent AND r.id > w.number ORDER BY r.id LIMIT 1)
    FROM walk AS w WHERE w.most > 1 AND w.number IS NOT NULL)
SELECT w.key, w.number, TRUE AS is_in_force FROM walk AS w WHERE w.number IS NOT NULL

-- name: stream_contents
WITH RECURSIVE walk (key, role, most, number) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 2, (
        SELECT rp.permission FROM rescind.role_permission AS rp
        WHERE rp.role = i.value ->> 0 AND rp.permission > i.value ->> 1 ORDER BY rp.permission LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT w.key, w.role, w.most - 1, (
        SELECT rp.permission FROM rescind.role_permission AS rp
        WHERE rp.role = w.role AND rp.permission > w.number ORDER BY rp.permission LIMIT 1)
    FROM walk AS w WHERE w.most > 1 AND w.number IS NOT NULL)
SELECT w.key, w.number, TRUE AS is_in_force FROM walk AS w WHERE w.number IS NOT NULL

-- Where a subject holds a permission. Lists of a user's own table start with it, once for each.

-- fragment: engine.gives_permission
(SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL

-- name: define_reach
CREATE VIEW rescind.reach AS
SELECT o.slug AS organization, m.subject, p.slug AS permission, o.id AS number, o.last_number, (
    SELECT json_group_array(held.place) FROM (
        WITH RECURSIVE
            @decisions.holder_at
        SELECT a.resource AS place FROM holder AS h
        JOIN rescind.assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.ended IS NULL
        WHERE (a.expires_at IS NULL OR a.expires_at > :now) AND (a.resource <> 0 OR o.role_mode = 'multiple') AND @engine.gives_permission
        UNION
        SELECT 0 WHERE o.role_mode = 'single' AND @decisions.wide_live_single) AS held) AS places
FROM rescind.organization AS o
JOIN rescind.membership AS m ON m.organization = o.id
JOIN rescind.permission AS p ON p.organization IN (0, o.id)
WHERE o.slug IS NOT NULL AND m.active

-- The start of a user's statement that lists rows of their own table; `rescind.sql` fills in the names. A few
-- resources are looked up in the table by key; many are looked for in the table's own order. Those directly below the
-- places are counted first, which costs little: where they are too many, no list is begun. Resources below a place
-- are visited depth first, at most `most` of each, because SQLite makes all rows of a recursive step before it applies
-- a LIMIT. The look-up of the organization's row stops the second branch before it begins; it is known to return one
-- row, which keeps the order of the table. SQLite copies a CTE to each place that names it, and merges the branches
-- into a statement with joins only if it has at most 500 SELECTs: so each CTE is named as rarely as can be.

-- fragment: places_asked
SELECT x.number, x.places FROM rescind.reach AS x
    WHERE x.organization = :organization AND x.subject = :subject AND x.permission = :permission

-- fragment: most
SELECT CASE WHEN x.last_number < 10000 THEN 200 WHEN x.last_number < 100000 THEN 600
    WHEN x.last_number < 1000000 THEN 1100 ELSE 2500 END FROM rescind.organization AS x WHERE x.slug = :organization

-- fragment: reach_asked
WITH RECURSIVE
held AS MATERIALIZED (
    @sqlite.places_asked),
asked AS (
    SELECT held.number, held.places, instr(replace(replace(held.places, '[', ','), ']', ','), ',0,') > 0 AS everything,
        (@sqlite.most) AS most
    FROM held),
few AS MATERIALIZED (           -- the same, unless there are too many places, or resources directly below them
    SELECT asked.number, asked.places FROM asked
    WHERE NOT asked.everything AND json_array_length(asked.places) <= asked.most AND asked.most >= (
        SELECT count(*) FROM (
            SELECT 1 FROM json_each(asked.places) AS i
            JOIN rescind.resource AS x ON x.organization = asked.number AND x.parent = i.value
            LIMIT (@sqlite.most) + 1) AS x)),
below (id, number, depth) AS MATERIALIZED (
    SELECT i.value, few.number, 0 FROM few JOIN json_each(few.places) AS i
    UNION ALL
    SELECT x.id, below.number, below.depth + 1 FROM below JOIN rescind.resource AS x ON x.organization = below.number AND x.id IN (
        SELECT y.id FROM rescind.resource AS y WHERE y.organization = below.number AND y.parent = below.id
        LIMIT (@sqlite.most) + 1)
    ORDER BY 3 DESC LIMIT (@sqlite.most) + 1)
SELECT CASE WHEN NOT x.is_walked THEN x.number END AS listed_in, CASE WHEN x.is_walked THEN x.number END AS walked_in,
    x.everything, x.places, x.listed
FROM (
    SELECT asked.number, asked.places, asked.everything, found.listed,
        asked.places <> '[]' AND found.visited NOT BETWEEN 1 AND asked.most AS is_walked
    FROM asked JOIN (
        SELECT count(*) AS visited, json_group_array(DISTINCT below.id) AS listed FROM below) AS found) AS x

-- fragment: permitted_rows
SELECT $columns, TRUE AS is_listed FROM $reach AS reach JOIN json_each(reach.listed) AS listed
    JOIN rescind.resource AS named ON named.organization = reach.listed_in AND named.id = listed.value
    JOIN (SELECT $alias.*, $resource AS resource_asked FROM $table) AS $alias ON named.slug = $alias.resource_asked$lookup
    UNION ALL
    SELECT $columns, FALSE FROM rescind.organization AS walked
    JOIN (SELECT $alias.*, $resource AS resource_asked FROM $table) AS $alias
    WHERE walked.id = (SELECT reach.walked_in FROM $reach AS reach) AND (
        SELECT reach.everything OR EXISTS (
            WITH RECURSIVE up (id, parent) AS (
                SELECT r.id, r.parent
                UNION ALL
                SELECT x.id, x.parent FROM up JOIN rescind.resource AS x
                ON x.organization = walked.id AND x.id = up.parent AND up.parent <> 0)
            SELECT 1 FROM up WHERE up.id IN (SELECT i.value FROM $reach AS reach JOIN json_each(reach.places) AS i))
        FROM rescind.resource AS r JOIN $reach AS reach
        WHERE r.organization = walked.id AND r.slug = $alias.resource_asked)

-- name: permitted
WITH
reach AS MATERIALIZED (
    @sqlite.reach_asked),
permitted AS NOT MATERIALIZED (
    @sqlite.permitted_rows)

-- The same in two parts, for statements that `rescind.integrations.sqlalchemy` puts together: what is found once, and
-- the rows of a table, or whether one resource is permitted. The resource is asked where no name of ours is in scope.

-- name: reach_of_list
@sqlite.reach_asked

-- name: rows_of_list
@sqlite.permitted_rows

-- name: reach_of_row
@sqlite.places_asked

-- name: row_is_permitted
EXISTS (
    SELECT 1 FROM (SELECT $resource AS slug) AS asked
    JOIN $reach AS reach
    JOIN rescind.resource AS r ON r.organization = reach.number AND r.slug = asked.slug
    WHERE 0 IN (SELECT i.value FROM $reach AS y JOIN json_each(y.places) AS i) OR EXISTS (
        WITH RECURSIVE up (id, parent) AS (
            SELECT r.id, r.parent
            UNION ALL
            SELECT x.id, x.parent FROM up JOIN rescind.resource AS x
            ON x.organization = reach.number AND x.id = up.parent AND up.parent <> 0)
        SELECT 1 FROM up WHERE up.id IN (SELECT i.value FROM $reach AS y JOIN json_each(y.places) AS i)))
