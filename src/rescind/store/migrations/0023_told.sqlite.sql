-- Events tell who is in which group, which groups are nested, and which roles are held, also in time. What has been told of
-- that is kept, so that each change of it, and each expiry, is told once.

ALTER TABLE rescind_directory_member ADD COLUMN expires_at INTEGER;

CREATE INDEX rescind_directory_member_expiring ON rescind_directory_member (expires_at, organization) WHERE expires_at IS NOT NULL;

CREATE TABLE rescind_directory_nesting (
    organization INTEGER NOT NULL,
    child INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    PRIMARY KEY (organization, child, parent)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_directory_nesting_by_parent ON rescind_directory_nesting (organization, parent);

CREATE TABLE rescind_directory_given (
    organization INTEGER NOT NULL,
    holder INTEGER NOT NULL,                -- a membership, or (negative) a group
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (organization, holder, resource, role)
) STRICT, WITHOUT ROWID;

CREATE INDEX rescind_directory_given_by_role ON rescind_directory_given (organization, role);

CREATE INDEX rescind_directory_given_by_resource ON rescind_directory_given (organization, resource);

CREATE INDEX rescind_directory_given_expiring ON rescind_directory_given (expires_at, organization) WHERE expires_at IS NOT NULL;

CREATE TABLE rescind_directory_gone_id (           -- of what is in `directory_gone`, where it has no entry any more
    organization INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    public_id TEXT NOT NULL,
    PRIMARY KEY (organization, kind, number)
) STRICT, WITHOUT ROWID;

-- What there is has been told, as far as anything was.

INSERT INTO rescind_directory_nesting SELECT n.organization, n.child, n.parent
FROM rescind_directory_follower AS f JOIN rescind_nesting AS n ON n.organization = f.organization WHERE f.revision > 0;

INSERT INTO rescind_directory_given (organization, holder, resource, role, expires_at)
SELECT a.organization, a.holder, x.slug, q.slug, a.expires_at
FROM rescind_directory_follower AS f JOIN rescind_assignment AS a ON a.organization = f.organization AND a.ended IS NULL
JOIN rescind_resource AS x ON x.organization = a.organization AND x.id = a.resource JOIN rescind_role AS q ON q.id = a.role
WHERE f.revision > 0;

UPDATE rescind_directory_member SET expires_at = (
    SELECT gm.expires_at FROM rescind_group_member AS gm
    WHERE gm.organization = rescind_directory_member.organization AND gm.membership = rescind_directory_member.membership
      AND gm."group" = rescind_directory_member."group");

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('rescind_directory_nesting', 'rescind_directory_nesting', '1000000 1000 2 1'),
    ('rescind_directory_given', 'rescind_directory_given', '10000000 10000 10 2 1');
