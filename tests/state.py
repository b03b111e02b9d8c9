"""What a store holds, row by row, and what it answers by every way of asking."""

from __future__ import annotations

from typing import Any

from rescind import Authority
from tests.sql import ours

TABLES = (
    "organization",
    "membership",
    '"group"',
    "group_member",
    "nesting",
    "permission",
    "role",
    "role_permission",
    "resource_type",
    "resource",
    "assignment",
    "effective_role",
    "role_reset",
    "change",
    "idempotency",
)

OF_ORGANIZATIONS = {
    "membership": "id, subject, active",
    "group": "*",
    "group_member": 'membership, "group", expires_at',
    "recorded_nesting": "child, parent, ended",
    "resource": "*",
    "assignment": "id, holder, role, resource, expires_at, made, ended",
    "effective_role": "membership, assignment, expires_at",
    "role_reset": "*",
    "role_before": "*",
    "pending": 'kind, "group", ref, direction, urgency, fence, since, revision, cursor_membership,'
    " cursor_assignment, done, total, attempts, parked",
}
"""Tables with the numbers of one organization, and their columns: no times of the database's clock."""

Rows = dict[str, list[tuple[Any, ...]]]


def dump(authority: Authority) -> Rows:
    """Every row of every table, at one state."""
    queries = {table: f"dump {table}" for table in TABLES}
    authority.store.queries.update(
        {
            query: ours(authority, f"SELECT * FROM rescind.{table}")
            for table, query in queries.items()
        }
    )
    found = authority.store.fetch_many([(query, {}) for query in queries.values()])
    return {table: sorted(rows, key=repr) for table, rows in zip(TABLES, found, strict=True)}


def rows_of(authority: Authority, organization: str) -> Rows:
    """All facts of an organization by number, what follows from them, and what is pending; no times."""
    queries: dict[str, str] = authority.store.queries  # type: ignore[attr-defined]
    number = authority.store.fetch("find_log", {"organization": organization})[0][0]
    for table, columns in OF_ORGANIZATIONS.items():
        sql = f'SELECT {columns} FROM rescind."{table}" WHERE organization = {number}'
        queries[f"rows of {table}"] = ours(authority, sql)
    found = authority.store.fetch_many([(f"rows of {table}", {}) for table in OF_ORGANIZATIONS])
    return {table: sorted(f, key=repr) for table, f in zip(OF_ORGANIZATIONS, found, strict=True)}


def may(
    authority: Authority,
    subject: str,
    permission: str,
    resource: str | None = None,
    *,
    organization: str | None = None,
) -> bool:
    """The answer that both decision points, all lists and the explanation agree on."""
    answers = set()
    for assurance in ("standard", "live"):
        options: dict[str, Any] = {"organization": organization, "assurance": assurance}
        decision = authority.explain(subject, permission, resource, **options)
        assert decision.explanation is not None
        answers |= {
            bool(authority.check(subject, permission, resource, **options)),
            bool(authority.check_many([(subject, permission, resource)], **options)[0]),
            bool(decision),
            bool(decision.explanation.chains),
            not decision.explanation.obstacles,
            subject in authority.who_can(permission, resource, **options).items,
            permission in authority.permissions_of(subject, resource, **options).items,
            (resource or "organization")
            in authority.resources_of(subject, permission, **options).items,
        }
    assert len(answers) == 1, f"they disagree on {subject} {permission} {resource}"
    return answers.pop()
