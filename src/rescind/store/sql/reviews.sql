-- Access reviews. A review is a revision and a filter; its lines follow from the log.

-- name: start_review
INSERT INTO rescind.review (organization, name, revision, environment, started_at, actor, filter)
SELECT o.id, CAST(:name AS TEXT), o.revision, env.revision, CAST(:now AS BIGINT), CAST(:actor AS TEXT), CAST(:filter AS TEXT)
FROM rescind.organization AS o JOIN rescind.organization AS env ON env.id = 0
WHERE o.slug = :organization
ON CONFLICT (organization, name) DO NOTHING

-- name: read_review
SELECT r.name, r.revision, r.environment, r.started_at, r.actor, r.filter
FROM rescind.review AS r WHERE r.organization = :o AND r.name = :name

-- name: list_reviews
SELECT r.name, r.revision, r.environment, r.started_at, r.actor, r.filter
FROM rescind.review AS r WHERE r.organization = :o AND r.name > :after ORDER BY r.name LIMIT :limit

-- Who made some of the changes of the log, when and why.

-- name: read_change_heads
SELECT c.revision, c.recorded_at, c.actor, c.reason
FROM rescind.json_items(:revisions) AS i JOIN rescind.change AS c ON c.organization = :o AND c.revision = CAST(i.value AS BIGINT)
