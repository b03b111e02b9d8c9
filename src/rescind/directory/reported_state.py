"""What events have reported of an organization: members of groups, nestings of groups, roles held.

Each change, and each expiry, moves this state along, and what it moved is what there is to report. So nothing
is reported twice, and a consumer of all events has the state that is kept here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeVar

from rescind.directory.ids import Kind
from rescind.directory.query_values import json_numbers
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import GroupNumber, HolderNumber, MembershipNumber, OrganizationNumber
from rescind.store.rows import Query
from rescind.store.rows.events import (
    ADD_REPORTED_MEMBERS,
    ADD_REPORTED_NESTING,
    ADD_REPORTED_ROLE,
    EXPIRE_REPORTED_MEMBERS,
    EXPIRE_REPORTED_ROLES,
    FIND_NEXT_REPORTED_EXPIRY,
    LIST_PUBLIC_IDS,
    LIST_REPORTED_ROLES,
    REMOVE_OTHER_REPORTED_MEMBERS,
    REMOVE_REPORTED_GROUP,
    REMOVE_REPORTED_MEMBERS,
    REMOVE_REPORTED_MEMBERSHIP,
    REMOVE_REPORTED_NESTING,
    REMOVE_REPORTED_NESTINGS,
    REMOVE_REPORTED_ROLE,
    REMOVE_REPORTED_ROLES_OF_HOLDER,
    REMOVE_REPORTED_ROLES_OF_ROLE,
    REMOVE_REPORTED_ROLES_ON_GONE,
    HeldRow,
    MembershipNumberRow,
    NestingRow,
)

NEVER: Final = 2**63 - 1
RowT = TypeVar("RowT", bound=tuple[Any, ...])


class GroupMember(NamedTuple):
    """A membership in a group."""

    group: GroupNumber
    membership: MembershipNumber


class EndedGroup(NamedTuple):
    """What ended with a group."""

    members: list[GroupMember]
    held: list[HeldRow]
    nestings: list[NestingRow]


class Expired(NamedTuple):
    """A place in a group or a role that expired, and when."""

    at: int
    what: GroupMember | HeldRow


class ReportedState:
    """The reported state of one organization, within a transaction that reports more."""

    def __init__(self, unit: UnitOfWork, organization: OrganizationNumber) -> None:
        self._unit, self._o = unit, organization
        self._public_ids: dict[tuple[Kind, int], str] = {}
        self._next_expiry = self._read_next_expiry()

    # --- members ----------------------------------------------------------------------------------

    def add_members(
        self,
        group: GroupNumber,
        members: Iterable[MembershipNumber],
        *,
        until: int | None,
        now: int,
    ) -> tuple[list[MembershipNumber], list[MembershipNumber]]:
        """Put memberships into a group until a time; for present members the time is set anew.

        Returns who joined, and who left because that time is past.
        """
        numbers = json_numbers(members)
        if until is not None and until <= now:
            return [], _sorted(self._fetch(REMOVE_REPORTED_MEMBERS, g=group, memberships=numbers))
        self._note_expiry(until)
        params = {"o": self._o, "g": group, "memberships": numbers, "expires_at": until}
        joined = _sorted(self._unit.fetch(ADD_REPORTED_MEMBERS, **params))
        self._unit.execute("set_reported_until", **params)
        return joined, []

    def complete_members(
        self, group: GroupNumber, members: Iterable[MembershipNumber]
    ) -> list[MembershipNumber]:
        """Put those memberships into a group that are not in it, and return them."""
        params = {"g": group, "memberships": json_numbers(members), "expires_at": None}
        return _sorted(self._fetch(ADD_REPORTED_MEMBERS, **params))

    def remove_members(
        self, group: GroupNumber, members: Iterable[MembershipNumber]
    ) -> list[MembershipNumber]:
        """Take memberships out of a group, and return who left."""
        numbers = json_numbers(members)
        return _sorted(self._fetch(REMOVE_REPORTED_MEMBERS, g=group, memberships=numbers))

    def remove_others(
        self, group: GroupNumber, members: Iterable[MembershipNumber]
    ) -> list[MembershipNumber]:
        """Take all other memberships out of a group, and return who left."""
        numbers = json_numbers(members)
        return _sorted(self._fetch(REMOVE_OTHER_REPORTED_MEMBERS, g=group, memberships=numbers))

    # --- nestings and roles -----------------------------------------------------------------------

    def nest(self, child: GroupNumber, parent: GroupNumber) -> bool:
        """Whether it was not reported yet that a group is in another."""
        return bool(self._fetch(ADD_REPORTED_NESTING, child=child, parent=parent))

    def unnest(self, child: GroupNumber, parent: GroupNumber) -> bool:
        """Whether it was reported that a group is in another, which is not so any more."""
        return bool(self._fetch(REMOVE_REPORTED_NESTING, child=child, parent=parent))

    def add_role(self, held: HeldRow, *, until: int | None, now: int) -> tuple[bool, bool]:
        """Give a role until a time. Returns whether it is new; and whether it ended, as that time is past."""
        if until is not None and until <= now:
            return False, self.remove_role(held)
        self._note_expiry(until)
        params = {"o": self._o, **held._asdict(), "expires_at": until}
        is_new = bool(self._unit.fetch(ADD_REPORTED_ROLE, **params))
        self._unit.execute("set_reported_role_until", **params)
        return is_new, False

    def remove_role(self, held: HeldRow) -> bool:
        """Whether it was reported that a role is held, which is not so any more."""
        return bool(self._fetch(REMOVE_REPORTED_ROLE, **held._asdict()))

    def held_by(self, holder: HolderNumber) -> list[HeldRow]:
        """The roles that a holder is reported to hold."""
        found = self._fetch(LIST_REPORTED_ROLES, holder=holder)
        return sorted(HeldRow(holder, row.resource, row.role) for row in found)

    def end_role(self, role: str) -> list[HeldRow]:
        """What was held of a role that is deleted."""
        return sorted(self._fetch(REMOVE_REPORTED_ROLES_OF_ROLE, role=role))

    def end_resources(self, revision: int) -> list[HeldRow]:
        """What was held on the resources that a revision deleted."""
        return sorted(self._fetch(REMOVE_REPORTED_ROLES_ON_GONE, revision=revision))

    # --- what ends --------------------------------------------------------------------------------

    def end_membership(
        self, membership: MembershipNumber
    ) -> tuple[list[GroupMember], list[HeldRow]]:
        """The places in groups and the roles of a membership that is removed."""
        groups = self._fetch(REMOVE_REPORTED_MEMBERSHIP, m=membership)
        places = sorted(GroupMember(row.group, membership) for row in groups)
        return places, sorted(self._fetch(REMOVE_REPORTED_ROLES_OF_HOLDER, holder=membership))

    def end_group(self, group: GroupNumber) -> EndedGroup:
        """The members, roles and nestings of a group that is deleted."""
        members = self._fetch(REMOVE_REPORTED_GROUP, g=group)
        return EndedGroup(
            members=sorted(GroupMember(group, row.membership) for row in members),
            held=sorted(self._fetch(REMOVE_REPORTED_ROLES_OF_HOLDER, holder=group)),
            nestings=sorted(self._fetch(REMOVE_REPORTED_NESTINGS, g=group)),
        )

    def end_organization(self) -> None:
        """Nothing more is reported of it."""
        self._unit.execute("remove_reported_organization", o=self._o)
        self._unit.execute("remove_reported_organization_roles", o=self._o)
        self._unit.execute("remove_reported_organization_nestings", o=self._o)
        self._next_expiry = NEVER

    def expire(self, until: int) -> list[Expired]:
        """What has expired by a time and was not reported so far, the earliest first."""
        if until < self._next_expiry:
            return []
        members = self._fetch(EXPIRE_REPORTED_MEMBERS, until=until)
        held = self._fetch(EXPIRE_REPORTED_ROLES, until=until)
        found = [Expired(row.expires_at, GroupMember(row.group, row.membership)) for row in members]
        found += [
            Expired(row.expires_at, HeldRow(row.holder, row.resource, row.role)) for row in held
        ]
        self._next_expiry = self._read_next_expiry()
        return sorted(found, key=lambda each: (each.at, tuple(map(str, each.what))))

    # --- ids --------------------------------------------------------------------------------------

    def read_public_ids(self, kind: Kind, numbers: Iterable[int]) -> None:
        """Read the public ids of objects at once, also of deleted ones, before each is asked for."""
        wanted = {number for number in numbers if (kind, number) not in self._public_ids}
        if not wanted:
            return
        found = self._fetch(LIST_PUBLIC_IDS, kind=kind.name.lower(), numbers=json_numbers(wanted))
        chosen = {row.number: row.public_id for row in found}
        for number in wanted:
            computed = self._unit.public_ids.of(kind, self._o, number)
            self._public_ids[kind, number] = chosen.get(number) or computed

    def public_id(self, kind: Kind, number: int) -> str:
        """The public id of an object."""
        self.read_public_ids(kind, [number])
        return self._public_ids[kind, number]

    def _read_next_expiry(self) -> int:
        (row,) = self._fetch(FIND_NEXT_REPORTED_EXPIRY)
        return NEVER if row.expires_at is None else row.expires_at

    def _note_expiry(self, until: int | None) -> None:
        if until is not None:
            self._next_expiry = min(self._next_expiry, until)

    def _fetch(self, query: Query[RowT], **params: Any) -> list[RowT]:
        return self._unit.fetch(query, o=self._o, **params)


def _sorted(rows: Iterable[MembershipNumberRow]) -> list[MembershipNumber]:
    return sorted(row.membership for row in rows)
