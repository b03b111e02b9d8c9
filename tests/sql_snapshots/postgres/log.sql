-- find_log_head
SELECT c.revision, c.digest, c.recorded_at FROM rescind.change AS c WHERE c.organization = %(o)s ORDER BY c.revision DESC LIMIT 1

-- find_log_start
SELECT s.revision, s.digest, s.environment, s.recorded_at, s.why FROM rescind.log_start AS s WHERE s.organization = %(o)s

-- find_unchained
SELECT c.organization, c.revision, p.revision AS revision_before, p.digest AS digest_before,
    s.revision AS revision_of_start, s.digest AS digest_of_start,
CASE WHEN p.revision IS NULL THEN EXISTS (
        SELECT 1 FROM rescind.change AS d WHERE d.organization = c.organization AND d.digest IS NOT NULL)
    ELSE TRUE END AS is_begun
FROM (SELECT x.organization, x.revision FROM rescind.change AS x WHERE x.digest IS NULL AND x.organization > %(after)s
    AND NOT EXISTS (SELECT 1 FROM rescind.log_start AS b WHERE b.organization = x.organization AND b.revision >= x.revision)
    ORDER BY x.organization, x.revision LIMIT 1) AS c
LEFT JOIN LATERAL (SELECT * FROM rescind.change AS p
    WHERE p.organization = c.organization AND p.revision = (
        SELECT max(y.revision) FROM rescind.change AS y WHERE y.organization = c.organization AND y.revision < c.revision) OFFSET 0) AS p ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.log_start AS s
    WHERE s.organization = c.organization OFFSET 0) AS s ON TRUE

-- forget_log
DELETE FROM rescind.change WHERE organization = %(o)s AND revision <= (
    SELECT s.revision FROM rescind.log_start AS s WHERE s.organization = %(o)s)
AND revision <= (SELECT min(c.revision) + CAST(%(limit)s AS BIGINT) - 1 FROM rescind.change AS c WHERE c.organization = %(o)s)

-- list_logs
SELECT o.id AS organization, COALESCE(o.slug, o.deleted_as) AS name, o.revision
FROM rescind.organization AS o WHERE o.id > %(after)s ORDER BY o.id LIMIT %(limit)s

-- list_logs_of
SELECT x.id AS organization, x.name, x.revision FROM (
    SELECT o.id, o.slug AS name, o.revision FROM rescind.organization AS o WHERE o.slug = %(organization)s
    UNION ALL
    SELECT o.id, o.deleted_as AS name, o.revision FROM rescind.organization AS o WHERE o.deleted_as = %(organization)s) AS x
WHERE x.id > %(after)s ORDER BY x.id LIMIT %(limit)s

-- list_stray_logs
WITH RECURSIVE log (organization) AS (
    SELECT min(c.organization) FROM rescind.change AS c
    UNION ALL
    SELECT (SELECT min(c.organization) FROM rescind.change AS c WHERE c.organization > l.organization)
    FROM log AS l WHERE l.organization IS NOT NULL)
SELECT l.organization, CAST(NULL AS TEXT) AS name, CAST(0 AS BIGINT) AS revision FROM log AS l
WHERE l.organization IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rescind.organization AS o WHERE o.id = l.organization)
ORDER BY l.organization

-- read_chain
SELECT c.revision, c.digest, convert_to(concat(c.organization, ',', c.revision, ',', c.recorded_at, ',', c.granted, ',', c.revoked, ',', c.estimated, ',',
            c.caused_by, ',', c.environment, ',',
            octet_length(convert_to(c.actor, 'UTF8')), ':', c.actor, ',', octet_length(convert_to(c.reason, 'UTF8')), ':', c.reason, ',',
            octet_length(convert_to(c.idempotency_key, 'UTF8')), ':', c.idempotency_key, ',',
            octet_length(convert_to(c.direction, 'UTF8')), ':', c.direction, ',', octet_length(convert_to(c.route, 'UTF8')), ':', c.route, ',',
            octet_length(convert_to(c.body, 'UTF8')), ':', c.body, ','), 'UTF8') AS content
FROM rescind.change AS c
WHERE c.organization = %(o)s AND c.revision > %(after)s
ORDER BY c.revision
LIMIT (SELECT COALESCE(MAX(CASE WHEN m.most < 1 THEN 1 WHEN m.most < CAST(%(limit)s AS BIGINT) THEN m.most ELSE CAST(%(limit)s AS BIGINT) END), 1)
    FROM (SELECT CAST(%(characters)s AS BIGINT) / (MAX(LENGTH(x.body)) + 1) AS most FROM (
            SELECT y.body FROM rescind.change AS y
            WHERE y.organization = %(o)s AND y.revision > %(after)s ORDER BY y.revision LIMIT %(limit)s) AS x) AS m)

-- read_chain_page
SELECT c.revision, c.digest, CASE WHEN octet_length(c.body) <= %(long)s THEN CASE WHEN getdatabaseencoding() = 'UTF8' THEN convert_to(concat_ws(',', c.organization, c.revision, c.recorded_at, c.granted, c.revoked,
                    c.estimated, COALESCE(CAST(c.caused_by AS TEXT), ''), COALESCE(CAST(c.environment AS TEXT), ''),
                    octet_length(c.actor) || ':' || c.actor, octet_length(c.reason) || ':' || c.reason,
                    COALESCE(octet_length(c.idempotency_key) || ':' || c.idempotency_key, ':'),
                    octet_length(c.direction) || ':' || c.direction, octet_length(c.route) || ':' || c.route,
                    octet_length(c.body) || ':' || c.body, ''), 'UTF8')
        ELSE convert_to(concat(c.organization, ',', c.revision, ',', c.recorded_at, ',', c.granted, ',', c.revoked, ',', c.estimated, ',',
                    c.caused_by, ',', c.environment, ',',
                    octet_length(convert_to(c.actor, 'UTF8')), ':', c.actor, ',', octet_length(convert_to(c.reason, 'UTF8')), ':', c.reason, ',',
                    octet_length(convert_to(c.idempotency_key, 'UTF8')), ':', c.idempotency_key, ',',
                    octet_length(convert_to(c.direction, 'UTF8')), ':', c.direction, ',', octet_length(convert_to(c.route, 'UTF8')), ':', c.route, ',',
                    octet_length(convert_to(c.body, 'UTF8')), ':', c.body, ','), 'UTF8') END END AS content
FROM rescind.change AS c
WHERE c.organization = %(o)s AND c.revision > %(after)s
ORDER BY c.revision LIMIT %(limit)s

-- read_log_revision
SELECT o.revision FROM rescind.organization AS o WHERE o.id = %(o)s

-- set_digests
UPDATE rescind.change SET digest = substr(CAST(%(digests)s AS BYTEA), CAST(1 + 32 * (revision - CAST(%(first)s AS BIGINT)) AS INTEGER), 32)
WHERE organization = %(o)s AND revision >= %(first)s AND revision <= %(last)s AND digest IS NULL

-- start_log_after
INSERT INTO rescind.log_start (organization, revision, digest, environment, recorded_at, why)
SELECT c.organization, c.revision, c.digest, c.environment, CAST(%(now)s AS BIGINT), CAST(%(why)s AS TEXT)
FROM rescind.change AS c
WHERE c.organization = %(o)s AND c.revision = %(revision)s AND c.digest IS NOT NULL
AND EXISTS (SELECT 1 FROM rescind.change AS n WHERE n.organization = %(o)s AND n.revision > %(revision)s)
ON CONFLICT (organization) DO UPDATE SET revision = excluded.revision, digest = excluded.digest,
    environment = excluded.environment, recorded_at = excluded.recorded_at, why = excluded.why
WHERE rescind.log_start.revision < excluded.revision

-- start_log_before
INSERT INTO rescind.log_start (organization, revision, digest, environment, recorded_at, why)
SELECT CAST(%(o)s AS INTEGER), CAST(%(revision)s AS BIGINT), %(digest)s, NULL, CAST(%(now)s AS BIGINT), 'there was no log before'
WHERE TRUE ON CONFLICT DO NOTHING
