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

-- name: read_action_end
SELECT h.number, h.digest FROM rescind.action_head AS h
