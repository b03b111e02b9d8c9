-- The hash chain of the change log. A digest covers the one before it and the change's content: `semantics/chain.py`.

-- Takes the oldest changes out of an organization's log: first `start_log_after` says where the kept log begins, with the
-- digest that its first change follows from; then `forget_log` deletes, in as many transactions as are wanted. Nothing happens
-- unless that change is in the log, has a digest, and is not the newest: the next change follows from the newest.

-- name: start_log_after
INSERT INTO rescind.log_start (organization, revision, digest, environment, recorded_at, why)
SELECT c.organization, c.revision, c.digest, c.environment, CAST(:now AS BIGINT), CAST(:why AS TEXT)
FROM rescind.change AS c
WHERE c.organization = :o AND c.revision = :revision AND c.digest IS NOT NULL
  AND EXISTS (SELECT 1 FROM rescind.change AS n WHERE n.organization = :o AND n.revision > :revision)
ON CONFLICT (organization) DO UPDATE SET revision = excluded.revision, digest = excluded.digest,
    environment = excluded.environment, recorded_at = excluded.recorded_at, why = excluded.why
WHERE rescind.log_start.revision < excluded.revision

-- name: forget_log
DELETE FROM rescind.change WHERE organization = :o AND revision <= (
    SELECT s.revision FROM rescind.log_start AS s WHERE s.organization = :o)
AND revision <= (SELECT min(c.revision) + CAST(:limit AS BIGINT) - 1 FROM rescind.change AS c WHERE c.organization = :o)

-- name: find_log_start
SELECT s.revision, s.digest, s.environment, s.recorded_at, s.why FROM rescind.log_start AS s WHERE s.organization = :o
