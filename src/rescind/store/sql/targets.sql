-- How long changes took until they were enforced or settled, from the log. The log of one organization is a range of
-- its key, that of all is the whole key.

-- The enforced revocations of a window. Rows that code before schema 0031 wrote have no time of the change: only those
-- are looked up in the log.

-- fragment: enforced
enforced (organization, revision, recorded_at, microseconds) AS (
    SELECT e.organization, e.revision, e.recorded_at, e.enforced_at - e.recorded_at
    FROM rescind.enforcement AS e
    WHERE e.organization BETWEEN :first AND :last AND e.recorded_at >= :since AND e.recorded_at < :now
    UNION ALL
    SELECT c.organization, c.revision, c.recorded_at, e.enforced_at - c.recorded_at
    FROM rescind.enforcement AS e
    JOIN rescind.change AS c ON c.organization = e.organization AND c.revision = e.revision
    WHERE e.organization BETWEEN :first AND :last AND e.recorded_at IS NULL AND c.direction = 'revokes'
      AND c.recorded_at >= :since AND c.recorded_at < :now)

-- Revocations without a time on record are what the log has more than was enforced.

-- name: spread_enforcement
WITH @targets.enforced,
spread (milliseconds, changes, late, recent_changes, recent_late) AS (
    SELECT e.microseconds / 1000, count(*), count(CASE WHEN e.microseconds > :most THEN 1 END),
           count(CASE WHEN e.recorded_at >= :recent THEN 1 END),
           count(CASE WHEN e.recorded_at >= :recent AND e.microseconds > :most THEN 1 END)
    FROM enforced AS e GROUP BY 1)
SELECT s.milliseconds, s.changes, s.late, s.recent_changes, s.recent_late FROM spread AS s
UNION ALL
SELECT NULL, count(*) - (SELECT CAST(COALESCE(sum(s.changes), 0) AS BIGINT) FROM spread AS s), 0,
       count(CASE WHEN c.recorded_at >= :recent THEN 1 END)
       - (SELECT CAST(COALESCE(sum(s.recent_changes), 0) AS BIGINT) FROM spread AS s), 0
FROM rescind.change AS c
WHERE c.organization BETWEEN :first AND :last AND c.direction = 'revokes'
  AND c.recorded_at >= :since AND c.recorded_at < :now

-- name: slowest_enforced
WITH @targets.enforced
SELECT o.slug AS organization, slow.revision, slow.microseconds
FROM (SELECT e.organization, e.revision, e.recorded_at, e.microseconds FROM enforced AS e
      ORDER BY e.microseconds DESC, e.recorded_at DESC, e.organization, e.revision LIMIT :limit) AS slow
LEFT JOIN rescind.organization AS o ON o.id = slow.organization
ORDER BY slow.microseconds DESC, slow.recorded_at DESC, slow.organization, slow.revision

-- A change of all organizations (0) is settled by the changes that follow from it, which are counted themselves.

-- name: spread_settlement
SELECT (c.settled_at - c.recorded_at) / 1000 AS milliseconds, count(*) AS changes,
       sum(CASE WHEN COALESCE(c.settled_at, :now) - c.recorded_at > :most THEN 1 ELSE 0 END) AS late,
       sum(CASE WHEN c.recorded_at >= :recent THEN 1 ELSE 0 END) AS recent_changes,
       sum(CASE WHEN c.recorded_at >= :recent AND COALESCE(c.settled_at, :now) - c.recorded_at > :most
           THEN 1 ELSE 0 END) AS recent_late
FROM rescind.change AS c
WHERE c.organization BETWEEN :first AND :last AND c.organization > 0 AND c.direction = 'grants'
  AND c.recorded_at >= :since AND c.recorded_at < :now
GROUP BY 1

-- name: slowest_settled
SELECT o.slug AS organization, slow.revision, slow.microseconds
FROM (SELECT c.organization, c.revision, c.recorded_at,
             COALESCE(c.settled_at, :now) - c.recorded_at AS microseconds
      FROM rescind.change AS c
      WHERE c.organization BETWEEN :first AND :last AND c.organization > 0 AND c.direction = 'grants'
        AND c.recorded_at >= :since AND c.recorded_at < :now
      ORDER BY 4 DESC, c.recorded_at DESC, c.organization, c.revision LIMIT :limit) AS slow
LEFT JOIN rescind.organization AS o ON o.id = slow.organization
ORDER BY slow.microseconds DESC, slow.recorded_at DESC, slow.organization, slow.revision

-- The newest changes of a window, for a model of what changes cost.

-- name: cost_of_changes
SELECT o.slug AS organization, c.recorded_at, c.settled_at, c.route, c.granted + c.revoked AS pairs, c.estimated, e.record,
       CASE WHEN LENGTH(c.body) <= :characters THEN c.body END AS body
FROM (SELECT n.organization, n.revision, n.recorded_at FROM rescind.change AS n
      WHERE n.organization BETWEEN :first AND :last AND n.recorded_at >= :since AND n.recorded_at < :now
      ORDER BY n.recorded_at DESC, n.organization, n.revision DESC LIMIT :limit) AS newest
JOIN rescind.change AS c ON c.organization = newest.organization AND c.revision = newest.revision
LEFT JOIN rescind.enforcement AS e ON e.organization = c.organization AND e.revision = c.revision
LEFT JOIN rescind.organization AS o ON o.id = c.organization
ORDER BY newest.recorded_at DESC, newest.organization, newest.revision DESC
