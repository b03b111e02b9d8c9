"""Assignments in memory, by resource and by holder, so that a question walks the shorter side.

Knows only numbers. No I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from rescind.index.relations import NOTHING
from rescind.model import HolderNumber, ResourceNumber, RoleNumber

Until = int | None
Grants = dict[RoleNumber, Set[HolderNumber]]
"""Role → holders."""
Expiring = dict[RoleNumber, dict[HolderNumber, int]]
"""Role → holder → until."""
SMALL_SET: Final = 8
"""Roles of a holder on a resource, or holders of a role there, up to which equal sets share one object."""

Item = TypeVar("Item")
_shared: Callable[[frozenset[Any]], frozenset[Any]] = lru_cache(16_384)(frozenset)


class Held(NamedTuple):
    """An assignment without its expiry."""

    holder: HolderNumber
    role: RoleNumber
    resource: ResourceNumber


class Assignments:
    """One organization's assignments.

    `grants` are those without expiry, `expiring` the others, `held_by` both: holder → resource → roles.
    """

    def __init__(self) -> None:
        self.grants: dict[ResourceNumber, Grants] = {}
        self.expiring: dict[ResourceNumber, Expiring] = {}
        self.held_by: dict[HolderNumber, dict[ResourceNumber, Set[RoleNumber]]] = {}
        self.count = 0

    # --- read -------------------------------------------------------------------------------------

    def holders_at(
        self, resource: ResourceNumber, role: RoleNumber, now: int | None
    ) -> Set[HolderNumber]:
        """Who holds a role directly on a resource at `now`; with None, expired holders too."""
        found = self.grants.get(resource, {}).get(role, set())
        if resource in self.expiring:
            late = self.expiring[resource].get(role, {})
            found = found | {h for h, until in late.items() if now is None or until > now}
        return found

    def until(self, held: Held) -> Until:
        """When an existing assignment expires; None for never."""
        return self.expiring.get(held.resource, {}).get(held.role, {}).get(held.holder)

    def is_in_force(self, held: Held, now: int | None) -> bool:
        """Whether an assignment exists and is not expired at `now`; with None, whether it exists."""
        if held.role not in self.roles_of(held.holder, held.resource):
            return False
        until = self.until(held)
        return until is None or now is None or until > now

    def roles_of(self, holder: HolderNumber, resource: ResourceNumber) -> Set[RoleNumber]:
        """The roles that a holder has directly on a resource, expired ones too."""
        return self.held_by.get(holder, {}).get(resource, frozenset())

    def roles_on(self, resource: ResourceNumber) -> set[RoleNumber]:
        """The roles held directly on a resource by anybody, expired ones too."""
        return {*self.grants.get(resource, ()), *self.expiring.get(resource, ())}

    def of(self, holder: HolderNumber) -> list[Held]:
        """All assignments of a membership or a group."""
        return [
            Held(holder, role, resource)
            for resource, roles in self.held_by.get(holder, {}).items()
            for role in roles
        ]

    def held_on(
        self, resource: ResourceNumber, reach: Set[HolderNumber], now: int | None
    ) -> Iterator[tuple[HolderNumber, RoleNumber]]:
        """(holder, role) of the assignments of these holders directly on a resource, at `now`; with None,
        expired ones too.

        Walks the holders, or the roles held there: whichever are fewer.
        """
        if len(reach) <= self._most_roles_on(resource):
            for holder in reach:
                for role in self.roles_of(holder, resource):
                    if self.is_in_force(Held(holder, role, resource), now):
                        yield holder, role
            return
        for role in self.roles_on(resource):
            for holder in both(self.holders_at(resource, role, now), reach):
                yield holder, role

    def gives(
        self, resource: ResourceNumber, reach: Set[HolderNumber], roles: Set[RoleNumber], now: int
    ) -> bool:
        """Whether one of these holders has one of the roles directly on a resource, at `now`.

        Walks the holders, or the roles: whichever are fewer.
        """
        there = self._most_roles_on(resource)
        if not there:
            return False
        if len(reach) <= min(len(roles), there):
            return any(
                self.is_in_force(Held(holder, role, resource), now)
                for holder in reach
                for role in both(self.roles_of(holder, resource), roles)
            )
        fewer = roles if len(roles) <= there else self.roles_on(resource) & roles
        return any(self._is_held(resource, role, reach, now) for role in fewer)

    def _is_held(
        self, resource: ResourceNumber, role: RoleNumber, reach: Set[HolderNumber], now: int
    ) -> bool:
        if not reach.isdisjoint(self.grants.get(resource, {}).get(role, ())):
            return True
        late = self.expiring.get(resource, {}).get(role)
        return late is not None and any(late[holder] > now for holder in both(late.keys(), reach))

    def _most_roles_on(self, resource: ResourceNumber) -> int:
        """An upper bound of the roles held directly on a resource."""
        return len(self.grants.get(resource, ())) + len(self.expiring.get(resource, ()))

    # --- changed ----------------------------------------------------------------------------------

    def put(self, held: Held, until: Until) -> None:
        """Add an assignment, or set its expiry."""
        holder, role, resource = held
        if until is None:
            grants = self.grants.setdefault(resource, {})
            grants[role] = _with(grants.get(role, NOTHING), holder)
            self._drop_expiring(held)
        else:
            self.expiring.setdefault(resource, {}).setdefault(role, {})[holder] = until
            self._drop_grant(held)
        places = self.held_by.setdefault(holder, {})
        known = places.get(resource, frozenset())
        if role not in known:
            places[resource] = _with(known, role)
            self.count += 1

    def put_all(self, listed: Iterable[tuple[HolderNumber, RoleNumber, ResourceNumber]]) -> None:
        """As `put` for each, without expiry, where there are none yet. Each is listed once."""
        for holder, role, resource in listed:
            _list(self.grants, resource, role, holder)
            _list(self.held_by, holder, resource, role)
            self.count += 1
        listed_by: list[dict[Any, Any]] = [*self.grants.values(), *self.held_by.values()]
        for lists in listed_by:
            for key, items in lists.items():
                lists[key] = _gathered(items)

    def drop(self, held: Held) -> None:
        """Remove an assignment."""
        self._drop_grant(held)
        self._drop_expiring(held)
        places = self.held_by.get(held.holder, {})
        known = places.get(held.resource, frozenset())
        if held.role not in known:
            return
        self.count -= 1
        left = _without(known, held.role)
        if left:
            places[held.resource] = left
            return
        del places[held.resource]
        if not places:
            del self.held_by[held.holder]

    def _drop_grant(self, held: Held) -> None:
        grants = self.grants.get(held.resource, {})
        holders = grants.get(held.role)
        if holders is None:
            return
        left = _without(holders, held.holder)
        if left:
            grants[held.role] = left
            return
        del grants[held.role]
        if not grants:
            del self.grants[held.resource]

    def _drop_expiring(self, held: Held) -> None:
        late = self.expiring.get(held.resource, {})
        holders = late.get(held.role, {})
        holders.pop(held.holder, None)
        if not holders and late.pop(held.role, None) is not None and not late:
            del self.expiring[held.resource]


def both(some: Set[Item], others: Set[Item]) -> Iterable[Item]:
    """The intersection, by a walk over the smaller set."""
    few, many = (some, others) if len(some) <= len(others) else (others, some)
    return [item for item in few if item in many]


def _list(lists: dict[Any, dict[Any, Any]], outer: int, inner: int, item: int) -> None:
    """Add an item to the list of two keys."""
    found = lists.get(outer)
    if found is None:
        lists[outer] = {inner: [item]}
    elif inner in found:
        found[inner].append(item)
    else:
        found[inner] = [item]


def _gathered(items: list[Item]) -> Set[Item]:
    """The set that holds them, as `_with` makes it one by one."""
    return _shared(frozenset(items)) if len(items) <= SMALL_SET else set(items)


def _with(items: Set[Item], item: Item) -> Set[Item]:
    if len(items) < SMALL_SET:
        return _shared(frozenset((*items, item)))
    if isinstance(items, set):
        items.add(item)
        return items
    return {*items, item}


def _without(items: Set[Item], item: Item) -> Set[Item]:
    if isinstance(items, set):
        items.discard(item)
        return items
    return _shared(frozenset(items - {item}))
