-- What is set aside in a single-role organization is a role of a membership, whatever it came from.

-- What was granted on the view, or built on it, stays: it is only made independent of the table, and anew at the end.

CREATE OR REPLACE VIEW effective_permission AS
SELECT o.slug AS organization, m.subject, p.slug AS permission, r.slug AS resource
FROM organization AS o
JOIN membership AS m ON m.organization = o.id
JOIN permission AS p ON p.organization IN (0, o.id)
JOIN resource AS r ON r.organization = o.id
WHERE FALSE;

ALTER TABLE role_reset RENAME TO role_reset_0012;

ALTER TABLE role_reset_0012 RENAME CONSTRAINT role_reset_pkey TO role_reset_0012_pkey;

CREATE TABLE role_reset (                   -- held, but not counted: the membership lost its winning role
    organization INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (organization, membership, role)
);

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
);

-- The planner's statistics, stated as in 0002: with a sample, where there is nothing yet.

ALTER TABLE role_reset ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN membership SET (n_distinct = -0.5),
    ALTER COLUMN role SET (n_distinct = -0.02);

ALTER TABLE role_before ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN membership SET (n_distinct = -1);

INSERT INTO role_reset SELECT -n, n, n FROM generate_series(1, 300) AS n WHERE NOT EXISTS (SELECT 1 FROM role_reset);

INSERT INTO role_before SELECT -n, n, n FROM generate_series(1, 300) AS n;

ANALYZE role_reset, role_before;

DELETE FROM role_reset WHERE organization < 0;

TRUNCATE role_before;
