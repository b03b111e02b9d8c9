"""Changes of assignments of roles."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from rescind import model
from rescind.changes.base import AffectedFacts, ChangeType


class Assign(ChangeType, frozen=True, tag="assign"):
    """Give a role to a subject or to `group:…`, on a resource or the organization, perhaps until a
    time. For an assignment that exists, that time is set anew.
    """

    role: str
    to: str
    on: str | None = None
    expires_at: datetime | None = None

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.assignments.add((model.holder_id(self.to), model.resource_id(self.on)))


class Unassign(ChangeType, frozen=True, tag="unassign"):
    """Take an assignment back."""

    role: str
    to: str
    on: str | None = None

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.assignments.add((model.holder_id(self.to), model.resource_id(self.on)))


class Given(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One assignment of a ReplaceAssignments."""

    role: str
    on: str | None = None
    expires_at: datetime | None = None


class ReplaceAssignments(ChangeType, frozen=True, tag="replace_assignments"):
    """Make the assignments of a subject or of `group:…` exactly these."""

    to: str
    assignments: tuple[Given, ...]

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.all_of.add(model.holder_id(self.to))
