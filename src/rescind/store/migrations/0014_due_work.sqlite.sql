-- Pending work is found by its organization and its group, so that organizations and groups can take turns; and by the
-- revisions that it stands for, so that what is settled is seen without reading what is not.

DROP INDEX pending_due;

CREATE INDEX pending_due ON pending (urgency, organization, "group", recorded_at, revision, kind, ref) WHERE NOT parked;

CREATE INDEX pending_by_revision ON pending (organization, revision);

CREATE INDEX pending_by_since ON pending (organization, since);

CREATE INDEX pending_spanning ON pending (organization, since, revision) WHERE since < revision;

CREATE INDEX change_unsettled ON change (organization, revision) WHERE settled_at IS NULL;

DELETE FROM sqlite_stat1 WHERE idx IN ('pending', 'pending_due');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('pending', 'pending', '10000000000 100000 1000 500 1'),
    ('pending', 'pending_due', '10000000000 100000 10000 300 100 50 2 1'),
    ('pending', 'pending_by_revision', '10000000000 10000 10'),
    ('pending', 'pending_by_since', '10000000000 10000 10'),
    ('pending', 'pending_spanning', '10000000000 1000 5 2'),
    ('change', 'change_unsettled', '10000000000 1000 1');
