"""An organization's facts in memory, built for the check. No I/O; what keeps it right is in `tail`.

A check takes three sets that are worked out once and kept: the holders that reach the subject, the roles
that contain the permission, and what is held on the resource and above it. Whoever changes facts, or works
out one of those, holds `lock`; a check that finds them holds nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

from rescind.decision.index.facts import ROOT, Facts
from rescind.decision.index.worked import Worked

ALLOWED, UNKNOWN_SUBJECT, DEACTIVATED, UNKNOWN_PERMISSION, UNKNOWN_RESOURCE, NO_ROLE = range(6)
"""Verdicts, in the order in which reasons to deny are looked for."""
CRITICAL: Final = -1
LONG_LINE: Final = 24
"""Of so many roles held on a resource and above it the check looks those up that contain the permission."""

Clock = Callable[[], int]
"""Microseconds since 1970, UTC."""


class Index:
    """One organization. Equal to one that was built anew from the same facts."""

    def __init__(self, o: int) -> None:
        self.o = o
        self.worked = Worked()
        self.facts = Facts(o, self.worked)
        self.lock = threading.Lock()
        self.reach, self.roles = self.worked.reach, self.worked.roles
        self.lines = self.worked.lines

    # --- the check --------------------------------------------------------------------------------

    def verdict(self, subject: str, permission: str, resource: str, clock: Clock) -> int | None:
        """The verdict where all three names are there and well formed; else None: ask `resolved`."""
        try:
            reach, roles = self.reach[subject], self.roles[permission]
            line = self.lines[resource]
        except KeyError:
            if self._work_out(subject, permission, resource) is not None:
                return None
            return self.verdict(subject, permission, resource, clock)
        except TypeError:
            return None
        if line is None:
            return self._on_long_line(reach, roles, subject, resource, clock)
        for role, holders in line:
            if role in roles and not holders.isdisjoint(reach):
                return ALLOWED
        if self.facts.late or self.facts.expiring_members or self.facts.rules.is_single:
            return self._decided(subject, roles, resource, clock)
        return NO_ROLE

    def resolved(self, subject: str, permission: str, resource: str, clock: Clock) -> int | None:
        """The verdict; None where the permission is critical, since that is for the facts to decide."""
        obstacle = self._work_out(subject, permission, resource)
        if obstacle is None:
            return self.verdict(subject, permission, resource, clock)
        return None if obstacle == CRITICAL else obstacle

    def _work_out(self, subject: str, permission: str, resource: str) -> int | None:
        """Work out what a verdict takes, or say what stands in the way."""
        with self.lock:
            found = self.facts.permission(permission)
            if found is not None and found[1]:
                return CRITICAL
            m = self.facts.memberships.get(subject)
            if m is None:
                return UNKNOWN_SUBJECT
            if m in self.facts.inactive:
                return DEACTIVATED
            if found is None:
                return UNKNOWN_PERMISSION
            if resource not in self.facts.resources:
                return UNKNOWN_RESOURCE
            if subject not in self.reach:
                self.reach[subject] = self.holders(m)
            if permission not in self.roles:
                self.roles[permission] = self.facts.roles_with(found[0])
            if resource not in self.lines:
                self._work_out_line(resource)
            return None

    def _on_long_line(
        self,
        reach: frozenset[int],
        roles: frozenset[int],
        subject: str,
        resource: str,
        clock: Clock,
    ) -> int | None:
        """The same where many roles are held: looked up by role."""
        held = self.worked.long_lines.get(resource)
        if held is None:
            return None
        fewer = roles if len(roles) < len(held) else held.keys() & roles
        for role in fewer:
            if any(not holders.isdisjoint(reach) for holders in held.get(role, ())):
                return ALLOWED
        if self.facts.late or self.facts.expiring_members or self.facts.rules.is_single:
            return self._decided(subject, roles, resource, clock)
        return NO_ROLE

    def _decided(self, subject: str, roles: frozenset[int], resource: str, clock: Clock) -> int:
        """What expires, and in a single-role organization which of the organization-wide roles counts."""
        with self.lock:
            m, r = self.facts.memberships.get(subject), self.facts.resources.get(resource)
            if m is None or r is None:
                return NO_ROLE
            return ALLOWED if self.gives(m, roles, r, clock()) else NO_ROLE

    def gives(self, m: int, roles: frozenset[int], resource: int, now: int) -> bool:
        """Whether one of the roles counts for a membership on a resource; the semantics of `access`."""
        reach = self.holders(m, now)
        is_single = self.facts.rules.is_single
        for place in self.facts.line(resource):
            if place == ROOT and is_single:
                continue
            if any(not reach.isdisjoint(self.facts.holders_at(place, role, now)) for role in roles):
                return True
        return is_single and self.winning_role(m, now) in roles

    # --- what it takes ----------------------------------------------------------------------------

    def holders(self, m: int, now: int | None = None, *, ever: bool = False) -> frozenset[int]:
        """The membership and the groups that reach it: for good, at a time, or whether expired or not."""
        found = {m}
        for group, until in self.facts.groups_of.get(m, {}).items():
            if until is None or ever or (now is not None and until > now):
                found |= self.above(group)
        return frozenset(found)

    def above(self, group: int) -> frozenset[int]:
        """A group and all that it is nested in."""
        known = self.worked.above.get(group)
        if known is None:
            found, fringe = {group}, [group]
            while fringe:
                more = self.facts.parents_of.get(fringe.pop(), set()) - found
                found |= more
                fringe += more
            known = self.worked.above[group] = frozenset(found)
        return known

    def below(self, group: int) -> set[int]:
        """A group and all that is nested in it."""
        found, fringe = {group}, [group]
        while fringe:
            more = self.facts.children_of.get(fringe.pop(), set()) - found
            found |= more
            fringe += more
        return found

    def members(self, groups: Iterable[int], now: int) -> set[int]:
        """The memberships that groups reach at a time."""
        found: set[int] = set()
        for group in {below for top in groups for below in self.below(top)}:
            there = self.facts.members_of.get(group, set())
            if self.facts.expiring_members:
                there = {
                    m
                    for m in there
                    if (until := self.facts.groups_of[m][group]) is None or until > now
                }
            found |= there
        return found

    def roster(self, groups: frozenset[int]) -> list[str]:
        """The active subjects that groups reach, sorted; where no membership of a group expires."""
        known = self.worked.rosters.get(groups)
        if known is not None:
            return known
        numbers = self.members(groups, 0) - self.facts.inactive
        return self.worked.keep_roster(groups, sorted([self.facts.subjects[m] for m in numbers]))

    def winning_role(self, m: int, now: int) -> int | None:
        """The organization-wide role that counts in a single-role organization, as in `access`."""
        held = self._wide(self.holders(m, now), now)
        candidates = held
        if not self.facts.rules.takes_next_highest:
            candidates = self._wide(self.holders(m, ever=True), None) - self.facts.resets.get(
                m, set()
            )
        if not candidates:
            return self.facts.rules.default_role
        roles = {role for _, role in candidates}
        winner = min(roles, key=lambda number: (-self.facts.role(number).priority, number))
        is_held = any(role == winner for _, role in candidates & held)
        return winner if is_held else self.facts.rules.default_role

    def _wide(self, reach: frozenset[int], now: int | None) -> set[tuple[int, int]]:
        """(holder, role) of the organization-wide assignments that those hold."""
        return {
            (holder, role)
            for role in self.facts.roles_on(ROOT)
            for holder in self.facts.holders_at(ROOT, role, now) & reach
        }

    def _work_out_line(self, resource: str) -> None:
        """What is held for good on a resource and above it; equal parts are one object, so that what is
        read often stays near the processor.
        """
        skipped = ROOT if self.facts.rules.is_single else None
        places = (
            place for place in self.facts.line(self.facts.resources[resource]) if place != skipped
        )
        line = tuple(pair for place in places for pair in self._held_at(place))
        if len(line) > LONG_LINE:
            by_role: dict[int, list[frozenset[int]]] = {}
            for role, holders in line:
                by_role.setdefault(role, []).append(holders)
            self.worked.long_lines[resource] = by_role
            self.lines[resource] = None
        else:
            self.lines[resource] = self.worked.share(line)

    def _held_at(self, place: int) -> tuple[tuple[int, frozenset[int]], ...]:
        known = self.worked.held.get(place)
        if known is None:
            grants = self.facts.grants.get(place, {})
            pairs = ((role, frozenset(holders)) for role, holders in grants.items())
            known = tuple(self.worked.share(pair) for pair in pairs)
            if grants:
                self.worked.held[place] = known
        return known
