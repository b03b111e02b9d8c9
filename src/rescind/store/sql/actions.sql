-- The log of service actions.

-- name: list_actions
SELECT a.number, a.recorded_at, a.kind, COALESCE(o.slug, o.deleted_as) AS organization, a.subject, a.detail, a.actor, a.request,
       a.digest
FROM rescind.action AS a LEFT JOIN rescind.organization AS o ON o.id = a.organization
WHERE a.number > :after
  AND (CAST(:organization AS TEXT) IS NULL
       OR a.organization = (SELECT x.id FROM rescind.organization AS x WHERE x.slug = :organization))
ORDER BY a.number LIMIT :limit

-- name: read_action_chain
SELECT a.number AS revision, a.digest, @engine.action_content AS content
FROM rescind.action AS a WHERE a.number > :after ORDER BY a.number LIMIT :limit

-- name: find_action_head
SELECT a.number AS revision, a.digest, a.recorded_at FROM rescind.action AS a ORDER BY a.number DESC LIMIT 1

-- Without this row an action would not be logged, or not say so.

-- name: refuse_no_action_head
SELECT 'log_damaged' AS code, 'table' AS fact, 'action_head' AS value
WHERE rescind.tallied('altered') > 0 AND NOT EXISTS (SELECT 1 FROM rescind.action_head)

-- The log goes on after its newest action.

-- name: restore_action_head
INSERT INTO rescind.action_head (id, number, digest)
SELECT 0, COALESCE(MAX(a.number), 0), COALESCE((
    SELECT x.digest FROM rescind.action AS x ORDER BY x.number DESC LIMIT 1), :first)
FROM rescind.action AS a
WHERE NOT EXISTS (SELECT 1 FROM rescind.action_head)
ON CONFLICT DO NOTHING

-- name: read_action_end
SELECT h.number, h.digest FROM rescind.action_head AS h

-- --- a database that was restored ----------------------------------------------------------------

-- name: begin_incarnation
UPDATE rescind.installation SET incarnation = incarnation + 1, salt = :salt

-- Transactions are counted anew in another PostgreSQL cluster: events from before would stay invisible.

-- name: order_restored_events
UPDATE rescind.directory_event SET written_by = 0 WHERE written_by <> 0
