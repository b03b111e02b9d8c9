"""Objects as WorkOS's SDKs read them, made from rows. Answers and events both carry them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any, TypeAlias

from rescind import model
from rescind.directory.ids import Kind, PublicIds
from rescind.store.rows.directory import (
    AssignmentRow,
    GroupAssignmentRow,
    GroupRow,
    MembershipRow,
    OrganizationRow,
    PermissionRow,
    ResourceRow,
    RoleRow,
)

Object: TypeAlias = dict[str, Any]
"""A WorkOS object, ready for JSON."""


def time_text(value: int) -> str:
    """Microseconds as the SDKs read a time: UTC, milliseconds, `Z`."""
    return model.moment(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_id(subject: str) -> str:
    """A user's id without its kind; service accounts and agents keep theirs."""
    return subject.removeprefix("user:")


def resource_parts(slug: str, organization_id: str) -> tuple[str, str]:
    """Type and external id of a resource. The organization itself is a resource under its own id."""
    if slug == model.ROOT:
        return "organization", organization_id
    kind, _, external_id = slug.partition(":")
    return kind, external_id


def organization(ids: PublicIds, row: OrganizationRow) -> Object:
    """An organization. One that this API did not create has its slug as external id."""
    o = row.organization
    attributes = json.loads(row.attributes or "{}")
    public_id = row.public_id or ids.of(Kind.ORGANIZATION, o)
    times = _times(row.created_at, row.updated_at)
    return {
        "object": "organization",
        "id": public_id,
        "name": row.name,
        "allow_profiles_outside_organization": attributes.get("allows_outside", False),
        "domains": [
            {
                "object": "organization_domain",
                "id": ids.of(Kind.DOMAIN, o, zlib.crc32(domain["domain"].encode()) - 2**31),
                "organization_id": public_id,
                "domain": domain["domain"],
                "state": domain["state"],
                "verification_strategy": "manual",
                **times,
            }
            for domain in attributes.get("domains", ())
        ],
        "metadata": attributes.get("metadata", {}),
        "external_id": row.external_id or (row.slug if row.public_id is None else None),
        "stripe_customer_id": attributes.get("stripe_customer_id"),
        **times,
    }


def membership(ids: PublicIds, row: MembershipRow, roles: list[str] | None = None) -> Object:
    """A membership; with `roles`, its organization-wide roles too, the first of which is `role`."""
    o = row.organization
    shown: Object = {
        "object": "organization_membership",
        "id": row.public_id or ids.of(Kind.MEMBERSHIP, o, row.number),
        "user_id": user_id(row.subject),
        "organization_id": row.organization_public_id or ids.of(Kind.ORGANIZATION, o),
        "organization_name": row.organization_name,
        "status": "active" if row.is_active else "inactive",
        "directory_managed": False,
        "custom_attributes": {},
        **_times(row.created_at, row.updated_at),
        "user": _user(row),
    }
    if roles is not None:
        shown["role"] = {"slug": roles[0] if roles else ""}
        shown["roles"] = [{"slug": slug} for slug in roles]
    return shown


def _user(row: MembershipRow) -> Object:
    """What is known of a user: an id and perhaps a name. Users themselves are kept elsewhere."""
    known = user_id(row.subject)
    return {
        "object": "user",
        "id": known,
        "email": known if "@" in known else "",
        "email_verified": False,
        "first_name": None,
        "last_name": None,
        "name": row.name,
        "profile_picture_url": None,
        "external_id": None,
        "metadata": {},
        "last_sign_in_at": None,
        **_times(row.created_at, row.updated_at),
    }


def group(ids: PublicIds, row: GroupRow) -> Object:
    o = row.organization
    return {
        "object": "group",
        "id": row.public_id or ids.of(Kind.GROUP, o, row.number),
        "organization_id": row.organization_public_id or ids.of(Kind.ORGANIZATION, o),
        "name": row.name or row.slug,
        "description": json.loads(row.attributes or "{}").get("description"),
        **_times(row.created_at or row.organization_created_at, row.updated_at),
    }


def permission(ids: PublicIds, row: PermissionRow) -> Object:
    attributes = json.loads(row.attributes or "{}")
    return {
        "object": "permission",
        "id": ids.of(Kind.PERMISSION, row.organization, row.number),
        "slug": row.slug,
        "name": attributes.get("name", row.slug),
        "description": row.description or None,
        "system": False,
        "resource_type_slug": attributes.get("resource_type", "organization"),
        **_times(row.created_at or 0, row.updated_at),
    }


def role(ids: PublicIds, row: RoleRow, permissions: Sequence[str]) -> Object:
    attributes = json.loads(row.attributes or "{}")
    resource_type = row.resource_type or attributes.get("resource_type", "organization")
    return {
        "object": "role",
        "id": ids.of(Kind.ROLE, row.organization, row.number),
        "slug": row.slug,
        "name": row.name or row.slug,
        "description": attributes.get("description"),
        "type": "EnvironmentRole" if row.organization == 0 else "OrganizationRole",
        "resource_type_slug": resource_type,
        "permissions": permissions,
        **_times(row.created_at or 0, row.updated_at),
    }


def resource(ids: PublicIds, row: ResourceRow) -> Object:
    """A resource. The organization's own has no parent, and the organization's name."""
    o = row.organization
    attributes = json.loads(row.attributes or "{}")
    organization_id = row.organization_public_id or ids.of(Kind.ORGANIZATION, o)
    kind, external_id = resource_parts(row.slug, organization_id)
    parent_id = None
    if row.parent is not None:
        parent_id = row.parent_public_id or ids.of(Kind.RESOURCE, o, row.parent)
    return {
        "object": "authorization_resource",
        "id": row.public_id or ids.of(Kind.RESOURCE, o, row.number),
        "external_id": external_id,
        "name": row.organization_name if row.number == 0 else attributes.get("name", external_id),
        "description": attributes.get("description"),
        "resource_type_slug": kind,
        "organization_id": organization_id,
        "parent_resource_id": parent_id,
        **_times(row.created_at or row.organization_created_at, row.updated_at),
    }


def group_assignment(ids: PublicIds, row: GroupAssignmentRow, group_id: str) -> Object:
    return {
        "object": "group_role_assignment",
        "id": ids.of(Kind.GROUP_ROLE_ASSIGNMENT, row.organization, row.number),
        "group_id": group_id,
        **_role_on_resource(ids, row),
    }


def assignment(ids: PublicIds, row: AssignmentRow) -> Object:
    """An assignment that a membership holds: its own, or one of a group's."""
    o = row.organization
    source: Object = {"type": "direct", "group_role_assignment_id": None, "group": None}
    if row.group_number is not None:
        group_id = row.group_public_id or ids.of(Kind.GROUP, o, row.group_number)
        source = {
            "type": "group",
            "group_role_assignment_id": ids.of(Kind.GROUP_ROLE_ASSIGNMENT, o, row.number),
            "group": {"id": group_id, "name": row.group_name},
        }
    membership_id = row.membership_public_id or ids.of(Kind.MEMBERSHIP, o, row.membership)
    return {
        "object": "role_assignment",
        "id": ids.of(Kind.ROLE_ASSIGNMENT, o, row.number, row.membership),
        "organization_membership_id": membership_id,
        **_role_on_resource(ids, row),
        "source": source,
    }


def _role_on_resource(ids: PublicIds, row: GroupAssignmentRow | AssignmentRow) -> Object:
    o = row.organization
    organization_id = row.organization_public_id or ids.of(Kind.ORGANIZATION, o)
    kind, external_id = resource_parts(row.resource_slug, organization_id)
    return {
        "role": {"slug": row.role},
        "resource": {
            "id": row.resource_public_id or ids.of(Kind.RESOURCE, o, row.resource),
            "external_id": external_id,
            "resource_type_slug": kind,
        },
        **_times(row.created_at, None),
    }


def _times(created_at: int, updated_at: int | None) -> dict[str, str]:
    return {
        "created_at": time_text(created_at),
        "updated_at": time_text(max(created_at, updated_at or 0)),
    }
