"""The events of logged changes: what each change has made, altered and deleted, in order.

Objects are told as they are when they are told, those that have gone as what is left of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rescind import changes
from rescind.changes import Change
from rescind.http.workos import shapes
from rescind.http.workos.call import Call
from rescind.http.workos.held import wide_roles
from rescind.http.workos.ids import Kind
from rescind.http.workos.names import Names, Thing, is_wide, subjects_of
from rescind.http.workos.permissions import NOBODY
from rescind.http.workos.shapes import Row

Data = Callable[[], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; its data is made up when all of a batch is known."""

    name: str
    data: Data
    recorded_at: int
    actor: str


class Teller:
    """Tells the changes of one organization, one after the other. `owner` is its row."""

    def __init__(self, call: Call, owner: Row, names: Names) -> None:
        self.events: list[Event] = []
        self._call, self._owner, self._names = call, owner, names
        self._o = owner[0]
        self._revision = self._recorded_at = 0
        self._actor = ""
        self._members: dict[int, Row] = {}
        self._roles: dict[tuple[int, int], list[str]] | None = None

    def tell(self, revision: int, recorded_at: int, actor: str, logged: Iterable[Change]) -> None:
        """Add the events of one entry of the log, and know from then on what it did."""
        self._revision, self._recorded_at, self._actor = revision, recorded_at, actor
        for change in logged:
            if is_wide(change):
                self._members_updated(subjects_of(change))
            elif (telling := _TELLINGS.get(type(change))) is not None:
                telling(self, change)

    def _add(self, name: str, data: Data) -> None:
        self.events.append(Event(name, data, self._recorded_at, self._actor))

    # --- the organization -------------------------------------------------------------------------

    def created(self, _: changes.CreateOrganization) -> None:
        if self._revision == 1:
            self._add("organization.created", self._organization)

    def renamed(self, change: changes.RenameOrganization) -> None:
        self._add("organization.updated", lambda: {**self._organization(), "name": change.name})

    def deleted(self, _: changes.DeleteOrganization) -> None:
        self._call.fetch("forget_told_organization", o=self._o)
        self._add("organization.deleted", self._organization)

    def _organization(self) -> dict[str, Any]:
        return shapes.organization(self._call.ids, self._owner[:8])

    # --- memberships ------------------------------------------------------------------------------

    def member_made(self, change: changes.AddMembership) -> None:
        (name,) = subjects_of(change)
        self._member_made(name)

    def _member_made(self, name: str) -> None:
        if (found := self._names.made(Kind.MEMBERSHIP, name, self._revision)) is not None:
            self._member("created", found)

    def member_altered(self, change: Change) -> None:
        self._members_updated(subjects_of(change))

    def member_ended(self, change: changes.RemoveMembership) -> None:
        (name,) = subjects_of(change)
        if (found := self._names.ended(Kind.MEMBERSHIP, name, self._revision)) is not None:
            self._call.fetch("forget_told_membership", o=self._o, m=found.number)
            self._member("deleted", found)

    def _members_updated(self, named: Sequence[str]) -> None:
        for name in named:
            if (found := self._names.meant(Kind.MEMBERSHIP, name, self._revision)) is not None:
                self._member("updated", found)

    def _member(self, what: str, thing: Thing) -> None:
        row = _row(thing)
        if thing.gone_at is None:
            self._members[thing.number] = row
        ids = self._call.ids
        self._add(
            f"organization_membership.{what}",
            lambda: shapes.membership(ids, row, self._roles_of(row)),
        )

    def _roles_of(self, row: Row) -> list[str]:
        """Organization-wide ones; those of all memberships that are told are read at once."""
        if self._roles is None:
            self._roles = wide_roles(self._call, list(self._members.values()))
        return self._roles.get((row[0], row[1]), [])

    # --- groups -----------------------------------------------------------------------------------

    def group_made(self, change: changes.CreateGroup) -> None:
        if (found := self._names.made(Kind.GROUP, change.group, self._revision)) is not None:
            self._group("created", found)

    def group_altered(self, change: changes.RenameGroup) -> None:
        if (found := self._names.meant(Kind.GROUP, change.group, self._revision)) is not None:
            self._group("updated", found, name=change.name)

    def group_ended(self, change: changes.DeleteGroup) -> None:
        if (found := self._names.ended(Kind.GROUP, change.group, self._revision)) is not None:
            self._call.fetch("forget_told_group", o=self._o, g=found.number)
            self._group("deleted", found)

    def members_added(self, change: changes.AddMembers) -> None:
        self._move(change, ("add_told_members", "added"))

    def members_removed(self, change: changes.RemoveMembers) -> None:
        self._move(change, ("remove_told_members", "removed"))

    def members_replaced(self, change: changes.ReplaceMembers) -> None:
        if change.create:  # in the order of their numbers
            for name in sorted(set(subjects_of(change))):
                self._member_made(name)
        self._move(change, ("remove_other_told_members", "removed"), ("add_told_members", "added"))

    def _move(self, change: Any, *moves: tuple[str, str]) -> None:
        group = self._names.meant(Kind.GROUP, change.group, self._revision)
        if group is None:
            return
        named = (
            self._names.meant(Kind.MEMBERSHIP, name, self._revision) for name in subjects_of(change)
        )
        members = {each.number: each for each in named if each is not None}
        numbers = json.dumps([str(number) for number in members])
        for query, what in moves:
            moved = self._call.fetch(query, o=self._o, g=group.number, memberships=numbers)
            for (number,) in sorted(moved):
                self._moved(f"group.member_{what}", group, number, members.get(number))

    def _moved(self, name: str, group: Thing, number: int, member: Thing | None) -> None:
        ids, o, g_row = self._call.ids, self._o, _row(group)
        known = None if member is None else _row(member)[6]
        told = {
            "group_id": g_row[4] or ids.of(Kind.GROUP, o, group.number),
            "organization_membership_id": known or self._public_id(number),
        }
        self._add(name, lambda: told)

    def _public_id(self, number: int) -> str:
        rows = self._call.fetch("show_membership", o=self._o, m=number)
        given = rows[0][6] if rows else None
        return given or self._call.ids.of(Kind.MEMBERSHIP, self._o, number)

    def _group(self, what: str, thing: Thing, **others: str) -> None:
        row = _row(thing)
        self._add(f"group.{what}", lambda: {**shapes.group(self._call.ids, row), **others})

    # --- roles and permissions --------------------------------------------------------------------

    def role_made(self, change: changes.DefineRole) -> None:
        self._role("created", self._names.made(Kind.ROLE, change.role, self._revision))

    def role_altered(self, change: changes.EditRole) -> None:
        self._role("updated", self._names.meant(Kind.ROLE, change.role, self._revision))

    def role_ended(self, change: changes.DeleteRole) -> None:
        self._role("deleted", self._names.ended(Kind.ROLE, change.role, self._revision))

    def _role(self, what: str, thing: Thing | None) -> None:
        if thing is None:
            return
        row, call, o = _row(thing), self._call, self._o

        def data() -> dict[str, Any]:
            held = call.fetch("read_role_permissions", o=o or NOBODY)
            role = shapes.role(call.ids, row, [slug for r, slug in held if r == thing.number])
            if o == 0:
                return role
            return {
                **role,
                "object": "organization_role",
                "organization_id": self._organization()["id"],
            }

        self._add(f"role.{what}" if o == 0 else f"organization_role.{what}", data)

    def permission_made(self, change: changes.DefinePermission) -> None:
        found = self._names.made(Kind.PERMISSION, change.permission, self._revision)
        self._permission("created", found)

    def permission_altered(self, change: changes.EditPermission) -> None:
        found = self._names.meant(Kind.PERMISSION, change.permission, self._revision)
        self._permission("updated", found)

    def permission_ended(self, change: changes.DeletePermission) -> None:
        found = self._names.ended(Kind.PERMISSION, change.permission, self._revision)
        self._permission("deleted", found)

    def _permission(self, what: str, thing: Thing | None) -> None:
        if thing is not None:
            row = _row(thing)
            self._add(f"permission.{what}", lambda: shapes.permission(self._call.ids, row))


def _row(thing: Thing) -> Row:
    assert thing.row is not None
    return thing.row


_TELLINGS: dict[type, Callable[[Teller, Any], None]] = {
    changes.CreateOrganization: Teller.created,
    changes.RenameOrganization: Teller.renamed,
    changes.DeleteOrganization: Teller.deleted,
    changes.AddMembership: Teller.member_made,
    changes.DeactivateMembership: Teller.member_altered,
    changes.ReactivateMembership: Teller.member_altered,
    changes.RemoveMembership: Teller.member_ended,
    changes.CreateGroup: Teller.group_made,
    changes.RenameGroup: Teller.group_altered,
    changes.DeleteGroup: Teller.group_ended,
    changes.AddMembers: Teller.members_added,
    changes.RemoveMembers: Teller.members_removed,
    changes.ReplaceMembers: Teller.members_replaced,
    changes.DefineRole: Teller.role_made,
    changes.EditRole: Teller.role_altered,
    changes.DeleteRole: Teller.role_ended,
    changes.DefinePermission: Teller.permission_made,
    changes.EditPermission: Teller.permission_altered,
    changes.DeletePermission: Teller.permission_ended,
}
