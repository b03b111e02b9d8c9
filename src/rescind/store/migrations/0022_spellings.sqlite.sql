-- Which spellings of the id of a person or group mean the same one: `exact`, or `casefold`.

ALTER TABLE rescind_organization ADD COLUMN id_rule TEXT NOT NULL DEFAULT 'exact' CHECK (id_rule IN ('exact', 'casefold'));

-- What all that looks like an id has in common, where that is not the id itself. So of two that look alike, one at least
-- has it, and most organizations have few such rows.

ALTER TABLE rescind_membership ADD COLUMN folded TEXT;

CREATE INDEX rescind_membership_by_folded ON rescind_membership (organization, folded) WHERE folded IS NOT NULL;

ALTER TABLE rescind_group ADD COLUMN folded TEXT;

CREATE INDEX rescind_group_by_folded ON rescind_group (organization, folded) WHERE folded IS NOT NULL;

-- Display names as a search looks for them: folded by Python, so that every engine finds the same.

ALTER TABLE rescind_organization ADD COLUMN search_name TEXT NOT NULL DEFAULT '';

ALTER TABLE rescind_group ADD COLUMN search_name TEXT NOT NULL DEFAULT '';

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('rescind_membership', 'rescind_membership_by_folded', '10000000000 1000 1'),
    ('rescind_group', 'rescind_group_by_folded', '10000000000 100 1');
