-- find_log_needs
SELECT o.revision, (SELECT min(c.revision) FROM rescind_change AS c WHERE c.organization = o.id) AS first,
    (SELECT min(c.revision) FROM rescind_change AS c WHERE c.organization = o.id AND c.settled_at IS NULL AND o.id <> 0) AS unsettled,
    (SELECT min(c.revision) FROM rescind_change AS c WHERE c.organization = o.id AND c.digest IS NULL) AS unchained,
    COALESCE((SELECT f.revision FROM rescind_directory_follower AS f WHERE f.organization = o.id), 0) AS reported,
CASE WHEN o.id = 0 THEN (
        SELECT min(CASE WHEN l.organization IS NULL THEN 0 ELSE COALESCE(l.environment, 0) END)
        FROM rescind_organization AS x LEFT JOIN rescind_log_start AS l ON l.organization = x.id WHERE x.id <> 0) END AS environment_needed
FROM rescind_organization AS o WHERE o.id = :o

-- find_past_effect
SELECT c.revision, c.recorded_at, c.environment, c.caused_by FROM rescind_change AS c
WHERE c.organization = :o AND c.revision > :after AND c.revision <= :up_to AND c.caused_by <= :caused_by
ORDER BY c.revision DESC LIMIT 1

-- find_past_revision
SELECT c.revision, c.recorded_at, c.environment, c.caused_by FROM rescind_change AS c
WHERE c.organization = :o AND c.revision > :after AND c.revision <= :up_to AND c.recorded_at <= :at
ORDER BY c.revision DESC LIMIT 1

-- find_present_organization
SELECT o.id AS organization, o.revision, o.created_at, s.revision AS start, s.recorded_at AS start_at, s.environment AS start_environment
FROM rescind_organization AS o LEFT JOIN rescind_log_start AS l ON l.organization = o.id
LEFT JOIN rescind_snapshot AS s ON s.organization = o.id AND s.revision = (
    SELECT min(x.revision) FROM rescind_snapshot AS x WHERE x.organization = o.id AND x.revision >= l.revision)
WHERE o.slug = :organization

-- find_snapshot
SELECT s.revision, s.environment, s.recorded_at, s.source, s.digest, s.body FROM rescind_snapshot AS s
WHERE s.organization = :o AND s.revision > 0 AND s.revision <= :up_to AND s.format = :format AND (:with_tables OR s.source = 'replay')
ORDER BY s.revision DESC LIMIT 1

-- find_snapshot_place
SELECT min(c.revision) AS revision FROM rescind_change AS c
WHERE c.organization = :o AND c.revision >= CAST(:taken AS BIGINT) + :changes AND c.revision <= CAST(:taken AS BIGINT) + :most
AND (c.revision = CAST(:taken AS BIGINT) + :most OR c.recorded_at >= :at)

-- forget_snapshots
DELETE FROM rescind_snapshot WHERE organization = :o AND revision < :revision

-- keep_snapshot
INSERT INTO rescind_snapshot (organization, revision, environment, recorded_at, taken_at, source, format, digest, body)
SELECT CAST(:o AS INTEGER), CAST(:revision AS BIGINT), CAST(:environment AS BIGINT), CAST(:recorded_at AS BIGINT),
    CAST(:taken_at AS BIGINT), :source, CAST(:format AS INTEGER), :digest, :body WHERE TRUE
ON CONFLICT (organization, revision) DO UPDATE SET environment = excluded.environment, recorded_at = excluded.recorded_at,
    taken_at = excluded.taken_at, source = excluded.source, format = excluded.format, digest = excluded.digest, body = excluded.body
WHERE rescind_snapshot.format <> excluded.format

-- list_due_snapshots
SELECT o.id AS organization, COALESCE(o.slug, o.deleted_as) AS name, o.revision, s.revision AS taken, s.recorded_at AS taken_for
FROM rescind_organization AS o LEFT JOIN rescind_snapshot AS s ON s.organization = o.id AND s.revision = (
    SELECT max(x.revision) FROM rescind_snapshot AS x WHERE x.organization = o.id AND x.format = :format)
WHERE o.id >= :o AND o.revision >= :changes AND o.revision >= COALESCE(s.revision, 0) + :changes
AND (s.revision IS NULL OR o.revision >= s.revision + :most OR s.recorded_at + :microseconds <= (
        SELECT c.recorded_at FROM rescind_change AS c WHERE c.organization = o.id AND c.revision = o.revision))
ORDER BY o.id LIMIT 1

-- list_former_organizations
SELECT o.id AS organization, o.revision, o.created_at, s.revision AS start, s.recorded_at AS start_at, s.environment AS start_environment
FROM rescind_organization AS o LEFT JOIN rescind_log_start AS l ON l.organization = o.id
LEFT JOIN rescind_snapshot AS s ON s.organization = o.id AND s.revision = (
    SELECT min(x.revision) FROM rescind_snapshot AS x WHERE x.organization = o.id AND x.revision >= l.revision)
WHERE o.deleted_as = :organization ORDER BY o.id DESC LIMIT 1000

-- read_past_changes
WITH RECURSIVE page (revision, characters, rows) AS (
    SELECT CAST(:after AS BIGINT), CAST(:characters AS BIGINT), CAST(:limit AS BIGINT)
    UNION ALL
    SELECT c.revision, p.characters - LENGTH(c.body), p.rows - 1
    FROM page AS p CROSS JOIN rescind_change AS c ON c.organization = :o AND c.revision = (
        SELECT MIN(n.revision) FROM rescind_change AS n WHERE n.organization = :o AND n.revision > p.revision)
    WHERE p.characters > 0 AND p.rows > 0 AND c.revision <= :up_to)
SELECT c.revision, c.recorded_at, c.environment, c.caused_by, c.body
FROM page AS p CROSS JOIN rescind_change AS c ON c.organization = :o AND c.revision = p.revision
WHERE p.revision > :after ORDER BY c.revision

-- settle_causes
UPDATE rescind_change SET settled_at = (
    SELECT max(x.settled_at) FROM rescind_change AS x WHERE x.caused_by = rescind_change.revision)
WHERE organization = 0 AND settled_at IS NULL AND revision IN (
    SELECT c.caused_by FROM rescind_change AS c WHERE c.organization = :o AND c.revision <= :revision AND c.caused_by IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM rescind_change AS x WHERE x.caused_by = rescind_change.revision AND x.settled_at IS NULL)
