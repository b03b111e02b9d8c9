#!/bin/sh
# Run once, when the database's volume is empty: a role of its own for Rescind, and a database that it owns.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$RESCIND_PASSWORD" --username "${POSTGRES_USER:-postgres}" <<'SQL'
CREATE ROLE rescind LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE rescind OWNER rescind;
REVOKE ALL ON DATABASE rescind FROM PUBLIC;
SQL
