"""The present state of what the log names: read in one round trip, then applied to an index."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from rescind.changes import Change, affected_by
from rescind.index.assignments import Held
from rescind.index.build import roles_of, set_resets
from rescind.index.catalog import Catalog
from rescind.index.index import Index
from rescind.model import (
    ENVIRONMENT_NUMBER,
    GroupNumber,
    HolderNumber,
    MembershipNumber,
    OrganizationNumber,
    ResourceNumber,
)
from rescind.store import Snapshot
from rescind.store.rows import Query, QueryWithParams, Row
from rescind.store.rows.index import (
    INDEX_RESETS,
    TAIL_ASSIGNED,
    TAIL_ASSIGNMENTS,
    TAIL_GROUPS,
    TAIL_HELD,
    TAIL_MEMBERSHIPS,
    TAIL_NESTINGS,
    TAIL_PERMISSIONS,
    TAIL_PLACES,
    TAIL_RESOURCES,
    TAIL_ROLE_PERMISSIONS,
    TAIL_ROLES,
    TAIL_ROSTERS,
    IndexedReset,
)

NO_RESOURCE: Final = ResourceNumber(-1)
NO_MEMBERSHIP: Final = MembershipNumber(0)
NO_GROUP: Final = GroupNumber(0)
"""Numbers that no row has."""


@dataclass
class Reading:
    """What changes affected, and its present state."""

    o: OrganizationNumber
    logged: list[Change]
    logged_in_environment: list[Change]
    rows: dict[tuple[Query[Any], int | None], list[Any]] = field(default_factory=dict)
    resets: list[IndexedReset] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.own = affected_by(self.logged)
        self.environment = affected_by(self.logged_in_environment)

    def fetch(self, snapshot: Snapshot, *, is_single: bool) -> None:
        """Read everything that was affected, in one round trip."""
        questions: list[QueryWithParams[Any]] = []
        names: list[tuple[Query[Any], int | None]] = []

        def ask(query: Query[Any], owner: int | None = None, /, **lists: Iterable[Any]) -> None:
            (name, items), *_ = lists.items()
            items = sorted(items) if name != "assignments" and name != "holders" else list(items)
            if items:
                place = {"o": self.o} if owner is None else {"owner": owner}
                questions.append((query, {**place, name: json.dumps(items)}))
                names.append((query, owner))

        own = self.own
        ask(TAIL_MEMBERSHIPS, subjects=own.subjects)
        ask(TAIL_PLACES, subjects=own.subjects)
        ask(TAIL_GROUPS, groups=own.groups)
        ask(TAIL_ROSTERS, rosters=own.rosters)
        ask(TAIL_NESTINGS, children=own.children)
        ask(TAIL_RESOURCES, resources=own.resources)
        ask(TAIL_ASSIGNMENTS, assignments=map(_placed, own.assignments))
        ask(TAIL_HELD, holders=map(_named, own.all_of))
        for owner, found in ((ENVIRONMENT_NUMBER, self.environment), (self.o, own)):
            ask(TAIL_PERMISSIONS, owner, permissions=found.permissions)
            ask(TAIL_ROLES, owner, roles=found.roles)
            ask(TAIL_ROLE_PERMISSIONS, owner, roles=found.roles)
        ask(TAIL_ASSIGNED, roles=own.dropped_roles | self.environment.dropped_roles)
        if is_single:
            questions.append((INDEX_RESETS, {"o": self.o}))
        answers = snapshot.fetch_many(questions, is_last=True) if questions else []
        if is_single:
            self.resets = answers.pop()
        self.rows = dict(zip(names, answers, strict=True))

    def apply(self, index: Index) -> None:
        """Put what was read into the index. In this order, what moved is not dropped with its old parent, and
        nothing that is gone stays.
        """
        self._apply_catalogs(index)
        self._apply_groups(index)
        self._apply_resources(index)
        self._apply_assignments(index)
        set_resets(index, self.resets)

    def _of(self, query: Query[Row], owner: int | None = None) -> list[Row]:
        return self.rows.get((query, owner), [])

    def _apply_catalogs(self, index: Index) -> None:
        both = (
            (ENVIRONMENT_NUMBER, index.facts.environment, self.environment),
            (self.o, index.facts.own, self.own),
        )
        for _, catalog, found in both:
            _drop_permissions(index, catalog, found.dropped_permissions)
            _drop_roles(index, catalog, found.dropped_roles)
        for owner, catalog, found in both:
            for row in self._of(TAIL_PERMISSIONS, owner):
                catalog.put_permission(row.number, row.permission, critical=bool(row.critical))
            roles = self._of(TAIL_ROLES, owner)
            for number, role in roles_of(roles, self._of(TAIL_ROLE_PERMISSIONS, owner)):
                catalog.put_role(number, role)
            if found.permissions or found.roles:
                index.derived.forget_roles()

    def _apply_groups(self, index: Index) -> None:
        groups = self._of(TAIL_GROUPS)
        index.facts.unplace_groups({row.group: row.number for row in groups})
        for group in groups:
            if group.number is not None:
                index.facts.put_group(group.number, group.group)
        memberships = self._of(TAIL_MEMBERSHIPS)
        index.facts.unplace_memberships({row.subject: row.number for row in memberships})
        for row in memberships:
            if row.number is not None:
                index.facts.put_membership(row.number, row.subject, active=bool(row.active))
        places: dict[MembershipNumber, dict[GroupNumber, int | None]] = {}
        for place in self._of(TAIL_PLACES):
            places.setdefault(place.membership, {})[place.group] = place.expires_at
        for row in memberships:
            if row.number is not None:
                index.facts.set_groups(row.number, places.get(row.number, {}))
        self._apply_rosters(index)
        self._apply_nestings(index)

    def _apply_rosters(self, index: Index) -> None:
        members: dict[GroupNumber, dict[MembershipNumber, int | None]] = {}
        for row in self._of(TAIL_ROSTERS):
            members.setdefault(row.group, {})[row.membership] = row.expires_at
        for slug in self.own.rosters:
            group = index.facts.groups.get(slug)
            if group is None:
                continue
            now = members.get(group, {})
            for m in [m for m in index.facts.members_of.get(group, ()) if m not in now]:
                index.facts.set_member(m, group, holds=False)
            for m, until in now.items():
                index.facts.set_member(m, group, holds=True, until=until)

    def _apply_nestings(self, index: Index) -> None:
        parents: dict[GroupNumber, set[GroupNumber]] = {}
        for row in self._of(TAIL_NESTINGS):
            parents.setdefault(row.child, set()).add(row.parent)
        for slug in self.own.children:
            child = index.facts.groups.get(slug)
            if child is None:
                continue
            before = set(index.facts.parents_of.get(child, ()))
            for parent in before | parents.get(child, set()):
                index.facts.set_nesting(child, parent, holds=parent in parents.get(child, set()))

    def _apply_resources(self, index: Index) -> None:
        rows = self._of(TAIL_RESOURCES)
        for row in rows:  # moves first, so that a resource is not dropped with its old parent
            if index.facts.resources.get(row.resource) == row.number:
                index.facts.put_resource(row.number, row.resource, row.parent)
        for slug in self.own.resources - {row.resource for row in rows}:
            index.facts.drop_resources(index.facts.resources.get(slug, NO_RESOURCE))
        for row in rows:
            index.facts.put_resource(row.number, row.resource, row.parent)

    def _apply_assignments(self, index: Index) -> None:
        there: dict[Held, int | None] = {
            Held(row.holder, row.role, row.resource): row.expires_at
            for query in (TAIL_ASSIGNMENTS, TAIL_HELD, TAIL_ASSIGNED)
            for row in self._of(query)
        }
        for name, place in self.own.assignments:
            holder, resource = _holder(index, name), index.facts.resources.get(place, NO_RESOURCE)
            for role in tuple(index.facts.assignments.roles_of(holder, resource)):
                if Held(holder, role, resource) not in there:
                    index.facts.set_assignment(Held(holder, role, resource), holds=False)
        for name in self.own.all_of:
            for held in index.facts.assignments.of(_holder(index, name)):
                if held not in there:
                    index.facts.set_assignment(held, holds=False)
        for held, until in there.items():
            index.facts.set_assignment(held, holds=True, until=until)


def _drop_permissions(index: Index, catalog: Catalog, slugs: set[str]) -> None:
    """Drop permissions. One of the environment may be in an organization's own roles."""
    numbers = frozenset(n for n in map(catalog.drop_permission, slugs) if n is not None)
    for other in (index.facts.environment, index.facts.own) if numbers else ():
        other.drop_from_roles(numbers)


def _drop_roles(index: Index, catalog: Catalog, slugs: set[str]) -> None:
    index.facts.drop_roles([n for n in map(catalog.number, slugs) if n is not None])
    for slug in slugs:
        catalog.drop_role(slug)


def _holder(index: Index, name: str) -> HolderNumber:
    if name.startswith("group:"):
        return index.facts.groups.get(name.removeprefix("group:"), NO_GROUP)
    return index.facts.memberships.get(name, NO_MEMBERSHIP)


def _named(holder: str) -> dict[str, str]:
    if holder.startswith("group:"):
        return {"group": holder.removeprefix("group:")}
    return {"subject": holder}


def _placed(assignment: tuple[str, str]) -> dict[str, str]:
    return {**_named(assignment[0]), "resource": assignment[1]}
