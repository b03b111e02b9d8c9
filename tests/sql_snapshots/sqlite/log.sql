-- find_log_start
SELECT s.revision, s.digest, s.environment, s.recorded_at, s.why FROM rescind_log_start AS s WHERE s.organization = :o

-- forget_log
DELETE FROM rescind_change WHERE organization = :o AND revision <= (
    SELECT s.revision FROM rescind_log_start AS s WHERE s.organization = :o)
AND revision <= (SELECT min(c.revision) + CAST(:limit AS BIGINT) - 1 FROM rescind_change AS c WHERE c.organization = :o)

-- start_log_after
INSERT INTO rescind_log_start (organization, revision, digest, environment, recorded_at, why)
SELECT c.organization, c.revision, c.digest, c.environment, CAST(:now AS BIGINT), CAST(:why AS TEXT)
FROM rescind_change AS c
WHERE c.organization = :o AND c.revision = :revision AND c.digest IS NOT NULL
AND EXISTS (SELECT 1 FROM rescind_change AS n WHERE n.organization = :o AND n.revision > :revision)
ON CONFLICT (organization) DO UPDATE SET revision = excluded.revision, digest = excluded.digest,
    environment = excluded.environment, recorded_at = excluded.recorded_at, why = excluded.why
WHERE rescind_log_start.revision < excluded.revision
