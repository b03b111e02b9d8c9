-- Access reviews. A review is a revision and a filter; its lines follow from the log.

-- name: start_review
INSERT INTO rescind.review (organization, name, revision, environment, started_at, actor, filter)
SELECT o.id, CAST(:name AS TEXT), CAST(:revision AS BIGINT), CAST(:environment AS BIGINT), CAST(:now AS BIGINT), CAST(:actor AS TEXT),
       CAST(:filter AS TEXT)
FROM rescind.organization AS o WHERE o.id = :o AND o.slug = :organization
ON CONFLICT (organization, name) DO NOTHING

-- Counted, so that a service action about it is logged though nothing else is written.

-- name: find_review_row
SELECT r.name FROM rescind.review AS r WHERE r.organization = :o AND r.name = :name

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

-- --- verification --------------------------------------------------------------------------------

-- What was logged about reviews of an organization: of one, or of all.

-- name: list_review_actions
SELECT a.number, a.recorded_at, a.kind, a.subject, a.detail, a.actor FROM rescind.action AS a
WHERE a.organization = :o AND a.kind IN ('review_started', 'review_applied') AND a.number > :after
  AND (CAST(:name AS TEXT) IS NULL OR a.subject = :name)
ORDER BY a.number LIMIT :limit

-- What was logged when a log was pruned up to a revision.

-- name: list_prunings
SELECT a.number, a.recorded_at, a.kind, a.subject, a.detail, a.actor FROM rescind.action AS a
WHERE a.organization = :o AND a.kind = 'log_pruned' AND a.number > :after
ORDER BY a.number LIMIT :limit

-- name: read_change_digest
SELECT c.revision, c.digest, c.recorded_at FROM rescind.change AS c WHERE c.organization = :o AND c.revision = :revision
