-- Who holds a role on a resource, in the order of holders: what a list of who can merges, a page at a time.

CREATE INDEX assignment_by_role_held ON assignment (organization, role, resource, holder, expires_at, ended)
    WHERE ended IS NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('assignment', 'assignment_by_role_held', '10000000000 10000 1000 3 1 1 1');
