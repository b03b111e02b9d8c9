"""Changes of groups, their members and nestings."""

from __future__ import annotations

from datetime import datetime

from rescind import model
from rescind.changes.base import AffectedFacts, ChangeType


class CreateGroup(ChangeType, frozen=True, tag="create_group"):
    """Create a group. Creating it again with the same name is a no-op."""

    group: str
    name: str | None = None

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.groups.add(model.group_id(self.group))


class RenameGroup(ChangeType, frozen=True, tag="rename_group"):
    """Give a group another display name; its id stays."""

    group: str
    name: str

    def note_affected(self, facts: AffectedFacts) -> None:
        pass  # nothing of it is in an index


class ChangeGroupId(ChangeType, frozen=True, tag="change_group_id"):
    """Give a group another id, with all that it has. The old one is no group's then."""

    group: str
    new_id: str

    def note_affected(self, facts: AffectedFacts) -> None:
        old, new = model.group_id(self.group), model.group_id(self.new_id)
        facts.groups |= {old, new}
        facts.children.add(new)
        facts.all_of.add(f"group:{new}")
        if old in facts.rosters:
            facts.rosters.add(new)


class DeleteGroup(ChangeType, frozen=True, tag="delete_group"):
    """Delete a group. Refused while it has members, nestings or assignments, unless `cascade`."""

    group: str
    cascade: bool = False

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.groups.add(model.group_id(self.group))


class AddMembers(ChangeType, frozen=True, tag="add_members"):
    """Put memberships into a group, perhaps until a time. For those in it, that time is set anew."""

    group: str
    members: tuple[str, ...]
    expires_at: datetime | None = None

    @property
    def weight(self) -> int:
        """Each member counts."""
        return max(1, len(self.members))

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.subjects |= {model.subject_id(member) for member in self.members}


class RemoveMembers(ChangeType, frozen=True, tag="remove_members"):
    """Take memberships out of a group, and with that what only the group gave them."""

    group: str
    members: tuple[str, ...]

    @property
    def weight(self) -> int:
        """Each member counts."""
        return max(1, len(self.members))

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.subjects |= {model.subject_id(member) for member in self.members}


class ReplaceMembers(ChangeType, frozen=True, tag="replace_members", omit_defaults=True):
    """Make the group's direct members exactly these; those who stay keep their expiry. With `create`, who
    has no membership gets one.
    """

    group: str
    members: tuple[str, ...]
    create: bool = False

    @property
    def weight(self) -> int:
        """Each member counts."""
        return max(1, len(self.members))

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.rosters.add(model.group_id(self.group))
        if self.create:
            facts.subjects |= {model.subject_id(member) for member in self.members}


class NestGroup(ChangeType, frozen=True, tag="nest_group"):
    """Let the members of a group count as members of another. A cycle is refused."""

    group: str
    into: str

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.children.add(model.group_id(self.group))


class UnnestGroup(ChangeType, frozen=True, tag="unnest_group"):
    """Take a nesting back."""

    group: str
    out_of: str

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.children.add(model.group_id(self.group))
