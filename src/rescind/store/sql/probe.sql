-- The probe's organization.

-- name: forget_probe_changes
DELETE FROM rescind.change WHERE (organization, revision) IN (
    SELECT c.organization, c.revision FROM rescind.organization AS o
    JOIN rescind.change AS c ON c.organization = o.id AND c.revision <= o.revision - CAST(:kept AS INTEGER)
    WHERE o.slug = :organization AND c.actor = :actor AND c.settled_at IS NOT NULL ORDER BY c.revision LIMIT :limit)
