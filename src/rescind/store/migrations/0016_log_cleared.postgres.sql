-- When a change was enforced is kept as long as the change is in the log, whoever clears that.

DELETE FROM enforcement WHERE NOT EXISTS (
    SELECT 1 FROM change AS c WHERE c.organization = enforcement.organization AND c.revision = enforcement.revision);

CREATE FUNCTION rescind_changes_gone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM enforcement AS e USING gone AS g
    WHERE e.organization = g.organization AND e.revision = g.revision;
    RETURN NULL;
END
$$;

CREATE TRIGGER change_gone AFTER DELETE ON change REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION rescind_changes_gone();
