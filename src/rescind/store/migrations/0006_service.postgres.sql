-- A key is bound to an organization by its number: another organization of the same name is another.

ALTER TABLE api_key ADD COLUMN bound_to INTEGER;

UPDATE api_key SET bound_to = (SELECT o.id FROM organization AS o WHERE o.slug = api_key.organization);

-- By when a revoking change was enforced. Written after the fact, so that nobody waits for it; of changes that revoke
-- nothing there is nothing to keep.

CREATE TABLE enforcement (
    organization INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    enforced_at BIGINT NOT NULL,
    PRIMARY KEY (organization, revision)
);
