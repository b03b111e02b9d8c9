-- What SQLite does in its own way.

-- name: check_plan
SELECT 1 FROM organization WHERE id = :o AND slug = :organization AND role_mode = :mode

