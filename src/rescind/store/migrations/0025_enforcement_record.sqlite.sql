-- Which replicas held the organization when a change revoked something, and what each did. None for older changes, and where
-- the note was lost.

ALTER TABLE rescind_enforcement ADD COLUMN record TEXT;
