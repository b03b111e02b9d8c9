"""Building an index from all of an organization's facts, read at one state."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from rescind.index.catalog import Catalog, Role
from rescind.index.facts import Rules
from rescind.index.index import Index
from rescind.index.loading import (
    load_assignments,
    load_memberships,
    load_places,
    load_resources,
)
from rescind.model import (
    ENVIRONMENT_NUMBER,
    IdRule,
    OrganizationNumber,
    PermissionNumber,
    Revision,
    RoleNumber,
    Seals,
)
from rescind.store import Store
from rescind.store.rows import Answers, Query, QueryWithParams
from rescind.store.rows.index import (
    INDEX_ASSIGNMENTS,
    INDEX_EXPIRING_ASSIGNMENTS,
    INDEX_EXPIRING_MEMBERS,
    INDEX_GROUP_MEMBERS,
    INDEX_GROUPS,
    INDEX_INACTIVE,
    INDEX_MEMBERSHIPS,
    INDEX_NESTINGS,
    INDEX_PERMISSIONS,
    INDEX_RESETS,
    INDEX_RESOURCES,
    INDEX_ROLE_PERMISSIONS,
    INDEX_ROLES,
    INDEX_STATE,
    IndexedReset,
    IndexedRole,
    IndexedRolePermission,
    StateRow,
)

_OWNED: Final[tuple[Query[Any], ...]] = (
    INDEX_PERMISSIONS,
    INDEX_ROLES,
    INDEX_ROLE_PERMISSIONS,
)
_WHOLE: Final[tuple[Query[Any], ...]] = (
    INDEX_MEMBERSHIPS,
    INDEX_INACTIVE,
    INDEX_GROUPS,
    INDEX_GROUP_MEMBERS,
    INDEX_EXPIRING_MEMBERS,
    INDEX_NESTINGS,
    INDEX_RESOURCES,
    INDEX_ASSIGNMENTS,
    INDEX_EXPIRING_ASSIGNMENTS,
    INDEX_RESETS,
)
_role = lru_cache(100_000)(Role)
"""Equal roles of different organizations share one object."""


class OrganizationGone(Exception):
    """The organization no longer exists."""


def build_index(store: Store, o: OrganizationNumber) -> tuple[Index, Revision]:
    """An index of all of an organization's facts, and their revision. Raises OrganizationGone."""
    index = Index(o)
    with store.snapshot() as snapshot:
        asked: list[QueryWithParams[Any]] = [
            (INDEX_STATE, {"o": o}),
            *((query, {"o": o}) for query in _WHOLE),
            *((query, {"owner": ENVIRONMENT_NUMBER}) for query in _OWNED),
            *((query, {"owner": o}) for query in _OWNED),
        ]
        found = snapshot.fetch_many(asked)
    rows = Answers((INDEX_STATE, *_WHOLE), found[: 1 + len(_WHOLE)])
    shared, own = found[-2 * len(_OWNED) : -len(_OWNED)], found[-len(_OWNED) :]
    revision = take_state(index, rows[INDEX_STATE], store.seals)
    _fill_catalog(index.facts.environment, Answers(_OWNED, shared))
    _fill_catalog(index.facts.own, Answers(_OWNED, own))
    _fill(index, rows)
    return index, revision


def take_state(index: Index | None, state: list[StateRow], seals: Seals) -> Revision:
    """The revision in a row of `index_state`; the index takes over its settings. Raises OrganizationGone."""
    if not state or state[0].name is None:
        raise OrganizationGone
    (row,) = state
    if index is not None:
        index.server = row.server
        rules = Rules(
            row.role_mode == "single",
            row.on_loss == "next-highest",
            row.default_role,
            row.id_rule == IdRule.CASEFOLD,
        )
        index.facts.set_rules(rules)
    return seals.revision(row.organization, row.revision, row.environment)


def _fill_catalog(catalog: Catalog, rows: Answers) -> None:
    for row in rows[INDEX_PERMISSIONS]:
        catalog.put_permission(row.number, row.permission, critical=bool(row.critical))
    for number, role in roles_of(rows[INDEX_ROLES], rows[INDEX_ROLE_PERMISSIONS]):
        catalog.put_role(number, role)


def roles_of(
    roles: list[IndexedRole], contents: list[IndexedRolePermission]
) -> Iterable[tuple[RoleNumber, Role]]:
    """Roles by their numbers, with the permissions that they contain."""
    permissions: dict[RoleNumber, set[PermissionNumber]] = {}
    for contained in contents:
        permissions.setdefault(contained.role, set()).add(contained.permission)
    for row in roles:
        contains = frozenset(permissions.get(row.number, ()))
        yield row.number, _role(row.role, row.priority, contains)


def _fill(index: Index, rows: Answers) -> None:
    facts = index.facts
    load_memberships(facts, rows[INDEX_MEMBERSHIPS], rows[INDEX_INACTIVE])
    for row in rows[INDEX_GROUPS]:
        facts.put_group(row.number, row.group)
    load_places(facts, rows[INDEX_GROUP_MEMBERS], rows[INDEX_EXPIRING_MEMBERS])
    for nesting in rows[INDEX_NESTINGS]:
        if {nesting.child, nesting.parent} <= facts.group_names.keys():
            facts.set_nesting(nesting.child, nesting.parent, holds=True)
    load_resources(facts, rows[INDEX_RESOURCES])
    load_assignments(facts, rows[INDEX_ASSIGNMENTS], rows[INDEX_EXPIRING_ASSIGNMENTS])
    set_resets(index, rows[INDEX_RESETS] if facts.rules.is_single else [])


def set_resets(index: Index, rows: list[IndexedReset]) -> None:
    """Replace all roles that are set aside by these rows."""
    index.facts.resets.clear()
    for row in rows:
        index.facts.resets.setdefault(row.membership, set()).add(row.role)
