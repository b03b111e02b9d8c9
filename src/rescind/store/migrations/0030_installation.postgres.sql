-- Which code may use this schema, and which incarnation of the database this is.

CREATE TABLE rescind.installation (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    usable_from TEXT COLLATE "C" NOT NULL,  -- the oldest schema version whose code may use this schema
    incarnation BIGINT NOT NULL,            -- another one after each restore
    salt TEXT COLLATE "C" NOT NULL          -- tokens and cursors are sealed with it; empty before the first restore
);

INSERT INTO rescind.installation VALUES (0, '0030', 1, '');

-- The database, wherever its server runs: a promoted standby has the same, a restored dump or a copy has another.

CREATE FUNCTION rescind.identity() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    cluster text := '';
BEGIN
    BEGIN
        SELECT CAST(system_identifier AS text) INTO cluster FROM pg_control_system();
    EXCEPTION WHEN feature_not_supported OR insufficient_privilege THEN
        cluster := '';
    END;
    RETURN cluster || '/' || (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
        || '/' || (SELECT CAST(i.tableoid AS text) FROM rescind.installation AS i);
END
$$;

-- What a lease and everything read under it must have in common: the server's timeline, which changes when a standby is
-- promoted or a back-up is restored (empty where it is not told), the incarnation, and the oldest code that may go on.

CREATE OR REPLACE FUNCTION rescind.server() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    timeline text := '';
BEGIN
    BEGIN
        timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
    EXCEPTION WHEN feature_not_supported OR insufficient_privilege OR object_not_in_prerequisite_state THEN
        timeline := '';
    END;
    RETURN timeline || (SELECT '/' || i.incarnation || '/' || i.usable_from || '/' || CAST(i.tableoid AS text)
                        FROM rescind.installation AS i);
END
$$;
