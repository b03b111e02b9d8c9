"""Routes of groups and their members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from rescind.directory import groups, memberships, objects, organizations
from rescind.directory.groups import CreateGroup, UpdateGroup
from rescind.directory.ids import Kind
from rescind.directory.paging import Key, Span
from rescind.directory.query_values import search_pattern
from rescind.directory.unit_of_work import UnitOfWork
from rescind.http.auth import requires
from rescind.http.workos.envelopes import Paging, Window, page
from rescind.http.workos.memberships import PATH as MEMBERSHIPS
from rescind.http.workos.memberships import page_without_roles
from rescind.http.workos.responses import Unit, respond_with
from rescind.model import GroupNumber
from rescind.store.rows.directory import GroupRow

PATH: Final = "/organizations/{organization_id:str}/groups"
GROUP: Final = f"{PATH}/{{group_id:str}}"
MEMBERS: Final = f"{GROUP}/organization-memberships"


class AddMember(Struct, forbid_unknown_fields=True):
    organization_membership_id: str


class ChangeMembers(Struct, forbid_unknown_fields=True):
    add: list[str] | None = None
    remove: list[str] | None = None


def _page(
    unit: UnitOfWork, window: Window, fetch: Callable[[Span], list[GroupRow]]
) -> dict[str, Any]:
    def key_of(cursor: str) -> Key:
        return -unit.cursor_place(Kind.GROUP, cursor).number, 0

    return page(
        window,
        key_of=key_of,
        fetch=fetch,
        cursor_of=lambda row: unit.public_ids.of(Kind.GROUP, row.organization, row.number),
        show=lambda rows: [objects.group(unit.public_ids, row) for row in rows],
    )


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_organization_groups(
    unit: Unit,
    window: Paging,
    organization_id: FromPath[str],
    search: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """The groups of an organization, filtered by a text in their names, or by that id."""
    o = organizations.find_organization(unit, organization_id).organization
    place = unit.find_place(Kind.GROUP, search) if search else None
    is_here = place is not None and place.organization == o
    number = GroupNumber(place.number if place is not None and is_here else 0)
    pattern = search_pattern(search)
    return _page(
        unit,
        window,
        lambda span: groups.page_groups(unit, o, span, search=pattern, or_number=number),
    )


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_organization_group(
    unit: Unit, organization_id: FromPath[str], data: JSONBody[CreateGroup]
) -> Response[dict[str, Any]]:
    """Create a group."""
    return respond_with(unit, lambda: groups.create_group(unit, organization_id, data), status=201)


@get(GROUP, guards=[requires("read")], sync_to_thread=True)
def get_organization_group(
    unit: Unit, organization_id: FromPath[str], group_id: FromPath[str]
) -> dict[str, Any]:
    """A group."""
    _, group = groups.find_group(unit, organization_id, group_id)
    return objects.group(unit.public_ids, group)


@patch(GROUP, guards=[requires("write")], sync_to_thread=True)
def update_organization_group(
    unit: Unit,
    organization_id: FromPath[str],
    group_id: FromPath[str],
    data: JSONBody[UpdateGroup],
) -> Response[dict[str, Any]]:
    """Change the given fields of a group."""
    return respond_with(unit, lambda: groups.update_group(unit, organization_id, group_id, data))


@delete(GROUP, guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_organization_group(
    unit: Unit, organization_id: FromPath[str], group_id: FromPath[str]
) -> Response[None]:
    """Delete a group, and with it the access that only the group gave."""
    return respond_with(
        unit, lambda: groups.delete_group(unit, organization_id, group_id), status=204
    )


@get(MEMBERS, guards=[requires("read")], sync_to_thread=True)
def list_group_organization_memberships(
    unit: Unit, window: Paging, organization_id: FromPath[str], group_id: FromPath[str]
) -> dict[str, Any]:
    """The memberships in a group."""
    _, group = groups.find_group(unit, organization_id, group_id)
    return page_without_roles(unit, window, lambda span: groups.page_members(unit, group, span))


@post(MEMBERS, guards=[requires("write")], sync_to_thread=True)
def create_group_organization_membership(
    unit: Unit, organization_id: FromPath[str], group_id: FromPath[str], data: JSONBody[AddMember]
) -> Response[dict[str, Any]]:
    """Add a membership to a group. A member stays one."""
    added = [data.organization_membership_id]
    return respond_with(
        unit,
        lambda: groups.change_members(unit, organization_id, group_id, added=added),
        status=201,
    )


@patch(MEMBERS, guards=[requires("write")], sync_to_thread=True, status_code=204)
def update_group_organization_memberships(
    unit: Unit,
    organization_id: FromPath[str],
    group_id: FromPath[str],
    data: JSONBody[ChangeMembers],
) -> Response[None]:
    """Add memberships to a group and remove others, all at once."""

    def work() -> None:
        groups.change_members(
            unit, organization_id, group_id, added=data.add or [], removed=data.remove or []
        )

    return respond_with(unit, work, status=204)


@delete(
    f"{MEMBERS}/{{membership_id:str}}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_group_organization_membership(
    unit: Unit,
    organization_id: FromPath[str],
    group_id: FromPath[str],
    membership_id: FromPath[str],
) -> Response[None]:
    """Remove a membership from a group, and with it the access that only the group gave."""
    return respond_with(
        unit,
        lambda: groups.remove_member(unit, organization_id, group_id, membership_id),
        status=204,
    )


@get(f"{MEMBERSHIPS}/{{membership_id:str}}/groups", guards=[requires("read")], sync_to_thread=True)
def list_organization_membership_groups(
    unit: Unit, window: Paging, membership_id: FromPath[str]
) -> dict[str, Any]:
    """The groups that a membership is a direct member of."""
    member = memberships.find_membership(unit, membership_id)
    return _page(unit, window, lambda span: groups.page_groups_of_membership(unit, member, span))


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
