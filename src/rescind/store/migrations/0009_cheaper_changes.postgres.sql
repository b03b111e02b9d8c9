-- Lock groups for a change, in one order: whether some could not be had because a job has them. One that `waits` gets them
-- all. Called while anything is pending only, so that the others need not even prepare for it.

CREATE FUNCTION rescind_take_groups(organization_id integer, groups integer[], waits boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
BEGIN
    IF waits THEN
        SELECT count(*) INTO taken FROM (
            SELECT g.id FROM "group" AS g WHERE g.organization = organization_id AND g.id = ANY (groups)
            ORDER BY g.id FOR NO KEY UPDATE) AS had;
    ELSE
        SELECT count(*) INTO taken FROM (
            SELECT g.id FROM "group" AS g WHERE g.organization = organization_id AND g.id = ANY (groups)
            ORDER BY g.id FOR NO KEY UPDATE SKIP LOCKED) AS had;
    END IF;
    RETURN taken < cardinality(groups);
END
$$;

-- Every change writes these rows, from the organization's row that it has locked and that is never deleted: to look for
-- it once more for each of them found nothing ever.

ALTER TABLE change DROP CONSTRAINT change_organization_fkey;

ALTER TABLE pending DROP CONSTRAINT pending_organization_fkey;

ALTER TABLE idempotency DROP CONSTRAINT idempotency_organization_fkey;
