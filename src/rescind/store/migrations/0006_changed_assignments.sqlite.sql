-- Which of a group's assignments were made in some revisions: what background work reads for each chunk.

CREATE INDEX assignment_by_made ON assignment (organization, holder, made, id, ended) WHERE ended IS NULL AND holder < 0;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('assignment', 'assignment_by_made', '10000000000 10000 10 3 1');
