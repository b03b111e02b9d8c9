-- When the change was recorded, as the log has it, so that targets are computed without looking each change up there. NULL
-- in rows that older code wrote: those are looked up.

ALTER TABLE rescind_enforcement ADD COLUMN recorded_at INTEGER;
