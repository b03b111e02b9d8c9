-- forget_probe_changes
DELETE FROM rescind_change WHERE (organization, revision) IN (
    SELECT c.organization, c.revision FROM rescind_organization AS o
    CROSS JOIN rescind_change AS c ON c.organization = o.id AND c.revision <= o.revision - CAST(:kept AS INTEGER)
    WHERE o.slug = :organization AND c.actor = :actor AND c.settled_at IS NOT NULL ORDER BY c.revision LIMIT :limit)
