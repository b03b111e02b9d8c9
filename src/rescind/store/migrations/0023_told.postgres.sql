-- Events tell who is in which group, which groups are nested, and which roles are held, also in time. What has been told of
-- that is kept, so that each change of it, and each expiry, is told once.

ALTER TABLE rescind.directory_member ADD COLUMN expires_at BIGINT;

CREATE INDEX directory_member_expiring ON rescind.directory_member (expires_at, organization) WHERE expires_at IS NOT NULL;

CREATE TABLE rescind.directory_nesting (
    organization INTEGER NOT NULL,
    child INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    PRIMARY KEY (organization, child, parent)
);

CREATE INDEX directory_nesting_by_parent ON rescind.directory_nesting (organization, parent);

CREATE TABLE rescind.directory_given (
    organization INTEGER NOT NULL,
    holder INTEGER NOT NULL,                -- a membership, or (negative) a group
    resource TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (organization, holder, resource, role)
);

CREATE INDEX directory_given_by_role ON rescind.directory_given (organization, role);

CREATE INDEX directory_given_by_resource ON rescind.directory_given (organization, resource);

CREATE INDEX directory_given_expiring ON rescind.directory_given (expires_at, organization) WHERE expires_at IS NOT NULL;

CREATE TABLE rescind.directory_gone_id (           -- of what is in `directory_gone`, where it has no entry any more
    organization INTEGER NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    public_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization, kind, number)
);

-- What there is has been told, as far as anything was.

INSERT INTO rescind.directory_nesting SELECT n.organization, n.child, n.parent
FROM rescind.directory_follower AS f JOIN rescind.nesting AS n ON n.organization = f.organization WHERE f.revision > 0;

INSERT INTO rescind.directory_given (organization, holder, resource, role, expires_at)
SELECT a.organization, a.holder, x.slug, q.slug, a.expires_at
FROM rescind.directory_follower AS f JOIN rescind.assignment AS a ON a.organization = f.organization AND a.ended IS NULL
JOIN rescind.resource AS x ON x.organization = a.organization AND x.id = a.resource JOIN rescind.role AS q ON q.id = a.role
WHERE f.revision > 0;

UPDATE rescind.directory_member SET expires_at = (
    SELECT gm.expires_at FROM rescind.group_member AS gm
    WHERE gm.organization = rescind.directory_member.organization AND gm.membership = rescind.directory_member.membership
      AND gm."group" = rescind.directory_member."group");
