"""What is worked out of facts once and kept: for checks, and for lists of whole groups. Knows no facts."""

from __future__ import annotations

from typing import Any, Final

Line = tuple[tuple[int, frozenset[int]], ...]
"""(role, holders) of what is held for good on a resource and above it."""
MOST_ROSTERS: Final = 64
MOST_SHARED: Final = 100_000


class Worked:
    """Changing facts forgets what followed from them; it is worked out again when asked for."""

    def __init__(self) -> None:
        self.reach: dict[str, frozenset[int]] = {}
        self.roles: dict[str, frozenset[int]] = {}
        self.lines: dict[str, Line | None] = {}
        self.long_lines: dict[str, dict[int, list[frozenset[int]]]] = {}
        self.held: dict[int, Line] = {}
        self.above: dict[int, frozenset[int]] = {}
        self.rosters: dict[frozenset[int], list[str]] = {}
        self._shared: dict[Any, Any] = {}

    def share(self, part: Any) -> Any:
        """The one object that stands for all that are equal to it, so that what is read often stays near
        the processor.
        """
        return self._shared.setdefault(part, part)

    def keep_roster(self, groups: frozenset[int], names: list[str]) -> list[str]:
        """Keep the names that groups reach, with a few others' ones."""
        if len(self.rosters) >= MOST_ROSTERS:
            self.rosters.clear()
        self.rosters[groups] = names
        return names

    def forget_subject(self, subject: str) -> None:
        """A subject's groups, or whether it is active, have changed."""
        self.reach.pop(subject, None)
        self.rosters.clear()

    def forget_groups(self) -> None:
        """What is nested in what has changed."""
        self.above.clear()
        self.rosters.clear()
        self.reach.clear()

    def forget_roles(self) -> None:
        """What roles contain has changed."""
        self.roles.clear()

    def forget_lines(self) -> None:
        """Where resources are, or which roles count, has changed."""
        self.lines.clear()
        self.long_lines.clear()
        self.held.clear()
        self._shared.clear()

    def forget_place(self, place: int, name: str, *, has_others_below: bool) -> None:
        """What is held on a resource has changed, and so what is above those below it."""
        if has_others_below or len(self._shared) > MOST_SHARED:
            self.forget_lines()
        else:
            self.held.pop(place, None)
            self.lines.pop(name, None)
