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
