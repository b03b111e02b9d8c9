-- claim_task
INSERT INTO rescind_task_lease (task, holder, expires_at)
SELECT CAST(:task AS TEXT), CAST(:holder AS TEXT), :microseconds +
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)
WHERE TRUE
ON CONFLICT (task) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE rescind_task_lease.holder = excluded.holder OR rescind_task_lease.expires_at <=
    CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)

-- release_task
DELETE FROM rescind_task_lease WHERE task = :task AND holder = :holder
