-- What is set aside in a single-role organization is a role of a membership, whatever it came from.

-- (Not renamed: that fails where somebody has a view of their own on `effective_permission`.)

CREATE TABLE role_reset_0012 AS SELECT organization, membership, assignment FROM role_reset;

DROP TABLE role_reset;

CREATE TABLE role_reset (                   -- held, but not counted: the membership lost its winning role
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (organization, membership, role)
) STRICT, WITHOUT ROWID;

-- A role that is also held from a source that was not set aside counted until now, and goes on counting.

INSERT INTO role_reset (organization, membership, role)
SELECT DISTINCT x.organization, x.membership, a.role
FROM role_reset_0012 AS x
JOIN assignment AS a ON a.organization = x.organization AND a.id = x.assignment AND a.ended IS NULL
WHERE NOT EXISTS (
    SELECT 1 FROM effective_role AS e
    JOIN assignment AS b ON b.organization = e.organization AND b.id = e.assignment AND b.ended IS NULL
    WHERE e.organization = x.organization AND e.membership = x.membership AND b.role = a.role AND b.resource = 0
      AND NOT EXISTS (SELECT 1 FROM role_reset_0012 AS y
                      WHERE y.organization = e.organization AND y.membership = e.membership AND y.assignment = e.assignment));

DROP TABLE role_reset_0012;

-- The winning roles that the batch under way may take. Empty when none is.

CREATE TABLE role_before (
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (organization, membership)
) STRICT, WITHOUT ROWID;

DELETE FROM sqlite_stat1 WHERE tbl IN ('role_reset', 'role_reset_0012');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('role_reset', 'role_reset', '10000000000 100 2 1'),
    ('role_before', 'role_before', '10000000000 100 1');
