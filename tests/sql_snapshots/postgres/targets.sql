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
SELECT o.slug AS organization, slow.revision, slow.microseconds
FROM (SELECT c.organization, c.revision, c.recorded_at, e.enforced_at - c.recorded_at AS microseconds
    FROM rescind.change AS c
    CROSS JOIN LATERAL (SELECT * FROM rescind.enforcement AS e
        WHERE e.organization = c.organization AND e.revision = c.revision OFFSET 0) AS e
    WHERE c.organization BETWEEN %(first)s AND %(last)s AND c.direction = 'revokes'
    AND c.recorded_at >= %(since)s AND c.recorded_at < %(now)s
    ORDER BY 4 DESC, c.recorded_at DESC, c.organization, c.revision LIMIT %(limit)s) AS slow
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
SELECT (e.enforced_at - c.recorded_at) / 1000 AS milliseconds, count(*) AS changes,
    sum(CASE WHEN e.enforced_at - c.recorded_at > %(most)s THEN 1 ELSE 0 END) AS late,
    sum(CASE WHEN c.recorded_at >= %(recent)s THEN 1 ELSE 0 END) AS recent_changes,
    sum(CASE WHEN c.recorded_at >= %(recent)s AND e.enforced_at - c.recorded_at > %(most)s
        THEN 1 ELSE 0 END) AS recent_late
FROM rescind.change AS c
LEFT JOIN LATERAL (SELECT * FROM rescind.enforcement AS e
    WHERE e.organization = c.organization AND e.revision = c.revision OFFSET 0) AS e ON TRUE
WHERE c.organization BETWEEN %(first)s AND %(last)s AND c.direction = 'revokes'
AND c.recorded_at >= %(since)s AND c.recorded_at < %(now)s
GROUP BY 1
