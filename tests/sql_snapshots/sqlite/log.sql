-- find_log_head
SELECT c.revision, c.digest, c.recorded_at FROM rescind_change AS c WHERE c.organization = :o ORDER BY c.revision DESC LIMIT 1

-- find_log_start
SELECT s.revision, s.digest, s.environment, s.recorded_at, s.why FROM rescind_log_start AS s WHERE s.organization = :o

-- find_unchained
SELECT c.organization, c.revision, p.revision AS revision_before, p.digest AS digest_before,
    s.revision AS revision_of_start, s.digest AS digest_of_start,
CASE WHEN p.revision IS NULL THEN EXISTS (
        SELECT 1 FROM rescind_change AS d WHERE d.organization = c.organization AND d.digest IS NOT NULL)
    ELSE TRUE END AS is_begun
FROM (SELECT x.organization, x.revision FROM rescind_change AS x INDEXED BY rescind_change_unchained WHERE x.digest IS NULL AND x.organization > :after
    AND NOT EXISTS (SELECT 1 FROM rescind_log_start AS b WHERE b.organization = x.organization AND b.revision >= x.revision)
    ORDER BY x.organization, x.revision LIMIT 1) AS c
LEFT JOIN rescind_change AS p ON p.organization = c.organization AND p.revision = (
    SELECT max(y.revision) FROM rescind_change AS y WHERE y.organization = c.organization AND y.revision < c.revision)
LEFT JOIN rescind_log_start AS s ON s.organization = c.organization

-- forget_log
DELETE FROM rescind_change WHERE organization = :o AND revision <= (
    SELECT s.revision FROM rescind_log_start AS s WHERE s.organization = :o)
AND revision <= (SELECT min(c.revision) + CAST(:limit AS BIGINT) - 1 FROM rescind_change AS c WHERE c.organization = :o)

-- list_logs
SELECT o.id AS organization, COALESCE(o.slug, o.deleted_as) AS name, o.revision
FROM rescind_organization AS o WHERE o.id > :after ORDER BY o.id LIMIT :limit

-- list_logs_of
SELECT x.id AS organization, x.name, x.revision FROM (
    SELECT o.id, o.slug AS name, o.revision FROM rescind_organization AS o WHERE o.slug = :organization
    UNION ALL
    SELECT o.id, o.deleted_as AS name, o.revision FROM rescind_organization AS o WHERE o.deleted_as = :organization) AS x
WHERE x.id > :after ORDER BY x.id LIMIT :limit

-- list_stray_logs
WITH RECURSIVE log (organization) AS (
    SELECT min(c.organization) FROM rescind_change AS c
    UNION ALL
    SELECT (SELECT min(c.organization) FROM rescind_change AS c WHERE c.organization > l.organization)
    FROM log AS l WHERE l.organization IS NOT NULL)
SELECT l.organization, CAST(NULL AS TEXT) AS name, CAST(0 AS BIGINT) AS revision FROM log AS l
WHERE l.organization IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rescind_organization AS o WHERE o.id = l.organization)
ORDER BY l.organization

-- read_chain
SELECT c.revision, c.digest, CAST(c.organization || ',' || c.revision || ',' || c.recorded_at || ',' || c.granted || ',' || c.revoked || ',' || c.estimated || ','
        || ifnull(c.caused_by, '') || ',' || ifnull(c.environment, '') || ','
        || length(CAST(c.actor AS BLOB)) || ':' || c.actor || ',' || length(CAST(c.reason AS BLOB)) || ':' || c.reason || ','
        || ifnull(length(CAST(c.idempotency_key AS BLOB)), '') || ':' || ifnull(c.idempotency_key, '') || ','
        || length(CAST(c.direction AS BLOB)) || ':' || c.direction || ',' || length(CAST(c.route AS BLOB)) || ':' || c.route || ','
        || length(CAST(c.body AS BLOB)) || ':' || c.body || ',' AS BLOB) AS content
FROM rescind_change AS c
WHERE c.organization = :o AND c.revision > :after
ORDER BY c.revision
LIMIT (SELECT COALESCE(MAX(CASE WHEN m.most < 1 THEN 1 WHEN m.most < CAST(:limit AS BIGINT) THEN m.most ELSE CAST(:limit AS BIGINT) END), 1)
    FROM (SELECT CAST(:characters AS BIGINT) / (MAX(LENGTH(x.body)) + 1) AS most FROM (
            SELECT y.body FROM rescind_change AS y
            WHERE y.organization = :o AND y.revision > :after ORDER BY y.revision LIMIT :limit) AS x) AS m)

-- read_chain_page
SELECT c.revision, c.digest, CASE WHEN length(c.body) <= :long THEN CASE WHEN instr(c.actor, char(0)) + instr(c.reason, char(0)) + ifnull(instr(c.idempotency_key, char(0)), 0)
            + instr(c.direction, char(0)) + instr(c.route, char(0)) + instr(c.body, char(0)) = 0
        THEN CAST(printf('%d,%d,%d,%d,%d,%d,%s,%s,%d:%s,%d:%s,%s:%s,%d:%s,%d:%s,%d:%s,', c.organization, c.revision, c.recorded_at,
                    c.granted, c.revoked, c.estimated, c.caused_by, c.environment, length(CAST(c.actor AS BLOB)), c.actor,
                    length(CAST(c.reason AS BLOB)), c.reason, length(CAST(c.idempotency_key AS BLOB)), c.idempotency_key,
                    length(CAST(c.direction AS BLOB)), c.direction, length(CAST(c.route AS BLOB)), c.route,
                    length(CAST(c.body AS BLOB)), c.body) AS BLOB)
        ELSE CAST(c.organization || ',' || c.revision || ',' || c.recorded_at || ',' || c.granted || ',' || c.revoked || ',' || c.estimated || ','
                || ifnull(c.caused_by, '') || ',' || ifnull(c.environment, '') || ','
                || length(CAST(c.actor AS BLOB)) || ':' || c.actor || ',' || length(CAST(c.reason AS BLOB)) || ':' || c.reason || ','
                || ifnull(length(CAST(c.idempotency_key AS BLOB)), '') || ':' || ifnull(c.idempotency_key, '') || ','
                || length(CAST(c.direction AS BLOB)) || ':' || c.direction || ',' || length(CAST(c.route AS BLOB)) || ':' || c.route || ','
                || length(CAST(c.body AS BLOB)) || ':' || c.body || ',' AS BLOB) END END AS content
FROM rescind_change AS c
WHERE c.organization = :o AND c.revision > :after
ORDER BY c.revision LIMIT :limit

-- read_log_revision
SELECT o.revision FROM rescind_organization AS o WHERE o.id = :o

-- set_digests
UPDATE rescind_change SET digest = substr(:digests, CAST(1 + 32 * (revision - CAST(:first AS BIGINT)) AS INTEGER), 32)
WHERE organization = :o AND revision >= :first AND revision <= :last AND digest IS NULL

-- start_log_after
INSERT INTO rescind_log_start (organization, revision, digest, environment, recorded_at, why)
SELECT c.organization, c.revision, c.digest, c.environment, CAST(:now AS BIGINT), CAST(:why AS TEXT)
FROM rescind_change AS c
WHERE c.organization = :o AND c.revision = :revision AND c.digest IS NOT NULL
AND EXISTS (SELECT 1 FROM rescind_change AS n WHERE n.organization = :o AND n.revision > :revision)
ON CONFLICT (organization) DO UPDATE SET revision = excluded.revision, digest = excluded.digest,
    environment = excluded.environment, recorded_at = excluded.recorded_at, why = excluded.why
WHERE rescind_log_start.revision < excluded.revision

-- start_log_before
INSERT INTO rescind_log_start (organization, revision, digest, environment, recorded_at, why)
SELECT CAST(:o AS INTEGER), CAST(:revision AS BIGINT), :digest, NULL, CAST(:now AS BIGINT), 'there was no log before'
WHERE TRUE ON CONFLICT DO NOTHING
