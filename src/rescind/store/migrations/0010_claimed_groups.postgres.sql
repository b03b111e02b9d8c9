-- Claim groups for a chunk of background work: lock their rows and write them as they are. False where a change or another
-- chunk has one of them. A transaction that keeps one snapshot cannot lock a row that was written since, so a change
-- within one is a serialization failure where a chunk wrote effective roles that the change does not see.

CREATE FUNCTION rescind_claim_groups(organization_id integer, groups integer[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    claimed bigint;
BEGIN
    SELECT count(*) INTO claimed FROM (
        SELECT g.id FROM "group" AS g WHERE g.organization = organization_id AND g.id = ANY (groups)
        ORDER BY g.id FOR NO KEY UPDATE SKIP LOCKED) AS locked;
    IF claimed < cardinality(groups) THEN
        RETURN FALSE;
    END IF;
    UPDATE "group" AS g SET name = g.name WHERE g.organization = organization_id AND g.id = ANY (groups);
    RETURN TRUE;
END
$$;
