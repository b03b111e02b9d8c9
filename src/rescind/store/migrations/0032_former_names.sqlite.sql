-- Finds deleted organizations by the name that they had.

CREATE INDEX rescind_organization_by_former_name ON rescind_organization (deleted_as) WHERE deleted_as IS NOT NULL;
