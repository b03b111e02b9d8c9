-- cost_of_changes
SELECT o.slug AS organization, c.recorded_at, c.settled_at, c.route, c.granted + c.revoked AS pairs, c.estimated, e.record,
CASE WHEN LENGTH(c.body) <= %(characters)s THEN c.body END AS body
FROM (SELECT n.organization, n.revision, n.recorded_at FROM rescind.change AS n
    WHERE n.organization BETWEEN %(first)s AND %(last)s AND n.recorded_at >= %(since)s AND n.recorded_at < %(now)s
    ORDER BY n.recorded_at DESC, n.organization, n.revision DESC LIMIT %(limit)s) AS newest
CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = newest.organization AND c.revision = newest.revision OFFSET 0) AS c
LEFT JOIN LATERAL (SELECT * FROM rescind.enforcement AS e
    WHERE e.organization = c.organization AND e.revision = c.revision OFFSET 0) AS e ON TRUE
LEFT JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = c.organization OFFSET 0) AS o ON TRUE
ORDER BY newest.recorded_at DESC, newest.organization, newest.revision DESC

-- slowest_enforced
WITH enforced (organization, revision, recorded_at, microseconds) AS (
    SELECT e.organization, e.revision, e.recorded_at, e.enforced_at - e.recorded_at
    FROM rescind.enforcement AS e
    WHERE e.organization BETWEEN %(first)s AND %(last)s AND e.recorded_at >= %(since)s AND e.recorded_at < %(now)s
    UNION ALL
    SELECT c.organization, c.revision, c.recorded_at, e.enforced_at - c.recorded_at
    FROM rescind.enforcement AS e
    CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
        WHERE c.organization = e.organization AND c.revision = e.revision OFFSET 0) AS c
    WHERE e.organization BETWEEN %(first)s AND %(last)s AND e.recorded_at IS NULL AND c.direction = 'revokes'
    AND c.recorded_at >= %(since)s AND c.recorded_at < %(now)s)
SELECT o.slug AS organization, slow.revision, slow.microseconds
FROM (SELECT e.organization, e.revision, e.recorded_at, e.microseconds FROM enforced AS e
    ORDER BY e.microseconds DESC, e.recorded_at DESC, e.organization, e.revision LIMIT %(limit)s) AS slow
LEFT JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = slow.organization OFFSET 0) AS o ON TRUE
ORDER BY slow.microseconds DESC, slow.recorded_at DESC, slow.organization, slow.revision

-- slowest_settled
SELECT o.slug AS organization, slow.revision, slow.microseconds
FROM (SELECT c.organization, c.revision, c.recorded_at,
        COALESCE(c.settled_at, %(now)s) - c.recorded_at AS microseconds
    FROM rescind.change AS c
    WHERE c.organization BETWEEN %(first)s AND %(last)s AND c.organization > 0 AND c.direction = 'grants'
    AND c.recorded_at >= %(since)s AND c.recorded_at < %(now)s
    ORDER BY 4 DESC, c.recorded_at DESC, c.organization, c.revision LIMIT %(limit)s) AS slow
LEFT JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = slow.organization OFFSET 0) AS o ON TRUE
ORDER BY slow.microseconds DESC, slow.recorded_at DESC, slow.organization, slow.revision

-- spread_enforcement
WITH enforced (organization, revision, recorded_at, microseconds) AS (
    SELECT e.organization, e.revision, e.recorded_at, e.enforced_at - e.recorded_at
    FROM rescind.enforcement AS e
    WHERE e.organization BETWEEN %(first)s AND %(last)s AND e.recorded_at >= %(since)s AND e.recorded_at < %(now)s
    UNION ALL
    SELECT c.organization, c.revision, c.recorded_at, e.enforced_at - c.recorded_at
    FROM rescind.enforcement AS e
    CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
        WHERE c.organization = e.organization AND c.revision = e.revision OFFSET 0) AS c
    WHERE e.organization BETWEEN %(first)s AND %(last)s AND e.recorded_at IS NULL AND c.direction = 'revokes'
    AND c.recorded_at >= %(since)s AND c.recorded_at < %(now)s),
    spread (milliseconds, changes, late, recent_changes, recent_late) AS (
    SELECT e.microseconds / 1000, count(*), count(CASE WHEN e.microseconds > %(most)s THEN 1 END),
        count(CASE WHEN e.recorded_at >= %(recent)s THEN 1 END),
        count(CASE WHEN e.recorded_at >= %(recent)s AND e.microseconds > %(most)s THEN 1 END)
    FROM enforced AS e GROUP BY 1)
SELECT s.milliseconds, s.changes, s.late, s.recent_changes, s.recent_late FROM spread AS s
UNION ALL
SELECT NULL, count(*) - (SELECT CAST(COALESCE(sum(s.changes), 0) AS BIGINT) FROM spread AS s), 0,
    count(CASE WHEN c.recorded_at >= %(recent)s THEN 1 END)
    - (SELECT CAST(COALESCE(sum(s.recent_changes), 0) AS BIGINT) FROM spread AS s), 0
FROM rescind.change AS c
WHERE c.organization BETWEEN %(first)s AND %(last)s AND c.direction = 'revokes'
AND c.recorded_at >= %(since)s AND c.recorded_at < %(now)s
