"""Role assignments of groups. What is taken off a group is denied to all its members at return."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from rescind import changes
from rescind.changes import Change
from rescind.http.auth import requires
from rescind.http.workos import groups, organizations, shapes, targets
from rescind.http.workos.assignments import RoleOnTarget
from rescind.http.workos.call import Asked, Call
from rescind.http.workos.envelopes import LAST, Key, Paging, Span, envelope, page
from rescind.http.workos.errors import conflict, invalid, not_found
from rescind.http.workos.ids import Kind
from rescind.http.workos.own import OwnRoles, RoleAndResource, assign, given, own_roles
from rescind.model import Receipt

PATH = "/authorization/groups/{group_id:str}/role_assignments"
BY_ID = f"{PATH}/{{role_assignment_id:str}}"
WHAT = "Group role assignment"
MOST_AT_ONCE = 100


class ReplaceAssignments(Struct):
    role_assignments: list[RoleOnTarget]


class ChangeAssignments(Struct):
    add: list[RoleOnTarget] | None = None
    remove: list[RoleOnTarget] | None = None


class GroupMeant:
    """The group that a request is about, its organization, and what it holds."""

    def __init__(self, call: Call, group_id: str) -> None:
        self.call = call
        row = groups.row_of(call, call.place(Kind.GROUP, group_id, "Group"), group_id)
        self.o, self.g, group, *_ = row
        self.holder = f"group:{group}"
        self.id = shapes.group(call.ids, row)["id"]

    def lock(self) -> None:
        """Let nothing else change the organization until the write is done."""
        self.call.lock(self.o)

    def held(self) -> OwnRoles:
        """What the group holds now."""
        return own_roles(self.call, self.o, self.g)

    def meant(self, entry: RoleOnTarget) -> RoleAndResource:
        """The role and the name of the resource in the core."""
        return entry.role_slug, targets.resource(self.call, self.o, entry)[2]

    def apply(self, *batch: Change) -> Receipt:
        """Change what the group holds."""
        return self.call.apply(organizations.row_of(self.call, self.o, "")[1], *batch)

    def unassign(self, key: RoleAndResource) -> Change:
        """What takes a role on a resource off the group."""
        return changes.Unassign(role=key[0], to=self.holder, on=key[1])

    def rows(self, span: Span) -> list[Any]:
        """A span of what the group holds."""
        names = {"o": self.o, "g": self.g, "now": self.call.now}
        query = f"page_group_assignments_{span.direction}"
        return self.call.fetch(query, **names, **span.params())

    def shown(self, rows: Any) -> list[dict[str, Any]]:
        """Assignments as the SDKs read them."""
        return [shapes.group_assignment(self.call.ids, row, self.id) for row in rows]

    def one(self, a: int) -> list[dict[str, Any]]:
        """The assignment of a number, if the group holds it."""
        key = abs(a)
        return self.shown(self.rows(Span((key - 1, 0), (key + 1, 0), "asc", 1)))


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_group_role_assignments(
    call: Asked, window: Paging, group_id: FromPath[str]
) -> dict[str, Any]:
    """What a group holds itself."""
    group = GroupMeant(call, group_id)

    def key_of(cursor: str) -> Key:
        return abs(call.cursor(Kind.GROUP_ROLE_ASSIGNMENT, cursor).number), 0

    return page(
        window,
        key_of=key_of,
        fetch=group.rows,
        cursor_of=lambda row: call.ids.of(Kind.GROUP_ROLE_ASSIGNMENT, row[0], row[1]),
        show=group.shown,
    )


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_group_role_assignment(
    call: Asked, group_id: FromPath[str], data: JSONBody[RoleOnTarget]
) -> Response[dict[str, Any]]:
    """Give a group a role on a resource, or on the organization."""

    def work() -> dict[str, Any]:
        group = GroupMeant(call, group_id)
        key = group.meant(data)
        group.lock()
        if not group.apply(assign(key, group.holder, group.held())).changed:
            told = f"The group holds the role '{data.role_slug}' there already."
            raise conflict("group_role_assignment_already_exists", told)
        return group.one(group.held()[key].number)[0]

    return call.write(work, status=201)


@put(PATH, guards=[requires("write")], sync_to_thread=True)
def update_group_role_assignments(
    call: Asked, group_id: FromPath[str], data: JSONBody[ReplaceAssignments]
) -> Response[dict[str, Any]]:
    """Make what a group holds exactly these. What it holds already keeps its time of expiry."""

    def work() -> dict[str, Any]:
        group = GroupMeant(call, group_id)
        wanted = {group.meant(entry) for entry in data.role_assignments}
        group.lock()
        held = group.held()
        items = tuple(given(key, held) for key in sorted(wanted))
        group.apply(changes.ReplaceAssignments(to=group.holder, assignments=items))
        return envelope(group.shown(group.rows(Span((-1, 0), (LAST, 0), "desc", LAST))))

    return call.write(work)


@patch(PATH, guards=[requires("write")], sync_to_thread=True, status_code=204)
def patch_group_role_assignments(
    call: Asked, group_id: FromPath[str], data: JSONBody[ChangeAssignments]
) -> Response[None]:
    """Give a group roles and take others off, all at once; what is so already is passed over."""

    def work() -> None:
        group = GroupMeant(call, group_id)
        entries = [*(data.add or ()), *(data.remove or ())]
        if not 1 <= len(entries) <= MOST_AT_ONCE:
            raise invalid("add", f"give 1 to {MOST_AT_ONCE} in `add` and `remove` together")
        added = {group.meant(entry) for entry in data.add or ()}
        removed = {group.meant(entry) for entry in data.remove or ()}
        if added & removed:
            raise invalid("remove", "an assignment may be in `add` or in `remove`, not in both")
        group.lock()
        held = group.held()
        batch: list[Change] = [assign(key, group.holder, held) for key in sorted(added)]
        batch += [group.unassign(key) for key in sorted(removed & held.keys())]
        if batch:
            group.apply(*batch)

    return call.write(work, status=204)


@delete(PATH, guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_group_role_assignments(
    call: Asked, group_id: FromPath[str], data: JSONBody[RoleOnTarget]
) -> Response[None]:
    """Take a role on a resource, or on the organization, off a group."""

    def work() -> None:
        group = GroupMeant(call, group_id)
        key = group.meant(data)
        if key not in group.held():
            raise not_found(WHAT, data.role_slug)
        group.apply(group.unassign(key))

    return call.write(work, status=204)


@get(BY_ID, guards=[requires("read")], sync_to_thread=True)
def get_group_role_assignment(
    call: Asked, group_id: FromPath[str], role_assignment_id: FromPath[str]
) -> dict[str, Any]:
    """One thing that a group holds."""
    group = GroupMeant(call, group_id)
    for shown in group.one(_number(call, group, role_assignment_id)):
        return shown
    raise not_found(WHAT, role_assignment_id)


@delete(BY_ID, guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_group_role_assignment(
    call: Asked, group_id: FromPath[str], role_assignment_id: FromPath[str]
) -> Response[None]:
    """Take one thing that a group holds off it."""

    def work() -> None:
        group = GroupMeant(call, group_id)
        number = _number(call, group, role_assignment_id)
        for key, own in group.held().items():
            if own.number == number:
                group.apply(group.unassign(key))
                return
        raise not_found(WHAT, role_assignment_id)

    return call.write(work, status=204)


def _number(call: Call, group: GroupMeant, role_assignment_id: str) -> int:
    place = call.place(Kind.GROUP_ROLE_ASSIGNMENT, role_assignment_id, WHAT)
    if place.organization != group.o:
        raise not_found(WHAT, role_assignment_id)
    return place.number


HANDLERS = [
    list_group_role_assignments,
    create_group_role_assignment,
    update_group_role_assignments,
    patch_group_role_assignments,
    delete_group_role_assignments,
    get_group_role_assignment,
    delete_group_role_assignment,
]
