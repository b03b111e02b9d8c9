"""The events of logged changes: what each change has made, altered and deleted, in order; and of expiry.

Objects are told as they are when they are told, those that have gone as what is left of them. Who is in a
group, how groups are nested and who holds a role is told as it changed, so that events alone say how it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rescind import changes, model
from rescind.changes import Change
from rescind.http.workos import shapes
from rescind.http.workos.call import Call
from rescind.http.workos.held import wide_roles
from rescind.http.workos.ids import Kind
from rescind.http.workos.names import Names, Thing, is_wide, subjects_of
from rescind.http.workos.permissions import NOBODY
from rescind.http.workos.shapes import Row
from rescind.http.workos.told import Held, Place, Told

Data = Callable[[], dict[str, Any]]
EXPIRY = "rescind"
"""Who ends what expires."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; its data is made up when all of a batch is known."""

    name: str
    data: Data
    recorded_at: int
    actor: str
    is_noted: bool = True
    """Whether a note of the management API says it of its own writes."""
    is_end: bool = False
    """Whether something is lost, which is told before what it was part of has gone."""


class Teller:
    """Tells the changes of one organization, one after the other. `owner` is its row."""

    def __init__(self, call: Call, owner: Row, names: Names) -> None:
        self._events: list[Event] = []
        self._told = Told(call, owner[0])
        self._call, self._owner, self._names = call, owner, names
        self._o = owner[0]
        self._revision = self._recorded_at = 0
        self._actor = ""
        self._members: dict[int, Row] = {}
        self._roles: dict[tuple[int, int], list[str]] | None = None

    def tell(
        self, revision: int, recorded_at: int, actor: str, logged: Iterable[Change]
    ) -> list[Event]:
        """The events of one entry of the log, which is told from then on."""
        self._events = []
        self._revision, self._recorded_at, self._actor = revision, recorded_at, actor
        for change in logged:
            if (telling := _TELLINGS.get(type(change))) is not None:
                telling(self, change)
            if is_wide(change):
                self._members_updated(subjects_of(change))
        return self._events

    def expire(self, until: int) -> list[Event]:
        """The events of what has expired by a time, each at its own."""
        self._events, self._actor = [], EXPIRY
        for at, what in self._told.expired(until):
            self._recorded_at = at
            if isinstance(what, Place):
                self._left([what], reason="expired")
            else:
                self._taken([what], reason="expired")
        return self._events

    def _add(self, name: str, data: Data) -> None:
        self._events.append(Event(name, data, self._recorded_at, self._actor))

    def _add_own(self, name: str, data: dict[str, Any], *, is_end: bool) -> None:
        """Add what the management API does not note of its own writes."""
        told = lambda: data  # noqa: E731
        event = Event(name, told, self._recorded_at, self._actor, is_noted=False, is_end=is_end)
        self._events.append(event)

    # --- the organization -------------------------------------------------------------------------

    def created(self, _: changes.CreateOrganization) -> None:
        if self._revision == 1:
            self._add("organization.created", self._organization)

    def renamed(self, change: changes.RenameOrganization) -> None:
        self._add("organization.updated", lambda: {**self._organization(), "name": change.name})

    def deleted(self, _: changes.DeleteOrganization) -> None:
        self._told.end_organization()
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
            places, held = self._told.end_membership(found.number)
            self._left(places, reason="membership_deleted")
            self._taken(held, reason="membership_deleted")
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
            places, held, nestings = self._told.end_group(found.number)
            self._left(places, reason="group_deleted")
            self._taken(held, reason="group_deleted")
            for child, parent in nestings:
                self._nesting("unnested", child, parent, reason="group_deleted")
            self._group("deleted", found)

    def members_added(self, change: changes.AddMembers) -> None:
        group, members = self._meant(change)
        if group is None:
            return
        until = None if change.expires_at is None else model.microseconds(change.expires_at)
        now = self._recorded_at
        added, left = self._told.add_members(group, members, until=until, now=now)
        self._moved("removed", group, left)
        self._moved("added", group, added)

    def members_removed(self, change: changes.RemoveMembers) -> None:
        group, members = self._meant(change)
        if group is not None:
            self._moved("removed", group, self._told.remove_members(group, members))

    def members_replaced(self, change: changes.ReplaceMembers) -> None:
        if change.create:  # in the order of their numbers
            for name in sorted(set(subjects_of(change))):
                self._member_made(name)
        group, members = self._meant(change)
        if group is not None:
            self._moved("removed", group, self._told.remove_others(group, members))
            self._moved("added", group, self._told.complete_members(group, members))

    def _meant(self, change: Any) -> tuple[int | None, list[int]]:
        """The numbers of the group and of the members that a change names, of those that are there."""
        group = self._names.meant(Kind.GROUP, change.group, self._revision)
        named = (
            self._names.meant(Kind.MEMBERSHIP, name, self._revision) for name in subjects_of(change)
        )
        members = [each.number for each in named if each is not None]
        return None if group is None else group.number, members

    def _moved(self, what: str, group: int, members: Sequence[int]) -> None:
        self._told.learn(Kind.MEMBERSHIP, members)
        for number in members:
            data = self._place(Place(group, number))
            self._add(f"group.member_{what}", lambda data=data: data)  # type: ignore[misc]

    def _left(self, places: Sequence[Place], *, reason: str) -> None:
        """Members who are in a group no more, since something else ended."""
        self._told.learn(Kind.MEMBERSHIP, [place.membership for place in places])
        for place in places:
            data = {**self._place(place), "reason": reason}
            self._add_own("group.member_removed", data, is_end=True)

    def _place(self, place: Place) -> dict[str, Any]:
        return {
            "group_id": self._told.public_id(Kind.GROUP, place.group),
            "organization_membership_id": self._told.public_id(Kind.MEMBERSHIP, place.membership),
        }

    def nested(self, change: changes.NestGroup) -> None:
        child, parent = self._number(f"group:{change.group}"), self._number(f"group:{change.into}")
        if child and parent and self._told.nest(child, parent):
            self._nesting("nested", child, parent)

    def unnested(self, change: changes.UnnestGroup) -> None:
        child = self._number(f"group:{change.group}")
        parent = self._number(f"group:{change.out_of}")
        if child and parent and self._told.unnest(child, parent):
            self._nesting("unnested", child, parent)

    def _nesting(self, what: str, child: int, parent: int, **others: str) -> None:
        data = {
            "organization_id": self._organization()["id"],
            "group_id": self._told.public_id(Kind.GROUP, child),
            "parent_group_id": self._told.public_id(Kind.GROUP, parent),
            **others,
        }
        self._add_own(f"group.{what}", data, is_end=what == "unnested")

    # --- roles that are held ----------------------------------------------------------------------

    def assigned(self, change: changes.Assign) -> None:
        self._give(change.to, change.role, change.on, change.expires_at)

    def unassigned(self, change: changes.Unassign) -> None:
        if (holder := self._number(change.to)) is not None:
            held = Held(holder, model.resource_id(change.on), change.role)
            self._taken([held] if self._told.take(held) else [])

    def assignments_replaced(self, change: changes.ReplaceAssignments) -> None:
        holder = self._number(change.to)
        if holder is None:
            return
        listed = {(each.role, model.resource_id(each.on)) for each in change.assignments}
        others = [h for h in self._told.held_by(holder) if (h.role, h.resource) not in listed]
        self._taken([held for held in others if self._told.take(held)])
        for each in change.assignments:
            self._give(change.to, each.role, each.on, each.expires_at)

    def resource_ended(self, _: changes.DeleteResource) -> None:
        self._taken(self._told.take_on_gone(self._revision), reason="resource_deleted")

    def _give(self, to: str, role: str, on: str | None, expires_at: datetime | None) -> None:
        holder = self._number(to)
        if holder is None:
            return
        held = Held(holder, model.resource_id(on), role)
        until = None if expires_at is None else model.microseconds(expires_at)
        is_new, is_taken = self._told.give(held, until=until, now=self._recorded_at)
        if is_new:
            told_until = None if until is None else shapes.time_of(until)
            self._holding("created", held, expires_at=told_until)
        self._taken([held] if is_taken else [])

    def _taken(self, ended: Iterable[Held], **others: str) -> None:
        for held in ended:
            self._holding("deleted", held, **others)

    def _holding(self, what: str, held: Held, **others: Any) -> None:
        """A role is held, or no more: by a membership itself, or by a group."""
        kind = Kind.GROUP if held.holder < 0 else Kind.MEMBERSHIP
        name = "group_role_assignment" if held.holder < 0 else "role_assignment"
        holder = "group_id" if held.holder < 0 else "organization_membership_id"
        organization_id = self._organization()["id"]
        resource_type, external_id = shapes.resource_parts(held.resource, organization_id)
        data = {
            "object": name,
            "organization_id": organization_id,
            holder: self._told.public_id(kind, held.holder),
            "role": {"slug": held.role},
            "resource": {"external_id": external_id, "resource_type_slug": resource_type},
            **others,
        }
        self._add_own(f"{name}.{what}", data, is_end=what == "deleted")

    def _number(self, holder: str) -> int | None:
        """The number of a membership or, negative, of a group; None where it is not there."""
        holder = model.holder_id(holder)
        kind = Kind.GROUP if holder.startswith("group:") else Kind.MEMBERSHIP
        found = self._names.meant(kind, holder.removeprefix("group:"), self._revision)
        return None if found is None else found.number

    def _group(self, what: str, thing: Thing, **others: str) -> None:
        row = _row(thing)
        self._add(f"group.{what}", lambda: {**shapes.group(self._call.ids, row), **others})

    # --- roles and permissions --------------------------------------------------------------------

    def role_made(self, change: changes.DefineRole) -> None:
        self._role("created", self._names.made(Kind.ROLE, change.role, self._revision))

    def role_altered(self, change: changes.EditRole) -> None:
        self._role("updated", self._names.meant(Kind.ROLE, change.role, self._revision))

    def role_ended(self, change: changes.DeleteRole) -> None:
        if self._o != 0:  # also of a role of all organizations, of which the log has an entry here
            self._taken(self._told.take_role(change.role), reason="role_deleted")
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
    changes.NestGroup: Teller.nested,
    changes.UnnestGroup: Teller.unnested,
    changes.Assign: Teller.assigned,
    changes.Unassign: Teller.unassigned,
    changes.ReplaceAssignments: Teller.assignments_replaced,
    changes.DeleteResource: Teller.resource_ended,
    changes.DefineRole: Teller.role_made,
    changes.EditRole: Teller.role_altered,
    changes.DeleteRole: Teller.role_ended,
    changes.DefinePermission: Teller.permission_made,
    changes.EditPermission: Teller.permission_altered,
    changes.DeletePermission: Teller.permission_ended,
}
