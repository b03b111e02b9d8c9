-- find_review_row
SELECT r.name FROM rescind.review AS r WHERE r.organization = %(o)s AND r.name = %(name)s

-- list_prunings
SELECT a.number, a.recorded_at, a.kind, a.subject, a.detail, a.actor FROM rescind.action AS a
WHERE a.organization = %(o)s AND a.kind = 'log_pruned' AND a.number > %(after)s
ORDER BY a.number LIMIT %(limit)s

-- list_review_actions
SELECT a.number, a.recorded_at, a.kind, a.subject, a.detail, a.actor FROM rescind.action AS a
WHERE a.organization = %(o)s AND a.kind IN ('review_started', 'review_applied') AND a.number > %(after)s
AND (CAST(%(name)s AS TEXT) IS NULL OR a.subject = %(name)s)
ORDER BY a.number LIMIT %(limit)s

-- list_reviews
SELECT r.name, r.revision, r.environment, r.started_at, r.actor, r.filter
FROM rescind.review AS r WHERE r.organization = %(o)s AND r.name > %(after)s ORDER BY r.name LIMIT %(limit)s

-- read_change_digest
SELECT c.revision, c.digest, c.recorded_at FROM rescind.change AS c WHERE c.organization = %(o)s AND c.revision = %(revision)s

-- read_change_heads
SELECT c.revision, c.recorded_at, c.actor, c.reason
FROM rescind.json_items(%(revisions)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = CAST(i.value AS BIGINT) OFFSET 0) AS c

-- read_review
SELECT r.name, r.revision, r.environment, r.started_at, r.actor, r.filter
FROM rescind.review AS r WHERE r.organization = %(o)s AND r.name = %(name)s

-- start_review
INSERT INTO rescind.review (organization, name, revision, environment, started_at, actor, filter)
SELECT o.id, CAST(%(name)s AS TEXT), CAST(%(revision)s AS BIGINT), CAST(%(environment)s AS BIGINT), CAST(%(now)s AS BIGINT), CAST(%(actor)s AS TEXT),
    CAST(%(filter)s AS TEXT)
FROM rescind.organization AS o WHERE o.id = %(o)s AND o.slug = %(organization)s
ON CONFLICT (organization, name) DO NOTHING
