"""The lists of recorded facts of a client, as calls."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rescind import model
from rescind.client import answers
from rescind.client.asking import Asking, required_cursor, required_limit
from rescind.client.calls import Call, time_of
from rescind.model import (
    AssignmentEntry,
    ExpiryEntry,
    FactPage,
    GroupEntry,
    MemberEntry,
    MembershipEntry,
    PermissionEntry,
    ResourceEntry,
    RoleEntry,
)


class Facts:
    """Lists of recorded facts, page by page. Each takes `limit`, `cursor` and `at_least`."""

    asking: Asking

    def list_groups(
        self, of: str | None = None, *, organization: str | None = None, **paging: Any
    ) -> Call[FactPage[GroupEntry]]:
        """The groups of an organization, by name; or those that a subject, or `group:…`, is directly in."""
        holder = None if of is None else model.holder_id(of)
        return self._facts("groups", answers.groups, organization, paging, holder=holder)

    def list_members(
        self,
        group: str,
        *,
        organization: str | None = None,
        effective: bool = False,
        expired: bool = False,
        **paging: Any,
    ) -> Call[FactPage[MemberEntry]]:
        """The direct members of a group: groups nested in it (`group:…`), then subjects.

        With `effective`, all subjects in it and in groups nested in it. With `expired`, also expired places.
        """
        how = {
            "effective": model.require_flag("effective", effective),
            "expired": model.require_flag("expired", expired),
        }
        asked = {"group": model.group_id(group), **how}
        return self._facts("members", answers.members, organization, paging, **asked)

    def list_memberships(
        self,
        *,
        organization: str | None = None,
        subject_kind: str | None = None,
        active: bool | None = None,
        **paging: Any,
    ) -> Call[FactPage[MembershipEntry]]:
        """The memberships of the organization, by subject: all, the `active` ones, or the deactivated."""
        kind = None if subject_kind is None else model.require_subject_kind(subject_kind)
        asked = {
            "subject_kind": kind,
            "active": None if active is None else model.require_flag("active", active),
        }
        return self._facts("memberships", answers.memberships, organization, paging, **asked)

    def list_roles(
        self, *, organization: str | None = None, **paging: Any
    ) -> Call[FactPage[RoleEntry]]:
        """The roles that can be given, by name, with their permissions."""
        return self._facts("roles", answers.roles, organization, paging)

    def list_permissions(
        self, role: str | None = None, *, organization: str | None = None, **paging: Any
    ) -> Call[FactPage[PermissionEntry]]:
        """The permissions that are defined, by name; or those of a role."""
        named = None if role is None else model.role_id(role)
        return self._facts("permissions", answers.permissions, organization, paging, role=named)

    def list_resources(
        self,
        parent: str | None = None,
        *,
        organization: str | None = None,
        resource_type: str | None = None,
        **paging: Any,
    ) -> Call[FactPage[ResourceEntry]]:
        """The resources, by name, perhaps of one type; or the children of a parent."""
        asked = {
            "parent": None if parent is None else model.resource_id(parent),
            "resource_type": None
            if resource_type is None
            else model.resource_type_id(resource_type),
        }
        return self._facts("resources", answers.resources, organization, paging, **asked)

    def list_assignments(
        self,
        holder: str | None = None,
        *,
        role: str | None = None,
        resource: str | None = None,
        organization: str | None = None,
        effective: bool = False,
        expired: bool = False,
        **paging: Any,
    ) -> Call[FactPage[AssignmentEntry]]:
        """Assignments, with who made them and when: all, or those of a holder (a subject or `group:…`), of a
        role, or on a resource.

        With `effective`, also those of the groups that the holder is in. With `expired`, also expired ones.
        """
        asked = {
            "holder": None if holder is None else model.holder_id(holder),
            "role": None if role is None else model.role_id(role),
            "resource": None if resource is None else model.resource_id(resource),
            "effective": model.require_flag("effective", effective),
            "expired": model.require_flag("expired", expired),
        }
        return self._facts("assignments", answers.assignments, organization, paging, **asked)

    def list_expiring(
        self,
        until: datetime | None = None,
        *,
        organization: str | None = None,
        **paging: Any,
    ) -> Call[FactPage[ExpiryEntry]]:
        """Places in groups and assignments in force that expire by a time; by default, within 30 days."""
        end = None if until is None else time_of(until)
        return self._facts("expiring", answers.expiring, organization, paging, until=end)

    def _facts(
        self,
        route: str,
        read: Any,
        organization: str | None,
        paging: dict[str, Any],
        **asked: Any,
    ) -> Call[Any]:
        name, more = self.asking.named(organization), paging_of(**paging)
        return self.asking.get(("v1", route), read, name, is_fresh=True, **asked, **more)


def paging_of(
    *, limit: int | None = None, cursor: str | None = None, at_least: str | None = None
) -> dict[str, Any]:
    """The options of lists of facts. Raises TypeError for others."""
    return {
        "limit": required_limit(limit),
        "cursor": required_cursor(cursor),
        "at_least": at_least,
    }
