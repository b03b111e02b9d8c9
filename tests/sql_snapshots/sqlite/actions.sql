-- begin_incarnation
UPDATE rescind_installation SET incarnation = incarnation + 1, salt = :salt

-- find_action_head
SELECT a.number AS revision, a.digest, a.recorded_at FROM rescind_action AS a ORDER BY a.number DESC LIMIT 1

-- list_actions
SELECT a.number, a.recorded_at, a.kind, COALESCE(o.slug, o.deleted_as) AS organization, a.subject, a.detail, a.actor, a.request,
    a.digest
FROM rescind_action AS a LEFT JOIN rescind_organization AS o ON o.id = a.organization
WHERE a.number > :after
AND (CAST(:organization AS TEXT) IS NULL
    OR a.organization = (SELECT x.id FROM rescind_organization AS x WHERE x.slug = :organization))
ORDER BY a.number LIMIT :limit

-- order_restored_events
UPDATE rescind_directory_event SET written_by = 0 WHERE written_by <> 0

-- read_action_chain
SELECT a.number AS revision, a.digest, CAST(a.number || ',' || a.recorded_at || ',' || ifnull(a.organization, '') || ','
        || length(CAST(a.kind AS BLOB)) || ':' || a.kind || ',' || length(CAST(a.subject AS BLOB)) || ':' || a.subject || ','
        || length(CAST(a.detail AS BLOB)) || ':' || a.detail || ',' || length(CAST(a.actor AS BLOB)) || ':' || a.actor || ','
        || length(CAST(a.request AS BLOB)) || ':' || a.request || ',' AS BLOB) AS content
FROM rescind_action AS a WHERE a.number > :after ORDER BY a.number LIMIT :limit

-- read_action_end
SELECT h.number, h.digest FROM rescind_action_head AS h

-- refuse_no_action_head
SELECT 'log_damaged' AS code, 'table' AS fact, 'action_head' AS value
WHERE rescind_tallied('altered') > 0 AND NOT EXISTS (SELECT 1 FROM rescind_action_head)

-- restore_action_head
INSERT INTO rescind_action_head (id, number, digest)
SELECT 0, COALESCE(MAX(a.number), 0), COALESCE((
        SELECT x.digest FROM rescind_action AS x ORDER BY x.number DESC LIMIT 1), :first)
FROM rescind_action AS a
WHERE NOT EXISTS (SELECT 1 FROM rescind_action_head)
ON CONFLICT DO NOTHING
