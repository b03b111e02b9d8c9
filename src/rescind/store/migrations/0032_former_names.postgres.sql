-- Finds deleted organizations by the name that they had.

CREATE INDEX organization_by_former_name ON rescind.organization (deleted_as) WHERE deleted_as IS NOT NULL;
