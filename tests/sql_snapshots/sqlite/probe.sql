-- forget_probe_changes
DELETE FROM rescind_change WHERE (organization, revision) IN (
    SELECT c.organization, c.revision FROM rescind_organization AS o
    CROSS JOIN rescind_change AS c ON c.organization = o.id AND c.revision <= o.revision - CAST(:kept AS INTEGER)
    WHERE o.slug = :organization AND c.actor = :actor AND c.settled_at IS NOT NULL ORDER BY c.revision LIMIT :limit)
AND revision <= (SELECT s.revision FROM rescind_log_start AS s WHERE s.organization = rescind_change.organization)

-- start_probe_log
INSERT INTO rescind_log_start (organization, revision, digest, environment, recorded_at, why)
SELECT c.organization, c.revision, c.digest, c.environment, CAST(:now AS BIGINT), 'forgotten by the probe'
FROM rescind_change AS c
WHERE (c.organization, c.revision) IN (SELECT f.organization, max(f.revision) FROM (
        SELECT c.organization, c.revision FROM rescind_organization AS o
        CROSS JOIN rescind_change AS c ON c.organization = o.id AND c.revision <= o.revision - CAST(:kept AS INTEGER)
        WHERE o.slug = :organization AND c.actor = :actor AND c.settled_at IS NOT NULL ORDER BY c.revision LIMIT :limit) AS f GROUP BY f.organization)
AND c.digest IS NOT NULL
ON CONFLICT (organization) DO UPDATE SET revision = excluded.revision, digest = excluded.digest,
    environment = excluded.environment, recorded_at = excluded.recorded_at, why = excluded.why
WHERE rescind_log_start.revision < excluded.revision
