"""What a change names does not exist, or the change contradicts the facts."""

from __future__ import annotations

from rescind.errors.base import RescindError


class OrganizationNotFound(RescindError):
    """The organization does not exist."""

    code = "organization_not_found"
    hint = "Create it first, or correct the name."


class MembershipNotFound(RescindError):
    """The subject has no membership in the organization."""

    code = "membership_not_found"
    hint = "Add the membership first, or correct the subject."


class GroupNotFound(RescindError):
    """The group does not exist."""

    code = "group_not_found"
    hint = "Create it first, or correct the name."


class PermissionNotFound(RescindError):
    """The permission is not defined."""

    code = "permission_not_found"
    hint = "Define it first, or correct the name."


class RoleNotFound(RescindError):
    """The role is not defined."""

    code = "role_not_found"
    hint = "Define it first, or correct the name."


class ResourceTypeNotFound(RescindError):
    """The resource type is not defined."""

    code = "resource_type_not_found"
    hint = "Define it first, or correct the name."


class ResourceNotFound(RescindError):
    """The resource does not exist."""

    code = "resource_not_found"
    hint = "Create it first, or correct the name."


class OrganizationExists(RescindError):
    """An organization of this name exists already, and differs."""

    code = "organization_exists"
    hint = "Rename it instead."


class GroupExists(RescindError):
    """A group of this name exists already, and differs."""

    code = "group_exists"
    hint = "Rename it instead."


class MembershipExists(RescindError):
    """The subject has a membership already, and it differs."""

    code = "membership_exists"
    hint = "Remove it first, or leave out the display name."


class PermissionExists(RescindError):
    """A permission of this name is defined already, and differs."""

    code = "permission_exists"
    hint = "Edit it instead, or delete it where it is defined."


class RoleExists(RescindError):
    """A role of this name is defined already, and differs."""

    code = "role_exists"
    hint = "Edit it instead, or delete it where it is defined."


class ResourceTypeExists(RescindError):
    """A resource type of this name is defined already, and differs."""

    code = "resource_type_exists"
    hint = "Delete it first where it is defined, or leave it as it is."


class ResourceExists(RescindError):
    """The resource exists already, under another parent."""

    code = "resource_exists"
    hint = "Move it instead."


class OrganizationInUse(RescindError):
    """The organization is not empty."""

    code = "organization_in_use"
    hint = "Ask with {cascade} to delete all of it."


class GroupInUse(RescindError):
    """The group is still in use."""

    code = "group_in_use"
    hint = "Ask with {cascade} to delete those as well."


class PermissionInUse(RescindError):
    """Roles still contain the permission."""

    code = "permission_in_use"
    hint = "Ask with {cascade} to take it out of them."


class RoleInUse(RescindError):
    """The role is still assigned, or is a default role."""

    code = "role_in_use"
    hint = "Ask with {cascade} to delete those assignments as well."


class LastHolder(RescindError):
    """The change would leave a required role without an active holder."""

    code = "last_holder"
    hint = "Give the role to somebody else first, or say {force}."


class ResourceTypeInUse(RescindError):
    """Resources of the type still exist."""

    code = "resource_type_in_use"
    hint = "Delete them first."


class ResourceInUse(RescindError):
    """The resource still has resources below it, or assignments on it."""

    code = "resource_in_use"
    hint = "Ask with {cascade} to delete those as well."


class NestingCycle(RescindError):
    """The nesting would make a group contain itself."""

    code = "nesting_cycle"
    hint = "Take one of the nestings on the way out first."


class ResourceCycle(RescindError):
    """The move would put a resource below itself."""

    code = "resource_cycle"
    hint = "Choose a parent outside the subtree."


class ParentTypeRefused(RescindError):
    """A resource of this type may not stand below that parent."""

    code = "parent_type_refused"
    hint = "Choose a parent of an allowed type."


class RoleNotForResource(RescindError):
    """The role can be given on resources of its own type only."""

    code = "role_not_for_resource"
    hint = "Give it on such a resource, or give another role."


class IdsLookAlike(RescindError):
    """Ids of different people or groups would be one id under the rule."""

    code = "ids_look_alike"
    hint = "Remove one of each, or change its id; `rescind doctor` lists them all."


class ReviewNotFound(RescindError):
    """The organization has no access review of this name."""

    code = "review_not_found"
    hint = "`rescind review list` has those that were started."


class ReviewExists(RescindError):
    """An access review of this name was started already."""

    code = "review_exists"
    hint = "Choose another name; a review stays what it was when it was started."


class KeyReused(RescindError):
    """The idempotency key was used for another change."""

    code = "idempotency_key_reused"
    hint = "Use a new key for a new change."
