"""What is worked out of facts once and kept, for checks. Knows no facts."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Final

from rescind.index.assignments import Assignments, both
from rescind.model import HolderNumber, ResourceNumber, RoleNumber

Line = tuple[tuple[RoleNumber, frozenset[HolderNumber]], ...]
"""(role, holders) of what is held for good on a resource and above it."""
NO_ROLES: Final[frozenset[RoleNumber]] = frozenset()
NO_HOLDERS: Final[frozenset[HolderNumber]] = frozenset()
NOWHERE: Final[dict[ResourceNumber, Set[RoleNumber]]] = {}
MOST_SHARED: Final = 100_000


class Place:
    """What is held for good on one resource of a line where many roles are held. Never altered."""

    __slots__ = ("by_role", "holders", "number")

    def __init__(self, number: ResourceNumber, pairs: Line) -> None:
        self.number = number
        self.by_role = dict(pairs)
        self.holders = frozenset[HolderNumber]().union(*self.by_role.values())

    def gives(
        self, assignments: Assignments, reach: frozenset[HolderNumber], roles: frozenset[RoleNumber]
    ) -> bool:
        """Whether one of those holders has one of the roles here for good.

        Walks what those holders have here, or who has the roles: whichever is shorter.
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
    """Changing facts forgets what followed from them; it is worked out again when asked for."""

    def __init__(self) -> None:
        self.reach: dict[str, frozenset[HolderNumber]] = {}
        self.roles: dict[str, frozenset[RoleNumber]] = {}
        self.lines: dict[str, Line | None] = {}
        self.long_lines: dict[str, tuple[Place, ...]] = {}
        self.held: dict[ResourceNumber, Line] = {}
        self.places: dict[ResourceNumber, Place] = {}
        self.reached = 0
        self.shared: dict[Any, Any] = {}

    def share(self, part: Any) -> Any:
        """The one object that stands for all that are equal to it, so that what is read often stays near
        the processor.
        """
        return self.shared.setdefault(part, part)

    def keep_reach(self, subject: str, holders: frozenset[HolderNumber], most: int) -> None:
        """Keep the holders that reach a subject; all that is kept has at most that many, or is this."""
        if self.reached + len(holders) > most:
            self.reach.clear()
            self.reached = 0
        self.reach[subject] = holders
        self.reached += len(holders)

    def forget_subject(self, subject: str) -> None:
        """A subject's groups, or whether it is active, have changed."""
        self.reached -= len(self.reach.pop(subject, ()))

    def forget_groups(self) -> None:
        """What is nested in what has changed."""
        self.reach.clear()
        self.reached = 0

    def forget_roles(self) -> None:
        """What roles contain has changed."""
        self.roles.clear()

    def forget_lines(self) -> None:
        """Where resources are, or which roles count, has changed."""
        self.lines.clear()
        self.long_lines.clear()
        self.held.clear()
        self.places.clear()
        self.shared.clear()

    def forget_place(self, place: ResourceNumber, name: str, *, has_others_below: bool) -> None:
        """What is held on a resource has changed, and so what is above those below it."""
        if has_others_below or len(self.shared) > MOST_SHARED:
            self.forget_lines()
        else:
            self.held.pop(place, None)
            self.places.pop(place, None)
            self.lines.pop(name, None)
            self.long_lines.pop(name, None)
