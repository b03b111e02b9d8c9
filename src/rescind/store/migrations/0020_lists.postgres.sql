-- Who holds a role on a resource, in the order of holders: what a list of who can merges, a page at a time.

CREATE INDEX assignment_by_role_held ON assignment (organization, role, resource, holder)
    WHERE ended IS NULL;
