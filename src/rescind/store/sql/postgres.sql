-- Queries and fragments that are written differently for PostgreSQL.

-- Notes how long the transaction waited for the organization. In a caller's transaction that is no figure.

-- name: begin
SELECT rescind.begin(CAST(:o AS INTEGER), :organization, :mode, CAST(:has_required AS BOOLEAN), CAST(:id_rule AS TEXT)),
       set_config('rescind.lock_wait', CAST(EXTRACT(EPOCH FROM clock_timestamp() - transaction_timestamp()) AS TEXT), TRUE)

-- Keeps others from defining anything for all organizations until this change has ended: a name is defined on one
-- level only.

-- name: hold_definitions
SELECT 1 FROM rescind.organization WHERE id = 0 FOR SHARE

-- The log says at which revision of the definitions for all organizations a batch was recorded, and replay judges it by
-- these. So it must be the one at which roles were set aside. Nobody waits: the batch is tried again where it is not.

-- name: remember_definitions
SELECT set_config('rescind.definitions', CAST(revision AS TEXT), TRUE) FROM rescind.organization WHERE id = 0

-- name: refuse_moved_definitions
SELECT 'definitions_moved' AS code, 'revision' AS fact, CAST(c.environment AS TEXT) AS value
FROM rescind.organization AS o JOIN rescind.change AS c ON c.organization = o.id AND c.revision = o.revision
WHERE o.id = :o AND rescind.tallied('altered') > 0
  AND c.environment <> CAST(NULLIF(current_setting('rescind.definitions', TRUE), '') AS BIGINT)

-- Arrays instead of IN: a look-up by key whatever the statistics say. A semi-join might scan the group.

-- name: delete_group_members
DELETE FROM rescind.group_member
WHERE organization = :o AND "group" = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)
  AND membership = ANY (ARRAY(
      SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value)
      FROM rescind.json_texts(:members) AS i))

-- name: shorten_group_members
UPDATE rescind.group_member SET expires_at = :expires_at
WHERE organization = :o AND "group" = (SELECT id FROM rescind."group" WHERE organization = :o AND slug = :group)
  AND membership = ANY (ARRAY(
      SELECT (SELECT m.id FROM rescind.membership AS m WHERE m.organization = :o AND m.subject = i.value)
      FROM rescind.json_texts(:members) AS i))
  AND :expires_at < COALESCE(expires_at, 9223372036854775807)

-- fragment: engine.any_given
SELECT 1 FROM rescind.assignment AS a
    WHERE a.organization = o.id AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)
      AND a.holder = ANY (ARRAY(SELECT id FROM holder)) AND a.resource = ANY (ARRAY(SELECT id FROM place)) AND
(SELECT 1 FROM rescind.role_permission AS rp WHERE rp.role = a.role AND rp.permission = p.id) IS NOT NULL

-- The organization's own permission comes before the one of all organizations.

-- fragment: engine.permission_asked
LEFT JOIN LATERAL (
    SELECT x.id, x.critical FROM rescind.permission AS x WHERE x.slug = :permission AND x.organization IN (0, o.id)
    ORDER BY x.organization DESC LIMIT 1) AS p ON TRUE

-- Four bytes a number, the highest first.

-- fragment: engine.packed_members
string_agg(int4send(membership), CAST('' AS BYTEA))

-- The canonical form of a change in the log: see `semantics/chain.py`, which makes the same bytes.

-- fragment: engine.digested
convert_to(concat(c.organization, ',', c.revision, ',', c.recorded_at, ',', c.granted, ',', c.revoked, ',', c.estimated, ',',
        c.caused_by, ',', c.environment, ',',
        octet_length(convert_to(c.actor, 'UTF8')), ':', c.actor, ',', octet_length(convert_to(c.reason, 'UTF8')), ':', c.reason, ',',
        octet_length(convert_to(c.idempotency_key, 'UTF8')), ':', c.idempotency_key, ',',
        octet_length(convert_to(c.direction, 'UTF8')), ':', c.direction, ',', octet_length(convert_to(c.route, 'UTF8')), ':', c.route, ',',
        octet_length(convert_to(c.body, 'UTF8')), ':', c.body, ','), 'UTF8')

-- The same bytes in two thirds of the time, where texts are kept in UTF-8.

-- fragment: engine.digested_at_once
CASE WHEN getdatabaseencoding() = 'UTF8' THEN convert_to(concat_ws(',', c.organization, c.revision, c.recorded_at, c.granted, c.revoked,
        c.estimated, COALESCE(CAST(c.caused_by AS TEXT), ''), COALESCE(CAST(c.environment AS TEXT), ''),
        octet_length(c.actor) || ':' || c.actor, octet_length(c.reason) || ':' || c.reason,
        COALESCE(octet_length(c.idempotency_key) || ':' || c.idempotency_key, ':'),
        octet_length(c.direction) || ':' || c.direction, octet_length(c.route) || ':' || c.route,
        octet_length(c.body) || ':' || c.body, ''), 'UTF8')
ELSE @engine.digested END

-- Reads no body: its length is beside it.

-- fragment: engine.is_short
octet_length(c.body) <= :long

-- fragment: engine.unchained
rescind.change AS x

-- fragment: engine.expiring_members
rescind.directory_member

-- fragment: engine.expiring_roles
rescind.directory_given

-- fragment: engine.digests
CAST(:digests AS BYTEA)

-- fragment: engine.action_content
convert_to(concat(a.number, ',', a.recorded_at, ',', a.organization, ',', octet_length(convert_to(a.kind, 'UTF8')), ':', a.kind, ',',
        octet_length(convert_to(a.subject, 'UTF8')), ':', a.subject, ',', octet_length(convert_to(a.detail, 'UTF8')), ':', a.detail, ',',
        octet_length(convert_to(a.actor, 'UTF8')), ':', a.actor, ',', octet_length(convert_to(a.request, 'UTF8')), ':', a.request, ','), 'UTF8')

-- Logs a service action if the transaction altered anything. The digest before comes from the locked row: after waiting for
-- it, a query would not see the newest action.

-- name: insert_service_action
WITH draft AS MATERIALIZED (
    SELECT CAST(:now AS BIGINT) AS recorded_at, CAST(:kind AS TEXT) AS kind,
           COALESCE(CAST(:o AS INTEGER), (SELECT k.bound_to FROM rescind.api_key AS k WHERE k.id = :key)) AS organization,
           CAST(:subject AS TEXT) AS subject, CAST(:detail AS TEXT) AS detail, CAST(:actor AS TEXT) AS actor,
           CAST(:request AS TEXT) AS request),
advanced AS (
    UPDATE rescind.action_head AS h SET number = h.number + 1, digest = (
        SELECT sha256(h.digest || @engine.action_content)
        FROM (SELECT h.number + 1 AS number, d.recorded_at, d.kind, d.organization, d.subject, d.detail, d.actor, d.request) AS a)
    FROM draft AS d
    WHERE rescind.tallied('altered') > 0
    RETURNING h.number, h.digest, d.recorded_at, d.kind, d.organization, d.subject, d.detail, d.actor, d.request)
INSERT INTO rescind.action (number, recorded_at, kind, organization, subject, detail, actor, request, digest)
SELECT number, recorded_at, kind, organization, subject, detail, actor, request, digest FROM advanced

-- One statement ends a change, instead of three. While the change before has no digest, the new one gets none.

-- fragment: closing
WITH missing AS MATERIALIZED (
    SELECT CASE WHEN rescind.tallied('missing') > 0 THEN rescind.take_missing() END AS list),
advanced AS (
    UPDATE rescind.organization
    SET revision = revision + 1, last_number = last_number + CAST(rescind.tallied('numbers') AS INTEGER)
    WHERE id = :o AND rescind.tallied('altered') > 0
    RETURNING id, revision, role_mode),
drafted AS MATERIALIZED (
    SELECT o.id AS organization, o.revision, CAST(:now AS BIGINT) AS recorded_at, CAST(:actor AS TEXT) AS actor,
           CAST(:reason AS TEXT) AS reason, CAST(:key AS TEXT) AS idempotency_key,
    CASE WHEN rescind.tallied('revoked') + rescind.tallied('revokes') > 0
        OR (rescind.tallied('takes') > 0 AND rescind.tallied('unsettled') + rescind.tallied('pended') > 0)
        OR (o.role_mode = 'single' AND (rescind.tallied('granted') + rescind.tallied('gains') > 0
                OR rescind.tallied('unsettled') > 0))
        THEN 'revokes' ELSE 'grants' END AS direction,
    CASE WHEN rescind.tallied('pended') > 0 THEN 'background' ELSE 'inline' END AS route,
        rescind.tallied('granted') AS granted, rescind.tallied('revoked') AS revoked,
        rescind.tallied('estimated') AS estimated, CAST(:body AS TEXT) AS body,
    CASE WHEN :is_elsewhere THEN env.revision + 1 END AS caused_by,
    CASE WHEN o.id = 0 THEN o.revision WHEN :is_elsewhere THEN env.revision + 1 ELSE env.revision END AS environment
    FROM advanced AS o JOIN rescind.organization AS env ON env.id = 0),
recorded AS (
    INSERT INTO rescind.change (organization, revision, recorded_at, actor, reason, idempotency_key, direction, route,
            granted, revoked, estimated, settled_at, body, caused_by, environment, digest)
    SELECT c.organization, c.revision, c.recorded_at, c.actor, c.reason, c.idempotency_key, c.direction, c.route,
           c.granted, c.revoked, c.estimated, CASE WHEN c.route = 'inline' THEN c.recorded_at END, c.body,
           c.caused_by, c.environment,
           sha256(CASE WHEN c.revision = 1 THEN sha256(convert_to('rescind change log ' || c.organization, 'UTF8')) ELSE (
               SELECT p.digest FROM rescind.change AS p WHERE p.organization = c.organization AND p.revision < c.revision
               ORDER BY p.revision DESC LIMIT 1) END || @engine.digested)
    FROM drafted AS c
    RETURNING organization, revision, direction, route, granted + revoked + estimated AS fan_out, recorded_at, settled_at)

-- fragment: closed
SELECT o.id AS organization, COALESCE(r.revision, o.revision) AS revision,
       CASE WHEN o.id = 0 THEN COALESCE(r.revision, o.revision) ELSE env.revision END AS environment, r.direction, r.route, r.fan_out, r.recorded_at,
       r.settled_at, (SELECT list FROM missing) AS not_found, rescind.tallied('pairs') AS pairs,
       CASE WHEN rescind.tallied('pended') > 0 THEN pg_notify('rescind_pending', CAST(o.id AS TEXT)) END AS workers_told,
       CASE WHEN r.revision IS NOT NULL AND EXISTS (SELECT 1 FROM rescind.replica)
            THEN pg_notify('rescind_changed', o.id || ' ' || r.revision || ' ' || r.direction) END AS replicas_told,
       CAST(current_setting('rescind.lock_wait') AS DOUBLE PRECISION) AS lock_wait
FROM rescind.organization AS o JOIN rescind.organization AS env ON env.id = 0 LEFT JOIN recorded AS r ON TRUE
WHERE o.id = :o

-- name: close_change
@postgres.closing
@postgres.closed

-- name: close_keyed_change
@postgres.closing,
kept AS (
    UPDATE rescind.idempotency SET not_found = m.list FROM missing AS m
    WHERE organization = :o AND key = :key AND m.list IS NOT NULL)
@postgres.closed

-- Pending work uses the database's time, so that workers' clocks do not matter.

-- fragment: engine.server
rescind.server() AS server

-- fragment: engine.clock
CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)

-- While work is pending, a change locks the groups (`upward`) whose effective roles it touches, and so does a job.
-- Neither waits: the change leaves its part to pending work, and the job tries again later.

-- fragment: engine.is_busy
CASE WHEN EXISTS (SELECT 1 FROM rescind.pending AS p WHERE p.organization = :o)
     THEN rescind.take_groups(CAST(:o AS INTEGER), ARRAY(SELECT u.id FROM upward AS u), :waits) ELSE FALSE END

-- name: refuse_group_busy
WITH RECURSIVE
@reconcile.job_holders
SELECT 'group_busy' AS code, 'group' AS fact, CAST(:g AS TEXT) AS value
WHERE NOT rescind.claim_groups(CAST(:o AS INTEGER), ARRAY(
    SELECT h.id FROM holder AS h UNION SELECT CAST(:g AS INTEGER)))

-- name: refuse_one_group_busy
SELECT 'group_busy' AS code, 'group' AS fact, CAST(:g AS TEXT) AS value
WHERE NOT rescind.claim_groups(CAST(:o AS INTEGER), ARRAY[CAST(:g AS INTEGER)])

-- How long the transaction's statements have taken in the server: the time its locks cost others, without the commit.

-- name: read_held
SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp() - transaction_timestamp()) AS DOUBLE PRECISION),
       (SELECT count(*) FROM pg_locks AS l WHERE NOT l.granted), (SELECT revision FROM rescind.organization WHERE id = :o)

-- --- replicas ------------------------------------------------------------------------------------

-- For leases: if the server has synchronous standbys, the commit waits for them. So a lease ends on a primary that was
-- separated from them.

-- fragment: lastingly
lasting (said) AS MATERIALIZED (
    SELECT set_config('synchronous_commit', CASE
        WHEN current_setting('synchronous_standby_names') = '' THEN current_setting('synchronous_commit')
        WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply'
        ELSE 'on' END, true))

-- name: register_replica
WITH
@postgres.lastingly
INSERT INTO rescind.replica (id, name, ttl) SELECT :replica, :name, :ttl FROM lasting RETURNING rescind.server() AS server

-- name: renew_lease
WITH
@postgres.lastingly
UPDATE rescind.replica SET beat = beat + 1 FROM lasting WHERE id = :replica RETURNING rescind.server() AS server

-- name: forget_replica
DELETE FROM rescind.replica WHERE id = :replica RETURNING id AS replica

-- Forgets a replica that was waited out, unless it has given a sign of life since.

-- name: forget_silent_replica
DELETE FROM rescind.replica WHERE id = :replica AND beat = :beat RETURNING id AS replica

-- name: hold_organization
WITH
@postgres.lastingly
INSERT INTO rescind.replica_held (organization, replica, revision) SELECT :o, :replica, :revision FROM lasting
ON CONFLICT (organization, replica) DO UPDATE SET revision = EXCLUDED.revision RETURNING rescind.server() AS server

-- name: release_organization
DELETE FROM rescind.replica_held WHERE organization = :o AND replica = :replica RETURNING revision

-- name: acknowledge
UPDATE rescind.replica_held SET revision = :revision WHERE organization = :o AND replica = :replica
RETURNING pg_notify('rescind_acknowledged', replica || ' ' || organization || ' ' || revision) AS told

-- name: list_leases
SELECT r.id AS replica, r.name, r.ttl, r.beat, h.revision AS acknowledged FROM rescind.replica_held AS h JOIN rescind.replica AS r ON r.id = h.replica
WHERE h.organization = :o

-- name: count_replicas
SELECT count(*) AS replicas FROM rescind.replica

-- Rows older than every running transaction: a reader that continues from here misses none.

-- fragment: engine.is_visible
e.written_by < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)

-- The session that deletes the remains of an organization has its row locked.

-- name: refuse_deletion_busy
WITH locked (organization) AS MATERIALIZED (
    SELECT d.organization FROM rescind.deletion AS d WHERE d.organization = :o FOR UPDATE SKIP LOCKED)
SELECT 'group_busy' AS code, 'organization' AS fact, CAST(:o AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM locked)

-- name: lock_organization
SELECT id FROM rescind.organization WHERE id = :o FOR NO KEY UPDATE

-- Checking for conflicts doubles the cost of a row. So memberships that have none of the rows yet get them without:
-- the lock on the group keeps everybody else from making them. The changed assignments lie between :first and :last.

-- name: make_assignment_again
@reconcile.who_gets_what,
begun (membership, expires_at) AS MATERIALIZED (SELECT r.membership, r.expires_at FROM reached AS r WHERE
        (SELECT 1 FROM rescind.effective_role AS e WHERE e.organization = :o AND e.membership = r.membership
        AND e.assignment >= :first AND e.assignment <= :last LIMIT 1)
        IS NOT NULL)
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT :o, c.membership, a.id, c.expires_at FROM
    begun AS c
CROSS JOIN LATERAL (    -- the OFFSET keeps the planner from turning the loops around: rows are made in key order
    SELECT x.id FROM changed AS x WHERE c.membership IS NOT NULL OFFSET 0) AS a
WHERE @reconcile.in_range
ON CONFLICT (organization, membership, assignment) DO UPDATE SET expires_at = excluded.expires_at
WHERE COALESCE(rescind.effective_role.expires_at, 9223372036854775807) <> COALESCE(excluded.expires_at, 9223372036854775807)

-- name: make_assignment
@reconcile.who_gets_what,
anew (membership, expires_at) AS MATERIALIZED (SELECT r.membership, r.expires_at FROM reached AS r WHERE
        (SELECT 1 FROM rescind.effective_role AS e WHERE e.organization = :o AND e.membership = r.membership
        AND e.assignment >= :first AND e.assignment <= :last LIMIT 1)
        IS NULL)
INSERT INTO rescind.effective_role (organization, membership, assignment, expires_at)
SELECT :o, c.membership, a.id, c.expires_at FROM
    anew AS c
CROSS JOIN LATERAL (    -- the OFFSET keeps the planner from turning the loops around: rows are made in key order
    SELECT x.id FROM changed AS x WHERE c.membership IS NOT NULL OFFSET 0) AS a
WHERE @reconcile.in_range

-- A range of the key: whatever the statistics say, it costs no more than all rows of the organization. The revision is
-- compared in the row itself, so that it is compared again if a newer change had the row locked.

-- name: settle_pending
DELETE FROM rescind.pending
WHERE organization = :o AND "group" = :g AND kind = :kind
  AND ref >= (SELECT min(CAST(i.value ->> 0 AS INTEGER)) FROM rescind.json_items(:settled) AS i)
  AND ref <= (SELECT max(CAST(i.value ->> 0 AS INTEGER)) FROM rescind.json_items(:settled) AS i)
  AND revision = CAST((SELECT jsonb_object_agg(i.value ->> 0, i.value -> 1) FROM rescind.json_items(:settled) AS i)
                      ->> CAST(ref AS TEXT) AS INTEGER)

-- fragment: engine.is_in_spans
revision = ANY (ARRAY(
    SELECT c.revision FROM span AS s CROSS JOIN LATERAL (
        SELECT x.revision FROM rescind.change AS x
        WHERE x.organization = :o AND x.settled_at IS NULL AND x.revision >= s.since AND x.revision <= s.revision
        OFFSET 0) AS c))

-- Due work is looked up by comparing rows that begin with the urgency. Only one index begins with it, so no other can be
-- used, however many rows of an organization are said to be due.

-- fragment: engine.is_in_later_organization
(p.urgency, p.organization) > (t.urgency, t.organization) AND p.urgency <= t.urgency

-- fragment: engine.is_in_later_group
(p.urgency, p.organization, p."group") > (t.urgency, CAST(:o AS INTEGER), t."group")
        AND (p.urgency, p.organization) <= (t.urgency, CAST(:o AS INTEGER))

-- fragment: engine.is_in_same_group
(p.urgency, p.organization, p."group") >= (t.urgency, CAST(:o AS INTEGER), t."group")
        AND (p.urgency, p.organization, p."group") <= (t.urgency, CAST(:o AS INTEGER), t."group")

-- fragment: engine.oldest_rows
FROM oldest AS x CROSS JOIN LATERAL (
    SELECT y.* FROM rescind.pending AS y
    WHERE y.organization = :o AND y."group" = x."group" AND y.kind = x.kind AND y.ref = x.ref OFFSET 0) AS p

-- The view for SQL users. The decision stands in a VALUES list, whose expressions the planner estimates as almost
-- free. Its own estimate of a decision, times the rows, would make a stock server JIT-compile every query on the
-- view, which takes seconds (jit_above_cost). `rescind.weight` gives the cost of a row instead; it is never called.

-- name: effective_permission_view
CREATE VIEW rescind.effective_permission AS
SELECT o.slug AS organization, m.subject, p.slug AS permission, r.slug AS resource
FROM rescind.organization AS o
JOIN rescind.membership AS m ON m.organization = o.id
JOIN rescind.permission AS p ON p.organization IN (0, o.id)
JOIN rescind.resource AS r ON r.organization = o.id
CROSS JOIN LATERAL (VALUES (FALSE), (
        CASE WHEN p.critical THEN
                (CASE WHEN o.role_mode = 'multiple' THEN @decisions.all_live ELSE @decisions.wide_live_single OR @decisions.scoped_live END)
            ELSE
                (@decisions.allowed_by_trusted OR @decisions.has_pending
                AND
                    (CASE WHEN o.role_mode = 'multiple' THEN @decisions.all_live ELSE @decisions.wide_live_single OR @decisions.scoped_live END)
            )
        END)) AS v (is_allowed)
WHERE o.slug IS NOT NULL AND m.active AND v.is_allowed AND (v.is_allowed OR rescind.weight(v.is_allowed))

-- Look-ups by key, whatever the statistics say about groups, roles and permissions.

-- fragment: listing.places_below
SELECT l.* FROM below AS b CROSS JOIN LATERAL (
    SELECT gm.membership, gm."group", gm.made, gm.expires_at FROM rescind.group_member AS gm
    WHERE gm.organization = :o AND gm."group" = b.id AND gm.membership > :after AND gm.membership <= :up_to AND @changes.member_in_force
        OFFSET 0) AS l

-- name: listed_permissions_of_roles
SELECT rp.role, (SELECT p.slug FROM rescind.permission AS p WHERE p.id = rp.permission) AS permission
FROM rescind.role_permission AS rp WHERE rp.role = ANY (ARRAY(SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:roles) AS i))

-- --- lists ----------------------------------------------------------------------------------------

-- fragment: engine.is_listed_holder
= ANY (ARRAY(SELECT CAST(i.value AS INTEGER) FROM rescind.json_texts(:holders) AS i))

-- name: stream_members
SELECT i.key, x.number, (x.expires_at IS NULL OR x.expires_at > :now) AS is_in_force
FROM rescind.json_items(:streams) AS i CROSS JOIN LATERAL (
    SELECT gm.membership AS number, gm.expires_at FROM rescind.group_member AS gm
    WHERE gm.organization = :o AND gm."group" = CAST(i.value ->> 0 AS INTEGER)
      AND gm.membership > CAST(i.value ->> 1 AS INTEGER)
    ORDER BY gm.organization, gm."group", gm.membership LIMIT CAST(i.value ->> 2 AS INTEGER)) AS x

-- name: stream_holders
SELECT i.key, x.number, x.is_in_force
FROM rescind.json_items(:streams) AS i CROSS JOIN LATERAL (
    SELECT a.holder AS number,
        @lists.is_unexpired AS is_in_force
    FROM rescind.assignment AS a
    WHERE a.role = CAST(i.value ->> 0 AS INTEGER) AND a.organization = :o AND a.resource = CAST(i.value ->> 1 AS INTEGER)
    AND a.holder > CAST(i.value ->> 2 AS INTEGER) AND a.ended IS NULL
    ORDER BY a.organization, a.role, a.resource, a.holder LIMIT CAST(i.value ->> 3 AS INTEGER)) AS x

-- name: stream_holders_of_any
SELECT x.key, x.holder AS number,
@lists.is_given AS is_in_force
FROM (
    SELECT i.key, d.holder, d.resource
    FROM rescind.json_items(:streams) AS i CROSS JOIN LATERAL (
        SELECT DISTINCT a.organization, a.resource, a.holder FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.resource = CAST(i.value ->> 0 AS INTEGER) AND a.holder > CAST(i.value ->> 1 AS INTEGER)
        ORDER BY a.organization, a.resource, a.holder LIMIT CAST(i.value ->> 2 AS INTEGER)) AS d
    OFFSET 0) AS x

-- name: stream_places
SELECT x.key, x.resource AS number,
@lists.is_given AS is_in_force
FROM (
    SELECT i.key, d.holder, d.resource
    FROM rescind.json_items(:streams) AS i CROSS JOIN LATERAL (
        SELECT DISTINCT a.organization, a.holder, a.resource FROM rescind.assignment AS a
        WHERE a.organization = :o AND a.holder = CAST(i.value ->> 0 AS INTEGER)
          AND a.resource > CAST(i.value ->> 1 AS INTEGER) AND a.ended IS NULL
        ORDER BY a.organization, a.holder, a.resource LIMIT CAST(i.value ->> 2 AS INTEGER)) AS d
    OFFSET 0) AS x

-- name: stream_children
SELECT i.key, x.number, TRUE AS is_in_force
FROM rescind.json_items(:streams) AS i CROSS JOIN LATERAL (
    SELECT r.id AS number FROM rescind.resource AS r
    WHERE r.organization = :o AND r.parent = CAST(i.value ->> 0 AS INTEGER) AND r.id > CAST(i.value ->> 1 AS INTEGER)
    ORDER BY r.organization, r.parent, r.id LIMIT CAST(i.value ->> 2 AS INTEGER)) AS x

-- name: stream_contents
SELECT i.key, x.number, TRUE AS is_in_force
FROM rescind.json_items(:streams) AS i CROSS JOIN LATERAL (
    SELECT rp.permission AS number FROM rescind.role_permission AS rp
    WHERE rp.role = CAST(i.value ->> 0 AS INTEGER) AND rp.permission > CAST(i.value ->> 1 AS INTEGER)
    ORDER BY rp.role, rp.permission LIMIT CAST(i.value ->> 2 AS INTEGER)) AS x

-- Where a subject holds a permission. Lists of a user's own table start with it, once for each. Variables are named
-- like the aliases that the fragments expect. The function has its own settings, so its plans depend neither on the
-- caller's nor on what the tables held when they were made. Up to about twice the square root of the possible
-- resources are cheaper to look up than to look for page by page.

-- fragment: engine.gives_permission
roles @> a.role

-- name: define_reach
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
@decisions.holder_at
SELECT a.resource AS place FROM holder AS h
JOIN rescind.assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.ended IS NULL
WHERE (a.expires_at IS NULL OR a.expires_at > :now) AND (a.resource <> 0 OR o.role_mode = 'multiple') AND @engine.gives_permission
UNION
SELECT 0 WHERE o.role_mode = 'single' AND @decisions.wide_live_single
);
    IF 0 = ANY (held) THEN
        places := '{(,)}';
        is_walked := TRUE;
        RETURN;
    END IF;
    most := 4 * sqrt(o.last_number);
    is_walked := cardinality(held) > most OR most < (   -- counting costs little: too many need no list
        SELECT count(*) FROM (
            SELECT FROM unnest(held) AS h (id) JOIN rescind.resource AS x ON x.organization = o.id AND x.parent = h.id
            LIMIT most + 1) AS x);
    IF NOT is_walked THEN
        listed := ARRAY(
            WITH RECURSIVE below (id) AS (
                SELECT h.id FROM unnest(held) AS h (id)
                UNION
                SELECT x.id FROM below AS b JOIN rescind.resource AS x ON x.organization = o.id AND x.parent = b.id)
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

-- The start of a user's statement that lists rows of their own table; `rescind.sql` fills in the names. A few resources
-- are looked up in the table by key; OFFSET keeps the planner from scanning the table in order for them. Many are
-- looked for in the table's own order, which the planner considers only if the table stands alone in its branch: so the
-- conditions stand outside, each for one branch. Their cost is hidden as in the view. The resource is named where it
-- cannot be mistaken for a name of ours.

-- fragment: reach_asked
SELECT x.number, x.places, x.resources, x.is_walked FROM rescind.reach(:organization, :subject, :permission) AS x

-- fragment: is_reached
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
                            SELECT x.parent FROM above JOIN rescind.resource AS x ON x.organization = up.organization
                                AND x.id = above.id AND COALESCE(x.parent, 0) <> 0)
                        SELECT 1 FROM above WHERE (SELECT x.places FROM $reach AS x) @> above.id)
                    END
                FROM rescind.resource AS up WHERE up.organization = r.organization AND up.id = r.parent)
            END)) AS v (is_reached)

-- fragment: permitted_rows
SELECT $columns FROM (
        (SELECT $alias.*, TRUE AS is_listed
         FROM (SELECT unnest(x.resources) AS slug FROM $reach AS x) AS listed
         CROSS JOIN (SELECT $alias.*, $resource AS resource_asked FROM $table) AS $alias
         WHERE $alias.resource_asked = listed.slug AND $alias.resource_asked COLLATE "C" = listed.slug$lookup OFFSET 0)
        UNION ALL
        SELECT $alias.*, $resource, FALSE FROM $table) AS $alias
    WHERE $alias.is_listed OR (SELECT x.is_walked FROM $reach AS x) AND (
        @postgres.is_reached
        WHERE r.organization = (SELECT x.number FROM $reach AS x) AND r.slug = $alias.resource_asked COLLATE "C" AND v.is_reached)

-- name: permitted
WITH reach AS MATERIALIZED (
    @postgres.reach_asked),
permitted AS NOT MATERIALIZED (
    @postgres.permitted_rows)

-- The same in two parts, for statements that `rescind.integrations.sqlalchemy` puts together: what is found once, and
-- the rows of a table, or whether one resource is permitted. The resource is asked where no name of ours is in scope.

-- name: reach_of_list
@postgres.reach_asked

-- name: rows_of_list
@postgres.permitted_rows

-- name: reach_of_row
@postgres.reach_asked

-- name: row_is_permitted
EXISTS (
    SELECT 1 FROM (SELECT $resource AS slug OFFSET 0) AS asked
    WHERE CASE WHEN (SELECT x.is_walked FROM $reach AS x) THEN (
        @postgres.is_reached
        WHERE r.organization = (SELECT x.number FROM $reach AS x) AND r.slug = asked.slug COLLATE "C" AND v.is_reached)
    ELSE asked.slug COLLATE "C" IN (SELECT unnest(x.resources) FROM $reach AS x) END)

-- OFFSET '0' keeps the planner from seeing into the inner query. It would expect as many times as changes, and sort them
-- all; like this each parallel worker counts its part.

-- name: spread_settlement
SELECT took / 1000 AS milliseconds, count(*) AS changes, sum(CASE WHEN so_far > :most THEN 1 ELSE 0 END) AS late,
       sum(CASE WHEN recorded_at >= :recent THEN 1 ELSE 0 END) AS recent_changes,
       sum(CASE WHEN recorded_at >= :recent AND so_far > :most THEN 1 ELSE 0 END) AS recent_late
FROM (SELECT c.recorded_at, c.settled_at - c.recorded_at AS took, COALESCE(c.settled_at, :now) - c.recorded_at AS so_far
      FROM rescind.change AS c
      WHERE c.organization BETWEEN :first AND :last AND c.organization > 0 AND c.direction = 'grants'
        AND c.recorded_at >= :since AND c.recorded_at < :now OFFSET '0') AS timed
GROUP BY 1
