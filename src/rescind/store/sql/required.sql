-- A required role keeps its last active holder. Before a batch that may take the role from somebody, the required
-- roles that have holders are kept in `required_before`; after its last change each must still have one. A holder is
-- what access.py says: an active membership, organization-wide, directly or through groups, by nothing that has
-- expired at :now. A time that never comes asks for permanent holders. Between batches `required_before` is empty.

-- fragment: has_holder
EXISTS (
    WITH RECURSIVE given (id) AS (    -- who is given the role (q), and the groups that flow into such a group
        SELECT a.holder FROM rescind.assignment AS a
        WHERE a.role = q.id AND a.organization = o.id AND a.resource = 0 AND a.ended IS NULL
        AND (a.expires_at IS NULL OR a.expires_at > :now)
        UNION
        SELECT n.child FROM given AS g JOIN rescind.nesting AS n ON n.organization = o.id AND n.parent = g.id),
        candidate (id) AS (
        SELECT g.id FROM given AS g WHERE g.id > 0
        UNION ALL
        SELECT gm.membership FROM given AS g JOIN rescind.group_member AS gm ON gm.organization = o.id AND gm."group" = g.id
        WHERE gm.expires_at IS NULL OR gm.expires_at > :now
        UNION ALL
        SELECT x.id FROM rescind.membership AS x WHERE x.organization = o.id AND o.role_mode = 'single' AND o.default_role = q.id)
    SELECT 1 FROM candidate AS c JOIN rescind.membership AS m ON m.organization = o.id AND m.id = c.id
    WHERE m.active AND CASE WHEN o.role_mode = 'multiple' THEN TRUE ELSE q.id =
            COALESCE((
                WITH RECURSIVE
                    @decisions.holder_at
                SELECT a.role FROM holder AS h
                JOIN rescind.assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL
                JOIN rescind.role AS z ON z.id = a.role
                WHERE (a.expires_at IS NULL OR a.expires_at > :now)
                AND
                NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
                ORDER BY z.priority DESC, z.id
                LIMIT 1), o.default_role)
    END)

-- name: remember_required
INSERT INTO rescind.required_before (organization, role, is_lasting)
SELECT o.id, q.slug, :is_lasting FROM rescind.organization AS o JOIN rescind.role AS q ON q.organization IN (0, o.id) AND q.required
WHERE o.id = :o AND @required.has_holder

-- name: refuse_required_lost
SELECT 'last_holder' AS code, 'role' AS fact, b.role || CASE WHEN :is_elsewhere THEN ', in the organization ' || o.slug ELSE '' END AS value
FROM rescind.organization AS o JOIN rescind.required_before AS b ON b.organization = o.id AND b.is_lasting = :is_lasting
LEFT JOIN rescind.role AS q ON q.slug = b.role AND q.organization IN (0, o.id)
WHERE o.id = :o AND CASE WHEN q.id IS NULL THEN TRUE WHEN q.required THEN NOT @required.has_holder
    ELSE FALSE END
ORDER BY b.role LIMIT 1

-- name: refuse_required_expiring
SELECT 'last_holder' AS code, 'role' AS fact, b.role || ', which nobody would hold for good' AS value
FROM rescind.organization AS o JOIN rescind.required_before AS b ON b.organization = o.id AND b.is_lasting = :is_lasting
LEFT JOIN rescind.role AS q ON q.slug = b.role AND q.organization IN (0, o.id)
WHERE o.id = :o AND CASE WHEN q.id IS NULL THEN TRUE WHEN q.required THEN NOT @required.has_holder
    ELSE FALSE END
AND (CAST(:roles AS TEXT) IS NULL OR b.role IN (SELECT i.value FROM rescind.json_texts(:roles) AS i))
ORDER BY b.role LIMIT 1

-- name: warn_required_expiring
SELECT '' AS code, 'lasting_holder' AS fact, b.role AS value
FROM rescind.organization AS o JOIN rescind.required_before AS b ON b.organization = o.id AND b.is_lasting = :is_lasting
LEFT JOIN rescind.role AS q ON q.slug = b.role AND q.organization IN (0, o.id)
WHERE o.id = :o AND CASE WHEN q.id IS NULL THEN TRUE WHEN q.required THEN NOT @required.has_holder
    ELSE FALSE END
AND q.id IS NOT NULL

-- name: forget_required
DELETE FROM rescind.required_before WHERE organization = :o
