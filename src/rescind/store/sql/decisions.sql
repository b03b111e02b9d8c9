-- Checks. The fragments expect these aliases: o (organization), m (membership), p (permission), r (resource). `:now`
-- is the time of the check in microseconds. semantics/access.py is the specification.

-- COALESCE(parent, …) keeps PostgreSQL from scanning all resources by parent: without statistics it assumes that
-- there are none.

-- In a single-role organization: the organization-wide roles that are not set aside. If the organization takes the next
-- highest role on a loss, none is set aside.

-- fragment: wide_effective_single
EXISTS (
    SELECT 1 FROM rescind.role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
            SELECT a.role FROM rescind.effective_role AS e
            JOIN rescind.assignment AS a ON a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL
            JOIN rescind.role AS q ON q.id = a.role
            WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
            AND (e.expires_at IS NULL OR e.expires_at > :now) AND (a.expires_at IS NULL OR a.expires_at > :now)
            AND
            NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
            ORDER BY q.priority DESC, q.id
            LIMIT 1), o.default_role))

-- (SELECT … LIMIT 1) IS NOT NULL instead of EXISTS: PostgreSQL may turn EXISTS into a hash of all assignments of the
-- organization, and this into look-ups by key.

-- fragment: scoped_effective
EXISTS (
    WITH RECURSIVE
        up (id) AS (    -- the resource and what is above it, short of the organization
        SELECT r.id WHERE r.id <> 0
        UNION ALL
        SELECT x.parent FROM up JOIN rescind.resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0)
    SELECT 1 FROM up WHERE (
        SELECT 1 FROM rescind.assignment AS a JOIN rescind.role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
        WHERE a.organization = o.id AND a.holder = m.id AND a.resource = up.id AND a.ended IS NULL
        AND (a.expires_at IS NULL OR a.expires_at > :now) LIMIT 1) IS NOT NULL
    OR (
        SELECT 1 FROM rescind.assignment AS a
        JOIN rescind.effective_role AS e ON e.organization = o.id AND e.membership = m.id AND e.assignment = a.id
        JOIN rescind.role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
        WHERE a.organization = o.id AND a.resource = up.id AND a.ended IS NULL AND a.holder < 0
        AND (a.expires_at IS NULL OR a.expires_at > :now)
        AND (e.expires_at IS NULL OR e.expires_at > :now) LIMIT 1) IS NOT NULL)

-- fragment: holder_at
holder (id) AS (                -- the membership, and the groups that reach it now, each once
    SELECT m.id
    UNION ALL
    SELECT gm."group" FROM rescind.group_member AS gm
    WHERE gm.organization = o.id AND gm.membership = m.id AND (gm.expires_at IS NULL OR gm.expires_at > :now)
    UNION
    SELECT n.parent FROM holder AS h JOIN rescind.nesting AS n ON n.organization = o.id AND n.child = h.id)

-- There are few holders and few places, however many assignments others have there. So each pair is looked up by key.
-- The engines need different SQL for that: see engine.any_given.

-- fragment: all_live
EXISTS (
    WITH RECURSIVE
        @decisions.holder_at,
        up (id) AS (    -- the resource and what is above it, short of the organization
        SELECT r.id WHERE r.id <> 0
        UNION ALL
        SELECT x.parent FROM up JOIN rescind.resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
place (id) AS (SELECT up.id FROM up UNION ALL SELECT 0)
        @engine.any_given)

-- fragment: wide_live_single
EXISTS (
    SELECT 1 FROM rescind.role_permission AS rp WHERE rp.permission = p.id AND rp.role = COALESCE((
            WITH RECURSIVE
                @decisions.holder_at
            SELECT a.role FROM holder AS h
            JOIN rescind.assignment AS a ON a.organization = o.id AND a.holder = h.id AND a.resource = 0 AND a.ended IS NULL
            JOIN rescind.role AS q ON q.id = a.role
            WHERE (a.expires_at IS NULL OR a.expires_at > :now)
            AND
            NOT EXISTS (SELECT 1 FROM rescind.role_reset AS x WHERE x.organization = o.id AND x.membership = m.id AND x.role = a.role)
            ORDER BY q.priority DESC, q.id
            LIMIT 1), o.default_role))

-- fragment: scoped_live
EXISTS (
    WITH RECURSIVE
        @decisions.holder_at,
        up (id) AS (    -- the resource and what is above it, short of the organization
        SELECT r.id WHERE r.id <> 0
        UNION ALL
        SELECT x.parent FROM up JOIN rescind.resource AS x ON x.organization = o.id AND x.id = up.id AND COALESCE(x.parent, 0) <> 0),
place (id) AS (SELECT up.id FROM up)
        @engine.any_given)

-- The fence: while revoking work is pending, the effective roles that it may concern are not trusted. To find out
-- whether a membership is below a group takes the same walk as a live decision. So if the pending work is about all
-- members of a group, no effective role of the organization is trusted; in a single-role organization, any pending
-- work may change which role wins.
--
-- What effective roles deny while work is pending may be granted already, so it is decided live too. An answer is
-- never older than the facts.

-- fragment: is_trusted_multiple
NOT EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id AND f.fence IN (0, m.id))

-- fragment: has_pending
EXISTS (SELECT 1 FROM rescind.pending AS f WHERE f.organization = o.id)

-- fragment: wide_effective_multiple
EXISTS (
    SELECT 1 FROM rescind.effective_role AS e
    JOIN rescind.assignment AS a ON a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL
    JOIN rescind.role_permission AS rp ON rp.role = a.role AND rp.permission = p.id
    WHERE e.organization = o.id AND e.membership = m.id AND e.assignment < 0
      AND (e.expires_at IS NULL OR e.expires_at > :now) AND (a.expires_at IS NULL OR a.expires_at > :now))

-- Allowed by effective roles that are trusted: first those on the whole organization, then those on a resource.

-- fragment: allowed_by_trusted
(CASE WHEN o.role_mode = 'multiple' THEN @decisions.is_trusted_multiple AND @decisions.wide_effective_multiple
      ELSE NOT @decisions.has_pending AND @decisions.wide_effective_single END
 OR CASE WHEN o.role_mode = 'multiple' THEN @decisions.is_trusted_multiple
         ELSE NOT @decisions.has_pending END
    AND @decisions.scoped_effective)

-- fragment: asked
FROM rescind.organization AS o CROSS JOIN rescind.organization AS env
LEFT JOIN rescind.membership AS m ON m.organization = o.id AND m.subject = :subject
@engine.permission_asked
LEFT JOIN rescind.resource AS r ON r.organization = o.id AND r.slug = :resource
WHERE o.slug = :organization AND env.id = 0

-- `check` works for every role mode and permission. The other checks are for a known or guessed role mode and decision
-- point, and cost the engine less. Their answers count only if role_mode and critical are as guessed.

-- The verdict: 0 denied and 1 allowed by effective roles, 2 allowed and 3 denied live. 4: effective roles cannot
-- tell, so another query must decide live.

-- name: check
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE
        WHEN :live OR p.critical THEN
            CASE WHEN (CASE WHEN o.role_mode = 'multiple' THEN @decisions.all_live
                      ELSE @decisions.wide_live_single OR @decisions.scoped_live END) THEN 2 ELSE 3 END
        WHEN @decisions.allowed_by_trusted THEN 1
        WHEN @decisions.has_pending THEN
            CASE WHEN (CASE WHEN o.role_mode = 'multiple' THEN @decisions.all_live
                      ELSE @decisions.wide_live_single OR @decisions.scoped_live END) THEN 2 ELSE 3 END
        ELSE 0
    END
END AS verdict, o.role_mode
@decisions.asked

-- name: check_effective_multiple
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE
        WHEN @decisions.is_trusted_multiple
             AND (@decisions.wide_effective_multiple OR @decisions.scoped_effective) THEN 1
        WHEN @decisions.has_pending THEN 4
        ELSE 0
    END
END AS verdict, o.role_mode
@decisions.asked

-- name: check_effective_single
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE
        WHEN @decisions.has_pending THEN 4
        WHEN @decisions.wide_effective_single OR @decisions.scoped_effective THEN 1
        ELSE 0
    END
END AS verdict, o.role_mode
@decisions.asked

-- name: check_live_multiple
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE WHEN @decisions.all_live THEN 2 ELSE 3 END
END AS verdict, o.role_mode
@decisions.asked

-- name: check_live_single
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, m.active, p.critical, r.id AS resource,
CASE WHEN m.active AND r.id IS NOT NULL THEN
    CASE WHEN (@decisions.wide_live_single OR @decisions.scoped_live) THEN 2 ELSE 3 END
END AS verdict, o.role_mode
@decisions.asked

-- Shared by explanations and lists: the holders of a membership, expired or not, and what they hold.

-- name: list_names
SELECT o.id AS organization, o.revision, env.revision AS environment, m.id AS membership, p.id AS permission, r.id AS resource
@decisions.asked

-- fragment: holders_of_subject
holder (id) AS (
    SELECT CAST(:m AS INTEGER)
    UNION
    SELECT gm."group" FROM rescind.group_member AS gm WHERE gm.organization = :o AND gm.membership = :m
    UNION
    SELECT n.parent FROM holder AS h JOIN rescind.nesting AS n ON n.organization = :o AND n.child = h.id)

-- fragment: above
above (id) AS (
    SELECT CAST(:r AS INTEGER)
    UNION ALL
    SELECT x.parent FROM above JOIN rescind.resource AS x ON x.organization = :o AND x.id = above.id WHERE above.id <> 0)

-- fragment: held_at
(SELECT a.holder, a.role, a.resource, a.expires_at      -- the limits: see pairs.doomed_ever
 FROM (SELECT h.id AS holder, above.id AS place FROM holder AS h CROSS JOIN above LIMIT 1000000000) AS e
 JOIN rescind.assignment AS a ON a.organization = :o AND a.holder = e.holder AND a.resource = e.place AND a.ended IS NULL
 LIMIT 1000000000) AS a

-- The view for SQL users: one check for each row that a query joins with it.

-- name: effective_permission_view
CREATE VIEW rescind.effective_permission AS
SELECT o.slug AS organization, m.subject, p.slug AS permission, r.slug AS resource
FROM rescind.organization AS o
JOIN rescind.membership AS m ON m.organization = o.id
JOIN rescind.permission AS p ON p.organization IN (0, o.id)
JOIN rescind.resource AS r ON r.organization = o.id
WHERE o.slug IS NOT NULL AND m.active
AND CASE WHEN p.critical THEN
            (CASE WHEN o.role_mode = 'multiple' THEN @decisions.all_live
                ELSE @decisions.wide_live_single OR @decisions.scoped_live END)
         ELSE (@decisions.allowed_by_trusted
               OR @decisions.has_pending
                  AND (CASE WHEN o.role_mode = 'multiple' THEN @decisions.all_live
                            ELSE @decisions.wide_live_single OR @decisions.scoped_live END))
    END

-- Where a membership holds a permission now, by the facts alone: each resource on which something gives it, without the
-- resources below. In a single-role organization 0 is included if the organization-wide role gives it.
