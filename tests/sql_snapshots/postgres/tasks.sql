-- claim_task
INSERT INTO rescind.task_lease (task, holder, expires_at)
SELECT CAST(%(task)s AS TEXT), CAST(%(holder)s AS TEXT), %(microseconds)s +
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
WHERE TRUE
ON CONFLICT (task) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE rescind.task_lease.holder = excluded.holder OR rescind.task_lease.expires_at <=
    CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)

-- release_task
DELETE FROM rescind.task_lease WHERE task = %(task)s AND holder = %(holder)s
