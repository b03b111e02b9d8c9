-- What a change was to take away and did not find, as a JSON list of (what, name), for who repeats its key.

ALTER TABLE idempotency ADD COLUMN not_found TEXT;
