"""Lines: who has a permission on a resource by roles held there and above it, as a check tests it. No I/O.

A line is computed under the index's lock, when a permission and a resource are first asked together.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from rescind.index.assignments import Grants, both
from rescind.index.derived import Derived, Line, Place
from rescind.index.facts import ROOT, Facts
from rescind.model import HolderNumber, ResourceNumber, RoleNumber

LONG_LINE: Final = 24
"""Sets of holders up to which a line is kept. With more, a check walks the resources one by one."""
ONE_BY_ONE: Final = 4
"""Roles with the permission on one resource up to which each one's holders are a set of the line."""
MOST_UNITED: Final = 8_192
"""Holders of more roles on one resource up to which they are united to one set."""
UNITED_PER_ASSIGNMENT: Final = 16
LEAST_UNITED: Final = 100_000
"""Holders kept in united sets: at most LEAST_UNITED, plus UNITED_PER_ASSIGNMENT for each assignment."""
LINES_PER_FACT: Final = 2
LEAST_LINES: Final = 100_000
"""Lines kept: at most LEAST_LINES, plus LINES_PER_FACT for each membership and each resource."""


class Lines:
    """Computes lines and keeps them among the derived results. Everything here is called under the lock."""

    def __init__(self, facts: Facts, derived: Derived) -> None:
        self._facts, self._derived = facts, derived

    def work_out(
        self,
        permission: str,
        roles: frozenset[RoleNumber],
        resource: str,
        number: ResourceNumber,
    ) -> Line | None:
        """Compute and keep the holders of a permission's roles on a resource and above it, without expiry."""
        facts, derived = self._facts, self._derived
        skipped = ROOT if facts.rules.is_single else None
        line = self._line(number, roles, skipped)
        if line is not None and len(line) == 1:
            # frequent reads of one object stay in the processor's cache
            line = derived.shared.setdefault(line, line)
        most = LINES_PER_FACT * (len(facts.resources) + len(facts.memberships)) + LEAST_LINES
        derived.keep_line(permission, resource, line, most)
        if line is None:
            self._work_out_places(resource, number, skipped)
        return line

    def _line(
        self,
        number: ResourceNumber,
        roles: frozenset[RoleNumber],
        skipped: ResourceNumber | None,
    ) -> Line | None:
        """The sets of a line; None for a long one."""
        grants, parents = self._facts.assignments.grants, self._facts.resource_parent
        found = list[frozenset[HolderNumber]]()
        step: ResourceNumber | None = number
        while step is not None:
            by_role = grants.get(step)
            if by_role is None or step == skipped:
                pass
            elif len(by_role) <= ONE_BY_ONE:
                for role, holders in by_role.items():
                    if role in roles:
                        found.append(self._frozen(step, role, holders))
            else:
                united = self._united(step, by_role, roles)
                if united is None:
                    return None
                found += united
            step = parents[step]
        return None if len(found) > LONG_LINE else tuple(found)

    def _united(
        self, place: ResourceNumber, by_role: Grants, roles: frozenset[RoleNumber]
    ) -> Line | None:
        """The holders of these roles on a resource with many roles, in few sets; None if too many."""
        known = self._derived.united.get(place)
        kept = None if known is None else known.get(roles)
        if kept is not None:
            return kept.line
        wanted = [*both(by_role.keys(), roles)]
        weight = 0
        if len(wanted) <= ONE_BY_ONE:
            line = tuple([self._frozen(place, role, by_role[role]) for role in wanted])
        elif sum([len(by_role[role]) for role in wanted]) <= MOST_UNITED:
            line = (frozenset(set[HolderNumber]().union(*[by_role[role] for role in wanted])),)
            weight = len(line[0])
        else:
            return None
        most = UNITED_PER_ASSIGNMENT * self._facts.assignments.count + LEAST_UNITED
        is_kept = self._derived.keep_united(place, roles, line, weight, most)
        return line if is_kept or not weight else None

    def _work_out_places(
        self, resource: str, number: ResourceNumber, skipped: ResourceNumber | None
    ) -> None:
        """Compute and keep what a check of a long line walks."""
        grants = self._facts.assignments.grants
        places = [self._place(n) for n in self._facts.line(number) if n != skipped and n in grants]
        long_line = tuple(places)
        self._derived.long_lines[resource] = self._derived.shared.setdefault(long_line, long_line)

    def _place(self, number: ResourceNumber) -> Place:
        known = self._derived.places.get(number)
        if known is None:
            by_role = self._facts.assignments.grants[number].items()
            frozen = {role: self._frozen(number, role, holders) for role, holders in by_role}
            known = self._derived.places[number] = Place(number, frozen)
        return known

    def _frozen(
        self, number: ResourceNumber, role: RoleNumber, holders: Set[HolderNumber]
    ) -> frozenset[HolderNumber]:
        """The holders of a role on a resource, as a set that never changes."""
        if isinstance(holders, frozenset):
            return holders
        copies = self._derived.frozen.setdefault(number, {})
        copy = copies.get(role)
        if copy is None:
            copy = copies[role] = frozenset(holders)
        return copy
