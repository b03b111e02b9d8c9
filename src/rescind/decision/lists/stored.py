"""The facts that a list reads, from the store. Every query is a range of an index, or look-ups by key."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeAlias

from rescind.decision.lists.source import (
    MOST_BELOW,
    MOST_OF_KIND,
    MOST_PARENTS,
    MOST_STREAMS,
    Named,
    Scope,
)
from rescind.decision.lists.streams import Items, Kind, Request, Stream
from rescind.store.rows import Query, QueryWithParams, Row
from rescind.store.rows.lists import (
    LIST_ANY_WITH,
    LIST_BELOW,
    LIST_GROUPS_BY_PLACE,
    LIST_GROUPS_BY_ROLE,
    LIST_HOLDERS,
    LIST_LINE,
    LIST_LINES,
    LIST_PARENTS,
    LIST_PERMISSIONS,
    LIST_PLACES,
    LIST_RESOURCES,
    LIST_RESOURCES_OF_KIND,
    LIST_ROLE_WON,
    LIST_ROLES_ON,
    LIST_ROLES_WITH,
    LIST_SUBJECTS,
    LIST_SUBJECTS_ALLOWED,
    LIST_SUBJECTS_OF_KIND,
    STREAM_CHILDREN,
    STREAM_CONTENTS,
    STREAM_HOLDERS,
    STREAM_HOLDERS_OF_ANY,
    STREAM_MEMBERS,
    STREAM_MEMBERSHIPS,
    STREAM_PLACES,
    STREAM_RESOURCES,
    AskedRow,
    NumberTuple,
    RoleWithRow,
    StreamTuple,
)

MOST_PAIRS: Final = 256
"""Roles with the permission, times resources of the line, up to which each pair is looked up."""
_OF_ONE: Final = {
    Kind.MEMBERSHIPS: STREAM_MEMBERSHIPS,
    Kind.RESOURCES: STREAM_RESOURCES,
}
_OF_MANY: Final = {
    Kind.MEMBERS: STREAM_MEMBERS,
    Kind.HOLDERS: STREAM_HOLDERS,
    Kind.HOLDERS_OF_ANY: STREAM_HOLDERS_OF_ANY,
    Kind.CHILDREN: STREAM_CHILDREN,
    Kind.PLACES: STREAM_PLACES,
    Kind.CONTENTS: STREAM_CONTENTS,
}


FetchMany: TypeAlias = Callable[[list[QueryWithParams[Any]]], list[list[Any]]]


class Stored:
    """A `Source` that reads one state of the store, or a caller's transaction."""

    at_once = 100_000

    def __init__(self, fetch_many: FetchMany, names: AskedRow, now: int) -> None:
        self._fetch_many, self._names = fetch_many, names
        self.is_single, self.default_is_given = bool(names.is_single), bool(names.default_is_given)
        self._given: dict[str, Any] = {
            "o": names.organization,
            "m": names.membership,
            "p": names.permission,
            "r": names.resource,
            "now": now,
        }
        self._holders: list[int] | None = None
        self._roles: list[int] | None = None
        self._line: list[int] = []

    def _fetch(self, query: Query[Row], **params: Any) -> list[Row]:
        return self._fetch_many([(query, {**self._given, **params})])[0]

    def _numbers(self, query: Query[NumberTuple], **params: Any) -> list[int]:
        return [number for (number,) in self._fetch(query, **params)]

    def read(self, requests: Sequence[Request], /) -> list[Items]:
        by_kind: dict[Kind, list[int]] = defaultdict(list)
        for at, request in enumerate(requests):
            by_kind[request.stream.kind].append(at)
        found: list[tuple[list[int], set[int]]] = [([], set()) for _ in requests]
        asked = [
            self._asked(kind, [requests[at] for at in places]) for kind, places in by_kind.items()
        ]
        rows: list[StreamTuple]
        for places, rows in zip(by_kind.values(), self._fetch_many(asked), strict=True):
            for key, number, is_in_force in rows:
                numbers, lapsed = found[places[key]]
                numbers.append(number)
                if not is_in_force:
                    lapsed.add(number)
        return [Items(*parts) for parts in found]

    def _asked(self, kind: Kind, requests: list[Request]) -> QueryWithParams[StreamTuple]:
        if kind in _OF_ONE:
            (request,) = requests
            span = {"after": request.after, "most": request.most}
            return _OF_ONE[kind], {**self._given, **span}
        streams = json.dumps([_stream(request) for request in requests])
        return _OF_MANY[kind], {**self._given, "streams": streams}

    # --- who can ----------------------------------------------------------------------------------

    def line(self) -> list[int]:
        roles: list[RoleWithRow]
        roles, line = self._fetch_many(
            [
                (LIST_ROLES_WITH, {**self._given, "most": MOST_PAIRS + 1}),
                (LIST_LINE, self._given),
            ]
        )
        self._line = [number for (number,) in line]
        if len(roles) <= MOST_PAIRS:
            owners = (0, self._names.organization)
            self._roles = [row.role for row in roles if row.organization in owners]
        return self._line

    def scope(self, places: Collection[int]) -> Scope:
        by_role = self._roles is not None and len(self._roles) * len(places) <= MOST_PAIRS
        span = {"places": json.dumps(list(places)), "most": MOST_STREAMS + 1}
        if self._roles is not None and by_role:
            groups = self._numbers(LIST_GROUPS_BY_ROLE, roles=json.dumps(self._roles), **span)
            direct = [Stream(Kind.HOLDERS, place, role) for place in places for role in self._roles]
        else:
            groups = self._numbers(LIST_GROUPS_BY_PLACE, **span)
            direct = [Stream(Kind.HOLDERS_OF_ANY, place) for place in places]
        return Scope(groups if len(groups) <= MOST_STREAMS else None, direct)

    def subjects(self, numbers: Collection[int]) -> Named:
        return self._named(LIST_SUBJECTS, numbers)

    def _named(self, query: Query[Any], numbers: Collection[int]) -> Named:
        return dict(sorted(self._fetch(query, ids=_list(numbers)))) if numbers else {}

    def subjects_of_kind(self, kind: str) -> list[int] | None:
        rows = self._fetch(LIST_SUBJECTS_OF_KIND, **_span(kind))
        return [row.number for row in rows if row.active] if len(rows) <= MOST_OF_KIND else None

    def subjects_allowed(self, numbers: Collection[int]) -> set[int]:
        return set(self._numbers(LIST_SUBJECTS_ALLOWED, ids=_list(numbers))) if numbers else set()

    # --- which resources --------------------------------------------------------------------------

    def holders(self) -> Collection[int]:
        if self._holders is None:
            self._holders = self._numbers(LIST_HOLDERS) if self._names.active else []
        return self._holders

    def below(self) -> list[int] | None:
        rows = self._fetch(LIST_PLACES, holders=_list(self.holders()), most=MOST_BELOW + 1)
        if len(rows) > MOST_BELOW:
            return None
        places = {row.resource for row in rows if row.is_given}
        if not places:
            return []
        found = self._numbers(LIST_BELOW, places=_list(places), most=MOST_BELOW + 1)
        return found if len(found) <= MOST_BELOW else None

    def parents(self) -> list[int] | None:
        found = self._numbers(LIST_PARENTS, most=MOST_PARENTS + 1)
        return found if len(found) <= MOST_PARENTS else None

    def resources(self, numbers: Collection[int]) -> Named:
        return self._named(LIST_RESOURCES, numbers)

    def resources_of_kind(self, kind: str) -> list[int] | None:
        found = self._numbers(LIST_RESOURCES_OF_KIND, **_span(kind))
        return found if len(found) <= MOST_OF_KIND else None

    def is_allowed_everywhere(self) -> bool:
        if not self._names.active:
            return False
        if self.is_single:
            (won,) = self._fetch(LIST_ROLE_WON, holders=_list(self.holders()))
            return won.number is not None and self._has_permission([won.number])
        held = self._numbers(LIST_ROLES_ON, holders=_list(self.holders()), places="[0]")
        return self._has_permission(held)

    def _has_permission(self, roles: Collection[int]) -> bool:
        return bool(roles and self._fetch(LIST_ANY_WITH, roles=_list(roles)))

    def resources_allowed(self, numbers: Collection[int]) -> set[int]:
        if not numbers:
            return set()
        params = {"ids": _list(numbers), "holders": _list(self.holders())}
        above: dict[int, int] = {}
        is_given: dict[int, bool] = {}
        for resource, parent, given in self._fetch(LIST_LINES, **params):
            above[resource], is_given[resource] = parent, bool(given)
        return {number for number in numbers if _reaches(number, above, is_given)}

    # --- which permissions ------------------------------------------------------------------------

    def roles_held(self) -> Iterable[int]:
        if not self._names.active:
            return []
        line, holders = self._numbers(LIST_LINE), _list(self.holders())
        places = [place for place in line if place or not self.is_single]
        found = set(self._numbers(LIST_ROLES_ON, holders=holders, places=_list(places)))
        if self.is_single:
            won = self._fetch(LIST_ROLE_WON, holders=holders)
            found |= {row.number for row in won if row.number is not None}
        return sorted(found)

    def permissions(self, numbers: Collection[int]) -> Named:
        return self._named(LIST_PERMISSIONS, numbers)


def _stream(request: Request) -> list[int]:
    (kind, key, role, _), after, most = request
    if kind is Kind.HOLDERS:
        return [role, key, max(after, 0), most]
    if kind in (Kind.PLACES, Kind.HOLDERS_OF_ANY):
        return [key, max(after, 0), most]
    return [key, after, most]


def _list(numbers: Iterable[int]) -> str:
    return json.dumps(list(numbers))


def _span(kind: str) -> dict[str, Any]:
    """The range of all names with this prefix: `;` is the character after `:`."""
    return {"kind": kind, "kind_end": kind[:-1] + ";", "most": MOST_OF_KIND + 1}


def _reaches(number: int, above: dict[int, int], is_given: dict[int, bool]) -> bool:
    """Whether a role with the permission is held on the resource or above it, except on the organization.
    Keeps the result in `is_given` for the next.
    """
    line = []
    while number and not is_given.get(number, False):
        line.append(number)
        number = above.get(number, 0)
    for step in line:
        above[step] = number
    return number != 0
