-- forget_probe_changes
DELETE FROM rescind.change WHERE (organization, revision) IN (
    SELECT c.organization, c.revision FROM rescind.organization AS o
    CROSS JOIN LATERAL (SELECT * FROM rescind.change AS c
        WHERE c.organization = o.id AND c.revision <= o.revision - CAST(%(kept)s AS INTEGER) OFFSET 0) AS c
    WHERE o.slug = %(organization)s AND c.actor = %(actor)s AND c.settled_at IS NOT NULL ORDER BY c.revision LIMIT %(limit)s)
