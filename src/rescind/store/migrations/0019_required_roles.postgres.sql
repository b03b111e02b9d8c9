-- A required role keeps its last active holder in each organization. Which of them somebody holds before a batch is noted
-- while it is under way.

ALTER TABLE role ADD COLUMN required BOOLEAN NOT NULL DEFAULT FALSE;

CREATE INDEX role_required ON role (organization) WHERE required;

CREATE TABLE required_before (              -- empty when no batch is under way
    organization INTEGER NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    is_lasting BOOLEAN NOT NULL,            -- somebody holds it for good
    PRIMARY KEY (organization, is_lasting, role)
);

DROP FUNCTION rescind_begin(integer, text, text);

-- Lock the organization for one change and start its counters at zero. Refuses when the organization, its role mode, or
-- whether a role is required in it, is no longer what the change was planned for.
CREATE FUNCTION rescind_begin(organization_id integer, expected_slug text, expected_mode text,
                              expects_required boolean DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    found organization;
BEGIN
    SELECT * INTO found FROM organization WHERE id = organization_id FOR NO KEY UPDATE;
    IF found.slug IS DISTINCT FROM expected_slug OR found.role_mode <> expected_mode THEN
        RAISE EXCEPTION USING ERRCODE = 'RS002', MESSAGE = 'the organization is not as planned';
    END IF;
    IF expects_required <> EXISTS (SELECT 1 FROM role WHERE organization IN (0, organization_id) AND required) THEN
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
