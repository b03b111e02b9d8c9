"""An organization's rows that no answer shows as they are, by name."""

from __future__ import annotations

from rescind import Authority
from rescind.semantics.access import Assignment
from tests.sql import ours

EFFECTIVE_ROLES = """
    SELECT s.subject, COALESCE('group:' || g.slug, h.subject), q.slug, x.slug, e.expires_at
    FROM rescind.effective_role AS e
    JOIN rescind.membership AS s ON s.organization = {o} AND s.id = e.membership
    JOIN rescind.assignment AS a ON a.organization = {o} AND a.id = e.assignment
    JOIN rescind.role AS q ON q.id = a.role
    JOIN rescind.resource AS x ON x.organization = {o} AND x.id = a.resource
    LEFT JOIN rescind.membership AS h ON h.organization = {o} AND h.id = a.holder
    LEFT JOIN rescind."group" AS g ON g.organization = {o} AND g.id = a.holder
    WHERE e.organization = {o}
"""


def number_of(authority: Authority, organization: str) -> int:
    """What the store calls it, also when it was deleted."""
    return int(authority.store.fetch("find_log", {"organization": organization})[0][0])


def effective_roles(
    authority: Authority, organization: str
) -> dict[tuple[str, Assignment], int | None]:
    """Who holds which assignment, and until when."""
    sql = ours(authority, EFFECTIVE_ROLES.format(o=number_of(authority, organization)))
    authority.store.queries["effective_roles"] = sql
    found = authority.store.fetch("effective_roles", {})
    return {
        (subject, Assignment(holder, role, resource)): until
        for subject, holder, role, resource, until in found
    }


def role_resets(authority: Authority, organization: str) -> set[tuple[str, str]]:
    """What does not count any more for whom, in a single-role organization."""
    found = authority.store.fetch("read_resets", {"o": number_of(authority, organization)})
    return {(subject, role) for subject, role in found}


def count_rows(authority: Authority, organization: str, table: str) -> int:
    """The organization's rows in a table, also about what no longer exists."""
    o = number_of(authority, organization)
    counted = f"SELECT count(*) FROM rescind.{table} WHERE organization = {o}"
    authority.store.queries["count_rows"] = ours(authority, counted)
    return int(authority.store.fetch("count_rows", {})[0][0])
