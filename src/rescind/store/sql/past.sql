-- Questions about the past: which revision is meant, what was changed up to it, and snapshots of the facts.

-- An organization that has the name now. What was pruned can be asked about from the first snapshot after it on. Former ones, which were deleted, are found by the name that they had.

-- name: find_present_organization
SELECT o.id AS organization, o.revision, o.created_at, s.revision AS start, s.recorded_at AS start_at, s.environment AS start_environment
FROM rescind.organization AS o LEFT JOIN rescind.log_start AS l ON l.organization = o.id
LEFT JOIN rescind.snapshot AS s ON s.organization = o.id AND s.revision = (
    SELECT min(x.revision) FROM rescind.snapshot AS x WHERE x.organization = o.id AND x.revision >= l.revision)
WHERE o.slug = :organization

-- name: list_former_organizations
SELECT o.id AS organization, o.revision, o.created_at, s.revision AS start, s.recorded_at AS start_at, s.environment AS start_environment
FROM rescind.organization AS o LEFT JOIN rescind.log_start AS l ON l.organization = o.id
LEFT JOIN rescind.snapshot AS s ON s.organization = o.id AND s.revision = (
    SELECT min(x.revision) FROM rescind.snapshot AS x WHERE x.organization = o.id AND x.revision >= l.revision)
WHERE o.deleted_as = :organization ORDER BY o.id DESC LIMIT 1000

-- The newest of some revisions that was recorded at or before a time.

-- name: find_past_revision
SELECT c.revision, c.recorded_at, c.environment, c.caused_by FROM rescind.change AS c
WHERE c.organization = :o AND c.revision > :after AND c.revision <= :up_to AND c.recorded_at <= :at
ORDER BY c.revision DESC LIMIT 1

-- The newest of some revisions that were caused by a change of the environment, up to a revision of the environment.

-- name: find_past_effect
SELECT c.revision, c.recorded_at, c.environment, c.caused_by FROM rescind.change AS c
WHERE c.organization = :o AND c.revision > :after AND c.revision <= :up_to AND c.caused_by <= :caused_by
ORDER BY c.revision DESC LIMIT 1

-- What replay needs of the log. A page ends with the row that reaches the limit of characters, so it has at least one row.

-- name: read_past_changes
WITH RECURSIVE page (revision, characters, rows) AS (
    SELECT CAST(:after AS BIGINT), CAST(:characters AS BIGINT), CAST(:limit AS BIGINT)
    UNION ALL
    SELECT c.revision, p.characters - LENGTH(c.body), p.rows - 1
    FROM page AS p JOIN rescind.change AS c ON c.organization = :o AND c.revision = (
        SELECT MIN(n.revision) FROM rescind.change AS n WHERE n.organization = :o AND n.revision > p.revision)
    WHERE p.characters > 0 AND p.rows > 0 AND c.revision <= :up_to)
SELECT c.revision, c.recorded_at, c.environment, c.caused_by, c.body
FROM page AS p JOIN rescind.change AS c ON c.organization = :o AND c.revision = p.revision
WHERE p.revision > :after ORDER BY c.revision

-- --- snapshots ----------------------------------------------------------------------------------

-- No snapshot is kept of before the first change: what is put in there must not be taken for the beginning.

-- name: find_snapshot
SELECT s.revision, s.environment, s.recorded_at, s.source, s.digest, s.body FROM rescind.snapshot AS s
WHERE s.organization = :o AND s.revision > 0 AND s.revision <= :up_to AND s.format = :format AND (:with_tables OR s.source = 'replay')
ORDER BY s.revision DESC LIMIT 1

-- name: keep_snapshot
INSERT INTO rescind.snapshot (organization, revision, environment, recorded_at, taken_at, source, format, digest, body)
SELECT CAST(:o AS INTEGER), CAST(:revision AS BIGINT), CAST(:environment AS BIGINT), CAST(:recorded_at AS BIGINT),
       CAST(:taken_at AS BIGINT), :source, CAST(:format AS INTEGER), :digest, :body WHERE TRUE
ON CONFLICT (organization, revision) DO UPDATE SET environment = excluded.environment, recorded_at = excluded.recorded_at,
    taken_at = excluded.taken_at, source = excluded.source, format = excluded.format, digest = excluded.digest, body = excluded.body
WHERE rescind.snapshot.format <> excluded.format

-- Organizations with many changes since their last snapshot, from a number on. A day passes between two snapshots, unless
-- there are very many changes.

-- name: list_due_snapshots
SELECT o.id AS organization, COALESCE(o.slug, o.deleted_as) AS name, o.revision, s.revision AS taken, s.recorded_at AS taken_for
FROM rescind.organization AS o LEFT JOIN rescind.snapshot AS s ON s.organization = o.id AND s.revision = (
    SELECT max(x.revision) FROM rescind.snapshot AS x WHERE x.organization = o.id AND x.format = :format)
WHERE o.id >= :o AND o.revision >= :changes AND o.revision >= COALESCE(s.revision, 0) + :changes
  AND (s.revision IS NULL OR o.revision >= s.revision + :most OR s.recorded_at + :microseconds <= (
      SELECT c.recorded_at FROM rescind.change AS c WHERE c.organization = o.id AND c.revision = o.revision))
ORDER BY o.id LIMIT 1

-- name: find_snapshot_place
SELECT min(c.revision) AS revision FROM rescind.change AS c
WHERE c.organization = :o AND c.revision >= CAST(:taken AS BIGINT) + :changes AND c.revision <= CAST(:taken AS BIGINT) + :most
  AND (c.revision = CAST(:taken AS BIGINT) + :most OR c.recorded_at >= :at)

-- --- pruning ------------------------------------------------------------------------------------

-- What keeps an organization's log from being pruned up to a revision, such as changes that are not settled, and events of
-- the directory that were not written yet.

-- name: find_log_needs
SELECT o.revision, (SELECT min(c.revision) FROM rescind.change AS c WHERE c.organization = o.id) AS first,
       (SELECT min(c.revision) FROM rescind.change AS c WHERE c.organization = o.id AND c.settled_at IS NULL AND o.id <> 0) AS unsettled,
       (SELECT min(c.revision) FROM rescind.change AS c WHERE c.organization = o.id AND c.digest IS NULL) AS unchained,
       COALESCE((SELECT f.revision FROM rescind.directory_follower AS f WHERE f.organization = o.id), 0) AS reported,
CASE WHEN o.id = 0 THEN (
    SELECT min(CASE WHEN l.organization IS NULL THEN 0 ELSE COALESCE(l.environment, 0) END)
    FROM rescind.organization AS x LEFT JOIN rescind.log_start AS l ON l.organization = x.id WHERE x.id <> 0) END AS environment_needed
FROM rescind.organization AS o WHERE o.id = :o

-- Changes of the environment are settled when those that they caused are: what is pruned of these is settled.

-- name: settle_causes
UPDATE rescind.change SET settled_at = (
    SELECT max(x.settled_at) FROM rescind.change AS x WHERE x.caused_by = rescind.change.revision)
WHERE organization = 0 AND settled_at IS NULL AND revision IN (
    SELECT c.caused_by FROM rescind.change AS c WHERE c.organization = :o AND c.revision <= :revision AND c.caused_by IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM rescind.change AS x WHERE x.caused_by = rescind.change.revision AND x.settled_at IS NULL)

-- name: forget_snapshots
DELETE FROM rescind.snapshot WHERE organization = :o AND revision < :revision
