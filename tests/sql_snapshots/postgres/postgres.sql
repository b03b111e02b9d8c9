-- acknowledge
UPDATE rescind.replica_held SET revision = %(revision)s WHERE organization = %(o)s AND replica = %(replica)s
RETURNING pg_notify('rescind_acknowledged', replica || ' ' || organization || ' ' || revision) AS told

-- begin
SELECT rescind.begin(CAST(%(o)s AS INTEGER), %(organization)s, %(mode)s, CAST(%(has_required)s AS BOOLEAN), CAST(%(id_rule)s AS TEXT)),
    set_config('rescind.lock_wait', CAST(EXTRACT(EPOCH FROM clock_timestamp() - transaction_timestamp()) AS TEXT), TRUE)

-- close_change
WITH missing AS MATERIALIZED (
    SELECT CASE WHEN rescind.tallied('missing') > 0 THEN rescind.take_missing() END AS list),
    advanced AS (
    UPDATE rescind.organization
    SET revision = revision + 1, last_number = last_number + CAST(rescind.tallied('numbers') AS INTEGER)
    WHERE id = %(o)s AND rescind.tallied('altered') > 0
    RETURNING id, revision, role_mode),
    drafted AS MATERIALIZED (
    SELECT o.id AS organization, o.revision, CAST(%(now)s AS BIGINT) AS recorded_at, CAST(%(actor)s AS TEXT) AS actor,
        CAST(%(reason)s AS TEXT) AS reason, CAST(%(key)s AS TEXT) AS idempotency_key,
    CASE WHEN rescind.tallied('revoked') + rescind.tallied('revokes') > 0
        OR (rescind.tallied('takes') > 0 AND rescind.tallied('unsettled') + rescind.tallied('pended') > 0)
        OR (o.role_mode = 'single' AND (rescind.tallied('granted') + rescind.tallied('gains') > 0
                OR rescind.tallied('unsettled') > 0))
        THEN 'revokes' ELSE 'grants' END AS direction,
    CASE WHEN rescind.tallied('pended') > 0 THEN 'background' ELSE 'inline' END AS route,
        rescind.tallied('granted') AS granted, rescind.tallied('revoked') AS revoked,
        rescind.tallied('estimated') AS estimated, CAST(%(body)s AS TEXT) AS body,
    CASE WHEN %(is_elsewhere)s THEN env.revision + 1 END AS caused_by,
    CASE WHEN o.id = 0 THEN o.revision WHEN %(is_elsewhere)s THEN env.revision + 1 ELSE env.revision END AS environment
    FROM advanced AS o CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS env
        WHERE env.id = 0 OFFSET 0) AS env),
    recorded AS (
    INSERT INTO rescind.change (organization, revision, recorded_at, actor, reason, idempotency_key, direction, route,
            granted, revoked, estimated, settled_at, body, caused_by, environment, digest)
    SELECT c.organization, c.revision, c.recorded_at, c.actor, c.reason, c.idempotency_key, c.direction, c.route,
        c.granted, c.revoked, c.estimated, CASE WHEN c.route = 'inline' THEN c.recorded_at END, c.body,
        c.caused_by, c.environment,
        sha256(CASE WHEN c.revision = 1 THEN sha256(convert_to('rescind change log ' || c.organization, 'UTF8')) ELSE (
                SELECT p.digest FROM rescind.change AS p WHERE p.organization = c.organization AND p.revision < c.revision
                ORDER BY p.revision DESC LIMIT 1) END || convert_to(concat(c.organization, ',', c.revision, ',', c.recorded_at, ',', c.granted, ',', c.revoked, ',', c.estimated, ',',
                    c.caused_by, ',', c.environment, ',',
                    octet_length(convert_to(c.actor, 'UTF8')), ':', c.actor, ',', octet_length(convert_to(c.reason, 'UTF8')), ':', c.reason, ',',
                    octet_length(convert_to(c.idempotency_key, 'UTF8')), ':', c.idempotency_key, ',',
                    octet_length(convert_to(c.direction, 'UTF8')), ':', c.direction, ',', octet_length(convert_to(c.route, 'UTF8')), ':', c.route, ',',
                    octet_length(convert_to(c.body, 'UTF8')), ':', c.body, ','), 'UTF8'))
    FROM drafted AS c
    RETURNING organization, revision, direction, route, granted + revoked + estimated AS fan_out, recorded_at, settled_at)
SELECT o.id AS organization, COALESCE(r.revision, o.revision) AS revision,
CASE WHEN o.id = 0 THEN COALESCE(r.revision, o.revision) ELSE env.revision END AS environment, r.direction, r.route, r.fan_out, r.recorded_at,
    r.settled_at, (SELECT list FROM missing) AS not_found, rescind.tallied('pairs') AS pairs,
CASE WHEN rescind.tallied('pended') > 0 THEN pg_notify('rescind_pending', CAST(o.id AS TEXT)) END AS workers_told,
CASE WHEN r.revision IS NOT NULL AND EXISTS (SELECT 1 FROM rescind.replica)
    THEN pg_notify('rescind_changed', o.id || ' ' || r.revision || ' ' || r.direction) END AS replicas_told,
    CAST(current_setting('rescind.lock_wait') AS DOUBLE PRECISION) AS lock_wait
FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS env
    WHERE env.id = 0 OFFSET 0) AS env LEFT JOIN LATERAL (SELECT * FROM recorded AS r
    WHERE TRUE OFFSET 0) AS r ON TRUE
WHERE o.id = %(o)s

-- close_keyed_change
WITH missing AS MATERIALIZED (
    SELECT CASE WHEN rescind.tallied('missing') > 0 THEN rescind.take_missing() END AS list),
    advanced AS (
    UPDATE rescind.organization
    SET revision = revision + 1, last_number = last_number + CAST(rescind.tallied('numbers') AS INTEGER)
    WHERE id = %(o)s AND rescind.tallied('altered') > 0
    RETURNING id, revision, role_mode),
    drafted AS MATERIALIZED (
    SELECT o.id AS organization, o.revision, CAST(%(now)s AS BIGINT) AS recorded_at, CAST(%(actor)s AS TEXT) AS actor,
        CAST(%(reason)s AS TEXT) AS reason, CAST(%(key)s AS TEXT) AS idempotency_key,
    CASE WHEN rescind.tallied('revoked') + rescind.tallied('revokes') > 0
        OR (rescind.tallied('takes') > 0 AND rescind.tallied('unsettled') + rescind.tallied('pended') > 0)
        OR (o.role_mode = 'single' AND (rescind.tallied('granted') + rescind.tallied('gains') > 0
                OR rescind.tallied('unsettled') > 0))
        THEN 'revokes' ELSE 'grants' END AS direction,
    CASE WHEN rescind.tallied('pended') > 0 THEN 'background' ELSE 'inline' END AS route,
        rescind.tallied('granted') AS granted, rescind.tallied('revoked') AS revoked,
        rescind.tallied('estimated') AS estimated, CAST(%(body)s AS TEXT) AS body,
    CASE WHEN %(is_elsewhere)s THEN env.revision + 1 END AS caused_by,
    CASE WHEN o.id = 0 THEN o.revision WHEN %(is_elsewhere)s THEN env.revision + 1 ELSE env.revision END AS environment
    FROM advanced AS o CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS env
        WHERE env.id = 0 OFFSET 0) AS env),
    recorded AS (
    INSERT INTO rescind.change (organization, revision, recorded_at, actor, reason, idempotency_key, direction, route,
            granted, revoked, estimated, settled_at, body, caused_by, environment, digest)
    SELECT c.organization, c.revision, c.recorded_at, c.actor, c.reason, c.idempotency_key, c.direction, c.route,
        c.granted, c.revoked, c.estimated, CASE WHEN c.route = 'inline' THEN c.recorded_at END, c.body,
        c.caused_by, c.environment,
        sha256(CASE WHEN c.revision = 1 THEN sha256(convert_to('rescind change log ' || c.organization, 'UTF8')) ELSE (
                SELECT p.digest FROM rescind.change AS p WHERE p.organization = c.organization AND p.revision < c.revision
                ORDER BY p.revision DESC LIMIT 1) END || convert_to(concat(c.organization, ',', c.revision, ',', c.recorded_at, ',', c.granted, ',', c.revoked, ',', c.estimated, ',',
                    c.caused_by, ',', c.environment, ',',
                    octet_length(convert_to(c.actor, 'UTF8')), ':', c.actor, ',', octet_length(convert_to(c.reason, 'UTF8')), ':', c.reason, ',',
                    octet_length(convert_to(c.idempotency_key, 'UTF8')), ':', c.idempotency_key, ',',
                    octet_length(convert_to(c.direction, 'UTF8')), ':', c.direction, ',', octet_length(convert_to(c.route, 'UTF8')), ':', c.route, ',',
                    octet_length(convert_to(c.body, 'UTF8')), ':', c.body, ','), 'UTF8'))
    FROM drafted AS c
    RETURNING organization, revision, direction, route, granted + revoked + estimated AS fan_out, recorded_at, settled_at),
    kept AS (
    UPDATE rescind.idempotency SET not_found = m.list FROM missing AS m
    WHERE organization = %(o)s AND key = %(key)s AND m.list IS NOT NULL)
SELECT o.id AS organization, COALESCE(r.revision, o.revision) AS revision,
CASE WHEN o.id = 0 THEN COALESCE(r.revision, o.revision) ELSE env.revision END AS environment, r.direction, r.route, r.fan_out, r.recorded_at,
    r.settled_at, (SELECT list FROM missing) AS not_found, rescind.tallied('pairs') AS pairs,
CASE WHEN rescind.tallied('pended') > 0 THEN pg_notify('rescind_pending', CAST(o.id AS TEXT)) END AS workers_told,
CASE WHEN r.revision IS NOT NULL AND EXISTS (SELECT 1 FROM rescind.replica)
    THEN pg_notify('rescind_changed', o.id || ' ' || r.revision || ' ' || r.direction) END AS replicas_told,
    CAST(current_setting('rescind.lock_wait') AS DOUBLE PRECISION) AS lock_wait
FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS env
    WHERE env.id = 0 OFFSET 0) AS env LEFT JOIN LATERAL (SELECT * FROM recorded AS r
    WHERE TRUE OFFSET 0) AS r ON TRUE
WHERE o.id = %(o)s

-- count_replicas
SELECT count(*) AS replicas FROM rescind.replica

-- define_reach
CREATE FUNCTION rescind.reach(
    organization_asked text, subject_asked text, permission_asked text,
        OUT number integer, OUT places int4multirange, OUT resources text[], OUT is_walked boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED COST 10000
SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off
SET enable_bitmapscan = off SET join_collapse_limit = 1 SET from_collapse_limit = 1
    AS $reach$
    #variable_conflict use_column
    DECLARE
    moment CONSTANT bigint := EXTRACT(EPOCH FROM statement_timestamp()) * 1000000;
    o rescind.organization;
    m rescind.membership;
    p rescind.permission;
    roles int4multirange;
    held integer[];
    listed integer[];
    most integer;
    BEGIN
    places := '{}';
    resources := '{}';
    is_walked := FALSE;
SELECT x.* INTO o FROM rescind.organization AS x WHERE x.slug = organization_asked;
SELECT x.* INTO m FROM rescind.membership AS x WHERE x.organization = o.id AND x.subject = subject_asked AND x.active;
SELECT x.* INTO p FROM rescind.permission AS x WHERE x.slug = permission_asked AND x.organization IN (0, o.id)
ORDER BY x.organization DESC LIMIT 1;
    number := o.id;
    IF m.id IS NULL OR p.id IS NULL THEN
    RETURN;
END IF;
roles := (SELECT range_agg(int4range(rp.role, rp.role, '[]')) FROM rescind.role_permission AS rp WHERE rp.permission = p.id);
held := ARRAY(
WITH RECURSIVE
    holder (id) AS (
    SELECT m.id
    UNION ALL
    SELECT gm."group" FROM rescind.group_member AS gm
    WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n)
SELECT a.resource AS place FROM holder AS h
JOIN rescind.assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.ended IS NULL
WHERE (a.expires_at IS NULL OR a.expires_at > %(now)s) AND (a.resource <> 0 OR o.role_mode = 'multiple') AND roles @> a.role
UNION
SELECT 0 WHERE o.role_mode = 'single' AND EXISTS (
    SELECT 1 FROM rescind.role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
            WITH RECURSIVE
                holder (id) AS (
                SELECT m.id
                UNION ALL
                SELECT gm."group" FROM rescind.group_member AS gm
                WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
                UNION
                SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                    WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n)
            SELECT a.role FROM holder AS h
            CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                WHERE a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
            CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
                WHERE q.id = a.role OFFSET 0) AS q
            WHERE (a.expires_at IS NULL OR a.expires_at > %(now)s)
            AND
            NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
            ORDER BY q.priority DESC, q.id
            LIMIT 1), o.default_role))
);
IF 0 = ANY (held) THEN
places := '{(,)}';
is_walked := TRUE;
RETURN;
END IF;
most := 4 * sqrt(o.last_number);
is_walked := cardinality(held) > most OR most < (
SELECT count(*) FROM (
SELECT FROM unnest(held) AS h (id) CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = o.id AND x.parent = h.id OFFSET 0) AS x
LIMIT most + 1) AS x);
IF NOT is_walked THEN
listed := ARRAY(
WITH RECURSIVE below (id) AS (
SELECT h.id FROM unnest(held) AS h (id)
UNION
SELECT x.id FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
    WHERE x.organization = o.id AND x.parent = b.id OFFSET 0) AS x)
SELECT b.id FROM below AS b LIMIT most + 1);
is_walked := cardinality(listed) > most;
END IF;
IF is_walked THEN
places := (SELECT range_agg(int4range(h.id, h.id, '[]')) FROM unnest(held) AS h (id));
ELSE
resources := ARRAY(
SELECT (SELECT x.slug FROM rescind.resource AS x WHERE x.organization = o.id AND x.id = l.id)
FROM unnest(listed) AS l (id));
END IF;
END
$reach$

-- delete_group_members
DELETE FROM rescind.group_member
WHERE organization = %(o)s AND "group" = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
AND membership = ANY (ARRAY(
        SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value)
        FROM rescind.json_texts(%(members)s) AS i))

-- effective_permission_view
CREATE VIEW rescind.effective_permission AS
SELECT o.slug AS organization, m.subject, p.slug AS permission, r.slug AS resource
FROM rescind.organization AS o
JOIN rescind.membership AS m ON m.organization = o.id
JOIN rescind.permission AS p ON p.organization IN (0, o.id)
JOIN rescind.resource AS r ON r.organization = o.id
CROSS JOIN LATERAL (VALUES (FALSE), (
        CASE WHEN p.critical THEN
                (CASE WHEN o.role_mode = 'multiple' THEN EXISTS (
                        WITH RECURSIVE
                            holder (id) AS (
                            SELECT m.id
                            UNION ALL
                            SELECT gm."group" FROM rescind.group_member AS gm
                            WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
                            UNION
                            SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                                WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n),
                            up (id) AS (
                            SELECT r.id WHERE r.id <> 0
                            UNION ALL
                            SELECT x.parent FROM up CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                                WHERE x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x),
                            place (id) AS (SELECT up.id FROM up UNION ALL SELECT 0)
                        SELECT 1 FROM rescind.assignment AS a
                        WHERE a.organization = o.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                        AND a.holder = ANY (ARRAY(SELECT id FROM holder)) AND a.resource = ANY (ARRAY(SELECT id FROM place)) AND
                            (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL) ELSE EXISTS (
                        SELECT 1 FROM rescind.role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
                                WITH RECURSIVE
                                    holder (id) AS (
                                    SELECT m.id
                                    UNION ALL
                                    SELECT gm."group" FROM rescind.group_member AS gm
                                    WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
                                    UNION
                                    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                                        WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n)
                                SELECT a.role FROM holder AS h
                                CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                                    WHERE a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
                                CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
                                    WHERE q.id = a.role OFFSET 0) AS q
                                WHERE (a.expires_at IS NULL OR a.expires_at > %(now)s)
                                AND
                                NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                                ORDER BY q.priority DESC, q.id
                                LIMIT 1), o.default_role)) OR EXISTS (
                        WITH RECURSIVE
                            holder (id) AS (
                            SELECT m.id
                            UNION ALL
                            SELECT gm."group" FROM rescind.group_member AS gm
                            WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
                            UNION
                            SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                                WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n),
                            up (id) AS (
                            SELECT r.id WHERE r.id <> 0
                            UNION ALL
                            SELECT x.parent FROM up CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                                WHERE x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x),
                            place (id) AS (SELECT up.id FROM up)
                        SELECT 1 FROM rescind.assignment AS a
                        WHERE a.organization = o.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                        AND a.holder = ANY (ARRAY(SELECT id FROM holder)) AND a.resource = ANY (ARRAY(SELECT id FROM place)) AND
                            (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL) END)
            ELSE
                ((CASE WHEN o.role_mode = 'multiple' THEN NOT EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id)) AND EXISTS (
                            SELECT 1 FROM rescind.effective_role AS e
                            CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                                WHERE a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL OFFSET 0) AS a
                            CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                                WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                            WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                            AND (e.expires_at IS NULL OR e.expires_at > %(now)s) AND (a.expires_at IS NULL OR a.expires_at > %(now)s))
                        ELSE NOT EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id) AND EXISTS (
                            SELECT 1 FROM rescind.role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
                                    SELECT a.role FROM rescind.effective_role AS e
                                    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                                        WHERE a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL OFFSET 0) AS a
                                    CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
                                        WHERE q.id = a.role OFFSET 0) AS q
                                    WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
                                    AND (e.expires_at IS NULL OR e.expires_at > %(now)s) AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                                    AND
                                    NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                                    ORDER BY q.priority DESC, q.id
                                    LIMIT 1), o.default_role)) END
                    OR CASE WHEN o.role_mode = 'multiple' THEN NOT EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id))
                        ELSE NOT EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id) END
                    AND EXISTS (
                        WITH RECURSIVE
                            up (id) AS (
                            SELECT r.id WHERE r.id <> 0
                            UNION ALL
                            SELECT x.parent FROM up CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                                WHERE x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x)
                        SELECT 1 FROM up WHERE (
                            SELECT 1 FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                                WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                            WHERE a.organization = o.id AND a.holder = m.id AND a.resource = up.id AND a.ended IS NULL
                            AND (a.expires_at IS NULL OR a.expires_at > %(now)s) LIMIT 1) IS NOT NULL
                        OR (
                            SELECT 1 FROM rescind.assignment AS a
                            CROSS JOIN LATERAL (SELECT * FROM rescind.effective_role AS e
                                WHERE e.organization = o.id AND e.membership = m.id AND e.assignment = a.id OFFSET 0) AS e
                            CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
                                WHERE rp.role = a.role AND rp.permission = p.id OFFSET 0) AS rp
                            WHERE a.organization = o.id AND a.resource = up.id AND a.ended IS NULL AND a.holder < 0
                            AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                            AND (e.expires_at IS NULL OR e.expires_at > %(now)s) LIMIT 1) IS NOT NULL)) OR EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id)
                AND
                    (CASE WHEN o.role_mode = 'multiple' THEN EXISTS (
                            WITH RECURSIVE
                                holder (id) AS (
                                SELECT m.id
                                UNION ALL
                                SELECT gm."group" FROM rescind.group_member AS gm
                                WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
                                UNION
                                SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                                    WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n),
                                up (id) AS (
                                SELECT r.id WHERE r.id <> 0
                                UNION ALL
                                SELECT x.parent FROM up CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                                    WHERE x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x),
                                place (id) AS (SELECT up.id FROM up UNION ALL SELECT 0)
                            SELECT 1 FROM rescind.assignment AS a
                            WHERE a.organization = o.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                            AND a.holder = ANY (ARRAY(SELECT id FROM holder)) AND a.resource = ANY (ARRAY(SELECT id FROM place)) AND
                                (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL) ELSE EXISTS (
                            SELECT 1 FROM rescind.role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
                                    WITH RECURSIVE
                                        holder (id) AS (
                                        SELECT m.id
                                        UNION ALL
                                        SELECT gm."group" FROM rescind.group_member AS gm
                                        WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
                                        UNION
                                        SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                                            WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n)
                                    SELECT a.role FROM holder AS h
                                    CROSS JOIN LATERAL (SELECT * FROM rescind.assignment AS a
                                        WHERE a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL OFFSET 0) AS a
                                    CROSS JOIN LATERAL (SELECT * FROM rescind.role AS q
                                        WHERE q.id = a.role OFFSET 0) AS q
                                    WHERE (a.expires_at IS NULL OR a.expires_at > %(now)s)
                                    AND
                                    NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                                    ORDER BY q.priority DESC, q.id
                                    LIMIT 1), o.default_role)) OR EXISTS (
                            WITH RECURSIVE
                                holder (id) AS (
                                SELECT m.id
                                UNION ALL
                                SELECT gm."group" FROM rescind.group_member AS gm
                                WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > %(now)s)
                                UNION
                                SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
                                    WHERE n.organization = o.id AND n.child = h.id OFFSET 0) AS n),
                                up (id) AS (
                                SELECT r.id WHERE r.id <> 0
                                UNION ALL
                                SELECT x.parent FROM up CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                                    WHERE x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x),
                                place (id) AS (SELECT up.id FROM up)
                            SELECT 1 FROM rescind.assignment AS a
                            WHERE a.organization = o.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
                            AND a.holder = ANY (ARRAY(SELECT id FROM holder)) AND a.resource = ANY (ARRAY(SELECT id FROM place)) AND
                                (SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL) END)
            )
        END)) AS v (is_allowed)
WHERE o.slug IS NOT NULL AND m.active AND v.is_allowed AND (v.is_allowed OR rescind.weight(v.is_allowed))

-- forget_replica
DELETE FROM rescind.replica WHERE id = %(replica)s RETURNING id AS replica

-- forget_silent_replica
DELETE FROM rescind.replica WHERE id = %(replica)s AND beat = %(beat)s RETURNING id AS replica

-- hold_definitions
SELECT 1 FROM rescind.organization WHERE id = 0 FOR SHARE

-- hold_organization
WITH
    lasting (said) AS MATERIALIZED (
    SELECT set_config('synchronous_commit', CASE
            WHEN current_setting('synchronous_standby_names') = '' THEN current_setting('synchronous_commit')
            WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply'
            ELSE 'on' END, true))
INSERT INTO rescind.replica_held (organization, replica, revision) SELECT %(o)s, %(replica)s, %(revision)s FROM lasting
ON CONFLICT (organization, replica) DO UPDATE SET revision = EXCLUDED.revision RETURNING rescind.server() AS server

-- insert_service_action
WITH draft AS MATERIALIZED (
    SELECT CAST(%(now)s AS BIGINT) AS recorded_at, CAST(%(kind)s AS TEXT) AS kind,
        COALESCE(CAST(%(o)s AS INTEGER), (SELECT k.bound_to FROM rescind.api_key AS k WHERE k.id = %(key)s)) AS organization,
        CAST(%(subject)s AS TEXT) AS subject, CAST(%(detail)s AS TEXT) AS detail, CAST(%(actor)s AS TEXT) AS actor,
        CAST(%(request)s AS TEXT) AS request),
    advanced AS (
    UPDATE rescind.action_head AS h SET number = h.number + 1, digest = (
        SELECT sha256(h.digest || convert_to(concat(a.number, ',', a.recorded_at, ',', a.organization, ',', octet_length(convert_to(a.kind, 'UTF8')), ':', a.kind, ',',
                        octet_length(convert_to(a.subject, 'UTF8')), ':', a.subject, ',', octet_length(convert_to(a.detail, 'UTF8')), ':', a.detail, ',',
                        octet_length(convert_to(a.actor, 'UTF8')), ':', a.actor, ',', octet_length(convert_to(a.request, 'UTF8')), ':', a.request, ','), 'UTF8'))
        FROM (SELECT h.number + 1 AS number, d.recorded_at, d.kind, d.organization, d.subject, d.detail, d.actor, d.request) AS a)
    FROM draft AS d
    WHERE rescind.tallied('altered') > 0
    RETURNING h.number, h.digest, d.recorded_at, d.kind, d.organization, d.subject, d.detail, d.actor, d.request)
INSERT INTO rescind.action (number, recorded_at, kind, organization, subject, detail, actor, request, digest)
SELECT number, recorded_at, kind, organization, subject, detail, actor, request, digest FROM advanced

-- list_leases
SELECT r.id AS replica, r.name, r.ttl, r.beat, h.revision AS acknowledged FROM rescind.replica_held AS h CROSS JOIN LATERAL (SELECT * FROM rescind.replica AS r
    WHERE r.id = h.replica OFFSET 0) AS r
WHERE h.organization = %(o)s

-- listed_permissions_of_roles
SELECT rp.role, (SELECT p.slug FROM rescind.permission AS p WHERE p.id = rp.permission) AS permission
FROM rescind.role_permission AS rp WHERE rp.role = ANY (ARRAY(SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(%(roles)s) AS i))

-- lock_organization
SELECT id FROM rescind.organization WHERE id = %(o)s FOR NO KEY UPDATE

-- make_assignment
WITH RECURSIVE
    below (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    reached (membership, expires_at) AS MATERIALIZED (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END
    FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id
        AND gm.membership >= %(from_m)s AND gm.membership <= %(to_m)s OFFSET 0) AS gm
    GROUP BY gm.membership),
    changed (id) AS MATERIALIZED (
    SELECT a.id FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = %(g)s AND a.holder < 0 AND a.ended IS NULL
    AND (a.made, a.id) > (%(since)s, %(above)s) AND (a.made, a.id) <= (%(revision)s, %(up_to)s)
    AND a.id > %(above)s AND a.id <= %(up_to)s
    ORDER BY a.id),
    anew (membership, expires_at) AS MATERIALIZED (SELECT r.membership, r.expires_at FROM reached AS r WHERE
        (SELECT 1 FROM rescind.effective_role AS e WHERE e.organization = %(o)s AND e.membership = r.membership
        AND e.assignment >= %(first)s AND e.assignment <= %(last)s LIMIT 1)
        IS NULL)
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, c.membership, a.id, c.expires_at FROM
    anew AS c
CROSS JOIN LATERAL (
    SELECT x.id FROM changed AS x WHERE c.membership IS NOT NULL OFFSET 0) AS a
WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s)

-- make_assignment_again
WITH RECURSIVE
    below (id) AS (
    SELECT CAST(%(g)s AS INTEGER)
    UNION
    SELECT n.child FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.nesting AS n
        WHERE n.organization = %(o)s AND n.parent = b.id OFFSET 0) AS n),
    reached (membership, expires_at) AS MATERIALIZED (
    SELECT gm.membership, CASE WHEN count(*) = count(gm.expires_at) THEN max(gm.expires_at) END
    FROM below AS b CROSS JOIN LATERAL (SELECT * FROM rescind.group_member AS gm
        WHERE gm.organization = %(o)s AND gm."group" = b.id
        AND gm.membership >= %(from_m)s AND gm.membership <= %(to_m)s OFFSET 0) AS gm
    GROUP BY gm.membership),
    changed (id) AS MATERIALIZED (
    SELECT a.id FROM rescind.assignment AS a
    WHERE a.organization = %(o)s AND a.holder = %(g)s AND a.holder < 0 AND a.ended IS NULL
    AND (a.made, a.id) > (%(since)s, %(above)s) AND (a.made, a.id) <= (%(revision)s, %(up_to)s)
    AND a.id > %(above)s AND a.id <= %(up_to)s
    ORDER BY a.id),
    begun (membership, expires_at) AS MATERIALIZED (SELECT r.membership, r.expires_at FROM reached AS r WHERE
        (SELECT 1 FROM rescind.effective_role AS e WHERE e.organization = %(o)s AND e.membership = r.membership
        AND e.assignment >= %(first)s AND e.assignment <= %(last)s LIMIT 1)
        IS NOT NULL)
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT %(o)s, c.membership, a.id, c.expires_at FROM
    begun AS c
CROSS JOIN LATERAL (
    SELECT x.id FROM changed AS x WHERE c.membership IS NOT NULL OFFSET 0) AS a
WHERE (c.membership > %(from_m)s OR a.id > %(after_a)s) AND (c.membership < %(to_m)s OR a.id <= %(up_to_a)s)
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- permitted
WITH reach AS MATERIALIZED (
    SELECT x.number, x.places, x.resources, x.is_walked FROM rescind.reach(%(organization)s, %(subject)s, %(permission)s) AS x),
    permitted AS NOT MATERIALIZED (
    SELECT $columns FROM (
        (SELECT $alias.*, TRUE AS is_listed
            FROM (SELECT unnest(x.resources) AS slug FROM $reach AS x) AS listed
            CROSS JOIN (SELECT $alias.*, $resource AS resource_asked FROM $table) AS $alias
            WHERE $alias.resource_asked = listed.slug AND $alias.resource_asked COLLATE "C" = listed.slug$lookup OFFSET 0)
        UNION ALL
        SELECT $alias.*, $resource, FALSE FROM $table) AS $alias
    WHERE $alias.is_listed OR (SELECT x.is_walked FROM $reach AS x) AND (
        SELECT v.is_reached
        FROM rescind.resource AS r CROSS JOIN LATERAL (VALUES (FALSE), (CASE
                    WHEN (SELECT x.places FROM $reach AS x) @> r.id OR (SELECT x.places FROM $reach AS x) @> r.parent THEN TRUE
                    WHEN r.parent = 0 THEN FALSE
                    ELSE (
                        SELECT CASE
                            WHEN up.parent = 0 THEN FALSE
                            WHEN (SELECT x.places FROM $reach AS x) @> up.parent THEN TRUE
                            ELSE EXISTS (
                                WITH RECURSIVE above (id) AS (
                                    SELECT up.parent
                                    UNION ALL
                                    SELECT x.parent FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                                        WHERE x.organization = up.organization
                                        AND x.id = above.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x)
                                SELECT 1 FROM above WHERE (SELECT x.places FROM $reach AS x) @> above.id)
                        END
                        FROM rescind.resource AS up WHERE up.organization = r.organization AND up.id = r.parent)
                END)) AS v (is_reached)
        WHERE r.organization = (SELECT x.number FROM $reach AS x) AND r.slug = $alias.resource_asked COLLATE "C" AND v.is_reached))

-- reach_of_list
SELECT x.number, x.places, x.resources, x.is_walked FROM rescind.reach(%(organization)s, %(subject)s, %(permission)s) AS x

-- reach_of_row
SELECT x.number, x.places, x.resources, x.is_walked FROM rescind.reach(%(organization)s, %(subject)s, %(permission)s) AS x

-- read_held
SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp() - transaction_timestamp()) AS DOUBLE PRECISION),
    (SELECT count(*) FROM pg_locks AS l WHERE NOT l.granted), (SELECT revision FROM rescind.organization WHERE id = %(o)s)

-- refuse_deletion_busy
WITH locked (organization) AS MATERIALIZED (
    SELECT d.organization FROM rescind.deletion AS d WHERE d.organization = %(o)s FOR UPDATE SKIP LOCKED)
SELECT 'group_busy' AS code, 'organization' AS fact, CAST(%(o)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM locked)

-- refuse_group_busy
WITH RECURSIVE
    holder (id) AS (
    SELECT CAST(%(top)s AS INTEGER)
    UNION
    SELECT n.parent FROM holder AS h CROSS JOIN LATERAL (SELECT * FROM rescind.recorded_nesting AS n
        WHERE n.organization = %(o)s AND n.child = h.id OFFSET 0) AS n)
SELECT 'group_busy' AS code, 'group' AS fact, CAST(%(g)s AS TEXT) AS value
WHERE NOT rescind.claim_groups(CAST(%(o)s AS INTEGER), ARRAY(
        SELECT h.id FROM holder AS h UNION SELECT CAST(%(g)s AS INTEGER)))

-- refuse_moved_definitions
SELECT 'definitions_moved' AS code, 'revision' AS fact, CAST(c.environment AS TEXT) AS value
FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = o.id AND c.revision = o.revision OFFSET 0) AS c
WHERE o.id = %(o)s AND rescind.tallied('altered') > 0
AND c.environment <> CAST(NULLIF(current_setting('rescind.definitions', TRUE), '') AS BIGINT)

-- refuse_one_group_busy
SELECT 'group_busy' AS code, 'group' AS fact, CAST(%(g)s AS TEXT) AS value
WHERE NOT rescind.claim_groups(CAST(%(o)s AS INTEGER), ARRAY[CAST(%(g)s AS INTEGER)])

-- register_replica
WITH
    lasting (said) AS MATERIALIZED (
    SELECT set_config('synchronous_commit', CASE
            WHEN current_setting('synchronous_standby_names') = '' THEN current_setting('synchronous_commit')
            WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply'
            ELSE 'on' END, true))
INSERT INTO rescind.replica (id, name, ttl) SELECT %(replica)s, %(name)s, %(ttl)s FROM lasting RETURNING rescind.server() AS server

-- release_organization
DELETE FROM rescind.replica_held WHERE organization = %(o)s AND replica = %(replica)s RETURNING revision

-- remember_definitions
SELECT set_config('rescind.definitions', CAST(revision AS TEXT), TRUE) FROM rescind.organization WHERE id = 0

-- renew_lease
WITH
    lasting (said) AS MATERIALIZED (
    SELECT set_config('synchronous_commit', CASE
            WHEN current_setting('synchronous_standby_names') = '' THEN current_setting('synchronous_commit')
            WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply'
            ELSE 'on' END, true))
UPDATE rescind.replica SET beat = beat + 1 FROM lasting WHERE id = %(replica)s RETURNING rescind.server() AS server

-- row_is_permitted
EXISTS (
    SELECT 1 FROM (SELECT $resource AS slug OFFSET 0) AS asked
    WHERE CASE WHEN (SELECT x.is_walked FROM $reach AS x) THEN (
            SELECT v.is_reached
            FROM rescind.resource AS r CROSS JOIN LATERAL (VALUES (FALSE), (CASE
                        WHEN (SELECT x.places FROM $reach AS x) @> r.id OR (SELECT x.places FROM $reach AS x) @> r.parent THEN TRUE
                        WHEN r.parent = 0 THEN FALSE
                        ELSE (
                            SELECT CASE
                                WHEN up.parent = 0 THEN FALSE
                                WHEN (SELECT x.places FROM $reach AS x) @> up.parent THEN TRUE
                                ELSE EXISTS (
                                    WITH RECURSIVE above (id) AS (
                                        SELECT up.parent
                                        UNION ALL
                                        SELECT x.parent FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                                            WHERE x.organization = up.organization
                                            AND x.id = above.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x)
                                    SELECT 1 FROM above WHERE (SELECT x.places FROM $reach AS x) @> above.id)
                            END
                            FROM rescind.resource AS up WHERE up.organization = r.organization AND up.id = r.parent)
                    END)) AS v (is_reached)
            WHERE r.organization = (SELECT x.number FROM $reach AS x) AND r.slug = asked.slug COLLATE "C" AND v.is_reached)
        ELSE asked.slug COLLATE "C" IN (SELECT unnest(x.resources) FROM $reach AS x) END)

-- rows_of_list
SELECT $columns FROM (
    (SELECT $alias.*, TRUE AS is_listed
        FROM (SELECT unnest(x.resources) AS slug FROM $reach AS x) AS listed
        CROSS JOIN (SELECT $alias.*, $resource AS resource_asked FROM $table) AS $alias
        WHERE $alias.resource_asked = listed.slug AND $alias.resource_asked COLLATE "C" = listed.slug$lookup OFFSET 0)
    UNION ALL
    SELECT $alias.*, $resource, FALSE FROM $table) AS $alias
WHERE $alias.is_listed OR (SELECT x.is_walked FROM $reach AS x) AND (
    SELECT v.is_reached
    FROM rescind.resource AS r CROSS JOIN LATERAL (VALUES (FALSE), (CASE
                WHEN (SELECT x.places FROM $reach AS x) @> r.id OR (SELECT x.places FROM $reach AS x) @> r.parent THEN TRUE
                WHEN r.parent = 0 THEN FALSE
                ELSE (
                    SELECT CASE
                        WHEN up.parent = 0 THEN FALSE
                        WHEN (SELECT x.places FROM $reach AS x) @> up.parent THEN TRUE
                        ELSE EXISTS (
                            WITH RECURSIVE above (id) AS (
                                SELECT up.parent
                                UNION ALL
                                SELECT x.parent FROM above CROSS JOIN LATERAL (SELECT * FROM rescind.resource AS x
                                    WHERE x.organization = up.organization
                                    AND x.id = above.id AND COALESCE(x.parent, 0) <> 0 OFFSET 0) AS x)
                            SELECT 1 FROM above WHERE (SELECT x.places FROM $reach AS x) @> above.id)
                    END
                    FROM rescind.resource AS up WHERE up.organization = r.organization AND up.id = r.parent)
            END)) AS v (is_reached)
    WHERE r.organization = (SELECT x.number FROM $reach AS x) AND r.slug = $alias.resource_asked COLLATE "C" AND v.is_reached)

-- settle_pending
DELETE FROM rescind.pending
WHERE organization = %(o)s AND "group" = %(g)s AND kind = %(kind)s
AND ref >= (SELECT min(CAST(i.value ->> 0 AS INTEGER)) FROM rescind.json_items(%(settled)s) AS i)
AND ref <= (SELECT max(CAST(i.value ->> 0 AS INTEGER)) FROM rescind.json_items(%(settled)s) AS i)
AND revision = CAST((SELECT jsonb_object_agg(i.value ->> 0, i.value -> 1) FROM rescind.json_items(%(settled)s) AS i)
        ->> CAST(ref AS TEXT) AS INTEGER)

-- shorten_group_members
UPDATE rescind.group_member SET expires_at = %(expires_at)s
WHERE organization = %(o)s AND "group" = (SELECT id FROM rescind."group" WHERE organization = %(o)s AND slug = %(group)s)
AND membership = ANY (ARRAY(
        SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = %(o)s AND m.subject = i.value)
        FROM rescind.json_texts(%(members)s) AS i))
AND %(expires_at)s < COALESCE(expires_at, 9223372036854775807)

-- spread_settlement
SELECT took / 1000 AS milliseconds, count(*) AS changes, sum(CASE WHEN so_far > %(most)s THEN 1 ELSE 0 END) AS late,
    sum(CASE WHEN recorded_at >= %(recent)s THEN 1 ELSE 0 END) AS recent_changes,
    sum(CASE WHEN recorded_at >= %(recent)s AND so_far > %(most)s THEN 1 ELSE 0 END) AS recent_late
FROM (SELECT c.recorded_at, c.settled_at - c.recorded_at AS took, COALESCE(c.settled_at, %(now)s) - c.recorded_at AS so_far
    FROM rescind.change AS c
    WHERE c.organization BETWEEN %(first)s AND %(last)s AND c.organization > 0 AND c.direction = 'grants'
    AND c.recorded_at >= %(since)s AND c.recorded_at < %(now)s OFFSET '0') AS timed
GROUP BY 1

-- stream_children
SELECT i.key, x.number, TRUE AS is_in_force
FROM rescind.json_items(%(streams)s) AS i CROSS JOIN LATERAL (
    SELECT r.id AS number FROM rescind.resource AS r
    WHERE r.organization = %(o)s AND r.parent = CAST(i.value ->> 0 AS INTEGER) AND r.id > CAST(i.value ->> 1 AS INTEGER)
    ORDER BY r.organization, r.parent, r.id LIMIT CAST(i.value ->> 2 AS INTEGER)) AS x

-- stream_contents
SELECT i.key, x.number, TRUE AS is_in_force
FROM rescind.json_items(%(streams)s) AS i CROSS JOIN LATERAL (
    SELECT rp.permission AS number FROM rescind.role_permission AS rp
    WHERE rp.role = CAST(i.value ->> 0 AS INTEGER) AND rp.permission > CAST(i.value ->> 1 AS INTEGER)
    ORDER BY rp.role, rp.permission LIMIT CAST(i.value ->> 2 AS INTEGER)) AS x

-- stream_holders
SELECT i.key, x.number, x.is_in_force
FROM rescind.json_items(%(streams)s) AS i CROSS JOIN LATERAL (
    SELECT a.holder AS number,
        a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s) AS is_in_force
    FROM rescind.assignment AS a
    WHERE a.role = CAST(i.value ->> 0 AS INTEGER) AND a.organization = %(o)s AND a.resource = CAST(i.value ->> 1 AS INTEGER)
    AND a.holder > CAST(i.value ->> 2 AS INTEGER) AND a.ended IS NULL
    ORDER BY a.organization, a.role, a.resource, a.holder LIMIT CAST(i.value ->> 3 AS INTEGER)) AS x

-- stream_holders_of_any
SELECT x.key, x.holder AS number,
EXISTS (
    SELECT 1 FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
        WHERE rp.role = a.role AND rp.permission = %(p)s OFFSET 0) AS rp
    WHERE a.organization = %(o)s AND a.holder = x.holder AND a.resource = x.resource AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)) AS is_in_force
FROM (
    SELECT i.key, d.holder, d.resource
    FROM rescind.json_items(%(streams)s) AS i CROSS JOIN LATERAL (
        SELECT DISTINCT a.organization, a.resource, a.holder FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.resource = CAST(i.value ->> 0 AS INTEGER) AND a.holder > CAST(i.value ->> 1 AS INTEGER)
        ORDER BY a.organization, a.resource, a.holder LIMIT CAST(i.value ->> 2 AS INTEGER)) AS d
        OFFSET 0) AS x

-- stream_members
SELECT i.key, x.number, (x.expires_at IS NULL OR x.expires_at > %(now)s) AS is_in_force
FROM rescind.json_items(%(streams)s) AS i CROSS JOIN LATERAL (
    SELECT gm.membership AS number, gm.expires_at FROM rescind.group_member AS gm
    WHERE gm.organization = %(o)s AND gm."group" = CAST(i.value ->> 0 AS INTEGER)
    AND gm.membership > CAST(i.value ->> 1 AS INTEGER)
    ORDER BY gm.organization, gm."group", gm.membership LIMIT CAST(i.value ->> 2 AS INTEGER)) AS x

-- stream_places
SELECT x.key, x.resource AS number,
EXISTS (
    SELECT 1 FROM rescind.assignment AS a CROSS JOIN LATERAL (SELECT * FROM rescind.role_permission AS rp
        WHERE rp.role = a.role AND rp.permission = %(p)s OFFSET 0) AS rp
    WHERE a.organization = %(o)s AND a.holder = x.holder AND a.resource = x.resource AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > %(now)s)) AS is_in_force
FROM (
    SELECT i.key, d.holder, d.resource
    FROM rescind.json_items(%(streams)s) AS i CROSS JOIN LATERAL (
        SELECT DISTINCT a.organization, a.holder, a.resource FROM rescind.assignment AS a
        WHERE a.organization = %(o)s AND a.holder = CAST(i.value ->> 0 AS INTEGER)
        AND a.resource > CAST(i.value ->> 1 AS INTEGER) AND a.ended IS NULL
        ORDER BY a.organization, a.holder, a.resource LIMIT CAST(i.value ->> 2 AS INTEGER)) AS d
        OFFSET 0) AS x
