"""Events of memberships: added, altered, removed."""

from __future__ import annotations

from collections.abc import Sequence

from rescind import changes
from rescind.changes import Change
from rescind.directory import objects
from rescind.directory.event_batch import EventBatch
from rescind.directory.events_of_roles import RoleEvents
from rescind.directory.ids import Kind
from rescind.directory.log_objects import LogObject, subjects_of
from rescind.directory.objects import Object
from rescind.directory.reported_state import GroupMember
from rescind.directory.roles_held import RolesHeld, wide_roles
from rescind.model import MembershipNumber
from rescind.store.rows.directory import MembershipRow


class MembershipEvents:
    """Adds the events of memberships, and of their leaving groups, to a batch."""

    def __init__(self, batch: EventBatch, roles: RoleEvents) -> None:
        self._batch, self._roles = batch, roles
        self._present: dict[int, MembershipRow] = {}
        self._wide_roles: RolesHeld | None = None

    def membership_added(self, change: changes.AddMembership) -> None:
        (name,) = subjects_of(change)
        self.created(name)

    def membership_altered(self, change: Change) -> None:
        self.updated(subjects_of(change))

    def membership_removed(self, change: changes.RemoveMembership) -> None:
        (name,) = subjects_of(change)
        if (found := self._batch.deleted(Kind.MEMBERSHIP, name)) is not None:
            places, held = self._batch.state.end_membership(MembershipNumber(found.number))
            self.left_groups(places, reason="membership_deleted")
            self._roles.ended(held, reason="membership_deleted")
            self._add("deleted", found)

    def created(self, name: str) -> None:
        """Report the membership that the log entry created under a name, if it did."""
        if (found := self._batch.created(Kind.MEMBERSHIP, name)) is not None:
            self._add("created", found)

    def updated(self, names: Sequence[str]) -> None:
        """Report that memberships were altered."""
        for name in names:
            if (found := self._batch.named(Kind.MEMBERSHIP, name)) is not None:
                self._add("updated", found)

    def left_groups(self, places: Sequence[GroupMember], *, reason: str) -> None:
        """Report memberships that left groups because something else ended."""
        state = self._batch.state
        state.read_public_ids(Kind.MEMBERSHIP, [place.membership for place in places])
        for place in places:
            data = {**self.member(place), "reason": reason}
            self._batch.add_unnoted("group.member_removed", data, is_end=True)

    def member(self, place: GroupMember) -> Object:
        """A membership in a group, as events carry it."""
        state = self._batch.state
        return {
            "group_id": state.public_id(Kind.GROUP, place.group),
            "organization_membership_id": state.public_id(Kind.MEMBERSHIP, place.membership),
        }

    def _add(self, what: str, found: LogObject) -> None:
        row = found.row
        assert isinstance(row, MembershipRow)
        if found.deleted_at is None:
            self._present[found.number] = row
        ids = self._batch.unit.public_ids
        self._batch.add(
            f"organization_membership.{what}",
            lambda: objects.membership(ids, row, self._roles_of(row)),
        )

    def _roles_of(self, row: MembershipRow) -> list[str]:
        """Organization-wide roles; those of all memberships of the batch are read at once."""
        if self._wide_roles is None:
            self._wide_roles = wide_roles(self._batch.unit, list(self._present.values()))
        return self._wide_roles.get((row.organization, row.number), [])
