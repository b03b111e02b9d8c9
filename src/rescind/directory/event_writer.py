"""Writes the events of logged changes: what each created, altered and deleted, in order; and what expired.

Objects are reported as they are now, deleted ones with what is left of them. Members of groups, nestings and
held roles are reported as they changed, so that events alone give the present state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from rescind import changes
from rescind.changes import Change
from rescind.directory.event_batch import Event, EventBatch
from rescind.directory.events_of_groups import GroupEvents
from rescind.directory.events_of_members import MembershipEvents
from rescind.directory.events_of_roles import CatalogEvents, RoleEvents
from rescind.directory.log_objects import LogObjects, alters_wide_roles, subjects_of
from rescind.directory.reported_state import GroupMember, ReportedState
from rescind.directory.unit_of_work import UnitOfWork
from rescind.store.rows.events import OwnerRow

EXPIRY: Final = "rescind"
"""The actor of expiries."""


class EventWriter:
    """Writes the events of one organization's changes, one log entry after the other."""

    def __init__(self, unit: UnitOfWork, owner: OwnerRow, log_objects: LogObjects) -> None:
        state = ReportedState(unit, owner.organization)
        self._state = state
        self._batch = batch = EventBatch(unit, owner, log_objects, state)
        self._roles = roles = RoleEvents(batch)
        self._members = members = MembershipEvents(batch, roles)
        groups = GroupEvents(batch, members, roles)
        catalog = CatalogEvents(batch, roles)
        self._handlers: dict[type, Callable[[Any], None]] = {
            changes.CreateOrganization: self._organization_created,
            changes.RenameOrganization: self._organization_renamed,
            changes.DeleteOrganization: self._organization_deleted,
            changes.AddMembership: members.membership_added,
            changes.DeactivateMembership: members.membership_altered,
            changes.ReactivateMembership: members.membership_altered,
            changes.RemoveMembership: members.membership_removed,
            changes.CreateGroup: groups.group_created,
            changes.RenameGroup: groups.group_renamed,
            changes.DeleteGroup: groups.group_deleted,
            changes.AddMembers: groups.members_added,
            changes.RemoveMembers: groups.members_removed,
            changes.ReplaceMembers: groups.members_replaced,
            changes.NestGroup: groups.group_nested,
            changes.UnnestGroup: groups.group_unnested,
            changes.Assign: roles.assigned,
            changes.Unassign: roles.unassigned,
            changes.ReplaceAssignments: roles.assignments_replaced,
            changes.DeleteResource: roles.resource_deleted,
            changes.DefineRole: catalog.role_defined,
            changes.EditRole: catalog.role_edited,
            changes.DeleteRole: catalog.role_deleted,
            changes.DefinePermission: catalog.permission_defined,
            changes.EditPermission: catalog.permission_edited,
            changes.DeletePermission: catalog.permission_deleted,
        }

    def write(
        self, revision: int, recorded_at: int, actor: str, logged: Iterable[Change]
    ) -> list[Event]:
        """The events of one log entry, which counts as reported from then on."""
        batch = self._batch
        batch.events = []
        batch.revision, batch.recorded_at, batch.actor = revision, recorded_at, actor
        for change in logged:
            if (handler := self._handlers.get(type(change))) is not None:
                handler(change)
            if alters_wide_roles(change):
                self._members.updated(subjects_of(change))
        return batch.events

    def expire(self, until: int) -> list[Event]:
        """The events of what has expired by a time, each at its own."""
        batch = self._batch
        batch.events, batch.actor = [], EXPIRY
        for at, what in self._state.expire(until):
            batch.recorded_at = at
            if isinstance(what, GroupMember):
                self._members.left_groups([what], reason="expired")
            else:
                self._roles.ended([what], reason="expired")
        return batch.events

    def _organization_created(self, _: changes.CreateOrganization) -> None:
        if self._batch.revision == 1:
            self._batch.add("organization.created", self._batch.organization)

    def _organization_renamed(self, change: changes.RenameOrganization) -> None:
        batch = self._batch
        batch.add("organization.updated", lambda: {**batch.organization(), "name": change.name})

    def _organization_deleted(self, _: changes.DeleteOrganization) -> None:
        self._state.end_organization()
        self._batch.add("organization.deleted", self._batch.organization)
