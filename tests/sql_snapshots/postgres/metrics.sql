-- count_pending
SELECT p.direction, CASE WHEN p.parked THEN 'parked' WHEN p.not_before > CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) THEN 'waiting' ELSE 'due' END AS state,
    count(*) AS items, min(p.recorded_at) AS oldest
FROM rescind.pending AS p GROUP BY 1, 2
UNION ALL
SELECT 'revokes', 'due', count(*), min(d.recorded_at) FROM rescind.deletion AS d HAVING count(*) > 0
