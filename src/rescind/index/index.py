"""Checks on an organization's facts in memory. No I/O; `follow` keeps an index current.

A check needs two results, computed once and kept: the holders that reach the subject, and the line, which has
the holders of roles with the permission on the resource and above it. Changing facts and computing a result
takes `lock`. A check that finds both takes no lock. Both are computed with few calls: most checks of a large
organization ask for a permission and a resource that were not asked together before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Final

from rescind.index.derived import Derived, Groups, Line
from rescind.index.facts import ROOT, Facts
from rescind.index.lines import Lines
from rescind.index.relations import all_from
from rescind.model import (
    GroupNumber,
    HolderNumber,
    MembershipNumber,
    OrganizationNumber,
    Reason,
    ResourceNumber,
    RoleNumber,
)
from rescind.waiting import held

REASONS: Final = (
    Reason.ALLOWED,
    Reason.UNKNOWN_SUBJECT,
    Reason.DEACTIVATED,
    Reason.UNKNOWN_PERMISSION,
    Reason.UNKNOWN_RESOURCE,
    Reason.NO_ROLE,
)
"""A verdict is a position in this tuple."""
ALLOWED: Final = REASONS.index(Reason.ALLOWED)
NO_ROLE: Final = REASONS.index(Reason.NO_ROLE)
REACH_PER_MEMBERSHIP: Final = 64
LEAST_REACH: Final = 100_000
"""Holders kept in `reach`: at most LEAST_REACH, plus REACH_PER_MEMBERSHIP for each membership, plus one for
each place in a group.
"""

Clock = Callable[[], int]
"""Microseconds since 1970, UTC."""
Sets = tuple[frozenset[HolderNumber], Line | None]
"""The holders that reach a subject, and the line of a permission and a resource; None for a long line."""


class Index:
    """One organization. An index that followed the log equals one built from the same facts."""

    def __init__(self, organization: OrganizationNumber) -> None:
        self.organization, self.server = organization, ""
        self.derived = Derived()
        self.facts = Facts(self.derived)
        self.mutex = threading.Lock()
        self.reach, self.roles = self.derived.reach, self.derived.roles
        self.lines = self.derived.lines
        self._lines = Lines(self.facts, self.derived)
        self.expiring = self.facts.assignments.expiring
        self.expiring_places = self.facts.expiring_places

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """For a `with` block. Raises MustWait if it is taken and this thread must not wait."""
        return held(self.mutex)

    # --- the check --------------------------------------------------------------------------------

    def verdict(self, subject: str, permission: str, resource: str, clock: Clock) -> int | None:
        """The verdict if all three names are known and well formed; else None: ask `resolved`."""
        try:
            reach, line = self.reach[subject], self.lines[permission][resource]
        except KeyError:
            if self.facts.rules.folds_ids:
                spelled = self.facts.spelled(subject)
                if spelled != subject:
                    return self.verdict(spelled, permission, resource, clock)
            sets = self._work_out(subject, permission, resource)
            if sets is None:
                return None
            reach, line = sets
        except TypeError:
            return None
        if line is None:
            return self._on_long_line(reach, subject, permission, resource, clock)
        for holders in line:
            if not holders.isdisjoint(reach):
                return ALLOWED
        if self.expiring or self.expiring_places or self.facts.rules.is_single:
            return self._decided(subject, permission, resource, clock)
        return NO_ROLE

    def resolved(self, subject: str, permission: str, resource: str, clock: Clock) -> int | None:
        """The verdict, also for unknown names; None if the permission is critical: the store decides."""
        verdict = self.verdict(subject, permission, resource, clock)
        if verdict is not None:
            return verdict
        unmet = self._unmet(self.facts.spelled(subject), permission, resource)
        if unmet is not None:
            return unmet
        return self.verdict(subject, permission, resource, clock)

    def _unmet(self, subject: str, permission: str, resource: str) -> int | None:
        """The verdict for an unknown or deactivated name; None without one, or for a critical permission."""
        with self.lock:
            found = self.facts.permission(permission)
            if found is not None and found[1]:
                return None
            reason = self.facts.first_unmet(subject, found is not None, resource)
            return None if reason is None else REASONS.index(reason)

    def _work_out(self, subject: str, permission: str, resource: str) -> Sets | None:
        """Compute and keep the sets of a verdict; None if a name is unknown or the permission critical."""
        facts = self.facts
        with held(self.mutex):
            m, number = facts.memberships.get(subject), facts.resources.get(resource)
            if m is None or number is None or m in facts.inactive:
                return None
            roles = self.roles.get(permission)
            if roles is None:
                found = facts.permission(permission)
                if found is None or found[1]:
                    return None
                roles = self.roles_with(permission)
            reach = self.reach.get(subject)
            if reach is None:
                reach = self._work_out_reach(subject, m)
            lines = self.lines.get(permission)
            if lines is not None and resource in lines:
                return reach, lines[resource]
            return reach, self._lines.work_out(permission, roles, resource, number)

    def _on_long_line(
        self,
        reach: frozenset[HolderNumber],
        subject: str,
        permission: str,
        resource: str,
        clock: Clock,
    ) -> int | None:
        """The verdict on a line with many roles: resource by resource, each by its shorter side."""
        places, roles = self.derived.long_lines.get(resource), self.roles.get(permission)
        if places is None or roles is None:
            return None
        for place in places:
            if place.gives(self.facts.assignments, reach, roles):
                return ALLOWED
        if self.expiring or self.expiring_places or self.facts.rules.is_single:
            return self._decided(subject, permission, resource, clock)
        return NO_ROLE

    def _decided(self, subject: str, permission: str, resource: str, clock: Clock) -> int:
        """The verdict if something expires or a single role counts, from the facts, under the lock."""
        with self.lock:
            m, r = self.facts.memberships.get(subject), self.facts.resources.get(resource)
            if m is None or r is None:
                return NO_ROLE
            roles = self.roles_with(permission)
            return ALLOWED if self.gives(m, roles, r, clock()) else NO_ROLE

    def gives(
        self,
        membership: MembershipNumber,
        roles: frozenset[RoleNumber],
        resource: ResourceNumber,
        now: int,
    ) -> bool:
        """Whether one of the roles counts for a membership on a resource, by the semantics of `access`."""
        reach = self.holders(membership, now)
        is_single = self.facts.rules.is_single
        for place in self.facts.line(resource):
            if place == ROOT and is_single:
                continue
            if self.facts.assignments.gives(place, reach, roles, now):
                return True
        return is_single and self.winning_role(membership, now) in roles

    # --- what it takes ----------------------------------------------------------------------------

    def roles_with(self, permission: str) -> frozenset[RoleNumber]:
        """The roles that contain a permission; empty if it is not defined."""
        known = self.roles.get(permission)
        if known is None:
            found = self.facts.permission(permission)
            if found is None:
                return frozenset()
            known = self.facts.roles_with(found[0])
            if not found[1]:
                self.roles[permission] = known
        return known

    def holders(
        self, membership: MembershipNumber, now: int | None = None, *, ever: bool = False
    ) -> frozenset[HolderNumber]:
        """The membership and the groups that it is in.

        Places without expiry always count; with `now`, also those not expired then; with `ever`, all.
        """
        reach = self._reach_of(membership)
        places = self.facts.expiring_places.get(membership)
        if places:
            late = (g for g, until in places.items() if ever or (now is not None and until > now))
            reach = reach.union(*(self._above((group,)) for group in late))
        return reach if membership in reach else reach | {membership}

    def _reach_of(self, membership: MembershipNumber) -> frozenset[HolderNumber]:
        """The groups that a membership is in without expiry, and itself if it holds anything."""
        known = self.reach.get(self.facts.subjects.get(membership, ""))
        if known is not None:
            return known
        above = self._above(self.facts.groups_of.get(membership, ()))
        holds = membership in self.facts.assignments.held_by
        return above | {membership} if holds else above

    def _work_out_reach(
        self, subject: str, membership: MembershipNumber
    ) -> frozenset[HolderNumber]:
        """Compute and keep the holders that reach a subject."""
        groups = self.facts.groups_of.get(membership, ())
        above = self.derived.above.get(groups)
        if above is None:
            above = self._above(groups)
        if membership not in self.facts.assignments.held_by:
            self.reach[subject] = above
            return above
        reach = above | {membership}
        self.derived.keep_reach(subject, reach, self._most_reach())
        return reach

    def _above(self, groups: Groups) -> frozenset[HolderNumber]:
        """Groups, and all groups that they are nested in."""
        above = self.derived.above.get(groups)
        if above is None:
            known = self.derived.above_one
            parts = [known.get(group) or self._above_one(group) for group in groups]
            if len(parts) == 1:
                above = self.derived.above[groups] = parts[0]
            else:  # a frozen copy takes no more memory than it needs
                above = frozenset(set[HolderNumber]().union(*parts))
                self.derived.keep_above(groups, above, self._most_reach())
        return above

    def _above_one(self, group: GroupNumber) -> frozenset[HolderNumber]:
        reached: set[GroupNumber] = all_from((group,), self.facts.parents_of)
        above = frozenset[HolderNumber](reached)
        self.derived.keep_above_one(group, above, self._most_reach())
        return above

    def _most_reach(self) -> int:
        memberships = REACH_PER_MEMBERSHIP * len(self.facts.memberships)
        return LEAST_REACH + memberships + self.facts.places

    def below(self, groups: Iterable[GroupNumber]) -> set[GroupNumber]:
        """Groups, and all groups nested in them."""
        return all_from(groups, self.facts.children_of)

    def winning_role(self, membership: MembershipNumber, now: int) -> RoleNumber | None:
        """The organization-wide role that counts in a single-role organization, as in `access`."""
        aside = self.facts.resets.get(membership, set())
        held = self.facts.assignments.held_on(ROOT, self.holders(membership, now), now)
        candidates = {role for _, role in held} - aside
        if not candidates:
            return self.facts.rules.default_role
        return min(candidates, key=lambda number: (-self.facts.role(number).priority, number))
