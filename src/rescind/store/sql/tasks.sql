-- Leases of tasks that one process at a time does. They end by the database's clock, so that processes' clocks do not matter.

-- name: claim_task
INSERT INTO rescind.task_lease (task, holder, expires_at)
SELECT CAST(:task AS TEXT), CAST(:holder AS TEXT), :microseconds +
@engine.clock
WHERE TRUE
ON CONFLICT (task) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE rescind.task_lease.holder = excluded.holder OR rescind.task_lease.expires_at <=
@engine.clock

-- name: release_task
DELETE FROM rescind.task_lease WHERE task = :task AND holder = :holder
