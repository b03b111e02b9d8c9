-- Everything moves into a schema of its own (`rescind`, or the one that the URL names), so that an application can have any
-- names in its own. What was granted on an object goes with it, and so does what is built on it.

ALTER TABLE organization SET SCHEMA rescind;

ALTER TABLE membership SET SCHEMA rescind;

ALTER TABLE "group" SET SCHEMA rescind;

ALTER TABLE group_member SET SCHEMA rescind;

ALTER TABLE recorded_nesting SET SCHEMA rescind;

ALTER TABLE permission SET SCHEMA rescind;

ALTER TABLE role SET SCHEMA rescind;

ALTER TABLE role_permission SET SCHEMA rescind;

ALTER TABLE resource_type SET SCHEMA rescind;

ALTER TABLE resource SET SCHEMA rescind;

ALTER TABLE assignment SET SCHEMA rescind;

ALTER TABLE effective_role SET SCHEMA rescind;

ALTER TABLE role_reset SET SCHEMA rescind;

ALTER TABLE role_before SET SCHEMA rescind;

ALTER TABLE required_before SET SCHEMA rescind;

ALTER TABLE pending SET SCHEMA rescind;

ALTER TABLE deletion SET SCHEMA rescind;

ALTER TABLE change SET SCHEMA rescind;

ALTER TABLE enforcement SET SCHEMA rescind;

ALTER TABLE idempotency SET SCHEMA rescind;

ALTER TABLE replica SET SCHEMA rescind;

ALTER TABLE replica_held SET SCHEMA rescind;

ALTER TABLE api_key SET SCHEMA rescind;

ALTER TABLE directory SET SCHEMA rescind;

ALTER TABLE directory_secret SET SCHEMA rescind;

ALTER TABLE directory_answer SET SCHEMA rescind;

ALTER TABLE directory_event SET SCHEMA rescind;

ALTER TABLE directory_follower SET SCHEMA rescind;

ALTER TABLE directory_member SET SCHEMA rescind;

ALTER TABLE directory_note SET SCHEMA rescind;

ALTER TABLE directory_gone SET SCHEMA rescind;

ALTER VIEW nesting SET SCHEMA rescind;

ALTER VIEW IF EXISTS effective_permission SET SCHEMA rescind;

-- The functions lose the prefix that kept them apart, and name what they use with its schema.

ALTER FUNCTION json_texts(text) SET SCHEMA rescind;

ALTER FUNCTION json_items(text) SET SCHEMA rescind;

ALTER FUNCTION rescind_refuse(text, text, text) SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_refuse(text, text, text) RENAME TO refuse;

ALTER FUNCTION rescind_tallied(text) SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_tallied(text) RENAME TO tallied;

ALTER FUNCTION rescind_tally(text, bigint) SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_tally(text, bigint) RENAME TO tally;

ALTER FUNCTION rescind_begin(integer, text, text, boolean) SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_begin(integer, text, text, boolean) RENAME TO begin;

CREATE OR REPLACE FUNCTION rescind.begin(organization_id integer, expected_slug text, expected_mode text,
                              expects_required boolean DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    found rescind.organization;
BEGIN
    SELECT * INTO found FROM rescind.organization WHERE id = organization_id FOR NO KEY UPDATE;
    IF found.slug IS DISTINCT FROM expected_slug OR found.role_mode <> expected_mode THEN
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

ALTER FUNCTION rescind_choose(bigint, boolean, boolean, boolean, boolean, bigint, bigint, bigint) SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_choose(bigint, boolean, boolean, boolean, boolean, bigint, bigint, bigint) RENAME TO choose;

CREATE OR REPLACE FUNCTION rescind.choose(pairs bigint, is_critical boolean, is_busy boolean, is_unsettled boolean,
                               is_background boolean, budget bigint, critical_budget bigint, step bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_background AND (is_busy OR pairs > CASE WHEN is_critical THEN critical_budget ELSE budget END) THEN
        RAISE EXCEPTION USING ERRCODE = 'RS003', MESSAGE = 'the step is not for the inline route',
            DETAIL = jsonb_build_object('step', step, 'pairs', pairs, 'is_busy', is_busy)::text;
    END IF;
    IF is_critical THEN
        PERFORM set_config('rescind.critical', '1', true);
    ELSE
        PERFORM set_config('rescind.critical', '', true);
    END IF;
    IF is_unsettled THEN
        PERFORM set_config('rescind.unsettled', '1', true);
    END IF;
    IF is_background THEN
        PERFORM rescind.tally('estimated', pairs);
    END IF;
    RETURN rescind.tally('pairs', pairs);
END
$$;

ALTER FUNCTION rescind_take_groups(integer, integer[], boolean) SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_take_groups(integer, integer[], boolean) RENAME TO take_groups;

CREATE OR REPLACE FUNCTION rescind.take_groups(organization_id integer, groups integer[], waits boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
BEGIN
    IF waits THEN
        SELECT count(*) INTO taken FROM (
            SELECT g.id FROM rescind."group" AS g WHERE g.organization = organization_id AND g.id = ANY (groups)
            ORDER BY g.id FOR NO KEY UPDATE) AS had;
    ELSE
        SELECT count(*) INTO taken FROM (
            SELECT g.id FROM rescind."group" AS g WHERE g.organization = organization_id AND g.id = ANY (groups)
            ORDER BY g.id FOR NO KEY UPDATE SKIP LOCKED) AS had;
    END IF;
    RETURN taken < cardinality(groups);
END
$$;

ALTER FUNCTION rescind_claim_groups(integer, integer[]) SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_claim_groups(integer, integer[]) RENAME TO claim_groups;

CREATE OR REPLACE FUNCTION rescind.claim_groups(organization_id integer, groups integer[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    claimed bigint;
BEGIN
    SELECT count(*) INTO claimed FROM (
        SELECT g.id FROM rescind."group" AS g WHERE g.organization = organization_id AND g.id = ANY (groups)
        ORDER BY g.id FOR NO KEY UPDATE SKIP LOCKED) AS locked;
    IF claimed < cardinality(groups) THEN
        RETURN FALSE;
    END IF;
    UPDATE rescind."group" AS g SET name = g.name WHERE g.organization = organization_id AND g.id = ANY (groups);
    RETURN TRUE;
END
$$;

ALTER FUNCTION rescind_note_missing(text, bigint) SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_note_missing(text, bigint) RENAME TO note_missing;

CREATE OR REPLACE FUNCTION rescind.note_missing(list text, number bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    noted text := COALESCE(current_setting('rescind.not_found', true), '');
BEGIN
    IF number = 0 THEN
        RETURN 0;
    END IF;
    IF rescind.tallied('missing') < 10000 THEN
        PERFORM set_config('rescind.not_found',
            noted || CASE WHEN noted = '' THEN '' ELSE ', ' END || substr(list, 2, length(list) - 2), true);
    END IF;
    RETURN rescind.tally('missing', number);
END
$$;

ALTER FUNCTION rescind_take_missing() SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_take_missing() RENAME TO take_missing;

CREATE OR REPLACE FUNCTION rescind.take_missing() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    noted text := COALESCE(current_setting('rescind.not_found', true), '');
BEGIN
    PERFORM set_config('rescind.not_found', '', true), set_config('rescind.missing', '', true);
    RETURN '[' || noted || ']';
END
$$;

ALTER FUNCTION rescind_server() SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_server() RENAME TO server;

ALTER FUNCTION rescind_changes_gone() SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_changes_gone() RENAME TO changes_gone;

CREATE OR REPLACE FUNCTION rescind.changes_gone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM rescind.enforcement AS e USING gone AS g
    WHERE e.organization = g.organization AND e.revision = g.revision;
    RETURN NULL;
END
$$;

ALTER FUNCTION rescind_weight(boolean) SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_weight(boolean) RENAME TO weight;

ALTER FUNCTION rescind_memberships_gone() SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_memberships_gone() RENAME TO memberships_gone;

CREATE OR REPLACE FUNCTION rescind.memberships_gone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rescind.directory_gone SELECT g.organization, 'membership', g.id, g.subject, g.name, o.revision + 1
    FROM gone AS g JOIN rescind.organization AS o ON o.id = g.organization;
    RETURN NULL;
END
$$;

ALTER FUNCTION rescind_gone() SET SCHEMA rescind;

ALTER FUNCTION rescind.rescind_gone() RENAME TO gone;

CREATE OR REPLACE FUNCTION rescind.gone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rescind.directory_gone SELECT OLD.organization, TG_ARGV[0], OLD.id, OLD.slug, to_jsonb(OLD) ->> TG_ARGV[1], o.revision + 1
    FROM rescind.organization AS o WHERE o.id = OLD.organization;
    RETURN NULL;
END
$$;
