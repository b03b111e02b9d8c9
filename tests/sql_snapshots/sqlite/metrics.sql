-- count_pending
SELECT p.direction, CASE WHEN p.parked THEN 'parked' WHEN p.not_before > CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) THEN 'waiting' ELSE 'due' END AS state,
    count(*) AS items, min(p.recorded_at) AS oldest
FROM rescind_pending AS p GROUP BY 1, 2
UNION ALL
SELECT 'revokes', 'due', count(*), min(d.recorded_at) FROM rescind_deletion AS d HAVING count(*) > 0
