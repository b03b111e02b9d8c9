-- A required role keeps its last active holder in each organization. Which of them somebody holds before a batch is noted
-- while it is under way.

ALTER TABLE role ADD COLUMN required INTEGER NOT NULL DEFAULT FALSE;

CREATE INDEX role_required ON role (organization) WHERE required;

CREATE TABLE required_before (              -- empty when no batch is under way
    organization INTEGER NOT NULL,
    role TEXT NOT NULL,
    is_lasting INTEGER NOT NULL,            -- somebody holds it for good
    PRIMARY KEY (organization, is_lasting, role)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('required_before', 'required_before', '1000 2 1 1');
