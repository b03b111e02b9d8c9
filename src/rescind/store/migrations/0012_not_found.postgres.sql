-- What a change was to take away and did not find, as a JSON list of (what, name), for who repeats its key.

ALTER TABLE idempotency ADD COLUMN not_found TEXT COLLATE "C";

-- Note what the running transaction did not find, beside what it has noted: a JSON list of that many. No more is noted once
-- 10,000 are.
CREATE FUNCTION rescind_note_missing(list text, number bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    noted text := COALESCE(current_setting('rescind.not_found', true), '');
BEGIN
    IF number = 0 THEN
        RETURN 0;
    END IF;
    IF rescind_tallied('missing') < 10000 THEN
        PERFORM set_config('rescind.not_found',
            noted || CASE WHEN noted = '' THEN '' ELSE ', ' END || substr(list, 2, length(list) - 2), true);
    END IF;
    RETURN rescind_tally('missing', number);
END
$$;

-- What was noted, as a JSON list; from then on the transaction has noted nothing.
CREATE FUNCTION rescind_take_missing() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    noted text := COALESCE(current_setting('rescind.not_found', true), '');
BEGIN
    PERFORM set_config('rescind.not_found', '', true), set_config('rescind.missing', '', true);
    RETURN '[' || noted || ']';
END
$$;
