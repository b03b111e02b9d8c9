"""Ids of an organization that look alike, and so may be mistaken for each other."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from rescind import model
from rescind.errors import OrganizationNotFound
from rescind.model import AlikeIds, OrganizationId
from rescind.store import Store
from rescind.store.rows import Answers, QueryWithParams
from rescind.store.rows.facts import READ_PERMISSIONS, READ_ROLES
from rescind.store.rows.organizations import FIND_ORGANIZATION
from rescind.store.rows.spelling import LIST_GROUPS_ALIKE, LIST_MEMBERSHIPS_ALIKE

KEPT: Final = {"subject": LIST_MEMBERSHIPS_ALIKE, "group": LIST_GROUPS_ALIKE}
"""Kinds whose folded ids the store keeps. Roles and permissions are few, so all are read."""
ALL: Final = 2**31 - 1


def alike(store: Store, organization: OrganizationId, limit: int) -> list[AlikeIds]:
    """The sets of ids that look alike, of people, groups, roles and permissions; at most `limit` of each.

    Raises OrganizationNotFound.
    """
    rows = store.fetch(FIND_ORGANIZATION, {"organization": organization})
    if not rows:
        raise OrganizationNotFound(organization=organization)
    o = {"o": rows[0].organization}
    asked: list[QueryWithParams[Any]] = [(query, {**o, "limit": ALL}) for query in KEPT.values()]
    asked += [(READ_ROLES, o), (READ_PERMISSIONS, o)]
    answers = Answers((query for query, _ in asked), store.fetch_many(asked))
    names: dict[str, list[tuple[str, str]]] = {
        what: [(row.folded, row.name) for row in answers[query]] for what, query in KEPT.items()
    }
    names["role"] = [(model.folded(row.role), row.role) for row in answers[READ_ROLES]]
    names["permission"] = [
        (model.folded(row.permission), row.permission) for row in answers[READ_PERMISSIONS]
    ]
    found: list[AlikeIds] = []
    for what, listed in names.items():
        sets: dict[str, list[str]] = defaultdict(list)
        for folded, name in listed:
            sets[folded].append(name)
        alike = [tuple(sorted(names)) for _, names in sorted(sets.items()) if len(names) > 1]
        found += [AlikeIds(organization, what, names) for names in alike[:limit]]
    return found
