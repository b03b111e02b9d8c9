"""Ids of an organization that look alike: who might be taken for somebody else."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from rescind import model
from rescind.errors import OrganizationNotFound
from rescind.model import AlikeIds, OrganizationId
from rescind.store import Store

KEPT: Final = {"subject": "list_memberships_alike", "group": "list_groups_alike"}
"""Of these the store keeps what they fold to."""
READ: Final = {"role": "read_roles", "permission": "read_permissions"}
"""These are few: all are read."""
ALL: Final = 2**31 - 1


def alike(store: Store, organization: OrganizationId, limit: int) -> list[AlikeIds]:
    """The sets of ids that look alike, of people, groups, roles and permissions; at most `limit` of each.

    Raises OrganizationNotFound.
    """
    rows = store.fetch("find_organization", {"organization": organization})
    if not rows:
        raise OrganizationNotFound(organization=organization)
    questions = [(query, {"o": rows[0][0], "limit": ALL}) for query in KEPT.values()]
    questions += [(query, {"o": rows[0][0]}) for query in READ.values()]
    answers = store.fetch_many(questions)
    found: list[AlikeIds] = []
    for what, listed in zip((*KEPT, *READ), answers, strict=True):
        sets: dict[str, list[str]] = defaultdict(list)
        for row in listed:
            folded, name = row if what in KEPT else (model.folded(row[0]), row[0])
            sets[folded].append(name)
        alike = [tuple(sorted(names)) for _, names in sorted(sets.items()) if len(names) > 1]
        found += [AlikeIds(organization, what, names) for names in alike[:limit]]
    return found
