-- advance_actions
UPDATE rescind_action_head SET number = :number, digest = :digest

-- advance_revision
UPDATE rescind_organization
SET revision = revision + 1, last_number = last_number + CAST(rescind_tallied('numbers') AS INTEGER)
WHERE id = :o
RETURNING id AS organization, revision, CAST(:now AS INTEGER) AS recorded_at, rescind_tallied('granted') AS granted,
    rescind_tallied('revoked') AS revoked, rescind_tallied('estimated') AS estimated,
CASE WHEN :is_elsewhere THEN (SELECT env.revision + 1 FROM rescind_organization AS env WHERE env.id = 0) END AS caused_by,
CASE WHEN id = 0 THEN revision
    ELSE (SELECT env.revision + CASE WHEN :is_elsewhere THEN 1 ELSE 0 END FROM rescind_organization AS env WHERE env.id = 0)
END AS environment, :actor AS actor, :reason AS reason, :key AS idempotency_key,
CASE WHEN rescind_tallied('revoked') + rescind_tallied('revokes') > 0
    OR (rescind_tallied('takes') > 0 AND rescind_tallied('unsettled') + rescind_tallied('pended') > 0)
    OR (role_mode = 'single' AND (rescind_tallied('granted') + rescind_tallied('gains') > 0
            OR rescind_tallied('unsettled') > 0))
    THEN 'revokes' ELSE 'grants' END AS direction,
CASE WHEN rescind_tallied('pended') > 0 THEN 'background' ELSE 'inline' END AS route, :body AS body,
    (SELECT p.digest FROM rescind_change AS p
    WHERE p.organization = rescind_organization.id AND p.revision < rescind_organization.revision
    ORDER BY p.revision DESC LIMIT 1) AS digest_before

-- check_plan
SELECT 1 FROM rescind_organization AS o WHERE o.id = :o AND o.slug = :organization AND o.role_mode = :mode
AND (:has_required IS NULL OR :has_required =
    EXISTS (SELECT 1 FROM rescind_role AS q WHERE q.organization IN (0, o.id) AND q.required)
)
AND (:id_rule IS NULL OR o.id_rule = :id_rule)

-- define_reach
CREATE VIEW rescind_reach AS
SELECT o.slug AS organization, m.subject, p.slug AS permission, o.id AS number, o.last_number, (
    SELECT json_group_array(held.place) FROM (
        WITH RECURSIVE
            holder (id) AS (
            SELECT m.id
            UNION ALL
            SELECT gm."group" FROM rescind_group_member AS gm
            WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
            UNION
            SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id)
        SELECT a.resource AS place FROM holder AS h
        CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.ended IS NULL
        WHERE (a.expires_at IS NULL OR a.expires_at > :now) AND (a.resource <> 0 OR o.role_mode = 'multiple') AND (SELECT 1 FROM rescind_role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL
        UNION
        SELECT 0 WHERE o.role_mode = 'single' AND EXISTS (
            SELECT 1 FROM rescind_role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
                    WITH RECURSIVE
                        holder (id) AS (
                        SELECT m.id
                        UNION ALL
                        SELECT gm."group" FROM rescind_group_member AS gm
                        WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
                        UNION
                        SELECT n.parent FROM holder AS h CROSS JOIN rescind_nesting AS n ON n.organization = o.id AND n.child = h.id)
                    SELECT a.role FROM holder AS h
                    CROSS JOIN rescind_assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL
                    CROSS JOIN rescind_role AS q ON q.id = a.role
                    WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                    AND
                    NOT EXISTS (SELECT 1 FROM rescind_role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                    ORDER BY q.priority DESC, q.id
                    LIMIT 1), o.default_role))) AS held) AS places
FROM rescind_organization AS o
CROSS JOIN rescind_membership AS m ON m.organization = o.id
CROSS JOIN rescind_permission AS p ON p.organization IN (0, o.id)
WHERE o.slug IS NOT NULL AND m.active

-- draft_action
WITH a AS (
    SELECT h.number + 1 AS number, CAST(:now AS INTEGER) AS recorded_at, CAST(:kind AS TEXT) AS kind,
        COALESCE(CAST(:o AS INTEGER), (SELECT k.bound_to FROM rescind_api_key AS k WHERE k.id = :key)) AS organization,
        CAST(:subject AS TEXT) AS subject, CAST(:detail AS TEXT) AS detail, CAST(:actor AS TEXT) AS actor,
        CAST(:request AS TEXT) AS request, h.digest AS digest_before
    FROM rescind_action_head AS h)
SELECT a.number, a.recorded_at, a.kind, a.organization, a.subject, a.detail, a.actor, a.request, a.digest_before,
    CAST(a.number || ',' || a.recorded_at || ',' || ifnull(a.organization, '') || ','
        || length(CAST(a.kind AS BLOB)) || ':' || a.kind || ',' || length(CAST(a.subject AS BLOB)) || ':' || a.subject || ','
        || length(CAST(a.detail AS BLOB)) || ':' || a.detail || ',' || length(CAST(a.actor AS BLOB)) || ':' || a.actor || ','
        || length(CAST(a.request AS BLOB)) || ':' || a.request || ',' AS BLOB) AS content
FROM a

-- hold_definitions
SELECT 1 WHERE FALSE

-- keep_not_found
UPDATE rescind_idempotency SET not_found = :not_found WHERE organization = :o AND key = :key

-- lock_organization
SELECT id FROM rescind_organization WHERE id = :o

-- make_assignment
WITH RECURSIVE
    below (id) AS (
    SELECT CAST(:g AS INTEGER)
    UNION
    SELECT n.child FROM below AS b CROSS JOIN rescind_nesting AS n ON n.organization = :o AND n.parent = b.id),
    reached (membership, expires_at) AS MATERIALIZED (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END
    FROM below AS b CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = b.id
    AND gm.membership >= :from_m AND gm.membership <= :to_m
    GROUP BY gm.membership),
    changed (id) AS MATERIALIZED (
    SELECT a.id FROM rescind_assignment AS a
    WHERE a.organization = :o AND a.holder = :g AND a.holder < 0 AND a.ended IS NULL
    AND (a.made, a.id) > (:since, :above) AND (a.made, a.id) <= (:revision, :up_to)
    AND a.id > :above AND a.id <= :up_to
    ORDER BY a.id)
INSERT INTO rescind_effective_role (organization, membership, assignment, expires_at)
SELECT :o, c.membership, a.id, c.expires_at FROM
    reached AS c CROSS JOIN changed AS a WHERE (c.membership > :from_m OR a.id > :after_a) AND (c.membership < :to_m OR a.id <= :up_to_a)
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind_effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- make_assignment_again
SELECT 1 WHERE FALSE

-- permitted
WITH
    reach AS MATERIALIZED (
    WITH RECURSIVE
        held AS MATERIALIZED (
        SELECT x.number, x.places FROM rescind_reach AS x
        WHERE x.organization = :organization AND x.subject = :subject AND x.permission = :permission),
        asked AS (
        SELECT held.number, held.places, instr(replace(replace(held.places, '[', ','), ']', ','), ',0,') > 0 AS everything,
            (SELECT CASE WHEN x.last_number < 10000 THEN 200 WHEN x.last_number < 100000 THEN 600
                WHEN x.last_number < 1000000 THEN 1100 ELSE 2500 END FROM rescind_organization AS x WHERE x.slug = :organization) AS most
        FROM held),
        few AS MATERIALIZED (
        SELECT asked.number, asked.places FROM asked
        WHERE NOT asked.everything AND json_array_length(asked.places) <= asked.most AND asked.most >= (
            SELECT count(*) FROM (
                SELECT 1 FROM json_each(asked.places) AS i
                CROSS JOIN rescind_resource AS x ON x.organization = asked.number AND x.parent = i.value
                LIMIT (SELECT CASE WHEN x.last_number < 10000 THEN 200 WHEN x.last_number < 100000 THEN 600
                        WHEN x.last_number < 1000000 THEN 1100 ELSE 2500 END FROM rescind_organization AS x WHERE x.slug = :organization) + 1) AS x)),
        below (id, number, depth) AS MATERIALIZED (
        SELECT i.value, few.number, 0 FROM few CROSS JOIN json_each(few.places) AS i
        UNION ALL
        SELECT x.id, below.number, below.depth + 1 FROM below CROSS JOIN rescind_resource AS x ON x.organization = below.number AND x.id IN (
            SELECT y.id FROM rescind_resource AS y WHERE y.organization = below.number AND y.parent = below.id
            LIMIT (SELECT CASE WHEN x.last_number < 10000 THEN 200 WHEN x.last_number < 100000 THEN 600
                    WHEN x.last_number < 1000000 THEN 1100 ELSE 2500 END FROM rescind_organization AS x WHERE x.slug = :organization) + 1)
        ORDER BY 3 DESC LIMIT (SELECT CASE WHEN x.last_number < 10000 THEN 200 WHEN x.last_number < 100000 THEN 600
                WHEN x.last_number < 1000000 THEN 1100 ELSE 2500 END FROM rescind_organization AS x WHERE x.slug = :organization) + 1)
    SELECT CASE WHEN NOT x.is_walked THEN x.number END AS listed_in, CASE WHEN x.is_walked THEN x.number END AS walked_in,
        x.everything, x.places, x.listed
    FROM (
        SELECT asked.number, asked.places, asked.everything, found.listed,
            asked.places <> '[]' AND found.visited NOT BETWEEN 1 AND asked.most AS is_walked
        FROM asked CROSS JOIN (
            SELECT count(*) AS visited, json_group_array(DISTINCT below.id) AS listed FROM below) AS found) AS x),
    permitted AS NOT MATERIALIZED (
    SELECT $columns, TRUE AS is_listed FROM $reach AS reach CROSS JOIN json_each(reach.listed) AS listed
    CROSS JOIN rescind_resource AS named ON named.organization = reach.listed_in AND named.id = listed.value
    CROSS JOIN (SELECT $alias.*, $resource AS resource_asked FROM $table) AS $alias ON named.slug = $alias.resource_asked$lookup
    UNION ALL
    SELECT $columns, FALSE FROM rescind_organization AS walked
    CROSS JOIN (SELECT $alias.*, $resource AS resource_asked FROM $table) AS $alias
    WHERE walked.id = (SELECT reach.walked_in FROM $reach AS reach) AND (
        SELECT reach.everything OR EXISTS (
            WITH RECURSIVE up (id, parent) AS (
                SELECT r.id, r.parent
                UNION ALL
                SELECT x.id, x.parent FROM up CROSS JOIN rescind_resource AS x
                    ON x.organization = walked.id AND x.id = up.parent AND up.parent <> 0)
            SELECT 1 FROM up WHERE up.id IN (SELECT i.value FROM $reach AS reach CROSS JOIN json_each(reach.places) AS i))
        FROM rescind_resource AS r CROSS JOIN $reach AS reach
        WHERE r.organization = walked.id AND r.slug = $alias.resource_asked))

-- reach_of_list
WITH RECURSIVE
    held AS MATERIALIZED (
    SELECT x.number, x.places FROM rescind_reach AS x
    WHERE x.organization = :organization AND x.subject = :subject AND x.permission = :permission),
    asked AS (
    SELECT held.number, held.places, instr(replace(replace(held.places, '[', ','), ']', ','), ',0,') > 0 AS everything,
        (SELECT CASE WHEN x.last_number < 10000 THEN 200 WHEN x.last_number < 100000 THEN 600
            WHEN x.last_number < 1000000 THEN 1100 ELSE 2500 END FROM rescind_organization AS x WHERE x.slug = :organization) AS most
    FROM held),
    few AS MATERIALIZED (
    SELECT asked.number, asked.places FROM asked
    WHERE NOT asked.everything AND json_array_length(asked.places) <= asked.most AND asked.most >= (
        SELECT count(*) FROM (
            SELECT 1 FROM json_each(asked.places) AS i
            CROSS JOIN rescind_resource AS x ON x.organization = asked.number AND x.parent = i.value
            LIMIT (SELECT CASE WHEN x.last_number < 10000 THEN 200 WHEN x.last_number < 100000 THEN 600
                    WHEN x.last_number < 1000000 THEN 1100 ELSE 2500 END FROM rescind_organization AS x WHERE x.slug = :organization) + 1) AS x)),
    below (id, number, depth) AS MATERIALIZED (
    SELECT i.value, few.number, 0 FROM few CROSS JOIN json_each(few.places) AS i
    UNION ALL
    SELECT x.id, below.number, below.depth + 1 FROM below CROSS JOIN rescind_resource AS x ON x.organization = below.number AND x.id IN (
        SELECT y.id FROM rescind_resource AS y WHERE y.organization = below.number AND y.parent = below.id
        LIMIT (SELECT CASE WHEN x.last_number < 10000 THEN 200 WHEN x.last_number < 100000 THEN 600
                WHEN x.last_number < 1000000 THEN 1100 ELSE 2500 END FROM rescind_organization AS x WHERE x.slug = :organization) + 1)
    ORDER BY 3 DESC LIMIT (SELECT CASE WHEN x.last_number < 10000 THEN 200 WHEN x.last_number < 100000 THEN 600
            WHEN x.last_number < 1000000 THEN 1100 ELSE 2500 END FROM rescind_organization AS x WHERE x.slug = :organization) + 1)
SELECT CASE WHEN NOT x.is_walked THEN x.number END AS listed_in, CASE WHEN x.is_walked THEN x.number END AS walked_in,
    x.everything, x.places, x.listed
FROM (
    SELECT asked.number, asked.places, asked.everything, found.listed,
        asked.places <> '[]' AND found.visited NOT BETWEEN 1 AND asked.most AS is_walked
    FROM asked CROSS JOIN (
        SELECT count(*) AS visited, json_group_array(DISTINCT below.id) AS listed FROM below) AS found) AS x

-- reach_of_row
SELECT x.number, x.places FROM rescind_reach AS x
WHERE x.organization = :organization AND x.subject = :subject AND x.permission = :permission

-- read_held
SELECT revision FROM rescind_organization WHERE id = :o

-- read_unaltered
SELECT o.id AS organization, o.revision, env.revision AS environment, NULL AS direction, NULL AS route, NULL AS fan_out, NULL AS recorded_at,
    NULL AS settled_at, :not_found AS not_found, rescind_tallied('pairs') AS pairs
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env ON env.id = 0 WHERE o.id = :o

-- record_action
INSERT INTO rescind_action (number, recorded_at, kind, organization, subject, detail, actor, request, digest)
VALUES (:number, :recorded_at, :kind, :organization, :subject, :detail, :actor, :request, :digest)

-- record_change
INSERT INTO rescind_change (organization, revision, recorded_at, actor, reason, idempotency_key, direction, route,
        granted, revoked, estimated, settled_at, body, caused_by, environment, digest)
VALUES (:organization, :revision, :recorded_at, :actor, :reason, :idempotency_key, :direction, :route,
        :granted, :revoked, :estimated, CASE WHEN :route = 'inline' THEN :recorded_at END, :body, :caused_by, :environment,
        CAST(:digest AS BLOB))
RETURNING organization, revision, (SELECT env.revision FROM rescind_organization AS env WHERE env.id = 0) AS environment, direction,
    route, granted + revoked + estimated AS fan_out, recorded_at, settled_at, :not_found AS not_found,
    rescind_tallied('pairs') AS pairs

-- refuse_deletion_busy
SELECT 'group_busy' AS code, 'organization' AS fact, CAST(:o AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind_deletion WHERE organization = :o)

-- refuse_group_busy
SELECT 'group_busy' AS code, 'group' AS fact, CAST(:g AS TEXT) AS value WHERE FALSE

-- refuse_moved_definitions
SELECT 'definitions_moved' AS code, 'revision' AS fact, CAST(:o AS TEXT) AS value WHERE FALSE

-- refuse_one_group_busy
SELECT 'group_busy' AS code, 'group' AS fact, CAST(:g AS TEXT) AS value WHERE FALSE

-- remember_definitions
SELECT 1 WHERE FALSE

-- row_is_permitted
EXISTS (
    SELECT 1 FROM (SELECT $resource AS slug) AS asked
    CROSS JOIN $reach AS reach
    CROSS JOIN rescind_resource AS r ON r.organization = reach.number AND r.slug = asked.slug
    WHERE 0 IN (SELECT i.value FROM $reach AS y CROSS JOIN json_each(y.places) AS i) OR EXISTS (
        WITH RECURSIVE up (id, parent) AS (
            SELECT r.id, r.parent
            UNION ALL
            SELECT x.id, x.parent FROM up CROSS JOIN rescind_resource AS x
                ON x.organization = reach.number AND x.id = up.parent AND up.parent <> 0)
        SELECT 1 FROM up WHERE up.id IN (SELECT i.value FROM $reach AS y CROSS JOIN json_each(y.places) AS i)))

-- rows_of_list
SELECT $columns, TRUE AS is_listed FROM $reach AS reach CROSS JOIN json_each(reach.listed) AS listed
CROSS JOIN rescind_resource AS named ON named.organization = reach.listed_in AND named.id = listed.value
CROSS JOIN (SELECT $alias.*, $resource AS resource_asked FROM $table) AS $alias ON named.slug = $alias.resource_asked$lookup
UNION ALL
SELECT $columns, FALSE FROM rescind_organization AS walked
CROSS JOIN (SELECT $alias.*, $resource AS resource_asked FROM $table) AS $alias
WHERE walked.id = (SELECT reach.walked_in FROM $reach AS reach) AND (
    SELECT reach.everything OR EXISTS (
        WITH RECURSIVE up (id, parent) AS (
            SELECT r.id, r.parent
            UNION ALL
            SELECT x.id, x.parent FROM up CROSS JOIN rescind_resource AS x
                ON x.organization = walked.id AND x.id = up.parent AND up.parent <> 0)
        SELECT 1 FROM up WHERE up.id IN (SELECT i.value FROM $reach AS reach CROSS JOIN json_each(reach.places) AS i))
    FROM rescind_resource AS r CROSS JOIN $reach AS reach
    WHERE r.organization = walked.id AND r.slug = $alias.resource_asked)

-- settle_pending
DELETE FROM rescind_pending WHERE organization = :o AND "group" = :g AND kind = :kind AND ref IN (
    SELECT p.ref FROM json_each(:settled) AS i
    CROSS JOIN rescind_pending AS p ON p.organization = :o AND p."group" = :g AND p.kind = :kind
    AND p.ref = CAST(i.value ->> 0 AS INTEGER) AND p.revision + 0 = CAST(i.value ->> 1 AS INTEGER))

-- stream_children
WITH RECURSIVE walk (key, parent, most, number) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 2, (
        SELECT r.id FROM rescind_resource AS r
        WHERE r.organization = :o AND r.parent = i.value ->> 0 AND r.id > i.value ->> 1 ORDER BY r.id LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT w.key, w.parent, w.most - 1, (
        SELECT r.id FROM rescind_resource AS r
        WHERE r.organization = :o AND r.parent = w.parent AND r.id > w.number ORDER BY r.id LIMIT 1)
    FROM walk AS w WHERE w.most > 1 AND w.number IS NOT NULL)
SELECT w.key, w.number, TRUE AS is_in_force FROM walk AS w WHERE w.number IS NOT NULL

-- stream_contents
WITH RECURSIVE walk (key, role, most, number) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 2, (
        SELECT rp.permission FROM rescind_role_permission AS rp
        WHERE rp.role = i.value ->> 0 AND rp.permission > i.value ->> 1 ORDER BY rp.permission LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT w.key, w.role, w.most - 1, (
        SELECT rp.permission FROM rescind_role_permission AS rp
        WHERE rp.role = w.role AND rp.permission > w.number ORDER BY rp.permission LIMIT 1)
    FROM walk AS w WHERE w.most > 1 AND w.number IS NOT NULL)
SELECT w.key, w.number, TRUE AS is_in_force FROM walk AS w WHERE w.number IS NOT NULL

-- stream_holders
WITH RECURSIVE walk (key, role, resource, most, number) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 1, i.value ->> 3, (
        SELECT a.holder FROM rescind_assignment AS a
        WHERE a.role = i.value ->> 0 AND a.organization = :o AND a.resource = i.value ->> 1 AND a.holder > i.value ->> 2
        AND a.ended IS NULL
        ORDER BY a.holder LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT w.key, w.role, w.resource, w.most - 1, (
        SELECT a.holder FROM rescind_assignment AS a
        WHERE a.role = w.role AND a.organization = :o AND a.resource = w.resource AND a.holder > w.number
        AND a.ended IS NULL
        ORDER BY a.holder LIMIT 1)
    FROM walk AS w WHERE w.most > 1 AND w.number IS NOT NULL)
SELECT w.key, w.number,
    (a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)) AS is_in_force
FROM walk AS w
CROSS JOIN rescind_assignment AS a ON a.role = w.role AND a.organization = :o AND a.resource = w.resource AND a.holder = w.number
WHERE w.number IS NOT NULL

-- stream_holders_of_any
WITH RECURSIVE x (key, resource, most, holder) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 2, (
        SELECT a.holder FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.resource = i.value ->> 0 AND a.holder > i.value ->> 1 ORDER BY a.holder LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT x.key, x.resource, x.most - 1, (
        SELECT a.holder FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.resource = x.resource AND a.holder > x.holder ORDER BY a.holder LIMIT 1)
    FROM x WHERE x.most > 1 AND x.holder IS NOT NULL)
SELECT x.key, x.holder AS number,
EXISTS (
    SELECT 1 FROM rescind_assignment AS a CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = :p
    WHERE a.organization = :o AND a.holder = x.holder AND a.resource = x.resource AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)) AS is_in_force
FROM x WHERE x.holder IS NOT NULL

-- stream_members
WITH RECURSIVE walk (key, "group", most, number) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 2, (
        SELECT gm.membership FROM rescind_group_member AS gm
        WHERE gm.organization = :o AND gm."group" = i.value ->> 0 AND gm.membership > i.value ->> 1
        ORDER BY gm.membership LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT w.key, w."group", w.most - 1, (
        SELECT gm.membership FROM rescind_group_member AS gm
        WHERE gm.organization = :o AND gm."group" = w."group" AND gm.membership > w.number
        ORDER BY gm.membership LIMIT 1)
    FROM walk AS w WHERE w.most > 1 AND w.number IS NOT NULL)
SELECT w.key, w.number, (gm.expires_at IS NULL OR gm.expires_at > :now) AS is_in_force
FROM walk AS w CROSS JOIN rescind_group_member AS gm ON gm.organization = :o AND gm."group" = w."group" AND gm.membership = w.number
WHERE w.number IS NOT NULL

-- stream_places
WITH RECURSIVE x (key, holder, most, resource) AS (
    SELECT i.key, i.value ->> 0, i.value ->> 2, (
        SELECT a.resource FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.holder = i.value ->> 0 AND a.resource > i.value ->> 1 AND a.ended IS NULL
        ORDER BY a.resource LIMIT 1)
    FROM json_each(:streams) AS i
    UNION ALL
    SELECT x.key, x.holder, x.most - 1, (
        SELECT a.resource FROM rescind_assignment AS a
        WHERE a.organization = :o AND a.holder = x.holder AND a.resource > x.resource AND a.ended IS NULL
        ORDER BY a.resource LIMIT 1)
    FROM x WHERE x.most > 1 AND x.resource IS NOT NULL)
SELECT x.key, x.resource AS number,
EXISTS (
    SELECT 1 FROM rescind_assignment AS a CROSS JOIN rescind_role_permission AS rp ON rp.role = a.role AND rp.permission = :p
    WHERE a.organization = :o AND a.holder = x.holder AND a.resource = x.resource AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)) AS is_in_force
FROM x WHERE x.resource IS NOT NULL
