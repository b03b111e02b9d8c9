"""What names in the log stood for at a revision: numbers, of what there is and of what has gone.

Numbers count up within an organization. So what was made by a change has a higher number than all that
was known before it, and a name stands for the highest known one that had not gone by then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from rescind import changes, model
from rescind.changes import Change
from rescind.http.workos.call import Call
from rescind.http.workos.envelopes import LAST
from rescind.http.workos.ids import Kind
from rescind.http.workos.shapes import Row

KINDS = {
    kind.name.lower(): kind for kind in (Kind.MEMBERSHIP, Kind.GROUP, Kind.ROLE, Kind.PERMISSION)
}
SERIES = {
    Kind.MEMBERSHIP: "number",
    Kind.GROUP: "number",
    Kind.ROLE: "role",
    Kind.PERMISSION: "permission",
}
"""Which objects are counted together."""


@dataclass(slots=True)
class Thing:
    """An object that has or had a name."""

    kind: Kind
    name: str
    number: int
    row: Row | None = None
    """As `directory.sql` gives it; of what has gone, what is left of that."""
    gone_at: int | None = None
    is_told_gone: bool = False


class Names:
    """The things of one organization that some changes name, from the revision on that is told up to now."""

    def __init__(
        self, call: Call, owner: Row, logged: Iterable[Change], known: dict[str, int]
    ) -> None:
        self.known = known
        self._call, self._owner, self._o = call, owner, owner[0]
        self._things: dict[tuple[Kind, str], dict[int, Thing]] = {}
        self._read(list(logged))

    def made(self, kind: Kind, name: str, revision: int) -> Thing | None:
        """What a change made under a name; None if there was such a thing before."""
        if self.meant(kind, name, revision) is not None:
            return None
        known = self.known[SERIES[kind]]
        later = [each for each in self._there(kind, name, revision) if abs(each.number) > known]
        if not later:
            return None
        self.known[SERIES[kind]] = abs(later[0].number)
        return later[0]

    def meant(self, kind: Kind, name: str, revision: int) -> Thing | None:
        """What a name stands for while a change is told."""
        known = self.known[SERIES[kind]]
        found = [each for each in self._there(kind, name, revision) if abs(each.number) <= known]
        return found[-1] if found else None

    def ended(self, kind: Kind, name: str, revision: int) -> Thing | None:
        """What a change deleted under a name; None if there was no such thing."""
        found = self.meant(kind, name, revision)
        if found is None or found.gone_at != revision:
            return None
        found.is_told_gone = True
        return found

    def _there(self, kind: Kind, name: str, revision: int) -> list[Thing]:
        things = self._things.get((kind, name), {}).values()
        alive = [
            each
            for each in things
            if not each.is_told_gone and (each.gone_at is None or each.gone_at >= revision)
        ]
        return sorted(alive, key=lambda each: abs(each.number))

    # --- reading ----------------------------------------------------------------------------------

    def _read(self, logged: list[Change]) -> None:
        """What there is first: what goes between the two is found in both."""
        call, o = self._call, self._o
        subjects = sorted({name for change in logged for name in subjects_of(change)})
        groups = sorted({name for change in logged for name in groups_of(change)})
        span = {"low": -1, "high": LAST, "limit": LAST}
        if subjects:
            query = "page_memberships_among_asc"
            for row in call.fetch(query, o=o, subjects=json.dumps(subjects), **span):
                self._add(Thing(Kind.MEMBERSHIP, row[2], row[1], row))
        if groups:
            for row in call.fetch("list_groups_named", o=o, groups=json.dumps(groups)):
                self._add(Thing(Kind.GROUP, row[2], row[1], row))
        if any(hasattr(change, "role") for change in logged):
            for row in call.fetch("show_roles", o=o, role=""):
                self._add(Thing(Kind.ROLE, row[2], row[1], row), of=row[0])
        named = sorted({change.permission for change in logged if hasattr(change, "permission")})
        if named:
            query = "page_permissions_among_asc"
            for row in call.fetch(query, o=o, permissions=json.dumps(named), **span):
                self._add(Thing(Kind.PERMISSION, row[2], row[1], row), of=row[0])
        for kind, name, number, revision, *rest in call.fetch("list_gone", o=o):
            row = self._left(KINDS[kind], name, number, rest)
            self._add(Thing(KINDS[kind], name, number, row, gone_at=revision))

    def _add(self, thing: Thing, of: int | None = None) -> None:
        if of in (None, self._o):
            self._things.setdefault((thing.kind, thing.name), {})[thing.number] = thing

    def _left(self, kind: Kind, name: str, number: int, rest: Iterable[object]) -> Row:
        """A row as of something that is there."""
        o, slug, title, created_at, o_public_id, *_, mode = self._owner
        label, public_id, attributes, updated_at = rest
        now = self._call.now
        if kind is Kind.MEMBERSHIP:
            return (
                o,
                number,
                name,
                label,
                False,
                now,
                public_id,
                updated_at,
                o_public_id,
                title,
                slug,
                mode,
            )
        if kind is Kind.GROUP:
            return (
                o,
                number,
                name,
                label,
                public_id,
                attributes,
                None,
                updated_at,
                o_public_id,
                created_at,
            )
        if kind is Kind.ROLE:
            return (o, number, name, label, 0, attributes, created_at, updated_at, None)
        return (o, number, name, label, attributes, created_at, updated_at)


def subjects_of(change: Change) -> list[str]:
    """The memberships that a change names."""
    named = [*getattr(change, "members", ())]
    if hasattr(change, "subject"):
        named.append(change.subject)
    to = getattr(change, "to", None)
    if to is not None and not to.startswith("group:"):
        named.append(to)
    return [model.subject_id(name) for name in named]


def groups_of(change: Change) -> list[str]:
    """The groups that a change names."""
    found = [getattr(change, field, None) for field in ("group", "into", "out_of")]
    to = getattr(change, "to", "")
    found.append(to.removeprefix("group:") if to.startswith("group:") else None)
    return [name for name in found if name is not None]


def is_wide(change: Change) -> bool:
    """Whether it gives or takes organization-wide roles of a membership itself."""
    if isinstance(change, changes.Assign | changes.Unassign):
        places = [change.on]
    elif isinstance(change, changes.ReplaceAssignments):
        return not change.to.startswith("group:")
    else:
        return False
    return not change.to.startswith("group:") and model.resource_id(places[0]) == model.ROOT
