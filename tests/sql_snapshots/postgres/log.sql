-- find_log_start
SELECT s.revision, s.digest, s.environment, s.recorded_at, s.why FROM rescind.log_start AS s WHERE s.organization = %(o)s

-- forget_log
DELETE FROM rescind.change WHERE organization = %(o)s AND revision <= (
    SELECT s.revision FROM rescind.log_start AS s WHERE s.organization = %(o)s)
AND revision <= (SELECT min(c.revision) + CAST(%(limit)s AS BIGINT) - 1 FROM rescind.change AS c WHERE c.organization = %(o)s)

-- start_log_after
INSERT INTO rescind.log_start (organization, revision, digest, environment, recorded_at, why)
SELECT c.organization, c.revision, c.digest, c.environment, CAST(%(now)s AS BIGINT), CAST(%(why)s AS TEXT)
FROM rescind.change AS c
WHERE c.organization = %(o)s AND c.revision = %(revision)s AND c.digest IS NOT NULL
AND EXISTS (SELECT 1 FROM rescind.change AS n WHERE n.organization = %(o)s AND n.revision > %(revision)s)
ON CONFLICT (organization) DO UPDATE SET revision = excluded.revision, digest = excluded.digest,
    environment = excluded.environment, recorded_at = excluded.recorded_at, why = excluded.why
WHERE rescind.log_start.revision < excluded.revision
