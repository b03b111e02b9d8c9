-- What PostgreSQL does in its own way.

-- name: begin
SELECT rescind_begin(CAST(:o AS INTEGER), :organization, :mode)

