-- Figures about the database, for a scrape. Of all organizations together: none is told by organization.

-- What is left of deleted organizations counts as revocations that are due, a piece for each.

-- name: count_pending
SELECT p.direction, CASE WHEN p.parked THEN 'parked' WHEN p.not_before > @engine.clock THEN 'waiting' ELSE 'due' END AS state,
       count(*) AS items, min(p.recorded_at) AS oldest
FROM rescind.pending AS p GROUP BY 1, 2
UNION ALL
SELECT 'revokes', 'due', count(*), min(d.recorded_at) FROM rescind.deletion AS d HAVING count(*) > 0
