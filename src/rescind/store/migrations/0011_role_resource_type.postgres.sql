-- A role may be for resources of one type only. What the directory kept of that for itself is now a rule of the facts.

ALTER TABLE role ADD COLUMN resource_type TEXT COLLATE "C";

UPDATE role SET resource_type = (
    SELECT CAST(d.attributes AS JSON) ->> 'resource_type' FROM directory AS d
    WHERE d.organization = role.organization AND d.kind = 'role' AND d.number = role.id);
