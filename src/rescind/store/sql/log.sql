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

-- --- reading the chain ----------------------------------------------------------------------------

-- Organizations with a log, also deleted ones, by number.

-- name: list_logs
SELECT o.id AS organization, COALESCE(o.slug, o.deleted_as) AS name, o.revision
FROM rescind.organization AS o WHERE o.id > :after ORDER BY o.id LIMIT :limit

-- Those that have or had a name. A deleted organization has no slug, and no other has the name that it had.

-- name: list_logs_of
SELECT x.id AS organization, x.name, x.revision FROM (
    SELECT o.id, o.slug AS name, o.revision FROM rescind.organization AS o WHERE o.slug = :organization
    UNION ALL
    SELECT o.id, o.deleted_as AS name, o.revision FROM rescind.organization AS o WHERE o.deleted_as = :organization) AS x
WHERE x.id > :after ORDER BY x.id LIMIT :limit

-- Logs whose organization is not there any more.

-- name: list_stray_logs
WITH RECURSIVE log (organization) AS (
    SELECT min(c.organization) FROM rescind.change AS c
    UNION ALL
    SELECT (SELECT min(c.organization) FROM rescind.change AS c WHERE c.organization > l.organization)
    FROM log AS l WHERE l.organization IS NOT NULL)
SELECT l.organization, CAST(NULL AS TEXT) AS name, CAST(0 AS BIGINT) AS revision FROM log AS l
WHERE l.organization IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rescind.organization AS o WHERE o.id = l.organization)
ORDER BY l.organization

-- A page has fewer rows where one of them is so long that as many of that length would exceed the limit of characters.

-- name: read_chain
SELECT c.revision, c.digest, @engine.digested AS content
FROM rescind.change AS c
WHERE c.organization = :o AND c.revision > :after
ORDER BY c.revision
LIMIT (SELECT COALESCE(MAX(CASE WHEN m.most < 1 THEN 1 WHEN m.most < CAST(:limit AS BIGINT) THEN m.most ELSE CAST(:limit AS BIGINT) END), 1)
       FROM (SELECT CAST(:characters AS BIGINT) / (MAX(LENGTH(x.body)) + 1) AS most FROM (
           SELECT y.body FROM rescind.change AS y
           WHERE y.organization = :o AND y.revision > :after ORDER BY y.revision LIMIT :limit) AS x) AS m)

-- For verification. A long change comes without its content, which `read_chain` then reads alone: so a page is bounded without
-- looking at its bodies beforehand.

-- name: read_chain_page
SELECT c.revision, c.digest, CASE WHEN @engine.is_short THEN @engine.digested_at_once END AS content
FROM rescind.change AS c
WHERE c.organization = :o AND c.revision > :after
ORDER BY c.revision LIMIT :limit

-- name: find_log_head
SELECT c.revision, c.digest, c.recorded_at FROM rescind.change AS c WHERE c.organization = :o ORDER BY c.revision DESC LIMIT 1

-- name: read_log_revision
SELECT o.revision FROM rescind.organization AS o WHERE o.id = :o

-- --- logs of older versions get their chain -------------------------------------------------------

-- The oldest change without digest of the next organization that has one, and what it follows from: the change before it, or
-- the start of the log. `is_begun` unless there is neither, and no change of the organization has a digest.

-- name: find_unchained
SELECT c.organization, c.revision, p.revision AS revision_before, p.digest AS digest_before,
       s.revision AS revision_of_start, s.digest AS digest_of_start,
       CASE WHEN p.revision IS NULL THEN EXISTS (
           SELECT 1 FROM rescind.change AS d WHERE d.organization = c.organization AND d.digest IS NOT NULL)
       ELSE TRUE END AS is_begun
FROM (SELECT x.organization, x.revision FROM @engine.unchained WHERE x.digest IS NULL AND x.organization > :after
      AND NOT EXISTS (SELECT 1 FROM rescind.log_start AS b WHERE b.organization = x.organization AND b.revision >= x.revision)
      ORDER BY x.organization, x.revision LIMIT 1) AS c
LEFT JOIN rescind.change AS p ON p.organization = c.organization AND p.revision = (
    SELECT max(y.revision) FROM rescind.change AS y WHERE y.organization = c.organization AND y.revision < c.revision)
LEFT JOIN rescind.log_start AS s ON s.organization = c.organization

-- Digests of changes that follow each other without a gap, 32 bytes each.

-- name: set_digests
UPDATE rescind.change SET digest = substr(@engine.digests, CAST(1 + 32 * (revision - CAST(:first AS BIGINT)) AS INTEGER), 32)
WHERE organization = :o AND revision >= :first AND revision <= :last AND digest IS NULL

-- name: start_log_before
INSERT INTO rescind.log_start (organization, revision, digest, environment, recorded_at, why)
SELECT CAST(:o AS INTEGER), CAST(:revision AS BIGINT), :digest, NULL, CAST(:now AS BIGINT), 'there was no log before'
WHERE TRUE ON CONFLICT DO NOTHING
