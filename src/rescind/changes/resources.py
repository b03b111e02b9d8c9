"""Changes of resource types and resources."""

from __future__ import annotations

from rescind import model
from rescind.changes.base import AffectedFacts, ChangeType


class DefineResourceType(ChangeType, frozen=True, tag="define_resource_type"):
    """Define a resource type and the types it may stand below (`organization` is the root's; none
    named means anywhere).
    """

    type: str
    parents: tuple[str, ...] = ()

    def note_affected(self, facts: AffectedFacts) -> None:
        pass  # nothing of it is in an index


class DeleteResourceType(ChangeType, frozen=True, tag="delete_resource_type"):
    """Delete a resource type. Refused while resources of it exist."""

    type: str

    def note_affected(self, facts: AffectedFacts) -> None:
        pass  # nothing of it is in an index


class CreateResource(ChangeType, frozen=True, tag="create_resource"):
    """Create a resource below another, or below the organization."""

    resource: str
    parent: str | None = None

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.resources.add(model.resource_id(self.resource))


class MoveResource(ChangeType, frozen=True, tag="move_resource"):
    """Move a resource, and all below it, under another parent."""

    resource: str
    parent: str | None = None

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.resources.add(model.resource_id(self.resource))


class DeleteResource(ChangeType, frozen=True, tag="delete_resource"):
    """Delete a resource. Refused while it has resources below it or assignments, unless `cascade`."""

    resource: str
    cascade: bool = False

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.resources.add(model.resource_id(self.resource))
