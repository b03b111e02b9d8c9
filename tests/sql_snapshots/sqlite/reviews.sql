-- find_review_row
SELECT r.name FROM rescind_review AS r WHERE r.organization = :o AND r.name = :name

-- list_prunings
SELECT a.number, a.recorded_at, a.kind, a.subject, a.detail, a.actor FROM rescind_action AS a
WHERE a.organization = :o AND a.kind = 'log_pruned' AND a.number > :after
ORDER BY a.number LIMIT :limit

-- list_review_actions
SELECT a.number, a.recorded_at, a.kind, a.subject, a.detail, a.actor FROM rescind_action AS a
WHERE a.organization = :o AND a.kind IN ('review_started', 'review_applied') AND a.number > :after
AND (CAST(:name AS TEXT) IS NULL OR a.subject = :name)
ORDER BY a.number LIMIT :limit

-- list_reviews
SELECT r.name, r.revision, r.environment, r.started_at, r.actor, r.filter
FROM rescind_review AS r WHERE r.organization = :o AND r.name > :after ORDER BY r.name LIMIT :limit

-- read_change_digest
SELECT c.revision, c.digest, c.recorded_at FROM rescind_change AS c WHERE c.organization = :o AND c.revision = :revision

-- read_change_heads
SELECT c.revision, c.recorded_at, c.actor, c.reason
FROM json_each(:revisions) AS i CROSS JOIN rescind_change AS c ON c.organization = :o AND c.revision = CAST(i.value AS BIGINT)

-- read_review
SELECT r.name, r.revision, r.environment, r.started_at, r.actor, r.filter
FROM rescind_review AS r WHERE r.organization = :o AND r.name = :name

-- start_review
INSERT INTO rescind_review (organization, name, revision, environment, started_at, actor, filter)
SELECT o.id, CAST(:name AS TEXT), CAST(:revision AS BIGINT), CAST(:environment AS BIGINT), CAST(:now AS BIGINT), CAST(:actor AS TEXT),
    CAST(:filter AS TEXT)
FROM rescind_organization AS o WHERE o.id = :o AND o.slug = :organization
ON CONFLICT (organization, name) DO NOTHING
