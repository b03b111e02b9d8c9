"""Events of roles: who holds which, and how roles and permissions themselves are defined."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rescind import changes, model
from rescind.directory import objects
from rescind.directory.event_batch import EventBatch
from rescind.directory.ids import NO_ORGANIZATION, Kind
from rescind.directory.log_objects import LogObject
from rescind.directory.objects import Object
from rescind.store.rows.directory import PermissionRow, RoleRow
from rescind.store.rows.events import HeldRow
from rescind.store.rows.facts import READ_ROLE_PERMISSIONS


class RoleEvents:
    """Adds the events of roles held, by a membership itself or by a group, to a batch."""

    def __init__(self, batch: EventBatch) -> None:
        self._batch, self._state = batch, batch.state

    def assigned(self, change: changes.Assign) -> None:
        self._give(change.to, change.role, change.on, change.expires_at)

    def unassigned(self, change: changes.Unassign) -> None:
        if (holder := self._batch.holder_number(change.to)) is not None:
            held = HeldRow(holder, model.resource_id(change.on), change.role)
            self.ended([held] if self._state.remove_role(held) else [])

    def assignments_replaced(self, change: changes.ReplaceAssignments) -> None:
        holder = self._batch.holder_number(change.to)
        if holder is None:
            return
        listed = {(each.role, model.resource_id(each.on)) for each in change.assignments}
        others = [
            held for held in self._state.held_by(holder) if (held.role, held.resource) not in listed
        ]
        self.ended([held for held in others if self._state.remove_role(held)])
        for each in change.assignments:
            self._give(change.to, each.role, each.on, each.expires_at)

    def resource_deleted(self, _: changes.DeleteResource) -> None:
        ended = self._state.end_resources(self._batch.revision)
        self.ended(ended, reason="resource_deleted")

    def ended(self, held: Iterable[HeldRow], **others: str) -> None:
        """Report roles that are not held any more."""
        for each in held:
            self._add("deleted", each, **others)

    def _give(self, to: str, role: str, on: str | None, expires_at: datetime | None) -> None:
        holder = self._batch.holder_number(to)
        if holder is None:
            return
        held = HeldRow(holder, model.resource_id(on), role)
        until = None if expires_at is None else model.microseconds(expires_at)
        is_new, has_ended = self._state.add_role(held, until=until, now=self._batch.recorded_at)
        if is_new:
            expiry = None if until is None else objects.time_text(until)
            self._add("created", held, expires_at=expiry)
        self.ended([held] if has_ended else [])

    def _add(self, what: str, held: HeldRow, **others: Any) -> None:
        kind = Kind.GROUP if held.holder < 0 else Kind.MEMBERSHIP
        name = "group_role_assignment" if held.holder < 0 else "role_assignment"
        holder = "group_id" if held.holder < 0 else "organization_membership_id"
        organization_id = self._batch.organization()["id"]
        resource_type, external_id = objects.resource_parts(held.resource, organization_id)
        data = {
            "object": name,
            "organization_id": organization_id,
            holder: self._state.public_id(kind, held.holder),
            "role": {"slug": held.role},
            "resource": {"external_id": external_id, "resource_type_slug": resource_type},
            **others,
        }
        self._batch.add_unnoted(f"{name}.{what}", data, is_end=what == "deleted")


class CatalogEvents:
    """Adds the events of roles and permissions, as they are defined, to a batch."""

    def __init__(self, batch: EventBatch, roles: RoleEvents) -> None:
        self._batch, self._roles = batch, roles
        self._o = batch.owner.organization

    def role_defined(self, change: changes.DefineRole) -> None:
        self._add_role("created", self._batch.created(Kind.ROLE, change.role))

    def role_edited(self, change: changes.EditRole) -> None:
        self._add_role("updated", self._batch.named(Kind.ROLE, change.role))

    def role_deleted(self, change: changes.DeleteRole) -> None:
        if self._o != 0:  # also of a role of all organizations: each of them has a log entry of it
            self._roles.ended(self._batch.state.end_role(change.role), reason="role_deleted")
        self._add_role("deleted", self._batch.deleted(Kind.ROLE, change.role))

    def permission_defined(self, change: changes.DefinePermission) -> None:
        self._add_permission("created", self._batch.created(Kind.PERMISSION, change.permission))

    def permission_edited(self, change: changes.EditPermission) -> None:
        self._add_permission("updated", self._batch.named(Kind.PERMISSION, change.permission))

    def permission_deleted(self, change: changes.DeletePermission) -> None:
        self._add_permission("deleted", self._batch.deleted(Kind.PERMISSION, change.permission))

    def _add_role(self, what: str, found: LogObject | None) -> None:
        if found is None:
            return
        row, unit, o = found.row, self._batch.unit, self._o
        assert isinstance(row, RoleRow)

        def data() -> Object:
            contained = unit.fetch(READ_ROLE_PERMISSIONS, o=o or NO_ORGANIZATION)
            permissions = [each.permission for each in contained if each.role == row.number]
            role = objects.role(unit.public_ids, row, permissions)
            if o == 0:
                return role
            return {
                **role,
                "object": "organization_role",
                "organization_id": self._batch.organization()["id"],
            }

        self._batch.add(f"role.{what}" if o == 0 else f"organization_role.{what}", data)

    def _add_permission(self, what: str, found: LogObject | None) -> None:
        if found is None:
            return
        row, ids = found.row, self._batch.unit.public_ids
        assert isinstance(row, PermissionRow)
        self._batch.add(f"permission.{what}", lambda: objects.permission(ids, row))
