-- Which of a group's assignments were made in some revisions: what background work reads for each chunk.

CREATE INDEX assignment_by_made ON assignment (organization, holder, made, id, ended) WHERE ended IS NULL AND holder < 0;
