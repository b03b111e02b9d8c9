-- create_api_key
INSERT INTO rescind_api_key (id, name, digest, scopes, organization, bound_to, created_at, expires_at)
VALUES (:id, :name, :digest, :scopes, :organization, (SELECT o.id FROM rescind_organization AS o WHERE o.slug = :organization),
        :now, :expires_at)

-- create_first_api_key
INSERT INTO rescind_api_key (id, name, digest, scopes, organization, created_at, expires_at)
SELECT :id, :name, :digest, :scopes, NULL, CAST(:now AS BIGINT), NULL
WHERE NOT EXISTS (SELECT 1 FROM rescind_api_key)

-- list_api_keys
SELECT k.id, k.name, k.scopes, k.organization, k.created_at, k.expires_at, k.used_at, k.revoked_at, k.former_until,
    k.organization IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM rescind_organization AS o WHERE o.id = k.bound_to AND o.slug IS NOT NULL) AS is_orphan
FROM rescind_api_key AS k
WHERE k.id > :after AND (CAST(:organization AS TEXT) IS NULL
    OR k.bound_to = (SELECT o.id FROM rescind_organization AS o WHERE o.slug = :organization)
    OR (:with_unbound AND k.organization IS NULL))
ORDER BY k.id LIMIT :limit

-- note_api_key_used
UPDATE rescind_api_key SET used_at = :now WHERE id = :id AND (used_at IS NULL OR used_at < :now)

-- read_api_key
SELECT k.id, k.name, k.scopes, k.organization, k.created_at, k.expires_at, k.used_at, k.revoked_at, k.former_until,
    k.organization IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM rescind_organization AS o WHERE o.id = k.bound_to AND o.slug IS NOT NULL) AS is_orphan
    , k.digest, k.former_digest
FROM rescind_api_key AS k WHERE k.id = :id

-- refuse_organization_missing
SELECT 'organization_not_found' AS code, 'organization' AS fact, CAST(:organization AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind_organization WHERE slug = :organization)

-- revoke_api_key
UPDATE rescind_api_key SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL

-- rotate_api_key
UPDATE rescind_api_key SET former_digest = digest, former_until = :former_until, digest = :digest
WHERE id = :id AND revoked_at IS NULL
