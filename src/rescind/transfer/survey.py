"""What an import would make, as far as names go, and what it names that is not there.

Reads only about what the changes name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rescind import model
from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    CreateGroup,
    CreateResource,
    DefinePermission,
    DefineRole,
)
from rescind.errors import (
    BadInput,
    RescindError,
    ResourceNotFound,
    RoleNotForResource,
    RoleNotFound,
)
from rescind.model import ROOT
from rescind.store.rows import Query, Row
from rescind.store.rows.imports import (
    FIND_NAMED_ASSIGNMENTS,
    FIND_NAMED_GROUPS,
    FIND_NAMED_MEMBERS,
    FIND_NAMED_MEMBERSHIPS,
    FIND_NAMED_PERMISSIONS,
    FIND_NAMED_RESOURCES,
    FIND_NAMED_ROLES,
)
from rescind.transfer.batches import Batches
from rescind.transfer.problems import Problems
from rescind.transfer.readers import Item
from rescind.transfer.since import LeftOut, merged, rest_of

ASKED_AT_ONCE: Final = 10_000
SHOWN: Final = 5


@dataclass(slots=True)
class New:
    """How many things of a kind are new, and the first few of them."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(name)


@dataclass(slots=True)
class Survey:
    """What an import makes in one organization, and what it leaves out. `renamed` are people who have another
    display name on record, which stays.
    """

    people: New = field(default_factory=New)
    groups: New = field(default_factory=New)
    members: New = field(default_factory=New)
    assignments: New = field(default_factory=New)
    roles: New = field(default_factory=New)
    permissions: New = field(default_factory=New)
    resources: New = field(default_factory=New)
    renamed: New = field(default_factory=New)
    left_out: list[LeftOut] = field(default_factory=list)

    def made(self) -> Iterator[tuple[str, New]]:
        """Each kind of thing that is made, by its name."""
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, New) and name != "renamed" and value.count:
                yield name, value


def survey(batches: Batches, items: Sequence[Item]) -> Survey:
    """What the items of one organization would make, without doing it.

    Raises BadInput with every row of a list that names a role or a resource that is not there.
    """
    view = batches.look(items)
    named, found = _Named(), Survey()
    inactive = view.inactive
    for item in batches.spelled(items):
        kept, left = rest_of(item, batches.taken, inactive)
        found.left_out += left
        if kept is not None:
            named.note(kept.change, kept)
    found.left_out = merged(found.left_out)
    known = _Known(batches, named)
    _require_known(named, known)
    for subject, name in named.people.items():
        if subject not in known.people:
            found.people.add(subject)
        elif name is not None and name != known.people[subject]:
            found.renamed.add(subject)
    for kind, there in known.others.items():
        new = getattr(found, kind)
        for thing in getattr(named, kind):
            if thing not in there:
                new.add(_shown(kind, thing))
    return found


class _Named:
    """What changes name, each once and in their order."""

    def __init__(self) -> None:
        self.people: dict[str, str | None] = {}
        self.groups: dict[str, None] = {}
        self.members: dict[tuple[str, str], None] = {}
        self.assignments: dict[tuple[str, str, str], None] = {}
        self.roles: dict[str, None] = {}
        self.permissions: dict[str, None] = {}
        self.resources: dict[str, None] = {}
        self.rows: list[tuple[Item, Assign]] = []

    def note(self, change: Any, item: Item) -> None:
        """Note what a change makes or gives."""
        if isinstance(change, AddMembership):
            subject = model.subject_id(change.subject)
            name = change.name if item.rows else None
            self.people[subject] = self.people.get(subject) or name
        elif isinstance(change, CreateGroup):
            self.groups[model.group_id(change.group)] = None
        elif isinstance(change, AddMembers):
            group = model.group_id(change.group)
            self.members |= dict.fromkeys((group, model.subject_id(m)) for m in change.members)
        elif isinstance(change, Assign):
            holder, on = model.holder_id(change.to), model.resource_id(change.on)
            self.assignments[model.role_id(change.role), holder, on] = None
            if item.rows:
                self.rows.append((item, change))
        elif isinstance(change, DefineRole):
            self.roles[model.role_id(change.role)] = None
        elif isinstance(change, DefinePermission):
            self.permissions[model.permission_id(change.permission)] = None
        elif isinstance(change, CreateResource):
            self.resources[model.resource_id(change.resource)] = None


class _Known:
    """What is there of what changes name. `types` are the resource types of roles, by role."""

    def __init__(self, batches: Batches, named: _Named) -> None:
        self._store, self._o = batches.authority.store, batches.number or 0
        roles = {*named.roles, *(role for role, _, _ in named.assignments)}
        on = {*named.resources, *(on for _, _, on in named.assignments)}
        self.types: dict[str, str | None] = {
            row.role: row.resource_type
            for row in self._asked(FIND_NAMED_ROLES, "roles", sorted(roles))
        }
        resources = self._asked(FIND_NAMED_RESOURCES, "resources", sorted(on))
        people = self._asked(FIND_NAMED_MEMBERSHIPS, "subjects", [*named.people])
        self.people: dict[str, str | None] = {row.subject: row.name for row in people}
        groups = self._asked(FIND_NAMED_GROUPS, "groups", [*named.groups])
        members = self._asked(FIND_NAMED_MEMBERS, "members", [*named.members])
        given = self._asked(FIND_NAMED_ASSIGNMENTS, "assignments", [*named.assignments])
        permissions = self._asked(FIND_NAMED_PERMISSIONS, "permissions", [*named.permissions])
        self.others: dict[str, set[Any]] = {
            "groups": {row.group for row in groups},
            "members": {(row.group, row.subject) for row in members},
            "assignments": {(row.role, row.holder, row.resource) for row in given},
            "roles": set(self.types),
            "permissions": {row.permission for row in permissions},
            "resources": {row.resource for row in resources} | {ROOT},
        }

    def _asked(self, query: Query[Row], parameter: str, things: Sequence[Any]) -> list[Row]:
        rows: list[Row] = []
        for start in range(0, len(things), ASKED_AT_ONCE):
            part = json.dumps(things[start : start + ASKED_AT_ONCE], ensure_ascii=False)
            rows += self._store.fetch(query, {"o": self._o, parameter: part})
        return rows


def _require_known(named: _Named, known: _Known) -> None:
    problems = Problems()
    for item, change in named.rows:
        role, on = model.role_id(change.role), model.resource_id(change.on)
        if (error := _unknown(role, on, named, known)) is not None:
            problems.add(BadInput(at=item.place, why=str(error).rstrip(".")))
    problems.require_none()


def _unknown(role: str, on: str, named: _Named, known: _Known) -> RescindError | None:
    if role not in known.types and role not in named.roles:
        return RoleNotFound(role=role)
    if on not in known.others["resources"] and on not in named.resources:
        return ResourceNotFound(resource=on)
    kind = known.types.get(role)
    if kind is not None and on != kind and not on.startswith(f"{kind}:"):
        return RoleNotForResource(role=f"{role}, which is for resources of the type {kind}")
    return None


def _shown(kind: str, thing: Any) -> str:
    if kind == "members":
        group, subject = thing
        return f"{subject} in {group}"
    if kind == "assignments":
        role, holder, on = thing
        return f"{holder} as {role}" + ("" if on == ROOT else f" on {on}")
    return str(thing)
