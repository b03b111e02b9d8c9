"""Changes of memberships."""

from __future__ import annotations

from rescind import model
from rescind.changes.base import AffectedFacts, ChangeType


class AddMembership(ChangeType, frozen=True, tag="add_membership"):
    """Give a subject (user, service account, agent) an active place in the organization."""

    subject: str
    name: str | None = None

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.subjects.add(model.subject_id(self.subject))


class RenameMembership(ChangeType, frozen=True, tag="rename_membership"):
    """Give a membership another display name; its id stays."""

    subject: str
    name: str

    def note_affected(self, facts: AffectedFacts) -> None:
        pass  # nothing of it is in an index


class ChangeMembershipId(ChangeType, frozen=True, tag="change_membership_id"):
    """Give a membership another id of the same kind, with all that it has. The old one is nobody's then."""

    subject: str
    new_id: str

    def note_affected(self, facts: AffectedFacts) -> None:
        old, new = model.subject_id(self.subject), model.subject_id(self.new_id)
        facts.subjects |= {old, new}
        facts.all_of.add(new)  # what was noted of the old id is read again of the new one


class DeactivateMembership(ChangeType, frozen=True, tag="deactivate_membership"):
    """Deny a membership everything, keeping what it has for a later reactivation."""

    subject: str

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.subjects.add(model.subject_id(self.subject))


class ReactivateMembership(ChangeType, frozen=True, tag="reactivate_membership"):
    """Give a deactivated membership back what it has."""

    subject: str

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.subjects.add(model.subject_id(self.subject))


class RemoveMembership(ChangeType, frozen=True, tag="remove_membership"):
    """Remove a membership with its places in groups and its assignments."""

    subject: str

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.subjects.add(model.subject_id(self.subject))
