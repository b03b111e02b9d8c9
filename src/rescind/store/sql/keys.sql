-- Keys of the HTTP service.

-- name: create_api_key
INSERT INTO rescind.api_key (id, name, digest, scopes, organization, bound_to, created_at, expires_at)
VALUES (:id, :name, :digest, :scopes, :organization, (SELECT o.id FROM rescind.organization AS o WHERE o.slug = :organization),
        :now, :expires_at)

-- name: refuse_organization_missing
SELECT 'organization_not_found' AS code, 'organization' AS fact, CAST(:organization AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.organization WHERE slug = :organization)

-- name: create_first_api_key
INSERT INTO rescind.api_key (id, name, digest, scopes, organization, created_at, expires_at)
SELECT :id, :name, :digest, :scopes, NULL, CAST(:now AS BIGINT), NULL
WHERE NOT EXISTS (SELECT 1 FROM rescind.api_key)

-- An orphaned key is bound to a deleted organization. It gives no access to a later one of the same name.

-- name: read_api_key
SELECT k.id, k.name, k.scopes, k.organization, k.created_at, k.expires_at, k.used_at, k.revoked_at, k.former_until,
       k.organization IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM rescind.organization AS o WHERE o.id = k.bound_to AND o.slug IS NOT NULL) AS is_orphan
, k.digest, k.former_digest
FROM rescind.api_key AS k WHERE k.id = :id

-- name: list_api_keys
SELECT k.id, k.name, k.scopes, k.organization, k.created_at, k.expires_at, k.used_at, k.revoked_at, k.former_until,
       k.organization IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM rescind.organization AS o WHERE o.id = k.bound_to AND o.slug IS NOT NULL) AS is_orphan
FROM rescind.api_key AS k
WHERE k.id > :after AND (CAST(:organization AS TEXT) IS NULL
                         OR k.bound_to = (SELECT o.id FROM rescind.organization AS o WHERE o.slug = :organization)
                         OR (:with_unbound AND k.organization IS NULL))
ORDER BY k.id LIMIT :limit

-- name: rotate_api_key
UPDATE rescind.api_key SET former_digest = digest, former_until = :former_until, digest = :digest
WHERE id = :id AND revoked_at IS NULL

-- name: revoke_api_key
UPDATE rescind.api_key SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL

-- name: note_api_key_used
UPDATE rescind.api_key SET used_at = :now WHERE id = :id AND (used_at IS NULL OR used_at < :now)
