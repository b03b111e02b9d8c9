-- Keys of the HTTP service.

-- name: create_api_key
INSERT INTO api_key (id, name, digest, scopes, organization, created_at, expires_at)
VALUES (:id, :name, :digest, :scopes, :organization, :now, :expires_at)

-- name: create_first_api_key
INSERT INTO api_key (id, name, digest, scopes, organization, created_at, expires_at)
SELECT :id, :name, :digest, :scopes, NULL, CAST(:now AS BIGINT), NULL
WHERE NOT EXISTS (SELECT 1 FROM api_key)

-- name: read_api_key
SELECT id, name, scopes, organization, created_at, expires_at, used_at, revoked_at, former_until, digest, former_digest
FROM api_key WHERE id = :id

-- name: list_api_keys
SELECT id, name, scopes, organization, created_at, expires_at, used_at, revoked_at, former_until
FROM api_key
WHERE id > :after AND (CAST(:organization AS TEXT) IS NULL OR organization = :organization)
ORDER BY id LIMIT :limit

-- name: rotate_api_key
UPDATE api_key SET former_digest = digest, former_until = :former_until, digest = :digest
WHERE id = :id AND revoked_at IS NULL

-- name: revoke_api_key
UPDATE api_key SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL

-- name: note_api_key_used
UPDATE api_key SET used_at = :now WHERE id = :id AND (used_at IS NULL OR used_at < :now)
