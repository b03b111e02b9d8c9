-- begin_incarnation
UPDATE rescind.installation SET incarnation = incarnation + 1, salt = %(salt)s

-- find_action_head
SELECT a.number AS revision, a.digest, a.recorded_at FROM rescind.action AS a ORDER BY a.number DESC LIMIT 1

-- list_actions
SELECT a.number, a.recorded_at, a.kind, COALESCE(o.slug, o.deleted_as) AS organization, a.subject, a.detail, a.actor, a.request,
    a.digest
FROM rescind.action AS a LEFT JOIN LATERAL (SELECT * FROM rescind.organization AS o
    WHERE o.id = a.organization OFFSET 0) AS o ON TRUE
WHERE a.number > %(after)s
AND (CAST(%(organization)s AS TEXT) IS NULL
    OR a.organization = (SELECT x.id FROM rescind.organization AS x WHERE x.slug = %(organization)s))
ORDER BY a.number LIMIT %(limit)s

-- order_restored_events
UPDATE rescind.directory_event SET written_by = 0 WHERE written_by <> 0

-- read_action_chain
SELECT a.number AS revision, a.digest, convert_to(concat(a.number, ',', a.recorded_at, ',', a.organization, ',', octet_length(convert_to(a.kind, 'UTF8')), ':', a.kind, ',',
            octet_length(convert_to(a.subject, 'UTF8')), ':', a.subject, ',', octet_length(convert_to(a.detail, 'UTF8')), ':', a.detail, ',',
            octet_length(convert_to(a.actor, 'UTF8')), ':', a.actor, ',', octet_length(convert_to(a.request, 'UTF8')), ':', a.request, ','), 'UTF8') AS content
FROM rescind.action AS a WHERE a.number > %(after)s ORDER BY a.number LIMIT %(limit)s

-- read_action_end
SELECT h.number, h.digest FROM rescind.action_head AS h

-- refuse_no_action_head
SELECT 'log_damaged' AS code, 'table' AS fact, 'action_head' AS value
WHERE rescind.tallied('altered') > 0 AND NOT EXISTS (SELECT 1 FROM rescind.action_head)

-- restore_action_head
INSERT INTO rescind.action_head (id, number, digest)
SELECT 0, COALESCE(MAX(a.number), 0), COALESCE((
        SELECT x.digest FROM rescind.action AS x ORDER BY x.number DESC LIMIT 1), %(first)s)
FROM rescind.action AS a
WHERE NOT EXISTS (SELECT 1 FROM rescind.action_head)
ON CONFLICT DO NOTHING
