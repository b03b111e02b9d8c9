"""A few rows for each table, in the shape in which each version of the schema has them.

In the team, which is in all, is Ada; all are readers. Bob has a place of his own and no access. From 0002 on
there is work pending and what it refers to; from 0008 on, what is left of a deleted organization.
"""

from __future__ import annotations

from typing import Final

from tests.sql import ours

ROWS: Final[dict[str, tuple[str, ...]]] = {
    "0001": (
        "INSERT INTO organization (id, slug, name, revision, last_number, created_at)"
        " VALUES (1, 'acme', 'Acme', 5, 20, 1)",
        "INSERT INTO membership VALUES (1, 1, 'user:ada', 'Ada', TRUE, 1)",
        "INSERT INTO membership VALUES (1, 2, 'user:bob', NULL, TRUE, 1)",
        "INSERT INTO \"group\" (organization, id, slug) VALUES (1, -3, 'team'), (1, -4, 'all')",
        "INSERT INTO group_member VALUES (1, 1, -3, NULL)",
        "INSERT INTO nesting (organization, child, parent) VALUES (1, -3, -4)",
        "INSERT INTO permission (id, organization, slug, description, critical)"
        " VALUES (1, 1, 'read', '', FALSE)",
        "INSERT INTO role (id, organization, slug, name, priority, critical)"
        " VALUES (1, 1, 'reader', NULL, 0, FALSE)",
        "INSERT INTO role_permission VALUES (1, 1)",
        "INSERT INTO resource_type VALUES (1, 'doc', '[]')",
        "INSERT INTO resource VALUES (1, 0, 'organization', NULL), (1, 5, 'doc:1', NULL)",
        "INSERT INTO assignment (organization, id, holder, role, resource) VALUES (1, -6, -4, 1, 0)",
        "INSERT INTO effective_role VALUES (1, 1, -6, NULL)",
        "INSERT INTO role_reset VALUES (1, 2, -6)",
        "INSERT INTO change (organization, revision, recorded_at, actor, reason, direction, route, granted,"
        " revoked, body) VALUES (1, 5, 1, 'ops', '', 'grants', 'inline', 1, 0, '[]')",
        "INSERT INTO idempotency VALUES (1, 'once', 'digest', 5, 1)",
    ),
    "0002": (
        "INSERT INTO assignment (organization, id, holder, made, ended) VALUES (1, -7, -4, 2, 4)",
        "INSERT INTO \"group\" (organization, id, slug, ended) VALUES (1, -9, '-9', 4)",
        "INSERT INTO recorded_nesting VALUES (1, -9, -4, 4)",
        'INSERT INTO pending (organization, "group", kind, ref, direction, urgency, since, revision,'
        " recorded_at) VALUES (1, -3, 'member', 2, 'grants', 2, 3, 3, 1)",
    ),
    "0004": (
        "INSERT INTO api_key (id, name, digest, scopes, organization, created_at)"
        " VALUES ('key_1', 'ci', 'digest', 'read', 'acme', 1)",
    ),
    "0005": (
        "INSERT INTO directory (organization, kind, number, updated_at) VALUES (1, 'membership', 1, 1)",
        "INSERT INTO directory_answer VALUES ('key_1', 'once', 'digest', 200, '{}', '[]', 1)",
        "INSERT INTO directory_event (organization, name, data, actor, recorded_at)"
        " VALUES (1, 'group.created', '{}', 'ops', 1)",
    ),
    "0007": (
        "INSERT INTO enforcement VALUES (1, 5, 1)",
        "INSERT INTO directory_note (organization, since, revision, name, data, actor, recorded_at)"
        " VALUES (1, 6, 5, 'group.updated', '{}', 'ops', 1)",
        "INSERT INTO directory_gone VALUES (1, 'group', -9, 'gone', NULL, 4)",
    ),
    "0008": (
        "INSERT INTO organization (id, slug, name, revision, created_at, deleted_as)"
        " VALUES (2, NULL, 'Old', 3, 1, 'old')",
        "INSERT INTO membership VALUES (2, 1, 'user:ada', NULL, TRUE, 1)",
        "INSERT INTO deletion (organization, revision, recorded_at) VALUES (2, 3, 1)",
    ),
    "0023": (
        "INSERT INTO rescind.directory_nesting VALUES (1, -4, -3)",
        "INSERT INTO rescind.directory_given VALUES (1, 2, 'doc:1', 'reader', 9)",
        "INSERT INTO rescind.directory_gone_id VALUES (1, 'group', -9, 'group_X')",
    ),
    "0024": (
        "INSERT INTO rescind.task_lease VALUES ('audit', 'gone', 1)",
        "INSERT INTO rescind.audit_round (id, started_at) VALUES (1, 1)",
        "INSERT INTO rescind.audit_drift VALUES (1, -3, 1, 1, 1, 1, 0, 0, '', NULL)",
    ),
    "0026": ("INSERT INTO rescind.log_start VALUES (3, 7, $bytes, NULL, 1, 'pruned')",),
    "0027": ("INSERT INTO rescind.snapshot VALUES (1, 5, 1, 1, 1, 'replay', 1, $bytes, $bytes)",),
    "0028": ("INSERT INTO rescind.review VALUES (1, 'Q1', 5, 0, 1, 'cyd', '{}')",),
    "0029": (
        "INSERT INTO rescind.action VALUES (1, 1, 'key_made', NULL, 'key_1', '{}', 'ops', '', $bytes)",
        "UPDATE rescind.action_head SET number = 1",
    ),
}
OF_A_SERVER: Final = {
    "0003": (
        "INSERT INTO replica (id, name, ttl) VALUES ('r1', 'gone', 1)",
        "INSERT INTO replica_held VALUES (1, 'r1', 9)",
    ),
}
"""Of processes that hold an index, which need a server."""


def filled(version: str, engine: str) -> tuple[str, ...]:
    """What to run when the schema has come to a version."""
    rows = ROWS | (OF_A_SERVER if engine == "postgresql" else {})
    name = "postgres" if engine == "postgresql" else engine
    some_bytes = "'\\x00'" if name == "postgres" else "X'00'"
    statements = (each.replace("$bytes", some_bytes) for each in rows.get(version, ()))
    return tuple(ours(name, statement) for statement in statements)
