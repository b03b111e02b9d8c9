-- list_reviews
SELECT r.name, r.revision, r.environment, r.started_at, r.actor, r.filter
FROM rescind.review AS r WHERE r.organization = %(o)s AND r.name > %(after)s ORDER BY r.name LIMIT %(limit)s

-- read_change_heads
SELECT c.revision, c.recorded_at, c.actor, c.reason
FROM rescind.json_items(%(revisions)s) AS i CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
    WHERE c.organization = %(o)s AND c.revision = CAST(i.value AS BIGINT) OFFSET 0) AS c

-- read_review
SELECT r.name, r.revision, r.environment, r.started_at, r.actor, r.filter
FROM rescind.review AS r WHERE r.organization = %(o)s AND r.name = %(name)s

-- start_review
INSERT INTO rescind.review (organization, name, revision, environment, started_at, actor, filter)
SELECT o.id, CAST(%(name)s AS TEXT), o.revision, env.revision, CAST(%(now)s AS BIGINT), CAST(%(actor)s AS TEXT), CAST(%(filter)s AS TEXT)
FROM rescind.organization AS o CROSS JOIN LATERAL (SELECT * FROM rescind.organization AS env
    WHERE env.id = 0 OFFSET 0) AS env
WHERE o.slug = %(organization)s
ON CONFLICT (organization, name) DO NOTHING
