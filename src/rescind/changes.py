"""Every way in which facts change, as a type. Pure values: what they mean is in `recording`.

A change is idempotent by content: doing what is already so alters nothing. On the wire (NDJSON, HTTP,
the change log) a change is a JSON object with its name under `change`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from rescind import model
from rescind.errors import InvalidChange


class _Change(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="change"):
    """Common settings of all changes."""


# --- the organization -----------------------------------------------------------------------------


class CreateOrganization(_Change, frozen=True, tag="create_organization"):
    """Create the organization that the batch is for. Creating it again with the same name is a no-op.

    Which spellings of an id mean the same is the settings' to say, where no `id_rule` is given.
    """

    name: str | None = None
    id_rule: model.IdRule | UnsetType = UNSET


class RenameOrganization(_Change, frozen=True, tag="rename_organization"):
    """Give the organization another display name; its id stays."""

    name: str


class DeleteOrganization(_Change, frozen=True, tag="delete_organization"):
    """Delete the organization; its change log stays. Refused while it is not empty, unless `cascade`."""

    cascade: bool = False


class SetRoleMode(_Change, frozen=True, tag="set_role_mode"):
    """Say whether all organization-wide roles of a membership count, or only the one with the highest
    priority, and what a membership falls to when it loses that one.
    """

    mode: model.RoleMode
    on_loss: model.OnLoss = model.OnLoss.DEFAULT


class SetDefaultRole(_Change, frozen=True, tag="set_default_role"):
    """Choose the role of memberships without an organization-wide one (single-role mode), or none."""

    role: str | None


class SetIdRule(_Change, frozen=True, tag="set_id_rule"):
    """Say which spellings of the id of a person or group mean the same one. A change of its own batch.

    Under `casefold` ids are kept in their canonical spelling; those of two that differ by less are refused.
    """

    rule: model.IdRule


# --- memberships ----------------------------------------------------------------------------------


class AddMembership(_Change, frozen=True, tag="add_membership"):
    """Give a subject (user, service account, agent) an active place in the organization."""

    subject: str
    name: str | None = None


class RenameMembership(_Change, frozen=True, tag="rename_membership"):
    """Give a membership another display name; its id stays."""

    subject: str
    name: str


class ChangeMembershipId(_Change, frozen=True, tag="change_membership_id"):
    """Give a membership another id of the same kind, with all that it has. The old one is nobody's then."""

    subject: str
    new_id: str


class DeactivateMembership(_Change, frozen=True, tag="deactivate_membership"):
    """Deny a membership everything, keeping what it has for a later reactivation."""

    subject: str


class ReactivateMembership(_Change, frozen=True, tag="reactivate_membership"):
    """Give a deactivated membership back what it has."""

    subject: str


class RemoveMembership(_Change, frozen=True, tag="remove_membership"):
    """Remove a membership with its places in groups and its assignments."""

    subject: str


# --- groups ---------------------------------------------------------------------------------------


class CreateGroup(_Change, frozen=True, tag="create_group"):
    """Create a group. Creating it again with the same name is a no-op."""

    group: str
    name: str | None = None


class RenameGroup(_Change, frozen=True, tag="rename_group"):
    """Give a group another display name; its id stays."""

    group: str
    name: str


class ChangeGroupId(_Change, frozen=True, tag="change_group_id"):
    """Give a group another id, with all that it has. The old one is no group's then."""

    group: str
    new_id: str


class DeleteGroup(_Change, frozen=True, tag="delete_group"):
    """Delete a group. Refused while it has members, nestings or assignments, unless `cascade`."""

    group: str
    cascade: bool = False


class AddMembers(_Change, frozen=True, tag="add_members"):
    """Put memberships into a group, perhaps until a time. For those in it, that time is set anew."""

    group: str
    members: tuple[str, ...]
    expires_at: datetime | None = None


class RemoveMembers(_Change, frozen=True, tag="remove_members"):
    """Take memberships out of a group, and with that what only the group gave them."""

    group: str
    members: tuple[str, ...]


class ReplaceMembers(_Change, frozen=True, tag="replace_members", omit_defaults=True):
    """Make the group's direct members exactly these; those who stay keep their expiry. With `create`, who
    has no membership gets one.
    """

    group: str
    members: tuple[str, ...]
    create: bool = False


class NestGroup(_Change, frozen=True, tag="nest_group"):
    """Let the members of a group count as members of another. A cycle is refused."""

    group: str
    into: str


class UnnestGroup(_Change, frozen=True, tag="unnest_group"):
    """Take a nesting back."""

    group: str
    out_of: str


# --- permissions and roles ------------------------------------------------------------------------


class DefinePermission(_Change, frozen=True, tag="define_permission"):
    """Define a permission. Defining it again the same is a no-op."""

    permission: str
    critical: bool = False
    description: str = ""


class EditPermission(_Change, frozen=True, tag="edit_permission"):
    """Change what is given of a permission."""

    permission: str
    critical: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET


class DeletePermission(_Change, frozen=True, tag="delete_permission"):
    """Delete a permission. Refused while roles contain it, unless `cascade`."""

    permission: str
    cascade: bool = False


class DefineRole(_Change, frozen=True, tag="define_role"):
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


class EditRole(_Change, frozen=True, tag="edit_role"):
    """Change what is given of a role: `set` its permissions, or `add` and `remove` some."""

    role: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    set: tuple[str, ...] | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    critical: bool | UnsetType = UNSET
    name: str | UnsetType = UNSET
    required: bool | UnsetType = UNSET


class DeleteRole(_Change, frozen=True, tag="delete_role"):
    """Delete a role. Refused while it is assigned or a default role, unless `cascade`."""

    role: str
    cascade: bool = False


# --- resources ------------------------------------------------------------------------------------


class DefineResourceType(_Change, frozen=True, tag="define_resource_type"):
    """Define a resource type and the types it may stand below (`organization` is the root's; none
    named means anywhere).
    """

    type: str
    parents: tuple[str, ...] = ()


class DeleteResourceType(_Change, frozen=True, tag="delete_resource_type"):
    """Delete a resource type. Refused while resources of it exist."""

    type: str


class CreateResource(_Change, frozen=True, tag="create_resource"):
    """Create a resource below another, or below the organization."""

    resource: str
    parent: str | None = None


class MoveResource(_Change, frozen=True, tag="move_resource"):
    """Move a resource, and all below it, under another parent."""

    resource: str
    parent: str | None = None


class DeleteResource(_Change, frozen=True, tag="delete_resource"):
    """Delete a resource. Refused while it has resources below it or assignments, unless `cascade`."""

    resource: str
    cascade: bool = False


# --- assignments ----------------------------------------------------------------------------------


class Assign(_Change, frozen=True, tag="assign"):
    """Give a role to a subject or to `group:…`, on a resource or the organization, perhaps until a
    time. For an assignment that exists, that time is set anew.
    """

    role: str
    to: str
    on: str | None = None
    expires_at: datetime | None = None


class Unassign(_Change, frozen=True, tag="unassign"):
    """Take an assignment back."""

    role: str
    to: str
    on: str | None = None


class Given(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One assignment of a ReplaceAssignments."""

    role: str
    on: str | None = None
    expires_at: datetime | None = None


class ReplaceAssignments(_Change, frozen=True, tag="replace_assignments"):
    """Make the assignments of a subject or of `group:…` exactly these."""

    to: str
    assignments: tuple[Given, ...]


Change: TypeAlias = (
    CreateOrganization
    | RenameOrganization
    | DeleteOrganization
    | SetRoleMode
    | SetDefaultRole
    | SetIdRule
    | AddMembership
    | RenameMembership
    | ChangeMembershipId
    | DeactivateMembership
    | ReactivateMembership
    | RemoveMembership
    | CreateGroup
    | RenameGroup
    | ChangeGroupId
    | DeleteGroup
    | AddMembers
    | RemoveMembers
    | ReplaceMembers
    | NestGroup
    | UnnestGroup
    | DefinePermission
    | EditPermission
    | DeletePermission
    | DefineRole
    | EditRole
    | DeleteRole
    | DefineResourceType
    | DeleteResourceType
    | CreateResource
    | MoveResource
    | DeleteResource
    | Assign
    | Unassign
    | ReplaceAssignments
)

ON_ENVIRONMENT = (
    DefinePermission,
    EditPermission,
    DeletePermission,
    DefineRole,
    EditRole,
    DeleteRole,
    DefineResourceType,
    DeleteResourceType,
)
"""What can be done in the environment, for all organizations."""


# --- from and to JSON -----------------------------------------------------------------------------

_list_decoder: msgspec.json.Decoder[list[Change]] = msgspec.json.Decoder(list[Change])
_encoder = msgspec.json.Encoder(order="deterministic")


def from_object(value: object) -> Change:
    """The change of a decoded JSON object. Raises InvalidChange naming the field that is wrong."""
    try:
        return msgspec.convert(value, Change)  # type: ignore[no-any-return]
    except (msgspec.MsgspecError, UnicodeError, TypeError, RecursionError) as error:
        raise InvalidChange(why=str(error)) from None


def list_from_json(text: bytes | str) -> list[Change]:
    """The changes of a JSON list, such as the change log keeps. Raises InvalidChange."""
    try:
        return _list_decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, TypeError, RecursionError) as error:
        raise InvalidChange(why=str(error)) from None


def checked(changes: Sequence[Change]) -> tuple[list[Change], str]:
    """The changes with every field of its type, and their JSON. Raises InvalidChange."""
    try:
        listed = list(changes)
    except TypeError:
        raise InvalidChange(got=type(changes).__name__, hint="pass a list of changes") from None
    try:
        body = _encoder.encode(listed)
        return _list_decoder.decode(body), body.decode()
    except UnicodeEncodeError:
        raise InvalidChange(why="some text in it is not UTF-8") from None
    except (msgspec.MsgspecError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise InvalidChange(why=str(error)) from None


def to_object(change: Change) -> dict[str, Any]:
    """The change as plain JSON values; what was left out stays out."""
    return msgspec.to_builtins(change)  # type: ignore[no-any-return]


def to_json(changes: Change | list[Change]) -> bytes:
    """One line of JSON; equal changes give equal bytes."""
    return _encoder.encode(changes)
