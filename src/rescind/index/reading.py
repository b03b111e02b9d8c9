"""What the log names, as it is now: read in one round trip, then put into an index."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rescind.changes import Change
from rescind.index.assignments import Held
from rescind.index.build import ENVIRONMENT, roles_of, set_resets
from rescind.index.catalog import Catalog
from rescind.index.index import Index
from rescind.index.touched import touched
from rescind.store import Rows, Snapshot


@dataclass
class Reading:
    """What was touched, and how that is now."""

    o: int
    logged: list[Change]
    logged_in_environment: list[Change]
    rows: dict[tuple[str, int | None], Rows] = field(default_factory=dict)
    resets: Rows | None = None

    def __post_init__(self) -> None:
        self.own = touched(self.logged)
        self.environment = touched(self.logged_in_environment)

    def fetch(self, snapshot: Snapshot, *, is_single: bool) -> None:
        """Read all that was touched, in one round trip."""
        questions: list[tuple[str, dict[str, Any]]] = []
        names: list[tuple[str, int | None]] = []

        def ask(query: str, owner: int | None = None, /, **lists: Iterable[Any]) -> None:
            (name, items), *_ = lists.items()
            items = sorted(items) if name != "assignments" and name != "holders" else list(items)
            if items:
                place = {"o": self.o} if owner is None else {"owner": owner}
                questions.append((query, {**place, name: json.dumps(items)}))
                names.append((query, owner))

        own = self.own
        ask("tail_memberships", subjects=own.subjects)
        ask("tail_places", subjects=own.subjects)
        ask("tail_groups", groups=own.groups)
        ask("tail_rosters", rosters=own.rosters)
        ask("tail_nestings", children=own.children)
        ask("tail_resources", resources=own.resources)
        ask("tail_assignments", assignments=map(_placed, own.assignments))
        ask("tail_held", holders=map(_named, own.all_of))
        for owner, found in ((ENVIRONMENT, self.environment), (self.o, own)):
            ask("tail_permissions", owner, permissions=found.permissions)
            ask("tail_roles", owner, roles=found.roles)
            ask("tail_role_permissions", owner, roles=found.roles)
        ask("tail_assigned", roles=own.dropped_roles | self.environment.dropped_roles)
        if is_single:
            questions.append(("index_resets", {"o": self.o}))
        answers = snapshot.fetch_many(questions, is_last=True) if questions else []
        if is_single:
            self.resets = answers.pop()
        self.rows = dict(zip(names, answers, strict=True))

    def apply(self, index: Index) -> None:
        """Make the index so. The order lets nothing be dropped that was moved, or kept that went."""
        self._apply_catalogs(index)
        self._apply_groups(index)
        self._apply_resources(index)
        self._apply_assignments(index)
        set_resets(index, self.resets or [])

    def _of(self, query: str, owner: int | None = None) -> Rows:
        return self.rows.get((query, owner), [])

    def _apply_catalogs(self, index: Index) -> None:
        both = (
            (ENVIRONMENT, index.facts.environment, self.environment),
            (self.o, index.facts.own, self.own),
        )
        for _, catalog, found in both:
            _drop_permissions(index, catalog, found.dropped_permissions)
            _drop_roles(index, catalog, found.dropped_roles)
        for owner, catalog, found in both:
            for number, slug, critical in self._of("tail_permissions", owner):
                catalog.put_permission(number, slug, critical=bool(critical))
            roles = self._of("tail_roles", owner)
            for number, role in roles_of(roles, self._of("tail_role_permissions", owner)):
                catalog.put_role(number, role)
            if found.permissions or found.roles:
                index.worked.forget_roles()

    def _apply_groups(self, index: Index) -> None:
        index.facts.unplace_groups(dict(self._of("tail_groups")))
        for slug, number in self._of("tail_groups"):
            if number is not None:
                index.facts.put_group(number, slug)
        memberships = self._of("tail_memberships")
        index.facts.unplace_memberships({subject: number for subject, number, _ in memberships})
        for subject, number, active in memberships:
            if number is not None:
                index.facts.put_membership(number, subject, active=bool(active))
        places: dict[int, dict[int, int | None]] = {}
        for m, group, until in self._of("tail_places"):
            places.setdefault(m, {})[group] = until
        for _, number, _ in self._of("tail_memberships"):
            if number is not None:
                index.facts.set_groups(number, places.get(number, {}))
        self._apply_rosters(index)
        self._apply_nestings(index)

    def _apply_rosters(self, index: Index) -> None:
        members: dict[int, dict[int, int | None]] = {}
        for group, m, until in self._of("tail_rosters"):
            members.setdefault(group, {})[m] = until
        for slug in self.own.rosters:
            group = index.facts.groups.get(slug)
            if group is None:
                continue
            now = members.get(group, {})
            for m in tuple(index.facts.members_of.get(group, set()) - now.keys()):
                index.facts.set_member(m, group, holds=False)
            for m, until in now.items():
                index.facts.set_member(m, group, holds=True, until=until)

    def _apply_nestings(self, index: Index) -> None:
        parents: dict[int, set[int]] = {}
        for child, parent in self._of("tail_nestings"):
            parents.setdefault(child, set()).add(parent)
        for slug in self.own.children:
            child = index.facts.groups.get(slug)
            if child is None:
                continue
            before = set(index.facts.parents_of.get(child, ()))
            for parent in before | parents.get(child, set()):
                index.facts.set_nesting(child, parent, holds=parent in parents.get(child, set()))

    def _apply_resources(self, index: Index) -> None:
        rows = self._of("tail_resources")
        for number, slug, parent in rows:  # moves first: what was moved out is not dropped
            if index.facts.resources.get(slug) == number:
                index.facts.put_resource(number, slug, parent)
        for slug in self.own.resources - {slug for _, slug, _ in rows}:
            index.facts.drop_resources(index.facts.resources.get(slug, -1))
        for number, slug, parent in rows:
            index.facts.put_resource(number, slug, parent)

    def _apply_assignments(self, index: Index) -> None:
        there: dict[Held, int | None] = {
            Held(*row[:3]): row[3]
            for query in ("tail_assignments", "tail_held", "tail_assigned")
            for row in self._of(query)
        }
        for name, place in self.own.assignments:
            holder, resource = _holder(index, name), index.facts.resources.get(place, -1)
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
    """A permission of all organizations may be in an organization's own roles."""
    numbers = frozenset(n for n in map(catalog.drop_permission, slugs) if n is not None)
    for other in (index.facts.environment, index.facts.own) if numbers else ():
        other.drop_from_roles(numbers)


def _drop_roles(index: Index, catalog: Catalog, slugs: set[str]) -> None:
    index.facts.drop_roles([n for n in map(catalog.number, slugs) if n is not None])
    for slug in slugs:
        catalog.drop_role(slug)


def _holder(index: Index, name: str) -> int:
    if name.startswith("group:"):
        return index.facts.groups.get(name.removeprefix("group:"), 0)
    return index.facts.memberships.get(name, 0)


def _named(holder: str) -> dict[str, str]:
    if holder.startswith("group:"):
        return {"group": holder.removeprefix("group:")}
    return {"subject": holder}


def _placed(assignment: tuple[str, str]) -> dict[str, str]:
    return {**_named(assignment[0]), "resource": assignment[1]}
