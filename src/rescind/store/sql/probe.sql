-- The probe's organization.

-- Others' changes in that organization are kept. Those before the log's start are no longer part of the chain.

-- fragment: forgettable
SELECT c.organization, c.revision FROM rescind.organization AS o
    JOIN rescind.change AS c ON c.organization = o.id AND c.revision <= o.revision - CAST(:kept AS INTEGER)
    WHERE o.slug = :organization AND c.actor = :actor AND c.settled_at IS NOT NULL ORDER BY c.revision LIMIT :limit

-- name: start_probe_log
INSERT INTO rescind.log_start (organization, revision, digest, environment, recorded_at, why)
SELECT c.organization, c.revision, c.digest, c.environment, CAST(:now AS BIGINT), 'forgotten by the probe'
FROM rescind.change AS c
WHERE (c.organization, c.revision) IN (SELECT f.organization, max(f.revision) FROM (
    @probe.forgettable) AS f GROUP BY f.organization)
AND c.digest IS NOT NULL
ON CONFLICT (organization) DO UPDATE SET revision = excluded.revision, digest = excluded.digest,
    environment = excluded.environment, recorded_at = excluded.recorded_at, why = excluded.why
WHERE rescind.log_start.revision < excluded.revision

-- name: forget_probe_changes
DELETE FROM rescind.change WHERE (organization, revision) IN (
    @probe.forgettable)
AND revision <= (SELECT s.revision FROM rescind.log_start AS s WHERE s.organization = rescind.change.organization)
