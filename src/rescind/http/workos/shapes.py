"""Objects as WorkOS's SDKs read them, from the rows of `directory.sql`."""

from __future__ import annotations

import json
import zlib
from typing import Any

from rescind import model
from rescind.http.workos.ids import Ids, Kind

Row = tuple[Any, ...]


def time_of(value: int) -> str:
    """A stored time as the SDKs read it: UTC, milliseconds, `Z`."""
    return model.moment(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_id(subject: str) -> str:
    """A user's id without its kind; of service accounts and agents, with it."""
    return subject.removeprefix("user:")


def resource_parts(slug: str, organization_id: str) -> tuple[str, str]:
    """Type and external id of a resource; the organization is one itself, under its own id."""
    if slug == model.ROOT:
        return "organization", organization_id
    kind, _, external_id = slug.partition(":")
    return kind, external_id


def organization(ids: Ids, row: Row) -> dict[str, Any]:
    """One that was not made by this API has its name in the core as external id."""
    o, slug, name, created_at, public_id, external_id, attributes, updated_at = row
    kept = json.loads(attributes or "{}")
    found = public_id or ids.of(Kind.ORGANIZATION, o)
    times = _times(created_at, updated_at)
    return {
        "object": "organization",
        "id": found,
        "name": name,
        "allow_profiles_outside_organization": kept.get("allows_outside", False),
        "domains": [
            {
                "object": "organization_domain",
                "id": ids.of(Kind.DOMAIN, o, zlib.crc32(each["domain"].encode()) - 2**31),
                "organization_id": found,
                "domain": each["domain"],
                "state": each["state"],
                "verification_strategy": "manual",
                **times,
            }
            for each in kept.get("domains", ())
        ],
        "metadata": kept.get("metadata", {}),
        "external_id": external_id or (slug if public_id is None else None),
        "stripe_customer_id": kept.get("stripe_customer_id"),
        **times,
    }


def membership(ids: Ids, row: Row, roles: list[str] | None = None) -> dict[str, Any]:
    """With `roles`, its organization-wide ones, the first of which is `role`."""
    o, m, subject, name, active, created_at, public_id, updated_at, o_public_id, o_name, *_ = row
    shown: dict[str, Any] = {
        "object": "organization_membership",
        "id": public_id or ids.of(Kind.MEMBERSHIP, o, m),
        "user_id": user_id(subject),
        "organization_id": o_public_id or ids.of(Kind.ORGANIZATION, o),
        "organization_name": o_name,
        "status": "active" if active else "inactive",
        "directory_managed": False,
        "custom_attributes": {},
        **_times(created_at, updated_at),
        "user": _user(subject, name, created_at, updated_at),
    }
    if roles is not None:
        shown["role"] = {"slug": roles[0] if roles else ""}
        shown["roles"] = [{"slug": slug} for slug in roles]
    return shown


def _user(
    subject: str, name: str | None, created_at: int, updated_at: int | None
) -> dict[str, Any]:
    """What is known of a user here: an id and perhaps a name. Who users are is kept elsewhere."""
    known = user_id(subject)
    return {
        "object": "user",
        "id": known,
        "email": known if "@" in known else "",
        "email_verified": False,
        "first_name": None,
        "last_name": None,
        "name": name,
        "profile_picture_url": None,
        "external_id": None,
        "metadata": {},
        "last_sign_in_at": None,
        **_times(created_at, updated_at),
    }


def group(ids: Ids, row: Row) -> dict[str, Any]:
    o, g, slug, name, public_id, attributes, created_at, updated_at, o_public_id, o_created_at = row
    return {
        "object": "group",
        "id": public_id or ids.of(Kind.GROUP, o, g),
        "organization_id": o_public_id or ids.of(Kind.ORGANIZATION, o),
        "name": name or slug,
        "description": json.loads(attributes or "{}").get("description"),
        **_times(created_at or o_created_at, updated_at),
    }


def permission(ids: Ids, row: Row) -> dict[str, Any]:
    o, p, slug, description, attributes, created_at, updated_at = row
    kept = json.loads(attributes or "{}")
    return {
        "object": "permission",
        "id": ids.of(Kind.PERMISSION, o, p),
        "slug": slug,
        "name": kept.get("name", slug),
        "description": description or None,
        "system": False,
        "resource_type_slug": kept.get("resource_type", "organization"),
        **_times(created_at or 0, updated_at),
    }


def role(ids: Ids, row: Row, permissions: list[str]) -> dict[str, Any]:
    o, r, slug, name, _, attributes, created_at, updated_at, resource_type = row
    kept = json.loads(attributes or "{}")
    return {
        "object": "role",
        "id": ids.of(Kind.ROLE, o, r),
        "slug": slug,
        "name": name or slug,
        "description": kept.get("description"),
        "type": "EnvironmentRole" if o == 0 else "OrganizationRole",
        "resource_type_slug": resource_type or kept.get("resource_type", "organization"),
        "permissions": permissions,
        **_times(created_at or 0, updated_at),
    }


def resource(ids: Ids, row: Row) -> dict[str, Any]:
    """The organization's own has no parent, and the organization's name."""
    o, r, slug, parent, public_id, attributes, created_at, updated_at, *others = row
    parent_public_id, o_public_id, o_name, o_created_at = others
    kept = json.loads(attributes or "{}")
    organization_id = o_public_id or ids.of(Kind.ORGANIZATION, o)
    kind, external_id = resource_parts(slug, organization_id)
    above = None if parent is None else parent_public_id or ids.of(Kind.RESOURCE, o, parent)
    return {
        "object": "authorization_resource",
        "id": public_id or ids.of(Kind.RESOURCE, o, r),
        "external_id": external_id,
        "name": o_name if r == 0 else kept.get("name", external_id),
        "description": kept.get("description"),
        "resource_type_slug": kind,
        "organization_id": organization_id,
        "parent_resource_id": above,
        **_times(created_at or o_created_at, updated_at),
    }


def group_assignment(ids: Ids, row: Row, group_id: str) -> dict[str, Any]:
    o, a, *_ = row
    return {
        "object": "group_role_assignment",
        "id": ids.of(Kind.GROUP_ROLE_ASSIGNMENT, o, a),
        "group_id": group_id,
        **_given(ids, row),
    }


def assignment(ids: Ids, row: Row) -> dict[str, Any]:
    """As a membership holds it: its own, or one of a group's."""
    o, a, *_ = row
    m, m_public_id, g, g_name, g_public_id = row[8:]
    source: dict[str, Any] = {"type": "direct", "group_role_assignment_id": None, "group": None}
    if g is not None:
        source = {
            "type": "group",
            "group_role_assignment_id": ids.of(Kind.GROUP_ROLE_ASSIGNMENT, o, a),
            "group": {"id": g_public_id or ids.of(Kind.GROUP, o, g), "name": g_name},
        }
    return {
        "object": "role_assignment",
        "id": ids.of(Kind.ROLE_ASSIGNMENT, o, a, m),
        "organization_membership_id": m_public_id or ids.of(Kind.MEMBERSHIP, o, m),
        **_given(ids, row),
        "source": source,
    }


def _given(ids: Ids, row: Row) -> dict[str, Any]:
    o, _, slug, x, x_slug, x_public_id, o_public_id, created_at = row[:8]
    kind, external_id = resource_parts(x_slug, o_public_id or ids.of(Kind.ORGANIZATION, o))
    return {
        "role": {"slug": slug},
        "resource": {
            "id": x_public_id or ids.of(Kind.RESOURCE, o, x),
            "external_id": external_id,
            "resource_type_slug": kind,
        },
        **_times(created_at, None),
    }


def _times(created_at: int, updated_at: int | None) -> dict[str, str]:
    return {
        "created_at": time_of(created_at),
        "updated_at": time_of(max(created_at, updated_at or 0)),
    }
