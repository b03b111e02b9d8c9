"""An index of all of an organization's facts, read at one state and built anew."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter
from typing import Final

from rescind.index.assignments import Held
from rescind.index.catalog import Catalog, Role
from rescind.index.facts import Rules
from rescind.index.index import Index
from rescind.model import IdRule, Revision, Seals
from rescind.store import Rows, Store

ENVIRONMENT: Final = 0
_OWNED = ("index_permissions", "index_roles", "index_role_permissions")
_WHOLE = (
    "index_memberships",
    "index_groups",
    "index_group_members",
    "index_nestings",
    "index_resources",
    "index_assignments",
    "index_resets",
)
_role = lru_cache(100_000)(Role)
"""Organizations that share roles share what is kept of them."""


class Gone(Exception):
    """The organization no longer exists."""


def built(store: Store, o: int) -> tuple[Index, Revision]:
    """An index of all of an organization's facts, and their revision. Raises Gone."""
    index = Index(o)
    with store.snapshot() as snapshot:
        state, *rest = snapshot.fetch_many(
            [
                ("index_state", {"o": o}),
                *((query, {"owner": owner}) for owner in (ENVIRONMENT, o) for query in _OWNED),
                *((query, {"o": o}) for query in _WHOLE),
            ]
        )
    revision = take_state(index, state, store.seals)
    for catalog, rows in ((index.facts.environment, rest[:3]), (index.facts.own, rest[3:6])):
        _fill_catalog(catalog, *rows)
    _fill(index, dict(zip(_WHOLE, rest[6:], strict=True)))
    return index, revision


def take_state(index: Index | None, state: Rows, seals: Seals) -> Revision:
    """The revision of a row of `index_state`, whose settings the index takes over. Raises Gone."""
    if not state or state[0][1] is None:
        raise Gone
    o, _, number, environment, mode, on_loss, default_role, server, id_rule = state[0]
    if index is not None:
        index.server = server
        rules = Rules(
            mode == "single", on_loss == "next-highest", default_role, id_rule == IdRule.CASEFOLD
        )
        index.facts.set_rules(rules)
    return seals.revision(o, number, environment)


def _fill_catalog(catalog: Catalog, permissions: Rows, roles: Rows, contents: Rows) -> None:
    for number, slug, critical in permissions:
        catalog.put_permission(number, slug, critical=bool(critical))
    for number, role in roles_of(roles, contents):
        catalog.put_role(number, role)


def roles_of(roles: Rows, contents: Rows) -> Iterable[tuple[int, Role]]:
    """Roles by their numbers, with the permissions that they contain."""
    permissions: dict[int, set[int]] = {}
    for number, permission in contents:
        permissions.setdefault(number, set()).add(permission)
    for number, slug, priority in roles:
        yield number, _role(slug, priority, frozenset(permissions.get(number, ())))


def _fill(index: Index, rows: dict[str, Rows]) -> None:
    for number, subject, active in rows["index_memberships"]:
        index.facts.put_membership(number, subject, active=bool(active))
    for number, slug in rows["index_groups"]:
        index.facts.put_group(number, slug)
    for m, places in itertools.groupby(rows["index_group_members"], itemgetter(0)):
        groups = {group: until for _, group, until in places if group in index.facts.group_names}
        index.facts.set_groups(m, groups)
    for child, parent in rows["index_nestings"]:
        if {child, parent} <= index.facts.group_names.keys():
            index.facts.set_nesting(child, parent, holds=True)
    for number, slug, parent in rows["index_resources"]:
        index.facts.put_resource(number, slug, parent)
    for holder, role, resource, until in rows["index_assignments"]:
        index.facts.set_assignment(Held(holder, role, resource), holds=True, until=until)
    set_resets(index, rows["index_resets"] if index.facts.rules.is_single else [])


def set_resets(index: Index, rows: Rows) -> None:
    """What is set aside is this, and nothing else."""
    index.facts.resets.clear()
    for m, role in rows:
        index.facts.resets.setdefault(m, set()).add(role)
