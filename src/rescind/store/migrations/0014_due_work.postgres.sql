-- Pending work is found by its organization and its group, so that organizations and groups can take turns; and by the
-- revisions that it stands for, so that what is settled is seen without reading what is not.

DROP INDEX pending_due;

CREATE INDEX pending_due ON pending (urgency, organization, "group", recorded_at, revision, kind, ref) WHERE NOT parked;

CREATE INDEX pending_by_revision ON pending (organization, revision);

CREATE INDEX pending_by_since ON pending (organization, since);

CREATE INDEX pending_spanning ON pending (organization, since, revision) WHERE since < revision;

CREATE INDEX change_unsettled ON change (organization, revision) WHERE settled_at IS NULL;
