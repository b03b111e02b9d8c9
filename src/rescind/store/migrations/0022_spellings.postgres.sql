-- Which spellings of the id of a person or group mean the same one: `exact`, or `casefold`.

ALTER TABLE rescind.organization ADD COLUMN id_rule TEXT COLLATE "C" NOT NULL DEFAULT 'exact' CHECK (id_rule IN ('exact', 'casefold'));

-- What all that looks like an id has in common, where that is not the id itself. So of two that look alike, one at least
-- has it, and most organizations have few such rows.

ALTER TABLE rescind.membership ADD COLUMN folded TEXT COLLATE "C";

CREATE INDEX membership_by_folded ON rescind.membership (organization, folded) WHERE folded IS NOT NULL;

ALTER TABLE rescind."group" ADD COLUMN folded TEXT COLLATE "C";

CREATE INDEX group_by_folded ON rescind."group" (organization, folded) WHERE folded IS NOT NULL;

-- Display names as a search looks for them: folded by Python, so that every engine finds the same.

ALTER TABLE rescind.organization ADD COLUMN search_name TEXT COLLATE "C" NOT NULL DEFAULT '';

ALTER TABLE rescind."group" ADD COLUMN search_name TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Lock the organization for one change and start its counters at zero. Refuses when the organization, its role mode,
-- whether a role is required in it, or its rule for ids is no longer what the change was planned for.

DROP FUNCTION rescind.begin(integer, text, text, boolean);

CREATE FUNCTION rescind.begin(organization_id integer, expected_slug text, expected_mode text,
                              expects_required boolean DEFAULT NULL, expected_rule text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    found rescind.organization;
BEGIN
    SELECT * INTO found FROM rescind.organization WHERE id = organization_id FOR NO KEY UPDATE;
    IF found.slug IS DISTINCT FROM expected_slug OR found.role_mode <> expected_mode OR found.id_rule <> expected_rule THEN
        RAISE EXCEPTION USING ERRCODE = 'RS002', MESSAGE = 'the organization is not as planned';
    END IF;
    IF expects_required <> EXISTS (SELECT 1 FROM rescind.role WHERE organization IN (0, organization_id) AND required) THEN
        RAISE EXCEPTION USING ERRCODE = 'RS002', MESSAGE = 'the required roles are not as planned';
    END IF;
    -- Counters are gone with the transaction; one that holds several changes starts them anew.
    IF COALESCE(current_setting('rescind.begun', true), '') = '' THEN
        PERFORM set_config('rescind.begun', '1', true);
        RETURN found.revision;
    END IF;
    PERFORM set_config('rescind.' || counter, '', true)
    FROM unnest(ARRAY['altered', 'numbers', 'granted', 'revoked', 'revokes', 'gains', 'takes', 'critical',
                      'unsettled', 'pairs', 'estimated', 'pended']) AS counter;
    RETURN found.revision;
END
$$;
