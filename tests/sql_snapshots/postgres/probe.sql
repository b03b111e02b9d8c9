-- forget_probe_changes
DELETE FROM rescind.change WHERE (organization, revision) IN (
    SELECT c.organization, c.revision FROM rescind.organization AS o
    CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
        WHERE c.organization = o.id AND c.revision <= o.revision - CAST(%(kept)s AS INTEGER) OFFSET 0) AS c
    WHERE o.slug = %(organization)s AND c.actor = %(actor)s AND c.settled_at IS NOT NULL ORDER BY c.revision LIMIT %(limit)s)
AND revision <= (SELECT s.revision FROM rescind.log_start AS s WHERE s.organization = rescind.change.organization)

-- start_probe_log
INSERT INTO rescind.log_start (organization, revision, digest, environment, recorded_at, why)
SELECT c.organization, c.revision, c.digest, c.environment, CAST(%(now)s AS BIGINT), 'forgotten by the probe'
FROM rescind.change AS c
WHERE (c.organization, c.revision) IN (SELECT f.organization, max(f.revision) FROM (
        SELECT c.organization, c.revision FROM rescind.organization AS o
        CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
            WHERE c.organization = o.id AND c.revision <= o.revision - CAST(%(kept)s AS INTEGER) OFFSET 0) AS c
        WHERE o.slug = %(organization)s AND c.actor = %(actor)s AND c.settled_at IS NOT NULL ORDER BY c.revision LIMIT %(limit)s) AS f GROUP BY f.organization)
AND c.digest IS NOT NULL
ON CONFLICT (organization) DO UPDATE SET revision = excluded.revision, digest = excluded.digest,
    environment = excluded.environment, recorded_at = excluded.recorded_at, why = excluded.why
WHERE rescind.log_start.revision < excluded.revision
