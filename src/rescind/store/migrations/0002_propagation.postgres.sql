-- Background propagation. A pending row says what to look at again; what it may have to look at stays on record
-- as a tombstone (`ended` is the revision that took it back) until nothing pending is older than that.

DROP VIEW IF EXISTS effective_permission;

-- `nesting` is what holds; `recorded_nesting` also has what was taken back.

ALTER TABLE nesting RENAME TO recorded_nesting;

ALTER TABLE recorded_nesting ADD COLUMN ended BIGINT;

CREATE VIEW nesting AS SELECT organization, child, parent FROM recorded_nesting WHERE ended IS NULL;

DROP INDEX nesting_by_parent;

CREATE INDEX nesting_by_parent ON recorded_nesting (organization, parent, child, ended);

CREATE INDEX nesting_ended ON recorded_nesting (organization) WHERE ended IS NOT NULL;

-- A group that was deleted has given up its name.

ALTER TABLE "group" ADD COLUMN ended BIGINT;

CREATE INDEX group_ended ON "group" (organization) WHERE ended IS NOT NULL;

-- `made` is the revision that made it; the one in `ended` is negative while the change that does it is under way.
-- A tombstone keeps neither role nor resource, so that those can be deleted.

ALTER TABLE assignment ADD COLUMN made BIGINT NOT NULL DEFAULT 0;

ALTER TABLE assignment ALTER COLUMN role DROP NOT NULL;

ALTER TABLE assignment ALTER COLUMN resource DROP NOT NULL;

ALTER TABLE assignment ADD CHECK (ended IS NOT NULL OR (role IS NOT NULL AND resource IS NOT NULL));

-- What groups hold on a resource is a range of it. It serves whoever deletes a role or a resource
-- too, for the foreign key.

DROP INDEX assignment_by_resource;

DROP INDEX assignment_to_group;

CREATE INDEX assignment_by_resource ON assignment (organization, resource, holder, role) WHERE resource IS NOT NULL;

DROP INDEX assignment_by_role;

CREATE INDEX assignment_by_role ON assignment (role, organization) WHERE role IS NOT NULL;

DROP INDEX assignment_ended;

CREATE INDEX assignment_ended ON assignment (organization, holder, ended) WHERE ended IS NOT NULL;

CREATE INDEX assignment_ending ON assignment (organization) WHERE ended < 0;

CREATE INDEX role_critical ON role (organization) WHERE critical;

CREATE TABLE pending (
    organization INTEGER NOT NULL REFERENCES organization (id),
    "group" INTEGER NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('member', 'assignment', 'whole')),
    ref BIGINT NOT NULL,                    -- the membership; the first revision; the group that the flow goes to
    direction TEXT COLLATE "C" NOT NULL CHECK (direction IN ('grants', 'revokes')),
    urgency INTEGER NOT NULL,               -- 0 revokes critical roles, 1 revokes, 2 grants
    fence INTEGER,                          -- whose effective roles are distrusted: a membership's, or 0 for all
    since BIGINT NOT NULL,                  -- the first revision that it stands for
    revision BIGINT NOT NULL,               -- the last
    cursor_membership INTEGER NOT NULL DEFAULT 0,       -- pairs up to and with this one are done
    cursor_assignment INTEGER NOT NULL DEFAULT 2147483647,
    done BIGINT NOT NULL DEFAULT 0,         -- pairs looked at
    total BIGINT,                           -- pairs to look at, as estimated when the work began
    recorded_at BIGINT NOT NULL,            -- by the database's clock
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before BIGINT NOT NULL DEFAULT 0,   -- by the database's clock
    parked BOOLEAN NOT NULL DEFAULT FALSE,
    last_error TEXT COLLATE "C",
    PRIMARY KEY (organization, "group", kind, ref)
);

CREATE INDEX pending_fence ON pending (organization, fence) WHERE fence IS NOT NULL;

CREATE INDEX pending_due ON pending (urgency, recorded_at) WHERE NOT parked;

ALTER TABLE change ADD COLUMN estimated BIGINT NOT NULL DEFAULT 0;

ALTER TABLE change ADD COLUMN settled_at BIGINT;

UPDATE change SET settled_at = recorded_at;

-- Note what a step of the change weighs in the counters `pairs`, `critical` and `unsettled`. Refuses, with SQLSTATE RS003,
-- a step that is to be inline where it touches more pairs than the budget, or a job has one of its groups.
CREATE FUNCTION rescind_choose(pairs bigint, is_critical boolean, is_busy boolean, is_unsettled boolean,
                               is_background boolean, budget bigint, critical_budget bigint, step bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_background AND (is_busy OR pairs > CASE WHEN is_critical THEN critical_budget ELSE budget END) THEN
        RAISE EXCEPTION USING ERRCODE = 'RS003', MESSAGE = 'the step is not for the inline route',
            DETAIL = jsonb_build_object('step', step, 'pairs', pairs, 'is_busy', is_busy)::text;
    END IF;
    IF is_critical THEN
        PERFORM set_config('rescind.critical', '1', true);
    ELSE
        PERFORM set_config('rescind.critical', '', true);
    END IF;
    IF is_unsettled THEN
        PERFORM set_config('rescind.unsettled', '1', true);
    END IF;
    IF is_background THEN
        PERFORM rescind_tally('estimated', pairs);
    END IF;
    RETURN rescind_tally('pairs', pairs);
END
$$;

CREATE OR REPLACE FUNCTION rescind_begin(organization_id integer, expected_slug text, expected_mode text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    found organization;
BEGIN
    SELECT * INTO found FROM organization WHERE id = organization_id FOR NO KEY UPDATE;
    IF found.slug IS DISTINCT FROM expected_slug OR found.role_mode <> expected_mode THEN
        RAISE EXCEPTION USING ERRCODE = 'RS002', MESSAGE = 'the organization is not as planned';
    END IF;
    -- Counters are gone with the transaction; one that holds several changes starts them anew.
    IF COALESCE(current_setting('rescind.begun', true), '') = '' THEN
        PERFORM set_config('rescind.begun', '1', true);
        RETURN found.revision;
    END IF;
    PERFORM set_config('rescind.' || counter, '', true)
    FROM unnest(ARRAY['altered', 'numbers', 'granted', 'revoked', 'revokes', 'gains', 'takes', 'critical',
                      'unsettled', 'pairs', 'estimated', 'pended']) AS counter;
    RETURN found.revision;
END
$$;

-- The planner's statistics, stated: the shape that organizations have, so that plans made for the first row fit the
-- millionth. A column's number of distinct values holds for every later ANALYZE (negative: as a share of the rows).

ALTER TABLE membership ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN id SET (n_distinct = -1),
    ALTER COLUMN subject SET (n_distinct = -1);

ALTER TABLE "group" ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN id SET (n_distinct = -1),
    ALTER COLUMN slug SET (n_distinct = -1);

ALTER TABLE group_member ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN membership SET (n_distinct = -0.2),
    ALTER COLUMN "group" SET (n_distinct = -0.02);

ALTER TABLE recorded_nesting ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN child SET (n_distinct = -0.5),
    ALTER COLUMN parent SET (n_distinct = -0.2);

ALTER TABLE resource ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN id SET (n_distinct = -1),
    ALTER COLUMN slug SET (n_distinct = -1), ALTER COLUMN parent SET (n_distinct = -0.1);

ALTER TABLE assignment ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN id SET (n_distinct = -1),
    ALTER COLUMN holder SET (n_distinct = -0.1), ALTER COLUMN resource SET (n_distinct = -0.2),
    ALTER COLUMN role SET (n_distinct = -0.02), ALTER COLUMN ended SET (n_distinct = -0.3);

ALTER TABLE effective_role ALTER COLUMN organization SET (n_distinct = 1), ALTER COLUMN membership SET (n_distinct = -0.01),
    ALTER COLUMN assignment SET (n_distinct = -0.01);

ALTER TABLE role_permission ALTER COLUMN role SET (n_distinct = -0.05), ALTER COLUMN permission SET (n_distinct = -0.2);

ALTER TABLE pending ALTER COLUMN organization SET (n_distinct = -0.1), ALTER COLUMN "group" SET (n_distinct = -0.5);

-- A sample to state them with, where there is nothing yet; taken out again at once. Its values are all different, so
-- that none counts as common.

DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM membership) THEN
        INSERT INTO organization (id, slug, name, created_at) SELECT -n, '-' || n, '', 0 FROM generate_series(1, 300) AS n;
        INSERT INTO membership SELECT -n, n, 'user:' || n, NULL, TRUE, n FROM generate_series(1, 300) AS n;
        INSERT INTO "group" SELECT -n, -n, 'group ' || n, NULL, NULL FROM generate_series(1, 300) AS n;
        INSERT INTO group_member SELECT -n, n, -n, NULL FROM generate_series(1, 300) AS n;
        INSERT INTO recorded_nesting SELECT -n, -n, -n, NULL FROM generate_series(1, 300) AS n;
        INSERT INTO permission OVERRIDING SYSTEM VALUE SELECT -n, -n, 'p' || n, '', FALSE FROM generate_series(1, 300) AS n;
        INSERT INTO role OVERRIDING SYSTEM VALUE SELECT -n, -n, 'r' || n, NULL, n, FALSE FROM generate_series(1, 300) AS n;
        INSERT INTO role_permission SELECT -n, -n FROM generate_series(1, 300) AS n;
        INSERT INTO resource SELECT -n, n, 'doc:' || n, NULL FROM generate_series(1, 300) AS n;
        INSERT INTO assignment (organization, id, holder, role, resource, made)
            SELECT -n, n, -n, -n, n, n FROM generate_series(1, 300) AS n;
        INSERT INTO effective_role SELECT -n, n, n, NULL FROM generate_series(1, 300) AS n;
        INSERT INTO role_reset SELECT -n, n, n FROM generate_series(1, 300) AS n;
        INSERT INTO change (organization, revision, recorded_at, actor, reason, direction, route, granted, revoked, body)
            SELECT -n, n, n, '', '', 'grants', 'inline', 0, 0, '[]' FROM generate_series(1, 300) AS n;
    END IF;
END
$$;

ANALYZE organization, membership, "group", group_member, recorded_nesting, permission, role, role_permission, resource,
    assignment, effective_role, role_reset, change;

DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM organization WHERE id < 0) THEN
        TRUNCATE membership, "group", group_member, recorded_nesting, role_permission, resource, assignment,
            effective_role, role_reset, change, idempotency, pending;
        DELETE FROM permission WHERE organization < 0;
        DELETE FROM role WHERE organization < 0;
        DELETE FROM organization WHERE id < 0;
    END IF;
END
$$;
