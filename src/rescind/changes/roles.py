"""Changes of permissions and roles."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from rescind import model
from rescind.changes.base import AffectedFacts, ChangeType


class DefinePermission(ChangeType, frozen=True, tag="define_permission"):
    """Define a permission. Defining it again the same is a no-op."""

    permission: str
    critical: bool = False
    description: str = ""

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.permissions.add(model.permission_id(self.permission))


class EditPermission(ChangeType, frozen=True, tag="edit_permission"):
    """Change what is given of a permission."""

    permission: str
    critical: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.permissions.add(model.permission_id(self.permission))


class DeletePermission(ChangeType, frozen=True, tag="delete_permission"):
    """Delete a permission. Refused while roles contain it, unless `cascade`."""

    permission: str
    cascade: bool = False

    def note_affected(self, facts: AffectedFacts) -> None:
        permission = model.permission_id(self.permission)
        facts.permissions.add(permission)
        facts.dropped_permissions.add(permission)


class DefineRole(ChangeType, frozen=True, tag="define_role"):
    """Define a role with its permissions. Defining it again the same is a no-op.

    With a resource type it can be given on resources of that type only; `organization` is the organization.
    A required one keeps its last active holder in each organization, unless a change is forced.
    """

    role: str
    permissions: tuple[str, ...] = ()
    priority: int = 0
    critical: bool = False
    name: str | None = None
    resource_type: str | None = None
    required: bool | UnsetType = UNSET

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.roles.add(model.role_id(self.role))


class EditRole(ChangeType, frozen=True, tag="edit_role"):
    """Change what is given of a role: `set` its permissions, or `add` and `remove` some."""

    role: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    set: tuple[str, ...] | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    critical: bool | UnsetType = UNSET
    name: str | UnsetType = UNSET
    required: bool | UnsetType = UNSET

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.roles.add(model.role_id(self.role))


class DeleteRole(ChangeType, frozen=True, tag="delete_role"):
    """Delete a role. Refused while it is assigned or a default role, unless `cascade`."""

    role: str
    cascade: bool = False

    def note_affected(self, facts: AffectedFacts) -> None:
        role = model.role_id(self.role)
        facts.roles.add(role)
        facts.dropped_roles.add(role)
