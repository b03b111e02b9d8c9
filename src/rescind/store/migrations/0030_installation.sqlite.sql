-- Which code may use this schema, and which incarnation of the database this is.

CREATE TABLE rescind_installation (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    usable_from TEXT NOT NULL,              -- the oldest schema version whose code may use this schema
    incarnation INTEGER NOT NULL,           -- another one after each restore
    salt TEXT NOT NULL                      -- tokens and cursors are sealed with it; empty before the first restore
) STRICT;

INSERT INTO rescind_installation VALUES (0, '0030', 1, '');
