"""What all changes have in common, and which facts a change affects."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct


@dataclass
class AffectedFacts:
    """Which facts changes may have altered: names of what to read again, never what to do.

    What is named is read anew, so it does not matter what a change did, in which order, or whether it altered
    anything. `dropped_*` were deleted at some time, perhaps to be made again. `rosters` are groups all of
    whose members are meant, `children` groups all of whose nestings are, `all_of` holders all of whose
    assignments are; `assignments` are (holder, resource). If it `is_all`, any id may be another now.
    """

    subjects: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    rosters: set[str] = field(default_factory=set)
    children: set[str] = field(default_factory=set)
    permissions: set[str] = field(default_factory=set)
    dropped_permissions: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    dropped_roles: set[str] = field(default_factory=set)
    resources: set[str] = field(default_factory=set)
    assignments: set[tuple[str, str]] = field(default_factory=set)
    all_of: set[str] = field(default_factory=set)
    is_all: bool = False


class ChangeType(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="change"):
    """Common settings of all changes."""

    @property
    def weight(self) -> int:
        """How many changes it counts for, where changes are limited in number."""
        return 1

    def note_affected(self, facts: AffectedFacts) -> None:
        """Add what this change may have altered. Every type of change says so itself."""
        raise NotImplementedError(type(self).__name__)
