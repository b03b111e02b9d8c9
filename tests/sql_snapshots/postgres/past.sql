-- find_log_needs
SELECT o.revision, (SELECT min(c.revision) FROM rescind.change AS c WHERE c.organization = o.id) AS first,
    (SELECT min(c.revision) FROM rescind.change AS c WHERE c.organization = o.id AND c.settled_at IS NULL AND o.id <> 0) AS unsettled,
    (SELECT min(c.revision) FROM rescind.change AS c WHERE c.organization = o.id AND c.digest IS NULL) AS unchained,
    COALESCE((SELECT f.revision FROM rescind.directory_follower AS f WHERE f.organization = o.id), 0) AS reported,
CASE WHEN o.id = 0 THEN (
        SELECT min(CASE WHEN l.organization IS NULL THEN 0 ELSE COALESCE(l.environment, 0) END)
        FROM rescind.organization AS x LEFT JOIN LATERAL (SELECT * FROM rescind.log_start AS l
            WHERE l.organization = x.id OFFSET 0) AS l ON TRUE WHERE x.id <> 0) END AS environment_needed
FROM rescind.organization AS o WHERE o.id = %(o)s

-- find_past_effect
SELECT c.revision, c.recorded_at, c.environment, c.caused_by FROM rescind.change AS c
WHERE c.organization = %(o)s AND c.revision > %(after)s AND c.revision <= %(up_to)s AND c.caused_by <= %(caused_by)s
ORDER BY c.revision DESC LIMIT 1

-- find_past_revision
SELECT c.revision, c.recorded_at, c.environment, c.caused_by FROM rescind.change AS c
WHERE c.organization = %(o)s AND c.revision > %(after)s AND c.revision <= %(up_to)s AND c.recorded_at <= %(at)s
ORDER BY c.revision DESC LIMIT 1

-- find_present_organization
SELECT o.id AS organization, o.revision, o.created_at, s.revision AS start, s.recorded_at AS start_at, s.environment AS start_environment
FROM rescind.organization AS o LEFT JOIN LATERAL (SELECT * FROM rescind.log_start AS l
    WHERE l.organization = o.id OFFSET 0) AS l ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.snapshot AS s
    WHERE s.organization = o.id AND s.revision = (
        SELECT min(x.revision) FROM rescind.snapshot AS x WHERE x.organization = o.id AND x.revision >= l.revision) OFFSET 0) AS s ON TRUE
WHERE o.slug = %(organization)s

-- find_snapshot
SELECT s.revision, s.environment, s.recorded_at, s.source, s.digest, s.body FROM rescind.snapshot AS s
WHERE s.organization = %(o)s AND s.revision > 0 AND s.revision <= %(up_to)s AND s.format = %(format)s AND (%(with_tables)s OR s.source = 'replay')
ORDER BY s.revision DESC LIMIT 1

-- find_snapshot_place
SELECT min(c.revision) AS revision FROM rescind.change AS c
WHERE c.organization = %(o)s AND c.revision >= CAST(%(taken)s AS BIGINT) + %(changes)s AND c.revision <= CAST(%(taken)s AS BIGINT) + %(most)s
AND (c.revision = CAST(%(taken)s AS BIGINT) + %(most)s OR c.recorded_at >= %(at)s)

-- forget_snapshots
DELETE FROM rescind.snapshot WHERE organization = %(o)s AND revision < %(revision)s

-- keep_snapshot
INSERT INTO rescind.snapshot (organization, revision, environment, recorded_at, taken_at, source, format, digest, body)
SELECT CAST(%(o)s AS INTEGER), CAST(%(revision)s AS BIGINT), CAST(%(environment)s AS BIGINT), CAST(%(recorded_at)s AS BIGINT),
    CAST(%(taken_at)s AS BIGINT), %(source)s, CAST(%(format)s AS INTEGER), %(digest)s, %(body)s WHERE TRUE
ON CONFLICT (organization, revision) DO UPDATE SET environment = excluded.environment, recorded_at = excluded.recorded_at,
    taken_at = excluded.taken_at, source = excluded.source, format = excluded.format, digest = excluded.digest, body = excluded.body
WHERE rescind.snapshot.format <> excluded.format

-- list_due_snapshots
SELECT o.id AS organization, COALESCE(o.slug, o.deleted_as) AS name, o.revision, s.revision AS taken, s.recorded_at AS taken_for
FROM rescind.organization AS o LEFT JOIN LATERAL (SELECT * FROM rescind.snapshot AS s
    WHERE s.organization = o.id AND s.revision = (
        SELECT max(x.revision) FROM rescind.snapshot AS x WHERE x.organization = o.id AND x.format = %(format)s) OFFSET 0) AS s ON TRUE
WHERE o.id >= %(o)s AND o.revision >= %(changes)s AND o.revision >= COALESCE(s.revision, 0) + %(changes)s
AND (s.revision IS NULL OR o.revision >= s.revision + %(most)s OR s.recorded_at + %(microseconds)s <= (
        SELECT c.recorded_at FROM rescind.change AS c WHERE c.organization = o.id AND c.revision = o.revision))
ORDER BY o.id LIMIT 1

-- list_former_organizations
SELECT o.id AS organization, o.revision, o.created_at, s.revision AS start, s.recorded_at AS start_at, s.environment AS start_environment
FROM rescind.organization AS o LEFT JOIN LATERAL (SELECT * FROM rescind.log_start AS l
    WHERE l.organization = o.id OFFSET 0) AS l ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.snapshot AS s
    WHERE s.organization = o.id AND s.revision = (
        SELECT min(x.revision) FROM rescind.snapshot AS x WHERE x.organization = o.id AND x.revision >= l.revision) OFFSET 0) AS s ON TRUE
WHERE o.deleted_as = %(organization)s ORDER BY o.id DESC LIMIT 1000

-- read_past_changes
WITH RECURSIVE page (revision, characters, rows) AS (
    SELECT CAST(%(after)s AS BIGINT), CAST(%(characters)s AS BIGINT), CAST(%(limit)s AS BIGINT)
    UNION ALL
    SELECT c.revision, p.characters - LENGTH(c.body), p.rows - 1
    FROM page AS p CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
        WHERE c.organization = %(o)s AND c.revision = (
            SELECT MIN(n.revision) FROM rescind.change AS n WHERE n.organization = %(o)s AND n.revision > p.revision) OFFSET 0) AS c
    WHERE p.characters > 0 AND p.rows > 0 AND c.revision <= %(up_to)s)
SELECT c.revision, c.recorded_at, c.environment, c.caused_by, c.body
FROM page AS p CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = p.revision OFFSET 0) AS c
WHERE p.revision > %(after)s ORDER BY c.revision

-- settle_causes
UPDATE rescind.change SET settled_at = (
    SELECT max(x.settled_at) FROM rescind.change AS x WHERE x.caused_by = rescind.change.revision)
WHERE organization = 0 AND settled_at IS NULL AND revision IN (
    SELECT c.caused_by FROM rescind.change AS c WHERE c.organization = %(o)s AND c.revision <= %(revision)s AND c.caused_by IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM rescind.change AS x WHERE x.caused_by = rescind.change.revision AND x.settled_at IS NULL)
