-- A key is bound to an organization by its number: another organization of the same name is another.

ALTER TABLE api_key ADD COLUMN bound_to INTEGER;

UPDATE api_key SET bound_to = (SELECT o.id FROM organization AS o WHERE o.slug = api_key.organization);

-- By when a revoking change was enforced. Written after the fact, so that nobody waits for it; of changes that revoke
-- nothing there is nothing to keep.

CREATE TABLE enforcement (
    organization INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    enforced_at INTEGER NOT NULL,
    PRIMARY KEY (organization, revision)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('enforcement', 'enforcement', '10000000000 10000 1');

-- Events come from the change log. `directory_follower` says up to which revision they have been told, and which numbers
-- (of memberships and groups, roles, permissions) are known; `directory_member` who was told to be in a group. An event
-- of the management API itself waits in `directory_note` with all that it tells, for the changes `since` to `revision`.

CREATE TABLE directory_follower (
    organization INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    number INTEGER NOT NULL,
    role INTEGER NOT NULL,
    permission INTEGER NOT NULL
) STRICT;

CREATE TABLE directory_member (
    organization INTEGER NOT NULL,
    "group" INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    PRIMARY KEY (organization, "group", membership)
) STRICT, WITHOUT ROWID;

CREATE INDEX directory_member_by_membership ON directory_member (organization, membership);

CREATE TABLE directory_note (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organization INTEGER NOT NULL,
    since INTEGER NOT NULL,                 -- more than `revision` where the facts did not change
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,                     -- JSON
    actor TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX directory_note_by_organization ON directory_note (organization, id);

CREATE INDEX directory_note_by_time ON directory_note (recorded_at);

-- What was deleted, and by which revision, until the event of it has been told: its number is nowhere else.

CREATE TABLE directory_gone (
    organization INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    label TEXT,
    revision INTEGER NOT NULL,
    PRIMARY KEY (organization, kind, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER membership_gone AFTER DELETE ON membership BEGIN
    INSERT INTO directory_gone SELECT OLD.organization, 'membership', OLD.id, OLD.subject, OLD.name, o.revision + 1
    FROM organization AS o WHERE o.id = OLD.organization;
END;

CREATE TRIGGER group_buried AFTER UPDATE OF ended ON "group" WHEN OLD.ended IS NULL AND NEW.ended IS NOT NULL BEGIN
    INSERT INTO directory_gone SELECT OLD.organization, 'group', OLD.id, OLD.slug, OLD.name, o.revision + 1
    FROM organization AS o WHERE o.id = OLD.organization;
END;

CREATE TRIGGER group_gone AFTER DELETE ON "group" WHEN OLD.ended IS NULL BEGIN
    INSERT INTO directory_gone SELECT OLD.organization, 'group', OLD.id, OLD.slug, OLD.name, o.revision + 1
    FROM organization AS o WHERE o.id = OLD.organization;
END;

CREATE TRIGGER role_gone AFTER DELETE ON role BEGIN
    INSERT INTO directory_gone SELECT OLD.organization, 'role', OLD.id, OLD.slug, OLD.name, o.revision + 1
    FROM organization AS o WHERE o.id = OLD.organization;
END;

CREATE TRIGGER permission_gone AFTER DELETE ON permission BEGIN
    INSERT INTO directory_gone SELECT OLD.organization, 'permission', OLD.id, OLD.slug, OLD.description, o.revision + 1
    FROM organization AS o WHERE o.id = OLD.organization;
END;

-- What there is has been told, as far as it was.

INSERT INTO directory_follower
SELECT o.id, o.revision, o.last_number,
       COALESCE((SELECT max(r.id) FROM role AS r WHERE r.organization = o.id), 0),
       COALESCE((SELECT max(p.id) FROM permission AS p WHERE p.organization = o.id), 0)
FROM organization AS o;

INSERT INTO directory_member SELECT organization, "group", membership FROM group_member;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('directory_member', 'directory_member', '10000000000 100000 1000 1'),
    ('directory_member', 'directory_member_by_membership', '10000000000 100000 10'),
    ('directory_note', 'directory_note_by_organization', '100000 10 1'),
    ('directory_note', 'directory_note_by_time', '100000 1'),
    ('directory_gone', 'directory_gone', '10000000 1000 500 1');
