-- Which server answers: the cluster's timeline, which is another one once a standby was promoted or a backup restored.
-- Empty where that is not told: on a standby, and where a provider keeps it to itself.

CREATE FUNCTION rescind_server() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
EXCEPTION WHEN feature_not_supported OR insufficient_privilege OR object_not_in_prerequisite_state THEN
    RETURN '';
END
$$;
