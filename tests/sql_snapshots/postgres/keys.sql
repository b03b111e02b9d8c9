-- create_api_key
INSERT INTO rescind.api_key (id, name, digest, scopes, organization, bound_to, created_at, expires_at)
VALUES (%(id)s, %(name)s, %(digest)s, %(scopes)s, %(organization)s, (SELECT o.id FROM rescind.organization AS o WHERE o.slug = %(organization)s),
        %(now)s, %(expires_at)s)

-- create_first_api_key
INSERT INTO rescind.api_key (id, name, digest, scopes, organization, created_at, expires_at)
SELECT %(id)s, %(name)s, %(digest)s, %(scopes)s, NULL, CAST(%(now)s AS BIGINT), NULL
WHERE NOT EXISTS (SELECT 1 FROM rescind.api_key)

-- list_api_keys
SELECT k.id, k.name, k.scopes, k.organization, k.created_at, k.expires_at, k.used_at, k.revoked_at, k.former_until,
    k.organization IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM rescind.organization AS o WHERE o.id = k.bound_to AND o.slug IS NOT NULL) AS is_orphan
FROM rescind.api_key AS k
WHERE k.id > %(after)s AND (CAST(%(organization)s AS TEXT) IS NULL
    OR k.bound_to = (SELECT o.id FROM rescind.organization AS o WHERE o.slug = %(organization)s)
    OR (%(with_unbound)s AND k.organization IS NULL))
ORDER BY k.id LIMIT %(limit)s

-- note_api_key_used
UPDATE rescind.api_key SET used_at = %(now)s WHERE id = %(id)s AND (used_at IS NULL OR used_at < %(now)s)

-- read_api_key
SELECT k.id, k.name, k.scopes, k.organization, k.created_at, k.expires_at, k.used_at, k.revoked_at, k.former_until,
    k.organization IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM rescind.organization AS o WHERE o.id = k.bound_to AND o.slug IS NOT NULL) AS is_orphan
    , k.digest, k.former_digest
FROM rescind.api_key AS k WHERE k.id = %(id)s

-- refuse_organization_missing
SELECT 'organization_not_found' AS code, 'organization' AS fact, CAST(%(organization)s AS TEXT) AS value
WHERE NOT EXISTS (SELECT 1 FROM rescind.organization WHERE slug = %(organization)s)

-- revoke_api_key
UPDATE rescind.api_key SET revoked_at = %(now)s WHERE id = %(id)s AND revoked_at IS NULL

-- rotate_api_key
UPDATE rescind.api_key SET former_digest = digest, former_until = %(former_until)s, digest = %(digest)s
WHERE id = %(id)s AND revoked_at IS NULL
