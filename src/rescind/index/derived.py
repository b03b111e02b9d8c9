"""Results computed from facts and kept for checks. Does not know the facts."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Final, NamedTuple

from rescind.index.assignments import Assignments, both
from rescind.model import GroupNumber, HolderNumber, MembershipNumber, ResourceNumber, RoleNumber

Groups = tuple[GroupNumber, ...]
Line = tuple[frozenset[HolderNumber], ...]
"""The holders of each role with a permission, without expiry, on a resource and above it."""
ByRole = dict[RoleNumber, frozenset[HolderNumber]]
NO_ROLES: Final[frozenset[RoleNumber]] = frozenset()
NO_HOLDERS: Final[frozenset[HolderNumber]] = frozenset()
NOWHERE: Final[dict[ResourceNumber, Set[RoleNumber]]] = {}
NOT_KEPT: Final = object()
"""In the place of a line: an empty one is `()`."""
MOST_SHARED: Final = 100_000
REACH_WEIGHT: Final = 6
"""What a set of holders takes beside its holders, in holders."""


class United(NamedTuple):
    """The holders of some roles on one resource, and how many of them are copies."""

    line: Line
    weight: int


class Place:
    """Assignments without expiry on one resource, where a line has many roles. Immutable."""

    __slots__ = ("by_role", "holders", "number")

    def __init__(self, number: ResourceNumber, by_role: ByRole) -> None:
        self.number, self.by_role = number, by_role
        self.holders = frozenset[HolderNumber]().union(*self.by_role.values())

    def gives(
        self, assignments: Assignments, reach: frozenset[HolderNumber], roles: frozenset[RoleNumber]
    ) -> bool:
        """Whether one of these holders has one of the roles here without expiry.

        Walks the roles of these holders, or the holders of the roles: whichever are fewer.
        """
        here = self.holders & reach
        if len(here) > min(len(roles), len(self.by_role)):
            wanted = [self.by_role[role] for role in both(self.by_role.keys(), roles)]
            if sum(map(len, wanted)) <= len(here):
                return any(not here.isdisjoint(holders) for holders in wanted)
        held_by, number = assignments.held_by, self.number
        for holder in here:
            held = held_by.get(holder, NOWHERE).get(number, NO_ROLES)
            few, many = (held, roles) if len(held) <= len(roles) else (roles, held)
            for role in few:
                if role in many and holder in self.by_role.get(role, NO_HOLDERS):
                    return True
        return False


class Derived:
    """Results that are computed when first needed. A change of facts forgets the results that it affects."""

    def __init__(self) -> None:
        self.reach: dict[str, frozenset[HolderNumber]] = {}
        """The holders that reach each subject: itself if it holds anything, and its groups."""
        self.above_one: dict[GroupNumber, frozenset[HolderNumber]] = {}
        """A group, and all groups that it is nested in."""
        self.above: dict[Groups, frozenset[HolderNumber]] = {}
        """Groups, and all groups that they are nested in. Of a single one, the set of `above_one`."""
        self.roles: dict[str, frozenset[RoleNumber]] = {}
        self.lines: dict[str, dict[str, Line | None]] = {}
        """The line of each permission and resource; None for a long one."""
        self.lined = 0
        """How many lines are kept."""
        self.long_lines: dict[str, tuple[Place, ...]] = {}
        self.frozen: dict[ResourceNumber, dict[RoleNumber, frozenset[HolderNumber]]] = {}
        """Copies of large sets of holders, by resource and role."""
        self.places: dict[ResourceNumber, Place] = {}
        self.united: dict[ResourceNumber, dict[frozenset[RoleNumber], United]] = {}
        """The holders of roles on a resource with many roles, by resource and by roles."""
        self.united_holders = 0
        """The weight of `united`, in holders."""
        self.reached = 0
        """The weight of the sets in `reach`, `above_one` and `above`, each counted once, in holders."""
        self.shared: dict[Any, Any] = {}

    def keep_above_one(self, group: GroupNumber, above: frozenset[HolderNumber], most: int) -> None:
        """Keep a group with all above it. If the total would exceed `most`, forget all others."""
        self._make_room(above, most)
        self.above_one[group] = above

    def keep_above(self, groups: Groups, above: frozenset[HolderNumber], most: int) -> None:
        """Keep several groups with all above them. Bounded alike."""
        self._make_room(above, most)
        self.above[groups] = above

    def keep_reach(self, subject: str, holders: frozenset[HolderNumber], most: int) -> None:
        """Keep the holders that reach a subject which is one of them. Bounded alike."""
        self._make_room(holders, most)
        self.reach[subject] = holders

    def _make_room(self, holders: frozenset[HolderNumber], most: int) -> None:
        weight = len(holders) + REACH_WEIGHT
        if self.reached + weight > most:
            self.forget_groups()
        self.reached += weight

    def forget_subject(self, subject: str, membership: MembershipNumber) -> None:
        """Call this when a subject's groups, whether it is active, or what it holds itself, changed."""
        holders = self.reach.pop(subject, NO_HOLDERS)
        if membership in holders:
            self.reached -= len(holders) + REACH_WEIGHT

    def forget_groups(self) -> None:
        """Call this when nestings of groups changed."""
        self.reach.clear()
        self.above_one.clear()
        self.above.clear()
        self.reached = 0

    def keep_line(self, permission: str, resource: str, line: Line | None, most: int) -> None:
        """Keep a line. If there would be more than `most`, forget all others."""
        if self.lined >= most:
            self._forget_permissions()
        lines = self.lines.get(permission)
        if lines is None:
            lines = self.lines[permission] = {}
        lines[resource] = line
        self.lined += 1

    def keep_united(
        self,
        place: ResourceNumber,
        roles: frozenset[RoleNumber],
        line: Line,
        weight: int,
        most: int,
    ) -> bool:
        """Keep the holders of roles on a resource, unless the total would exceed `most`."""
        weight += REACH_WEIGHT
        if self.united_holders + weight > most:
            return False
        self.united.setdefault(place, {})[roles] = United(line, weight)
        self.united_holders += weight
        return True

    def forget_roles(self) -> None:
        """Call this when the permissions of roles changed."""
        self.roles.clear()
        self._forget_permissions()

    def _forget_permissions(self) -> None:
        self.lines.clear()
        self.lined = 0
        self.long_lines.clear()
        self.united.clear()
        self.united_holders = 0
        self.shared.clear()

    def forget_lines(self) -> None:
        """Call this when parents of resources, or the role mode, changed."""
        self._forget_permissions()
        self.frozen.clear()
        self.places.clear()

    def forget_place(self, place: ResourceNumber, name: str, *, has_others_below: bool) -> None:
        """Call this when assignments on a resource changed; they also count for the resources below it."""
        if has_others_below or len(self.shared) > MOST_SHARED:
            self.forget_lines()
        else:
            self.frozen.pop(place, None)
            self.places.pop(place, None)
            united = self.united.pop(place, {})
            self.united_holders -= sum(kept.weight for kept in united.values())
            self.long_lines.pop(name, None)
            for lines in self.lines.values():
                self.lined -= lines.pop(name, NOT_KEPT) is not NOT_KEPT
