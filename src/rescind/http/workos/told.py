"""What has been told of an organization: who is in which group, how groups are nested, who holds which role.

Each change, and each expiry, moves it along; what that changed is what there is to tell. So nothing is told
twice, and whoever reads all events has what is told here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from rescind.http.workos.call import Call
from rescind.http.workos.ids import Kind
from rescind.store import Rows

NEVER: Final = 2**63 - 1


class Held(NamedTuple):
    """A role on a resource, of a membership or (negative) of a group."""

    holder: int
    resource: str
    role: str


class Place(NamedTuple):
    """A membership in a group."""

    group: int
    membership: int


class Told:
    """The state of one organization as told so far, in the transaction that tells on."""

    def __init__(self, call: Call, o: int) -> None:
        self._call, self._o = call, o
        self._public: dict[tuple[Kind, int], str] = {}
        ((found,),) = self._fetch("find_next_told_expiry")
        self._next_expiry: int = NEVER if found is None else found

    # --- members ----------------------------------------------------------------------------------

    def add_members(
        self, group: int, members: Iterable[int], *, until: int | None, now: int
    ) -> tuple[list[int], list[int]]:
        """Put memberships into a group until a time, and set that anew for those in it: who came in, and who
        left because that time is past.
        """
        numbers = _numbers(members)
        if until is not None and until <= now:
            return [], self._moved("remove_told_members", g=group, memberships=numbers)
        self._note_expiry(until)
        names = {"g": group, "memberships": numbers, "expires_at": until}
        added = self._moved("add_told_members", **names)
        self._fetch("set_told_until", **names)
        return added, []

    def complete_members(self, group: int, members: Iterable[int]) -> list[int]:
        """Put those memberships into a group that are not in it: who came in."""
        names = {"g": group, "memberships": _numbers(members), "expires_at": None}
        return self._moved("add_told_members", **names)

    def remove_members(self, group: int, members: Iterable[int]) -> list[int]:
        """Take memberships out of a group: who left."""
        return self._moved("remove_told_members", g=group, memberships=_numbers(members))

    def remove_others(self, group: int, members: Iterable[int]) -> list[int]:
        """Take all other memberships out of a group: who left."""
        return self._moved("remove_other_told_members", g=group, memberships=_numbers(members))

    # --- nestings and roles -----------------------------------------------------------------------

    def nest(self, child: int, parent: int) -> bool:
        """Whether it is news that a group is in another."""
        return bool(self._fetch("add_told_nesting", child=child, parent=parent))

    def unnest(self, child: int, parent: int) -> bool:
        """Whether it is news that it is not any more."""
        return bool(self._fetch("remove_told_nesting", child=child, parent=parent))

    def give(self, held: Held, *, until: int | None, now: int) -> tuple[bool, bool]:
        """Give a role until a time: whether that is news; or whether it was taken since that time is past."""
        if until is not None and until <= now:
            return False, self.take(held)
        self._note_expiry(until)
        is_new = bool(self._fetch("add_told_given", **held._asdict(), expires_at=until))
        self._fetch("set_told_given_until", **held._asdict(), expires_at=until)
        return is_new, False

    def take(self, held: Held) -> bool:
        """Whether it is news that a role is not held any more."""
        return bool(self._fetch("remove_told_given", **held._asdict()))

    def held_by(self, holder: int) -> list[Held]:
        """What is told to be held."""
        rows = self._fetch("list_told_given", holder=holder)
        return sorted(Held(holder, resource, role) for resource, role in rows)

    def take_role(self, role: str) -> list[Held]:
        """What was held of a role that is deleted."""
        return _held(self._fetch("forget_told_given_of_role", role=role))

    def take_on_gone(self, revision: int) -> list[Held]:
        """What was held on resources that a change deleted."""
        return _held(self._fetch("forget_told_given_on", revision=revision))

    # --- what ends --------------------------------------------------------------------------------

    def end_membership(self, membership: int) -> tuple[list[Place], list[Held]]:
        """The places and roles of a membership that is removed."""
        groups = self._fetch("forget_told_membership", m=membership)
        places = sorted(Place(group, membership) for (group,) in groups)
        return places, _held(self._fetch("forget_told_given_to", holder=membership))

    def end_group(self, group: int) -> tuple[list[Place], list[Held], list[tuple[int, int]]]:
        """The members, roles and nestings of a group that is deleted."""
        members = self._fetch("forget_told_group", g=group)
        places = sorted(Place(group, membership) for (membership,) in members)
        held = _held(self._fetch("forget_told_given_to", holder=group))
        return places, held, sorted(self._fetch("forget_told_nestings", g=group))

    def end_organization(self) -> None:
        """Nothing more is told of it."""
        self._fetch("forget_told_organization")
        self._fetch("forget_told_organization_given")
        self._fetch("forget_told_organization_nestings")
        self._next_expiry = NEVER

    def expired(self, until: int) -> list[tuple[int, Place | Held]]:
        """What has expired by a time and was not told to have, with when; the first first."""
        if until < self._next_expiry:
            return []
        members = self._fetch("expire_told_members", until=until)
        given = self._fetch("expire_told_given", until=until)
        found: list[tuple[int, Place | Held]] = [(at, Place(*rest)) for at, *rest in members]
        found += [(at, Held(*rest)) for at, *rest in given]
        ((then,),) = self._fetch("find_next_told_expiry")
        self._next_expiry = NEVER if then is None else then
        return sorted(found, key=lambda each: (each[0], tuple(map(str, each[1]))))

    # --- ids --------------------------------------------------------------------------------------

    def learn(self, kind: Kind, numbers: Iterable[int]) -> None:
        """Read the public ids of objects, also of what has gone, that are asked for one by one then."""
        wanted = {number for number in numbers if (kind, number) not in self._public}
        if not wanted:
            return
        name = kind.name.lower()
        rows = self._fetch("list_public_ids", kind=name, numbers=_numbers(wanted))
        known: dict[int, str] = dict(rows)
        for number in wanted:
            own = self._call.ids.of(kind, self._o, number)
            self._public[kind, number] = known.get(number) or own

    def public_id(self, kind: Kind, number: int) -> str:
        """The public id of an object."""
        self.learn(kind, [number])
        return self._public[kind, number]

    def _moved(self, query: str, **names: Any) -> list[int]:
        return sorted(number for (number,) in self._fetch(query, **names))

    def _note_expiry(self, until: int | None) -> None:
        if until is not None:
            self._next_expiry = min(self._next_expiry, until)

    def _fetch(self, query: str, **names: Any) -> Rows:
        return self._call.fetch(query, o=self._o, **names)


def _held(rows: Rows) -> list[Held]:
    return sorted(Held(*row) for row in rows)


def _numbers(numbers: Iterable[int]) -> str:
    return json.dumps([str(number) for number in numbers])
