"""Replay: permissions, roles and resource types, of one organization or of the environment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from rescind import changes
from rescind.semantics.replay.step import LogDoesNotFit, Step
from rescind.semantics.state import (
    Contained,
    EnvironmentState,
    OrganizationState,
    Permission,
    Rank,
    ResourceType,
    Role,
    is_contained,
)
from rescind.semantics.state_links import ROLE


@dataclass(slots=True)
class Definer:
    """Who defines: an organization, or the environment."""

    owner: OrganizationState | EnvironmentState
    environment: EnvironmentState
    revision: int
    place: int = 0
    """Of the change under way in its batch."""

    @property
    def is_environment(self) -> bool:
        return self.owner is self.environment

    def contained(self, permission: str) -> Contained:
        """That permission as a role of the owner contains it from now on."""
        if permission in self.owner.permissions:
            return Contained(None, self.revision)
        if permission in self.environment.permissions:
            return Contained(self.environment.revision, self.revision)
        raise LogDoesNotFit(self.revision, f"there is no permission {permission}")

    def rank(self) -> Rank:
        if self.is_environment:
            return Rank(self.revision, 0, self.place)
        return Rank(self.environment.revision, self.revision, self.place)


def of_organization(step: Step) -> Definer:
    return Definer(step.state, step.environment, step.revision, step.place)


# --- permissions -----------------------------------------------------------------------------------


def define_permission(by: Definer, change: changes.DefinePermission) -> None:
    if change.permission not in by.owner.permissions:
        fact = Permission(change.critical, change.description, by.revision, by.revision)
        by.owner.permissions[change.permission] = fact


def edit_permission(by: Definer, change: changes.EditPermission) -> None:
    there = by.owner.permissions.get(change.permission)
    if there is None:
        raise LogDoesNotFit(by.revision, f"there is no permission {change.permission}")
    critical = change.critical if isinstance(change.critical, bool) else there.critical
    is_described = isinstance(change.description, str)
    description = str(change.description) if is_described else there.description
    if (critical, description) != (there.critical, there.description):
        fact = Permission(critical, description, there.since, by.revision)
        by.owner.permissions[change.permission] = fact


def delete_permission(by: Definer, change: changes.DeletePermission) -> None:
    """Roles of organizations that contain the environment's are not altered: it is no more what they mean."""
    permission = change.permission
    if by.owner.permissions.pop(permission, None) is None:
        return
    for name, role in by.owner.roles.items():
        contained = role.permissions.get(permission)
        if contained is not None and contained.environment is None:
            left = {p: c for p, c in role.permissions.items() if p != permission}
            by.owner.roles[name] = replace(role, permissions=left, changed=by.revision)


# --- roles -----------------------------------------------------------------------------------------


def define_role(by: Definer, change: changes.DefineRole) -> None:
    if change.role in by.owner.roles:
        return
    by.owner.roles[change.role] = Role(
        permissions={name: by.contained(name) for name in change.permissions},
        priority=change.priority,
        critical=change.critical,
        required=change.required is True,
        name=change.name,
        resource_type=change.resource_type,
        rank=by.rank(),
        since=by.revision,
        changed=by.revision,
    )


def edit_role(by: Definer, change: changes.EditRole) -> None:
    there = by.owner.roles.get(change.role)
    if there is None:
        if change.add or (isinstance(change.set, tuple) and change.set):
            raise LogDoesNotFit(by.revision, f"there is no role {change.role}")
        return
    kept = _kept(by, there, change)
    added = change.set if isinstance(change.set, tuple) else change.add
    permissions = kept | _contained(by, [name for name in added if name not in kept])
    name = change.name if isinstance(change.name, str) else there.name
    edited = replace(
        there,
        permissions=permissions,
        priority=change.priority if isinstance(change.priority, int) else there.priority,
        critical=change.critical if isinstance(change.critical, bool) else there.critical,
        required=change.required if isinstance(change.required, bool) else there.required,
        name=name if (name or "") != (there.name or "") else there.name,
    )
    if edited != there:
        by.owner.roles[change.role] = replace(edited, changed=by.revision)


def _kept(by: Definer, role: Role, change: changes.EditRole) -> dict[str, Contained]:
    """What stays in a role; what was deleted for all organizations was in it no more."""
    return {
        permission: contained
        for permission, contained in role.permissions.items()
        if is_contained(permission, contained, by.environment)
        and permission not in change.remove
        and (not isinstance(change.set, tuple) or permission in change.set)
    }


def _contained(by: Definer, permissions: Iterable[str]) -> dict[str, Contained]:
    return {permission: by.contained(permission) for permission in permissions}


def delete_role(by: Definer, change: changes.DeleteRole) -> None:
    """The role alone; an organization's assignments of it go before, with `forget_role`."""
    by.owner.roles.pop(change.role, None)


def delete_own_role(step: Step, change: changes.DeleteRole) -> None:
    """A role of the organization, with all that refers to it; without `cascade` that has expired."""
    if change.role in step.state.roles:
        if not change.cascade and _is_in_use(step, change.role):
            raise step.misfit(f"the role {change.role} is in use")
        end_role(step, change.role, cascade=change.cascade)
        step.links.drop_all("set_aside", ROLE, change.role)
        del step.state.roles[change.role]


def _is_in_use(step: Step, role: str) -> bool:
    keys = step.links.of("assignments", ROLE, role)
    is_given = not all(step.is_past(step.state.assignments[key].until) for key in keys)
    return is_given or step.settings.default_role == role


def end_role(step: Step, role: str, *, cascade: bool) -> None:
    """Take a role back from everybody in the organization, and stop it being the default; without `cascade`
    take only what has expired of it.
    """
    for key in step.links.of("assignments", ROLE, role):
        if cascade or step.is_past(step.state.assignments[key].until):
            step.links.drop("assignments", key)
    if cascade and step.settings.default_role == role:
        step.state.settings = replace(
            step.settings,
            default_role=None,
            default_role_since=step.revision,
            changed=step.revision,
        )


# --- resource types --------------------------------------------------------------------------------


def define_type(by: Definer, change: changes.DefineResourceType) -> None:
    if change.type not in by.owner.resource_types:
        parents = tuple(sorted(set(change.parents)))
        by.owner.resource_types[change.type] = ResourceType(parents, by.revision, by.revision)


def delete_type(by: Definer, change: changes.DeleteResourceType) -> None:
    by.owner.resource_types.pop(change.type, None)
