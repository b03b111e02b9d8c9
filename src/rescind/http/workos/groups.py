"""Groups and who is in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Struct, UnsetType

from rescind import changes, model
from rescind.changes import Change
from rescind.http.auth import requires
from rescind.http.workos import entries, memberships, organizations, shapes
from rescind.http.workos.call import Asked, Call
from rescind.http.workos.entries import text
from rescind.http.workos.envelopes import Key, Paging, Span, Window, page
from rescind.http.workos.errors import invalid, not_found
from rescind.http.workos.given import pattern
from rescind.http.workos.ids import Kind, Place
from rescind.store import Rows

PATH = "/organizations/{organization_id:str}/groups"
GROUP = f"{PATH}/{{group_id:str}}"
MEMBERS = f"{GROUP}/organization-memberships"
MOST_AT_ONCE = 100


class CreateGroup(Struct):
    name: str
    description: str | UnsetType | None = UNSET


class UpdateGroup(Struct):
    name: str | None = None
    description: str | UnsetType | None = UNSET


class AddMember(Struct):
    organization_membership_id: str


class ChangeMembers(Struct):
    add: list[str] | None = None
    remove: list[str] | None = None


def row_of(call: Call, place: Place, public_id: str = "") -> shapes.Row:
    """The row of the group at a place, or not found."""
    rows = call.fetch("show_group", o=place.organization, g=place.number)
    if not rows:
        raise not_found("Group", public_id)
    return rows[0]


def shown(call: Call, organization_id: str, group_id: str) -> tuple[str, shapes.Row]:
    """The name of the organization in the core, and the row of a group in it; or not found."""
    o, slug, *_ = organizations.shown(call, organization_id)
    place = call.place(Kind.GROUP, group_id, "Group")
    if place.organization != o:
        raise not_found("Group", group_id)
    return slug, row_of(call, place, group_id)


def _page(call: Call, window: Window, query: str, **names: Any) -> dict[str, Any]:
    def key_of(cursor: str) -> Key:
        return -call.cursor(Kind.GROUP, cursor).number, 0

    def fetch(span: Span) -> list[Any]:
        return call.fetch(f"page_{query}_{span.direction}", **names, **span.params())

    return page(
        window,
        key_of=key_of,
        fetch=fetch,
        cursor_of=lambda row: call.ids.of(Kind.GROUP, row[0], row[1]),
        show=lambda rows: [shapes.group(call.ids, row) for row in rows],
    )


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_organization_groups(
    call: Asked,
    window: Paging,
    organization_id: FromPath[str],
    search: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """The groups of an organization, perhaps those with a text in their names, or with that id."""
    o = organizations.shown(call, organization_id)[0]
    place = call.find(Kind.GROUP, search) if search else None
    g = place.number if place is not None and place.organization == o else 0
    return _page(call, window, "groups", o=o, g=g, search=pattern(search))


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_organization_group(
    call: Asked, organization_id: FromPath[str], data: JSONBody[CreateGroup]
) -> Response[dict[str, Any]]:
    """Create a group."""

    def work() -> dict[str, Any]:
        o, slug, *_ = organizations.shown(call, organization_id)
        name = entries.own_id(call, Kind.GROUP)
        call.apply(slug, changes.CreateGroup(group=name, name=text("name", data.name)))
        ((g,),) = call.fetch("find_group_named", o=o, group=name)
        description = text("description", data.description, empty=True)
        entries.made(call, Kind.GROUP, o, g, public_id=name, description=description)
        return _told(call, Place(o, g), "group.created")

    return call.write(work, status=201)


@get(GROUP, guards=[requires("read")], sync_to_thread=True)
def get_organization_group(
    call: Asked, organization_id: FromPath[str], group_id: FromPath[str]
) -> dict[str, Any]:
    """A group."""
    return shapes.group(call.ids, shown(call, organization_id, group_id)[1])


@patch(GROUP, guards=[requires("write")], sync_to_thread=True)
def update_organization_group(
    call: Asked,
    organization_id: FromPath[str],
    group_id: FromPath[str],
    data: JSONBody[UpdateGroup],
) -> Response[dict[str, Any]]:
    """Change what is given of a group."""

    def work() -> dict[str, Any]:
        slug, row = shown(call, organization_id, group_id)
        o, g, group, *_ = row
        if data.name is not None:
            call.apply(slug, changes.RenameGroup(group=group, name=text("name", data.name)))
        description = text("description", data.description, empty=True)
        entries.touch(call, Kind.GROUP, o, g, description=description)
        return _told(call, Place(o, g), "group.updated")

    return call.write(work)


@delete(GROUP, guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_organization_group(
    call: Asked, organization_id: FromPath[str], group_id: FromPath[str]
) -> Response[None]:
    """Delete a group, and with it what only the group gave."""

    def work() -> None:
        slug, row = shown(call, organization_id, group_id)
        o, g, group, *_ = row
        call.apply(slug, changes.DeleteGroup(group=group, cascade=True))
        call.fetch("keep_public_id", o=o, kind="group", number=g)
        call.fetch("forget_entry", o=o, kind="group", number=g)
        entries.event(call, "group.deleted", o, shapes.group(call.ids, row))

    return call.write(work, status=204)


@get(MEMBERS, guards=[requires("read")], sync_to_thread=True)
def list_group_organization_memberships(
    call: Asked, window: Paging, organization_id: FromPath[str], group_id: FromPath[str]
) -> dict[str, Any]:
    """The memberships in a group."""
    _, (o, g, *_) = shown(call, organization_id, group_id)

    def fetch(span: Span) -> list[Any]:
        query = f"page_members_{span.direction}"
        return call.fetch(query, o=o, g=g, now=call.now, **span.params())

    return page(
        window,
        key_of=lambda cursor: memberships.key_of(call, cursor),
        fetch=fetch,
        cursor_of=lambda row: memberships.cursor_of(call, row),
        show=lambda rows: memberships.without_roles(call, rows),
    )


@post(MEMBERS, guards=[requires("write")], sync_to_thread=True)
def create_group_organization_membership(
    call: Asked, organization_id: FromPath[str], group_id: FromPath[str], data: JSONBody[AddMember]
) -> Response[dict[str, Any]]:
    """Put a membership into a group; one that is in it stays in it."""

    def work() -> dict[str, Any]:
        slug, row = shown(call, organization_id, group_id)
        _change_members(call, slug, row, [data.organization_membership_id], [])
        return shapes.group(call.ids, row)

    return call.write(work, status=201)


@patch(MEMBERS, guards=[requires("write")], sync_to_thread=True, status_code=204)
def update_group_organization_memberships(
    call: Asked,
    organization_id: FromPath[str],
    group_id: FromPath[str],
    data: JSONBody[ChangeMembers],
) -> Response[None]:
    """Put memberships in and take others out, all at once."""

    def work() -> None:
        slug, row = shown(call, organization_id, group_id)
        _change_members(call, slug, row, data.add or [], data.remove or [])

    return call.write(work, status=204)


@delete(
    f"{MEMBERS}/{{membership_id:str}}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_group_organization_membership(
    call: Asked,
    organization_id: FromPath[str],
    group_id: FromPath[str],
    membership_id: FromPath[str],
) -> Response[None]:
    """Take a membership out of a group, and with that what only the group gave it."""

    def work() -> None:
        slug, row = shown(call, organization_id, group_id)
        o, m, *_ = memberships.shown(call, membership_id)
        if o != row[0] or not _is_in(call, o, m, row[1]):
            raise not_found("Organization membership", membership_id)
        _change_members(call, slug, row, [], [membership_id])

    return call.write(work, status=204)


def _change_members(
    call: Call, slug: str, row: shapes.Row, added: list[str], removed: list[str]
) -> None:
    if not 1 <= len(added) + len(removed) <= MOST_AT_ONCE:
        raise invalid("add", f"give 1 to {MOST_AT_ONCE} memberships in `add` and `remove` together")
    if set(added) & set(removed):
        raise invalid("remove", "a membership may be in `add` or in `remove`, not in both")
    o, g, group, *_ = row
    call.lock(o)
    joining: dict[datetime | None, list[str]] = {}
    leaving: list[str] = []
    events: list[tuple[str, str]] = []
    for each in added:
        m, subject = _member(call, o, each)
        place = call.fetch("find_member", o=o, m=m, g=g, now=call.now)
        if not place:
            events.append(("group.member_added", each))
        joining.setdefault(_until(place), []).append(subject)
    for each in removed:
        m, subject = _member(call, o, each)
        if _is_in(call, o, m, g):
            leaving.append(subject)
            events.append(("group.member_removed", each))
    batch: list[Change] = [
        changes.AddMembers(group=group, members=tuple(subjects), expires_at=until)
        for until, subjects in joining.items()
    ]
    if leaving:
        batch.append(changes.RemoveMembers(group=group, members=tuple(leaving)))
    if batch:
        call.apply(slug, *batch)
    group_id = shapes.group(call.ids, row)["id"]
    for name, membership_id in events:
        data = {"group_id": group_id, "organization_membership_id": membership_id}
        entries.event(call, name, o, data)


def _member(call: Call, o: int, membership_id: str) -> tuple[int, str]:
    """Number and subject of a membership of the organization, or not found."""
    row = memberships.shown(call, membership_id)
    if row[0] != o:
        raise not_found("Organization membership", membership_id)
    return row[1], row[2]


def _until(place: Rows) -> datetime | None:
    """When a place in the group expires. Who has one keeps it as long, and is given its roles again."""
    return model.moment(place[0][0]) if place and place[0][0] is not None else None


def _is_in(call: Call, o: int, m: int, g: int) -> bool:
    return bool(call.fetch("find_member", o=o, m=m, g=g, now=call.now))


def _told(call: Call, place: Place, event: str) -> dict[str, Any]:
    result = shapes.group(call.ids, row_of(call, place))
    entries.event(call, event, place.organization, result)
    return result


@get(
    f"{memberships.PATH}/{{membership_id:str}}/groups",
    guards=[requires("read")],
    sync_to_thread=True,
)
def list_organization_membership_groups(
    call: Asked, window: Paging, membership_id: FromPath[str]
) -> dict[str, Any]:
    """The groups that a membership is in itself."""
    o, m, *_ = memberships.shown(call, membership_id)
    return _page(call, window, "groups_of_membership", o=o, m=m, now=call.now)


HANDLERS = [
    list_organization_groups,
    create_organization_group,
    get_organization_group,
    update_organization_group,
    delete_organization_group,
    list_group_organization_memberships,
    create_group_organization_membership,
    update_group_organization_memberships,
    delete_group_organization_membership,
    list_organization_membership_groups,
]
