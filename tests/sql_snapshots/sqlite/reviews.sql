-- list_reviews
SELECT r.name, r.revision, r.environment, r.started_at, r.actor, r.filter
FROM rescind_review AS r WHERE r.organization = :o AND r.name > :after ORDER BY r.name LIMIT :limit

-- read_change_heads
SELECT c.revision, c.recorded_at, c.actor, c.reason
FROM json_each(:revisions) AS i CROSS JOIN rescind_change AS c ON c.organization = :o AND c.revision = CAST(i.value AS BIGINT)

-- read_review
SELECT r.name, r.revision, r.environment, r.started_at, r.actor, r.filter
FROM rescind_review AS r WHERE r.organization = :o AND r.name = :name

-- start_review
INSERT INTO rescind_review (organization, name, revision, environment, started_at, actor, filter)
SELECT o.id, CAST(:name AS TEXT), o.revision, env.revision, CAST(:now AS BIGINT), CAST(:actor AS TEXT), CAST(:filter AS TEXT)
FROM rescind_organization AS o CROSS JOIN rescind_organization AS env ON env.id = 0
WHERE o.slug = :organization
ON CONFLICT (organization, name) DO NOTHING
