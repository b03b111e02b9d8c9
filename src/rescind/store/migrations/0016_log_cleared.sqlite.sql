-- When a change was enforced is kept as long as the change is in the log, whoever clears that.

DELETE FROM enforcement WHERE NOT EXISTS (
    SELECT 1 FROM change AS c WHERE c.organization = enforcement.organization AND c.revision = enforcement.revision);

CREATE TRIGGER change_gone AFTER DELETE ON change BEGIN
    DELETE FROM enforcement WHERE organization = OLD.organization AND revision = OLD.revision;
END;
